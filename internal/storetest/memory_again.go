package storetest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// see records that a mirror still has its newest revision of a post.
func (s *state) see(seen news.Seen) {
	id := seen.ID
	if len(s.posts[id]) == 0 {
		id = s.aliases[id]
	}
	list := slices.Clone(s.posts[id])
	for i := range slices.Backward(list) {
		if list[i].Mirror != seen.Mirror || isFile(&list[i]) {
			continue
		}
		met(&list[i], seen.Answer, true)
		s.posts[id] = list
		return
	}
}

// met records that a revision was met again, by an answer that may be of its very
// page: of such the last one is kept.
func met(rev *news.Revision, a news.Revisit, page bool) {
	a.Time, a.Header = milli(a.Time), a.Header.Clone()
	if a.Time.After(rev.LastSeen) {
		rev.LastSeen = a.Time
	}
	if page && a.Status != 0 && a.Time.After(rev.Fetched) && (rev.Revisit == nil || a.Compare(rev.Revisit) > 0) {
		rev.Revisit = &a
	}
}

// remember records hosts, and forgets those that nobody asked for 90 days.
func (s *state) remember(hosts []news.Host) {
	var now time.Time
	for _, h := range hosts {
		h.Robots.Fetched, h.Paused = milli(h.Robots.Fetched), milli(h.Paused)
		h.Robots.Body = bytes.Clone(h.Robots.Body[:min(len(h.Robots.Body), 500<<10)])
		if h.Robots.Fetched.After(now) {
			now = h.Robots.Fetched
		}
		if h.Robots.Fetched.IsZero() {
			h.Robots = s.hosts[h.Origin].Robots
		}
		s.hosts[h.Origin] = h
	}
	if now.IsZero() {
		return
	}
	old := now.AddDate(0, 0, -90)
	maps.DeleteFunc(s.hosts, func(_ string, h news.Host) bool { return h.Robots.Fetched.Before(old) && h.Paused.Before(old) })
}

// Hosts implements [Store].
func (m *Memory) Hosts(ctx context.Context) ([]news.Host, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var list []news.Host
	all := m.look().hosts
	for _, origin := range slices.Sorted(maps.Keys(all)) {
		h := all[origin]
		h.Robots.Body = bytes.Clone(h.Robots.Body)
		list = append(list, h)
	}
	return list, nil
}

// PageHistory implements [Store].
func (m *Memory) PageHistory(ctx context.Context) ([]news.PageCounts, error) {
	runs, err := m.Runs(ctx, 1000)
	var history []news.PageCounts
	for i := range runs {
		if counts := runs[i].Typical(); !runs[i].Ended.IsZero() && len(counts) > 0 {
			history = append(history, counts)
		}
	}
	return history, err
}

// Hourly implements [Store].
func (m *Memory) Hourly(ctx context.Context, since time.Time) ([]news.HourCount, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	posts := make(map[time.Time]int)
	for _, revs := range m.look().posts {
		for i := range revs {
			at := revs[i].Place()
			if at.IsZero() {
				at = time.Unix(0, 0) // of no known day
			}
			if at = at.In(news.Shanghai).Truncate(time.Hour); !at.Before(since.Truncate(time.Hour)) {
				posts[at]++
			}
		}
	}
	var counts []news.HourCount
	for _, at := range slices.SortedFunc(maps.Keys(posts), time.Time.Compare) {
		counts = append(counts, news.HourCount{Hour: at, Posts: posts[at]})
	}
	return counts, nil
}

// Held implements [Store].
func (m *Memory) Held(ctx context.Context, since time.Time, after news.ID, n int) ([]news.Held, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := m.look()
	var list []news.Held
	for _, id := range slices.SortedFunc(maps.Keys(s.posts), byIdentity) {
		revs := s.posts[id]
		if len(list) < n && (after == "" || byIdentity(id, after) > 0) && !revs[len(revs)-1].Place().Before(since) {
			list = append(list, s.copies(revs))
		}
	}
	return list, nil
}

// copies tells what it takes to look at a post again.
func (s *state) copies(revs []news.Revision) news.Held {
	newest := &revs[len(revs)-1]
	h := news.Held{Wanted: news.Wanted{
		ID: newest.ID, InfoCode: newest.InfoCode, Category: newest.Category, Mirror: newest.Mirror, TitleSum: news.TitleSum(newest.Title),
	}}
	for _, rev := range slices.Backward(revs) {
		if slices.ContainsFunc(h.Copies, func(c news.Copy) bool { return c.Mirror == rev.Mirror }) || isFile(&rev) {
			continue
		}
		c := &s.captures[rev.Seq-1]
		h.Copies = append(h.Copies, news.Copy{
			Mirror: c.Mirror, URL: c.URL, Kind: c.Kind, ETag: c.Header.Get("ETag"), LastModified: c.Header.Get("Last-Modified"),
		})
		if c.Kind == news.KindPost && !slices.Contains(h.Pages, c.URL) {
			h.Pages = append(h.Pages, c.URL)
		}
	}
	return h
}
