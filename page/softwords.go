package page

// Words of pages that turn a reader away, in lower case. As headings they are
// met alone; a title that tells more is an article's.
var (
	// refusals are the headings of block pages, challenges and failures.
	refusals = set(
		"访问过于频繁", "访问太频繁", "访问频繁", "访问过快", "访问频率过高", "访问频率过快", "操作过于频繁", "操作频繁", "操作太频繁",
		"请求过于频繁", "请求太频繁", "请求频率过高", "访问次数过多", "请求次数过多", "ip访问过于频繁", "ip访问频率过高",
		"安全验证", "完成安全验证", "进行安全验证", "安全检查", "安全检测", "浏览器安全检查", "安全拦截", "安全防护",
		"人机验证", "完成人机验证", "人机识别", "真人验证", "滑块验证", "滑动验证", "拖动滑块", "拖动滑块完成验证", "拖动下方滑块完成验证",
		"验证码", "输入验证码", "填写验证码", "图形验证码", "访问验证", "身份核验", "验证您是否是真人", "验证您是真人", "检查您的浏览器",
		"访问被拒绝", "拒绝访问", "禁止访问", "访问受限", "访问受到限制", "访问限制", "访问被限制", "访问被禁止", "访问被阻断", "访问被拦截", "访问已被拦截",
		"请求被拦截", "请求已被拦截", "请求被拒绝", "请求存在异常", "请求异常", "访问异常", "访问行为异常", "异常访问", "网络环境异常", "网络环境存在异常",
		"无权访问", "没有权限", "没有访问权限", "没有权限访问", "网站防火墙", "ip已被封禁", "ip被封禁", "已被封禁",
		"系统繁忙", "服务器繁忙", "服务繁忙", "系统维护", "网站维护", "系统升级维护", "网站升级维护", "服务不可用", "服务暂不可用", "服务暂时不可用",
		"稍候", "网关错误", "网关超时", "服务器错误", "服务器内部错误",
		"access denied", "access forbidden", "access restricted", "forbidden", "permission denied", "not authorized",
		"too many requests", "rate limit exceeded", "rate limited", "you are being rate limited", "you're being rate limited", "request blocked", "blocked",
		"just a moment", "one moment", "attention required", "checking your browser", "checking your browser before accessing",
		"security check", "security verification", "security challenge", "bot verification", "robot check", "are you a robot", "are you human",
		"human verification", "verify you are human", "verifying you are human", "verify that you are human", "captcha", "captcha required",
		"sorry you have been blocked", "you have been blocked", "your request has been blocked", "your ip has been blocked", "the request could not be satisfied",
		"pardon our interruption", "ddos protection by cloudflare", "ddos guard", "web application firewall",
		"internal server error", "bad gateway", "service unavailable", "service temporarily unavailable", "gateway timeout", "gateway time out",
		"under maintenance", "site maintenance", "site under maintenance", "temporarily unavailable",
	)
	// logins are the headings of logins.
	logins = set(
		"登录", "登陆", "登录注册", "注册登录", "用户登录", "会员登录", "账号登录", "帐号登录", "账户登录", "密码登录", "扫码登录", "立即登录", "重新登录", "先登录",
		"用户登陆", "会员登陆", "系统登录", "管理员登录", "登录系统", "登录账号", "登录后查看", "登录后继续访问", "统一身份认证", "身份认证",
		"login", "log in", "sign in", "signin", "sign on", "member login", "user login", "please log in", "please login", "please sign in",
		"log in to continue", "login to continue", "sign in to continue", "sign in to your account", "log in to your account", "login required", "unauthorized",
		"authentication required", "authorization required",
	)
	// missings are the headings of pages that say that there is none.
	missings = set(
		"not found", "page not found", "file not found", "the page cannot be found", "page does not exist", "找不到页面", "找不到该页面", "找不到", "未找到", "未找到页面", "页面未找到",
		"页面不存在", "网页不存在", "文章不存在", "新闻不存在", "内容不存在", "资讯不存在", "访问的页面不存在", "访问的内容不存在", "页面不见", "页面走丢", "页面丢失",
		"页面已删除", "文章已删除", "内容已删除", "文章已被删除", "内容已被删除", "该文章已被删除", "该内容已被删除", "文章已下线", "内容已下线",
	)
	// generic are headings that say nothing.
	generic = set(
		"提示", "温馨", "系统", "信息", "友情", "提示信息", "信息提示", "错误", "错误信息", "出错", "警告", "安全警告", "安全", "注意", "抱歉", "很抱歉", "对不起",
		"error", "errors", "oops", "whoops", "sorry", "notice", "warning", "message", "alert", "request rejected",
	)
)

