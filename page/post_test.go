package page

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/finarc/finarc/news"
)

const testBody = `<p>　　昨天上午，<span id="stock_1.600160"><a href="http://quote.example/unify/r/1.600160" class="keytip" data-code="1,600160">巨化股份</a></span><span id="quote_1.600160"></span>召开说明会。</p><p>会上，<span web="1" class="em_stock_key_common" data-code="1,600160">巨化</span>与<span data-code="90,BK0493" class="em_stock_key_common">新能源</span>板块一同上涨。</p><p class="em_media">（文章来源：北京<span>日</span>报）</p>`

func TestReadPost(t *testing.T) {
	got := mustRead(t, capture(news.KindPost, testURL, whole(testBody)))
	want := Page{
		Post: &news.Post{
			ID:        "202112222222306968",
			InfoCode:  "NW202112222222306968",
			Title:     "本市一季度用电量稳步增长",
			Published: time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai),
			Category:  "beijingribao",
			Tag:       "北京日报新闻",
			Outlet:    "北京日报",
			Source:    "北京日报",
			Body:      testBody,
			Foot:      testFoot,
			Securities: []news.Mention{
				{Security: news.Security{Market: 1, Code: "600160"}, Name: "巨化股份", Count: 2},
			},
			Boards: []news.Mention{
				{Security: news.Security{Market: 90, Code: "BK0493"}, Name: "新能源", Count: 1},
			},
		},
		Named: true,
		Found: []news.Wanted{{
			ID: "202112222222400001", InfoCode: "NW202112222222400001", Mirror: "mirror",
			Pages:   []string{"https://mirror.example/beijingribao/2021/12/22/NW202112222222400001.html"},
			FoundOn: testURL, Found: fetched,
		}},
		Lists: []news.ListPage{
			{URL: "https://mirror.example/category/beijingribao.html", Mirror: "mirror", Kind: news.KindCategory},
			{URL: "https://mirror.example/feed.xml", Mirror: "mirror", Kind: news.KindFeed},
			{URL: "https://mirror.example/category/emnews.html", Mirror: "mirror", Kind: news.KindCategory},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}

func TestReadPostLacking(t *testing.T) {
	parts := articleParts{testStamp, "标题", "<p>正文。</p>", testFoot, testTags}
	for _, test := range []struct {
		name  string
		leave func(*articleParts)
		lacks []string
		check func(*news.Post) bool
	}{
		{"nothing", func(*articleParts) {}, nil, func(p *news.Post) bool { return p.Foot == testFoot }},
		{"foot", func(a *articleParts) { a.foot = "" }, nil,
			func(p *news.Post) bool {
				return p.Foot == "" && p.Tag == "北京日报新闻" && p.Category == "beijingribao"
			}},
		{"tags", func(a *articleParts) { a.tags = "" }, nil,
			func(p *news.Post) bool { return p.Tag == "" && p.Outlet == "北京日报" && p.Foot == testFoot }},
		{"foot and tags", func(a *articleParts) { a.foot, a.tags = "", "" }, nil,
			func(p *news.Post) bool { return p.Outlet == "" && p.Category == "beijingribao" }},
		{"stamp", func(a *articleParts) { a.stamp = "" }, []string{news.LacksPublished},
			func(p *news.Post) bool { return p.Title == "标题" && p.Day() == 20211222 }},
		{"date", func(a *articleParts) { a.stamp = "<small>(GMT+8, Asia/Shanghai, CST) </small>" },
			[]string{news.LacksPublished}, func(p *news.Post) bool { return p.Title == "标题" }},
		{"heading", func(a *articleParts) { a.title = "" }, []string{news.LacksTitle}, nil},
		{"stamp and foot", func(a *articleParts) { a.stamp, a.foot = "", "" }, []string{news.LacksPublished},
			func(p *news.Post) bool { return p.Title == "标题" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := parts
			test.leave(&a)
			p := mustRead(t, capture(news.KindPost, testURL, a.page())).Post
			if diff := cmp.Diff(test.lacks, p.Lacks()); diff != "" {
				t.Errorf("lacks (-want +got):\n%s", diff)
			}
			if p.Body != "<p>正文。</p>" {
				t.Errorf("body = %q", p.Body)
			}
			if test.check != nil && !test.check(p) {
				t.Errorf("post = %+v", p)
			}
		})
	}
}

// Without foot and tags the layout tells where the body ends, and an end tag
// of the body's own does not.
func TestReadPostEndsWithLayout(t *testing.T) {
	const body = "<p>甲</p></article></main><p>乙</p>"
	for name, around := range map[string]string{
		"article": "<main><article>%</article></main><footer>尾</footer>",
		"main":    "<main>%</main><footer>尾</footer>",
		"footer":  "<div>%<footer>尾</footer>",
		"body":    "<html><body>%</body></html>",
		"nothing": "%",
	} {
		p := mustRead(t, capture(news.KindPost, testURL, strings.Replace(around, "%", testStamp+"<h1>题</h1>"+body, 1))).Post
		if p.Body != body {
			t.Errorf("%s: body = %q", name, p.Body)
		}
	}
	page := "<body>" + testStamp + "<h1>题</h1>" + body + testFoot + "<div>上一篇</div></body>"
	if p := mustRead(t, capture(news.KindPost, testURL, page)).Post; p.Body != body || p.Foot != testFoot {
		t.Errorf("foot, then layout: body %q, foot %q", p.Body, p.Foot)
	}
}

func TestReadPostEmptyTitle(t *testing.T) {
	a := articleParts{testStamp + "<h1></h1>", "", "<p>正文。</p>", testFoot, testTags}
	p := mustRead(t, capture(news.KindPost, testURL, a.page())).Post
	if p.Title != "" || p.Body != "<p>正文。</p>" {
		t.Errorf("title = %q, body = %q", p.Title, p.Body)
	}
}

// Bodies that look like other parts of the page come back whole.
func TestReadPostBodies(t *testing.T) {
	for name, body := range map[string]string{
		"foot in the middle":    testFoot + "<p>后面还有正文。</p>",
		"foot without end":      `<p><a href="//mirror.example/">返回首页</a><p>正文</p>`,
		"related link at end":   `<p>正文</p><p><a href="http://finance.eastmoney.com/a/202112222222541258.html">另一篇报道的标题</a></p>`,
		"headings":              "<h1>第一章</h1><p>正文</p><h1>第二章</h1>",
		"small print":           "<p>正文</p><small>2020-01-01 00:00:00</small><h1>小标题</h1><p>尾</p>",
		"tags in the middle":    "<p>正文</p><small>tags: <em>其他</em></small><p>尾</p>",
		"unclosed tags":         "<div><p>甲<b>乙<p>丙",
		"unclosed small":        "<small>小字<p>正文</p>",
		"too many end tags":     "<p>甲</p></div></article></main></p><p>乙</p>",
		"comment":               "<!-- <h1>不是标题</h1> --><p>正文</p>",
		"unclosed comment":      "<p>正文</p><!-- 没有结束",
		"unclosed script":       "<p>正文</p><script>document.write('<p>')",
		"script":                `<script>document.write("<small>tags: <em>假</em></small>")</script><p>正文</p>`,
		"cdata":                 "<p><![CDATA[ 甲 > 乙 ]]></p>",
		"nul":                   "<p>甲\x00乙</p>",
		"layout within":         "<footer>甲</footer><p>乙</p><nav>丙</nav><p>丁</p>",
		"liquid":                "<p>{{ page.title }} {% raw %}</p>",
		"text without elements": "只有一行字，没有任何标签",
		"html end":              "<p>甲</p></body></html><p>乙</p>",
		"textarea":              "<textarea>甲</textarea><p>乙</p>",
	} {
		t.Run(name, func(t *testing.T) {
			p := mustRead(t, capture(news.KindPost, testURL, whole(body))).Post
			if p.Body != body {
				t.Errorf("body = %q\nwant   %q", p.Body, body)
			}
			if p.Foot != testFoot || p.Tag != "北京日报新闻" || p.Title != "本市一季度用电量稳步增长" {
				t.Errorf("title %q, tag %q, foot %q", p.Title, p.Tag, p.Foot)
			}
		})
	}
}

// What swallows the start of the foot takes it into the body, and no more.
func TestReadPostBrokenTags(t *testing.T) {
	for name, body := range map[string]string{
		"unclosed quote":        `<p>正文</p><a href="http://quote.example/`,
		"unclosed tag":          `<p>正文</p><img src=x `,
		"less than in a script": "<p>正文</p><script>if (a<b) {",
	} {
		t.Run(name, func(t *testing.T) {
			p := mustRead(t, capture(news.KindPost, testURL, whole(body))).Post
			if !strings.HasPrefix(p.Body, body) || !strings.HasSuffix(testFoot, p.Foot) || p.Foot == "" {
				t.Errorf("body %q, foot %q", p.Body, p.Foot)
			}
			if p.Tag != "北京日报新闻" || p.Category != "beijingribao" || p.InfoCode != "NW202112222222306968" {
				t.Errorf("tag %q, category %q, code %q", p.Tag, p.Category, p.InfoCode)
			}
		})
	}
}

func TestReadPostFeet(t *testing.T) {
	for _, test := range []struct {
		name, foot       string
		category, outlet string
		code             news.InfoCode
		list             string
	}{
		{
			"oldest, relative", "<p><a href=\"http://finance.eastmoney.com/news/1355,202112222222306968.html\">http://finance.eastmoney.com/news/1355,202112222222306968.html</a></p>\n\n" +
				"<p><a href=\"../emnews/\">返回东财滚动新闻</a>\n<a href=\"../\">返回首页</a></p>",
			"emnews", "东财滚动", "NW202112222222306968", "",
		}, {
			"oldest, absolute", "<p><a href=\"//mirror.example/emnews/\">返回东财滚动新闻</a>\n<a href=\"//mirror.example/\">返回首页</a></p>",
			"emnews", "东财滚动", "NW202112222222306968", "category https://mirror.example/emnews/",
		}, {
			"empty link", `<p>&lt;&gt;</p>` + "\n\n" + `<p><a href="//mirror.example/category/emnews.html">返回东财滚动新闻</a>｜<a href="//mirror.example/">返回首页</a></p>`,
			"emnews", "东财滚动", "NW202112222222306968", "category https://mirror.example/category/emnews.html",
		}, {
			"spaces and case", `<p><a href="//mirror.example/category/Career In  touxingPEVC.html">返回职业  投行新闻</a>｜<a href="/">返回首页</a></p>`,
			"Career In  touxingPEVC", "职业  投行", "NW202112222222306968", "category https://mirror.example/category/Career%20In%20%20touxingPEVC.html",
		}, {
			"brackets, escaped", `<p><a href="/category/anxinguojizhengquan%28xianggang%29.html">返回安信国际证券(香港)新闻</a>｜<a href="/">返回首页</a></p>`,
			"anxinguojizhengquan(xianggang)", "安信国际证券(香港)", "NW202112222222306968", "category https://mirror.example/category/anxinguojizhengquan(xianggang).html",
		}, {
			"another article", `<p><a href="http://share.example/html_News/NewsShare.html?infocode=NW202112222222306969">原文</a></p>`,
			"beijingribao", "", "NW202112222222306969", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := articleParts{testStamp, "标题", "<p>正文</p>", test.foot, "<small>tags: <em></em></small>"}
			got := mustRead(t, capture(news.KindPost, testURL, a.page()))
			p := got.Post
			if p.Body != "<p>正文</p>" || p.Foot != test.foot {
				t.Errorf("body %q, foot %q", p.Body, p.Foot)
			}
			if p.Category != test.category || p.Outlet != test.outlet || p.InfoCode != test.code || p.ID != test.code.ID() {
				t.Errorf("category %q, outlet %q, code %s, ID %s", p.Category, p.Outlet, p.InfoCode, p.ID)
			}
			if test.list != "" && !slices.Contains(listURLs(got.Lists), test.list) {
				t.Errorf("lists = %q", listURLs(got.Lists))
			}
		})
	}
}

