// Package crawler asks mirrors for their lists and posts, politely, and hands
// what it gets to a store.
//
// One goroutine, the run's, owns all of its state: what is known, what is
// queued, what was counted. Workers fetch and read one page at a time and tell
// it the outcome; it gathers outcomes into batches, which a committer makes
// durable. Nothing is counted as archived before that. Another goroutine reads the
// frontier, in which what was found waits to be queued.
package crawler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/revisit"
	"golang.org/x/sync/errgroup"
)

// Store is what a crawl writes to and takes its frontier from. A run reads the
// frontier while it commits a batch.
type Store interface {
	// StartRun gives the run its number.
	StartRun(ctx context.Context, run *news.Run) error
	// Commit takes a batch, whole or not at all.
	Commit(ctx context.Context, b *news.Batch) (news.Committed, error)
	// Wanted returns up to n posts of the frontier after the given identity,
	// in order of identity.
	Wanted(ctx context.Context, after news.ID, n int) ([]news.Wanted, error)
	// Lists returns the list pages known of a mirror.
	Lists(ctx context.Context, mirror string) ([]news.ListPage, error)
	// Held returns up to n held posts that were published since a time, or seem
	// so, after the given identity, in order of identity.
	Held(ctx context.Context, since time.Time, after news.ID, n int) ([]news.Held, error)
	// Hosts returns what is remembered of hosts.
	Hosts(ctx context.Context) ([]news.Host, error)
	// PageHistory returns how the pages of each earlier run could be read, newest
	// first.
	PageHistory(ctx context.Context) ([]news.PageCounts, error)
	// Hourly returns how many posts were published in each hour since a time, in
	// order of time; hours without any may be left out.
	Hourly(ctx context.Context, since time.Time) ([]news.HourCount, error)
}

// Options are what a crawl needs to be told.
type Options struct {
	Mirrors []config.Mirror
	Limits  config.Limits
	Agent   string // the User-Agent
	Command string // the command line, for the run's report
	GoOn    string // the command that goes on where a run ended, for its report
	Store   Store
	Log     *slog.Logger // nil: silent

	// MaxDuration and MaxRequests end a run in order when it has taken so long,
	// or sent so many requests, robots.txt and retries included; 0: no limit.
	MaxDuration time.Duration
	MaxRequests int
	// Refresh is the number of days whose posts, though held, are looked at
	// again for revisions; 0: none.
	Refresh int
	// Backfill, if set, makes the run fetch the posts of some days.
	Backfill *Backfill
	// TradingDay tells on which days the exchanges trade, as more is published
	// then; nil: from Monday to Friday.
	TradingDay func(news.Day) bool
	// Proxy is the address of a proxy for all requests; empty: what the
	// environment says.
	Proxy string

	// Progress, if set, is called by the run's goroutine after each batch and
	// must return at once.
	Progress func(Progress)
	// Transport sends the requests; nil: one made for the limits, which keeps
	// from addresses that are not the open web's.
	Transport http.RoundTripper
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Backoff is the pause before the first retry; 0: half a second.
	Backoff time.Duration
}

// Progress tells how far a run has come.
type Progress struct {
	Run      news.Run // the report so far
	Queued   int      // list pages and posts known and not yet asked for, as far as the run has looked
	InFlight int
}

// Run crawls once: every list page that is due, then every post that the lists
// or earlier runs name and the archive lacks; of a backfill's days, every one
// that anything names. Cancelling ctx ends the run in order: nothing new is
// asked for, what is in flight is waited for and committed. The report is
// complete in either case.
//
// The error says why a run could not go on: the store failed, or no mirror
// could be read ([ErrUnreachable]). Pages that failed are no error; the report
// tells of them.
func Run(ctx context.Context, o Options) (*news.Run, error) {
	o.fillDefaults()
	sites, err := newSites(o.Mirrors)
	if err != nil {
		return nil, err
	}
	if o.Transport == nil {
		base, err := newBase(&o, sites)
		if err != nil {
			return nil, err
		}
		defer base.CloseIdleConnections()
		o.Transport = base
	}
	r := newRun(&o, sites)
	if err := o.Store.StartRun(ctx, r.report); err != nil {
		return nil, fmt.Errorf("start run: %w", err)
	}
	err = r.do(ctx)
	return r.report, err
}

func (o *Options) fillDefaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TradingDay == nil {
		o.TradingDay = revisit.Weekdays
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Backoff == 0 {
		o.Backoff = 500 * time.Millisecond
	}
}

