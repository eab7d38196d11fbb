package crawler

import (
	"fmt"
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

// robots answers what a host's robots.txt allows. It asks each host once.
type robots struct {
	obey  bool
	mu    sync.Mutex
	hosts map[string]*hostRules
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

func newRobots(obey bool) *robots {
	return &robots{obey: obey, hosts: make(map[string]*hostRules)}
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
	rules := r.rules(u.Scheme + "://" + u.Host)
	rules.once.Do(func() {
		rules.load(f, u)
		rules.known.Store(true)
	})
	if rules.fail != nil {
		return rules.fail
	}
	if !rules.allow(u) {
		return &failure{reason: reasonRobots, url: address, err: fmt.Errorf("disallowed by %s://%s/robots.txt", u.Scheme, u.Host)}
	}
	return nil
}

// disallow reports whether rules that are known already forbid an address. It
// asks for none, and so never waits.
func (r *robots) disallow(u *url.URL) bool {
	if !r.obey {
		return false
	}
	rules := r.rules(u.Scheme + "://" + u.Host)
	return rules.known.Load() && !rules.allow(u)
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

// maxCrawlDelay is the longest delay that a robots.txt can ask for: a longer one
// would stop all crawling without a word.
const maxCrawlDelay = time.Minute

// load fetches the host's robots.txt. An answer of 4xx, or one that leads away,
// means that there are no rules (RFC 9309, 2.3.1.2 and 2.3.1.3); without any
// answer, or with another, everything is disallowed (2.3.1.4), and the failure
// says why.
func (h *hostRules) load(f *fetcher, u *url.URL) {
	at := u.Scheme + "://" + u.Host + "/robots.txt"
	c, fail := f.insist(order{kind: news.KindRobots, url: at})
	if fail != nil {
		if !fail.withoutRules() {
			h.fail = fail
		}
		return
	}
	h.group = robotstxt.Parse(c.Body).Group(agentToken)
	delay, _ := h.group.CrawlDelay()
	f.transport.slow(page.HostOf(u), min(delay, maxCrawlDelay))
}

// withoutRules reports whether a failure to get robots.txt means that there is
// none.
func (f *failure) withoutRules() bool {
	switch f.reason {
	case reasonGone, reasonRedirect:
		return true
	}
	return !f.again && strings.HasPrefix(string(f.reason), "status 4")
}
