package news

import (
	"maps"
	"time"
)

// Run is the report of one run. Its numbers add up:
//
//	Discovered = New + Revised + Unchanged + Σ Skipped + Σ Failed + Pending
type Run struct {
	ID      uint64    `json:"run"` // from 1, rising
	Command string    `json:"command"`
	Mirrors []string  `json:"mirrors"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"` // zero: still running, or killed
	Ending  string    `json:"ending"`         // why it ended, see the Ending constants

	// Discovered counts the different posts met in this run. One that another
	// mirror's list shows under another title counts once more, for that page.
	Discovered int            `json:"discovered"`
	New        int            `json:"new"`
	Revised    int            `json:"revised"`
	Unchanged  int            `json:"unchanged"`
	Skipped    map[string]int `json:"skipped"` // by reason
	Failed     map[string]int `json:"failed"`  // for good, by final error
	// Attempts sums, for the posts that Failed counts, in how many runs each was
	// tried, by final error.
	Attempts map[string]int `json:"attempts"`
	Pending  int            `json:"pending"` // left in the frontier for the next run

	// Differing counts those of Revised that another mirror has otherwise.
	Differing  int            `json:"differing"`
	Incomplete map[string]int `json:"incomplete"` // archived posts that lack something, by what they lack
	Leads      int            `json:"leads"`      // related posts recorded that the archive lacks

	Lists     Lists              `json:"lists"`
	Requests  map[PageKind]int   `json:"requests"`  // sent, retries and robots.txt included
	Statuses  map[int]int        `json:"statuses"`  // answers by HTTP status
	Transport map[string]int     `json:"transport"` // requests without a whole answer, by reason
	Retries   int                `json:"retries"`   // of the requests
	Bytes     int64              `json:"bytes"`     // of bodies, after decoding
	Hosts     map[string]HostUse `json:"hosts"`     // by host[:port]

	Days       map[string]int `json:"days"`       // new and revised posts by day of publication, as 2021-12-22
	Categories map[string]int `json:"categories"` // likewise, by category

	Pages map[PageKind]PageCount `json:"pages"` // of posts, by kind: how they could be read
	Drift []Drift                `json:"drift"` // what pages of a kind lack more often than they used to

	Gaps []Gap `json:"gaps"` // in which posts may have come and gone unseen
	// Shortfall is set where far fewer posts came than usual, and nothing else is
	// known that explains it.
	Shortfall *Shortfall `json:"shortfall,omitempty"`
	// Backfill is what a backfill came to; nil for a crawl. Its posts alone are
	// counted: links to posts of other days are left to crawls.
	Backfill *Backfill `json:"backfill,omitempty"`

	Problems []Problem `json:"problems"` // the first of them, each with its address
	// GoOn is the command that goes on where the run ended; empty where nothing
	// is left to do.
	GoOn string `json:"go_on,omitempty"`
}

// HostUse is what a run asked of one host.
type HostUse struct {
	Requests int         `json:"requests"` // retries and robots.txt included
	Retries  int         `json:"retries"`  // of these, those that were sent again after a failure
	Statuses map[int]int `json:"statuses"` // answers by HTTP status
	Bytes    int64       `json:"bytes"`    // of bodies, after decoding
	// WaitedMS is how long requests waited for the host's turn, in
	// milliseconds, all together.
	WaitedMS int64 `json:"waited_ms"`
	// Rate is the lowest pace that the host was asked at, in requests a second;
	// 0: without a limit.
	Rate float64 `json:"lowest_rate"`
	// DelayMS is what robots.txt asks to leave between two requests (Crawl-delay), as
	// written there, in milliseconds; 0: nothing.
	DelayMS int64     `json:"crawl_delay_ms,omitempty"`
	Paused  time.Time `json:"paused_until,omitzero"` // it wants to be left alone until then
	Down    bool      `json:"down,omitempty"`        // it did not answer, and was given up for this run
}

// PageCount counts pages of one kind that were answered with 200: how many were
// taken for posts, how many could not be, and what the posts lacked.
type PageCount struct {
	Read       int `json:"read"`
	Unreadable int `json:"unreadable"`
	NoTitle    int `json:"no_title"`
	NoDate     int `json:"no_date"`
	NoBody     int `json:"no_body"`
}

// PageCounts are the counts of a run, by kind of page.
type PageCounts map[PageKind]PageCount

// Typical returns the counts of the kinds that did not drift.
func (r *Run) Typical() PageCounts {
	counts := PageCounts(maps.Clone(r.Pages))
	for _, d := range r.Drift {
		delete(counts, d.Kind)
	}
	return counts
}

// Add returns the sum of both counts.
func (c PageCount) Add(d PageCount) PageCount {
	return PageCount{
		Read: c.Read + d.Read, Unreadable: c.Unreadable + d.Unreadable,
		NoTitle: c.NoTitle + d.NoTitle, NoDate: c.NoDate + d.NoDate, NoBody: c.NoBody + d.NoBody,
	}
}

// Drift says that pages of a kind lack something more often than the archive's
// history has it: the mirror's layout may have changed.
type Drift struct {
	Kind  PageKind `json:"kind"`
	Field string   `json:"field"` // title, date, body, or "unreadable"
	Share float64  `json:"share"` // of the run's pages of the kind that lack it, 0 to 1
	Usual float64  `json:"usual"` // of the earlier runs'
}

