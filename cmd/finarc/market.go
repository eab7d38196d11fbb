package main

import (
	"fmt"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
)

// market tells of posts when they could first be traded on.
type market struct {
	calendar *exchange.Calendar
	unknown  int // posts of which the calendar knows the day, or the next trading day, not
}

// market returns what tells it by the configured calendar. Only JSON is told, so
// without --json it knows none, and the configuration is not looked at.
func (a *app) market() (*market, error) {
	if !a.json {
		return new(market), nil
	}
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	calendar, err := loadCalendar(c)
	return &market{calendar: calendar}, err
}

// loadCalendar returns the calendar of the exchanges that is configured. What is
// wrong with its file is a fault of the configuration.
func loadCalendar(c config.Config) (*exchange.Calendar, error) {
	calendar, err := exchange.Load(c.Calendar)
	if err != nil {
		return nil, config.Problems{{Key: "calendar", What: err}}
	}
	return calendar, nil
}

// revision returns a revision as JSON is to tell of it.
func (m *market) revision(rev news.Revision) jsonform.Revision {
	r, known := jsonform.NewRevision(rev, m.calendar)
	m.note(&rev.Post, known)
	return r
}

// listed returns a revision as JSON is to tell of it in a list of revisions.
func (m *market) listed(rev news.Revision) jsonform.Listed {
	l, known := jsonform.NewListed(rev, m.calendar)
	m.note(&rev.Post, known)
	return l
}

// tradable tells when a post could first be traded on, if that is known.
func (m *market) tradable(p *news.Post) (time.Time, bool) {
	at, known := m.calendar.Tradable(p)
	m.note(p, known)
	return at, known
}

// note counts a post of which it is not known when it could first be traded on,
// though its day is.
func (m *market) note(p *news.Post, known bool) {
	if !known && p.Day() != 0 {
		m.unknown++
	}
}

// noteUnknown says of how many posts there was no tradable_at to be told.
func (a *app) noteUnknown(m *market) {
	if m.unknown == 0 {
		return
	}
	first, last := m.calendar.Span()
	fmt.Fprintf(a.err, "finarc: warning: tradable_at is missing from %s: the calendar of trading days is from %s to %s; a file named as calendar in the configuration adds years\n",
		plural(m.unknown, "post"), first, last)
}
