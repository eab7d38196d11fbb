package web

// message names what the pages say, in [messages].
type message string

// Messages that are chosen in Go; templates name theirs themselves.
const (
	msgWeekdays message = "weekdays"

	msgBadRequest message = "bad request"
	msgBadQuery   message = "bad query"
	msgLongQuery  message = "long query"
	msgMethod     message = "method"
	msgWho        message = "who"
	msgGuesses    message = "guesses"
	msgHost       message = "host"
	msgNoPage     message = "no page"
	msgNoPost     message = "no post"
	msgNoRevision message = "no revision"
	msgNoCategory message = "no category"
	msgNoSecurity message = "no security"
	msgNoRun      message = "no run"
	msgLost       message = "lost"
	msgBusy       message = "busy"
	msgNoArchive  message = "no archive"
	msgSlow       message = "slow"
	msgMany       message = "many"
	msgNoIndex    message = "no index"
	msgFault      message = "fault"

	msgRuns       message = "runs"
	msgRun        message = "run n"
	msgCategories message = "categories"
	msgCoverage   message = "coverage"
	msgSearch     message = "search"
	msgSearchFor  message = "search for"
	msgDiffOf     message = "diff of"
	msgOriginalOf message = "original of"

	msgPostsByHour   message = "posts by hour"
	msgPostsByDay    message = "posts by day"
	msgMentionsByDay message = "mentions by day"

	msgHeatPosts message = "heat posts"
	msgHeatUsual message = "heat usual"
	msgHeatGap   message = "heat gap"

	msgFetchedFrom message = "fetched from"
	msgSharePage   message = "share page"
	msgTextPage    message = "text page"

	msgNew         message = "new"
	msgRevised     message = "revised"
	msgUnchanged   message = "unchanged"
	msgSkipped     message = "skipped"
	msgFailed      message = "failed"
	msgPending     message = "pending"
	msgRead        message = "read"
	msgNotModified message = "not modified"
	msgGone        message = "gone"
	msgDisallowed  message = "disallowed"
	msgNotDue      message = "not due"
)

