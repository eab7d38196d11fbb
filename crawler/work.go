package crawler

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// task is one thing for a worker to do: read a list page, or get a post.
type task struct {
	lane    *lane
	list    *news.ListPage
	post    *news.Wanted
	sources []order // where to ask for the post
	partial bool    // mirrors that may have it are down, and not among these
	refresh bool    // the post is held: every source is asked whether it is as it was
	so      soFar   // what the sources before said
}

// soFar is what the sources of a post said that were asked already.
type soFar struct {
	fail      *failure       // that tells most of why they do not have it
	vain      []string       // the addresses of those that do not have it
	odd       *failure       // of the first that had something else in its place
	unread    *news.Captured // that page, until it is kept
	rechecked []rechecked
}

// result is what became of a task.
type result struct {
	task    task
	stopped bool // the run ended before the task was done: it is as if never begun
	partial bool // only some of the posts that a list page links: the worker goes on

	post    *news.Post // the post that was got, and the capture it was read from
	capture *news.Capture
	list    *news.ListPage // a list page's new state; nil where it could not be had
	listed  int            // how many of its posts are of the days within the mirror's window
	// unmodified: the server says that the list page is as it was.
	unmodified bool
	found      page.Page // what the page links
	fail       *failure  // why there is no list
	so         soFar     // what the post's sources said
	// hop: the next source is another host's, in whose lane the task is to go on.
	hop bool
	// large: it comes with the room for a large body, which is free again when its
	// batch is committed.
	large bool
}

// keepsBody reports whether the body of a page goes into the batch.
func (r *result) keepsBody() bool {
	return r.post != nil || r.so.unread != nil ||
		slices.ContainsFunc(r.so.rechecked, func(l rechecked) bool { return l.post != nil || l.unread != nil })
}

// serve is one worker.
func (r *run) serve(ctx context.Context, f *fetcher) error {
	for t := range r.tasks {
		var res result
		switch {
		case t.list != nil:
			res = r.readList(ctx, f, t)
		case t.refresh:
			res = r.recheck(f, &t)
		default:
			res = r.getPost(f, &t)
		}
		res.task = t
		if res.keepsBody() {
			res.large, f.answer.large = f.answer.large, false
		}
		f.transport.letGo(f.answer)
		if err := r.tell(ctx, res); err != nil {
			return err
		}
	}
	return nil
}

