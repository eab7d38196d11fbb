package crawler_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

const faultPosts = 60

// TestFaultyStore fails one call of the store or another, before it does
// anything or after it is done, and looks at what the run and the next one make
// of it.
func TestFaultyStore(t *testing.T) {
	hasPosts := func(b *news.Batch) bool { return len(b.Posts) > 0 }
	hasLinks := func(b *news.Batch) bool { return len(b.Found) > 0 }
	ended := func(b *news.Batch) bool { return !b.Run.Ended.IsZero() }
	faults := map[string]storetest.Fault{
		"start":          {Method: storetest.StartRun, Call: 1},
		"lists":          {Method: storetest.Lists, Call: 1},
		"first look":     {Method: storetest.Wanted, Call: 1},
		"second look":    {Method: storetest.Wanted, Call: 2},
		"first commit":   {Method: storetest.Commit, Call: 1},
		"links":          {Method: storetest.Commit, Call: 2, Batch: hasLinks},
		"first posts":    {Method: storetest.Commit, Call: 1, Batch: hasPosts},
		"later posts":    {Method: storetest.Commit, Call: 5, Batch: hasPosts},
		"report":         {Method: storetest.Commit, Call: 1, Batch: ended},
		"the tenth call": {Call: 10},
	}
	errs := storetest.Errs()
	for i, name := range slices.Sorted(maps.Keys(faults)) {
		for j, when := range []string{"before", "after"} {
			fault := faults[name]
			fault.After, fault.Err = when == "after", errs[(i+j)%len(errs)]
			t.Run(fmt.Sprintf("%s %s: %v", when, name, fault.Err), func(t *testing.T) {
				t.Parallel()
				testFaultyStore(t, fault)
			})
		}
	}
}

func testFaultyStore(t *testing.T, fault storetest.Fault) {
	m, base := newMirror(t, mirror.Options{Posts: faultPosts, ShareOnly: 0.1, Seed: 4})
	twin := storetest.NewMemory()
	o := options(base, storetest.NewFaulty(twin, 1, fault))
	o.Now = hurried() // commits are many and small
	report, err := crawler.Run(t.Context(), o)
	if !errors.Is(err, fault.Err) {
		t.Errorf("error %v, want %v", err, fault.Err)
	}
	before := heldBy(t, twin)
	if report != nil {
		checkReport(t, report)
		checkCounted(t, report, before, fault)
	}
	m.ResetRequests()
	second := crawl(t, options(base, twin))
	checkCompleted(t, m, twin, before, second)
}

// checkCounted checks the report of a run whose store failed: it has ended, and
// counts nothing that is not in the store.
func checkCounted(t *testing.T, report *news.Run, held map[news.ID]bool, fault storetest.Fault) {
	t.Helper()
	if report.Ending != news.EndingFailed || report.Ended.IsZero() {
		t.Errorf("the run ended as %q at %v", report.Ending, report.Ended)
	}
	if report.New > len(held) || report.Revised+report.Unchanged > 0 {
		t.Errorf("%d posts counted as new, %d held (fault %+v)", report.New, len(held), fault)
	}
}

// checkCompleted checks that a run got the rest: all posts, and no page of one
// that was held before.
func checkCompleted(t *testing.T, m *mirror.Mirror, twin *storetest.Memory, before map[news.ID]bool, second *news.Run) {
	t.Helper()
	if second.New != faultPosts-len(before) || second.Pending != 0 || len(heldBy(t, twin)) != faultPosts {
		t.Errorf("%d posts held, then %+v, then %d held", len(before), countsOf(second), len(heldBy(t, twin)))
	}
	for at := range asked(m) {
		if code, ok := news.FindInfoCode(at); ok && before[code.ID()] {
			t.Errorf("%s was asked for, though it is held", at)
		}
	}
	n := twin.Counts()
	if n.Frontier != 0 || n.Failed != 0 || n.Posts != n.Revisions {
		t.Errorf("the store holds %+v", n)
	}
	runs, err := twin.Runs(t.Context(), 1)
	if err != nil || len(runs) != 1 || runs[0].ID != second.ID || runs[0].Ending != news.EndingDone {
		t.Errorf("runs %+v, %v", runs, err)
	}
}

// heldBy returns the identities of the posts in a store.
func heldBy(t *testing.T, s storetest.Store) map[news.ID]bool {
	t.Helper()
	ids := make(map[news.ID]bool)
	for rev, err := range s.Select(t.Context(), archive.Selection{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids[rev.ID] = true
	}
	return ids
}

// TestStoreThatFailsByChance: however often a store fails, run after run brings
// the archive nearer to whole, and no post is ever asked for once it is held.
func TestStoreThatFailsByChance(t *testing.T) {
	_, base := newMirror(t, mirror.Options{Posts: faultPosts, Seed: 5})
	twin := storetest.NewMemory()
	faulty := storetest.NewFaulty(twin, 9,
		storetest.Fault{Chance: 0.06, Err: syscall.ENOSPC}, storetest.Fault{Chance: 0.06, Err: archive.ErrBusy, After: true})
	failed := 0
	for range 200 {
		before := heldBy(t, twin)
		sent := new(sentPaths)
		o := options(base, faulty)
		o.Transport = sent
		o.Now = hurried()
		if report, err := crawler.Run(t.Context(), o); err != nil {
			failed++
			if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, archive.ErrBusy) {
				t.Errorf("error %v", err)
			}
			if report != nil {
				checkReport(t, report)
			}
		}
		for _, at := range sent.paths {
			if code, ok := news.FindInfoCode(at); ok && before[code.ID()] {
				t.Errorf("%s was asked for, though it is held", at)
			}
		}
		if len(before) == faultPosts {
			break
		}
	}
	if failed == 0 || len(heldBy(t, twin)) != faultPosts {
		t.Errorf("after %d failed runs %d posts are held", failed, len(heldBy(t, twin)))
	}
	faulty.Disarm()
	crawl(t, options(base, faulty))
}

// TestDelayedStore: a store that takes its time slows a run and changes nothing.
func TestDelayedStore(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: faultPosts, Seed: 6})
	twin := storetest.NewMemory()
	delayed := storetest.NewFaulty(twin, 1, storetest.Fault{Chance: 0.5, Delay: 3 * time.Millisecond})
	report := crawl(t, options(base, delayed))
	if report.New != faultPosts || len(heldBy(t, twin)) != faultPosts {
		t.Errorf("report %+v, %d posts held", countsOf(report), len(heldBy(t, twin)))
	}
	for at, times := range asked(m) {
		if isPost(at) && times != 1 {
			t.Errorf("%s was asked for %d times", at, times)
		}
	}
}

// sentPaths notes what a run asks for. The mirror cannot tell: a request that a
// run gave up may reach it when the next one is under way.
type sentPaths struct {
	mu    sync.Mutex
	paths []string
}

func (s *sentPaths) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.paths = append(s.paths, r.URL.Path)
	s.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}
