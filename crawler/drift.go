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

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// A drift is told when a run has so many pages of a kind, and earlier ones had
// so many together, and when the share that lacks something is higher than the
// usual one by more than chance explains.
const (
	driftPages   = 20
	driftHistory = 100
	// driftSigmas is how many standard deviations of the binomial distribution
	// that must be: by chance alone one run in 30,000 is.
	driftSigmas = 4
)

// findDrift compares how the run's pages could be read with the archive's
// history.
func (r *run) findDrift(ctx context.Context) error {
	history, err := r.o.Store.PageHistory(ctx)
	if err != nil {
		return fmt.Errorf("history of pages: %w", err)
	}
	for _, kind := range slices.Sorted(maps.Keys(r.report.Pages)) {
		now, then := r.report.Pages[kind], history[kind]
		for i, field := range shares(now) {
			d := news.Drift{Kind: kind, Field: field.name, Share: field.share(), Usual: shares(then)[i].share()}
			if drifts(field, shares(then)[i]) {
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
	if now.from < driftPages || then.from < driftHistory {
		return false
	}
	// One more than was ever seen, or else the first page of a kind that lacks
	// something would be no chance at all.
	usual := float64(then.n+1) / float64(then.from+1)
	deviation := math.Sqrt(usual * (1 - min(usual, 1)) / float64(now.from))
	return now.share() > usual+driftSigmas*deviation
}
