package crawler_test

import (
	"testing"

	"github.com/finarc/finarc/mirror"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestFlakyMirror crawls a mirror a fifth of whose pages, whatever they are,
// fail when they are first asked for, each in one of six ways: one run archives
// every post all the same, and asks for no page more often than that takes.
func TestFlakyMirror(t *testing.T) {
	const posts, share, attempts = 5000, 0.2, 2
	m, base := newMirror(t, mirror.Options{
		Posts: posts, Categories: 60, Seed: 12, ShareOnly: mirror.DefaultShareOnly, Prerender: true,
		Faults: []mirror.Fault{{Name: "unsteady", Share: share}},
	})
	a := newArchive(t)
	o := options(base, a)
	o.Limits.Parallel = 8
	report := crawl(t, o)
	if want := (counts{Discovered: posts, New: posts}); !cmp.Equal(countsOf(report), want, cmpopts.EquateEmpty()) {
		t.Errorf("report %+v, want %+v", countsOf(report), want)
	}
	checkTruth(t, m, held(t, a))
	twice, pages := 0, m.Requests().Paths
	for path, times := range pages {
		if times > attempts {
			t.Errorf("%s was asked for %d times", path, times)
		}
		twice += times - 1
	}
	if got := float64(twice) / float64(len(pages)); got < 0.9*share || got > 1.1*share {
		t.Errorf("%d of %d pages were asked for again", twice, len(pages))
	}
	if len(report.Problems) != 0 || report.Lists.Failed != 0 {
		t.Errorf("lists %+v, problems %v", report.Lists, report.Problems)
	}
	statuses := m.Requests().Statuses
	for _, status := range []int{429, 500, 503} {
		if statuses[status] < posts/100 {
			t.Errorf("answers %v: too few of %d", statuses, status)
		}
	}
	t.Logf("%d pages, %d asked for again; answers %v, none %v", len(pages), twice, statuses, report.Transport)
}
