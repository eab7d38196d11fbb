package page

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

func TestTitleSumOfLists(t *testing.T) {
	const href = `<a href="/emnews/2021/12/22/NW202112222222306968.html">`
	const title = "沪指涨1%，两市成交额破万亿"
	for _, test := range []struct{ list, want string }{
		{href + title + "</a>", title},
		{href + " \n　沪指涨1%，\t两市成交额 破万亿\n</a>", title},
		{href + "<b>沪指</b>涨1%，<em>两市</em>成交额破万亿</a>", title},
		{href + `<img src="a.png"> ` + title + "</a>", title},
		{href + "A&amp;B公司&#20013;标</a>", "A&B公司中标"},
		{href + "A&amp;B<i>公司</i>&lt;中标&gt;</a>", "A&B公司<中标>"},
		{href + "</a>" + href + title + "</a>" + href + "别的标题</a>", title},
		{href + "阅读全文</a>" + href + title + "</a>", title},
		{href + title + "</a>" + href + "原文</a>", title},
		{href + "【午评】沪指涨1%</a>", "【午评】沪指涨1%"},
		{href + "新股申购：3只", "" /* never closed */},
		{href + "10只个股涨停</a>", "10只个股涨停"},
		{href + "收盘价为10.37</a>", "收盘价为10.37"},
		{href + "</a>", ""},
		{href + "&nbsp;</a>", ""},
		{href + "2021-12-22</a>", ""},
		{href + "1</a>", ""},
		{href + "沪指涨1%，两市成交…</a>", ""},
		{href + "沪指涨1%，两市成交……</a>", ""},
		{href + "沪指涨1%，两市成交...</a>", ""},
		{href + "沪指涨1%，两市成交[…]</a>", ""},
		{href + title + "<span>10:37</span></a>", ""},
		{href + "<h3>" + title + "</h3><p>摘要</p></a>", ""},
		{href + "<time>10:37</time>" + title + "</a>", ""},
		{href + "10:37 " + title + "</a>", ""},
		{href + "2021-12-22 10:37 " + title + "</a>", ""},
		{href + title + " 10:37</a>", ""},
		{href + title + "<li>下一条</li></a>", ""},
		{href + "https://mirror.example/a.html</a>", ""},
		{href + "www.mirror.example</a>", ""},
		{href + "//mirror.example/a.html</a>", ""},
		{href + "返回东财滚动新闻</a>", ""},
		{href + "首页</a>" + href + "上一页</a>" + href + "下一篇</a>" + href + "更多&gt;&gt;</a>" + href + "Read More</a>", ""},
		{href + strings.Repeat("长", 400) + "</a>", ""},
		{`<link href="/emnews/2021/12/22/NW202112222222306968.html">` + title, ""},
	} {
		for _, kind := range []news.PageKind{news.KindHome, news.KindCategory} {
			got := mustRead(t, capture(kind, "https://mirror.example/", "<ul><li>"+test.list+"</ul>")).Found
			if len(got) != 1 || got[0].TitleSum != news.TitleSum(test.want) {
				t.Errorf("%s: found %+v, want the sum of %q", test.list, got, test.want)
			}
		}
	}
}

func TestTitleSumOfFeeds(t *testing.T) {
	const post = "https://mirror.example/emnews/2021/12/22/NW202112222222306968.html"
	for _, test := range []struct{ entry, want string }{
		{`<entry><title type="html">甲公司中标</title><link href="` + post + `"/><id>` + post + `</id></entry>`, "甲公司中标"},
		{`<entry><link href="` + post + `"/><title>甲公司中标</title></entry>`, "甲公司中标"},
		{`<item><title><![CDATA[甲公司中标]]></title><link>` + post + `</link><guid>` + post + `</guid></item>`, "甲公司中标"},
		{`<url><loc>` + post + `</loc><news:news><news:title>甲公司中标</news:title></news:news></url>`, "甲公司中标"},
		{`<item><link>` + post + `</link><title>甲公司中标</title><title>别的</title></item>`, "甲公司中标"},
		{`<title>站名</title><item><link>` + post + `</link></item>`, ""},
		{`<item><title>甲公司中标</title></item><item><link>` + post + `</link></item>`, ""},
		{`<entry><title type="html">A&amp;amp;B</title><link href="` + post + `"/></entry>`, ""},
		{`<entry><title>甲“公司”中标</title><link href="` + post + `"/></entry>`, ""},
		{`<entry><title>甲公司中标…</title><link href="` + post + `"/></entry>`, ""},
		{`<entry><title/><link href="` + post + `"/></entry>`, ""},
		{`<entry><title><link href="` + post + `"/>甲公司中标</title></entry>`, ""},
	} {
		for _, root := range []string{"feed", "rss", "urlset"} {
			got := mustRead(t, capture(news.KindFeed, "https://mirror.example/feed.xml", "<"+root+">"+test.entry+"</"+root+">")).Found
			if len(got) != 1 || got[0].TitleSum != news.TitleSum(test.want) {
				t.Errorf("%s: found %+v, want the sum of %q", test.entry, got, test.want)
			}
		}
	}
}

