// Package web serves an archive to people: pages in HTML that need no script, made
// on the server, in Chinese and English. They ask no other host for anything, and
// what a mirror once sent runs nothing: articles pass an allow list, and pages as
// they were stand in a sandbox.
//
// It reads the archive and writes nothing.
package web

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/page"
	"golang.org/x/text/language"
)

// Options say what is served, to whom, and how much of it at a time.
type Options struct {
	Store    Store
	Search   Searcher           // nil: there is no index
	Calendar *exchange.Calendar // of the trading days
	Mirrors  []Mirror
	Now      func() time.Time
	Log      *slog.Logger
	Access   Access
	Limits   Limits
	// Due returns when the next crawl after a time is due; nil: none is scheduled.
	Due func(after time.Time) time.Time
}

// Mirror tells where a mirror has the posts that the archive got from it.
type Mirror struct {
	Name string
	Site string // the address of its home page
	// Share and Text are the addresses of a post's shared page and of the JSON
	// behind it, with {infoCode} in the code's place; either may be empty.
	Share, Text string
}

// Limits bound what one server does at a time, and for one request. A limit of 0
// is that of [DefaultLimits].
type Limits struct {
	Time   time.Duration // for one answer
	AtOnce int           // answers that are made at a time; others are told to come again
	Query  int           // bytes of a request's query
	Page   int           // posts on a page
	Cache  int64         // bytes of pages, and as many of what pages are made of, that are kept
}

// DefaultLimits returns the limits that are in force where none are given.
func DefaultLimits() Limits {
	return Limits{Time: 15 * time.Second, AtOnce: 64, Query: 2048, Page: 50, Cache: 24 << 20}
}

// or returns l with the other's limits where it has none.
func (l Limits) or(other Limits) Limits {
	return Limits{
		Time: cmp.Or(l.Time, other.Time), AtOnce: cmp.Or(l.AtOnce, other.AtOnce), Query: cmp.Or(l.Query, other.Query),
		Page: cmp.Or(l.Page, other.Page), Cache: cmp.Or(l.Cache, other.Cache),
	}
}

// Server answers requests out of an archive. It is safe for concurrent use.
type Server struct {
	Options
	handler   http.Handler
	templates *templates
	assets    *assets
	reader    *reader
	outlets   outletNames
	packers   packers
	langs     language.Matcher
	searching chan struct{}     // those who search
	pages     *cache[*rendered] // by address and language
	parts     *cache[any]       // what pages are made of, by name
	sites     []*page.Site      // of the mirrors, as far as their sites are known
	meters    *meters
	guesses   *guesses
	began     time.Time // when the server did
}

// New returns a server. What it cannot be without is the store, the calendar, the
// clock and the log.
func New(o Options) (*Server, error) {
	o.Limits = o.Limits.or(DefaultLimits())
	s := &Server{
		Options:   o,
		reader:    newReader(),
		langs:     newLangs(),
		meters:    newMeters(),
		guesses:   newGuesses(o.Now),
		began:     o.Now(),
		searching: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		pages:     newCache[*rendered](o.Limits.Cache, o.Now),
		parts:     newCache[any](o.Limits.Cache, o.Now),
	}
	var err error
	if s.sites, err = sitesOf(o.Mirrors); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.templates, err = loadTemplates(s.assets); err != nil {
		return nil, err
	}
	s.handler = s.guarded(s.mux())
	return s, nil
}

// sitesOf returns what knows the addresses of the mirrors whose sites are known.
func sitesOf(mirrors []Mirror) ([]*page.Site, error) {
	var sites []*page.Site
	for _, m := range mirrors {
		if m.Site == "" {
			continue
		}
		site, err := page.NewSite(m.Name, m.Site, m.Share, m.Text)
		if err != nil {
			return nil, fmt.Errorf("mirror %s: %w", m.Name, err)
		}
		sites = append(sites, site)
	}
	return sites, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
