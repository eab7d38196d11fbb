package web

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// summary is what the posts of a day come to.
type summary struct {
	Day        news.Day
	Posts      int
	Hours      [24]int
	Categories []counted // those with most posts first
	Securities []counted // likewise; no boards
}

// counted is a category or a security, and how many posts it has.
type counted struct {
	Key      string        // the category, or market and code
	Security news.Security // zero of a category
	Name     string        // as people call it; empty where the posts do not tell
	Posts    int
}

// For how long a day's summary is as good as new: the newest days go on.
const (
	summaryFresh = time.Minute
	summaryOld   = time.Hour
)

// summary returns what the posts of a day come to.
func (s *Server) summary(ctx context.Context, d news.Day) (*summary, error) {
	fresh := summaryFresh
	if d < news.DayOf(s.Now()).Add(-1) {
		fresh = summaryOld
	}
	return part(s, "day "+d.String(), fresh, func() (*summary, int64, error) {
		sum, err := summarize(ctx, s.Store, d)
		if err != nil {
			return nil, 0, err
		}
		return sum, int64(256 + 128*(len(sum.Categories)+len(sum.Securities))), nil
	})
}

// summarize goes through the posts of a day.
func summarize(ctx context.Context, posts Posts, d news.Day) (*summary, error) {
	sum := &summary{Day: d}
	categories, securities := make(counts), make(counts)
	for rev, err := range posts.Select(ctx, archive.Selection{From: d, To: d}) {
		if err != nil {
			return nil, err
		}
		sum.Posts++
		sum.Hours[rev.Place().In(news.Shanghai).Hour()]++
		if rev.Category != "" {
			categories.add(counted{Key: rev.Category, Name: rev.Outlet})
		}
		for _, m := range rev.Securities {
			securities.add(counted{Key: m.Security.String(), Security: m.Security, Name: m.Name})
		}
	}
	sum.Categories, sum.Securities = categories.sorted(), securities.sorted()
	return sum, nil
}

// counts counts by key.
type counts map[string]*counted

func (c counts) add(one counted) {
	at := c[one.Key]
	if at == nil {
		at = &counted{Key: one.Key, Security: one.Security}
		c[one.Key] = at
	}
	at.Name = cmp.Or(at.Name, one.Name)
	at.Posts++
}

// sorted returns what was counted, the most first.
func (c counts) sorted() []counted {
	list := make([]counted, 0, len(c))
	for _, one := range c {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.Posts, a.Posts), cmp.Compare(a.Key, b.Key))
	})
	return list
}

// risen is what has more posts than usual.
type risen struct {
	counted
	Usual float64 // how many posts it would have, had it the share of the days before
}

// What rises has at least so many posts, and so many times as many as usual.
const (
	risingPosts = 3
	risingTimes = 2
)

// rising returns of what was counted on a day that which stands out from the days
// before, the most first: by how many standard deviations of a Poisson process it
// has more than the share of the posts that it had then. What has no share yet
// counts as having had half a post.
func rising(today *summary, before []*summary, of func(*summary) []counted) []risen {
	had, total := make(map[string]int), 0
	for _, d := range before {
		total += d.Posts
		for _, c := range of(d) {
			had[c.Key] += c.Posts
		}
	}
	if total == 0 {
		return nil
	}
	scale := float64(today.Posts) / float64(total)
	var list []risen
	for _, c := range of(today) {
		usual := (float64(had[c.Key]) + 0.5) * scale
		if c.Posts >= risingPosts && float64(c.Posts) >= risingTimes*usual {
			list = append(list, risen{c, usual})
		}
	}
	slices.SortFunc(list, func(a, b risen) int {
		return cmp.Or(cmp.Compare(b.score(), a.score()), cmp.Compare(a.Key, b.Key))
	})
	return list
}

func (r *risen) score() float64 { return (float64(r.Posts) - r.Usual) / math.Sqrt(r.Usual) }

func ofCategories(s *summary) []counted { return s.Categories }
func ofSecurities(s *summary) []counted { return s.Securities }
