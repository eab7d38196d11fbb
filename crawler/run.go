package crawler

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/revisit"
)

const (
	// A batch is committed when it holds so many posts or bytes, or is so old.
	batchPosts = 512
	batchBytes = 4 << 20
	batchLinks = 2048
	batchAge   = 250 * time.Millisecond

	// The queue is filled from the frontier to queueHigh when it falls below
	// queueLow: enough to keep the workers busy during a commit, and no more
	// in memory however long the frontier is.
	queueHigh = 1024
	queueLow  = 512

	// maxLists bounds the list pages of a run: a mirror has some 2,000. maxDepth
	// bounds how many links may lead to one, which is one on a mirror as it should
	// be, and without end where each page links a next one that is made up.
	maxLists = 20_000
	maxDepth = 10

	// maxPosts bounds the posts that a run meets: a mirror shows some 20,000.
	maxPosts = 200_000

	// goneAgain is how long a list page that was gone is left alone.
	goneAgain = 24 * time.Hour
)

// run is the state of a run. Only its own goroutine touches it, but for the
// channels and what is marked.
type run struct {
	o      *Options
	sites  []*site
	memory *memory
	rhythm *revisit.Rhythm
	report *news.Run

	transport *transport

	tasks   chan task
	results chan result
	batches chan *news.Batch
	settled chan settlement
	looks   chan stretch
	looked  chan stretch

	queue    queue
	known    map[string]bool     // addresses of list pages met in this run
	overflow bool                // there was more than a run takes
	seen     map[uint64]standing // by compact identity
	failed   map[uint64]failedPost
	open     int     // of seen, those that are not done
	look     look    // at the frontier
	refresh  refresh // the look at held posts
	days     *days   // that a backfill goes through; nil in a crawl
	inFlight int
	reading  int // of these, list pages
	gates    int // first list pages not answered yet, for which everything else waits

	backlog   []links // to be entered into batches, in order
	waiting   int     // posts in the backlog
	batch     *news.Batch
	began     time.Time // of the batch
	size      int64     // of the batch's bodies
	large     bool      // the batch holds the room for a large body
	committed int       // batches handed to the committer and not yet settled: 0 or 1
	entering  int       // links in these
	storing   bool      // they hold the room for a large body
}

// standing is what a run has counted a post as.
type standing uint8

const (
	standingFound   standing = iota // linked; the archive has not said yet how it stands
	standingPending                 // in the frontier
	standingTaken                   // from the frontier into the queue; once a run
	standingDone                    // counted for good
)

// failedPost is a post that the run counted as failed, or an earlier one did.
type failedPost struct {
	pages   []string // that are known to be in vain
	uncount func()   // takes the count back
}

// settlement is what is left of a committed batch, and what came of it. While a
// batch is committed the committer holds no more of it than this, so that the
// store can let the pages go as soon as it has packed them.
type settlement struct {
	posts []settledPost
	found []news.Wanted
	leads []news.Wanted
	done  news.Committed
}

// settledPost is a post of a committed batch, without page and body.
type settledPost struct {
	news.Captured
	lacks []string
}

// settlementOf returns what a batch is settled by.
func settlementOf(b *news.Batch) settlement {
	s := settlement{posts: make([]settledPost, len(b.Posts)), found: b.Found, leads: b.Leads}
	for i := range b.Posts {
		s.posts[i] = settledPost{b.Posts[i], b.Posts[i].Post.Lacks()}
		s.posts[i].Capture.Body, s.posts[i].Post.Body = nil, ""
	}
	return s
}

func newRun(o *Options, sites []*site) *run {
	report := &news.Run{Command: o.Command, Started: o.Now().In(news.Shanghai), Ending: news.EndingRunning}
	for _, s := range sites {
		report.Mirrors = append(report.Mirrors, s.Name())
	}
	r := &run{
		o: o, sites: sites,
		tasks: make(chan task), results: make(chan result),
		batches: make(chan *news.Batch), settled: make(chan settlement, 1),
		looks: make(chan stretch, 1), looked: make(chan stretch, 1),
		known: make(map[string]bool), seen: make(map[uint64]standing), failed: make(map[uint64]failedPost),
		queue: queue{parallel: o.Limits.Parallel}, refresh: newRefresh(o.Refresh, o.Now()),
		batch: new(news.Batch),
	}
	if o.Backfill != nil {
		r.days = newDays(o.Backfill)
		report.Backfill = o.Backfill.report(report.Started)
	}
	r.report = report.Clone()
	return r
}

