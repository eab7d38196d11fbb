package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/web"
)

// newest is when the newest post of the mirror was published.
var newest = time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai)

// site is a server over an archive of the built-in mirror's posts.
type site struct {
	*httptest.Server
	archive *archive.Archive
	mirror  *mirror.Mirror
	posts   []news.Post // the mirror's, the newest last
}

// newSite crawls a mirror of 120 posts, of which the newest is revised once, and
// serves them.
func newSite(t testing.TB, change func(*web.Options)) *site {
	t.Helper()
	m, err := mirror.New(mirror.Options{Posts: 120, Categories: 6, Newest: newest, Window: 48 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.OpenOrCreate(t.Context(), filepath.Join(t.TempDir(), "a.db"), archive.PlainText(page.Text), archive.Titles(page.IsTitleOf))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{archive: a, mirror: m}
	for _, p := range m.Posts() {
		s.posts = append(s.posts, p)
	}
	s.crawl(t)
	s.Server = serve(t, a, change)
	return s
}

// crawl lets the archive have what the mirror shows.
func (s *site) crawl(t testing.TB) {
	t.Helper()
	from := httptest.NewServer(s.mirror)
	defer from.Close()
	last := s.posts[len(s.posts)-1]
	for day := range 2 {
		c := config.Default()
		c.Limits.Rate = 0
		_, err := crawler.Run(t.Context(), crawler.Options{
			Mirrors: []config.Mirror{{
				Name: "m", Site: from.URL + "/", Window: config.DefaultWindow,
				Share: from.URL + "/html_News/NewsShare.html?infoCode={infoCode}", Text: from.URL + "/NewsData/GetNewsText.do?id={infoCode}",
			}},
			Limits: c.Limits, Agent: "test", Command: "finarc crawl", Store: s.archive, Refresh: 3 * day,
			Now: func() time.Time { return newest.Add(time.Duration(day+1) * time.Minute) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if day == 0 {
			if err := s.mirror.Revise(last.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// options are those of a server of a store, some minutes after the newest post.
func options(t testing.TB, store web.Store, change func(*web.Options)) web.Options {
	t.Helper()
	calendar, err := exchange.Mainland()
	if err != nil {
		t.Fatal(err)
	}
	o := web.Options{
		Store: store, Calendar: calendar, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Now: func() time.Time { return newest.Add(5 * time.Minute) },
	}
	if change != nil {
		change(&o)
	}
	return o
}

// silent drops the log, of tests in which things are to go wrong.
func silent(o *web.Options) { o.Log = slog.New(slog.DiscardHandler) }

// serve serves a store.
func serve(t testing.TB, store web.Store, change func(*web.Options)) *httptest.Server {
	t.Helper()
	handler, err := web.New(options(t, store, change))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// answered is an answer, whole.
type answered struct {
	*http.Response
	body string
}

// ask asks a server for a path, with headers as name and value by turns.
func ask(t testing.TB, server *httptest.Server, path string, headers ...string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{resp, string(body)}
}

// TestPages: each page answers, with what it is for, in both languages.
func TestPages(t *testing.T) {
	s := newSite(t, nil)
	last := s.posts[len(s.posts)-1]
	post := "/post/" + string(last.InfoCode)
	for _, c := range []struct {
		path string
		want []string // in the Chinese page
		en   string   // in the English one
	}{
		{"/", []string{"2021-12-22", "异动栏目", "抓取状况", "/runs/2"}, "Outlets with more than usual"},
		{"/day/2021-12-22", []string{"周三", "交易日", "<rect"}, "trading day"},
		{"/day/20211222", []string{"周三"}, "Wed"},
		{"/day/2021-10-01", []string{"休市"}, "exchanges closed"},
		{"/categories", []string{`data-find="`}, "Find an outlet"},
		{"/category/" + last.Category, []string{last.Outlet}, "Posts by day"},
		{post, []string{"首次见到", "最早可交易", "/diff"}, "Tradable from"},
		{post + "?revision=1", []string{"这不是最新版本"}, "not the newest revision"},
		{post + "/diff", []string{"<ins>"}, "From revision 1 to revision 2"},
		{post + "/diff?a=2&b=2", []string{"相同"}, "the same in both"},
		{post + "/original?revision=1", []string{"<iframe", "sandbox"}, "in a sandbox"},
		{"/search", []string{"没有全文索引"}, "no full-text index"},
		{"/coverage", []string{`href="/day/2021-12-22"`}, "Coverage"},
		{"/coverage?by=category&to=2021-12-22", []string{`href="/day/2021-12-21"`}, "Coverage"},
		{"/runs", []string{`href="/runs/1"`}, "Runs of the crawl"},
		{"/runs/1", []string{"finarc crawl", "120"}, "Unchanged"},
	} {
		got := ask(t, s.Server, c.path, "Accept-Language", "zh-CN,en;q=0.5")
		if got.StatusCode != 200 || !strings.Contains(got.body, `<html lang="zh-CN">`) {
			t.Errorf("%s: status %d", c.path, got.StatusCode)
		}
		for _, want := range c.want {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s lacks %q", c.path, want)
			}
		}
		got = ask(t, s.Server, c.path, "Accept-Language", "en-GB")
		if got.StatusCode != 200 || !strings.Contains(got.body, `<html lang="en">`) || !strings.Contains(got.body, c.en) {
			t.Errorf("%s in English: status %d, want %q", c.path, got.StatusCode, c.en)
		}
	}
}
