package crawler

import (
	"sync"
	"sync/atomic"

	"github.com/finarc/finarc/news"
)

// traffic counts what goes over the wire. It is safe for concurrent use.
type traffic struct {
	bytes atomic.Int64

	mu        sync.Mutex
	requests  map[news.PageKind]int
	retries   int
	statuses  map[int]int
	transport map[string]int
}

func newTraffic() *traffic {
	return &traffic{
		requests: make(map[news.PageKind]int), statuses: make(map[int]int), transport: make(map[string]int),
	}
}

// sent counts a request, and a retry as such too.
func (t *traffic) sent(kind news.PageKind, again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests[kind]++
	if again {
		t.retries++
	}
}

func (t *traffic) answered(status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.statuses[status]++
}

// unanswered counts a request that ended without a whole answer.
func (t *traffic) unanswered(why reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.transport[string(why)]++
}

// report writes the counts so far into a run's report.
func (t *traffic) report(run *news.Run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, n := range t.requests {
		run.Requests[k] = n
	}
	for s, n := range t.statuses {
		run.Statuses[s] = n
	}
	for r, n := range t.transport {
		run.Transport[r] = n
	}
	run.Retries = t.retries
	run.Bytes = t.bytes.Load()
}
