package page

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/finarc/finarc/news"
)

// TestArticle reads a body by itself as on the post's own page.
func TestArticle(t *testing.T) {
	s := newSite(t)
	p := news.Post{ID: "202112222222306968", Body: `<p>　　<span id="stock_1.600160"><a href="http://quote.eastmoney.com/unify/r/1.600160" class="keytip" data-code="1,600160">巨化股份</a></span>涨停。</p>` +
		`<h3 class="emh3">相关报道</h3><p><a href="http://finance.eastmoney.com/a/202112222222541258.html">另一篇</a></p><p class="em_media">（文章来源：21财经）</p>`}
	body := p.Body
	leads := s.Article(&news.Capture{URL: "file:///a.md"}, &p)
	if len(leads) != 1 || leads[0].ID != "202112222222541258" || leads[0].Mirror != s.Name() || leads[0].FoundOn != "file:///a.md" {
		t.Errorf("got leads %+v", leads)
	}
	want := news.Mention{Security: news.Security{Market: 1, Code: "600160"}, Name: "巨化股份", Count: 1}
	if !reflect.DeepEqual(p.Securities, []news.Mention{want}) || p.Source != "21财经" || len(p.Related) != 1 || p.Body != body {
		t.Errorf("got %+v", p)
	}
}

// TestPostID: a file has the identity of the page that Jekyll makes of it.
func TestPostID(t *testing.T) {
	s := newSite(t)
	for address, test := range map[string]struct {
		categories []string
		slug       string
	}{
		"https://mirror.example/2021/12/07/kaizhan.html":                   {nil, "kaizhan"},
		"https://mirror.example/a/b(c)/2021/12/07/%E5%BC%80%E7%AB%99.html": {[]string{"A", "b(c)"}, "开站"},
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := s.PostID(test.categories, 20211207, test.slug), s.look(u).id; got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
