package storetest

import (
	"context"
	"maps"
	"slices"

	"github.com/finarc/finarc/news"
)

// KnownOn implements [Store].
func (m *Memory) KnownOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	s := m.look()
	known := maps.Clone(s.frontier)
	maps.Copy(known, s.leads)
	return wantedIn(ctx, ofDay(known, d), after, n)
}

// GoneOn implements [Store].
func (m *Memory) GoneOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	return wantedIn(ctx, ofDay(maps.Clone(m.look().failed), d), after, n)
}

// ofDay leaves the posts of a day.
func ofDay(posts map[news.ID]news.Wanted, d news.Day) map[news.ID]news.Wanted {
	maps.DeleteFunc(posts, func(id news.ID, _ news.Wanted) bool { return id.Day() != d })
	return posts
}

// Unknown implements [Store].
func (m *Memory) Unknown(ctx context.Context, posts []news.Wanted) ([]news.Wanted, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := m.look()
	return slices.DeleteFunc(slices.Clone(posts), func(w news.Wanted) bool {
		_, wanted := s.frontier[w.ID]
		_, lead := s.leads[w.ID]
		_, failed := s.failed[w.ID]
		return wanted || lead || failed || s.held(w.ID)
	}), nil
}

// Days implements [Store].
func (m *Memory) Days(ctx context.Context, from, to news.Day) ([]news.DayStanding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := m.look()
	days := map[news.Day]news.DayStanding{}
	count := func(id news.ID, add news.DayStanding) {
		d := id.Day()
		if d == 0 || d < from || to != 0 && d > to {
			return
		}
		sum := days[d]
		days[d] = news.DayStanding{
			Day: d, Archived: sum.Archived + add.Archived, Gone: sum.Gone + add.Gone, NeverSeen: sum.NeverSeen + add.NeverSeen,
		}
	}
	for id := range s.posts {
		count(id, news.DayStanding{Archived: 1})
	}
	for id := range s.failed {
		count(id, news.DayStanding{Gone: 1})
	}
	for _, waiting := range []map[news.ID]news.Wanted{s.frontier, s.leads} {
		for id := range waiting {
			count(id, news.DayStanding{NeverSeen: 1})
		}
	}
	list := []news.DayStanding{}
	for _, d := range slices.Sorted(maps.Keys(days)) {
		list = append(list, days[d])
	}
	return list, nil
}
