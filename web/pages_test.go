package web_test

import (
	"bytes"
	"compress/gzip"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/web"
)

var (
	postLinks = regexp.MustCompile(`class="name"[^>]* href="/post/([^"]+)"`)
	nextLink  = regexp.MustCompile(`rel="next" href="([^"]*after=[^"]*)"`)
)

// walk goes from page to page, and returns the posts that they link.
func walk(t *testing.T, s *site, path string) (ids []news.ID) {
	t.Helper()
	for pages := 0; path != ""; pages++ {
		got := ask(t, s.Server, path)
		if got.StatusCode != 200 || pages > 50 {
			t.Fatalf("%s: status %d, after %d pages", path, got.StatusCode, pages)
		}
		for _, found := range postLinks.FindAllStringSubmatch(got.body, -1) {
			ids = append(ids, news.ID(found[1]))
		}
		path = ""
		if next := nextLink.FindStringSubmatch(got.body); next != nil {
			path = html.UnescapeString(next[1])
		}
	}
	return ids
}

// TestPaging: from page to page each post of a list comes once, the newest first.
func TestPaging(t *testing.T) {
	s := newSite(t, func(o *web.Options) {
		o.Limits.Page = 7
		o.Search = plainSearch{}
	})
	of := func(has func(*news.Post) bool) (ids []news.ID) {
		for _, p := range slices.Backward(s.posts) {
			if has(&p) {
				ids = append(ids, p.ID)
			}
		}
		return ids
	}
	category := s.posts[0].Category
	for path, has := range map[string]func(*news.Post) bool{
		"/":                                     func(*news.Post) bool { return true },
		"/day/2021-12-21":                       func(p *news.Post) bool { return p.Day() == 20211221 },
		"/category/" + url.PathEscape(category): func(p *news.Post) bool { return p.Category == category },
	} {
		if got, want := walk(t, s, path), of(has); !slices.Equal(got, want) || len(want) < 8 {
			t.Errorf("%s: got %d posts, want %d:\n%v\n%v", path, len(got), len(want), got, want)
		}
	}
}

func TestSearchPaging(t *testing.T) {
	search := new(plainSearch)
	s := newSite(t, func(o *web.Options) {
		o.Limits.Page = 7
		o.Search = search
	})
	search.posts = s.posts
	if got := walk(t, s, "/search?q="); len(got) != 0 {
		t.Errorf("nothing is searched for, and found are %v", got)
	}
	words := string([]rune(s.posts[0].Title)[:1])
	var want []news.ID
	for _, p := range s.posts {
		if strings.Contains(p.Title, words) {
			want = append(want, p.ID)
		}
	}
	if got := walk(t, s, "/search?q="+url.QueryEscape(words)); !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", words, got, want)
	}
}

// TestValidators: a page that is as the reader has it is not sent again.
func TestValidators(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"/", "/post/" + string(s.posts[0].ID), "/coverage", "/post/" + string(s.posts[0].ID) + "/raw"} {
		first := ask(t, s.Server, path)
		tag := first.Header.Get("ETag")
		if again := ask(t, s.Server, path, "If-None-Match", `"x", `+tag); again.StatusCode != 304 || again.body != "" {
			t.Errorf("%s: got %d for %s", path, again.StatusCode, tag)
		}
		if other := ask(t, s.Server, path, "If-None-Match", `"x"`); other.StatusCode != 200 || other.body != first.body {
			t.Errorf("%s: got %d for another tag", path, other.StatusCode)
		}
	}
	asset := regexp.MustCompile(`/assets/style\.[0-9a-f]{12}\.css`).FindString(ask(t, s.Server, "/").body)
	if got := ask(t, s.Server, asset); got.StatusCode != 200 || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") || got.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s: %d, %v", asset, got.StatusCode, got.Header)
	}
}

// weight is what a post's page may have over the wire, with all that belongs to it.
const weight = 60 << 10