// tell gives a result to the run's goroutine, which takes it when it has room.
func (r *run) tell(ctx context.Context, res result) error {
	select {
	case r.results <- res:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readList fetches a list page, unless it is still as it was read before, and
// reads its links. Those of a long list are told in portions, so that never all
// of them are held.
func (r *run) readList(ctx context.Context, f *fetcher, t task) result {
	l := *t.list
	c, fail := f.fetch(order{kind: l.Kind, url: l.URL, mirror: l.Mirror, etag: l.ETag, lastModified: l.LastModified})
	if fail != nil {
		return r.listFailed(l, fail)
	}
	l.Checked, l.Gone = c.Fetched, time.Time{}
	if c.Status == http.StatusNotModified {
		return result{list: &l, unmodified: true}
	}
	s := r.siteOf(l.Mirror)
	told, listed, since := 0, 0, wholeDays(c.Fetched, s.window)
	found, err := s.ReadList(c, func(posts []news.Wanted) error {
		told, listed = told+len(posts), listed+dated(posts, since)
		return r.tell(ctx, result{task: t, partial: true, found: page.Page{Found: posts}})
	})
	if err != nil {
		fail, _ := f.unreadable(new(news.Wanted), c, err)
		return result{fail: fail}
	}
	l.Read, l.ETag, l.LastModified = c.Fetched, "", ""
	if told+len(found.Found)+len(found.Lists) > 0 { // an empty list is read again
		l.ETag, l.LastModified = c.Header.Get("ETag"), c.Header.Get("Last-Modified")
	}
	return result{list: &l, found: found, listed: listed + dated(found.Found, since)}
}

// listFailed tells what a failure says of a list page: one that is gone is
// remembered as such.
func (r *run) listFailed(l news.ListPage, fail *failure) result {
	res := result{fail: fail, stopped: fail.reason == reasonStopped || fail.rested()}
	if fail.reason == reasonGone {
		now := r.o.Now()
		if l.Gone.IsZero() {
			l.Gone = now
		}
		l.Checked, l.ETag, l.LastModified = now, "", ""
		res.list = &l
	}
	return res
}

// getPost asks a post's sources in turn until one has it, as far as they are of
// the lane's host.
func (r *run) getPost(f *fetcher, t *task) result {
	w, so := t.post, &t.so
	for ; len(t.sources) > 0; t.sources = t.sources[1:] {
		o := t.sources[0]
		if !t.lane.has(&o) {
			return result{hop: true}
		}
		c, fail := f.fetch(o)
		if fail != nil {
			if fail.reason == reasonStopped {
				return result{stopped: true}
			}
			so.no(o, fail)
			continue
		}
		p, err := r.siteOf(c.Mirror).ReadAs(c, w)
		if err == nil {
			return result{post: p.Post, capture: c, found: p, so: *so}
		}
		fail, unread := f.unreadable(w, c, err)
		so.no(o, fail)
		if unread != nil && so.odd == nil {
			so.odd, so.unread = fail, unread
		}
	}
	switch {
	case t.partial:
		so.fail = worse(so.fail, &failure{reason: reasonDown, url: w.FoundOn, err: errDown})
	case so.fail == nil:
		so.fail = &failure{reason: reasonGone, url: w.FoundOn, again: true, err: fmt.Errorf("post %s has no address that may be fetched", w.ID)}
	}
	return result{stopped: so.fail.left(), so: *so}
}

// no takes note that a source did not have the post.
func (so *soFar) no(o order, fail *failure) {
	so.fail = worse(so.fail, fail)
	if fail.reason == reasonGone {
		so.vain = append(so.vain, o.url)
	}
}

// sources returns where a post can be had, in order: its pages on the sites,
// the shared pages, the text behind them. Mirrors that did not answer are left
// out; partial tells that there are such. So are addresses that an interrupted
// run asked in vain, unless there are no others, nor will be once all mirrors
// answer.
func (r *run) sources(w *news.Wanted) (orders []order, partial bool) {
	var pages, shares, texts []order
	for _, s := range r.sites {
		if s.down {
			partial = partial || s.Name() == w.Mirror || slices.ContainsFunc(w.Pages, s.owns)
			continue
		}
		for _, address := range w.Pages {
			if o, owns := s.orderOf(address); owns {
				pages = append(pages, o)
			}
		}
		if w.InfoCode == "" {
			continue
		}
		if at := s.Share(w.InfoCode); at != "" {
			shares = append(shares, order{kind: news.KindShare, url: at, mirror: s.Name()})
		}
		if at := s.Text(w.InfoCode); at != "" {
			texts = append(texts, order{kind: news.KindText, url: at, mirror: s.Name()})
		}
	}
	orders = slices.Concat(pages, shares, texts)
	vain := func(o order) bool { return slices.Contains(w.Vain, o.url) }
	if !partial && !slices.ContainsFunc(orders, func(o order) bool { return !vain(o) }) {
		return orders, partial
	}
	return slices.DeleteFunc(orders, vain), partial
}

// unreadable tells what it means that a page could not be read as the post: a
// shell or a text page without text just does not have it; anything else is
// kept raw. A page that turns the crawler away is an answer of its host.
func (f *fetcher) unreadable(w *news.Wanted, c *news.Capture, err error) (*failure, *news.Captured) {
	fail := &failure{reason: reasonOf(err), url: c.URL, err: err}
	switch fail.reason {
	case reasonGone:
		return fail, nil
	case reasonBlocked, reasonLogin:
		fail.again = true
		f.turnedAway(c.URL)
	}
	kept := *w
	kept.Error = brief(err.Error())
	return fail, &news.Captured{Post: news.Post{ID: w.ID}, Capture: *c, Wanted: kept}
}

// worse returns the failure that says more about why a post could not be had:
// one that may pass leaves hope, and an odd answer tells more than that there
// is nothing.
func worse(a, b *failure) *failure {
	if a == nil || rank(b) > rank(a) {
		return b
	}
	return a
}

func rank(f *failure) int {
	switch {
	case f.again:
		return 3
	case f.left():
		return 2
	case f.reason != reasonGone:
		return 1
	}
	return 0
}
