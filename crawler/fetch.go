package crawler

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/gocolly/colly/v2"
)

// fetcher gets pages with Colly, one at a time. It keeps no list of what it
// fetched: the frontier does, in the archive, where it survives the run.
type fetcher struct {
	collector *colly.Collector
	answer    *answer // to the collector's last request
	transport *transport
	robots    *robots
	limits    config.Limits
	backoff   time.Duration
	now       func() time.Time
	stop      context.Context
}

// order is a page to be fetched.
type order struct {
	kind         news.PageKind
	url          string
	host         string // of url; "" where it was not asked for yet
	mirror       string
	etag         string // validators of the copy that is held, if any
	lastModified string
	patient      bool // it waits for its host's turn, however long the host's Crawl-delay is
}

// newCollector returns a Colly collector that sends its requests through t and
// leaves to the crawl what the crawl does better: pace, bounds, bodies,
// robots.txt, charsets (the raw bytes are what is archived) and the visited set.
func newCollector(ctx context.Context, agent string, t *transport, hosts []string, rules *robots) *colly.Collector {
	c := colly.NewCollector(
		colly.UserAgent(agent),
		colly.StdlibContext(ctx),
		colly.AllowURLRevisit(),
		colly.ParseHTTPErrorResponse(),
		colly.IgnoreRobotsTxt(),
	)
	c.SetClient(&http.Client{Transport: t, CheckRedirect: redirectWithin(hosts, rules)})
	return c
}

// errUnknownRules stops a redirect to a host whose robots.txt is not known yet.
type errUnknownRules struct{ to *url.URL }

func (e *errUnknownRules) Error() string { return "redirect to " + e.to.Redacted() }

// maxRedirects is how many redirects of a page are followed.
const maxRedirects = 10

// maxRobotsHops is how many redirects of a robots.txt are followed, whatever host
// they lead to (RFC 9309, 2.3.1.2).
const maxRobotsHops = 5

// isUnknownRules reports whether a request ended with an [errUnknownRules]: that is
// no failure, since it goes on once they are known.
func isUnknownRules(err error) bool {
	unknown := new(errUnknownRules)
	return errors.As(err, &unknown)
}

// redirectWithin returns a redirect policy: at most ten, only to the given
// hosts, and not to what their rules disallow. Nobody is told the user and password
// that a server writes into an address.
func redirectWithin(hosts []string, rules *robots) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		req.Header.Del("Referer") // where a crawler comes from is nobody's business
		req.URL.User = nil        // of which net/http would make an Authorization
		if via[0].URL.Path == robotsPath {
			if len(via) > maxRobotsHops {
				return errLoop
			}
			return nil
		}
		if len(via) > maxRedirects {
			return errLoop
		}
		if !slices.Contains(hosts, page.HostOf(req.URL)) {
			return fmt.Errorf("%w: to %s", errRedirect, req.URL.Redacted())
		}
		switch allowed, known := rules.judge(req.URL); {
		case !known:
			return &errUnknownRules{req.URL}
		case !allowed:
			return fmt.Errorf("%w: redirect to %s", errRobots, req.URL.Redacted())
		}
		return nil
	}
}

// fetch gets a page, with the retries that the configuration allows. A capture
// with status 304 has no body. The error is a [failure].
func (f *fetcher) fetch(o order) (*news.Capture, *failure) {
	if fail := f.robots.check(f, o); fail != nil {
		return nil, fail
	}
	for range maxRedirects + 1 { // each time the rules of one more host are known
		c, fail := f.insist(o)
		unknown := new(errUnknownRules)
		if fail == nil || !errors.As(fail.err, &unknown) {
			return c, fail
		}
		o.patient = true // or each run would come no further than to the redirect
		if fail := f.robots.check(f, order{url: unknown.to.String(), patient: true}); fail != nil {
			return nil, fail
		}
	}
	return nil, &failure{reason: reasonRedirect, url: o.url, err: errLoop}
}

// insist makes the first attempt and the retries. A host that wants more time
// between two requests than a run sits out is left to later runs instead.
func (f *fetcher) insist(o order) (*news.Capture, *failure) {
	for attempt := 0; ; attempt++ {
		c, fail := f.attempt(o, attempt > 0)
		if fail == nil || !fail.soon || attempt >= f.limits.Retries || f.transport.host(o.at()).slow() {
			return c, fail
		}
		if !pause(f.stop, f.delay(attempt)) {
			return nil, &failure{reason: reasonStopped, url: o.url, err: fail}
		}
	}
}

// delay returns how long to wait before a retry: it doubles each time, and
// half of it is drawn by chance so that retries do not come together.
func (f *fetcher) delay(attempt int) time.Duration {
	d := min(f.backoff<<min(attempt, 10), 30*time.Second)
	return d/2 + rand.N(d/2+1)
}

// attempt asks once: for the first time, or again.
func (f *fetcher) attempt(o order, again bool) (*news.Capture, *failure) {
	header := http.Header{"User-Agent": {f.collector.UserAgent}}
	if o.etag != "" {
		header.Set("If-None-Match", o.etag)
	}
	if o.lastModified != "" {
		header.Set("If-Modified-Since", o.lastModified)
	}
	*f.answer = answer{large: f.answer.large, again: again, patient: o.patient}
	if err := f.collector.Request(http.MethodGet, o.url, nil, nil, header); err != nil {
		fail := failed(o.url, rootOf(err))
		if !fail.left() && !isUnknownRules(fail) {
			f.transport.counts.unanswered(fail.reason)
		}
		return nil, fail
	}
	a := f.answer
	switch {
	case a.status == http.StatusNotModified && o.etag == "" && o.lastModified == "":
		return nil, &failure{reason: reasonUnreadable, url: o.url, err: errors.New("the server answers 304 though nothing is held")}
	case o.kind == news.KindRobots && a.status/100 == 2: // RFC 9309, 2.3.1.1
		a.status = http.StatusOK
	case a.status != http.StatusOK && a.status != http.StatusNotModified:
		return nil, failedStatus(o.url, a.status)
	}
	return &news.Capture{
		URL: a.url, Status: a.status, Header: a.header, Proto: a.proto, Body: a.body,
		Fetched: f.now(), Mirror: o.mirror, Kind: o.kind,
	}, nil
}

// turnedAway tells the host of an address that it turned the crawler away.
func (f *fetcher) turnedAway(address string) {
	if u, err := url.Parse(address); err == nil {
		f.transport.host(page.HostOf(u)).turnedAway()
	}
}

// rootOf takes off the wrapping that net/http puts around an error: it tells
// the method and the address, which a [failure] tells already.
func rootOf(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// maxRetryAfter bounds what a Retry-After can ask for: a server's mistake must
// not end all crawling.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads Retry-After (RFC 9110, 10.2.3): seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // the server's clock, by which it tells a date, and ours may differ
	}
	if strings.Trim(v, "0123456789") == "" {
		n, err := strconv.Atoi(v)
		if err != nil || n > int(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, t.Sub(now)), maxRetryAfter)
	}
	return 0
}
