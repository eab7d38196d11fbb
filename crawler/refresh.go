package crawler

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// refresh is the look at the posts that the archive holds, for revisions: all of
// the last days, once a run, after everything that is wanted.
type refresh struct {
	since     time.Time
	begun     bool
	cursor    news.ID
	exhausted bool
	skipped   map[uint64]bool // posts counted as skipped because they are held
}

// newRefresh returns a look at the posts of the last days; 0: none.
func newRefresh(days int, now time.Time) refresh {
	return refresh{since: now.AddDate(0, 0, -days), exhausted: days == 0, skipped: make(map[uint64]bool)}
}

// skip notes that a post was counted as skipped because it is held.
func (f *refresh) skip(id news.ID) {
	if !f.exhausted {
		f.skipped[compact(id)] = true
	}
}

// refreshOn queues the next held posts, once nothing else is left to do.
func (r *run) refreshOn(ctx context.Context) error {
	f := &r.refresh
	if f.exhausted || !f.begun && !r.quiet() {
		return nil
	}
	f.begun = true
	held, err := r.o.Store.Held(ctx, f.since, f.cursor, queueHigh-r.queue.posts())
	if err != nil {
		return fmt.Errorf("read held posts: %w", err)
	}
	f.exhausted = len(held) == 0
	for i := range held {
		f.cursor = held[i].ID
		r.queueHeld(&held[i])
	}
	return nil
}

// queueHeld queues a held post, unless it came in this very run, or no mirror
// of the run can have it.
func (r *run) queueHeld(h *news.Held) {
	orders := r.copies(h)
	if len(orders) == 0 {
		return
	}
	key := compact(h.ID)
	if r.refresh.skipped[key] {
		delete(r.refresh.skipped, key)
		add(r.report.Skipped, news.SkippedArchived, -1)
		r.mark(h.ID, standingPending) // it is counted anew
	} else if _, met := r.seen[key]; met {
		return
	}
	h.TitleSum = 0 // its title may have been corrected
	r.meet(h.ID, standingTaken)
	r.queue.addPost(task{post: &h.Wanted, sources: orders, refresh: true})
}

// copies returns where a held post is to be looked at again: at each mirror of
// the run that it was got from, and, as mirrors have the same paths, at the
// others in the same place.
func (r *run) copies(h *news.Held) []order {
	var orders []order
	have := make(map[string]bool)
	for _, c := range h.Copies {
		if s := r.siteNamed(c.Mirror); s != nil && !s.down {
			have[c.Mirror] = true
			orders = append(orders, order{kind: c.Kind, url: c.URL, mirror: c.Mirror, etag: c.ETag, lastModified: c.LastModified})
		}
	}
	for _, c := range h.Copies {
		from := r.siteNamed(c.Mirror)
		if from == nil || c.Kind != news.KindPost {
			continue
		}
		path, ok := strings.CutPrefix(c.URL, from.Home())
		for _, s := range r.sites {
			if ok && !have[s.Name()] && !s.down {
				have[s.Name()] = true
				orders = append(orders, order{kind: c.Kind, url: s.Home() + path, mirror: s.Name()})
			}
		}
	}
	return orders
}

// rechecked is what one mirror says of a held post.
type rechecked struct {
	order   order
	post    *news.Post // as it is there now
	capture *news.Capture
	found   page.Page
	fail    *failure // why there is none
	unread  *news.Captured
}

// unmodified reports whether the server says that the post is as it was.
func (l *rechecked) unmodified() bool { return l.fail == nil && l.post == nil }

// recheck asks every mirror for a held post, as far as they are of the lane's
// host.
func (r *run) recheck(f *fetcher, t *task) result {
	for ; len(t.sources) > 0; t.sources = t.sources[1:] {
		o := t.sources[0]
		if !t.lane.has(&o) {
			return result{hop: true}
		}
		l := rechecked{order: o}
		if l.capture, l.fail = f.fetch(o); l.fail == nil && l.capture.Status != http.StatusNotModified {
			var err error
			if l.found, err = r.siteOf(l.capture.Mirror).ReadAs(l.capture, t.post); err == nil {
				l.post = l.found.Post
			} else {
				l.fail, l.unread = f.unreadable(t.post, l.capture, err)
			}
		}
		t.so.rechecked = append(t.so.rechecked, l)
	}
	return result{so: t.so}
}

// takeRechecked enters what became of a held post. Whatever a server says now,
// nothing replaces what is held.
func (r *run) takeRechecked(res result) {
	w := res.task.post
	got, same, forgotten := false, false, true
	for _, l := range res.so.rechecked {
		switch {
		case l.post != nil:
			got = true
			r.enterPost(w, l.post, l.capture, l.found)
		case l.unmodified():
			same = true
			r.batch.Seen = append(r.batch.Seen, news.Seen{ID: w.ID, Mirror: l.order.mirror, Answer: news.RevisitOf(l.capture)})
		case l.fail.reason != reasonGone:
			forgotten = false
			if l.unread != nil {
				r.enterUnread(l.unread)
			}
			if !l.fail.left() {
				r.problemOf(w.ID, l.fail, "skipped", 0)
			}
		}
	}
	switch {
	case got: // it is counted when the archive has said what it is
	case !r.close(w.ID):
	case same:
		r.report.Unchanged++
	case forgotten:
		r.report.Skipped[news.SkippedForgotten]++
	default:
		r.report.Skipped[news.SkippedUnseen]++
	}
}

// dropRefreshes counts the held posts that the run did not come to.
func (r *run) dropRefreshes() {
	for _, id := range r.queue.refreshes() {
		if r.close(id) {
			r.report.Skipped[news.SkippedUnseen]++
		}
	}
}
