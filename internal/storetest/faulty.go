package storetest

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// Method names one of a [Store]'s methods; none means any of them.
type Method string

// The methods that can fail.
const (
	StartRun  Method = "StartRun"
	Commit    Method = "Commit"
	Wanted    Method = "Wanted"
	Leads     Method = "Leads"
	Failures  Method = "Failures"
	Lists     Method = "Lists"
	Post      Method = "Post"
	Revisions Method = "Revisions"
	Capture   Method = "Capture"
	Unread    Method = "Unread"
	Select    Method = "Select"
	Runs      Method = "Runs"
	Hosts     Method = "Hosts"
	Held      Method = "Held"
	Hourly    Method = "Hourly"

	PageHistory Method = "PageHistory"
	KnownOn     Method = "KnownOn"
	GoneOn      Method = "GoneOn"
	Unknown     Method = "Unknown"
	Days        Method = "Days"
)

// Fault is something that goes wrong with a call.
type Fault struct {
	Method Method // of this method; none: of any
	Call   int    // the n-th of these calls since the fault was armed, from 1; 0: those that chance picks
	Chance float64
	Batch  func(*news.Batch) bool // only commits of such batches count; nil: all

	// After lets the call reach the store: what it did is done, and the caller
	// does not learn of it. Otherwise nothing happens.
	After bool
	// Err is what the caller gets; nil: the fault is a delay and no more.
	Err error
	// Delay is waited for before the call, or until its context ends, which
	// then ends the call.
	Delay time.Duration
}

// Errs are errors as a store meets them: of the disk, of the context, and of
// another process.
func Errs() []error {
	return []error{
		fmt.Errorf("archive a.db: %w", syscall.ENOSPC), fmt.Errorf("archive a.db: %w", syscall.EIO),
		context.Canceled, context.DeadlineExceeded,
		fmt.Errorf("a.db: %w: another process holds it", archive.ErrBusy),
	}
}

// Faulty is a store around another that fails where it is told to. It is safe
// for concurrent use; where several faults are due, the first one armed is met.
type Faulty struct {
	inner Store

	mu    sync.Mutex
	dice  *rand.Rand
	armed []*armed
	calls map[Method]int
}

// armed is a fault and how many calls it has seen.
type armed struct {
	Fault
	seen int
}

// NewFaulty wraps a store. The seed is that of faults by chance.
func NewFaulty(inner Store, seed uint64, faults ...Fault) *Faulty {
	f := &Faulty{inner: inner, dice: rand.New(rand.NewPCG(seed, 0)), calls: make(map[Method]int)}
	f.Arm(faults...)
	return f
}

// Arm adds faults.
func (f *Faulty) Arm(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range faults {
		f.armed = append(f.armed, &armed{Fault: fault})
	}
}

// Disarm takes all faults away.
func (f *Faulty) Disarm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = nil
}

// Calls returns how often a method was called.
func (f *Faulty) Calls(m Method) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[m]
}

// next counts a call and returns what goes wrong with it.
func (f *Faulty) next(m Method, b *news.Batch) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[m]++
	due := slices.Collect(func(yield func(Fault) bool) {
		for _, a := range f.armed {
			if a.meets(m, b, f.dice) && !yield(a.Fault) {
				return
			}
		}
	})
	return append(due, Fault{})[0]
}

// meets counts a call, if it is one of the fault's, and reports whether it is
// the one that goes wrong.
func (a *armed) meets(m Method, b *news.Batch, dice *rand.Rand) bool {
	if a.Method != "" && a.Method != m || a.Batch != nil && (b == nil || !a.Batch(b)) {
		return false
	}
	a.seen++
	if a.Call == 0 {
		return dice.Float64() < a.Chance
	}
	return a.seen == a.Call
}

// before is what the fault does before the call would reach the store.
func (f *Fault) before(ctx context.Context) error {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
	if f.After {
		return nil
	}
	return f.Err
}

// through makes a call, with what goes wrong with it.
func through[T any](ctx context.Context, fault Fault, call func() (T, error)) (T, error) {
	var none T
	if err := fault.before(ctx); err != nil {
		return none, err
	}
	v, err := call()
	if err == nil && fault.Err != nil {
		return none, fault.Err
	}
	return v, err
}

// StartRun implements [crawler.Store]. A run whose beginning was recorded and
// not confirmed has no number.
func (f *Faulty) StartRun(ctx context.Context, run *news.Run) error {
	started, err := through(ctx, f.next(StartRun, nil), func() (*news.Run, error) {
		c := run.Clone()
		return c, f.inner.StartRun(ctx, c)
	})
	if err != nil {
		return err
	}
	run.ID = started.ID
	return nil
}

// Commit implements [crawler.Store].
func (f *Faulty) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	return through(ctx, f.next(Commit, b), func() (news.Committed, error) { return f.inner.Commit(ctx, b) })
}

