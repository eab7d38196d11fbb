package crawler_test

import (
	"net/http"
	"testing"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// TestTwoMirrors: mirrors of one run are told apart, and a post that both have
// is fetched once.
func TestTwoMirrors(t *testing.T) {
	one, at1 := newMirror(t, mirror.Options{Posts: 60, Seed: 1})
	other, at2 := newMirror(t, mirror.Options{Posts: 60, Seed: 1})
	a := newArchive(t)
	o := options(at1, a)
	o.Mirrors = append(o.Mirrors, mirrorAt(at2))
	o.Mirrors[1].Name = "n"
	report := crawl(t, o)
	asked := one.Requests().Kinds[news.KindPost] + other.Requests().Kinds[news.KindPost]
	if report.New != 60 || report.Discovered != 60 || asked != 60 {
		t.Errorf("report %+v after %d requests for posts", countsOf(report), asked)
	}
}

// TestOneMirrorDown: the others are crawled all the same, and what is wanted of
// the one that is down waits.
func TestOneMirrorDown(t *testing.T) {
	m, at1 := newMirror(t, mirror.Options{Posts: 40, Seed: 1})
	s := new(stage)
	at2 := serve(t, s)
	putMirror(t, s, at2, mirror.Options{Posts: 40, Seed: 2, Faults: []mirror.Fault{{Name: "500", Share: 0.5}}})
	a := newArchive(t)
	down := mirrorAt(at2)
	down.Name, down.Share, down.Text = "down", "", ""
	o := options(at2, a)
	o.Mirrors = []config.Mirror{down}
	first := crawl(t, o)

	s.put(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" && r.URL.Path != "/robots.txt" {
			t.Errorf("the mirror that is down was asked for %s", r.URL.Path)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	o.Limits.Robots = false
	o.Mirrors = []config.Mirror{down, mirrorAt(at1)}
	second := crawl(t, o)
	if second.New != m.Len() || second.Lists.Failed != 1 || len(second.Problems) != 1 || second.Problems[0].URL != at2+"/" {
		t.Errorf("report %+v, lists %+v, problems %v", countsOf(second), second.Lists, second.Problems)
	}
	if s := stats(t, a); s.Frontier != first.Pending || first.Pending == 0 {
		t.Errorf("frontier %d, want %d", s.Frontier, first.Pending)
	}
}

// TestTwoRunsAtATime: two runs on one archive get in each other's way no more
// than asking for a post twice.
func TestTwoRunsAtATime(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 150, ShareOnly: 0.1, Seed: 6, Faults: []mirror.Fault{{Name: "gone"}, {Name: "flaky"}}})
	a := newArchive(t)
	reports := make(chan *news.Run, 2)
	for range cap(reports) {
		go func() {
			report, err := crawler.Run(t.Context(), options(base, a))
			if err != nil {
				t.Error(err)
			}
			reports <- report
		}()
	}
	sum := 0
	for range cap(reports) {
		report := <-reports
		checkReport(t, report)
		sum += report.New
	}
	if want := expected(m, true); sum != want.New || stats(t, a).Posts != int64(want.New) {
		t.Errorf("%d posts new, %d archived, want %d", sum, stats(t, a).Posts, want.New)
	}
	checkFates(t, m, a, true)
}
