package storetest_test

import (
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
)

func TestMemoryConforms(t *testing.T) {
	storetest.Conform(t, func(*testing.T) storetest.Store { return storetest.NewMemory() })
}

func TestFaultyWithoutFaultsConforms(t *testing.T) {
	storetest.Conform(t, func(*testing.T) storetest.Store { return storetest.NewFaulty(storetest.NewMemory(), 1) })
}

// TestFaults: a fault before the call leaves the store as it was, one after it
// hides what was done, and each meets the call that it is for.
func TestFaults(t *testing.T) {
	for _, want := range storetest.Errs() {
		for _, after := range []bool{false, true} {
			m := storetest.NewMemory()
			f := storetest.NewFaulty(m, 1, storetest.Fault{Method: storetest.Commit, Call: 2, After: after, Err: want})
			for i := range 3 {
				done, err := f.Commit(t.Context(), &news.Batch{Posts: []news.Captured{storetest.Sample(i)}})
				if failed := i == 1; errors.Is(err, want) != failed || (len(done.Posts) == 0) != failed {
					t.Errorf("commit %d: %v, %v", i, done, err)
				}
			}
			held := 2
			if after {
				held = 3
			}
			if n := m.Counts().Posts; n != int64(held) || f.Calls(storetest.Commit) != 3 {
				t.Errorf("fault after %v: %d posts, want %d", after, n, held)
			}
		}
	}
}

// TestFaultsByChance: the same seed fails the same calls, and a store without
// its faults fails none.
func TestFaultsByChance(t *testing.T) {
	failures := func() (failed []int) {
		f := storetest.NewFaulty(storetest.NewMemory(), 7, storetest.Fault{Chance: 0.3, Err: syscall.ENOSPC})
		for i := range 100 {
			if _, err := f.Runs(t.Context(), 0); err != nil {
				failed = append(failed, i)
			}
		}
		f.Disarm()
		if _, err := f.Runs(t.Context(), 0); err != nil {
			t.Error(err)
		}
		return failed
	}
	first := failures()
	if len(first) < 10 || len(first) > 60 || storetest.Diff(first, failures()) != "" {
		t.Errorf("failed %v", first)
	}
}

// TestFaultInSelection: what was yielded before the fault stands.
func TestFaultInSelection(t *testing.T) {
	f := storetest.NewFaulty(storetest.NewMemory(), 1, storetest.Fault{Method: storetest.Select, Call: 1, After: true, Err: syscall.EIO})
	if _, err := f.Commit(t.Context(), &news.Batch{Posts: storetest.Samples(3)}); err != nil {
		t.Fatal(err)
	}
	n := 0
	var last error
	for _, err := range f.Select(t.Context(), archive.Selection{}) {
		if last = err; err == nil {
			n++
		}
	}
	if n != 3 || !errors.Is(last, syscall.EIO) {
		t.Errorf("%d posts, then %v", n, last)
	}
}

// TestSnapshot: a snapshot stays as it was, and what is done to it stays there.
func TestSnapshot(t *testing.T) {
	m := storetest.NewMemory()
	commit := func(s storetest.Store, i int) {
		t.Helper()
		b := news.Batch{Posts: []news.Captured{storetest.Sample(i)}, Found: []news.Wanted{storetest.WantedOf(10 + i)}}
		if _, err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	commit(m, 0)
	before := m.Snapshot()
	commit(m, 1)
	commit(before, 2)
	commit(before, 3)
	for s, want := range map[*storetest.Memory]int64{m: 2, before: 3} {
		if n := s.Counts(); n.Posts != want || n.Frontier != int(want) || n.Revisions != want {
			t.Errorf("%+v, want %d of each", n, want)
		}
	}
	if _, err := m.Post(t.Context(), storetest.Sample(2).Post.ID); !errors.Is(err, archive.ErrNoPost) {
		t.Errorf("what was done to the snapshot is in the store: %v", err)
	}
}

// TestMemoryAtOnce: writers and readers do not meet in each other's midst.
func TestMemoryAtOnce(t *testing.T) {
	const writers, each = 4, 30
	m := storetest.NewMemory()
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			for i := range each {
				p := storetest.Sample(n*each + i)
				b := news.Batch{Posts: []news.Captured{p, storetest.Later(p, time.Hour)}, Found: []news.Wanted{storetest.WantedOf(1000 + i)}}
				if _, err := m.Commit(t.Context(), &b); err != nil {
					t.Error(err)
				}
				rev, err := m.Post(t.Context(), p.Post.ID)
				if err != nil || !rev.LastSeen.Equal(p.Capture.Fetched.Add(time.Hour)) {
					t.Errorf("last seen %v, %v", rev.LastSeen, err)
				}
				for range m.Select(t.Context(), archive.Selection{Body: true, Limit: 5}) {
				}
			}
		})
	}
	wg.Wait()
	if n := m.Counts(); n.Posts != writers*each || n.Revisions != writers*each || n.Frontier != each {
		t.Errorf("%+v", n)
	}
}
