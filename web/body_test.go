package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
	"golang.org/x/net/html"
)

func TestReadBody(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"text":     {`<p>　　一段<b>文字</b></p>`, `<p>　　一段<b>文字</b></p>`},
		"security": {`<span id="stock_1.600160"><a href="http://quote.eastmoney.com/unify/r/1.600160" class="keytip" data-code="1,600160">巨化股份</a></span><span id="quote_1.600160"></span>`, `<a href="/security/1.600160" class="security">巨化股份</a>`},
		"later":    {`<span web="1" href="x" class="em_stock_key_common" data-code="1,600160">巨化股份</span>`, `<a href="/security/1.600160" class="security">巨化股份</a>`},
		"board":    {`<a data-code="90,BK0493" href="http://h/">板块</a>`, `<a href="/security/90.BK0493" class="security">板块</a>`},
		"bad code": {`<a data-code="1,../../x" href="http://h.example/">x</a>`, `<a href="http://h.example/" class="away" rel="nofollow noreferrer">x</a>`},
		"post":     {`<a href="http://finance.eastmoney.com/a/202112222222541258.html">相关</a>`, `<a href="/post/202112222222541258">相关</a>`},
		"link":     {`<a href="//h.example/a?b=1&amp;c" onclick="x()" target="_top" style="color:red">链接</a>`, `<a href="http://h.example/a?b=1&amp;c" class="away" rel="nofollow noreferrer">链接</a>`},
		"script":   {`<p>a<script>alert(1)</script>b</p>`, `<p>ab</p>`},
		"handler":  {`<p onclick="alert(1)" style="position:fixed" id="main" class="top">a</p>`, `<p>a</p>`},
		"address":  {`<a href="javascript:alert(1)">a</a><a href=" jAvAscript&#58;alert(1)">b</a><a href="data:text/html,x">c</a><a href="/runs">d</a>`, `abcd`},
		"picture":  {`<img src="http://h.example/k.png" alt="K图 09988_0" onerror="alert(1)">`, `<a class="picture" href="http://h.example/k.png" rel="nofollow noreferrer">▧ K图 09988_0</a>`},
		"no name":  {`<img src="http://h.example/a/k.png">`, `<a class="picture" href="http://h.example/a/k.png" rel="nofollow noreferrer">▧ k.png</a>`},
		"data":     {`<img src="data:image/svg+xml,<svg onload=alert(1)>" alt="a">`, `<span class="picture">▧ a</span>`},
		"linked":   {`<a href="http://h.example/"><img src="http://h.example/k.png" alt="a"></a>`, `<a href="http://h.example/" class="away" rel="nofollow noreferrer"><span class="picture">▧ a</span></a>`},
		"hidden":   {`<p style="DISPLAY : none">a</p><p hidden>b</p><p>c</p>`, `<p>c</p>`},
		"heading":  {`<h1 id="main">a</h1><h3 class="emh3">相关报道</h3>`, `<h2>a</h2><h2>相关报道</h2>`},
		"frames":   {`<iframe src="http://h.example/"></iframe><object data="x">y</object><embed src="x"><form action="http://h.example"><input name="a"></form>`, ``},
		"base":     {`<base href="http://h.example/"><meta http-equiv="refresh" content="0;url=http://h.example/"><link rel="stylesheet" href="x"><p>a</p>`, `<p>a</p>`},
		"svg":      {`<svg><a xlink:href="javascript:alert(1)"><text>a</text></a></svg><math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>b`, `b`},
		"comment":  {`<!--[if IE]><script>alert(1)</script><![endif]--><p>a</p>`, `<p>a</p>`},
		"table":    {`<table width="1"><tr><td colspan="2" colspan="x">a</td></tr></table>`, `<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>`},
		"open":     {`</div></main><p>a`, `<p>a</p>`},
	} {
		t.Run(name, func(t *testing.T) {
			got, textOnly := newReader().read(&news.Post{Body: c.body})
			if compact(string(got)) != compact(c.want) || textOnly {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// compact drops the blank spans that marks leave behind.
func compact(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(s, "<span>", ""), "</span>", ""))
}

// TestReadLargeBody: what is too much for its markup is shown as text.
func TestReadLargeBody(t *testing.T) {
	for name, body := range map[string]string{
		"long": "<p>a &lt;b&gt;</p>" + strings.Repeat(" ", maxBody),
		"deep": strings.Repeat("<div>", 2000) + "a &lt;b&gt;",
	} {
		got, textOnly := newReader().read(&news.Post{Body: body})
		if strings.TrimSpace(string(got)) != "<p>a &lt;b&gt;</p>" || !textOnly {
			t.Errorf("%s: got %.100q, text only %v", name, got, textOnly)
		}
	}
}

// FuzzReadBody: whatever a body holds, what is shown of it are known elements with
// known attributes, and links lead to pages of the server or the open web.
func FuzzReadBody(f *testing.F) {
	for _, seed := range []string{
		`<p onclick=x>a<script>b</script>`, `<a data-code="1,600160">x</a>`, `<img src=//h/x alt="&lt;script&gt;">`,
		`<a href="java&#10;script:x">`, `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=x&gt;">`,
		`<noscript><p title="</noscript><img src=x onerror=x>">`, `<svg></p><style><a id="</style><img src=1 onerror=x>">`, `<a href="//:x@[">`, "<a\x00 href=x>",
	} {
		f.Add(seed)
	}
	rd := newReader()
	f.Fuzz(func(t *testing.T, body string) {
		got, _ := rd.read(&news.Post{Body: body})
		z := html.NewTokenizer(strings.NewReader(string(got)))
		for z.Next() != html.ErrorToken {
			token := z.Token()
			if token.Type == html.TextToken {
				continue
			}
			if !slices.Contains(shownElements, token.Data) {
				t.Fatalf("%q shows <%s>:\n%s", body, token.Data, got)
			}
			for _, a := range token.Attr {
				if !slices.Contains([]string{"href", "class", "rel", "colspan", "rowspan"}, a.Key) {
					t.Fatalf("%q shows %s=%q:\n%s", body, a.Key, a.Val, got)
				}
				if u, err := url.Parse(a.Val); a.Key == "href" && (err != nil || !strings.HasPrefix(a.Val, "/post/") && !strings.HasPrefix(a.Val, "/security/") && u.Scheme != "http" && u.Scheme != "https") {
					t.Fatalf("%q links %q", body, a.Val)
				}
			}
		}
	})
}
