package schedule

import (
	"context"
	"iter"
	"log/slog"
	"time"
)

const (
	// nap is how long the wait for a due time goes on without a look at the
	// clock: timers stand still while a machine sleeps, and know nothing of a
	// clock that is set.
	nap = time.Minute

	// maxCounted bounds how many left out times are counted, after a clock that
	// was years off.
	maxCounted = 10_000
)

// Timetable is a schedule as it is kept: one run at a time.
type Timetable struct {
	Schedule Schedule         // not empty
	Last     time.Time        // when the last run began; zero: there was none
	Now      func() time.Time // the wall clock
	Log      *slog.Logger
}

// Runs yields each due time when it has come, until ctx ends. The run is what
// its caller does with it: what becomes due meanwhile, or while the machine
// sleeps, is left out, and logged. It begins with the time that was missed since
// the last run, if one was; several make one run. Without a last run that is now.
func (t *Timetable) Runs(ctx context.Context) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for due := t.first(); t.waitFor(ctx, &due); due = t.following(due) {
			if !yield(due) {
				return
			}
		}
	}
}

// now returns the wall clock's time, without the monotonic one, which stands
// still while the machine sleeps.
func (t *Timetable) now() time.Time { return t.Now().Round(0) }

// first returns the time with which to begin.
func (t *Timetable) first() time.Time {
	now := t.now()
	due := now
	switch {
	case t.Last.IsZero():
	case t.Last.After(now): // by a clock that was wrong
		due = t.Schedule.Next(now)
	default:
		due = t.Schedule.Next(t.Last)
	}
	t.Log.Info("first run", "due", due, "missed", due.Before(now))
	return due
}

// following returns the first due time after due that is yet to come.
func (t *Timetable) following(due time.Time) time.Time {
	now := t.now()
	if now.Before(due.Add(-nap)) {
		return t.setBack(now)
	}
	leftOut := 0
	next := t.Schedule.Next(due)
	for ; !next.After(now); next = t.Schedule.Next(next) {
		if leftOut++; leftOut == maxCounted {
			next = now // and on from there
		}
	}
	if leftOut > 0 {
		t.Log.Info("runs left out: they were due before the last one ended", "runs", leftOut, "next", next)
	}
	return next
}

// setBack returns the next due time after the clock was set back to now.
func (t *Timetable) setBack(now time.Time) time.Time {
	next := t.Schedule.Next(now)
	t.Log.Warn("the clock was set back", "now", now, "next", next)
	return next
}

// waitFor waits until due has come, and reports whether it did before ctx ended.
// due changes if the clock is set back meanwhile.
func (t *Timetable) waitFor(ctx context.Context, due *time.Time) bool {
	for seen := t.now(); ; {
		now := t.now()
		if now.Before(seen.Add(-nap)) {
			*due = t.setBack(now)
		}
		seen = now
		left := due.Sub(now)
		if left <= 0 {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(min(left, nap))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}