// Every post of a long list has its title, also those with which a portion
// ends.
func TestTitleSumOfPortions(t *testing.T) {
	list := func(entry string) string {
		return fill(3*Portion*len(entry), func(i int) string { return fmt.Sprintf(entry, i, i) })
	}
	for kind, body := range map[news.PageKind]string{
		news.KindCategory: list(`<li><a href="/a/2021/12/22/NW2021122222%08d.html">标题%d号</a></li>`),
		news.KindFeed:     "<feed>" + list(`<entry><link href="/a/2021/12/22/NW2021122222%08d.html"/><title>标题%d号</title></entry>`) + "</feed>",
	} {
		i := 0
		check := func(posts []news.Wanted) error {
			if len(posts) > Portion {
				t.Errorf("%s: a portion of %d", kind, len(posts))
			}
			for _, w := range posts {
				if w.TitleSum != news.TitleSum(fmt.Sprintf("标题%d号", i)) {
					t.Fatalf("%s: no. %d has %+v", kind, i, w)
				}
				i++
			}
			return nil
		}
		p, err := newSite(t).ReadList(capture(kind, "https://mirror.example/", body), check)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(p.Found); err != nil || i < 2*Portion {
			t.Errorf("%s: %d posts, err = %v", kind, i, err)
		}
	}
}

func FuzzTitleSum(f *testing.F) {
	for _, title := range []string{"", " ", "沪指 涨1%\u3000\u2003a\u0085", "\u00a0", "、\u3000。", "\ufeff", "𠮷\u2028", "\xE4"} {
		f.Add(title)
	}
	f.Fuzz(func(t *testing.T, title string) {
		if utf8.ValidString(title) && titleSum([]byte(title)) != news.TitleSum(title) {
			t.Errorf("titleSum(%q) = %d, want %d", title, titleSum([]byte(title)), news.TitleSum(title))
		}
		if sum := news.TitleSum(title); !IsTitleOf(title, sum) || !IsTitleOf("【快讯】"+title, sum) || !IsTitleOf(title+" | 金融消息", sum) {
			t.Errorf("%q is not its own title", title)
		}
	})
}

func TestDisagrees(t *testing.T) {
	const listed = "沪指涨1%：两市成交额破万亿"
	code := news.Wanted{ID: "202112222222306968", InfoCode: "NW202112222222306968", TitleSum: news.TitleSum(listed)}
	untitled, other := code, code
	untitled.TitleSum = 0
	other.ID, other.InfoCode = "202112222222306969", "NW202112222222306969"
	note := news.Wanted{ID: "20211222-0123456789abcdef", TitleSum: news.TitleSum(listed)}
	page := func(title string, named bool) *Page {
		return &Page{Post: &news.Post{ID: code.ID, InfoCode: code.InfoCode, Title: title}, Named: named}
	}
	for _, test := range []struct {
		name string
		w    news.Wanted
		p    *Page
		want error
	}{
		{"same", code, page(listed, false), nil},
		{"named, another title", code, page("甲", true), nil},
		{"another infoCode, named", other, page(listed, true), ErrOther},
		{"another infoCode, by address", other, page(listed, false), ErrOther},
		{"another title", code, page("甲公司中标", false), ErrOther},
		{"no title on the page", code, page("", false), nil},
		{"no title in lists", untitled, page("甲公司中标", false), nil},
		{"cut title", code, page("沪指涨1%：两市…", false), nil},
		{"white space", code, page("沪指涨1%：\u3000两市成交额破万亿 ", false), nil},
		{"flag before", code, page("【收评】"+listed, false), nil},
		{"flag behind", code, page(listed+"（更新）", false), nil},
		{"site behind", code, page(listed+" | 金融消息", false), nil},
		{"section before", code, page("快讯：沪指涨1%：两市成交额破万亿", false), nil},
		{"page without infoCode", note, &Page{Post: &news.Post{ID: note.ID, Title: listed}}, nil},
		{"page without infoCode, another title", note, &Page{Post: &news.Post{ID: note.ID, Title: "甲公司中标"}}, ErrOther},
		{"a note that names its infoCode", note, page("甲公司中标", true), nil},
		{"no post", code, &Page{}, nil},
	} {
		if err := test.p.Disagrees(&test.w); !errors.Is(err, test.want) {
			t.Errorf("%s: err = %v, want %v", test.name, err, test.want)
		}
	}
}

// Whether a page names its infoCode is for the page to say, not for its
// address.
func TestNamed(t *testing.T) {
	unnamed := articleParts{testStamp, "标题", "<p>正文</p>", "", testTags}.page()
	for _, test := range []struct {
		c    *news.Capture
		want bool
	}{
		{capture(news.KindPost, testURL, whole("<p>正文</p>")), true},
		{capture(news.KindPost, testURL, unnamed), false},
		{capture(news.KindShare, shareURL, `<h1>标题</h1><div id="newsText">甲</div>`), false},
		{capture(news.KindText, textURL, `{"infoCode":"NW202112222222306968","text":"甲"}`), true},
		{capture(news.KindText, textURL, `{"text":"甲"}`), false},
		{capture(news.KindHome, "https://mirror.example/", `<ul></ul>`), false},
	} {
		if got := mustRead(t, test.c); got.Named != test.want {
			t.Errorf("%s %s: named %t", test.c.Kind, test.c.Body, got.Named)
		}
	}
}
