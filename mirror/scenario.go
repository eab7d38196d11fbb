package mirror

import (
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/finarc/finarc/news"
)

// Scenario is a host as it may be met on the open web: a generated mirror, what
// goes wrong on it and when, and what a crawler may do there. It is read from a
// file, see SCENARIO.md, and does not change.
type Scenario struct {
	Name   string  // of its file
	Awaits string  // what the crawler lacks to do as it says; empty: nothing
	Site   Options // of the mirror below
	Crawls []Crawl // what is run against it, in order

	rules []rule
	files map[string]string
}

// Crawl is a run against a scenario's host: how the crawler is set, and what
// must hold afterwards.
type Crawl struct {
	Line     int           // in the scenario's file
	After    time.Duration // from the end of the crawl before it to its beginning, by the clock of both sides
	Rate     float64
	Burst    int
	Parallel int
	Retries  int
	Timeout  time.Duration
	Backoff  time.Duration // the pause before the first retry
	MaxBody  int64
	Robots   bool // whether robots.txt is obeyed
	Shares   bool // whether the crawler knows of share and text pages
	Apart    bool // whether it knows them on another host, see [Elsewhere]

	checks []check
}

// defaultCrawl is how a crawler is set that is told nothing: quick to ask again,
// so that a scenario takes no longer than it must, and patient with answers, so
// that a busy machine changes nothing.
func defaultCrawl(line int) Crawl {
	return Crawl{
		Line: line, Burst: 1, Parallel: 4, Retries: 2, Timeout: 5 * time.Second, Backoff: 5 * time.Millisecond,
		MaxBody: 1 << 20, Robots: true, Shares: true,
	}
}

// ReadScenario reads the scenario in a file.
func ReadScenario(path string) (*Scenario, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return ParseScenario(path, text)
}

// Mirror makes the scenario's mirror. Its rules begin anew with each.
func (s *Scenario) Mirror() (*Mirror, error) {
	m, err := New(s.Site)
	if err != nil {
		return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	m.play = &play{scenario: s, now: m.traffic.now, turns: map[turnKey]*turn{}}
	m.traffic.keep = true
	return m, nil
}

// Hit returns the name of the rule for the page of the i-th post of the
// scenario's mirror, "" for none. A rule that the file does not name is called by
// what it matches and its place.
func (s *Scenario) Hit(m *Mirror, i int) string {
	path, err := url.PathUnescape(m.Standing(i).Path)
	if path == "" || err != nil {
		return ""
	}
	r, _ := ruleOf(s.rules, &target{kind: news.KindPost, path: path})
	if r == nil {
		return ""
	}
	return r.name
}