// loop is the run's goroutine.
func (r *run) loop(ctx, work context.Context) error {
	if err := r.start(work); err != nil {
		return err
	}
	tick := time.NewTicker(batchAge)
	defer tick.Stop()
	stopping := false
	for {
		if !stopping && ctx.Err() == nil { // else the plan would take a list that the end kept from being asked as read
			r.choose()
			if err := r.refill(work); err != nil {
				return err
			}
		}
		r.pump()
		r.queue.drop(r.isDone)
		if r.idle(stopping) {
			break
		}
		next, tasks := r.next(stopping)
		batch, batches := r.due(stopping)
		select {
		case tasks <- next:
			r.taken(next)
		case res := <-r.taking():
			r.take(res)
		case batches <- batch:
			r.handedOver()
		case s := <-r.settled:
			r.settle(s)
		case s := <-r.looked:
			if !stopping {
				r.takeStretch(s)
			}
		case <-tick.C:
		case <-done(ctx, stopping):
			stopping = true
			r.leaveQueued()
		case <-work.Done():
			return work.Err()
		}
	}
	return r.finish(work, context.Cause(ctx))
}

// leaveQueued leaves the posts of the queue that were begun, and are not to be
// gone on with.
func (r *run) leaveQueued() {
	for _, l := range r.queue.lanes {
		for i := range l.posts {
			r.leave(&l.posts[i])
		}
	}
}

// taking returns the channel of results, or none while there is no room for
// more: one batch is being committed and the next is full.
func (r *run) taking() <-chan result {
	if r.committed > 0 && r.full() {
		return nil
	}
	return r.results
}

// done returns a channel that is closed when the run is told to end, or none
// once it knows.
func done(ctx context.Context, stopping bool) <-chan struct{} {
	if stopping {
		return nil
	}
	return ctx.Done()
}

// start queues every mirror's first list page, which is its home page unless
// the configuration names others, or its host is slow. The mirror's other lists,
// and all posts, wait until it has answered: a mirror that is down is asked no more
// than that.
func (r *run) start(ctx context.Context) error {
	if err := r.findEntrances(ctx); err != nil {
		return err
	}
	if err := r.learnRhythm(ctx); err != nil {
		return err
	}
	for _, s := range r.sites {
		if s.slow = r.isSlow(s); s.slow && r.takeTurns(s) {
			continue
		}
		r.bar(s)
	}
	return nil
}

// findEntrances finds each mirror's first list pages, of which a run for posts
// that somebody named asks for none.
func (r *run) findEntrances(ctx context.Context) error {
	if r.leadsOnly() {
		return nil
	}
	for _, s := range r.sites {
		known, err := r.o.Store.Lists(ctx, s.Name())
		if err != nil {
			return fmt.Errorf("list pages of mirror %s: %w", s.Name(), err)
		}
		s.entrances = s.begin(known)
		for i := range known {
			if known[i].Checked.After(s.last) {
				s.last = known[i].Checked
			}
		}
	}
	return nil
}

// isSlow reports whether the host of a site's home page wants more time between
// two requests than a run sits out, as far as an earlier run learned.
func (r *run) isSlow(s *site) bool {
	u, err := url.Parse(s.Home())
	return err == nil && r.o.Limits.Robots && delayOf(r.memory.robots(originOf(u))) > maxPatience
}

// takeTurns lets chance draw what is first asked of a slow site, since that is all
// that a run asks of it: which list, or else a post, if one is wanted. So each comes
// to its turn in some run. It returns whether posts come first.
func (r *run) takeTurns(s *site) bool {
	l := r.queue.lane(hostOf(s.Home()))
	l.alone = true
	rand.Shuffle(len(s.entrances), func(i, j int) { s.entrances[i], s.entrances[j] = s.entrances[j], s.entrances[i] })
	if rand.N(2) == 0 || r.transport.host(hostOf(s.Home())).available(time.Now(), false) != nil {
		return false
	}
	for _, list := range s.entrances {
		r.queueList(list)
	}
	s.entrances = nil
	l.listed = true
	return true
}