// Gap is a time in which posts may have come to list pages and gone again unseen:
// these were asked for before and after it, and not meanwhile, for longer than
// the mirror shows a post.
type Gap struct {
	Mirror string    `json:"mirror"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Lists  int       `json:"lists"` // how many list pages had a gap within this one
}

// Shortfall is a time of which the archive holds far fewer posts than are usual for
// its hours and days.
type Shortfall struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Posts int       `json:"posts"` // published in it, and held
	Usual int       `json:"usual"`
}

// AddGap records a list page's gap: a mirror's gaps that touch become one.
func (r *Run) AddGap(mirror string, from, to time.Time) {
	gap := Gap{Mirror: mirror, From: from, To: to, Lists: 1}
	var apart []Gap
	for _, g := range r.Gaps {
		if g.Mirror != mirror || g.From.After(gap.To) || g.To.Before(gap.From) {
			apart = append(apart, g)
			continue
		}
		gap.Lists += g.Lists
		if g.From.Before(gap.From) {
			gap.From = g.From
		}
		if g.To.After(gap.To) {
			gap.To = g.To
		}
	}
	r.Gaps = append(apart, gap)
}

// GapLists returns how many list pages had a gap.
func (r *Run) GapLists() (n int) {
	for _, g := range r.Gaps {
		n += g.Lists
	}
	return n
}

// Lists counts a run's list pages: each ends as one of these.
type Lists struct {
	Read        int `json:"read"`
	NotModified int `json:"not_modified"`
	Gone        int `json:"gone"`
	Disallowed  int `json:"disallowed"` // by robots.txt
	Failed      int `json:"failed"`
	Pending     int `json:"pending"` // not reached before the run ended
	NotDue      int `json:"not_due"` // left to a later run, as no new post was likely on them
}

// Problem is one thing that went wrong.
type Problem struct {
	URL  string   `json:"url"`
	ID   ID       `json:"id,omitempty"`
	What PageKind `json:"kind"`
	Why  string   `json:"why"`
	For  string   `json:"outcome"` // failed, pending, skipped, incomplete, differs, got elsewhere
	// Attempts is how many runs have tried to get the post, this one included;
	// 0 where it is no post that is wanted.
	Attempts int `json:"attempts,omitempty"`
}

// Reasons for a run's ending.
const (
	EndingRunning     = "running" // it has not ended, or was killed
	EndingDone        = "done"
	EndingInterrupted = "interrupted"
	EndingFailed      = "failed"         // a mirror could not be read at all
	EndingDuration    = "duration limit" // the longest time that it may take was over
	EndingRequests    = "request limit"  // it sent as many requests as it may
	EndingPaused      = "hosts paused"   // every mirror's hosts want to be left alone for longer than a run waits
)

// FailedGone is the reason of a post that no source has.
const FailedGone = "gone"

// Reasons for skipping a post.
const (
	SkippedArchived   = "archived"          // held from an earlier run
	SkippedFailed     = "failed before"     // an earlier run found it not to be had
	SkippedDisallowed = "robots.txt"        // disallowed
	SkippedDuplicate  = "another's address" // its page turned out to be a post that was met under another identity
	SkippedForgotten  = "no longer there"   // held, and no mirror has it any more
	SkippedUnseen     = "not seen again"    // held, but could not be looked at again now
	SkippedUnlisted   = "not listed yet"    // waits until the category page that tells whose it is is asked for
)

// maxProblems bounds [Run.Problems], so that a broken mirror's report stays
// readable; the counts tell of all.
const maxProblems = 100

// AddProblem records p unless there are enough already.
func (r *Run) AddProblem(p Problem) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, p)
	}
}

// FailedPosts returns how many posts failed for good.
func (r *Run) FailedPosts() int { return Total(r.Failed) }

// SkippedPosts returns how many posts were skipped.
func (r *Run) SkippedPosts() int { return Total(r.Skipped) }

// AddsUp reports whether the counts of posts are consistent.
func (r *Run) AddsUp() bool {
	return r.Discovered == r.New+r.Revised+r.Unchanged+r.SkippedPosts()+r.FailedPosts()+r.Pending
}

// Clone returns a copy that shares nothing with r and in which no map and no
// list is nil.
func (r *Run) Clone() *Run {
	c := *r
	c.Mirrors = append([]string{}, r.Mirrors...)
	c.Skipped, c.Failed, c.Incomplete = cloneMap(r.Skipped), cloneMap(r.Failed), cloneMap(r.Incomplete)
	c.Requests, c.Statuses, c.Transport = cloneMap(r.Requests), cloneMap(r.Statuses), cloneMap(r.Transport)
	c.Attempts = cloneMap(r.Attempts)
	c.Hosts, c.Pages = cloneMap(r.Hosts), cloneMap(r.Pages)
	for name, use := range c.Hosts {
		use.Statuses = cloneMap(use.Statuses)
		c.Hosts[name] = use
	}
	c.Days, c.Categories = cloneMap(r.Days), cloneMap(r.Categories)
	c.Drift = append([]Drift{}, r.Drift...)
	c.Gaps = append([]Gap{}, r.Gaps...)
	c.Problems = append([]Problem{}, r.Problems...)
	if r.Shortfall != nil {
		shortfall := *r.Shortfall
		c.Shortfall = &shortfall
	}
	if r.Backfill != nil {
		c.Backfill = r.Backfill.clone()
	}
	return &c
}

// cloneMap returns a copy of m that is never nil.
func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// Total returns the sum of the counts.
func Total[K comparable](m map[K]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}
