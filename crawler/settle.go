package crawler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// take enters the outcome of a task into the batch.
func (r *run) take(res result) {
	if r.empty() {
		r.began = r.o.Now()
	}
	if res.partial {
		l := res.task.list
		r.enter(r.siteOf(l.Mirror), l.URL, l.Depth, res.found)
		return
	}
	r.inFlight--
	r.queue.done(res.task)
	r.enterResult(res)
	switch {
	case !res.large:
	case r.empty(): // nothing of it is kept
		r.transport.freeRoom()
	default:
		r.large = true
	}
}

// enterResult enters the outcome of a task that is done.
func (r *run) enterResult(res result) {
	switch {
	case res.hop:
		r.hop(res.task)
	case res.task.list != nil:
		r.reading--
		r.takeList(res)
	case res.task.refresh:
		r.takeRechecked(res)
	case res.stopped:
		r.leave(&res.task)
	case res.post != nil:
		r.takePost(res)
	default:
		r.takeFailure(res)
	}
}

// takeList enters what became of a list page.
func (r *run) takeList(res result) {
	l := res.task.list
	s := r.siteOf(l.Mirror)
	s.asking--
	if l.URL == s.gate {
		r.openGate(s, res)
	}
	if res.list != nil {
		r.findGap(s, res.list)
		s.answered(res.list, res.listed)
		// Its validators are committed with the last of its links, or later:
		// else a crash in between would leave links that are never met again.
		defer func() { r.backlog = append(r.backlog, links{list: res.list}) }()
	}
	switch lists := &r.report.Lists; {
	case res.stopped:
		lists.Pending++
		return
	case res.fail != nil:
		r.listFailure(s, l, res.fail)
		return
	case res.unmodified:
		lists.NotModified++
		s.linked = true // or it would not have been kept with validators
	default:
		lists.Read++
		r.enter(s, l.URL, l.Depth, res.found)
	}
	s.read++
}

// openGate lets a mirror's other pages be asked for once its first list page
// has answered. A mirror whose home page is gone may still have its lists.
func (r *run) openGate(s *site, res result) {
	r.gates--
	res.task.lane.gates--
	s.down = res.fail != nil && !res.fail.answered()
	s.rested = res.fail != nil && res.fail.rested()
	if s.down {
		return
	}
	if r.o.Backfill == nil && !s.slow { // of a slow one there is a request a run, which chance has drawn
		s.decide(r.o.Limits.Lists)
	}
	for _, l := range s.entrances {
		r.queueList(l)
	}
	s.entrances = nil
}

// listFailure counts a list page that could not be had. Feed and sitemap need
// not exist; a category page that is gone is no failure either.
func (r *run) listFailure(s *site, l *news.ListPage, fail *failure) {
	lists, outcome := &r.report.Lists, "failed"
	switch {
	case fail.reason == reasonGone && l.Kind != news.KindHome:
		lists.Gone++
		return
	case fail.reason == reasonRobots:
		lists.Disallowed++
		outcome = "skipped"
	default:
		lists.Failed++
	}
	if s.err == nil {
		s.err = fail
	}
	r.problem(news.Problem{URL: l.URL, What: l.Kind, For: outcome}, fail)
}

// links is what waits to be entered into a batch: posts that a page links, or
// a list page.
type links struct {
	site  *site
	found []news.Wanted
	list  *news.ListPage
}

// enter takes the links of a page that lies so deep.
func (r *run) enter(s *site, from string, depth int, p page.Page) {
	s.linked = s.linked || len(p.Found)+len(p.Lists) > 0
	if p.Dropped > 0 {
		r.report.AddProblem(news.Problem{
			URL: from, What: news.KindOther, For: "skipped",
			Why: fmt.Sprintf("%d links left out beyond the first %d of a page", p.Dropped, page.MaxLinks),
		})
	}
	for _, l := range p.Lists {
		if l.Depth = depth + 1; r.queueList(l) {
			r.batch.Lists = append(r.batch.Lists, l)
		}
		s.hear(&l)
	}
	if len(p.Found) > 0 {
		r.backlog = append(r.backlog, links{site: s, found: p.Found})
		r.waiting += len(p.Found)
	}
	r.batch.Leads = append(r.batch.Leads, p.Leads...)
}