// Of a tag with spaces Jekyll makes several, but the back link has it whole.
func TestReadPostSeveralTags(t *testing.T) {
	const foot = `<p><a href="/category/a%20%20b.html">返回甲&amp;乙  丙新闻</a>｜<a href="/">返回首页</a></p>`
	for small, want := range map[string]string{
		"<small>tags: <em>甲&amp;乙</em> - <em>丙新闻</em></small>": "甲&乙  丙新闻",
		"<small>Tags: <em>甲</em> <em>丁新闻</em></small>":         "甲 丁新闻",
		"<small>tags: <em></em></small>":                       "",
	} {
		a := articleParts{testStamp, "标题", "<p>正文</p>", foot, small}
		if p := mustRead(t, capture(news.KindPost, testURL, a.page())).Post; p.Tag != want || p.Category != "a  b" {
			t.Errorf("%s: tag = %q, category = %q", small, p.Tag, p.Category)
		}
	}
}

func TestReadPostWithoutInfoCode(t *testing.T) {
	const address = "https://mirror.example/gonggao/2021/12/08/%E5%BC%80%E7%AB%99.html"
	a := articleParts{testStamp, "开张", "<p>正文</p>", "", testTags}
	p := mustRead(t, capture(news.KindPost, address, a.page())).Post
	if p.InfoCode != "" || p.ID.Day() != 20211208 || p.ID.HasCode() {
		t.Errorf("code %q, ID %q", p.InfoCode, p.ID)
	}
	for _, href := range []string{"/gonggao/2021/12/08/开站.html", "http://MIRROR.example:80/gonggao/2021/12/08/%e5%bc%80%e7%ab%99.html?a=b#c"} {
		list := mustRead(t, capture(news.KindHome, "https://mirror.example/", `<ul><li><a href="`+href+`">开张</a></li></ul>`))
		if len(list.Found) != 1 || list.Found[0].ID != p.ID || list.Found[0].Pages[0] != address {
			t.Errorf("%s: found %+v, want %s", href, list.Found, p.ID)
		}
	}
}

