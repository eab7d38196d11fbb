package web_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/web"
	"github.com/google/go-cmp/cmp"
)

// noteURL is a post without an infoCode, whose category and tag have spaces.
const noteURL = "http://notes.example/a%20b/2021/12/20/note-1.html"

func commitNote(t testing.TB, a *archive.Archive) news.ID {
	t.Helper()
	u, err := url.Parse(noteURL)
	if err != nil {
		t.Fatal(err)
	}
	site, err := page.NewSite("notes", "http://notes.example/", "", "")
	if err != nil {
		t.Fatal(err)
	}
	body := "<p>第一行 &amp; 第二行</p>"
	id := site.PostAt(u)
	_, err = a.Commit(t.Context(), &news.Batch{Posts: []news.Captured{{
		Capture: news.Capture{
			URL: noteURL, Status: 200, Fetched: newest, Mode: news.ModeLive, Mirror: "notes", Kind: news.KindPost, Body: []byte(body),
		},
		Post: news.Post{
			ID: id, Title: "开站大吉 <1>", Published: newest.Add(-48 * time.Hour), Category: "zhan (nei) APP", Tag: "站内 A&B新闻", Outlet: "站内 A&B", Body: body,
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// ofNotes lets the server know of the mirror of the notes.
func ofNotes(o *web.Options) {
	o.Mirrors = []web.Mirror{{Name: "notes", Site: "http://notes.example/"}}
}

// plainPost is what two archives must have of a post alike.
type plainPost struct {
	InfoCode                             news.InfoCode
	Title, Category, Tag, Outlet, Source string
	Published                            time.Time
	Text                                 string
}

// plainPosts returns the posts of an archive by infoCode, or title where there is
// none.
func plainPosts(t *testing.T, a *archive.Archive) map[string]plainPost {
	t.Helper()
	posts := make(map[string]plainPost)
	for rev, err := range a.Select(t.Context(), archive.Selection{Body: true}) {
		if err != nil {
			t.Fatal(err)
		}
		name := string(rev.InfoCode)
		if name == "" {
			name = rev.Title
		}
		posts[name] = plainPost{rev.InfoCode, rev.Title, rev.Category, rev.Tag, rev.Outlet, rev.Source, rev.Published.UTC(), page.Text(rev.Body)}
	}
	return posts
}

// crawlServer crawls a server as the mirror that it is.
func crawlServer(t *testing.T, server *httptest.Server, a *archive.Archive) *news.Run {
	t.Helper()
	c := config.Default()
	c.Limits.Rate = 0
	run, err := crawler.Run(t.Context(), crawler.Options{
		Mirrors: []config.Mirror{{
			Name: "copy", Site: server.URL + "/", Window: config.DefaultWindow,
			Share: server.URL + "/html_News/NewsShare.html?infoCode={infoCode}", Text: server.URL + "/NewsData/GetNewsText.do?id={infoCode}",
		}},
		Limits: c.Limits, Agent: "test", Command: "finarc crawl", Store: a,
		Now: func() time.Time { return newest.Add(10 * time.Minute) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func newArchive(t testing.TB) *archive.Archive {
	t.Helper()
	a, err := archive.OpenOrCreate(t.Context(), filepath.Join(t.TempDir(), "copy.db"), archive.PlainText(page.Text), archive.Titles(page.IsTitleOf))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestCrawledAgain: another finarc that crawls the server has every post as this one
// has it, and has nothing new to fetch the next time.
func TestCrawledAgain(t *testing.T) {
	s := newSite(t, nil)
	commitNote(t, s.archive)
	server := serve(t, s.archive, ofNotes)
	again := newArchive(t)
	run := crawlServer(t, server, again)
	lacking := map[string]int{news.LacksInfoCode: 1} // the note
	if run.New != 121 || run.FailedPosts() > 0 || run.Lists.Failed > 0 || !maps.Equal(run.Incomplete, lacking) || len(run.Problems) > 1 {
		t.Errorf("the crawl: %d new, %d failed, lists %+v, problems %+v", run.New, run.FailedPosts(), run.Lists, run.Problems)
	}
	if d := cmp.Diff(plainPosts(t, s.archive), plainPosts(t, again)); d != "" {
		t.Errorf("the archives differ (-this +other):\n%s", d)
	}
	if run = crawlServer(t, server, again); run.New+run.Revised+run.Pending > 0 {
		t.Errorf("the second crawl: %d new, %d revised, %d pending", run.New, run.Revised, run.Pending)
	}
}

// TestSharedForms: a post is read as the same from its shared page and from the JSON
// behind that.
func TestSharedForms(t *testing.T) {
	s := newSite(t, nil)
	site, err := page.NewSite("copy", s.URL+"/", s.URL+"/html_News/NewsShare.html?infoCode={infoCode}", s.URL+"/NewsData/GetNewsText.do?id={infoCode}")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.posts[:40] {
		rev, err := s.archive.Post(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		for kind, address := range map[news.PageKind]string{news.KindShare: site.Share(p.InfoCode), news.KindText: site.Text(p.InfoCode)} {
			got := ask(t, s.Server, strings.TrimPrefix(address, s.URL))
			read, err := site.Read(&news.Capture{URL: address, Status: 200, Header: got.Header, Kind: kind, Body: []byte(got.body)})
			if err != nil {
				t.Fatalf("%s: %v", address, err)
			}
			want := []string{string(rev.ID), rev.Title, rev.Outlet, rev.Published.UTC().String(), page.Text(rev.Body)}
			have := []string{string(read.Post.ID), read.Post.Title, read.Post.Outlet, read.Post.Published.UTC().String(), page.Text(read.Post.Body)}
			if d := cmp.Diff(want, have); d != "" {
				t.Errorf("%s (-archive +read):\n%s", address, d)
			}
		}
	}
}

// TestOldAddresses: what stood at an old address answers there, in a sandbox; what is
// not held is told as missing.
func TestOldAddresses(t *testing.T) {
	s := newSite(t, nil)
	id := commitNote(t, s.archive)
	server := serve(t, s.archive, ofNotes)
	last := s.posts[len(s.posts)-1]
	code := string(last.InfoCode)
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/html_News/NewsShare.html?infoCode=" + code, 200, "newsContent"},
		{"/html_News/NewsShare.html?infocode=" + strings.ToLower(code), 200, "newsContent"},
		{"/html_News/NewsShare.html?infoCode=nonsense", 400, "nonsense"},
		{"/html_News/NewsShare.html", 400, "?infoCode="},
		{"/html_News/NewsShare.html?infoCode=NW202112222222999999", 404, ""},
		{"/NewsData/GetNewsText.do?id=" + code, 200, `"showtime":"2021-12-22 10:37:15"`},
		{"/NewsData/GetNewsText.do?id=NW202112222222999999", 404, ""},
		{"/any/2021/12/22/" + code + ".html", 200, "GMT+8"},
		{"/2021/12/22/" + code[2:] + ".html", 200, "GMT+8"},
		{"/a%20b/2021/12/20/note-1.html", 200, "开站大吉 &lt;1&gt;"},
		{"/2021/12/20/" + string(id) + ".html", 200, "开站大吉"},
		{"/a%20b/2021/12/20/note-2.html", 404, ""},
		{"/any/2021/12/22/NW202112222222999999.html", 404, ""},
		{"/nothing.html", 404, ""},
		{"/category/" + url.PathEscape(last.Category) + ".html", 200, code},
		{"/category/zhan%20%28nei%29%20APP.html", 200, "/a%20b/2021/12/20/note-1.html"},
		{"/category/nonesuch.html", 404, ""},
		{"/feed.xml", 200, code},
		{"/sitemap.xml", 200, "/sitemaps/2021-12-22.xml</loc>"},
		{"/sitemaps/2021-12-22.xml", 200, code},
		{"/sitemaps/2021-12-20.xml", 200, "note-1.html"},
		{"/sitemaps/categories.xml", 200, "/category/zhan%20%28nei%29%20APP.html</loc>"},
		{"/sitemaps/nonsense.xml", 404, ""},
		{"/robots.txt", 200, "Disallow: /api/\n"},
	} {
		got := ask(t, server, c.path)
		if got.StatusCode != c.status || !strings.Contains(got.body, c.want) {
			t.Errorf("%s: status %d, want %d and %q in\n%.300s", c.path, got.StatusCode, c.status, c.want, got.body)
		}
		html := strings.HasPrefix(got.Header.Get("Content-Type"), "text/html")
		if sandboxed := strings.HasPrefix(got.Header.Get("Content-Security-Policy"), "sandbox;"); html && sandboxed != (c.status == 200) {
			t.Errorf("%s: status %d under %q", c.path, got.StatusCode, got.Header.Get("Content-Security-Policy"))
		}
		if got.Header.Get("Set-Cookie") != "" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", c.path, got.Header)
		}
	}
}

// hostileText is what an archive may hold where titles, names and bodies stand.
const hostileText = `</title></script><script>alert(1)</script><img src=x onerror=alert(1)>"'&]]>`

// TestHostileForms: what a hostile mirror served stays text in all that programs
// read, and runs nothing where it is a page.
func TestHostileForms(t *testing.T) {
	a := newArchive(t)
	code := news.InfoCode("NW202112222222306968")
	_, err := a.Commit(t.Context(), &news.Batch{Posts: []news.Captured{{
		Capture: news.Capture{
			URL: `http://m.example/a/2021/12/22/NW202112222222306968.html?x=>;rel="original"`, Status: 200, Fetched: newest, Mode: news.ModeLive,
			Mirror: hostileText, Kind: news.KindPost, Body: []byte(hostileText),
		},
		Post: news.Post{
			ID: code.ID(), InfoCode: code, Title: hostileText, Published: newest, Category: hostileText, Tag: hostileText, Outlet: hostileText,
			Source: hostileText, Digest: hostileText, Body: hostileText,
			Securities: []news.Mention{{Security: news.Security{Market: 1, Code: "600160"}, Name: hostileText, Count: 1}},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t, a, nil)
	judge := newAPIJudge(t)
	for _, path := range []string{
		"/api/posts", "/api/posts/" + string(code) + "?include=body,text,html", "/api/days/2021-12-22", "/api/categories", "/api/securities",
		"/api/securities/1.600160", "/api/coverage", "/api/posts?tag=" + url.QueryEscape(hostileText),
	} {
		got := ask(t, server, path)
		if got.StatusCode != 200 || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: status %d of type %q", path, got.StatusCode, got.Header.Get("Content-Type"))
		}
		judge.judge(t, got)
	}
	post := decoded[struct{ HTML string }](t, ask(t, server, "/api/posts/"+string(code)+"?include=html"))
	if strings.Contains(post.HTML, "<script") || strings.Contains(post.HTML, "onerror") {
		t.Errorf("html that runs: %s", post.HTML)
	}
	for _, path := range []string{
		"/feed", "/feed.xml", "/sitemap.xml", "/sitemaps/categories.xml", "/sitemaps/2021-12-22.xml", "/metrics",
		"/a/2021/12/22/NW202112222222306968.html", "/html_News/NewsShare.html?infoCode=" + string(code), "/category/" + url.PathEscape(hostileText) + ".html",
	} {
		got := ask(t, server, path)
		html := strings.HasPrefix(got.Header.Get("Content-Type"), "text/html")
		if got.StatusCode != 200 || html && !strings.HasPrefix(got.Header.Get("Content-Security-Policy"), "sandbox; default-src 'none'") {
			t.Errorf("%s: status %d under %q", path, got.StatusCode, got.Header.Get("Content-Security-Policy"))
		}
		if !html && strings.Contains(got.body, "<script>") {
			t.Errorf("%s: %s", path, got.body)
		}
		if strings.Contains(got.Header.Get("Content-Type"), "xml") {
			wellFormed(t, got)
		}
	}
	raw := ask(t, server, "/post/"+string(code)+"/raw?revision=1")
	if link := raw.Header.Get("Link"); strings.Count(link, `rel="original"`) != 1 || !strings.Contains(link, "%3E") {
		t.Errorf("Link: %s", link)
	}
	var fields map[string]string
	text := ask(t, server, "/NewsData/GetNewsText.do?id="+string(code))
	if err := json.Unmarshal([]byte(text.body), &fields); err != nil || fields["text"] != hostileText {
		t.Errorf("JSON %s: %v", text.body, err)
	}
}

// TestBrowserHostileForms: real Chromium runs nothing of a post that is told in a
// mirror's form, whose body stands in it as it was.
func TestBrowserHostileForms(t *testing.T) {
	s, _ := hostile(t)
	paths := []string{"/feed", "/feed.xml", "/sitemaps/categories.xml"}
	for _, p := range s.posts {
		paths = append(paths, "/2021/12/22/"+string(p.ID)+".html", "/html_News/NewsShare.html?infoCode="+string(p.InfoCode),
			"/NewsData/GetNewsText.do?id="+string(p.InfoCode), "/category/"+url.PathEscape(p.Category)+".html", "/api/posts/"+string(p.ID)+"?include=body,html")
	}
	runsNothing(t, s, paths)
}

// TestBehindTLS: addresses that are told begin as the server in front says.
func TestBehindTLS(t *testing.T) {
	s := newSite(t, nil)
	got := ask(t, s.Server, "/sitemap.xml", "Host", "news.example", "X-Forwarded-Proto", "https")
	if !strings.Contains(got.body, "<loc>https://news.example/sitemaps/2021-12-22.xml</loc>") {
		t.Errorf("sitemap: %s", got.body)
	}
	if plain := ask(t, s.Server, "/sitemap.xml", "Host", "news.example"); strings.Contains(plain.body, "https://news.example") {
		t.Errorf("sitemap without TLS: %s", plain.body)
	}
}

// TestEmptyArchive: lists are empty, and posts missing.
func TestEmptyArchive(t *testing.T) {
	server := serve(t, newArchive(t), nil)
	for path, status := range map[string]int{
		"/sitemap.xml": 200, "/feed.xml": 200, "/feed": 200, "/api/posts": 200, "/api/securities": 200, "/api/coverage": 200, "/api/stats": 200,
		"/a/2021/12/22/NW202112222222306968.html": http.StatusNotFound, "/timegate/http://m.example/": http.StatusNotFound,
	} {
		if got := ask(t, server, path); got.StatusCode != status {
			t.Errorf("%s of an empty archive: status %d, want %d: %s", path, got.StatusCode, status, got.body)
		}
	}
}
