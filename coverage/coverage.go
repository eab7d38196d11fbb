// Package coverage judges how complete an archive is: from how many posts it
// holds of each day and part of it, and what is usual for such days. Pure
// functions over counts: no store, no clock.
package coverage

import (
	"cmp"
	"maps"
	"slices"

	"github.com/finarc/finarc/news"
)

// Calendar tells on which days the exchanges trade.
type Calendar interface {
	// Trading reports whether they trade on a day. Of a day that is not known,
	// trading says only that it is no Saturday or Sunday.
	Trading(d news.Day) (trading, known bool)
	// Holiday returns the name of the holiday for which they are closed, or "".
	Holiday(d news.Day) string
}

// Matrix is how many posts are held, by day and part of it.
type Matrix struct {
	By    string   `json:"by"` // what the parts are: category, outlet or hour
	Parts []string `json:"parts"`
	Days  []Day    `json:"days"` // all from the first to the last, in order
}

// Day is a day of a matrix.
type Day struct {
	Day     news.Day `json:"day"`
	Trading bool     `json:"trading"` // the mainland exchanges are open
	Holiday string   `json:"holiday,omitempty"`
	// Judged says whether there are days enough to compare with, and the day is
	// over.
	Judged bool `json:"judged"`
	// Usual is how many posts such days have.
	Usual int  `json:"usual"`
	Posts int  `json:"posts"` // held, by day of publication
	Gap   bool `json:"gap"`   // far fewer than usual
	// Cells has the posts of each of the matrix's parts.
	Cells []int `json:"cells"`
	// Gaps are the parts that have far fewer than usual.
	Gaps []PartGap `json:"gaps"`
	// Known tells how the known posts of the day stand, which is that of their
	// infoCode.
	Known news.DayStanding `json:"known"`
}

// PartGap is a part of a day that has far fewer posts than usual.
type PartGap struct {
	Part  string `json:"part"`
	Posts int    `json:"posts"`
	Usual int    `json:"usual"`
}

// Share returns which share of the day's known posts is held, 1 where none is
// known.
func (d *Day) Share() float64 {
	if d.Known.Known() == 0 {
		return 1
	}
	return float64(d.Known.Archived) / float64(d.Known.Known())
}

// Input is what a matrix is made of.
type Input struct {
	By string
	// From and To are the days to tell of. Zero: from the first of which anything
	// is known, and to the last, but not beyond today. Where nothing is known of
	// days to come, they are left out, as are those of which there can be no posts.
	From, To news.Day
	Today    news.Day // it is not over, nor are those after it
	// Tallies are the counts of those days, and of some before and after, see
	// [Span], to compare them with.
	Tallies  []news.Tally
	Known    []news.DayStanding
	Calendar Calendar
	// Ordered keeps the parts in order of name; otherwise those with most posts
	// come first.
	Ordered bool
}

// New judges what is held.
func New(in Input) *Matrix {
	in.From, in.To = in.span()
	m := &Matrix{By: in.By, Parts: in.parts(), Days: []Day{}}
	if in.From == 0 {
		return m
	}
	at := make(map[string]int)
	for i, p := range m.Parts {
		at[p] = i
	}
	all := make(map[news.Day]*Day)
	first, last := in.held()
	for d := min(in.From, first); d <= max(in.To, last); d = d.Add(1) {
		all[d] = in.day(d, len(m.Parts))
	}
	for _, t := range in.Tallies {
		if d := all[t.Day]; d != nil {
			d.Posts += t.Posts
			if i, ok := at[t.Name]; ok {
				d.Cells[i] += t.Posts
			}
		}
	}
	for _, k := range in.Known {
		if d := all[k.Day]; d != nil {
			d.Known = k
		}
	}
	j := judge{days: all, parts: m.Parts, first: first, today: in.Today}
	for d := in.From; d <= in.To; d = d.Add(1) {
		j.judge(all[d])
		m.Days = append(m.Days, *all[d])
	}
	return m
}

// span returns the days to tell of.
func (in *Input) span() (from, to news.Day) {
	from, to = in.From, in.To
	var first, last news.Day
	see := func(d news.Day) {
		if first == 0 || d < first {
			first = d
		}
		last = max(last, d)
	}
	for _, t := range in.Tallies {
		see(t.Day)
	}
	for _, k := range in.Known {
		see(k.Day)
	}
	if first == 0 && (from == 0 || to == 0) {
		return 0, 0
	}
	if from == 0 {
		from = first
	}
	// One post with a date years ahead must not make a matrix of all these years.
	today := cmp.Or(in.Today, news.LastDay)
	if to == 0 {
		to = max(min(last, today), from)
	}
	return max(from, news.FirstDay), min(to, max(last, today))
}

// held returns the first and the last day of which posts are held; those to tell
// of where none is.
func (in *Input) held() (first, last news.Day) {
	first, last = in.To, in.From
	for _, t := range in.Tallies {
		first, last = min(first, t.Day), max(last, t.Day)
	}
	return first, last
}

// day returns a day without posts.
func (in *Input) day(d news.Day, parts int) *Day {
	trading, _ := in.Calendar.Trading(d)
	return &Day{
		Day: d, Trading: trading, Holiday: in.Calendar.Holiday(d),
		Cells: make([]int, parts), Gaps: []PartGap{}, Known: news.DayStanding{Day: d},
	}
}

// parts returns the names of all parts.
func (in *Input) parts() []string {
	posts := make(map[string]int)
	for _, t := range in.Tallies {
		if t.Day >= in.From && t.Day <= in.To {
			posts[t.Name] += t.Posts
		}
	}
	names := slices.Sorted(maps.Keys(posts))
	if !in.Ordered {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(posts[b], posts[a]) })
	}
	return names
}
