package revisit

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// patience is into how many parts a mirror's window is divided, in one of which
// each list page is asked for: so five visits in a row may fail before a post is
// gone that nobody has seen.
const patience = 6

// Bound returns how long a list page may be left alone on a mirror that shows a
// post for a time.
func Bound(window time.Duration) time.Duration { return window / patience }

// worth is the chance of a new post below which a page is left alone until it
// is overdue.
const worth = 0.01

// Planner chooses among the list pages of one mirror.
type Planner struct {
	Now    time.Time
	Last   time.Time     // when the mirror was last asked for anything before; zero: never
	Window time.Duration // for how long the mirror shows a post
	Rhythm *Rhythm
}

// class orders pages by why they are asked for.
type class int

const (
	likely  class = iota // a new post is likely
	moved                // the sitemap says that it changed
	overdue              // it must not be left alone any longer
)

// candidate is a page that may be asked for.
type candidate struct {
	page   news.ListPage
	class  class
	unseen float64 // posts that are to be expected on it
}

// Choose returns the pages that are to be asked for now, those first that are
// most urgent, and those that are left to a later run. These are chosen:
//
//   - pages that were never asked for, or would have been left alone for longer
//     than [Bound] when the next run comes, whatever the budget says;
//   - as far as the budget goes, pages of which the sitemap says that they changed,
//     and then those on which a new post is likeliest, unless the chance is
//     below one in a hundred.
//
// A page to which n posts came in x usual hours is expected to get
//
//	λ = (½ + n + k) / (½/m + x + c·e)
//
// posts in a usual hour, where m is what all pages of the mirror get on average, e
// are the usual hours since it was last asked for, k are the posts of it that the
// home page, feed or sitemap have told of since, and c is the share of all posts of
// which these tell. It is the mean of a Gamma distribution, the posterior of a
// prior that is worth half a post. So λ·e·(1-c) posts are expected on it that are
// not known yet, and with a chance of 1-exp(-λ·e·(1-c)) there is one.
func (p *Planner) Choose(pages []news.ListPage, budget int) (due, left []news.ListPage) {
	all := newAverage(pages)
	candidates := make([]candidate, len(pages))
	for i := range pages {
		candidates[i] = p.judge(&pages[i], all)
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.class, a.class), cmp.Compare(b.unseen, a.unseen), strings.Compare(a.page.URL, b.page.URL))
	})
	for i := range candidates {
		c := &candidates[i]
		if c.class == overdue || len(due) < budget && (c.class == moved || c.chance() >= worth) {
			due = append(due, c.page)
		} else {
			left = append(left, c.page)
		}
	}
	return due, left
}

// judge tells how urgent a page is.
func (p *Planner) judge(l *news.ListPage, all average) candidate {
	c := candidate{page: *l}
	since := p.Now.Sub(l.Checked)
	switch {
	case l.Checked.IsZero() || since < 0 || since+p.cadence() > bounded(l.URL, p.Window):
		c.class = overdue
	case l.Moved.After(l.Checked) && !l.Moved.After(p.Now):
		c.class = moved
	}
	since = min(max(0, since), p.Window)
	hours := p.Rhythm.Hours(p.Now.Add(-since), p.Now)
	c.unseen = all.rate(&l.Visits, hours) * hours * (1 - all.told)
	return c
}

// chance returns how likely there is a new post.
func (c *candidate) chance() float64 { return -math.Expm1(-c.unseen) }

// cadence returns in how long the next run is to be expected: the time since the
// last.
func (p *Planner) cadence() time.Duration {
	if p.Last.IsZero() {
		return 0
	}
	return max(0, p.Now.Sub(p.Last))
}

// bounded returns how long a page may be left alone: from three quarters of the
// bound to all of it, so that pages which were asked for together are not all
// overdue together.
func bounded(address string, window time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(address))
	quarter := Bound(window) / 4
	return 3*quarter + time.Duration(float64(quarter)*float64(h.Sum32())/math.MaxUint32)
}

// average is what the pages of a mirror have in common.
type average struct {
	posts float64 // to a page, in a usual hour
	told  float64 // the share of posts of which home page, feed and sitemap tell
}

// prior is how many posts' worth of the average is added to what is known of a
// page. It is little, as pages differ a thousandfold.
const prior = 0.5

func newAverage(pages []news.ListPage) average {
	var sum news.Visits
	for i := range pages {
		v := &pages[i].Visits
		sum.Posts += v.Posts
		sum.Hours += v.Hours
		sum.Told += v.Told
		sum.Alone += v.Alone
	}
	// As if another post had come of which nobody told, so that no page is
	// ever thought to be of no use.
	return average{posts: (sum.Posts + prior) / (sum.Hours + 1), told: sum.Told / (sum.Told + sum.Alone + 1)}
}

// rate returns how many posts come to a page in a usual hour.
func (a average) rate(v *news.Visits, hours float64) float64 {
	return (prior + v.Posts + float64(v.Since)) / (prior/a.posts + v.Hours + a.told*hours)
}
