// Package exchange knows when the exchanges of the Chinese mainland, Shanghai's
// (SSE) and Shenzhen's (SZSE), take orders: on which days, in which sessions of
// a day, and so from when on a reader of a post could have traded on it. It
// reads no clock; its days and times are Shanghai's.
//
// # The calendar
//
// The exchanges are closed on Saturdays and Sundays, also on those that are
// workdays in place of others, and on holidays that are announced each December
// for the year that follows. Holidays follow no rule, so they are a list,
// closed.txt, by years, each with its sources. A file of the same form takes the
// place of years or adds some, see [Load]. Beyond its years a calendar knows of
// weekends only, and says so.
package exchange

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

//go:embed closed.txt
var closed []byte

// Calendar tells on which days the exchanges trade, for years that follow one
// another without a gap. It does not change, so it may be used from many sides.
type Calendar struct {
	years map[int]closedDays
}

// closedDays are days on which the exchanges are closed, with the holiday's name.
type closedDays map[news.Day]string

// Mainland returns the calendar that comes with the program.
func Mainland() (*Calendar, error) { return new(Calendar).With("closed.txt", closed) }

// With returns the calendar with other years: those that text tells take the
// place of its own or are added to them. The form of text is told at the head of
// closed.txt; name is what errors call it.
func (c *Calendar) With(name string, text []byte) (*Calendar, error) {
	years, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	merged := &Calendar{years: maps.Clone(c.years)}
	if merged.years == nil {
		merged.years = make(map[int]closedDays)
	}
	maps.Copy(merged.years, years)
	known := slices.Sorted(maps.Keys(merged.years))
	for i, year := range known[1:] {
		if before := known[i]; year != before+1 {
			return nil, fmt.Errorf("%s: there is %d and %d, but no year between them", name, before, year)
		}
	}
	return merged, nil
}

// Span returns the first and the last day that the calendar knows.
func (c *Calendar) Span() (first, last news.Day) {
	known := slices.Sorted(maps.Keys(c.years))
	if len(known) == 0 {
		return 0, 0
	}
	return news.Day(known[0]*10000 + 101), news.Day(known[len(known)-1]*10000 + 1231)
}

// Trading reports whether the exchanges trade on a day. Of a day that the
// calendar does not know, trading says only that it is no Saturday or Sunday.
func (c *Calendar) Trading(d news.Day) (trading, known bool) {
	year, known := c.years[int(d)/10000]
	_, holiday := year[d]
	return d != 0 && !weekend(d) && !holiday, known
}

// Holiday returns the name of the holiday for which the exchanges are closed on
// a day, as 春节, or "" where the calendar knows of none. A weekend within a
// holiday may be named or not.
func (c *Calendar) Holiday(d news.Day) string { return c.years[int(d)/10000][d] }

// After returns the first trading day after d. It is known only if all days up
// to it are.
func (c *Calendar) After(d news.Day) (next news.Day, known bool) {
	for {
		d = d.Add(1)
		trading, known := c.Trading(d)
		switch {
		case !known:
			return 0, false
		case trading:
			return d, true
		}
	}
}

func weekend(d news.Day) bool {
	w := d.Time().Weekday()
	return w == time.Saturday || w == time.Sunday
}