// Wanted implements [crawler.Store].
func (f *Faulty) Wanted(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return through(ctx, f.next(Wanted, nil), func() ([]news.Wanted, error) { return f.inner.Wanted(ctx, after, n) })
}

// Leads implements [Store].
func (f *Faulty) Leads(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return through(ctx, f.next(Leads, nil), func() ([]news.Wanted, error) { return f.inner.Leads(ctx, after, n) })
}

// Failures implements [Store].
func (f *Faulty) Failures(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return through(ctx, f.next(Failures, nil), func() ([]news.Wanted, error) { return f.inner.Failures(ctx, after, n) })
}

// Lists implements [crawler.Store].
func (f *Faulty) Lists(ctx context.Context, mirror string) ([]news.ListPage, error) {
	return through(ctx, f.next(Lists, nil), func() ([]news.ListPage, error) { return f.inner.Lists(ctx, mirror) })
}

// Post implements [Store].
func (f *Faulty) Post(ctx context.Context, id news.ID) (news.Revision, error) {
	return through(ctx, f.next(Post, nil), func() (news.Revision, error) { return f.inner.Post(ctx, id) })
}

// Revisions implements [Store].
func (f *Faulty) Revisions(ctx context.Context, id news.ID) ([]news.Revision, error) {
	return through(ctx, f.next(Revisions, nil), func() ([]news.Revision, error) { return f.inner.Revisions(ctx, id) })
}

// Capture implements [Store].
func (f *Faulty) Capture(ctx context.Context, seq uint64) (*news.Capture, error) {
	return through(ctx, f.next(Capture, nil), func() (*news.Capture, error) { return f.inner.Capture(ctx, seq) })
}

// Unread implements [Store].
func (f *Faulty) Unread(ctx context.Context, id news.ID) (archive.Apart, error) {
	return through(ctx, f.next(Unread, nil), func() (archive.Apart, error) { return f.inner.Unread(ctx, id) })
}

// Runs implements [Store].
func (f *Faulty) Runs(ctx context.Context, limit int) ([]news.Run, error) {
	return through(ctx, f.next(Runs, nil), func() ([]news.Run, error) { return f.inner.Runs(ctx, limit) })
}

// Hosts implements [Store].
func (f *Faulty) Hosts(ctx context.Context) ([]news.Host, error) {
	return through(ctx, f.next(Hosts, nil), func() ([]news.Host, error) { return f.inner.Hosts(ctx) })
}

// Held implements [Store].
func (f *Faulty) Held(ctx context.Context, since time.Time, after news.ID, n int) ([]news.Held, error) {
	return through(ctx, f.next(Held, nil), func() ([]news.Held, error) { return f.inner.Held(ctx, since, after, n) })
}

// Hourly implements [Store].
func (f *Faulty) Hourly(ctx context.Context, since time.Time) ([]news.HourCount, error) {
	return through(ctx, f.next(Hourly, nil), func() ([]news.HourCount, error) { return f.inner.Hourly(ctx, since) })
}

// PageHistory implements [Store].
func (f *Faulty) PageHistory(ctx context.Context) ([]news.PageCounts, error) {
	return through(ctx, f.next(PageHistory, nil), func() ([]news.PageCounts, error) { return f.inner.PageHistory(ctx) })
}

// Select implements [Store]. A fault after the call ends what was yielded with
// its error.
func (f *Faulty) Select(ctx context.Context, s archive.Selection) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		fault := f.next(Select, nil)
		if err := fault.before(ctx); err != nil {
			yield(news.Revision{}, err)
			return
		}
		for rev, err := range f.inner.Select(ctx, s) {
			if !yield(rev, err) || err != nil {
				return
			}
		}
		if fault.Err != nil {
			yield(news.Revision{}, fault.Err)
		}
	}
}

// KnownOn implements [Store].
func (f *Faulty) KnownOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	return through(ctx, f.next(KnownOn, nil), func() ([]news.Wanted, error) { return f.inner.KnownOn(ctx, d, after, n) })
}

// GoneOn implements [Store].
func (f *Faulty) GoneOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	return through(ctx, f.next(GoneOn, nil), func() ([]news.Wanted, error) { return f.inner.GoneOn(ctx, d, after, n) })
}

// Unknown implements [Store].
func (f *Faulty) Unknown(ctx context.Context, posts []news.Wanted) ([]news.Wanted, error) {
	return through(ctx, f.next(Unknown, nil), func() ([]news.Wanted, error) { return f.inner.Unknown(ctx, posts) })
}

// Days implements [Store].
func (f *Faulty) Days(ctx context.Context, from, to news.Day) ([]news.DayStanding, error) {
	return through(ctx, f.next(Days, nil), func() ([]news.DayStanding, error) { return f.inner.Days(ctx, from, to) })
}