// polites are taken off the start of a heading's parts, in this order.
var polites = [...]string{
	"http ", "error ", "错误 ", "很抱歉", "抱歉", "对不起", "系统检测到", "检测到", "当前", "目前", "由于", "因为",
	"请您", "请先", "请", "您的", "你的", "您", "你", "正在进行", "正在", "需要", "本次", "该", "0", "please ",
}

// phrases stand in block pages and challenges, and seldom anywhere else: they
// speak to the reader. Longer ones come before those that they hold.
var phrases = [...]string{
	"访问过于频繁", "访问太频繁", "访问频率过高", "访问频率过快", "操作过于频繁", "操作太频繁", "请求过于频繁", "请求太频繁", "请求频率过高", "访问次数过多",
	"完成安全验证", "进行安全验证", "完成人机验证", "人机验证", "完成验证后", "输入验证码", "输入图中", "输入图片中", "点击完成验证", "点击进行验证",
	"拖动滑块", "拖动下方滑块", "滑动滑块", "滑块完成", "向右滑动", "不是机器人", "是否为机器人", "是否是真人", "您是真人",
	"访问被拒绝", "拒绝访问", "禁止访问", "访问受限", "访问受到限制", "被拦截", "已拦截", "网站防火墙", "访问行为异常", "访问存在异常", "请求存在异常",
	"网络环境异常", "网络环境存在异常", "异常流量", "您的ip", "你的ip", "ip地址已", "封禁", "没有权限访问", "无权访问", "没有访问权限", "请先登录",
	"稍后再试", "稍后重试", "稍后再访问", "联系管理员", "联系网站管理员", "启用javascript", "启用 javascript", "开启javascript", "浏览器安全检查", "检查您的浏览器", "事件id", "请求id",
	"access denied", "don't have permission", "do not have permission", "permission to access", "too many requests", "rate limit", "rate-limit",
	"unusual traffic", "automated requests", "verify you are human", "verifying you are human", "verify that you are", "not a robot", "are a robot", "are human",
	"checking your browser", "enable javascript", "enable cookies", "cookies to continue", "just a moment", "security check", "security service to protect",
	"have been blocked", "has been blocked", "was blocked", "been denied", "captcha", "forbidden", "ray id", "request id", "incident id", "support id", "reference #",
	"try again later", "temporarily unavailable", "under maintenance", "turn javascript on",
}

// challengeMarks stand in the tags of challenges.
var challengeMarks = []string{
	"captcha", "challenge", "geetest", "turnstile", "cf-error", "cf-wrapper", "cf-browser-verification", "slidetounlock", "slide-verify", "slider-verify",
	"verify-slide", "nc_1_", "nc-container", "yidun", "acw_sc", "_incapsula_", "distil_", "ddos-guard", "wafblock", "waf-block", "antispider", "anti-spider",
}

// codeMarks stand in the scripts of challenges.
var codeMarks = []string{
	"challenge-platform", "_cf_chl", "cf_chl_", "acw_sc__v", "__jsl_clearance", "yunsuo_session", "safedog", "wzwschallenge", "initgeetest", "grecaptcha", "hcaptcha", "awswafcookie",
}

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
