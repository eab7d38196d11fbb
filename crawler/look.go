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

	took  time.Duration // the look so far
	ended time.Time
}

// rested reports whether the next look may begin. A long frontier of posts that
// wait is not gone through again and again.
func (l *look) rested(now time.Time) bool { return now.Sub(l.ended) >= 4*l.took }

// again reports whether another look must follow.
func (l *look) again() bool { return l.stale || l.deferred > 0 }

// passes reports whether a post's turn has come.
func (l *look) passes(w *news.Wanted) bool {
	needs := 0
	switch {
	case len(w.Pages) == 0:
		needs = 2
	case w.Category == "":
		needs = 1
	}
	if needs <= l.level {
		return true
	}
	if l.deferred == 0 || needs < l.deferred {
		l.deferred = needs
	}
	return false
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
	// Much of the frontier may be none of this look's, but without a post
	// nothing might happen that leads here again.
	for first := true; !r.look.exhausted && (first || r.queue.posts() == 0); first = false {
		if err := r.lookOn(ctx); err != nil {
			return err
		}
	}
	if r.look.exhausted && !r.look.again() {
		return r.refreshOn(ctx)
	}
	return nil
}

// lookOn takes the next stretch of the frontier.
func (r *run) lookOn(ctx context.Context) error {
	began := time.Now()
	wanted, err := r.o.Store.Wanted(ctx, r.look.cursor, queueHigh-r.queue.posts())
	if err != nil {
		return fmt.Errorf("read frontier: %w", err)
	}
	r.look.exhausted, r.look.ended = len(wanted) == 0, time.Now()
	r.look.took += r.look.ended.Sub(began)
	for _, w := range wanted {
		r.look.cursor = w.ID
		r.queuePost(w)
	}
	return nil
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
