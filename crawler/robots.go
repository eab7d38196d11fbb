package crawler

import (
	"fmt"
	"net/url"
	"sync"

	"github.com/finarc/finarc/news"
	"github.com/temoto/robotstxt"
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
	group *robotstxt.Group
	fail  *failure // robots.txt could not be had: nothing may be fetched
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
	rules.once.Do(func() { rules.load(f, u) })
	if rules.fail != nil {
		return rules.fail
	}
	if rules.group != nil && !rules.group.Test(u.RequestURI()) {
		return &failure{reason: reasonRobots, url: address, err: fmt.Errorf("disallowed by %s://%s/robots.txt", u.Scheme, u.Host)}
	}
	return nil
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

// load fetches the host's robots.txt. An answer of 4xx means that there are no
// rules (RFC 9309, 2.3.1.3); without any answer, or with 5xx, everything is
// disallowed (2.3.1.4), and the failure says why.
func (h *hostRules) load(f *fetcher, u *url.URL) {
	at := u.Scheme + "://" + u.Host + "/robots.txt"
	c, fail := f.insist(order{kind: news.KindRobots, url: at})
	if fail != nil {
		if fail.reason == reasonGone || !fail.again && fail.reason != reasonStopped {
			return
		}
		h.fail = fail
		return
	}
	data, err := robotstxt.FromBytes(c.Body)
	if err != nil {
		return // no rule of it can be understood: as if there were none
	}
	h.group = data.FindGroup(agentToken)
	f.transport.slow(hostOf(u), h.group.CrawlDelay)
}
