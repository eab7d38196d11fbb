package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/finarc/finarc/crawler"
)

// How often progress is told: on a terminal, and as log lines elsewhere.
const (
	progressLive = 200 * time.Millisecond
	progressLog  = 10 * time.Second
)

// progress tells how far a crawl has come: on a terminal in one line that
// changes, elsewhere in log lines.
type progress struct {
	out   io.Writer
	log   *slog.Logger
	width int
	live  bool
	now   func() time.Time
	began time.Time

	mu   sync.Mutex
	last crawler.Progress

	end  chan struct{}
	done sync.WaitGroup
}

func (a *app) startProgress(quiet bool) *progress {
	p := &progress{out: a.err, log: a.logger(slog.LevelInfo), now: a.now, began: a.now(), end: make(chan struct{})}
	p.width, p.live = terminal(a.err)
	if quiet {
		p.live = false
		return p
	}
	every := progressLog
	if p.live {
		every = progressLive
	}
	p.done.Go(func() { p.run(every) })
	return p
}

// set is called by the crawl.
func (p *progress) set(state crawler.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = state
}

func (p *progress) stop() {
	close(p.end)
	p.done.Wait()
	if p.live {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func (p *progress) run(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.end:
			return
		case <-tick.C:
			p.tell()
		}
	}
}

func (p *progress) tell() {
	p.mu.Lock()
	s := p.last
	p.mu.Unlock()
	if s.Run.ID == 0 {
		return
	}
	done := s.Run.Discovered - s.Run.Pending
	rate := float64(total(s.Run.Requests)) / p.now().Sub(p.began).Seconds()
	left := "–"
	if rate > 0 {
		left = (time.Duration(float64(s.Run.Pending+s.Queued)/rate) * time.Second).String()
	}
	if !p.live {
		p.log.Info("crawling", "posts", done, "pending", s.Run.Pending, "queue", s.Queued,
			"requests_per_second", fmt.Sprintf("%.1f", rate), "left", left)
		return
	}
	line := fmt.Sprintf("posts %s of %s · lists %s · %.1f pages/s · queue %s · %s left",
		grouped(done), grouped(s.Run.Discovered), grouped(s.Run.Lists.Read+s.Run.Lists.NotModified), rate, grouped(s.Queued), left)
	fmt.Fprint(p.out, "\r\x1b[K"+fit(line, max(0, p.width-1)))
}
