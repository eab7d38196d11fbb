package crawler_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
			o.Limits.Parallel = 1
			r := crawl(t, o)
			if name != "broken" && (r.Retries != 0 || r.Transport["connection"] != 0) {
				t.Errorf("%d retries, %v: a redirect is no failure", r.Retries, r.Transport)
			}
			if r.New != c.new || r.New+r.Pending+r.Skipped[news.SkippedDisallowed] != 2 {
				t.Errorf("%+v, %+v", countsOf(r), r.Problems)
			}
			first := slices.Index(order, "/robots.txt")
			if slices.Contains(order, private) != (c.new == 2) || slices.Contains(order, path2) != c.allowed || first != 0 || name != "broken" && slices.Contains(order[1:], "/robots.txt") {
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

// TestNoPasswords: the user and password that a link or a redirect has in its
// address are sent to nobody, and not kept.
func TestNoPasswords(t *testing.T) {
	var sent atomic.Int64
	f := newFixture(t, map[string]string{path2: postPage("乙", sentence, code2, "yanlancaijing"), "/moved" + path1: postPage("甲", sentence, code1, "yanlancaijing")})
	at := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			sent.Add(1)
		}
		f.ServeHTTP(w, r)
	}))
	f.base = at
	login := strings.Replace(at, "://", "://user:secret@", 1)
	f.put("/", listPage(path1, login+path2))
	f.answer(path1, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, login+"/moved"+path1, http.StatusFound)
	})
	f.answer("/robots.txt", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, login+"/robots", http.StatusFound) })
	o := options(at, newArchive(t))
	r := crawl(t, o)
	for id, rev := range held(t, storeOf(o)) {
		if strings.Contains(rev.URL, "secret") {
			t.Errorf("%s is kept as of %s", id, rev.URL)
		}
	}
	if n := sent.Load(); n != 0 || r.New != 2 {
		t.Errorf("%d requests with a password; %+v, %+v", n, countsOf(r), r.Problems)
	}
}

// robotsText answers with a robots.txt.
func robotsText(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}
