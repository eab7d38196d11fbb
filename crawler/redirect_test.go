package crawler_test

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/finarc/finarc/news"
)

// TestRedirectToUnknownRules: where a page redirects to another of the mirror's
// hosts, that one's robots.txt is asked for first, once, and what it says holds.
func TestRedirectToUnknownRules(t *testing.T) {
	const private = "/private/2021/12/22/" + code1 + ".html"
	for name, c := range map[string]struct {
		robots  http.HandlerFunc
		new     int
		allowed bool // the page that is not private
	}{
		"some":   {robotsText("User-agent: *\nDisallow: /private/\n"), 1, true},
		"none":   {http.NotFound, 2, true},
		"all":    {robotsText("User-agent: *\nDisallow: /\n"), 0, false},
		"broken": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := newFixture(t, map[string]string{
				private: postPage("甲", sentence, code1, "yanlancaijing"), path2: postPage("乙", sentence, code2, "yanlancaijing"),
			})
			other.answer("/robots.txt", c.robots)
			var mu sync.Mutex
			var order []string
			at := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				order = append(order, r.URL.Path)
				mu.Unlock()
				other.ServeHTTP(w, r)
			}))
			f := newFixture(t, map[string]string{"/": listPage(path1, path2)})
			f.answer(path1, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, at+private, http.StatusFound) })
			f.answer(path2, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, at+path2, http.StatusFound) })
			o := options(f.base, newArchive(t))
			o.Mirrors[0].Share, o.Mirrors[0].Text = at+"/html_News/NewsShare.html?infoCode={infoCode}", ""
			o.Limits.Parallel, o.Limits.Retries = 1, 0
			r := crawl(t, o)
			if r.New != c.new || r.New+r.Pending+r.Skipped[news.SkippedDisallowed] != 2 {
				t.Errorf("%+v, %+v", countsOf(r), r.Problems)
			}
			first := slices.Index(order, "/robots.txt")
			if slices.Contains(order, private) != (c.new == 2) || slices.Contains(order, path2) != c.allowed || first != 0 || slices.Contains(order[1:], "/robots.txt") {
				t.Errorf("the other host was asked for %v", order)
			}
			for page, times := range f.requests() {
				if u, _ := url.Parse(page); isPost(u.Path) && times > 2 {
					t.Errorf("%s was asked for %d times", page, times)
				}
			}
		})
	}
}

// robotsText answers with a robots.txt.
func robotsText(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}
