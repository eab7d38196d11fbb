package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
)

// How often progress is told: on a terminal, and as log lines elsewhere.
const (
	progressLive = 200 * time.Millisecond
	progressLog  = 10 * time.Second
)

// clearLine takes the cursor back to the line's begin and empties the line.
const clearLine = "\r\x1b[K"

// progress tells how far a crawl has come: on a terminal in one line that
// changes, elsewhere in log lines.
type progress struct {
	out   io.Writer
	log   *slog.Logger
	width func() int // of the terminal, now
	live  bool
	quiet bool
	now   func() time.Time
	began time.Time

	mu   sync.Mutex
	last crawler.Progress

	end  chan struct{}
	done sync.WaitGroup
}

func (a *app) startProgress(ctx context.Context, quiet bool) *progress {
	p := &progress{
		out: a.err, log: a.logger(slog.LevelInfo), now: a.now, began: a.now(), quiet: quiet, end: make(chan struct{}),
		width: func() int { w, _ := terminal(a.err); return w },
	}
	_, p.live = terminal(a.err)
	p.live = p.live && !quiet
	p.done.Go(func() { p.run(ctx) })
	return p
}

// level returns what is logged beside the progress: warnings are of pages that
// failed, which a report tells of that follows, or, under --quiet, that
// follows if any failed for good.
func (p *progress) level() slog.Level {
	if p.live || p.quiet {
		return slog.LevelError
	}
	return slog.LevelWarn
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
	p.clear()
}

// run tells of the progress until it is stopped, and once that the crawl is
// interrupted: it then waits for what is in flight, which may take a while.
func (p *progress) run(ctx context.Context) {
	every := progressLog
	if p.live {
		every = progressLive
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	interrupted := ctx.Done()
	for {
		select {
		case <-p.end:
			return
		case <-interrupted:
			interrupted = nil
			p.clear()
			fmt.Fprintln(p.out, "finarc: interrupted: waiting for the requests in flight; interrupt again to end at once")
		case <-tick.C:
			p.tell()
		}
	}
}

func (p *progress) clear() {
	if p.live {
		fmt.Fprint(p.out, clearLine)
	}
}

func (p *progress) tell() {
	p.mu.Lock()
	s := p.last
	p.mu.Unlock()
	rate, left := pace(&s, p.now().Sub(p.began))
	done := s.Run.Discovered - s.Run.Pending
	switch {
	case p.quiet:
	case p.live:
		fmt.Fprint(p.out, clearLine+cut(progressLine(&s, rate, left), p.width()-1))
	case s.Run.ID != 0:
		p.log.Info("crawling", "run", s.Run.ID, "posts", done, "of", s.Run.Discovered, "queue", s.Queued,
			"pages_per_second", fmt.Sprintf("%.1f", rate), "left", left)
	}
}

func progressLine(s *crawler.Progress, rate float64, left string) string {
	if s.Run.ID == 0 {
		return "waiting for the first pages"
	}
	return fmt.Sprintf("posts %s of %s · lists %s · %.1f pages/s · queue %s · %s left",
		grouped(s.Run.Discovered-s.Run.Pending), grouped(s.Run.Discovered),
		grouped(s.Run.Lists.Read+s.Run.Lists.NotModified), rate, grouped(s.Queued), left)
}

// pace returns how many pages a second were asked for, and how long what is
// known of would take at that rate. Posts in the queue are among those
// pending, list pages are not.
func pace(s *crawler.Progress, took time.Duration) (rate float64, left string) {
	if rate = float64(news.Total(s.Run.Requests)) / took.Seconds(); !(rate > 0) {
		return 0, "–"
	}
	pages := max(s.Run.Pending, s.Queued)
	return rate, (time.Duration(float64(pages)/rate) * time.Second).String()
}