// pump moves waiting links into the batch, as long as it has room for them.
func (r *run) pump() {
	for len(r.backlog) > 0 && len(r.batch.Found) < batchLinks {
		l := &r.backlog[0]
		if r.empty() {
			r.began = r.o.Now()
		}
		switch {
		case len(l.found) > 0:
			r.enterLink(l.site, &l.found[0])
			l.found = l.found[1:]
			r.waiting--
		case l.list != nil:
			r.batch.Lists = append(r.batch.Lists, *l.list)
			l.list = nil
		default:
			r.backlog = r.backlog[1:]
		}
	}
}

// enterLink puts a linked post into the batch unless the run knows how it
// stands and the link tells nothing new.
func (r *run) enterLink(s *site, w *news.Wanted) {
	if len(s.only) > 0 && w.Category == "" {
		return // met on a post page: not necessarily of a category that is wanted
	}
	if r.elsewhere(w.ID) {
		r.batch.Found = append(r.batch.Found, *w)
		return
	}
	old, met := r.seen[compact(w.ID)]
	switch {
	case !met && len(r.seen) >= maxPosts:
		r.tooMany(w.FoundOn, news.KindOther, fmt.Errorf("the run knows %d posts already", maxPosts))
		return
	case old == standingDone && !r.tellsPage(w) && !r.comparable(w):
		return
	case met && len(w.Pages) == 0 && w.Category == "" && len(r.sites) == 1: // another mirror would be news
		return
	}
	r.meet(w.ID, standingFound)
	r.batch.Found = append(r.batch.Found, *w)
}

// comparable reports whether a link shows a title that another mirror's can differ
// from.
func (r *run) comparable(w *news.Wanted) bool {
	return len(r.sites) > 1 && w.TitleSum != 0 && len(w.Pages) > 0
}

// tellsPage reports whether a link tells of a page of a post that failed without
// that one having been asked for.
func (r *run) tellsPage(w *news.Wanted) bool {
	failed, ok := r.failed[compact(w.ID)]
	return ok && slices.ContainsFunc(w.Pages, func(page string) bool { return !slices.Contains(failed.pages, page) })
}

// hop lets a post go on in the lane of its next source. What could not be read as
// it is kept now: a queue of such pages would fill the memory.
func (r *run) hop(t task) {
	if t.so.unread != nil {
		r.enterUnread(t.so.unread)
		t.so.unread = nil
	}
	r.queue.addPost(t)
}

// leave leaves a post in the frontier, with the sources that were asked in vain.
func (r *run) leave(t *task) {
	if r.days != nil {
		r.days.left = true
	}
	if t.so.unread != nil {
		r.enterUnread(t.so.unread)
	}
	if len(t.so.vain) == 0 {
		return
	}
	w := *t.post
	w.Vain = slices.Concat(w.Vain, t.so.vain)
	slices.Sort(w.Vain)
	w.Vain = slices.Compact(w.Vain) // where all were, all were asked again
	r.batch.Tried = append(r.batch.Tried, w)
}

// takePost enters a post that was got.
func (r *run) takePost(res result) {
	if res.so.odd != nil {
		r.problemOf(res.task.post.ID, res.so.odd, "got elsewhere", 0)
	}
	if u := res.so.unread; u != nil && len(u.Capture.Body) > 0 {
		r.enterUnread(u)
	}
	r.enterPost(res.task.post, res.post, res.capture, res.found)
}

func (r *run) enterPost(w *news.Wanted, p *news.Post, c *news.Capture, found page.Page) {
	c.Mode = r.mode()
	r.batch.Posts = append(r.batch.Posts, news.Captured{Post: *p, Capture: *c, Wanted: *w})
	r.size += int64(len(c.Body) + len(p.Body))
	r.countPage(c.Kind, p)
	r.enter(r.siteOf(c.Mirror), c.URL, 0, found)
}

// enterUnread keeps a capture apart that could not be read.
func (r *run) enterUnread(u *news.Captured) {
	r.countPage(u.Capture.Kind, nil)
	r.batch.Unread = append(r.batch.Unread, *u)
	r.size += int64(len(u.Capture.Body))
}

