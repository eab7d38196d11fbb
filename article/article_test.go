package article_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/finarc/finarc/article"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

const base = "https://m.example/21caijing/2021/12/22/NW202112222222306968.html"

func TestHTML(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"nothing", "", ""},
		{"indented by wide spaces", "<p>　　公司  公布\n订单。</p>", "<p>公司 公布 订单。</p>"},
		{"bare text", "甲<br>乙<br><br>丙", "<p>甲<br/>乙</p><p>丙</p>"},
		{"empty", "<p></p><p>　</p><p><b> </b><br></p><ul><li></li></ul><blockquote><p></p></blockquote>", ""},
		{"marks", "<p>甲<b> 乙<i>丙 </i></b>丁</p>", "<p>甲 <strong>乙<em>丙</em></strong> 丁</p>"},
		{"marks around blocks", "<b>甲<p>乙</p>丙</b>", "<p><strong>甲</strong></p><p><strong>乙</strong></p><p><strong>丙</strong></p>"},
		{"marks within themselves", "<b>甲<strong>乙</strong></b>", "<p><strong>甲乙</strong></p>"},
		{"headings", "<h1>甲</h1><h3 class=emh3>相<p>关</p>报道</h3>", "<h2>甲</h2><h3>相</h3><h3>关</h3><h3>报道</h3>"},
		{"links", `<a href="/x?a=1&b=2">甲</a><a href="//o.example/">乙</a><a href=" JavaScript:x()">丙</a><a href="#d">丁</a><a name=e>戊</a>`,
			`<p><a href="https://m.example/x?a=1&amp;b=2">甲</a><a href="https://o.example/">乙</a>丙丁戊</p>`},
		{"addresses that are none", `<a href="http://u:p@h/">甲</a><a href="http:///x">乙</a><a href="http://[::1]/">丙</a><a href="http://a b/">丁</a><a href="data:text/html,x">戊</a>`,
			"<p>甲乙丙丁戊</p>"},
		{"addresses mended", `<a href="/中 文%zz|[]#a#b">甲</a>`, "<p>甲</p>"},
		{"addresses escaped", `<a href="/中 文|[]?q=中 {x}#a#b">甲</a>`,
			`<p><a href="https://m.example/%E4%B8%AD%20%E6%96%87%7C%5B%5D?q=%E4%B8%AD%20%7Bx%7D#a%23b">甲</a></p>`},
		{"pictures", `<p><img src="//p.example/k.png" alt="K图"></p><p><img src="data:x" alt="x"></p>`, `<p><img src="https://p.example/k.png" alt="K图"/></p>`},
		{"what runs, loads or is hidden", `<script>x</script><style>x</style><iframe src=x>x</iframe><p style="display: none">x</p><p hidden>x</p><form onsubmit=x><input value=x><button>甲</button><textarea>x</textarea></form>`,
			"<p>甲</p>"},
		{"foreign", "<svg><text>甲</text><script>x</script></svg><math><mi>乙</mi></math>", "<p>甲乙</p>"},
		{"lists", "<ul><li>甲<ol start=3><li>乙</ol><li><p>丙</p><p>丁</p></ul>", `<ul><li>甲<ol start="3"><li>乙</li></ol></li><li><p>丙</p><p>丁</p></li></ul>`},
		{"lists that nest badly", "<ul>甲<li>乙</li><ul><li>丙</li></ul></ul><li>丁</li>", "<ul><li>甲</li><li>乙<ul><li>丙</li></ul></li></ul><p>丁</p>"},
		{"table", "<table><caption>题</caption><tr><th colspan=2>甲<p>乙</p></th></tr><tr><td>丙<td></table>",
			`<p>题</p><table><tbody><tr><th colspan="2">甲<br/>乙</th></tr><tr><td>丙</td><td></td></tr></tbody></table>`},
		{"table for layout", "<table><tr><td><p>甲</p><table><tr><td>乙</td><td>丙</td></tr></table></td></tr></table>",
			"<p>甲</p><table><tbody><tr><td>乙</td><td>丙</td></tr></tbody></table>"},
		{"table in a paragraph", "<p>甲<table><tr><td>乙<td>丙</table>丁</p>", "<p>甲</p><table><tbody><tr><td>乙</td><td>丙</td></tr></tbody></table><p>丁</p>"},
		{"preformatted", "<pre>\n甲  乙<br>丙\n</pre>", "<pre>甲  乙\n丙</pre>"},
		{"characters", "<p>a\x01b\ufffec\xffd&#x85;</p>", "<p>a\ufffdb\ufffdc\ufffdd…</p>"},
		{"unclosed", "<p>甲<b>乙<table><td>丙<td>丁", "<p>甲<strong>乙</strong></p><table><tbody><tr><td>丙</td><td>丁</td></tr></tbody></table>"},
	} {
		got, err := article.HTML(c.body, article.Options{Base: base})
		if err != nil || got != c.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", c.name, err, got, c.want)
		}
		if text, want := letters(page.Text(got)), letters(page.Text(c.body)); text != want {
			t.Errorf("%s: text %q, want %q", c.name, text, want)
		}
	}
}

