package crawler_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// refreshing are options of a run, a day after the fixtures' posts were
// published, that looks again at those of the last days.
func refreshing(base string, a *archive.Archive, days int) crawler.Options {
	o := options(base, a)
	o.Refresh = days
	o.Now = at(time.Date(2021, 12, 23, 12, 0, 0, 0, news.Shanghai))
	return o
}

// TestRefresh: what has changed is a revision, what has not is seen again, what
// is gone stays, and no page that is something else takes its place.
func TestRefresh(t *testing.T) {
	const path3, path4 = "/haiwan/2021/12/22/NW202112222222541259.html", "/haiwan/2021/12/22/NW202112222222541260.html"
	const code3, code4 = "NW202112222222541259", "NW202112222222541260"
	f := newFixture(t, map[string]string{
		"/":   listPage(path1, path2, path3, path4),
		path1: postPage("甲", sentence, code1, "yanlancaijing"),
		path2: postPage("乙", sentence, code2, "yanlancaijing"),
		path3: postPage("丙", sentence, code3, "haiwan"),
		path4: postPage("丁", sentence, code4, "haiwan"),
	})
	a := newArchive(t)
	if first := crawl(t, refreshing(f.base, a, 2)); first.New != 4 || first.Discovered != 4 {
		t.Fatalf("the first run: %+v", countsOf(first))
	}
	f.put(path1, postPage("甲（更新）", sentence+sentence, code1, "yanlancaijing"))
	f.put(path3, "")
	f.put(path4, listPage(path1, path2))
	f.requests()
	r := crawl(t, refreshing(f.base, a, 2))
	if r.Discovered != 4 || r.Revised != 1 || r.Unchanged != 1 || r.Skipped[news.SkippedForgotten] != 1 || r.Skipped[news.SkippedUnseen] != 1 || r.FailedPosts() != 0 {
		t.Errorf("the second run: %+v", countsOf(r))
	}
	if asked := f.requests(); asked[path1] != 1 || asked[path2] != 1 || asked[path3] != 1 || asked[path4] != 1 {
		t.Errorf("asked for %v", asked)
	}
	posts := held(t, a)
	if len(posts) != 4 || posts["202112222222541260"].Title != "丁" {
		t.Errorf("held in the end: %v", posts)
	}
	if none := crawl(t, refreshing(f.base, a, 0)); none.Skipped[news.SkippedArchived] != 4 || len(f.requests()) != 1 {
		t.Errorf("a run without: %+v", countsOf(none))
	}
	late := refreshing(f.base, a, 2)
	late.Now = at(time.Date(2021, 12, 27, 12, 0, 0, 0, news.Shanghai))
	if r := crawl(t, late); r.Skipped[news.SkippedArchived] != 4 {
		t.Errorf("a run days later: %+v", countsOf(r))
	}
}

// TestRefreshAsksConditionally: the validators of what is held go with the
// question, and a 304 costs no more.
func TestRefreshAsksConditionally(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 50, Seed: 9})
	a := newArchive(t)
	o := refreshing(base, a, 9)
	crawl(t, o)
	m.ResetRequests()
	r := crawl(t, o)
	if r.Unchanged != m.Len() || r.Discovered != m.Len() || r.Statuses[http.StatusNotModified] < m.Len() {
		t.Errorf("%+v, answers %v", countsOf(r), r.Statuses)
	}
	if s := stats(t, a); int(s.Revisions) != m.Len() {
		t.Errorf("%d revisions of %d posts", s.Revisions, m.Len())
	}
}

// TestRefreshKeepsAnswers: of what a refresh finds as it was the archive has the answer:
// 304, or the same bytes from a server without validators.
func TestRefreshKeepsAnswers(t *testing.T) {
	_, base := newMirror(t, mirror.Options{Posts: 20, Seed: 9})
	plain := newFixture(t, map[string]string{"/": listPage(path1), path1: postPage("甲", sentence, code1, "yanlancaijing")})
	for _, of := range []struct {
		base, header string
		status       int
	}{{base, "Etag", http.StatusNotModified}, {plain.base, "Content-Type", http.StatusOK}} {
		a := newArchive(t)
		o := refreshing(of.base, a, 9)
		crawl(t, o)
		o.Now = at(o.Now().Add(time.Hour))
		crawl(t, o)
		posts := 0
		for rev, err := range a.Select(t.Context(), archive.Selection{Captures: true}) {
			if err != nil {
				t.Fatal(err)
			}
			posts++
			r := rev.Revisit
			if r == nil || r.Status != of.status || r.URL != rev.URL || r.Proto != rev.Capture.Proto || !r.Time.Equal(rev.LastSeen) || r.Time.Sub(rev.Fetched) < time.Hour {
				t.Errorf("%s, fetched %s: %+v", rev.URL, rev.Fetched, r)
			} else if value := r.Header.Get(of.header); rev.Capture.Kind == news.KindPost && (value == "" || value != rev.Capture.Header.Get(of.header)) {
				t.Errorf("%s: headers %q", rev.URL, r.Header)
			}
		}
		if posts == 0 {
			t.Errorf("%s: no posts", of.base)
		}
	}
}

