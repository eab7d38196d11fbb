package web_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
)

// wellFormed reads an answer as XML.
func wellFormed(t testing.TB, got answered) {
	t.Helper()
	for dec := xml.NewDecoder(strings.NewReader(got.body)); ; {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", got.Request.URL, err)
		}
	}
}

// TestFeeds: each feed has the newest posts of what it is of, and leads to their
// pages.
func TestFeeds(t *testing.T) {
	s := newAPISite(t)
	last := s.posts[len(s.posts)-1]
	security := ""
	for _, p := range s.posts {
		if len(p.Securities) > 0 {
			security = p.Securities[0].String()
		}
	}
	for _, c := range []struct {
		path    string
		title   string
		entries int // at least
	}{
		{"/feed", "财经新闻档案", 50},
		{"/category/" + url.PathEscape(last.Category) + "/feed", last.Outlet, 2},
		{"/security/" + security + "/feed", strings.Split(security, ".")[1], 1},
		{"/search/feed?q=" + url.QueryEscape(last.Title), last.Title, 1},
		{"/feed.xml", "财经新闻档案", 10},
	} {
		got := ask(t, s.Server, c.path)
		var feed struct {
			Title string `xml:"title"`
			Links []struct {
				Rel  string `xml:"rel,attr"`
				Href string `xml:"href,attr"`
			} `xml:"link"`
			Entries []struct {
				Link struct {
					Href string `xml:"href,attr"`
				} `xml:"link"`
				Content string `xml:"content"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal([]byte(got.body), &feed); err != nil {
			t.Fatalf("%s: %v: %s", c.path, err, got.body)
		}
		if got.Header.Get("Content-Type") != "application/atom+xml; charset=utf-8" || !strings.Contains(feed.Title, c.title) || len(feed.Entries) < c.entries {
			t.Errorf("%s: %q with %d entries of type %q", c.path, feed.Title, len(feed.Entries), got.Header.Get("Content-Type"))
		}
		if len(feed.Links) != 2 || feed.Links[0].Rel != "self" || feed.Links[0].Href != s.URL+c.path {
			t.Errorf("%s: links %+v", c.path, feed.Links)
		}
		for _, link := range []string{feed.Links[1].Href, feed.Entries[0].Link.Href} {
			if page := ask(t, s.Server, strings.TrimPrefix(link, s.URL)); page.StatusCode != 200 {
				t.Errorf("%s leads to %s: status %d", c.path, link, page.StatusCode)
			}
		}
		if feed.Entries[0].Content == "" {
			t.Errorf("%s: an entry without its article", c.path)
		}
		if again := ask(t, s.Server, c.path, "If-None-Match", got.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("%s again: status %d", c.path, again.StatusCode)
		}
	}
	for page, feed := range map[string]string{
		"/": "/feed", "/category/" + url.PathEscape(last.Category): "/category/" + url.PathEscape(last.Category) + "/feed",
		"/security/" + security: "/security/" + security + "/feed",
	} {
		if got := ask(t, s.Server, page); !strings.Contains(got.body, `type="application/atom+xml" href="`+feed+`"`) {
			t.Errorf("%s does not name its feed", page)
		}
	}
	for path, status := range map[string]int{
		"/category/nonesuch/feed": 404, "/security/1.999999/feed": 404, "/search/feed": 400, "/search/feed?q=%22": 400,
	} {
		if got := ask(t, s.Server, path); got.StatusCode != status {
			t.Errorf("%s: status %d, want %d", path, got.StatusCode, status)
		}
	}
}