func TestWithoutPictures(t *testing.T) {
	const body = `<a href="http://q.example/"><img src="http://p.example/k" alt="K图 09988_0"></a><img src="http://p.example/k"><img alt="说明"><img>`
	const want = `<p><a href="http://q.example/">[K图 09988_0]</a><a href="http://p.example/k">[图片]</a>[说明]</p>`
	if got, err := article.HTML(body, article.Options{NoPictures: true}); err != nil || got != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

// What no parser should be asked to take is its text.
func TestBeyondAllBounds(t *testing.T) {
	for what, body := range map[string]string{
		"tags":  strings.Repeat("<b>", 30_000) + "甲<p>乙&amp;",
		"depth": strings.Repeat("<div>", 1000) + "甲<p>乙&amp;",
	} {
		if got, err := article.HTML(body, article.Options{}); err != nil || got != "<p>甲</p><p>乙&amp;</p>" {
			t.Errorf("%s: %s, %v", what, got, err)
		}
	}
}

func TestLink(t *testing.T) {
	p := news.Post{InfoCode: "NW202112222222306968"}
	for _, c := range []struct{ address, share, want string }{
		{base, "", base},
		{"file:///x.md", "http://s.example/?infoCode={infoCode}", "http://s.example/?infoCode=NW202112222222306968"},
		{"file:///x.md", "", ""},
	} {
		if got := article.Link(&p, c.address, c.share); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := article.Link(&news.Post{}, "file:///x.md", "http://s.example/{infoCode}"); got != "" {
		t.Errorf("without infoCode: %q", got)
	}
}

// allowed are the elements that may stand in each, as HTML has it; "" is text.
var allowed = map[string]string{
	"div":        "p h2 h3 h4 h5 h6 pre hr blockquote ul ol table",
	"blockquote": "p h2 h3 h4 h5 h6 pre hr blockquote ul ol table",
	"ul":         "li", "ol": "li",
	"li":    "p h2 h3 h4 h5 h6 pre hr blockquote ul ol table br img a strong em del code sub sup #text",
	"table": "tbody", "tbody": "tr", "tr": "td th",
	"hr": "", "br": "", "img": "",
}

const phrasing = "br img a strong em del code sub sup #text"

// FuzzParse: whatever a body is, its tree is valid, and has all the text, and it is
// the same when it is read again.
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		"<p>甲<b> 乙<i>丙 </i></b>丁</p>", "<ul>甲<li>乙</li><ul><li>丙</li></ul></ul><li>丁</li>", "<table><tr><td>甲<td><ul><li>乙",
		"<b><table><tr><td>丙<a href=x><td>丁", "<pre>\n\n甲<br><h3>乙", "a<svg><p>b", "<h2><ul><li><table><tr><td>甲<td>乙", "<a href=/x><p>甲<a href=/y>乙",
		"<blockquote>　<hr><li>甲<img src=/x alt=y></blockquote>", "<table><tr><td hidden>甲<td>乙<br><br>丙",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		o := article.Options{Base: base}
		root := article.Parse(body, o)
		wantValid(t, root)
		first, err := article.HTML(body, o)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := article.HTML(first, o); err != nil || again != first {
			t.Errorf("%v\nonce  %q\ntwice %q", err, first, again)
		}
		if utf8.ValidString(body) && strings.Count(body, "<") == 0 && letters(page.Text(body)) != letters(page.Text(first)) {
			t.Errorf("text %q of %q", page.Text(first), body)
		}
	})
}

// letters returns a text as Clean leaves it, without white space.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if page.IsSpace(r) {
			return -1
		}
		return r
	}, article.Clean(s))
}

// wantValid fails where an element stands in another that may not hold it.
func wantValid(t *testing.T, n *html.Node) {
	t.Helper()
	names, ok := allowed[n.Data]
	if !ok {
		names = phrasing
	}
	for child := range n.ChildNodes() {
		name := child.Data
		if child.Type == html.TextNode {
			name = "#text"
			if child.Data != article.Clean(child.Data) || child.Data == "" {
				t.Errorf("text %q", child.Data)
			}
		} else {
			wantValid(t, child)
		}
		if !strings.Contains(" "+names+" ", " "+name+" ") {
			t.Errorf("%s in %s", name, n.Data)
		}
	}
	switch n.Data {
	case "ul", "ol", "li", "table", "tbody", "tr", "blockquote", "p", "a", "strong", "em", "del", "code", "sub", "sup":
		if n.FirstChild == nil {
			t.Errorf("empty %s", n.Data)
		}
	}
}