// newBase returns an HTTP transport that keeps as many connections to a host
// as the limits let it use.
func newBase(o *Options, sites []*site) (*http.Transport, error) {
	proxy := http.ProxyFromEnvironment
	if o.Proxy != "" {
		u, err := url.Parse(o.Proxy)
		if err != nil {
			return nil, fmt.Errorf("proxy: %w", err)
		}
		proxy = http.ProxyURL(u)
	}
	g := newGate(trustedOf(o.Mirrors, sites))
	l := o.Limits
	return &http.Transport{
		Proxy:                  g.proxied(proxy),
		DialContext:            g.dial,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           4 * l.Parallel,
		MaxIdleConnsPerHost:    l.Parallel,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    l.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         16 << 10,
		DisableCompression:     true, // the crawl's own transport decodes
	}, nil
}

// site is a mirror in the course of a run.
type site struct {
	*page.Site
	only []string // the addresses of the only list pages to be read; empty: all

	// The rest is the run's own goroutine's.
	gate      string          // the address of the list page that is asked for first
	entrances []news.ListPage // list pages that wait for its answer
	down      bool            // there was none
	slow      bool            // its host wants more time between two requests than a run sits out
	rested    bool            // it was not asked for, as its host wants to be left alone
	read      int             // list pages that were read, or are as they were
	linked    bool            // a list page linked a post or another list page
	err       error           // the first failure of a list page
	outlook
}

func newSites(mirrors []config.Mirror) ([]*site, error) {
	if len(mirrors) == 0 {
		return nil, errors.New("no mirror to crawl: name one under mirrors: in the configuration")
	}
	var sites []*site
	for _, m := range mirrors {
		s, err := page.NewSite(m.Name, m.Site, m.Share, m.Text)
		if err != nil {
			return nil, fmt.Errorf("mirror %s: %w", m.Name, err)
		}
		only := make([]string, len(m.Categories))
		for i, c := range m.Categories {
			only[i] = s.Category(c)
		}
		sites = append(sites, &site{Site: s, only: only, outlook: newOutlook(m.Window)})
	}
	return sites, nil
}

// hostsOf returns the hosts of all sites, each once.
func hostsOf(sites []*site) []string {
	var hosts []string
	for _, s := range sites {
		for _, h := range s.Hosts() {
			if !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
	}
	return hosts
}

// do runs workers and committer, and the run's own loop between them.
func (r *run) do(ctx context.Context) error {
	known, err := r.o.Store.Hosts(context.WithoutCancel(ctx)) // which is short
	if err != nil {
		r.abandon()
		return fmt.Errorf("hosts: %w", err)
	}
	r.memory = newMemory(known)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	if d := r.o.MaxDuration; d > 0 {
		defer time.AfterFunc(d, func() { end(errDuration) }).Stop()
	}
	// The requests in flight and the last commit outlive a cancelled ctx.
	g, work := errgroup.WithContext(context.WithoutCancel(ctx))
	// Waits for a host's turn or for a retry end with either.
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(work, cancel)()
	r.transport = newTransport(stop, r, func() { end(errRequests) })
	rules := newRobots(r.o, r.memory)
	for range r.workers() {
		g.Go(func() error { return r.serve(work, newFetcher(stop, work, r.o, r.sites, r.transport, rules)) })
	}
	g.Go(func() error { return r.commitAll(work) })
	g.Go(func() error { return r.lookAll(stop) })
	g.Go(func() error {
		defer close(r.tasks)
		defer close(r.batches)
		defer close(r.looks)
		return r.loop(ctx, work)
	})
	err = g.Wait()
	if r.report.Ended.IsZero() {
		r.abandon()
	}
	return err
}

// workers returns how many pages may be worked on at once: as many as the
// hosts may have in flight together.
func (r *run) workers() int {
	return min(r.o.Limits.Parallel*len(hostsOf(r.sites)), maxWorkers)
}

// maxWorkers bounds the goroutines of a run, whatever the configuration says.
const maxWorkers = 256

// newFetcher returns a worker's fetcher.
func newFetcher(stop, work context.Context, o *Options, sites []*site, t *transport, rules *robots) *fetcher {
	a := new(answer)
	ctx := context.WithValue(work, answerKey{}, a)
	return &fetcher{
		collector: newCollector(ctx, o.Agent, t, hostsOf(sites), rules), answer: a,
		transport: t, robots: rules, limits: o.Limits, backoff: o.Backoff, now: o.Now, stop: stop,
	}
}

// kindOf tells what an address is of.
func kindOf(sites []*site, u *url.URL) news.PageKind {
	if u.Path == robotsPath {
		return news.KindRobots
	}
	for _, s := range sites {
		if k := s.Kind(u); k != news.KindOther {
			return k
		}
	}
	return news.KindOther
}
