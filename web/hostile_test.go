package web_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/web"
	nethtml "golang.org/x/net/html"
)

// attacks run attack() wherever they are taken for more than text.
var attacks = []string{
	`<script>attack()</script>`, `"><script>attack()</script>`, `'><img src=x onerror=attack()>`, `</title><svg onload=attack()>`,
	`<img src=x onerror="attack()">`, `<svg/onload=attack()>`, `<iframe srcdoc="<script>parent.attack()</script>"></iframe>`,
	`<a href="javascript:attack()" class="name">x</a>`, `<a href="data:text/html,<script>attack()</script>">x</a>`,
	`<form action="javascript:attack()"><button autofocus onfocus=attack()>x</button></form>`, `<base href="http://evil.example/">`,
	`<meta http-equiv="refresh" content="0;url=javascript:attack()">`, `<style>*{background:url(http://evil.example/)}</style>`,
	`<link rel=stylesheet href=http://evil.example/>`, `<math><mtext></form><form><mglyph><style></math><img src onerror=attack()>`,
	`<noscript><p title="</noscript><img src=x onerror=attack()>">`, `{{.}}<p onmouseover=attack() style="position:fixed;inset:0">x</p>`,
	`<img src="http://evil.example/pixel.png" srcset="http://evil.example/2.png 2x" alt="<script>attack()</script>">`, "javascript:attack()",
	`<video src=http://evil.example/ autoplay></video><object data=http://evil.example/></object>`, `<details open ontoggle=attack()>x</details>`,
}

