package news

import (
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

	Discovered int            `json:"discovered"` // different posts met in this run
	New        int            `json:"new"`
	Revised    int            `json:"revised"`
	Unchanged  int            `json:"unchanged"`
	Skipped    map[string]int `json:"skipped"` // by reason
	Failed     map[string]int `json:"failed"`  // for good, by final error
	Pending    int            `json:"pending"` // left in the frontier for the next run

	Incomplete map[string]int `json:"incomplete"` // archived posts that lack something, by what they lack
	Leads      int            `json:"leads"`      // related posts recorded that the archive lacks

	Lists     Lists            `json:"lists"`
	Requests  map[PageKind]int `json:"requests"`  // sent, retries and robots.txt included
	Statuses  map[int]int      `json:"statuses"`  // answers by HTTP status
	Transport map[string]int   `json:"transport"` // requests without an answer, by reason
	Retries   int              `json:"retries"`
	Bytes     int64            `json:"bytes"`    // of bodies, after decoding
	Problems  []Problem        `json:"problems"` // the first of them, each with its address
}

// Lists counts a run's list pages: each ends as one of these.
type Lists struct {
	Read        int `json:"read"`
	NotModified int `json:"not_modified"`
	Gone        int `json:"gone"`
	Disallowed  int `json:"disallowed"` // by robots.txt
	Failed      int `json:"failed"`
	Pending     int `json:"pending"` // not reached before the run ended
}

// Problem is one thing that went wrong.
type Problem struct {
	URL  string   `json:"url"`
	ID   ID       `json:"id,omitempty"`
	What PageKind `json:"kind"`
	Why  string   `json:"why"`
	For  string   `json:"outcome"` // failed, pending, skipped, incomplete
}

// Reasons for a run's ending.
const (
	EndingRunning     = "running" // it has not ended, or was killed
	EndingDone        = "done"
	EndingInterrupted = "interrupted"
	EndingFailed      = "failed" // a mirror could not be read at all
)

// Reasons for skipping a post.
const (
	SkippedArchived   = "archived"          // held from an earlier run
	SkippedFailed     = "failed before"     // an earlier run found it not to be had
	SkippedDisallowed = "robots.txt"        // disallowed
	SkippedDuplicate  = "another's address" // its page turned out to be a post that was met under another identity
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
	c.Problems = append([]Problem{}, r.Problems...)
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