// TestWeight: a post's page and its style take less than that, and no script.
func TestWeight(t *testing.T) {
	s := newSite(t, nil)
	largest := slices.MaxFunc(s.posts, func(a, b news.Post) int { return len(a.Body) - len(b.Body) })
	plain := ask(t, s.Server, "/post/"+string(largest.ID), "Accept-Encoding", "identity")
	packed := ask(t, s.Server, "/post/"+string(largest.ID), "Accept-Encoding", "br;q=1, gzip")
	if packed.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" {
		t.Fatalf("packed as %q and %q", packed.Header.Get("Content-Encoding"), plain.Header.Get("Content-Encoding"))
	}
	unpacked, err := gzip.NewReader(strings.NewReader(packed.body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(text, []byte(plain.body)) {
		t.Errorf("the packed page is another: %v", err)
	}
	total := len(packed.body)
	for _, asset := range regexp.MustCompile(`/assets/[^"]+`).FindAllString(plain.body, -1) {
		total += len(ask(t, s.Server, asset, "Accept-Encoding", "gzip").body)
	}
	if total > weight || strings.Contains(plain.body, "<script") {
		t.Errorf("a page of %d bytes, %d as it stands; want at most %d and no script", total, len(plain.body), weight)
	}
	t.Logf("a post with a body of %d bytes: %d bytes over the wire", len(largest.Body), total)
}

// TestLanguage: as the browser wants it, unless somebody chose.
func TestLanguage(t *testing.T) {
	s := newSite(t, nil)
	for accept, want := range map[string]string{
		"": "zh-CN", "en": "en", "en-US,en;q=0.9,zh;q=0.8": "en", "zh-TW": "zh-CN", "zh-Hans;q=0.9,en;q=0.8": "zh-CN", "fr, en;q=0.5": "en", "((": "zh-CN", "*": "zh-CN",
	} {
		if got := ask(t, s.Server, "/runs", "Accept-Language", accept); !strings.Contains(got.body, `<html lang="`+want+`">`) {
			t.Errorf("%q: want %s", accept, want)
		}
	}
	chosen := ask(t, s.Server, "/coverage?by=category&lang=en")
	cookies := chosen.Cookies()
	if chosen.StatusCode != 303 || chosen.Header.Get("Location") != "/coverage?by=category" || len(cookies) != 1 || cookies[0].Value != "en" || !cookies[0].HttpOnly {
		t.Fatalf("%d to %s, %v", chosen.StatusCode, chosen.Header.Get("Location"), cookies)
	}
	if got := ask(t, s.Server, "/runs", "Accept-Language", "zh", "Cookie", "lang=en"); !strings.Contains(got.body, `<html lang="en">`) {
		t.Error("the choice is not kept")
	}
	if got := ask(t, s.Server, "//evil.example/?lang=en"); strings.HasPrefix(got.Header.Get("Location"), "//") {
		t.Errorf("the switch leads to %s", got.Header.Get("Location"))
	}
}

// TestCategoriesAreFound: by the Chinese name, by its pinyin, by initials, in either
// width and case.
func TestCategoriesAreFound(t *testing.T) {
	a := newSite(t, nil)
	c := attacker(0, "x")
	c.Post.Category, c.Post.Tag, c.Post.Outlet = "21caijing", "21财经新闻", "21财经"
	if _, err := a.archive.Commit(t.Context(), &news.Batch{Posts: []news.Captured{c}}); err != nil {
		t.Fatal(err)
	}
	s := serve(t, a.archive, nil)
	for words, found := range map[string]bool{
		"财经": true, "21caijing": true, "CaiJing": true, "２１ＣＪ": true, "21cj": true, "cai 21": true, "": true, "银行存款": false, "21 xyz": false,
	} {
		got := ask(t, s, "/categories?q="+url.QueryEscape(words))
		if got.StatusCode != http.StatusOK || strings.Contains(got.body, `href="/category/21caijing"`) != found {
			t.Errorf("%q: status %d, found want %v", words, got.StatusCode, found)
		}
	}
}

// TestPostPage: what the archive knows of a post stands on its page.
func TestPostPage(t *testing.T) {
	s := newSite(t, func(o *web.Options) {
		o.Mirrors = []web.Mirror{{Name: "m", Share: "http://share.example/?infoCode={infoCode}", Text: "http://share.example/{infoCode}.json"}}
	})
	last := s.posts[len(s.posts)-1]
	body := ask(t, s.Server, "/post/"+string(last.ID)).body
	for _, want := range []string{
		`<time datetime="2021-12-22T10:37:15+08:00">2021-12-22 10:37:15</time>`, // published
		`<time datetime="2021-12-22T10:38:15+08:00">`,                           // first seen
		`<time datetime="2021-12-22T10:39:15+08:00">`,                           // fetched
		"http://share.example/?infoCode=" + string(last.InfoCode), "http://share.example/" + string(last.InfoCode) + ".json",
		"?revision=1", "/original?revision=2", last.Outlet,
	} {
		if !strings.Contains(body, html.EscapeString(want)) && !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, m := range last.Securities {
		if !strings.Contains(body, `href="/security/`+m.Security.String()+`"`) {
			t.Errorf("the page lacks %v", m)
		}
	}
	if got := ask(t, s.Server, "/post/NW202112229999999999"); !strings.Contains(got.body, "http://share.example/?infoCode=NW202112229999999999") {
		t.Error("a post that is not held leads nowhere")
	}
	raw := ask(t, s.Server, "/post/"+string(last.ID)+"/raw?revision=1")
	if raw.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(raw.body, last.Title) {
		t.Errorf("the page as it was: %v", raw.Header)
	}
}

// TestStory: a post that runs another's story leads to it.
func TestStory(t *testing.T) {
	s := newSite(t, nil)
	first := s.posts[len(s.posts)-3]
	reprint := attacker(0, "x")
	reprint.Post.Title, reprint.Post.Body, reprint.Post.Outlet = "转载", first.Body, "转载者"
	reprint.Post.Published = newest.Add(time.Minute)
	if _, err := s.archive.Commit(t.Context(), &news.Batch{Posts: []news.Captured{reprint}}); err != nil {
		t.Fatal(err)
	}
	if found, err := s.archive.FindStories(t.Context(), archive.FindOptions{}); err != nil || found.Known.Stories != 1 {
		t.Fatalf("found %+v, %v", found, err)
	}
	if body := ask(t, s.Server, "/post/"+string(reprint.Post.ID)).body; !strings.Contains(body, first.Title) || !strings.Contains(body, "首发") {
		t.Error("the reprint does not lead to the origin")
	}
	if body := ask(t, s.Server, "/post/"+string(first.ID)).body; !strings.Contains(body, "转载者") {
		t.Error("the origin does not lead to the reprint")
	}
}

// TestRising: what is named more than in the days before stands on the first page.
func TestRising(t *testing.T) {
	s := newSite(t, nil)
	for i := range 5 {
		c := attacker(i, "x")
		c.Post.Securities = []news.Mention{{Security: news.Security{Market: 1, Code: "600160"}, Name: "巨化股份", Count: 1}}
		if _, err := s.archive.Commit(t.Context(), &news.Batch{Posts: []news.Captured{c}}); err != nil {
			t.Fatal(err)
		}
	}
	body := ask(t, s.Server, "/", "Accept-Language", "en").body
	if _, rising, ok := strings.Cut(body, "Securities named more than usual"); !ok || !strings.Contains(rising, `href="/security/1.600160"`) {
		t.Errorf("it is not told that it rises:\n%s", rising)
	}
	security := ask(t, s.Server, "/security/600160", "Accept-Language", "en").body
	for _, want := range []string{"巨化股份", "from all 5 posts", `<title>2021-12-22: 5</title>`} {
		if !strings.Contains(security, want) {
			t.Errorf("the page of the security lacks %q", want)
		}
	}
}