func TestReadPostRelated(t *testing.T) {
	body := `<p>正文 <a href="http://share.example/html_News/NewsShare.html?InfoCode=nw202112222222306968">自己</a>
<a href="http://finance.eastmoney.com/a/202112222222541258.html">一</a>
<a href="https://other.example/html_News/NewsShare.html?INFOCODE=NW202112222222541258">又一</a>
<a href="http://stock.eastmoney.com/news/1611,202112082206881771.html">二</a>
<a href="https://wap.eastmoney.com/x?from=a&amp;infocode=AP202112082206881772">三</a>
<a href="../../../../emnews/2021/12/21/NW202112212222000001.html">四</a>
<a href="/emnews/2021/12/20/note.html">五</a>
<a href="http://other.example/202112082206881773.html">不是</a>
<a href="http://quote.eastmoney.com/unify/r/1.600160">不是</a></p>`
	got := mustRead(t, capture(news.KindPost, testURL, whole(body)))
	want := []news.InfoCode{"NW202112222222541258", "202112082206881771", "AP202112082206881772", "NW202112212222000001"}
	if diff := cmp.Diff(want, got.Post.Related); diff != "" {
		t.Errorf("related (-want +got):\n%s", diff)
	}
	if len(got.Leads) != 5 || got.Leads[4].InfoCode != "" || got.Leads[3].Pages[0] != "https://mirror.example/emnews/2021/12/21/NW202112212222000001.html" {
		t.Errorf("leads = %+v", got.Leads)
	}
	if diff := cmp.Diff([]string{"202112222222400001"}, codes(got.Found)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

func TestReadPostSecurities(t *testing.T) {
	picture := `<p><a href="#" data-code="09988|116|5" data-code2="09988|116|3|" class="EmImageRemark"><img alt="K图" data-code="K 09988|116|5"></a></p>`
	for _, test := range []struct{ name, body, want string }{
		{"picture", picture, "116.09988  1"},
		{"two pictures", picture + picture, "116.09988  2"},
		{"lone image", `<img data-code="K BABA|106|7">`, "106.BABA  1"},
		{"name after picture", picture + `<a class="keytip" data-code="116,09988">阿里</a>`, "116.09988 阿里 2"},
		{"nested name", `<span data-code="0,000001">平<b>安</b><span>银</span>行</span>股`, "0.000001 平安银行 1"},
		{"within a span of its own", `<span data-code="1,600160"><a data-code="1,600160">巨化股份</a></span>`, "1.600160 巨化股份 1"},
		{"unclosed", `<p><a data-code="1,600160">巨化</p><p>下一段`, "1.600160 巨化 1"},
		{"no name but a page", `<a data-code="1,600160">` + strings.Repeat("长", 100), "1.600160  1"},
		{"entities", `<a data-code="1&#44;600160">A&amp;B</a>`, "1.600160 A&B 1"},
		{"malformed", `<a data-code="600160">甲</a><a data-code="x,1">乙</a><a data-code=",">丙</a><a data-code="1|">丁</a><a data-code>戊</a>`, ""},
		{"order", `<a data-code="1,2">甲</a><a data-code="1,1">乙</a><a data-code="1,2">丙</a>`, "1.2 甲 2, 1.1 乙 1"},
		{"after the related heading", `<a data-code="1,1">甲</a><h3 class="emh3">相关报道</h3><a data-code="1,1">甲</a><a data-code="1,2">乙</a>`, "1.1 甲 1"},
		{"after another heading", `<h3 class="emh3">市场</h3><a data-code="1,1">甲</a>`, "1.1 甲 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := mustRead(t, capture(news.KindPost, testURL, whole(test.body))).Post
			var got []string
			for _, m := range p.Securities {
				got = append(got, strings.Join([]string{m.Security.String(), m.Name, string(rune('0' + m.Count))}, " "))
			}
			if s := strings.Join(got, ", "); s != test.want {
				t.Errorf("securities = %q, want %q", s, test.want)
			}
		})
	}
}

func TestReadPostUnreadable(t *testing.T) {
	for name, body := range map[string]string{
		"empty":         "",
		"white space":   " \n\t",
		"block page":    "<html><head><title>Access denied</title></head><body><h1>Access denied</h1><p>Ray ID 1</p></body></html>",
		"layout only":   articleParts{}.page(),
		"date only":     testStamp,
		"binary":        "\x00\x01\x02\x03",
		"another's 404": "<h1>404</h1>",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newSite(t).Read(capture(news.KindPost, testURL, body))
			if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), testURL) {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestReadPostGBK(t *testing.T) {
	page := strings.Replace(whole(testBody), `charset="utf-8"`, `charset="gbk"`, 1)
	c := capture(news.KindPost, testURL, string(gb18030(t, page)))
	if got := mustRead(t, c).Post; got.Body != testBody || got.Tag != "北京日报新闻" {
		t.Errorf("body = %q, tag = %q", got.Body, got.Tag)
	}
}

// TestReadPostSamples reads posts as the site's own sources have them, where
// such are at hand.
func TestReadPostSamples(t *testing.T) {
	files, err := filepath.Glob("../../*/samples/20*.md")
	if err != nil || len(files) == 0 {
		t.Skip("no samples")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			front, rest, ok := strings.Cut(strings.TrimPrefix(string(src), "---\n"), "\n---\n")
			if !ok {
				t.Fatal("no front matter")
			}
			checkSample(t, filepath.Base(file), front, rest)
		})
	}
}