// takeFailure enters a post that could not be had: for now, or for good.
func (r *run) takeFailure(res result) {
	w := *res.task.post
	w.Vain = nil
	if r.seen[compact(w.ID)] == standingDone {
		return // another address had the post meanwhile
	}
	fail := res.so.fail
	if res.so.unread != nil {
		r.enterUnread(res.so.unread)
	}
	w.Run = r.report.ID
	w.Error = brief(fail.Error())
	switch {
	case fail.reason == reasonRobots: // it stays in the frontier: the rules may change
		r.batch.Tried = append(r.batch.Tried, w)
		r.problemOf(w.ID, fail, "skipped", w.Attempts)
		r.mark(w.ID, standingDone)
		add(r.report.Skipped, news.SkippedDisallowed, 1)
		r.failed[compact(w.ID)] = failedPost{w.Pages, func() { add(r.report.Skipped, news.SkippedDisallowed, -1) }}
		return
	case fail.again && w.Attempts+1 < r.o.Limits.Attempts:
		w.Attempts++
		w.Next = r.o.Now().Add(r.putOff(w.Attempts))
		r.batch.Tried = append(r.batch.Tried, w)
		r.problemOf(w.ID, fail, "pending", w.Attempts)
		return
	}
	w.Attempts++
	w.Next = r.o.Now().Add(r.putOff(w.Attempts)) // if a list goes on linking it
	r.batch.Failed = append(r.batch.Failed, w)
	if w.Of != "" { // the post is held
		r.problemOf(w.Of, fail, "skipped", w.Attempts)
		r.mark(w.ID, standingDone)
		add(r.report.Skipped, news.SkippedUnseen, 1)
		return
	}
	if r.days == nil || fail.reason != reasonGone { // what is gone is no problem of a backfill: its days tell
		r.problemOf(w.ID, fail, "failed", w.Attempts)
	}
	r.countFailed(&w, fail)
}

// countFailed counts a post that is not to be had.
func (r *run) countFailed(w *news.Wanted, fail *failure) {
	r.mark(w.ID, standingDone)
	add(r.report.Failed, string(fail.reason), 1)
	add(r.report.Attempts, string(fail.reason), w.Attempts)
	r.failed[compact(w.ID)] = failedPost{w.Pages, func() {
		add(r.report.Failed, string(fail.reason), -1)
		add(r.report.Attempts, string(fail.reason), -w.Attempts)
	}}
}

// add adds to a count, of which none is left where it is zero.
func add(counts map[string]int, key string, n int) {
	if counts[key] += n; counts[key] == 0 {
		delete(counts, key)
	}
}

// maxPutOff bounds how long a post is put off: a mirror shows it for three days.
const maxPutOff = 6 * time.Hour

// putOff returns how long a post that could not be had is left alone after so
// many attempts.
func (r *run) putOff(attempts int) time.Duration {
	d := r.o.Limits.PutOff
	for range attempts - 1 {
		if d >= maxPutOff {
			break
		}
		d *= 2
	}
	return min(d, maxPutOff)
}

// commitAll is the committer: it makes batches durable, one after the other.
func (r *run) commitAll(ctx context.Context) error {
	for b := range r.batches {
		s := settlementOf(b)
		var err error
		if s.done, err = r.o.Store.Commit(ctx, b); err != nil {
			return fmt.Errorf("commit %d posts: %w", len(s.posts), err)
		}
		r.settled <- s // has room: one batch is under way at a time
	}
	return nil
}

// settle counts what a committed batch was to the archive.
func (r *run) settle(s settlement) {
	r.committed--
	r.entering = 0
	if r.storing {
		r.storing = false
		r.transport.freeRoom()
	}
	for i, change := range s.done.Posts {
		r.settlePost(&s.posts[i], change)
	}
	for i, standing := range s.done.Found {
		r.settleLink(&s.found[i], standing)
	}
	r.report.Leads += s.done.Leads
	if s.done.Leads > 0 {
		r.learnLeads(s.leads)
	}
	r.look.stale = r.look.stale || s.done.Others > 0
	r.o.Log.Debug("batch committed", "run", r.report.ID, "posts", len(s.posts), "links", len(s.found))
	if r.o.Progress != nil {
		r.o.Progress(Progress{Run: *r.snapshot(), Queued: r.queue.lists() + r.queue.posts(), InFlight: r.inFlight})
	}
}

