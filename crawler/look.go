package crawler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// look is a look through the frontier, from its first post to its last. Posts of
// which a list page that is read meanwhile may tell more, namely a page of their
// own or a category, wait until one does, or else for a look when nothing else is
// left to do.
type look struct {
	cursor    news.ID // up to which the frontier was looked through
	exhausted bool    // it was looked through to its end
	stale     bool    // it has got new posts since
	// level is what this look lets pass: 0 asks for posts with a page and a
	// category, 1 also for those without category, 2 for those without a page.
	level    int
	deferred int // the lowest level that a post waits for; 0: none does

	reading bool // its next stretch is being read
	took    time.Duration
	ended   time.Time
}

// stretch is a part of the frontier, from one post to another.
type stretch struct {
	after  news.ID
	most   int // posts
	wanted []news.Wanted
	took   time.Duration
}

// rested reports whether the next look may begin. A long frontier of posts that
// wait is not gone through again and again.
func (l *look) rested(now time.Time) bool { return now.Sub(l.ended) >= 4*l.took }

// again reports whether another look must follow.
func (l *look) again() bool { return l.stale || l.deferred > 0 }

// levelOf returns the level of the first look that lets a post pass.
func levelOf(w *news.Wanted) int {
	switch {
	case len(w.Pages) == 0:
		return 2
	case w.Category == "":
		return 1
	}
	return 0
}

// passes reports whether a post's turn has come.
func (l *look) passes(w *news.Wanted) bool {
	if needs := levelOf(w); needs > l.level {
		l.putOff(needs)
		return false
	}
	return true
}

// putOff takes note that a post waits for a look of a level.
func (l *look) putOff(level int) {
	if l.deferred == 0 || level < l.deferred {
		l.deferred = level
	}
}

// hear takes note of a post that is new in the frontier. Where it would wait, so
// does the look at it.
func (l *look) hear(w *news.Wanted) {
	if needs := levelOf(w); needs > 0 {
		l.putOff(needs)
	} else {
		l.stale = true
	}
}

// refill tops the queue up from the frontier. Once that was looked through,
// another look follows if it has got new posts, so that posts do not wait until
// the last list was read; then one for posts without category, and when nothing is
// left in flight, one for those without a page.
func (r *run) refill(ctx context.Context) error {
	switch {
	case r.gates > 0 || r.queue.posts() >= queueLow:
		return nil
	case r.days != nil:
		return r.daysOn(ctx)
	}
	switch {
	case !r.look.exhausted:
	case r.look.stale && r.look.rested(time.Now()):
		r.look = look{}
	case r.look.deferred == 1 && r.listsRead(), r.look.deferred > 0 && r.quiet():
		r.look = look{level: r.look.deferred}
	}
	if !r.look.exhausted && !r.look.reading {
		r.look.reading = true
		r.looks <- stretch{after: r.look.cursor, most: queueHigh - r.queue.posts()} // has room: one is read at a time
	}
	if r.look.exhausted && !r.look.again() {
		return r.refreshOn(ctx)
	}
	return nil
}

// lookAll is the reader of the frontier. It alone waits where the store can be read
// only between two commits; meanwhile the run lives on what is queued.
func (r *run) lookAll(ctx context.Context) error {
	for s := range r.looks {
		began := time.Now()
		var err error
		if s.wanted, err = r.o.Store.Wanted(ctx, s.after, s.most); err != nil {
			if ctx.Err() != nil {
				return nil // the run ends, and needs no more
			}
			return fmt.Errorf("read frontier: %w", err)
		}
		s.took = time.Since(began)
		r.looked <- s // has room, likewise
	}
	return nil
}

// takeStretch queues what the look at the frontier has found.
func (r *run) takeStretch(s stretch) {
	r.look.reading = false
	r.look.exhausted, r.look.ended = len(s.wanted) == 0, time.Now()
	r.look.took += s.took
	for _, w := range s.wanted {
		r.look.cursor = w.ID
		r.queuePost(w)
	}
}

// queuePost queues a post of the frontier unless this run has done so already
// or cannot, or its turn comes later.
func (r *run) queuePost(w news.Wanted) {
	if r.seen[compact(w.ID)] >= standingTaken || !r.knows(&w) {
		return
	}
	if r.days == nil && !r.siteOf(w.Mirror).slow && !r.look.passes(&w) || r.waits(&w) || r.isPutOff(&w) {
		r.meet(w.ID, standingPending)
		return
	}
	r.meet(w.ID, standingTaken)
	sources, partial := r.sources(&w)
	r.queue.addPost(task{post: &w, sources: sources, partial: partial})
}

// isPutOff reports whether a post is not to be tried again yet.
func (r *run) isPutOff(w *news.Wanted) bool {
	wait := w.Next.Sub(r.o.Now())
	return 0 < wait && wait <= maxPutOff // for longer only where a clock was wrong
}

// knows reports whether a mirror of the run that has answered linked the post,
// or has a page of it, or, in a backfill, serves posts by infoCode.
func (r *run) knows(w *news.Wanted) bool {
	return slices.ContainsFunc(r.sites, func(s *site) bool {
		linked := s.Name() == w.Mirror || slices.Contains(w.Also, s.Name()) || slices.ContainsFunc(w.Pages, s.owns)
		return !s.down && (linked || r.days != nil && s.serves(w.InfoCode))
	})
}

// listsRead reports whether no list that is known now has anything more to tell.
func (r *run) listsRead() bool {
	return r.queue.lists()+r.heldLists()+r.reading+len(r.backlog)+len(r.batch.Found)+r.entering == 0
}
