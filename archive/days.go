package archive

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/finarc/finarc/news"
)

// KnownOn returns up to n posts of a day that are known and not held, those of
// the frontier and the leads, after the given identity, in order of identity. It
// returns none where there are no more.
func (a *Archive) KnownOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	return a.wantedOfDay(ctx, [][]byte{bucketFrontier, bucketLeads}, d, after, n)
}

// GoneOn is as KnownOn, for the posts that no source has.
func (a *Archive) GoneOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	return a.wantedOfDay(ctx, [][]byte{bucketFailed}, d, after, n)
}

// wantedOfDay returns up to n entries of a day in some buckets, after the given
// identity, in order of identity.
func (a *Archive) wantedOfDay(ctx context.Context, buckets [][]byte, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	var list []news.Wanted
	err := a.view(ctx, func(t *tx) error {
		list = nil
		for _, bucket := range buckets {
			some, err := t.wantedAfter(bucket, dayKey(d), after, n)
			if err != nil {
				return err
			}
			list = append(list, some...)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b news.Wanted) int { return bytes.Compare(idKey(a.ID), idKey(b.ID)) })
	return list[:min(n, len(list))], err
}

// Unknown returns those of some posts that the archive knows nothing of.
func (a *Archive) Unknown(ctx context.Context, posts []news.Wanted) ([]news.Wanted, error) {
	var unknown []news.Wanted
	err := a.view(ctx, func(t *tx) error {
		unknown = nil
		for _, w := range posts {
			if !t.knows(idKey(w.ID)) {
				unknown = append(unknown, w)
			}
		}
		return nil
	})
	return unknown, err
}

// Days tells how the known posts of some days stand: of each of which anything is
// known, in order. A zero day is open. Posts without a day are of none.
func (a *Archive) Days(ctx context.Context, from, to news.Day) ([]news.DayStanding, error) {
	days := make(map[news.Day]*news.DayStanding)
	for _, b := range []struct {
		bucket []byte
		count  func(*news.DayStanding) *int
	}{
		{bucketPosts, func(d *news.DayStanding) *int { return &d.Archived }},
		{bucketFailed, func(d *news.DayStanding) *int { return &d.Gone }},
		{bucketFrontier, func(d *news.DayStanding) *int { return &d.NeverSeen }},
		{bucketLeads, func(d *news.DayStanding) *int { return &d.NeverSeen }},
	} {
		err := a.eachDay(ctx, b.bucket, from, to, func(d news.Day) {
			if days[d] == nil {
				days[d] = &news.DayStanding{Day: d}
			}
			*b.count(days[d])++
		})
		if err != nil {
			return nil, err
		}
	}
	list := make([]news.DayStanding, 0, len(days))
	for _, d := range days {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b news.DayStanding) int { return cmp.Compare(a.Day, b.Day) })
	return list, nil
}

// eachDay tells the day of each post in a bucket that is of some days. Between
// its looks into the file others may write.
func (a *Archive) eachDay(ctx context.Context, bucket []byte, from, to news.Day, tell func(news.Day)) error {
	return a.scan(ctx, bucket, dayKey(max(from, firstDay)), func(_ *tx, k, _ []byte) bool {
		d := keyDay(k)
		if to != 0 && d > to {
			return false
		}
		tell(d)
		return true
	})
}
