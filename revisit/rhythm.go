// Package revisit tells which list pages of a mirror a crawl should ask for now:
// those on which a new post is likeliest, and those that must not be left
// alone for longer. It is pure functions over what the archive knows: no network,
// no clock, no store.
//
// Posts are taken to come to a page as a Poisson process, as in the work of Cho
// and Garcia-Molina on incremental crawlers ("The Evolution of the Web and
// Implications for an Incremental Crawler", 2000; "Estimating Frequency of
// Change", 2003). They estimate how often a page changes from whether it had
// changed at each visit, with a correction for the changes in between, which
// nobody saw. A list page tells more: each post that came stands on it, so that
// the changes can be counted. What is estimated from the counts is the mean of the
// posterior of a Poisson rate under a Gamma prior (see [Planner.Choose]), and time
// runs by the mirror's [Rhythm].
package revisit

import (
	"math"
	"time"

	"github.com/finarc/finarc/news"
)

// Rhythm is how much is published at which hour, on trading days and on others,
// as a multiple of what is usual.
type Rhythm struct {
	trading func(news.Day) bool
	weights [2][24]float64 // by whether it is a trading day, and hour in Shanghai
}

// Weekdays is the rule by which days from Monday to Friday are trading days, for
// those who know no holidays.
func Weekdays(d news.Day) bool {
	switch d.Time().Weekday() {
	case time.Saturday, time.Sunday:
		return false
	}
	return true
}

// fewDays is how many days' worth of what is true of more hours is added to
// what was seen of fewer. So an hour of the day is told from another, and a
// trading day from a Sunday, as far as the data bear it.
const fewDays = 2

// NewRhythm learns the rhythm from how many posts were published in which hour:
// from the first that is counted, as the counts are in order of time, up to the
// last whole one before now. Hours between that are not counted had no post.
// trading tells trading days.
//
// What is usual for the hour of a trading day is drawn towards what is usual for
// that hour on any day, and this towards what is usual for any hour, as if it
// had been seen so on two more days each time.
func NewRhythm(counts []news.HourCount, now time.Time, trading func(news.Day) bool) *Rhythm {
	r := &Rhythm{trading: trading, weights: evenly()}
	if len(counts) == 0 {
		return r
	}
	var posts, days [2][24]float64
	end := now.Truncate(time.Hour)
	for at := counts[0].Hour.Truncate(time.Hour); at.Before(end); at = at.Add(time.Hour) {
		kind, hour := r.of(at)
		days[kind][hour]++
	}
	for _, c := range counts {
		if c.Hour.Before(end) {
			kind, hour := r.of(c.Hour)
			posts[kind][hour] += float64(c.Posts)
		}
	}
	r.learn(&posts, &days)
	return r
}

// learn sets the weights from the posts and the number of days of each hour.
func (r *Rhythm) learn(posts, days *[2][24]float64) {
	allPosts, allHours := 0.0, 0.0
	for hour := range 24 {
		allPosts += posts[0][hour] + posts[1][hour]
		allHours += days[0][hour] + days[1][hour]
	}
	if allPosts == 0 || allHours == 0 {
		return
	}
	usual := allPosts / allHours
	for hour := range 24 {
		anyDay := drawn(posts[0][hour]+posts[1][hour], days[0][hour]+days[1][hour], usual)
		for kind := range r.weights {
			r.weights[kind][hour] = drawn(posts[kind][hour], days[kind][hour], anyDay) / usual
		}
	}
}

// drawn returns the posts an hour, drawn towards what is usual elsewhere.
func drawn(posts, days, usual float64) float64 {
	return (posts + fewDays*usual) / (days + fewDays)
}

func evenly() (w [2][24]float64) {
	for kind := range w {
		for hour := range w[kind] {
			w[kind][hour] = 1
		}
	}
	return w
}

// of returns which weight a moment has.
func (r *Rhythm) of(at time.Time) (kind, hour int) {
	if r.trading(news.DayOf(at)) {
		kind = 1
	}
	return kind, at.In(news.Shanghai).Hour()
}

// Hours returns how many usual hours passed between two moments: more than by the
// clock where much is published, fewer by night. It is 0 where to is not after
// from.
func (r *Rhythm) Hours(from, to time.Time) float64 {
	sum := 0.0
	for from.Before(to) {
		next := from.Truncate(time.Hour).Add(time.Hour)
		if next.After(to) {
			next = to
		}
		kind, hour := r.of(from)
		sum += next.Sub(from).Hours() * r.weights[kind][hour]
		from = next
	}
	return sum
}

// memory is the time in which what a visit taught comes to count for 1/e.
const memory = 7 * 24 * time.Hour

// Visited returns what is known of a page after a visit, so long after the last
// one, which lasted so many usual hours: alone counts the posts of which it was
// the first to tell.
func Visited(v news.Visits, since time.Duration, hours float64, alone int) news.Visits {
	kept := math.Exp(-max(0, since.Hours()) / memory.Hours())
	told := float64(v.Since)
	return news.Visits{
		Posts: v.Posts*kept + told + float64(alone),
		Hours: v.Hours*kept + hours,
		Told:  v.Told*kept + told,
		Alone: v.Alone*kept + float64(alone),
	}
}

// First returns what is known of a page after its first visit: it listed so many
// posts, of so many usual hours.
func First(listed int, hours float64) news.Visits {
	return news.Visits{Posts: float64(listed), Hours: hours}
}