// TestMirrorsDisagree: a post that two mirrors have otherwise is kept as either
// has it, once each, and the report says so.
func TestMirrorsDisagree(t *testing.T) {
	page := func(title string) map[string]string {
		return map[string]string{"/": listPage(path1), path1: postPage(title, sentence, code1, "yanlancaijing")}
	}
	one, other := newFixture(t, page("甲")), newFixture(t, page("甲，另一种说法"))
	a := newArchive(t)
	o := refreshing(one.base, a, 2)
	o.Mirrors = []config.Mirror{o.Mirrors[0], mirrorAt(other.base)}
	o.Mirrors[1].Name = "other"
	first := crawl(t, o)
	if first.New != 1 || first.Discovered != 1 {
		t.Fatalf("the first run: %+v", countsOf(first))
	}
	second := crawl(t, o)
	if second.Discovered != 1 || second.Differing != 1 || len(second.Problems) != 1 || second.Problems[0].For != "differs" {
		t.Errorf("the second run: %+v, %d differ, %+v", countsOf(second), second.Differing, second.Problems)
	}
	third := crawl(t, o)
	if third.Unchanged != 1 || third.Differing != 0 {
		t.Errorf("the third run: %+v, %d differ", countsOf(third), third.Differing)
	}
	if s := stats(t, a); s.Posts != 1 || s.Revisions != 2 {
		t.Errorf("%d revisions of %d posts", s.Revisions, s.Posts)
	}
}

// TestRobotsAreRemembered: for a day no run asks again; where it then cannot be
// had, what was had before goes on to hold.
func TestRobotsAreRemembered(t *testing.T) {
	f, a := robotsSite(t, 200, "User-agent: *\nDisallow: /haiwan/\n"), newArchive(t)
	start := time.Now()
	run := func(after time.Duration) (*news.Run, int) {
		o := options(f.base, a)
		o.Now = at(start.Add(after))
		r := crawl(t, o)
		return r, f.requests()["/robots.txt"]
	}
	if r, asked := run(0); r.New != 2 || asked != 1 {
		t.Fatalf("%+v after asking %d times", countsOf(r), asked)
	}
	if _, asked := run(23 * time.Hour); asked != 0 {
		t.Errorf("within the day it was asked for %d times", asked)
	}
	f.answer("/robots.txt", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	if r, asked := run(25 * time.Hour); asked == 0 || r.New != 0 || r.Lists.Read+r.Lists.NotModified == 0 {
		t.Errorf("unreachable: asked %d times, %+v, lists %+v", asked, countsOf(r), r.Lists)
	}
	f.answer("/robots.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "User-agent: *\nAllow: /\n") })
	if r, asked := run(26 * time.Hour); asked != 1 || r.New != 1 {
		t.Errorf("other rules: asked %d times, %+v", asked, countsOf(r))
	}
}

// TestDrift: a run whose pages lack what earlier ones had says so, by kind and
// field; one whose pages lack it by chance does not.
func TestDrift(t *testing.T) {
	s := new(stage)
	base := serve(t, s)
	a := newArchive(t)
	day := time.Date(2021, 12, 22, 10, 0, 0, 0, news.Shanghai)
	posts := 200
	run := func(days int, faults ...mirror.Fault) *news.Run {
		putMirror(t, s, base, mirror.Options{Posts: posts, Seed: uint64(days), Newest: day.AddDate(0, 0, 9*days), Faults: faults})
		return crawl(t, options(base, a))
	}
	for i := range 3 {
		if r := run(i, mirror.Fault{Name: "nodate", Share: 0.05}); len(r.Drift) != 0 {
			t.Fatalf("run %d drifts: %+v", i+1, r.Drift)
		}
	}
	r := run(3, mirror.Fault{Name: "nodate", Share: 0.5})
	if len(r.Drift) != 1 || r.Drift[0].Kind != news.KindPost || r.Drift[0].Field != "date" || r.Drift[0].Share < 0.3 || r.Drift[0].Usual > 0.1 {
		t.Errorf("half of the dates missing: %+v", r.Drift)
	}
	posts = 8 // too few for one run
	for i := range 3 {
		if r := run(4+i, mirror.Fault{Name: "nodate", Share: 1}); len(r.Drift) != 1 {
			t.Errorf("all dates of few posts missing, run %d: %+v", i+1, r.Drift)
		}
	}
}
