package crawler

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	robotstxt "github.com/finarc/finarc/robots"
)

// agentToken is the product token by which robots.txt groups name finarc (RFC
// 9309, 2.2.1).
const agentToken = "finarc"

// robots answers what a host's robots.txt allows. It asks each host at most
// once a run, and not at all where an earlier run did within a day.
type robots struct {
	obey   bool
	memory *memory
	now    func() time.Time
	log    *slog.Logger

	mu    sync.Mutex
	hosts map[string]*hostRules // by origin
}

type hostRules struct {
	once  sync.Once
	known atomic.Bool // the next two are set
	group *robotstxt.Group
	fail  *failure // robots.txt could not be had: nothing may be fetched
}

// allow reports whether the rules let an address be fetched. They must be known.
func (h *hostRules) allow(u *url.URL) bool {
	return h.fail == nil && (h.group == nil || h.group.Allowed(u.RequestURI()))
}

func newRobots(o *Options, m *memory) *robots {
	return &robots{obey: o.Limits.Robots, memory: m, now: o.Now, log: o.Log, hosts: make(map[string]*hostRules)}
}

// check returns a failure if what is ordered may not be fetched.
func (r *robots) check(f *fetcher, o order) *failure {
	if !r.obey {
		return nil
	}
	u, err := url.Parse(o.url)
	if err != nil {
		return &failure{reason: reasonConnection, url: o.url, err: err}
	}
	rules := r.rules(originOf(u))
	rules.once.Do(func() {
		rules.group, rules.fail = r.load(f, u, o.patient)
		rules.known.Store(true)
	})
	if rules.fail != nil {
		return rules.fail
	}
	if !rules.allow(u) {
		return &failure{reason: reasonRobots, url: o.url, err: fmt.Errorf("disallowed by %s", originOf(u)+robotsPath)}
	}
	return nil
}

// robotsPath is where a host has its robots.txt.
const robotsPath = "/robots.txt"

// originOf returns scheme://host[:port] of an address, without the scheme's
// default port.
func originOf(u *url.URL) string { return u.Scheme + "://" + page.HostOf(u) }

// judge reports whether an address may be fetched, as far as the rules of its
// host are known already. It asks for none, and so never waits.
func (r *robots) judge(u *url.URL) (allowed, known bool) {
	if !r.obey {
		return true, true
	}
	rules := r.rules(originOf(u))
	known = rules.known.Load()
	return known && rules.allow(u), known
}

func (r *robots) rules(origin string) *hostRules {
	r.mu.Lock()
	defer r.mu.Unlock()
	rules := r.hosts[origin]
	if rules == nil {
		rules = new(hostRules)
		r.hosts[origin] = rules
	}
	return rules
}

const (
	// robotsFresh is how long a robots.txt is used without asking again (RFC
	// 9309, 2.4).
	robotsFresh = 24 * time.Hour
	// robotsStale is how long one is used where it cannot be had again: beyond
	// that the host counts as unreachable.
	robotsStale = 30 * 24 * time.Hour
	// maxCrawlDelay bounds the delay that is left between two requests: a host that
	// asks for more is asked once a day.
	maxCrawlDelay = 24 * time.Hour
)

// load returns the rules of the host of an address: those that are remembered
// while they are fresh, or else those that it has now. An answer of 4xx, or one
// that leads away, means that there are none (RFC 9309, 2.3.1.2 and 2.3.1.3).
// Without any answer, or with another, those that are remembered go on to hold
// (2.4), and without such everything is disallowed (2.3.1.4); the failure says
// why. patient is as in an [order].
func (r *robots) load(f *fetcher, u *url.URL, patient bool) (*robotstxt.Group, *failure) {
	origin := originOf(u)
	held := r.memory.robots(origin)
	age := r.now().Sub(held.Fetched)
	if held.Fetched.IsZero() || age < 0 || age >= freshFor(held) {
		had, fail := fetchRobots(f, order{kind: news.KindRobots, url: origin + robotsPath, patient: patient})
		switch {
		case fail == nil:
			held = had
			r.memory.setRobots(origin, had)
		case fail.left():
			return nil, fail
		case held.Fetched.IsZero() || age >= robotsStale:
			return nil, &failure{reason: reasonNoRules, url: fail.url, err: fail.withoutURL()}
		}
	}
	group := groupOf(held)
	if group == nil {
		return nil, nil
	}
	if delay, _ := group.CrawlDelay(); delay > 0 {
		r.space(f.transport.host(page.HostOf(u)), origin, delay)
	}
	return group, nil
}

// space lets a host leave a delay between its requests, beginning with the one
// that got its robots.txt.
func (r *robots) space(h *host, origin string, delay time.Duration) {
	if delay > maxCrawlDelay {
		r.log.Warn("robots.txt asks for more than a day between two requests: there is one a day", "host", origin, "delay", delay)
	}
	if wait := h.space(delay, time.Now()); wait > 0 {
		r.memory.setPaused(origin, r.now().Add(wait))
	}
}

// groupOf returns the rules for finarc of a robots.txt, or nil if there are none.
func groupOf(r news.Robots) *robotstxt.Group {
	if r.Status != http.StatusOK {
		return nil
	}
	return robotstxt.Parse(r.Body).Group(agentToken)
}

// delayOf returns the delay that is left between two requests where a robots.txt
// holds.
func delayOf(r news.Robots) time.Duration {
	group := groupOf(r)
	if group == nil {
		return 0
	}
	delay, _ := group.CrawlDelay()
	return min(delay, maxCrawlDelay)
}

// freshFor returns how long a robots.txt is used. One that asks for a day between
// two requests is not all that is ever asked for.
func freshFor(r news.Robots) time.Duration { return max(robotsFresh, 2*delayOf(r)) }

// fetchRobots asks for a robots.txt.
func fetchRobots(f *fetcher, o order) (news.Robots, *failure) {
	c, fail := f.insist(o)
	switch {
	case fail == nil:
		return news.Robots{Status: c.Status, Body: robotstxt.Heeded(c.Body), Fetched: c.Fetched}, nil
	case fail.withoutRules():
		return news.Robots{Status: http.StatusNotFound, Fetched: f.now()}, nil
	}
	return news.Robots{}, fail
}

// withoutRules reports whether a failure to get robots.txt means that there is
// none.
func (f *failure) withoutRules() bool {
	switch f.reason {
	case reasonGone, reasonRedirect:
		return true
	}
	return !f.soon && strings.HasPrefix(string(f.reason), "status 4")
}
