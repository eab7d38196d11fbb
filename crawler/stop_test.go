package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// after calls do when the n-th request begins, before it is answered.
type after struct {
	next http.Handler
	n    int64
	do   func()
	seen atomic.Int64
}

func (a *after) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.seen.Add(1) == a.n {
		a.do()
	}
	a.next.ServeHTTP(w, r)
}

// TestInterrupt cancels a run at one request or another: what is in flight is
// archived, nothing new is asked, and the next run asks for the rest only.
func TestInterrupt(t *testing.T) {
	for _, parallel := range []int{1, 4} {
		for _, n := range []int64{1, 2, 5, 20, 130} {
			t.Run(fmt.Sprintf("at request %d of %d in flight", n, parallel), func(t *testing.T) {
				t.Parallel()
				testInterrupt(t, n, parallel)
			})
		}
	}
}

func testInterrupt(t *testing.T, n int64, parallel int) {
	s := new(stage)
	base := serve(t, s)
	m := putMirror(t, s, base, mirror.Options{Posts: 120, Categories: 10, ShareOnly: 0.1, Seed: 4})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.put(&after{next: m, n: n, do: cancel})
	a := newArchive(t)
	o := options(base, a)
	o.Limits.Parallel = parallel

	first, err := crawler.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, first)
	if first.Ending != news.EndingInterrupted || first.Ended.IsZero() {
		t.Errorf("ended as %s at %v", first.Ending, first.Ended)
	}
	if saw := m.Requests(); saw.Total > int(n)+parallel-1 {
		t.Errorf("%d requests, though the run was ended at the %dth", saw.Total, n)
	}
	checkTraffic(t, first, m)
	if got := stats(t, a).Posts; got != int64(first.New) || first.New < m.Requests().Kinds[news.KindPost] {
		t.Errorf("%d posts archived, %d reported, %d asked for", got, first.New, m.Requests().Kinds[news.KindPost])
	}

	second := crawl(t, o)
	if second.New != 120-first.New || second.Pending != 0 {
		t.Errorf("%d posts archived, then %+v", first.New, countsOf(second))
	}
	for at, times := range asked(m) {
		if isPost(at) && times != 1 {
			t.Errorf("%s was asked for %d times", at, times)
		}
	}
	checkTruth(t, m, held(t, a))
	checkRuns(t, a.Runs, first, second)
}

// checkRuns checks that the archive has the reports as they were returned.
func checkRuns(t *testing.T, runs func(context.Context, int) ([]news.Run, error), want ...*news.Run) {
	t.Helper()
	got, err := runs(t.Context(), 0)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d runs recorded, %v", len(got), err)
	}
	for i, w := range slices.Backward(want) {
		g := got[len(want)-1-i]
		if g.ID != w.ID || g.Ending != w.Ending || g.New != w.New || g.Pending != w.Pending || !maps.Equal(g.Requests, w.Requests) || !g.Ended.Equal(w.Ended) {
			t.Errorf("run %d is recorded as %+v, returned as %+v", w.ID, g, w)
		}
	}
}

// TestInterruptBeforeItBegins: nothing at all is asked.
func TestInterruptBeforeItBegins(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 20})
	a := newArchive(t)
	ctx, cancel := context.WithCancel(t.Context())
	store := &faultyStore{Store: a, startRun: func() error { cancel(); return nil }}
	report, err := crawler.Run(ctx, options(base, store))
	if err != nil || report.Ending != news.EndingInterrupted || m.Requests().Total != 0 {
		t.Errorf("%d requests, ended as %s, %v", m.Requests().Total, report.Ending, err)
	}
	checkReport(t, report)
}

// TestInterruptEndsWaits: a run that waits, for its turn or with a retry, ends
// at once, and what it waited for stays in the frontier.
func TestInterruptEndsWaits(t *testing.T) {
	for name, edit := range map[string]func(*crawler.Options, *fixture){
		"for its turn": func(o *crawler.Options, _ *fixture) { o.Limits.Rate, o.Limits.Burst = 0.001, 5 },
		"with a retry": func(_ *crawler.Options, f *fixture) {
			f.answer("/yanlancaijing/2021/12/22/"+code2+".html", busy)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, a := twoPosts(t), newArchive(t)
			o := options(f.base, a)
			edit(&o, f)
			o.Limits.Parallel = 1
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o.Now = hurried()
			o.Progress = func(p crawler.Progress) {
				if p.Run.New == 1 {
					cancel()
				}
			}
			begin := time.Now()
			report, err := crawler.Run(ctx, o)
			if err != nil || report.Ending != news.EndingInterrupted || report.New != 1 || report.Pending != 1 || time.Since(begin) > 20*time.Second {
				t.Errorf("report %+v ended as %s after %v, %v", countsOf(report), report.Ending, time.Since(begin), err)
			}
			if wanted, _ := frontier(t, a); len(wanted) != 1 {
				t.Errorf("frontier %v", wanted)
			}
		})
	}
}

// busy wants to be left alone for longer than any test takes.
func busy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "3600")
	w.WriteHeader(http.StatusServiceUnavailable)
}

// twoPosts is a site of two posts and no other lists.
func twoPosts(t *testing.T) *fixture {
	return newFixture(t, map[string]string{
		"/":   listPage(path1, path2),
		path1: postPage("甲", sentence, code1, "yanlancaijing"),
		path2: postPage("乙", sentence, code2, "yanlancaijing"),
	})
}

