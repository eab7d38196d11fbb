package exchange

import (
	"time"

	"github.com/finarc/finarc/news"
)

// Phase tells how orders meet in a session.
type Phase string

// The phases of a trading day, as the exchanges' trading rules (交易规则) call
// them: 开盘集合竞价, 连续竞价 and 收盘集合竞价.
const (
	OpeningAuction Phase = "opening auction"
	Continuous     Phase = "continuous auction"
	// ClosingAuction is the last three minutes. In Shanghai they were part of
	// the continuous auction until 17 August 2018.
	ClosingAuction Phase = "closing auction"
)

// Session is a part of a trading day in which both exchanges take orders: from
// Open up to, but not at, Close.
type Session struct {
	Phase       Phase
	Open, Close time.Time
}

// Sessions returns the sessions of a trading day, in their order: 09:15 to
// 09:25, 09:30 to 11:30, 13:00 to 14:57 and 14:57 to 15:00. So say the rules of
// both exchanges since 1 July 2006; that orders are not taken from 09:25 to
// 09:30 those of Shenzhen only since 2016 (article 3.3.1, 深证会〔2016〕138号): before,
// it took them without acting on them. A day on which the exchanges do not trade
// has none, but that is for [Calendar.Trading] to tell.
func Sessions(d news.Day) []Session {
	at := func(hour, minute int) time.Time {
		return d.Time().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	}
	return []Session{
		{OpeningAuction, at(9, 15), at(9, 25)},
		{Continuous, at(9, 30), at(11, 30)},
		{Continuous, at(13, 0), at(14, 57)},
		{ClosingAuction, at(14, 57), at(15, 0)},
	}
}

// TradableAt returns the first moment at which a reader of what was published at
// a moment could have given an order that both exchanges take: that moment
// itself within a session, or else the beginning of the next one, on that day or
// on the next trading day. At the moment at which a session ends, as 11:30:00, it
// is too late for it. It is not known (false) if the calendar does not know the
// day, or the trading day that follows. Reading and acting take no time in it,
// and blocks, funds and what is traded after hours have times of their own.
func (c *Calendar) TradableAt(published time.Time) (time.Time, bool) {
	day := news.DayOf(published)
	trading, known := c.Trading(day)
	if !known {
		return time.Time{}, false
	}
	if !trading {
		return c.opening(day)
	}
	for _, s := range Sessions(day) {
		switch {
		case published.Before(s.Open):
			return s.Open, true
		case published.Before(s.Close):
			return published.In(news.Shanghai), true
		}
	}
	return c.opening(day)
}

// Tradable is [Calendar.TradableAt] of a post. One of which only the day is
// known, see [news.Post.TimeKnown], may have come out at its end, so that nobody
// who must not look ahead can have traded on it before the next trading day. One
// whose page tells minutes alone is taken for published as the minute began.
func (c *Calendar) Tradable(p *news.Post) (time.Time, bool) {
	if p.TimeKnown() {
		return c.TradableAt(p.Published)
	}
	return c.opening(p.Day())
}

// opening returns when orders are first taken after a day.
func (c *Calendar) opening(after news.Day) (time.Time, bool) {
	if _, known := c.Trading(after); !known {
		return time.Time{}, false
	}
	next, known := c.After(after)
	if !known {
		return time.Time{}, false
	}
	return Sessions(next)[0].Open, true
}