// bar queues the first list page of a mirror that is to be read; it is the gate
// to the others.
func (r *run) bar(s *site) {
	queued := r.queue.lists()
	for len(s.entrances) > 0 && r.queue.lists() == queued {
		s.gate = s.entrances[0].URL
		r.queueList(s.entrances[0])
		s.entrances = s.entrances[1:]
	}
	if r.queue.lists() > queued {
		r.gates++
		r.queue.lane(hostOf(s.gate)).gates++
	}
}

// begin returns the list pages from which a run begins: those that every
// mirror has, home first, and those that earlier runs found, as far as the
// configuration still has the mirror there; or else those that it names.
func (s *site) begin(known []news.ListPage) []news.ListPage {
	begin := []news.ListPage{
		{URL: s.Home(), Mirror: s.Name(), Kind: news.KindHome},
		{URL: s.Feed(), Mirror: s.Name(), Kind: news.KindFeed},
		{URL: s.Sitemap(), Mirror: s.Name(), Kind: news.KindSitemap},
	}
	if len(s.only) > 0 {
		begin = begin[:0]
		for _, at := range s.only {
			begin = append(begin, news.ListPage{URL: at, Mirror: s.Name(), Kind: news.KindCategory})
		}
	}
	for i := range begin {
		at := slices.IndexFunc(known, func(l news.ListPage) bool { return l.URL == begin[i].URL })
		if at >= 0 {
			begin[i] = known[at]
		}
	}
	for _, l := range known {
		if u, err := url.Parse(l.URL); err == nil && slices.Contains(s.Hosts(), page.HostOf(u)) {
			begin = append(begin, l)
		}
	}
	return begin
}

// queueList queues a list page unless the run has met it, or it is none that
// the configuration wants, or it is known to be gone. It returns whether the run
// met it for the first time.
func (r *run) queueList(l news.ListPage) bool {
	if r.known[l.URL] || r.leadsOnly() || !r.siteOf(l.Mirror).wants(l.URL) {
		return false
	}
	if len(r.known) >= maxLists {
		r.tooMany(l.URL, l.Kind, fmt.Errorf("the run knows %d list pages already", maxLists))
		return false
	}
	if l.Depth > maxDepth {
		r.tooMany(l.URL, l.Kind, fmt.Errorf("more than %d links lead to it from the home page", maxDepth))
		return false
	}
	r.known[l.URL] = true
	age := r.o.Now().Sub(l.Checked)
	gone := !l.Gone.IsZero() && l.Kind != news.KindHome && 0 <= age && age < goneAgain // a clock can have been wrong
	if s := r.siteOf(l.Mirror); !gone && !r.readBefore(&l) && !s.follow(&l) {
		r.askFor(s, l)
	}
	return true
}

// tooMany tells, once, that a mirror links more than a run takes.
func (r *run) tooMany(at string, kind news.PageKind, why error) {
	if !r.overflow {
		r.overflow = true
		r.problem(news.Problem{URL: at, What: kind, For: "skipped"}, &failure{reason: reasonTooMany, err: why})
	}
}

func (s *site) wants(list string) bool { return len(s.only) == 0 || slices.Contains(s.only, list) }

// owns reports whether an address is one of the site's post pages.
func (s *site) owns(address string) bool {
	_, owns := s.orderOf(address)
	return owns
}

// orderOf returns the order for an address, if it is one of the site's post pages.
func (s *site) orderOf(address string) (o order, owns bool) {
	u, err := url.Parse(address)
	if err != nil || s.Kind(u) != news.KindPost {
		return order{}, false
	}
	return order{kind: news.KindPost, url: address, host: page.HostOf(u), mirror: s.Name()}, true
}

// siteOf returns the site of a mirror. Every task names one of the run's.
func (r *run) siteOf(mirror string) *site {
	if s := r.siteNamed(mirror); s != nil {
		return s
	}
	return r.sites[0] // not reached
}

