package crawler

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
)

// host is one host in the course of a run: the turnstile that its requests go
// through, and what was learned of it. It is safe for concurrent use.
type host struct {
	name  string
	slots chan struct{} // one for each request in flight
	turn  chan struct{} // held by the request that is next
	pace  *pace
	// patience is the longest pause, or Crawl-delay, that a run sits out.
	patience time.Duration
	backoff  time.Duration

	mu       sync.Mutex
	paused   time.Time     // no request before it
	asked    time.Time     // as paused, but only what the host itself asked for (Retry-After)
	delay    time.Duration // between two requests (Crawl-delay)
	last     time.Time     // when the last request began, or its answer
	failures int           // requests without a good answer since the last good one
	pauses   int           // that these have led to
	rested   time.Duration // that it was left alone since then because it asked for it
	down     bool          // given up for this run
	http1    bool          // its last answer came by HTTP/1
	use      news.HostUse
}

const (
	// maxPatience is the longest that a run waits for a host that wants to be
	// left alone. What is wanted of it later is the next run's.
	maxPatience = 2 * time.Minute

	// A host that failed so often in a row is left alone for a while, ever
	// longer, and after so many such pauses given up for the run.
	failuresInRow = 8
	pausesInRow   = 7
	// maxRest is how long a host is left alone at its own wish before it is given
	// up, if it has given no good answer meanwhile.
	maxRest = 5 * maxPatience
)

func newHost(name string, l config.Limits, backoff time.Duration) *host {
	return &host{
		name: name, pace: newPace(l.Rate, l.Burst, l.Parallel), patience: maxPatience, backoff: backoff,
		slots: make(chan struct{}, l.Parallel), turn: make(chan struct{}, 1),
	}
}

// enter waits until a request may be sent. It fails with [errStopped] when ctx
// ends, and with [errPaused] or [errDown] when the host is to be left alone for
// longer than the run waits. One that is patient waits for any Crawl-delay.
func (h *host) enter(ctx context.Context, patient bool) error {
	began := time.Now()
	if err := h.available(began, patient); err != nil {
		return err
	}
	if ctx.Err() != nil || !acquire(ctx, h.slots) {
		return errStopped
	}
	if !acquire(ctx, h.turn) {
		h.leave()
		return errStopped
	}
	err := h.await(ctx, patient)
	<-h.turn
	if err != nil {
		h.leave()
		return err
	}
	h.waited(time.Since(began))
	return nil
}

func acquire(ctx context.Context, room chan<- struct{}) bool {
	select {
	case room <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (h *host) leave() { <-h.slots }

// await waits out the host's pause and delay, and for a token of its pace, which it
// takes at the moment when it is used. One reserved for later would be used late where
// the process is held up, and then too soon before the next.
func (h *host) await(ctx context.Context, patient bool) error {
	for ctx.Err() == nil {
		now := time.Now()
		if err := h.available(now, patient); err != nil {
			return err
		}
		d := h.pausedFor(now)
		if d == 0 {
			token := h.pace.limiter.ReserveN(now, 1)
			if d = token.DelayFrom(now); d == 0 {
				h.askedNow(now)
				return nil
			}
			token.CancelAt(now)
		}
		pause(ctx, d)
	}
	return errStopped
}

// pause waits, and returns false if ctx ends meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (h *host) waited(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.use.WaitedMS += d.Milliseconds()
}

// sent counts a request, and a retry as such too.
func (h *host) sent(again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.use.Requests++
	if again {
		h.use.Retries++
	}
}

// available returns why the host is not to be asked any more in this run, or
// nil. To one that is patient, the host's delay is no reason.
func (h *host) available(now time.Time, patient bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	until := h.paused
	if !patient {
		until = later(until, h.next())
	}
	switch {
	case h.down:
		return fmt.Errorf("%w: %s", errDown, h.name)
	case until.Sub(now) > h.patience:
		return fmt.Errorf("%w: %s until %s", errPaused, h.name, until.In(news.Shanghai).Format(time.RFC3339))
	}
	return nil
}

func (h *host) pausedFor(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(0, later(h.paused, h.next()).Sub(now))
}

// next returns when the delay after the last request is over. It is called with
// h.mu held.
func (h *host) next() time.Time {
	if h.delay == 0 || h.last.IsZero() {
		return time.Time{}
	}
	return h.last.Add(h.delay)
}

// askedNow takes note that the host is asked, and returns the time that is left
// before it is asked again.
func (h *host) askedNow(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = now
	return h.delay
}

// space lets so much time be left between two requests, as robots.txt asks, but
// no more than [maxCrawlDelay]. It returns how long to wait for the next one.
func (h *host) space(delay time.Duration, now time.Time) time.Duration {
	h.pace.cap(min(delay, maxCrawlDelay))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delay, h.use.DelayMS = min(delay, maxCrawlDelay), delay.Milliseconds()
	return max(0, h.next().Sub(now))
}

// crawlDelay returns the time that is left between two requests.
func (h *host) crawlDelay() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.delay
}

// slow reports whether the host wants more time between two requests than a run
// sits out.
func (h *host) slow() bool { return h.crawlDelay() > h.patience }

// retryAfter leaves the host alone for so long, as it asked.
func (h *host) retryAfter(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	until := now.Add(d)
	if d <= 0 || !until.After(h.asked) {
		return
	}
	h.rested += until.Sub(later(now, h.asked))
	h.asked = until
	h.paused = later(h.paused, until)
	h.down = h.down || d <= h.patience && h.rested > maxRest
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// answered counts an answer, and remembers by which protocol it came.
func (h *host) answered(res *http.Response) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.http1 = res.ProtoMajor == 1
	if h.use.Statuses == nil {
		h.use.Statuses = make(map[int]int)
	}
	h.use.Statuses[res.StatusCode]++
}

func (h *host) speaksHTTP1() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.http1
}

// judge lets a whole answer, the headers of which took so long to come, tell how
// the host is to be asked from now on.
func (h *host) judge(status int, latency time.Duration) {
	now := time.Now()
	switch {
	case overloaded(status), turnsAway(status):
		h.pace.overloaded(now)
		h.failed()
	case status >= 500:
		h.failed()
	default:
		h.good()
		if status == http.StatusOK {
			h.pace.answered(now, latency)
		}
	}
}

// turnedAway takes note of a page that turned out to be one that turns the
// crawler away.
func (h *host) turnedAway() {
	h.pace.overloaded(time.Now())
	h.failed()
}

// good takes note of an answer that a working server gives.
func (h *host) good() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures, h.pauses, h.rested = 0, 0, 0
}

// failed takes note of a request that got no answer, or an overloaded or broken
// server's. After some in a row the host is left alone for a while.
func (h *host) failed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.failures++
	if h.failures < failuresInRow || now.Before(h.paused) {
		return
	}
	if h.pauses == pausesInRow {
		h.down = true
		return
	}
	h.pauses++
	h.paused = now.Add(h.backoff << h.pauses)
}

// received counts the bytes of a body.
func (h *host) received(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.use.Bytes += n
}

// report returns what was asked of the host.
func (h *host) report() news.HostUse {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.use
	u.Statuses = maps.Clone(h.use.Statuses)
	u.Rate, u.Down = h.pace.slowest(), h.down
	until, now := h.asked, time.Now()
	if next := h.next(); next.Sub(now) > h.patience {
		until = later(until, next)
	}
	if until.After(now) {
		u.Paused = until.In(news.Shanghai).Truncate(time.Second)
	}
	return u
}
