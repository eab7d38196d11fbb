package crawler

import (
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// answers gives a pace n answers of one kind, a second apart.
func answers(p *pace, at *time.Time, n int, latency time.Duration, good bool) {
	for range n {
		*at = at.Add(time.Second)
		if good {
			p.answered(*at, latency)
		} else {
			p.overloaded(*at)
		}
	}
}

// TestPace: it halves with each overload down to a floor, recovers slowly up to
// where it was, and no error speeds it up.
func TestPace(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPace(8, 2, 4)
	answers(p, &now, 30, 10*time.Millisecond, true)
	if got := p.limiter.Limit(); got != 8 {
		t.Fatalf("good answers make the pace %v", got)
	}
	answers(p, &now, 1, 10*time.Millisecond, false)
	p.overloaded(now) // one that was in flight beside it
	if got := p.limiter.Limit(); got != 4 {
		t.Errorf("after one overload the pace is %v, want 4", got)
	}
	answers(p, &now, 20, 10*time.Millisecond, false)
	if got := p.limiter.Limit(); got != 8*slowestPace {
		t.Errorf("after many the pace is %v, want %v", got, 8*slowestPace)
	}
	before := p.limiter.Limit()
	for i := range 200 {
		answers(p, &now, 1, 10*time.Millisecond, true)
		after := p.limiter.Limit()
		if after < before || after > 8 || i == 0 && after > before*1.2 {
			t.Fatalf("good answer %d: the pace goes from %v to %v", i+1, before, after)
		}
		before = after
	}
	if before != 8 || p.slowest() != 8*slowestPace {
		t.Errorf("in the end the pace is %v, at least it was %v", before, p.slowest())
	}
}

// TestPaceOfLateAnswers: answers that take much longer than usual slow the pace
// down, without any error.
func TestPaceOfLateAnswers(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPace(8, 2, 4)
	answers(p, &now, 100, 200*time.Millisecond, true)
	answers(p, &now, 10, 2*time.Second, true)
	if got := p.limiter.Limit(); got > 4 {
		t.Errorf("ten late answers leave the pace at %v", got)
	}
	answers(p, &now, 300, 200*time.Millisecond, true)
	if got := p.limiter.Limit(); got != 8 {
		t.Errorf("then many in time leave it at %v", got)
	}
}

// TestPaceWithoutLimit: what has no limit gets one while the host is overloaded.
func TestPaceWithoutLimit(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPace(0, 2, 4)
	answers(p, &now, 30, 10*time.Millisecond, true)
	answers(p, &now, 1, 10*time.Millisecond, false)
	if got := p.limiter.Limit(); got != 200 { // half of four at a time, in 10 ms each
		t.Errorf("the pace is %v, want 200", got)
	}
	answers(p, &now, 30, 10*time.Millisecond, true)
	if got := p.limiter.Limit(); got != rate.Inf {
		t.Errorf("after good answers it is %v", got)
	}
}

// TestPaceCap: a delay that robots.txt asks for stays the most.
func TestPaceCap(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPace(8, 2, 4)
	p.cap(time.Second)
	answers(p, &now, 3, time.Millisecond, false)
	answers(p, &now, 100, time.Millisecond, true)
	if got := p.limiter.Limit(); got != 1 || p.limiter.Burst() != 1 {
		t.Errorf("the pace is %v, burst %d", got, p.limiter.Burst())
	}
}
