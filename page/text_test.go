package page

import (
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

func TestText(t *testing.T) {
	for _, test := range []struct{ name, html, want string }{
		{"empty", "", ""},
		{"paragraphs", "<p>　　甲 &amp; 乙</p>\n\n<p> 丙&nbsp;</p><p></p><p>　</p>", "甲 & 乙\n丙"},
		{"no elements", "  甲\n乙  ", "甲 乙"},
		{"spaces", "甲  乙 \n  丙\t\t丁", "甲  乙 丙 丁"},
		{"breaks", "甲<br>乙<br/>丙<BR />丁", "甲\n乙\n丙\n丁"},
		{"inline", "上海<span>证券</span><b>报</b>", "上海证券报"},
		{"pictures and scripts", `<p><img alt="图">甲</p><script>var a = "<p>乙</p>"</script><style>p{}</style><noscript>丙</noscript>丁`, "甲\n丁"},
		{"comments", "甲<!-- 乙 -->丙<![CDATA[丁]]>", "甲丙"},
		{"hidden paragraph", `<p style="color:red; DISPLAY : none !important">甲</p><p>乙</p>`, "乙"},
		{"hidden, unclosed", `<p style="display:none">甲<p>乙</p>`, "乙"},
		{"hidden, nested", `<div style="display:none"><div>甲</div>乙</div>丙`, "丙"},
		{"hidden attribute", `<span hidden>甲</span>乙`, "乙"},
		{"hidden picture", `<img style="display:none">甲`, "甲"},
		{"not hidden", `<p style="display:block" class="none">甲</p>`, "甲"},
		{"table", "<table><tr><td>甲</td><td>乙</td></tr><tr><td>丙</td></tr></table>", "甲 乙\n丙"},
		{"list", "<ul><li>甲<li>乙</ul>", "甲\n乙"},
		{"less than", "1 < 2，3 <4", "1 < 2，3 <4"},
		{"nul", "甲\x00乙", "甲 乙"},
		{"zero width", "\u200b甲\ufeff", "甲"},
		{"entities", "&#20013;&#x56fd;&ldquo;&rdquo;&nosuch;", "中国“”&nosuch;"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Text(test.html); got != test.want {
				t.Errorf("Text(%q) = %q, want %q", test.html, got, test.want)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add(testBody)
	f.Add(`<div style="display:none">甲<p>乙`)
	f.Fuzz(func(t *testing.T, html string) {
		got := Text(html)
		if got == "" {
			return
		}
		for line := range strings.SplitSeq(got, "\n") {
			if line == "" || strings.TrimSpace(line) != line || strings.ContainsAny(line, "\r\t\x00") {
				t.Errorf("Text(%q): line %q", html, line)
			}
		}
	})
}

func TestFindTime(t *testing.T) {
	for text, want := range map[string]string{
		"2021-12-22 10:37:15":                               "2021-12-22 10:37:15",
		"(GMT+8, Asia/Shanghai, CST) 2021-12-22 10:37:15 x": "2021-12-22 10:37:15",
		"2021-12-22T10:37:15.000Z":                          "2021-12-22 18:37:15",
		"2021-12-22T10:37:15+08:00":                         "2021-12-22 10:37:15",
		"2021-12-22 10:37:15 +0800":                         "2021-12-22 10:37:15",
		"2021-12-22 10:37:15 -0500":                         "2021-12-22 23:37:15",
		"2021-12-22 10:37":                                  "2021-12-22 10:37:00",
		"2021/1/2 1:37":                                     "2021-01-02 01:37:00",
		"2021年12月22日　10:37":                                 "2021-12-22 10:37:00",
		"2021年12月22日 10时37分15秒":                             "2021-12-22 10:37:15",
		"编号 20211222，2021.12.22 10:37":                      "2021-12-22 10:37:00",
		"2021-12-22":                                        "",
		"2021-02-30 10:00":                                  "",
		"2021-12-22 24:00":                                  "",
		"2021-12-22 10:60":                                  "",
		"12021-12-22 10:00":                                 "",
		"1949-10-01 15:00":                                  "",
		"":                                                  "",
		" +0800":                                            "",
	} {
		got := ""
		if at, ok := findTime(text); ok {
			got = at.Format(time.DateTime)
			if at.Location() != news.Shanghai {
				t.Errorf("%q: zone %s", text, at.Location())
			}
		}
		if got != want {
			t.Errorf("findTime(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSource(t *testing.T) {
	for body, want := range map[string]string{
		`<p>甲。</p><p class="em_media">（文章来源：21财经）</p>`:                 "21财经",
		`<p class="a em_media">(文章来源:上海<span>证券</span>报)</p>`:          "上海证券报",
		`<p class="em_media">（新华社）</p>`:                                "新华社",
		`<p class="em_media">责任编辑：张三</p>`:                              "",
		`<p class="em_media">文章来源：新华社</p>`:                             "新华社",
		`<p>三季度增长三成。(央视新闻)</p>`:                                        "央视新闻",
		`<p>三季度增长三成。(安信国际证券（香港）)</p>`:                                  "安信国际证券（香港）",
		`<p>三季度增长三成。)央视新闻)</p>`:                                        "",
		`<p>三季度增长三成。（央视新闻）</p>`:                                        "央视新闻",
		`<p>三季度增长三成。</p><p>（新华社）</p>`:                                  "新华社",
		`<p>三季度增长三成（来源：第一财经）</p>`:                                      "第一财经",
		`<p>甲。（来源：第一财经）</p><h3 class="emh3">相关报道</h3><p>乙。（来源：别家）</p>`: "第一财经",
		`<p>甲。(央视新闻)</p><p>乙。</p>`:                                     "",
		`<p>收购标的(简称标的)</p>`:                                            "",
		`<p>甲。(完)</p>`:                                                 "",
		`<p>甲。（记者张三）</p>`:                                              "",
		`<p>甲。(600160)</p>`:                                            "",
		`<p>甲。（以上内容不构成任何投资建议，据此操作风险自担）</p>`:                            "",
		`<p>甲。（` + strings.Repeat("长", 21) + `）</p>`:                   "",
		`<p>甲。</p>`: "",
		`<p>）</p>`:  "",
		`<p>` + strings.Repeat("长", 3000) + `</p><p>甲。(央视新闻)</p>`:              "央视新闻",
		`<p>甲。(央视新闻)</p><p><img src="http://quote.example/a.png"></p><p>　</p>`: "央视新闻",
	} {
		p := mustRead(t, capture(news.KindPost, testURL, whole(body))).Post
		if p.Source != want {
			t.Errorf("%s: source = %q, want %q", body, p.Source, want)
		}
	}
}

func TestDigest(t *testing.T) {
	for body, want := range map[string]string{
		"<blockquote>\n  <p>摘要，<b>其一</b></p>\n  <p>其二</p>\n</blockquote>\n\n<p>甲</p>": "摘要，其一 其二",
		`<p>&gt; 摘要</p><p>甲</p>`: "摘要",
		`<p style="display:none">隐</p><!-- 注 --><p class="a">> 摘要</p><p>甲</p>`: "摘要",
		`<p>甲</p><blockquote>引文</blockquote>`:                                  "",
		`<p>甲 &gt; 乙</p>`:   "",
		`<blockquote>没有结束`:  "",
		`<pre>&gt; 甲</pre>`: "",
		`<!-- 没有结束`:         "",
	} {
		p := mustRead(t, capture(news.KindPost, testURL, whole(body))).Post
		if p.Digest != want {
			t.Errorf("%s: digest = %q, want %q", body, p.Digest, want)
		}
	}
}

// The digest is of title and text, and of nothing else.
func TestTextDigest(t *testing.T) {
	p := news.Post{Title: "公司公布订单", Body: "<p>　　甲 &amp; 乙</p>"}
	// printf '公司公布订单\n甲 & 乙' | sha256sum
	const want = "89dcfe0e69dcc5ea86699b6bab916ee7e31d646775701fdd4a2e6e41714324ae"
	if got := TextDigest(&p); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	for _, body := range []string{"<p>甲 & 乙</p>", `<div><img src="ad.png">甲 &amp; 乙</div><script>ad()</script>`} {
		same := news.Post{Title: p.Title, Body: body, Foot: "<p>foot</p>", Category: "c"}
		if got := TextDigest(&same); got != want {
			t.Errorf("digest with body %s is %s, want %s", body, got, want)
		}
	}
	for _, other := range []news.Post{
		{Title: "公司更正订单", Body: p.Body}, {Title: p.Title, Body: "<p>甲 & 丙</p>"}, {Title: p.Title}, {Body: p.Body},
	} {
		if TextDigest(&other) == want {
			t.Errorf("the digest of %+v is that of another", other)
		}
	}
}