// siteNamed returns the site of a mirror, or nil if the run has none of it.
func (r *run) siteNamed(mirror string) *site {
	for _, s := range r.sites {
		if s.Name() == mirror {
			return s
		}
	}
	return nil
}

// meet records that the run has met a post, and counts it the first time.
func (r *run) meet(id news.ID, s standing) {
	old, met := r.seen[compact(id)]
	if !met {
		r.report.Discovered++
	}
	r.mark(id, max(old, s))
}

// mark sets how a post stands.
func (r *run) mark(id news.ID, s standing) {
	key := compact(id)
	if old, met := r.seen[key]; met && old != standingDone {
		r.open--
	}
	if s != standingDone {
		r.open++
	}
	r.seen[key] = s
}

// compact returns an identity in eight bytes: a run remembers every post that
// it met, and an infoCode's 18 digits fit.
func compact(id news.ID) uint64 {
	if n, err := strconv.ParseUint(string(id), 10, 64); err == nil {
		return n
	}
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64() | 1<<63 // no infoCode has this bit
}

// quiet reports whether nothing is queued, about to be, in flight or uncommitted.
func (r *run) quiet() bool {
	return !r.look.reading && r.queue.lists() == 0 && r.queue.posts() == 0 && r.inFlight == 0 && r.settledAll()
}

func (r *run) idle(stopping bool) bool {
	if stopping {
		return r.inFlight == 0 && r.settledAll()
	}
	if r.days != nil {
		return r.quiet() && r.days.over
	}
	return r.quiet() && r.look.exhausted && !r.look.again() && r.refresh.exhausted
}

// settledAll reports whether everything that was learned is committed.
func (r *run) settledAll() bool { return r.committed == 0 && len(r.backlog) == 0 && r.empty() }

func (r *run) empty() bool {
	b := r.batch
	return r.memory.empty() && len(b.Posts)+len(b.Unread)+len(b.Found)+len(b.Leads)+len(b.Tried)+len(b.Failed)+len(b.Lists)+len(b.Seen)+len(b.Hosts) == 0
}

// next returns the task to hand out. While the links of earlier lists wait, no
// list is read. Without a task the channel is nil.
func (r *run) next(stopping bool) (task, chan<- task) {
	if !stopping {
		if t, ok := r.queue.next(r.waiting < batchLinks, r.gates > 0 || r.look.reading); ok {
			return t, r.tasks
		}
	}
	return task{}, nil
}

// taken takes the task that was handed out off its queue.
func (r *run) taken(t task) {
	r.queue.taken(t)
	r.inFlight++
	if t.list != nil {
		r.reading++
	}
}

// due returns the batch to commit: one that is full or old, or all there is
// when the run has nothing else to wait for. Without one the channel is nil.
func (r *run) due(stopping bool) (*news.Batch, chan<- *news.Batch) {
	if r.empty() || r.committed > 0 {
		return nil, nil
	}
	waiting := r.inFlight == 0 && (stopping || r.queue.lists()+r.queue.posts() == 0)
	if age := r.o.Now().Sub(r.began); !waiting && !r.full() && 0 <= age && age < batchAge {
		return nil, nil
	}
	r.batch.Attempts = r.o.Limits.Attempts
	r.batch.Run, r.batch.Hosts = r.snapshot(), append(r.batch.Hosts, r.memory.news()...)
	return r.batch, r.batches
}

func (r *run) full() bool {
	return len(r.batch.Posts)+len(r.batch.Failed)+len(r.batch.Tried)+len(r.batch.Seen) >= batchPosts ||
		len(r.batch.Found) >= batchLinks || r.size >= batchBytes || r.large
}

// isDone reports whether a post was counted for good: archived meanwhile, from an
// address that did not tell its identity.
func (r *run) isDone(id news.ID) bool { return r.seen[compact(id)] == standingDone }

// handedOver begins a new batch after the last was given to the committer.
func (r *run) handedOver() {
	r.committed++
	r.entering, r.storing = len(r.batch.Found), r.large
	r.batch, r.size, r.large = &news.Batch{
		Posts: make([]news.Captured, 0, len(r.batch.Posts)), Found: make([]news.Wanted, 0, len(r.batch.Found)),
	}, 0, false
}
