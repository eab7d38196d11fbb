package crawler_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestWholeMirror crawls a mirror of the size that the promises speak of: the
// first run asks for everything once, the second for no post at all.
func TestWholeMirror(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 2000, Categories: 60, ShareOnly: mirror.DefaultShareOnly, Seed: 7})
	a := newArchive(t)

	first := crawl(t, options(base, a))
	if want := (counts{Discovered: 2000, New: 2000}); !cmp.Equal(countsOf(first), want, cmpopts.EquateEmpty()) {
		t.Errorf("first run: %+v, want %+v", countsOf(first), want)
	}
	checkAskedOnce(t, m)
	checkTraffic(t, first, m)
	checkTruth(t, m, held(t, a))
	if len(first.Problems) != 0 || len(first.Incomplete) != 0 {
		t.Errorf("first run has problems: %v, %v", first.Problems, first.Incomplete)
	}

	m.ResetRequests()
	second := crawl(t, options(base, a))
	if want := (counts{}); !cmp.Equal(countsOf(second), want, cmpopts.EquateEmpty()) {
		t.Errorf("second run: %+v, want nothing", countsOf(second))
	}
	checkOnlyListsUnchanged(t, m, first.Lists.Read)
	checkTraffic(t, second, m)
	if s := stats(t, a); s.Revisions != 2000 || s.Frontier != 0 || s.Failed != 0 || s.Unread != 0 {
		t.Errorf("after two runs: %+v", s)
	}
}

// checkAskedOnce checks that each page was asked for once, and none that was
// not needed.
func checkAskedOnce(t *testing.T, m *mirror.Mirror) {
	t.Helper()
	want := map[string]int{"/": 1, "/feed.xml": 1, "/sitemap.xml": 1, "/robots.txt": 1}
	for i, p := range m.Posts() {
		s := m.Standing(i)
		want["/category/"+p.Category+".html"] = 1
		if s.Path != "" {
			want[plain(s.Path)] = 1
			continue
		}
		want["/html_News/NewsShare.html?infoCode="+string(p.InfoCode)] = 1
		if s.Best == news.KindText {
			want["/NewsData/GetNewsText.do?id="+string(p.InfoCode)] = 1
		}
	}
	if diff := cmp.Diff(want, asked(m)); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

// checkTraffic checks that a report tells what the server saw.
func checkTraffic(t *testing.T, r *news.Run, m *mirror.Mirror) {
	t.Helper()
	saw := m.Requests()
	if !maps.Equal(r.Requests, saw.Kinds) || !maps.Equal(r.Statuses, saw.Statuses) {
		t.Errorf("the report tells of %v and %v, the server saw %v and %v", r.Requests, r.Statuses, saw.Kinds, saw.Statuses)
	}
}

func checkOnlyListsUnchanged(t *testing.T, m *mirror.Mirror, lists int) {
	t.Helper()
	saw := m.Requests()
	for kind, n := range saw.Kinds {
		if !kind.List() {
			t.Errorf("the second run asked for %d pages of kind %s", n, kind)
		}
	}
	if saw.Total != lists || saw.NotModified != lists {
		t.Errorf("the second run made %d requests and got 304 for %d, want %d", saw.Total, saw.NotModified, lists)
	}
}

// checkTruth compares the archive with what a perfect reader makes of the
// mirror.
func checkTruth(t *testing.T, m *mirror.Mirror, got map[news.ID]news.Revision) {
	t.Helper()
	wrong := 0
	for i, p := range m.Posts() {
		rev, ok := got[p.ID]
		if !ok {
			t.Errorf("post %s is not archived", p.ID)
			continue
		}
		if diff := cmp.Diff(readable(p, m.Standing(i).Best), rev.Post, cmpopts.IgnoreFields(news.Post{}, "Foot"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("post %s from its %s page (-want +got):\n%s", p.ID, m.Standing(i).Best, diff)
			wrong++
		}
		if wrong > 3 {
			t.Fatal("and maybe more")
		}
		if rev.Mode != news.ModeLive || rev.Mirror != "m" || rev.FirstSeen.IsZero() || time.Since(rev.FirstSeen) > time.Hour {
			t.Errorf("post %s: mode %s, mirror %s, first seen %v", p.ID, rev.Mode, rev.Mirror, rev.FirstSeen)
		}
	}
}

// readable is what can be read of a post on a page of a kind, given that its
// category's page lists it.
func readable(p news.Post, from news.PageKind) news.Post {
	if from != news.KindPost {
		p.Tag = ""
	}
	if from == news.KindShare && !strings.HasPrefix(p.Body, "<blockquote>") {
		p.Digest = ""
	}
	return p
}

// TestPostsBeforeLastList: a mirror of many lists does not keep its posts
// waiting until all of them are read.
func TestPostsBeforeLastList(t *testing.T) {
	_, base := newMirror(t, mirror.Options{Posts: 60, Categories: 60})
	asked := make(chan string, 1000)
	o := options(base, newArchive(t))
	o.Limits.Rate, o.Limits.Burst, o.Limits.Parallel = 100, 1, 1
	o.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
		asked <- r.URL.Path
		return http.DefaultTransport.RoundTrip(r)
	})
	if r := crawl(t, o); r.New != 60 {
		t.Errorf("%d new posts, want 60", r.New)
	}
	close(asked)
	posts := 0
	for path := range asked {
		switch {
		case isPost(path):
			posts++
		case posts > 0 && strings.HasPrefix(path, "/category/"):
			return // a list after a post
		}
	}
	t.Error("every list was asked for before the first post")
}