// hurried is a clock on which a second passes with each look, so that every
// batch is due at once.
func hurried() func() time.Time {
	var mu sync.Mutex
	now := time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

// faultyStore is a store that fails where it is told to.
type faultyStore struct {
	crawler.Store
	startRun func() error
	commit   func(*news.Batch) error
	wanted   func() error
	lists    func() error
}

func call(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

func (s *faultyStore) StartRun(ctx context.Context, run *news.Run) error {
	if err := call(s.startRun); err != nil {
		return err
	}
	return s.Store.StartRun(context.WithoutCancel(ctx), run)
}

func (s *faultyStore) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	if s.commit != nil {
		if err := s.commit(b); err != nil {
			return news.Committed{}, err
		}
	}
	return s.Store.Commit(ctx, b)
}

func (s *faultyStore) Wanted(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	if err := call(s.wanted); err != nil {
		return nil, err
	}
	return s.Store.Wanted(ctx, after, n)
}

func (s *faultyStore) Lists(ctx context.Context, mirror string) ([]news.ListPage, error) {
	if err := call(s.lists); err != nil {
		return nil, err
	}
	return s.Store.Lists(ctx, mirror)
}

var errDisk = errors.New("no space left on device")

// TestStoreThatFails: the run ends with the store's error, whatever it was
// doing, and what was committed before is kept.
func TestStoreThatFails(t *testing.T) {
	fail := func() error { return errDisk }
	commits := 0
	for _, c := range []struct {
		name  string
		store faultyStore
	}{
		{"starting", faultyStore{startRun: fail}},
		{"reading lists", faultyStore{lists: fail}},
		{"reading the frontier", faultyStore{wanted: fail}},
		{"first commit", faultyStore{commit: func(*news.Batch) error { return errDisk }}},
		{"third commit", faultyStore{commit: func(*news.Batch) error { return failAt(&commits, 3) }}},
		{"posts", faultyStore{commit: failOnPosts}},
		{"report", faultyStore{commit: failOnReport}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, base := newMirror(t, mirror.Options{Posts: 100})
			a := newArchive(t)
			c.store.Store = a
			o := options(base, &c.store)
			o.Now = hurried()
			report, err := crawler.Run(t.Context(), o)
			if !errors.Is(err, errDisk) {
				t.Errorf("error %v", err)
			}
			if report != nil { // the run began
				checkReport(t, report)
				if report.Ended.IsZero() || report.Ending != news.EndingFailed {
					t.Errorf("the run ended as %s at %v", report.Ending, report.Ended)
				}
			}
			crawl(t, options(base, a))
			if n := stats(t, a).Posts; n != 100 {
				t.Errorf("the next run leaves %d posts archived", n)
			}
		})
	}
}

func failAt(count *int, n int) error {
	if *count++; *count >= n {
		return errDisk
	}
	return nil
}

func failOnPosts(b *news.Batch) error {
	if len(b.Posts) > 0 {
		return errDisk
	}
	return nil
}

func failOnReport(b *news.Batch) error {
	if !b.Run.Ended.IsZero() {
		return errDisk
	}
	return nil
}

// TestStoreThatFailsEndsWaits: a run whose store fails does not hang, whatever
// its workers wait for.
func TestStoreThatFailsEndsWaits(t *testing.T) {
	for name, second := range map[string]http.HandlerFunc{
		"for an answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"with a retry":  busy,
		"for its turn":  nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := twoPosts(t)
			o := options(f.base, &faultyStore{Store: newArchive(t), commit: failOnPosts})
			o.Now = hurried()
			if second == nil {
				o.Limits.Rate, o.Limits.Burst = 0.001, 6
			} else {
				first, begun := make(chan struct{}), make(chan struct{})
				f.answer(path2, func(w http.ResponseWriter, r *http.Request) {
					<-first // or else the first would have to wait for the second's pause
					close(begun)
					second(w, r)
				})
				f.answer(path1, func(w http.ResponseWriter, r *http.Request) {
					close(first)
					<-begun
					fmt.Fprint(w, postPage("甲", sentence, code1, "yanlancaijing"))
				})
			}
			begin := time.Now()
			if _, err := runFailing(t, o); !errors.Is(err, errDisk) || time.Since(begin) > 20*time.Second {
				t.Errorf("error %v after %v", err, time.Since(begin))
			}
		})
	}
}

// TestInterruptWhileStoreIsRead: what the frontier's reader would still read is
// not waited for, nor is it an error if it cannot be read.
func TestInterruptWhileStoreIsRead(t *testing.T) {
	f := twoPosts(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	broken := storetest.Fault{Method: storetest.Wanted, Call: 1, Delay: 5 * time.Second, Err: syscall.EIO}
	o := options(f.base, storetest.NewFaulty(storetest.NewMemory(), 1, broken))
	o.Progress = func(crawler.Progress) { cancel() } // the links are committed; none is asked for yet
	r, err := crawler.Run(ctx, o)
	checkReport(t, r)
	if err != nil || r.Ending != news.EndingInterrupted || r.Pending != 2 {
		t.Errorf("the run ended as %q with %d posts pending: %v", r.Ending, r.Pending, err)
	}
}
