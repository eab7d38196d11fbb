package crawler

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace is how fast a host is asked. It halves when the host says that it is too
// much (429, 503) or when its answers take much longer than they used to, and
// recovers slowly while answers are good; an error never speeds it up. The idea
// is that of Scrapy's AutoThrottle.
type pace struct {
	limiter  *rate.Limiter
	parallel int

	mu      sync.Mutex
	top     rate.Limit // what the configuration and robots.txt allow
	lowest  rate.Limit // that it was in this run
	was     rate.Limit // before it first halved
	changed time.Time
	answers int           // good ones so far
	usual   time.Duration // moving average of their latencies, over many
	late    time.Duration // likewise, over the last few
}

const (
	// The pace changes at most once in so long, whatever the number of answers:
	// those in flight together tell of one overload.
	paceStep = time.Second
	// paceGain is by how much a step recovers: it takes 8 s to double.
	paceGain = 1.1
	// slowestPace is the least share of its top that a pace falls to.
	slowestPace = 1.0 / 64

	// Answers are late when the last few of them took so many times as long as
	// usual, and at least so long.
	lateFactor  = 3
	lateAtLeast = 500 * time.Millisecond
	// lateAfter is how many answers it takes to know what is usual.
	lateAfter = 16
)

// newPace returns a pace of so many requests a second; 0: without a limit.
func newPace(perSecond float64, burst, parallel int) *pace {
	top := rate.Inf
	if perSecond > 0 {
		top = rate.Limit(perSecond)
	}
	return &pace{limiter: rate.NewLimiter(top, max(1, burst)), parallel: parallel, top: top, lowest: top}
}

// cap makes the pace no faster than one request in delay, for good.
func (p *pace) cap(delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit := rate.Every(delay); delay > 0 && limit < p.top {
		p.top = limit
		p.set(min(limit, p.limiter.Limit()))
		p.limiter.SetBurst(1)
	}
}

// overloaded takes note that the host is asked too much.
func (p *pace) overloaded(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halve(now)
}

// answered takes note of a whole page that began to come after so long. Answers
// without one tell nothing: errors and 304s are quick.
func (p *pace) answered(now time.Time, latency time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers++
	if p.answers == 1 {
		p.usual, p.late = latency, latency
	}
	p.usual += (latency - p.usual) / 32
	p.late += (latency - p.late) / 4
	if p.answers > lateAfter && p.late > lateAtLeast && p.late > lateFactor*p.usual {
		p.halve(now)
		return
	}
	p.recover(now)
}

func (p *pace) halve(now time.Time) {
	if now.Sub(p.changed) < paceStep {
		return
	}
	limit := p.limiter.Limit()
	if limit == rate.Inf {
		limit = p.reached()
	}
	if p.was == 0 {
		p.was = limit
	}
	p.changed = now
	p.set(max(limit/2, p.was*slowestPace))
}

// reached estimates how many requests a second an unlimited pace comes to.
func (p *pace) reached() rate.Limit {
	return rate.Limit(float64(p.parallel) / max(p.usual, time.Millisecond).Seconds())
}

func (p *pace) recover(now time.Time) {
	if p.was == 0 || now.Sub(p.changed) < paceStep {
		return
	}
	p.changed = now
	limit := p.limiter.Limit() * paceGain
	if limit >= min(p.was, p.top) {
		p.was, limit = 0, p.top
	}
	p.set(limit)
}

func (p *pace) set(limit rate.Limit) {
	p.limiter.SetLimit(limit)
	p.lowest = min(p.lowest, limit)
}

// slowest returns the lowest pace so far, in requests a second; 0: without a
// limit.
func (p *pace) slowest() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lowest == rate.Inf {
		return 0
	}
	return float64(p.lowest)
}