// messages is the one table of what the pages say, in Chinese and in English.
var messages = map[message][2]string{
	"weekdays": {"周日 周一 周二 周三 周四 周五 周六", "Sun Mon Tue Wed Thu Fri Sat"},

	// The page around.
	"site":        {"财经新闻档案", "Finance news archive"},
	"skip":        {"跳到正文", "Skip to the content"},
	"menu":        {"主导航", "Main"},
	"today":       {"最新", "Newest"},
	"categories":  {"栏目", "Outlets"},
	"coverage":    {"完整度", "Coverage"},
	"runs":        {"抓取记录", "Runs"},
	"search":      {"搜索", "Search"},
	"search here": {"搜索档案", "Search the archive"},
	"other":       {"English", "中文"},
	"footer":      {"由 finarc 存档；时间均为上海时间。", "Archived by finarc; all times are Shanghai’s."},
	"first page":  {"第一页", "First page"},
	"next page":   {"下一页", "Next page"},
	"pages":       {"翻页", "Pages"},
	"empty list":  {"这里没有文章。", "There are no posts here."},
	"no title":    {"（无标题）", "(no title)"},
	"n posts":     {"%s 篇", "%s posts"},
	"posts":       {"文章", "Posts"},
	"count":       {"篇数", "Posts"},
	"day":         {"日期", "Day"},
	"revision n":  {"版本 %d", "Revision %d"},

	// Failures.
	"bad request": {"看不懂这个请求。", "This request cannot be meant so."},
	"bad query":   {"看不懂这个搜索式。", "This search cannot be meant so."},
	"long query":  {"请求太长。", "The request is too long."},
	"method":      {"这里只能读取。", "There is only reading here."},
	"who":         {"需要登录。", "You have to prove who you are."},
	"guesses":     {"密码或令牌错误次数太多，请稍后再试。", "There were too many wrong passwords or tokens; please try again later."},
	"host":        {"服务器不以此名称提供服务。", "The server is not known by this name."},
	"no page":     {"没有这个页面。", "There is no such page."},
	"no post":     {"档案中没有这篇文章。", "The archive does not hold this post."},
	"no revision": {"这篇文章没有这个版本。", "The post has no such revision."},
	"no category": {"档案中没有这个栏目。", "The archive holds no post of this outlet."},
	"no security": {"档案中没有提到这只证券的文章。", "The archive holds no post that names this security."},
	"no run":      {"没有这次抓取。", "There was no such run."},
	"lost":        {"档案损坏，此内容已丢失。", "This was lost to damage of the archive."},
	"busy":        {"档案正忙，请稍后再试。", "The archive is busy; please try again in a moment."},
	"no archive":  {"还没有档案文件。", "There is no archive yet."},
	"slow":        {"回答用时太久，请稍后再试。", "The answer took too long; please try again in a moment."},
	"many":        {"请求太多，请稍后再试。", "There are too many requests; please try again in a moment."},
	"fault":       {"服务器出错，已记录。", "Something went wrong here. It was recorded."},
	"elsewhere":   {"在镜像上查看", "See whether a mirror has it"},
	"go home":     {"回到最新文章", "Go to the newest posts"},

	// Newest posts, and a day.
	"rising outlets":    {"异动栏目", "Outlets with more than usual"},
	"rising securities": {"异动证券", "Securities named more than usual"},
	"rising of":         {"%s，与此前七天的份额相比", "%s, beside the share of the seven days before"},
	"usual n":           {"通常 %s", "usually %s"},
	"nothing rising":    {"没有明显异动。", "Nothing stands out."},
	"health":            {"抓取状况", "The crawl"},
	"last run":          {"最近一次抓取", "Last run"},
	"run good":          {"正常", "all well"},
	"run troubled":      {"需要留意", "needs a look"},
	"run running":       {"进行中", "under way"},
	"no runs":           {"还没有抓取过。", "Nothing was crawled yet."},
	"held":              {"已存文章", "Posts held"},
	"held revisions":    {"版本", "Revisions"},
	"waiting":           {"待抓取", "To be fetched"},
	"failed posts":      {"无法取得", "Not to be had"},
	"span":              {"时间范围", "Days"},
	"whole day":         {"全天文章", "The whole day"},
	"day before":        {"前一天", "Day before"},
	"day after":         {"后一天", "Day after"},
	"trading day":       {"交易日", "trading day"},
	"closed day":        {"休市", "exchanges closed"},
	"top outlets":       {"发文最多的栏目", "Outlets with most posts"},
	"top securities":    {"提及最多的证券", "Securities named most"},
	"posts by hour":     {"各小时发文数", "Posts by hour"},
	"posts by day":      {"每日发文数", "Posts by day"},
	"mentions by day":   {"每日提及数", "Mentions by day"},
	"go to day":         {"打开日期", "Go to a day"},
	"go":                {"打开", "Go"},
	"before that":       {"更早的文章", "Posts before"},

	// Categories and securities.
	"find outlet":      {"查找栏目：中文名、拼音或首字母", "Find an outlet: by its Chinese name, pinyin or initials"},
	"find":             {"查找", "Find"},
	"n of outlets":     {"%s 个栏目，共 %s 个", "%s outlets of %s"},
	"no outlets found": {"没有找到栏目。", "No outlet was found."},
	"newest on":        {"最新 %s", "newest %s"},
	"other names":      {"又称", "Also called"},
	"named with":       {"同时提及", "Named together with"},
	"mentions looked":  {"图表和同时提及依据标注它的最新 %s 篇文章", "Chart and what is named with it: from the newest %s posts that mark it"},
	"mentions all":     {"图表和同时提及依据标注它的全部 %s 篇文章", "Chart and what is named with it: from all %s posts that mark it"},
	"posts marking":    {"标注它的文章", "Posts that mark it"},
	"posts by text":    {"正文识别的文章", "Posts found by text"},
	"by text":          {"正文识别", "found by text"},
	"by text n":        {"另有 %d 篇由正文识别", "%d more found by text"},
	"by text all":      {"未标注它、但标题或正文写有其名称或代码的文章。", "They do not mark it, and have its name or code in title or text."},
	"by text looked":   {"未标注它、但标题或正文写有其名称或代码的文章；按名称、代码各读最新五篇，更早的请搜索。", "They do not mark it, and have its name or code in title or text. The newest five with its name and the newest five with its code were read; search for older ones."},
	"quotes":           {"行情", "Prices"},
	"board":            {"板块", "board"},

	// A post.
	"source":         {"来源", "Source"},
	"securities":     {"相关证券", "Securities"},
	"times":          {"时间", "Times"},
	"published":      {"发布", "Published"},
	"first seen":     {"首次见到", "First seen"},
	"fetched":        {"抓取此版本", "This revision fetched"},
	"last seen":      {"最后见到", "Last seen so"},
	"tradable":       {"最早可交易", "Tradable from"},
	"mode":           {"方式", "Mode"},
	"live":           {"实时抓取", "crawled live"},
	"backfill":       {"事后补抓", "backfilled"},
	"import":         {"导入", "imported"},
	"mirror":         {"镜像", "Mirror"},
	"places":         {"在镜像中的位置", "Where it is on the mirror"},
	"fetched from":   {"抓取地址", "Fetched from"},
	"share page":     {"分享页", "Share page"},
	"text page":      {"正文接口", "Text"},
	"story":          {"同一报道", "The same story"},
	"story origin":   {"首发", "origin"},
	"this post":      {"本文", "this post"},
	"related":        {"相关报道", "Related reports"},
	"not held":       {"未存档", "not held"},
	"revisions":      {"版本", "Revisions"},
	"compare":        {"比较修改", "Compare"},
	"original":       {"原始页面", "The page as it was"},
	"old revision":   {"这不是最新版本。", "This is not the newest revision."},
	"see newest":     {"查看最新版本", "See the newest"},
	"lost body":      {"档案损坏，正文已丢失。", "The text was lost to damage of the archive."},
	"empty body":     {"此页没有正文。", "The page has no text."},
	"text only":      {"页面过大，这里只显示文字。", "The page is very large: only its text is shown here."},
	"diff of":        {"修改：%s", "Changes: %s"},
	"diff from to":   {"从版本 %d 到版本 %d", "From revision %d to revision %d"},
	"diff legend":    {"删去的文字带删除线，新增的文字带下划线。", "What was deleted is struck through, what was added is underlined."},
	"no change":      {"两个版本的标题与文字相同。", "Title and text are the same in both."},
	"whole text":     {"显示全文", "Show the whole text"},
	"back to post":   {"回到文章", "Back to the post"},
	"from":           {"从", "From"},
	"to":             {"到", "to"},
	"original of":    {"原始页面：%s", "As it was: %s"},
	"original about": {"这是当时收到的页面，置于沙箱中：不运行脚本，也不加载任何外部内容。", "This is the page as it was received, in a sandbox: it runs no script and loads nothing from elsewhere."},
	"alone":          {"单独打开", "Open it alone"},

	// Search.
	"search for":    {"搜索：%s", "Search: %s"},
	"words":         {"关键词", "Words"},
	"sort best":     {"按相关性", "Best first"},
	"sort time":     {"按时间", "Newest first"},
	"sort":          {"排序", "Order"},
	"found nothing": {"没有找到文章。", "No post was found."},
	"no index":      {"这个档案没有全文索引；finarc search --rebuild 可以建立。", "There is no full-text index of this archive; finarc search --rebuild makes one."},
	"behind n":      {"索引尚缺最新的 %s 个版本。", "The index lacks the newest %s revisions."},

	// Coverage.
	"by":             {"分组", "By"},
	"by hour":        {"小时", "hour"},
	"by category":    {"栏目", "category"},
	"by outlet":      {"媒体", "outlet"},
	"usual":          {"通常", "Usual"},
	"share":          {"已存比例", "Held"},
	"gap":            {"缺口", "gap"},
	"coverage about": {"每格一天，颜色越深文章越多；带框的是明显少于通常的日子。点开任一天，即见当天文章。", "A cell is a day: the darker, the more posts; those with a frame have far fewer than usual. Each leads to the posts of its day."},
	"heat posts":     {"：%d 篇", ": %d posts"},
	"heat usual":     {"，通常 %d 篇", ", usually %d"},
	"heat gap":       {"，缺口", ", a gap"},
	"heat detail":    {"逐日细看：按小时、栏目或媒体", "Day by day, in parts: by hour, category or outlet"},
	"heat parts":     {"这里带框的是明显少于通常的部分。", "Here parts with a frame have far fewer posts than usual."},
	"older days":     {"更早的日期", "Days before"},
	"newer days":     {"更晚的日期", "Days after"},
	"n gaps":         {"共 %d 个缺口。", "Gaps: %d."},
	"coverage map":   {"每日完整度热力图", "Heat map of coverage by day"},
	"coverage table": {"每日完整度", "Coverage by day"},

	// Runs.
	"run n":        {"第 %d 次抓取", "Run %d"},
	"run":          {"编号", "Run"},
	"started":      {"开始", "Started"},
	"ended":        {"结束", "Ended"},
	"took":         {"用时", "Took"},
	"command":      {"命令", "Command"},
	"ending":       {"结果", "Ending"},
	"discovered":   {"遇到", "Met"},
	"new":          {"新增", "New"},
	"revised":      {"修订", "Revised"},
	"unchanged":    {"未变", "Unchanged"},
	"skipped":      {"跳过", "Skipped"},
	"failed":       {"失败", "Failed"},
	"pending":      {"待办", "Pending"},
	"read":         {"已读", "Read"},
	"not modified": {"未修改", "Not modified"},
	"gone":         {"已消失", "Gone"},
	"disallowed":   {"robots.txt 不允许", "Disallowed by robots.txt"},
	"not due":      {"未到期", "Not due"},
	"lists":        {"列表页", "List pages"},
	"requests":     {"请求", "Requests"},
	"hosts":        {"主机", "Hosts"},
	"host name":    {"主机", "Host"},
	"retries":      {"重试", "Retries"},
	"bytes":        {"字节", "Bytes"},
	"problems":     {"问题", "Problems"},
	"address":      {"地址", "Address"},
	"why":          {"原因", "Why"},
	"outcome":      {"后果", "Outcome"},
	"drift":        {"版式变化", "Changed layout"},
	"gaps":         {"可能漏掉的时段", "Times of which posts may be missing"},
	"shortfall":    {"文章偏少", "Fewer posts than usual"},
	"shortfall of": {"%d 篇，通常 %d 篇", "%d posts, usually %d"},
	"list of runs": {"抓取记录", "Runs of the crawl"},
}
