package crawler

import (
	"errors"
	"testing"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
)

// TestSpace: the delay begins with the last request, is at most a day, and is
// waited for by those that are patient however long it is.
func TestSpace(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		asked, left time.Duration
		slow        bool
	}{
		{time.Second, 0, false},
		{time.Minute, 50 * time.Second, false},
		{maxPatience, maxPatience - 10*time.Second, false},
		{time.Hour, time.Hour - 10*time.Second, true},
		{1000 * time.Hour, 24*time.Hour - 10*time.Second, true},
	} {
		h := newHost("m.example", config.Default().Limits, time.Second)
		h.askedNow(now.Add(-10 * time.Second))
		if left := h.space(c.asked, now); left != c.left || h.slow() != c.slow || h.pausedFor(now) != c.left {
			t.Errorf("%v: wait %v, want %v; slow: %t", c.asked, left, c.left, h.slow())
		}
		if err := h.available(now, false); errors.Is(err, errPaused) != c.slow {
			t.Errorf("%v: %v", c.asked, err)
		}
		if err := h.available(now, true); err != nil {
			t.Errorf("%v, patient: %v", c.asked, err)
		}
		use := h.report()
		if use.DelayMS != c.asked.Milliseconds() || use.Paused.IsZero() == c.slow {
			t.Errorf("%v: %+v", c.asked, use)
		}
	}
}

// TestFreshFor: a robots.txt is asked for once a day, and where it asks for a long
// delay, at most every other time.
func TestFreshFor(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"":                                  24 * time.Hour,
		"User-agent: *\nCrawl-delay: 600":   24 * time.Hour,
		"User-agent: *\nCrawl-delay: 72000": 40 * time.Hour,
		"User-agent: *\nCrawl-delay: 99999999999999999999": 48 * time.Hour,
		"User-agent: *\nCrawl-delay: -1":                   24 * time.Hour,
		"User-agent: other\nCrawl-delay: 9000":             24 * time.Hour,
	} {
		if got := freshFor(news.Robots{Status: 200, Body: []byte(text)}); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
