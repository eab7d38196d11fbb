package crawler_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// fixture is a site of a few pages written by hand. {base} in a page stands for
// its own address. What it has no page for is 404.
type fixture struct {
	pages map[string]string           // by path and query
	plain map[string]http.HandlerFunc // what is no page of text
	base  string

	mu    sync.Mutex
	asked map[string]int
}

// newFixture serves a site.
func newFixture(t *testing.T, pages map[string]string) *fixture {
	t.Helper()
	f := &fixture{pages: pages, plain: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	f.base = serve(t, f)
	return f
}

func (f *fixture) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := plain(r.URL.RequestURI())
	f.mu.Lock()
	f.asked[at]++
	handler, page := f.plain[at], f.pages[at]
	f.mu.Unlock()
	switch {
	case handler != nil:
		handler(w, r)
	case page == "":
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, strings.ReplaceAll(page, "{base}", f.base))
	}
}

// put gives the site a page, or takes it away where there is none.
func (f *fixture) put(path, page string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pages[path] = page
}

// answer lets h answer at a path.
func (f *fixture) answer(path string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plain[path] = h
}

// requests returns how often each address was asked for since the last call.
func (f *fixture) requests() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := maps.Clone(f.asked)
	clear(f.asked)
	return asked
}

// postPage is a post as the site shows it. code is for the link to NewsShare at
// its foot; "" leaves that out.
func postPage(title, body, code, category string) string {
	share := ""
	if code != "" {
		share = `<p><a href="{base}/html_News/NewsShare.html?infoCode=` + code + `">原文</a></p>`
	}
	return `<!DOCTYPE html><html><head><meta charset="utf-8"><title>` + title + `</title></head><body>
<small>(GMT+8, Asia/Shanghai, CST) 2021-12-22 10:37:15</small>
<h1>` + title + `</h1>
` + body + `
` + share + `
<p><a href="{base}/category/` + strings.ReplaceAll(category, " ", "%20") + `.html">返回` + category + `新闻</a>｜<a href="{base}/">返回首页</a></p>
<small>tags: <em>` + category + `新闻</em></small>
</body></html>`
}

// listPage is a page that links the given addresses.
func listPage(links ...string) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>金融消息</title></head><body><ul>\n")
	for i, l := range links {
		fmt.Fprintf(&b, "<li><a href=\"%s\">第%d条消息</a></li>\n", l, i+1)
	}
	b.WriteString("</ul><a href=\"{base}/\">首页</a></body></html>")
	return b.String()
}
