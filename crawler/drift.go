package crawler

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/finarc/finarc/news"
)

// countPage counts a page of a post by how it could be read; p is nil where it
// could not.
func (r *run) countPage(kind news.PageKind, p *news.Post) {
	n := r.report.Pages[kind]
	if p == nil {
		n.Unreadable++
	} else {
		n = n.Add(news.PageCount{
			Read: 1, NoTitle: count(p.Title == ""), NoDate: count(p.Published.IsZero()), NoBody: count(p.Body == ""),
		})
	}
	r.report.Pages[kind] = n
}

// count returns 1 for what is, and 0 for what is not.
func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

const (
	// driftHistory is how many pages of a kind earlier runs must have had for
	// anything to be usual.
	driftHistory = 100
	// driftChance is the probability below which what a run's pages lack is no
	// chance: of 30,000 runs one is told wrongly of.
	driftChance = 1.0 / 30_000
)

// findDrift compares how the run's pages could be read with the archive's
// history.
func (r *run) findDrift(ctx context.Context) error {
	history, err := r.o.Store.PageHistory(ctx)
	if err != nil {
		return fmt.Errorf("history of pages: %w", err)
	}
	for _, kind := range slices.Sorted(maps.Keys(r.report.Pages)) {
		now := r.report.Pages[kind]
		var then news.PageCount
		for _, counts := range history {
			then = then.Add(counts[kind])
		}
		usual := shares(then)
		for i, field := range shares(now) {
			if drifts(field, usual[i]) {
				d := news.Drift{Kind: kind, Field: field.name, Share: field.share(), Usual: usual[i].share()}
				r.report.Drift = append(r.report.Drift, d)
				r.o.Log.Warn("pages drift", "kind", d.Kind, "field", d.Field, "share", d.Share, "usual", d.Usual)
			}
		}
	}
	return nil
}

// lacking is how many of some pages lack a field.
type lacking struct {
	name    string
	n, from int
}

func (l lacking) share() float64 { return float64(l.n) / float64(max(1, l.from)) }

// shares tells the counts of pages by field.
func shares(c news.PageCount) []lacking {
	return []lacking{
		{"unreadable", c.Unreadable, c.Read + c.Unreadable},
		{"title", c.NoTitle, c.Read}, {"date", c.NoDate, c.Read}, {"body", c.NoBody, c.Read},
	}
}

// drifts reports whether so many pages lack a field now as would not by chance.
func drifts(now, then lacking) bool {
	if now.n == 0 || then.from < driftHistory {
		return false
	}
	// One more than was ever seen, or else the first page of a kind that lacks
	// something would be no chance at all.
	usual := float64(then.n+1) / float64(then.from+1)
	return now.share() > usual && chance(now.n, now.from, usual) < driftChance
}

// chance returns the probability that n or more of so many pages lack what each
// lacks with probability p: the upper tail of the binomial distribution.
func chance(n, from int, p float64) float64 {
	if p >= 1 {
		return 1
	}
	sum := 0.0
	for k := n; k <= from; k++ {
		sum += math.Exp(logChoose(from, k) + float64(k)*math.Log(p) + float64(from-k)*math.Log1p(-p))
	}
	return sum
}

// logChoose returns the logarithm of the number of ways to choose k of n.
func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
