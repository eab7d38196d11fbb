package crawler

import (
	"fmt"
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

func newRobots(obey bool, m *memory, now func() time.Time) *robots {
	return &robots{obey: obey, memory: m, now: now, hosts: make(map[string]*hostRules)}
}

// check returns a failure if address may not be fetched.
func (r *robots) check(f *fetcher, address string) *failure {
	if !r.obey {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return &failure{reason: reasonConnection, url: address, err: err}
	}
	rules := r.rules(originOf(u))
	rules.once.Do(func() {
		rules.group, rules.fail = r.load(f, u)
		rules.known.Store(true)
	})
	if rules.fail != nil {
		return rules.fail
	}
	if !rules.allow(u) {
		return &failure{reason: reasonRobots, url: address, err: fmt.Errorf("disallowed by %s", originOf(u)+robotsPath)}
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
	// maxCrawlDelay bounds what a robots.txt can ask for: a longer delay would
	// stop all crawling without a word.
	maxCrawlDelay = time.Minute
)

// load returns the rules of the host of an address: those that are remembered
// while they are fresh, or else those that it has now. An answer of 4xx, or one
// that leads away, means that there are none (RFC 9309, 2.3.1.2 and 2.3.1.3).
// Without any answer, or with another, those that are remembered go on to hold
// (2.4), and without such everything is disallowed (2.3.1.4); the failure says
// why.
func (r *robots) load(f *fetcher, u *url.URL) (*robotstxt.Group, *failure) {
	origin := originOf(u)
	held := r.memory.robots(origin)
	age := r.now().Sub(held.Fetched)
	if held.Fetched.IsZero() || age < 0 || age >= robotsFresh {
		had, fail := fetchRobots(f, origin+robotsPath)
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
	if held.Status != http.StatusOK {
		return nil, nil
	}
	group := robotstxt.Parse(held.Body).Group(agentToken)
	if delay, asked := group.CrawlDelay(); asked {
		f.transport.host(page.HostOf(u)).pace.cap(min(delay, maxCrawlDelay))
	}
	return group, nil
}

// fetchRobots asks for a robots.txt.
func fetchRobots(f *fetcher, at string) (news.Robots, *failure) {
	c, fail := f.insist(order{kind: news.KindRobots, url: at})
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
