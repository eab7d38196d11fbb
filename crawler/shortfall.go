package crawler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/finarc/finarc/coverage"
	"github.com/finarc/finarc/news"
)

const (
	// settled is how long after an hour its posts are taken to be there: a mirror
	// is some minutes behind.
	settled = time.Hour
	// usualDays is how many days of its kind an hour must have been seen on for
	// anything to be usual.
	usualDays = 3
)

// findShortfall compares what came since the last run with what is usual, hour by
// hour, each in the first run after it. Where something else is known to have gone
// wrong, that has been told, and the hours may be full by the next run.
func (r *run) findShortfall(ctx context.Context) error {
	last := r.lastRun()
	if r.days != nil || last.IsZero() || r.explained() {
		return nil
	}
	now := r.o.Now()
	from, to := last.Add(-settled).Truncate(time.Hour), now.Add(-settled).Truncate(time.Hour)
	if !from.Before(to) || to.Sub(from) > rhythmSpan { // what was so long ago is nothing to compare with
		return nil
	}
	counts, err := r.o.Store.Hourly(ctx, from.Add(-rhythmSpan))
	if err != nil {
		return fmt.Errorf("posts by the hour: %w", err)
	}
	if len(counts) == 0 {
		return nil
	}
	h := newHours(counts, r.o.TradingDay)
	posts, usual := 0, 0
	for at := from; at.Before(to); at = at.Add(time.Hour) {
		n, known := h.usual(at, from)
		if !known {
			return nil
		}
		posts, usual = posts+h.posts[at.Unix()], usual+n
	}
	if coverage.Rare(posts, usual, coverage.RareDay) {
		r.report.Shortfall = &news.Shortfall{From: from.In(news.Shanghai), To: to.In(news.Shanghai), Posts: posts, Usual: usual}
		r.o.Log.Warn("far fewer posts than usual", "from", from, "to", to, "posts", posts, "usual", usual)
	}
	return nil
}

// lastRun returns when the run's mirrors were last asked for a list page before
// it: the latest of them, zero if one never was.
func (r *run) lastRun() (last time.Time) {
	for _, s := range r.sites {
		if s.last.IsZero() {
			return time.Time{}
		}
		last = later(last, s.last)
	}
	return last
}

// explained reports whether anything else is known that may be why few posts came.
func (r *run) explained() bool {
	l := &r.report.Lists
	waits := slices.ContainsFunc(r.sites, func(s *site) bool { return s.down || s.rested || len(s.only) > 0 })
	return waits || l.Failed+l.Disallowed+l.Pending+r.listsLeft() > 0 || r.open > 0 || r.report.FailedPosts() > 0 ||
		len(r.report.Drift)+len(r.report.Gaps) > 0
}

// hours is how many posts were published in each hour, from the first of which
// there are any.
type hours struct {
	posts   map[int64]int // by the hour's beginning, in seconds since 1970
	first   time.Time
	trading func(news.Day) bool
}

func newHours(counts []news.HourCount, trading func(news.Day) bool) *hours {
	h := &hours{posts: make(map[int64]int), trading: trading, first: counts[0].Hour}
	for _, c := range counts {
		h.posts[c.Hour.Unix()] += c.Posts
	}
	return h
}

// usual returns the median of the posts of the same hour on days of the same kind,
// before a time and after the archive's first day. It is known only if there are
// enough of them.
func (h *hours) usual(at, before time.Time) (n int, known bool) {
	var like []int
	kind := h.trading(news.DayOf(at))
	for past := at.Add(-24 * time.Hour); past.After(h.first.Add(24 * time.Hour)); past = past.Add(-24 * time.Hour) {
		if past.Before(before) && h.trading(news.DayOf(past)) == kind {
			like = append(like, h.posts[past.Unix()])
		}
	}
	if len(like) < usualDays {
		return 0, false
	}
	slices.Sort(like)
	return like[(len(like)-1)/2], true
}
