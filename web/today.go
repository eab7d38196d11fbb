package web

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// todayPage is the newest posts by hour, what is rising, and how the crawl is.
type todayPage struct {
	Day        *summary
	Hours      []hour
	More       string // the address of the posts before
	Categories []risen
	Securities []risen
	Health     *health
}

// hour is the posts of an hour.
type hour struct {
	Began time.Time
	postList
}

// What the page shows at most.
const (
	todayRising = 12
	risingDays  = 7 // days before with which a day is compared
)

func (s *Server) today(r *request) (*document, error) {
	ctx := r.Context()
	d, err := s.newestDay(ctx)
	if err != nil {
		return nil, err
	}
	t := new(todayPage)
	if t.Day, err = s.summary(ctx, d); err != nil {
		return nil, err
	}
	var before []*summary
	for i := range risingDays {
		sum, err := s.summary(ctx, d.Add(-1-i))
		if err != nil {
			return nil, err
		}
		before = append(before, sum)
	}
	t.Categories = firstOf(rising(t.Day, before, ofCategories), todayRising)
	t.Securities = firstOf(rising(t.Day, before, ofSecurities), todayRising)
	list, err := s.list(r, archive.Selection{})
	if err != nil {
		return nil, err
	}
	t.Hours, t.More = byHour(list.Posts), list.Next
	if t.Health, err = s.health(ctx); err != nil {
		return nil, err
	}
	return &document{template: "today", data: t}, nil
}

func firstOf[T any](list []T, n int) []T { return list[:min(n, len(list))] }

// byHour splits posts, which are in order, where another hour begins.
func byHour(posts []news.Revision) []hour {
	var hours []hour
	for _, rev := range posts {
		began := rev.Place().Truncate(time.Hour)
		if n := len(hours); n == 0 || !hours[n-1].Began.Equal(began) {
			hours = append(hours, hour{Began: began, postList: postList{Clock: true}})
		}
		at := &hours[len(hours)-1]
		at.Posts = append(at.Posts, rev)
	}
	return hours
}

// dayPage is the posts of a day.
type dayPage struct {
	*summary
	List         *postList
	Before, Next news.Day
	Trading      bool
	Known        bool // whether the calendar knows the day
	Holiday      string
	Chart        *chart
}

// What the page of a day shows at most.
const dayParts = 15

// toDay leads to the page of the day that a form names.
func (s *Server) toDay(w http.ResponseWriter, r *http.Request) error {
	d, err := parseDay(r.URL.Query().Get("day"))
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/day/"+d.String())
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (s *Server) day(r *request) (*document, error) {
	d, err := parseDay(r.PathValue("day"))
	if err != nil {
		return nil, err
	}
	sum, err := s.summary(r.Context(), d)
	if err != nil {
		return nil, err
	}
	p := &dayPage{summary: sum, Before: d.Add(-1), Next: d.Add(1), Holiday: s.Calendar.Holiday(d)}
	p.Trading, p.Known = s.Calendar.Trading(d)
	if p.List, err = s.list(r, archive.Selection{From: d, To: d}); err != nil {
		return nil, err
	}
	p.List.Clock = true
	p.Chart = newChart(r.say(msgPostsByHour), hourBars(r, sum))
	return &document{template: "day", title: d.String(), data: p}, nil
}

// hourBars draws the hours of a day; each leads to its posts.
func hourBars(r *request, sum *summary) []bar {
	var bars []bar
	for h, n := range sum.Hours {
		b := bar{Label: fmt.Sprintf("%02d:00", h), Posts: n}
		if n > 0 {
			end := sum.Day.Time().Add(time.Duration(h+1) * time.Hour)
			b.Href = r.with("after", fmt.Sprintf("%d-0", end.Unix()))
		}
		bars = append(bars, b)
	}
	return bars
}

// TopCategories and TopSecurities are those with most posts.
func (p *dayPage) TopCategories() []counted { return firstOf(p.Categories, dayParts) }
func (p *dayPage) TopSecurities() []counted { return firstOf(p.Securities, dayParts) }

// Empty reports whether there is nothing of the day.
func (p *dayPage) Empty() bool {
	return len(p.List.Posts) == 0 && !slices.ContainsFunc(p.Hours[:], func(n int) bool { return n > 0 })
}