// hostile is a site of posts that have an attack wherever something stands.
func hostile(t *testing.T) (*site, []string) {
	t.Helper()
	a, err := archive.OpenOrCreate(t.Context(), filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{archive: a}
	paths := []string{"/", "/day/2021-12-22", "/categories", "/coverage?by=category", "/coverage?by=outlet", "/runs", "/runs/1", "/search?q=%3Cscript%3Eattack()%3C/script%3E"}
	for i, attack := range attacks {
		c := attacker(i, attack)
		s.posts = append(s.posts, c.Post)
		post := "/post/" + string(c.Post.ID)
		paths = append(paths, post, post+"/diff?all=1", post+"/original", post+"/raw", "/category/"+url.PathEscape(attack),
			"/security/"+url.PathEscape(c.Post.Securities[0].String()), "/categories?q="+url.QueryEscape(attack))
		second := c
		second.Capture.Fetched = c.Capture.Fetched.Add(time.Hour)
		second.Post.Body = strings.Replace(c.Post.Body, "正文", "改文"+html.EscapeString(attack), 1)
		second.Capture.Body = []byte(second.Post.Body)
		for _, c := range []news.Captured{c, second} {
			if _, err := a.Commit(t.Context(), &news.Batch{Posts: []news.Captured{c}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	run := &news.Run{Command: attacks[0], Mirrors: attacks, Started: newest, Ended: newest, Ending: attacks[1], Failed: map[string]int{attacks[2]: 1}, Discovered: 1}
	if err := a.StartRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	for _, attack := range attacks {
		run.AddProblem(news.Problem{URL: attack, Why: attack, For: attack})
	}
	if _, err := a.Commit(t.Context(), &news.Batch{Run: run}); err != nil {
		t.Fatal(err)
	}
	s.Server = serve(t, a, func(o *web.Options) { o.Search = plainSearch{s.posts} })
	return s, paths
}

// attacker returns a post all of which is an attack.
func attacker(i int, attack string) news.Captured {
	code := news.InfoCode("NW2021122222223069" + string(rune('0'+i/10)) + string(rune('0'+i%10)))
	body := `<p>正文</p>` + attack + `<a data-code="1,` + html.EscapeString(attack) + `" href="` + html.EscapeString(attack) + `">x</a>`
	p := news.Post{
		ID: code.ID(), InfoCode: code, Title: attack, Published: newest.Add(time.Duration(-i) * time.Minute),
		Category: attack, Tag: attack + "新闻", Outlet: attack, Source: attack, Digest: attack, Body: body,
		Securities: []news.Mention{{Security: news.Security{Market: 1, Code: attack}, Name: attack, Count: 1}},
		Boards:     []news.Mention{{Security: news.Security{Market: 90, Code: "BK" + attack}, Name: attack, Count: 1}},
	}
	return news.Captured{Post: p, Capture: news.Capture{
		URL: "javascript:attack()//" + attack, Status: 200, Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {"text/html"}},
		Fetched: newest.Add(time.Minute), Mode: news.ModeLive, Mirror: attack, Kind: news.KindPost, Body: []byte(body),
	}}
}

// TestHostileArchive: what posts hold is text in the pages, or passes the allow list.
func TestHostileArchive(t *testing.T) {
	s, paths := hostile(t)
	for _, path := range paths {
		got := ask(t, s.Server, path)
		if got.StatusCode != 200 && got.StatusCode != 307 && got.StatusCode != 404 {
			t.Errorf("%s: status %d", path, got.StatusCode)
		}
		if strings.HasSuffix(path, "/raw") {
			continue // as it was, and in a sandbox
		}
		for z := nethtml.NewTokenizer(strings.NewReader(got.body)); z.Next() != nethtml.ErrorToken; {
			checkToken(t, path, z.Token())
		}
	}
}

// checkToken holds what a page is made of against what the templates are.
func checkToken(t *testing.T, path string, token nethtml.Token) {
	t.Helper()
	if token.Type != nethtml.StartTagToken && token.Type != nethtml.SelfClosingTagToken {
		return
	}
	switch token.Data {
	case "img", "object", "embed", "video", "audio", "base", "style", "math", "noscript":
		t.Errorf("%s has <%s>", path, token.Data)
	case "details":
		if !strings.HasPrefix(path, "/coverage") { // which has one of its own
			t.Errorf("%s has <%s>", path, token.Data)
		}
	}
	for _, a := range token.Attr {
		value := strings.ToLower(strings.TrimSpace(a.Val))
		if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key == "http-equiv" {
			t.Errorf("%s has <%s %s=%q>", path, token.Data, a.Key, a.Val)
		}
		switch a.Key {
		case "href", "src", "action":
			if strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:") {
				t.Errorf("%s has <%s %s=%q>", path, token.Data, a.Key, a.Val)
			}
			if (token.Data == "script" || token.Data == "link" || token.Data == "iframe" || token.Data == "form") && !strings.HasPrefix(value, "/") {
				t.Errorf("%s has <%s %s=%q>", path, token.Data, a.Key, a.Val)
			}
		}
	}
}

// TestBrowserHostile: real Chromium runs nothing of it, and asks no other host.
func TestBrowserHostile(t *testing.T) {
	s, paths := hostile(t)
	runsNothing(t, s, paths)
}

// runsNothing lets Chromium open pages, in which no attack is to run.
func runsNothing(t *testing.T, s *site, paths []string) {
	t.Helper()
	var asked atomic.Int64
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/favicon.ico" { // of its own page, which is opened first
			asked.Add(1)
		}
	}))
	defer evil.Close()
	b := newBrowser(t, s.URL, chromedp.Flag("host-resolver-rules", "MAP evil.example:80 "+evil.Listener.Addr().String()))
	b.run(t, chromedp.Navigate("http://evil.example/")) // so it could be asked
	if asked.Swap(0) == 0 {
		t.Fatal("the other host cannot be reached")
	}
	b.forget()
	b.expect(func(trouble string) bool {
		// What a page as it was wants to do is refused, and Chromium tells of each try; and some
		// of the categories and securities that are asked for are not to be had.
		return strings.HasPrefix(trouble, "log: ") || strings.HasPrefix(trouble, "request to http://evil.example/")
	})
	for _, path := range paths {
		b.open(t, path)
		if ran := eval[bool](t, b, "window.attacked === true"); ran {
			t.Errorf("%s ran an attack", path)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the other host was asked %d times", n)
	}
}
