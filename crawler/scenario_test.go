package crawler_test

import (
	"context"
	"flag"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

var awaited = flag.Bool("awaited", false, "run also the scenarios that await what the crawler cannot do yet")

// TestScenarios crawls the hosts that testdata/scenario describes, over real
// HTTP, and lets each file judge what the crawler did.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenario/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			testScenario(t, file)
		})
	}
}

func testScenario(t *testing.T, file string) {
	s, err := mirror.ReadScenario(file)
	if err != nil {
		t.Fatal(err)
	}
	if s.Awaits != "" && !*awaited {
		t.Skipf("the crawler lacks: %s", s.Awaits)
	}
	if len(s.Crawls) == 0 {
		t.Fatal("the scenario has no crawl")
	}
	clock := new(clock)
	s.Site.Now = clock.now
	m, err := s.Mirror()
	if err != nil {
		t.Fatal(err)
	}
	base, a := serve(t, m), newArchive(t)
	for i := range s.Crawls {
		c := &s.Crawls[i]
		clock.advance(c.After)
		m.ResetRequests()
		o := scenarioOptions(base, a, c)
		o.Now = clock.now
		report, err := runScenario(t, o)
		if report == nil {
			t.Fatalf("%s:%d: %v", file, c.Line, err)
		}
		titles := map[news.ID]news.Post{}
		for id, rev := range held(t, a) {
			titles[id] = rev.Post
		}
		wrong := s.Judge(c, m, mirror.Outcome{Run: report, Err: err, Archived: titles})
		for _, err := range wrong {
			t.Error(err)
		}
		if len(wrong) > 0 {
			t.Logf("%s:%d: %v after %v; %+v, lists %+v, statuses %v, transport %v, %d retries, problems %+v", file, c.Line, err,
				report.Ended.Sub(report.Started), countsOf(report), report.Lists, report.Statuses, report.Transport, report.Retries, report.Problems)
		}
	}
}

// clock is that of a scenario's mirror and of its crawler. Between crawls it can
// be put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// runScenario crawls, for no longer than any scenario may take.
func runScenario(t *testing.T, o crawler.Options) (*news.Run, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return crawler.Run(ctx, o)
}

// scenarioOptions are those of a crawl of a scenario.
func scenarioOptions(base string, store crawler.Store, c *mirror.Crawl) crawler.Options {
	o := options(base, store)
	o.Backoff = c.Backoff
	l := &o.Limits
	l.Rate, l.Burst, l.Parallel, l.Retries = c.Rate, c.Burst, c.Parallel, c.Retries
	l.Timeout, l.MaxBody, l.Robots = c.Timeout, c.MaxBody, c.Robots
	switch site := &o.Mirrors[0]; {
	case !c.Shares:
		site.Share, site.Text = "", ""
	case c.Apart:
		site.Share, site.Text = mirror.Elsewhere(site.Share), mirror.Elsewhere(site.Text)
	}
	return o
}