func (r *run) settlePost(p *settledPost, change news.Change) {
	if change == news.ChangeDiffers {
		r.report.Differing++
		r.problem(news.Problem{URL: p.Capture.URL, ID: p.Post.ID, What: p.Capture.Kind, For: "differs"},
			&failure{reason: reasonDiffers, err: fmt.Errorf("%s has it otherwise than the mirror it was got from before; both are kept", p.Capture.Mirror)})
	}
	if p.Post.ID != p.Wanted.ID {
		r.settleIdentity(&p.Captured)
	}
	if !r.close(p.Wanted.ID) {
		return
	}
	r.countChange(&p.Captured, change)
	for _, lack := range p.lacks {
		r.report.Incomplete[lack]++
	}
	if len(p.lacks) > 0 {
		fail := &failure{reason: reasonIncomplete, err: fmt.Errorf("archived without %s", strings.Join(p.lacks, ", "))}
		r.problem(news.Problem{URL: p.Capture.URL, ID: p.Post.ID, What: p.Capture.Kind, For: "incomplete"}, fail)
	}
}

// settleIdentity settles a post whose page turned out to be a post of another
// identity than its link had. Where the run met that one too, it has met two posts
// that are one: one of them is the duplicate, and the other is what the page is to
// the archive.
func (r *run) settleIdentity(p *news.Captured) {
	other := compact(p.Post.ID)
	standing, met := r.seen[other]
	failed, inVain := r.failed[other]
	switch {
	case !met:
		r.mark(p.Post.ID, standingDone)
		return
	case standing != standingDone:
		r.mark(p.Post.ID, standingDone)
	case inVain: // its own page was, and this one is not
		delete(r.failed, other)
		failed.uncount()
	case p.Wanted.Of != "": // what another mirror has of it is counted for itself
		return
	case !r.close(p.Wanted.ID): // both were counted before
		return
	}
	add(r.report.Skipped, news.SkippedDuplicate, 1)
}

// close marks a post as counted for good, and returns false if it was already.
func (r *run) close(id news.ID) bool {
	if old, met := r.seen[compact(id)]; met && old == standingDone {
		return false
	}
	r.mark(id, standingDone)
	return true
}

func (r *run) settleLink(w *news.Wanted, s news.Standing) {
	if r.elsewhere(w.ID) {
		return
	}
	r.credit(w, s)
	key := compact(w.ID)
	old := r.seen[key]
	switch {
	case s == news.StandingArchived:
		if old != standingDone { // by another run, where it was pending
			r.mark(w.ID, standingDone)
			add(r.report.Skipped, news.SkippedArchived, 1)
			r.refresh.skip(w.ID)
		}
	case s == news.StandingFailed:
		r.settleFailed(w, old)
	case old == standingDone:
		if failed := r.failed[key]; r.tellsPage(w) {
			delete(r.failed, key)
			failed.uncount()
			r.mark(w.ID, standingPending)
			r.look.stale = true
		}
	case old == standingFound:
		r.mark(w.ID, standingPending)
		if s == news.StandingNew && !r.siteOf(w.Mirror).slow { // of which posts pass as they are
			r.look.hear(w)
		} else {
			r.look.stale = true
		}
		r.learnLeads([]news.Wanted{*w})
	case old == standingPending && w.Category != "":
		r.look.stale = true // it may have waited for that
	}
}

// settleFailed counts a linked post that earlier runs found not to be had.
func (r *run) settleFailed(w *news.Wanted, old standing) {
	switch {
	case old == standingFound:
		r.mark(w.ID, standingDone)
		add(r.report.Skipped, news.SkippedFailed, 1)
		r.failed[compact(w.ID)] = failedPost{w.Pages, func() { add(r.report.Skipped, news.SkippedFailed, -1) }}
	case old == standingDone && r.tellsPage(w): // one that was in vain before, too
		failed := r.failed[compact(w.ID)]
		failed.pages = append(slices.Clip(failed.pages), w.Pages...)
		r.failed[compact(w.ID)] = failed
	}
}
