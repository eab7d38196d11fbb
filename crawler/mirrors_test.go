package crawler_test

import (
	"net/http"
	"testing"

	"github.com/finarc/finarc/config"
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
