package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// TestReportsAddUp crawls many small living mirrors, drawn by chance, several
// times each while their clocks go on; faults, interruptions and a store that
// fails included. The numbers of every report add up, with one another, with
// what is told meanwhile, with what the archive keeps, and with what it holds.
func TestReportsAddUp(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			newHistory(t, seed).live(6)
		})
	}
}

// history is the crawls of one living mirror.
type history struct {
	*testing.T
	dice    *rand.Rand
	clock   atomic.Int64 // Unix seconds; moves between runs only
	mirror  *mirror.Mirror
	archive *archive.Archive
	options crawler.Options
	silent  bool  // the mirror may end a connection without an answer
	news    int64 // posts reported as new
	runs    []*news.Run
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{T: t, dice: rand.New(rand.NewPCG(seed, 2))}
	h.clock.Store(time.Date(2021, 12, 22, 8, 0, 0, 0, news.Shanghai).Unix())
	o := randomMirror(h.dice)
	o.Window = time.Duration(1+h.dice.IntN(5)) * time.Hour
	o.Living = &mirror.Living{
		Now: h.now, Revised: h.dice.Float64() / 2, Relaid: h.dice.Float64() / 2,
		KeepShared: h.dice.IntN(3) == 0,
	}
	o.Faults = slices.DeleteFunc(o.Faults, func(f mirror.Fault) bool { return f.Name == "slow" || f.Name == "huge" })
	if h.dice.IntN(2) == 0 {
		o.Faults = append(o.Faults, mirror.Fault{Name: "ailing", Share: 0.3}, mirror.Fault{Name: "outages"})
	}
	h.silent = slices.ContainsFunc(o.Faults, func(f mirror.Fault) bool { return f.Name == "unsteady" || f.Name == "ailing" })
	var base string
	h.mirror, base = newMirror(t, o)
	h.archive = newArchive(t)
	h.options = faultOptions(base, h.archive, h.dice.IntN(3) > 0)
	h.options.Limits.Parallel = 1 + h.dice.IntN(8)
	h.options.Now = h.now
	return h
}

func (h *history) now() time.Time { return time.Unix(h.clock.Load(), 0).In(news.Shanghai) }

// live lets n runs follow one another.
func (h *history) live(n int) {
	for range n {
		h.mirror.ResetRequests()
		h.run()
		if h.Failed() {
			return
		}
		h.clock.Add(60 * (1 + h.dice.Int64N(100)))
	}
	h.checkLog()
}

// run crawls once: to the end, until it is interrupted at some batch, or until
// the store fails.
func (h *history) run() {
	ctx, cancel := context.WithCancel(h.Context())
	defer cancel()
	o, left := h.options, 1+h.dice.IntN(6)
	ending := h.dice.IntN(6)
	commits := 0
	store := &faultyStore{Store: h.archive, commit: func(b *news.Batch) error {
		if !b.Run.AddsUp() {
			h.Errorf("a batch's report does not add up: %+v", b.Run)
		}
		if commits++; ending == 0 && commits == left {
			return errDisk
		}
		return nil
	}}
	o.Store = store
	o.Progress = func(p crawler.Progress) {
		if !p.Run.AddsUp() {
			h.Errorf("a report on the way does not add up: %+v", p.Run)
		}
		if left--; ending == 1 && left == 0 {
			cancel()
		}
	}
	report, err := crawler.Run(ctx, o)
	checkReport(h, report)
	if err != nil && !errors.Is(err, errDisk) && !errors.Is(err, crawler.ErrUnreachable) {
		h.Fatalf("run: %v", err)
	}
	h.runs = append(h.runs, report)
	h.news += int64(report.New)
	h.checkHeld(report, errors.Is(err, errDisk))
	if !h.silent && !errors.Is(err, errDisk) {
		checkTraffic(h.T, report, h.mirror)
	}
}

// checkHeld compares a report, and all so far, with what the archive holds.
func (h *history) checkHeld(r *news.Run, broken bool) {
	s := stats(h, h.archive)
	switch {
	case broken:
		// The store is intact and only said that it was not, before it took the
		// batch: so nothing was committed that is not counted.
	case r.Ending == news.EndingDone && s.Frontier != r.Pending+r.Skipped[news.SkippedDisallowed]:
		h.Errorf("%d posts pending, %d in the frontier", r.Pending, s.Frontier)
	}
	if s.Posts != h.news {
		h.Errorf("%d posts reported as new, %d held", h.news, s.Posts)
	}
}

// checkLog checks that the archive keeps the reports as they were returned.
func (h *history) checkLog() {
	log, err := h.archive.Runs(h.Context(), 0)
	if err != nil || len(log) != len(h.runs) {
		h.Fatalf("%d runs in the log, %d were made, %v", len(log), len(h.runs), err)
	}
	slices.Reverse(log)
	for i := range log {
		checkReport(h, &log[i])
		if want := h.runs[i]; !log[i].Ended.IsZero() && (log[i].New != want.New || log[i].Discovered != want.Discovered || log[i].Pending != want.Pending) {
			h.Errorf("run %d is kept as %+v, and was %+v", log[i].ID, countsOf(&log[i]), countsOf(want))
		}
	}
}