// checkSample renders a source as Jekyll would and reads the page.
func checkSample(t *testing.T, file, front, rest string) {
	field := func(name string) string {
		_, v, _ := strings.Cut("\n"+front, "\n"+name+": ")
		v, _, _ = strings.Cut(v, "\n")
		return strings.Trim(v, `"`)
	}
	blocks := strings.Split(strings.TrimSpace(rest), "\n\n")
	body, foot := renderSample(blocks)
	date := strings.TrimSuffix(field("date"), " +0800")
	a := articleParts{"<small>(GMT+8, Asia/Shanghai, CST) " + date + "</small>", field("title"), body, foot, "<small>tags: <em>" + field("tags") + "</em></small>"}
	name := strings.TrimSuffix(file[len("2021-12-22-"):], ".md")
	address := "https://mirror.example/" + field("categories") + "/2021/12/22/" + name + ".html"
	p := mustRead(t, capture(news.KindPost, address, a.page())).Post
	if p.Title != field("title") || p.Tag != field("tags") || p.Category != field("categories") || string(p.InfoCode) != name {
		t.Errorf("title %q, tag %q, category %q, code %q", p.Title, p.Tag, p.Category, p.InfoCode)
	}
	if p.Body != body || p.Foot != foot || p.Published.Format(time.DateTime) != date {
		t.Errorf("body %q, foot %q, published %s", p.Body, p.Foot, p.Published)
	}
	if name == "NW202112222222306968" {
		want := []news.Mention{
			{Security: news.Security{Market: 116, Code: "09988"}, Count: 1},
			{Security: news.Security{Market: 106, Code: "BABA"}, Count: 1},
		}
		if !cmp.Equal(p.Securities, want) || p.Source != "21财经" || !slices.Equal(p.Related, []news.InfoCode{"202112222222541258"}) {
			t.Errorf("securities %v, source %q, related %q", p.Securities, p.Source, p.Related)
		}
	}
	if name == "202112082206735975" && p.Source != "央视新闻" {
		t.Errorf("source = %q", p.Source)
	}
}

// renderSample does what kramdown does to a source's paragraphs.
func renderSample(blocks []string) (body, foot string) {
	for i, b := range blocks {
		switch {
		case strings.HasPrefix(b, "<http"):
			b = strings.Trim(b, "<>")
			foot += `<p><a href="` + b + `">` + b + "</a></p>\n\n"
		case i == len(blocks)-1:
			b = strings.NewReplacer("[", "<a>", "](", "</a>(").Replace(b)
			for _, part := range strings.SplitAfter(b, ")") {
				text, href, ok := strings.Cut(part, "</a>(")
				if ok {
					old := text + "</a>(" + href
					link := strings.Replace(text, "<a>", `<a href="`+strings.TrimSuffix(href, ")")+`">`, 1) + "</a>"
					b = strings.Replace(b, old, link, 1)
				}
			}
			foot += "<p>" + b + "</p>"
		case strings.HasPrefix(b, "<"):
			body += b
		default:
			body += "<p>" + b + "</p>"
		}
	}
	return body, foot
}
