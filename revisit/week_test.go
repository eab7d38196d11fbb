package revisit_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/revisit"
)

// week is a stretch of days of a mirror of many outlets, few of which are large, whose posts are
// drawn beforehand, and what a policy made of it.
type week struct {
	pages   []news.ListPage
	posts   [][]time.Time // by page, in order
	seen    []int         // of these, by page
	hours   map[time.Time]int
	delays  []time.Duration
	asked   int
	longest time.Duration // that a page was left alone
}

const (
	weekPages  = 2000
	weekBudget = 150
	weekStep   = 5 * time.Minute
	weekWindow = 72 * time.Hour
	weekLasts  = 3 * 24 * time.Hour
)

// weekBegins is a Friday.
var weekBegins = time.Date(2021, 12, 17, 0, 0, 0, 0, news.Shanghai)

// weights of the hours: most comes while the exchanges are open.
var weights = [24]float64{.2, .1, .1, .1, .1, .2, .4, .7, 1, 1, 1, .9, .6, .8, .9, 1, 1, .9, .8, .8, .7, .6, .5, .3}

func newWeek() *week {
	dice := rand.New(rand.NewPCG(1, 2))
	w := &week{pages: make([]news.ListPage, weekPages), posts: make([][]time.Time, weekPages), seen: make([]int, weekPages), hours: map[time.Time]int{}}
	sums := make([]float64, weekPages)
	total := 0.0
	for i := range sums {
		total += 1 / float64(i+2)
		sums[i] = total
		w.pages[i] = news.ListPage{URL: fmt.Sprintf("https://mirror.example/category/%d.html", i)}
	}
	for at := weekBegins.Add(-weekWindow); at.Before(weekBegins.Add(weekLasts)); at = at.Add(time.Minute) {
		mean := 300. / 60 * weights[at.Hour()] / .6
		if !revisit.Weekdays(news.DayOf(at)) {
			mean *= 0.3
		}
		for range poisson(dice, mean) {
			i := sort.SearchFloat64s(sums, dice.Float64()*total)
			w.posts[i] = append(w.posts[i], at)
		}
	}
	return w
}

func poisson(dice *rand.Rand, mean float64) (n int) {
	for p := dice.Float64(); p > math.Exp(-mean); p *= dice.Float64() {
		n++
	}
	return n
}

// rhythm is what the posts that were seen tell of the hours.
func (w *week) rhythm(now time.Time) *revisit.Rhythm {
	var counts []news.HourCount
	for at, n := range w.hours {
		counts = append(counts, news.HourCount{Hour: at, Posts: n})
	}
	slices.SortFunc(counts, func(a, b news.HourCount) int { return a.Hour.Compare(b.Hour) })
	return revisit.NewRhythm(counts, now, revisit.Weekdays)
}

// visit asks for a page.
func (w *week) visit(i int, now time.Time, r *revisit.Rhythm) {
	l := &w.pages[i]
	n := 0
	for _, at := range w.posts[i][w.seen[i]:] {
		if at.After(now) {
			break
		}
		n++
		w.hours[at.Truncate(time.Hour)]++
		if !l.Checked.IsZero() {
			w.delays = append(w.delays, now.Sub(at))
		}
	}
	w.seen[i] += n
	if l.Checked.IsZero() {
		l.Visits = revisit.First(n, r.Hours(now.Add(-weekWindow), now))
	} else {
		since := now.Sub(l.Checked)
		w.longest = max(w.longest, since)
		l.Visits = revisit.Visited(l.Visits, since, r.Hours(l.Checked, now), n)
	}
	l.Checked = now
	w.asked++
}

// run lets a policy choose until the week is over.
func (w *week) run(choose func(now time.Time, r *revisit.Rhythm) []int) {
	for i := range w.pages {
		w.visit(i, weekBegins, w.rhythm(weekBegins))
	}
	w.asked = 0
	for now := weekBegins.Add(weekStep); now.Before(weekBegins.Add(weekLasts)); now = now.Add(weekStep) {
		r := w.rhythm(now)
		for _, i := range choose(now, r) {
			w.visit(i, now, r)
		}
	}
	slices.Sort(w.delays)
}

// within returns the time within which a share of the posts was seen.
func (w *week) within(share float64) time.Duration {
	return w.delays[int(share*float64(len(w.delays)-1))]
}

func (w *week) String() string {
	sum := time.Duration(0)
	for _, d := range w.delays {
		sum += d
	}
	return fmt.Sprintf("%d posts, %d requests; half within %v, 90 %% within %v, 99 %% within %v, on average %v; no page left alone for longer than %v",
		len(w.delays), w.asked, w.within(.5), w.within(.9), w.within(.99), (sum / time.Duration(len(w.delays))).Round(time.Second), w.longest)
}

// TestPolicies holds the plan against asking for as many pages in turn, and for as
// many that are drawn. It is what ARCHITECTURE.md tells of them.
func TestPolicies(t *testing.T) {
	planned := newWeek()
	index := map[string]int{}
	for i := range planned.pages {
		index[planned.pages[i].URL] = i
	}
	last := weekBegins
	planned.run(func(now time.Time, r *revisit.Rhythm) (chosen []int) {
		p := revisit.Planner{Now: now, Last: last, Window: weekWindow, Rhythm: r}
		due, _ := p.Choose(planned.pages, weekBudget)
		for i := range due {
			chosen = append(chosen, index[due[i].URL])
		}
		last = now
		return chosen
	})
	perRun := planned.asked/int(weekLasts/weekStep) + 1

	inTurn, next := newWeek(), 0
	inTurn.run(func(time.Time, *revisit.Rhythm) (chosen []int) {
		for range perRun {
			chosen = append(chosen, next%weekPages)
			next++
		}
		return chosen
	})
	drawn, dice := newWeek(), rand.New(rand.NewPCG(3, 4))
	drawn.run(func(time.Time, *revisit.Rhythm) []int { return dice.Perm(weekPages)[:perRun] })

	t.Logf("planned: %v\nin turn: %v\ndrawn: %v", planned, inTurn, drawn)
	if 4*planned.within(.5) > inTurn.within(.5) || 4*planned.within(.5) > drawn.within(.5) {
		t.Error("the plan is not four times as quick for half of the posts")
	}
	if planned.longest > revisit.Bound(weekWindow) {
		t.Errorf("a page was left alone for %v", planned.longest)
	}
}
