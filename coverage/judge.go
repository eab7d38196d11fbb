package coverage

import (
	"math"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// What is usual is the median of comparable days: of the same weekday, trading
// or not, within eight weeks before and after; or, where these are fewer than
// three, of all days of the same kind there (trading, weekend, holiday); or of all
// days without trade.
const (
	// Span is how many days before and after a day it is compared with.
	Span       = 8 * 7
	comparable = 3
)

// A gap is less than half of what is usual, and so few that a Poisson process of
// the usual rate comes to it with less than this probability. Posts come in
// bunches, so the first condition counts too; and parts are many, so they must be
// rarer still.
const (
	RareDay  = 1e-4
	RarePart = 1e-7
)

// judge compares days.
type judge struct {
	days  map[news.Day]*Day
	parts []string
	first news.Day // of the archive: it began in the middle of it
	today news.Day
}

// judge finds the gaps of a day, unless it is not over, or the archive's first, or
// there is nothing to compare it with.
func (j *judge) judge(d *Day) {
	like := j.like(d)
	if d.Day <= j.first || j.today != 0 && d.Day >= j.today || len(like) < comparable {
		return
	}
	d.Judged = true
	counts := make([]int, len(like))
	usual := func(of func(*Day) int) int {
		for i, other := range like {
			counts[i] = of(other)
		}
		slices.Sort(counts)
		return counts[(len(counts)-1)/2]
	}
	d.Usual = usual(func(o *Day) int { return o.Posts })
	d.Gap = Rare(d.Posts, d.Usual, RareDay)
	for i, part := range j.parts {
		if u := usual(func(o *Day) int { return o.Cells[i] }); Rare(d.Cells[i], u, RarePart) {
			d.Gaps = append(d.Gaps, PartGap{part, d.Cells[i], u})
		}
	}
}

// like returns the days to compare a day with.
func (j *judge) like(d *Day) []*Day {
	for _, alike := range []func(a, b *Day) bool{sameWeekday, sameKind, sameTrading} {
		var like []*Day
		for other := d.Day.Add(-Span); other <= d.Day.Add(Span); other = other.Add(1) {
			o := j.days[other]
			if o != nil && o != d && o.Day > j.first && (j.today == 0 || o.Day < j.today) && alike(d, o) {
				like = append(like, o)
			}
		}
		if len(like) >= comparable {
			return like
		}
	}
	return nil
}

func sameWeekday(a, b *Day) bool {
	return sameKind(a, b) && a.Day.Time().Weekday() == b.Day.Time().Weekday()
}

func sameKind(a, b *Day) bool { return sameTrading(a, b) && weekend(a) == weekend(b) }

func sameTrading(a, b *Day) bool { return a.Trading == b.Trading }

func weekend(d *Day) bool {
	w := d.Day.Time().Weekday()
	return w == time.Saturday || w == time.Sunday
}

// Rare reports whether n is a gap where usual is usual.
func Rare(n, usual int, probability float64) bool {
	return 2*n < usual && AtMost(n, float64(usual)) < probability
}

// AtMost returns the probability that a Poisson process with the given mean has
// at most n events.
func AtMost(n int, mean float64) float64 {
	if mean <= 0 {
		return 1
	}
	// The terms rise up to the mean, and n is below it where this is of use: so
	// from the largest down, in logarithms, which do not underflow.
	term := -mean + float64(n)*math.Log(mean) - lgamma(n+1)
	sum, factor := 1.0, 1.0
	for k := n; k > 0 && factor > 1e-17; k-- {
		factor *= float64(k) / mean
		sum += factor
	}
	return min(1, math.Exp(term)*sum)
}

func lgamma(n int) float64 {
	v, _ := math.Lgamma(float64(n))
	return v
}
