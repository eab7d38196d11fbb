package securities

import (
	"cmp"
	"maps"
	"slices"

	"github.com/finarc/finarc/news"
)

// Count is how often posts name a security.
type Count struct {
	news.Security
	Posts    int `json:"posts"`    // that name it
	Mentions int `json:"mentions"` // places, pictures included
	Found    int `json:"found"`    // of these, those that are not marked, but found in the text
	// FoundPosts are the posts that name it and mark it nowhere.
	FoundPosts int `json:"found_posts"`
}

func (c *Count) add(o Count) {
	c.Posts += o.Posts
	c.Mentions += o.Mentions
	c.Found += o.Found
	c.FoundPosts += o.FoundPosts
}

// countsOf returns what a post counts for each security or board that it names, by
// its marks and by the places that were found.
func countsOf(rev *news.Revision, found []news.Place) map[news.Security]Count {
	counts := make(map[news.Security]Count)
	for _, list := range [][]news.Mention{rev.Securities, rev.Boards} {
		for i := range list {
			s := list[i].Security
			counts[s] = Count{Security: s, Posts: 1, Mentions: list[i].Count}
		}
	}
	for _, p := range found {
		c, marked := counts[p.Security]
		if !marked {
			c = Count{Security: p.Security, Posts: 1, FoundPosts: 1}
		}
		c.Mentions++
		c.Found++
		counts[p.Security] = c
	}
	return counts
}

// Survey counts which securities some posts name. The zero value has seen no post.
type Survey struct {
	Posts  int // all, also those that name none
	counts map[news.Security]*Count
}

// Add takes in a post, and the places that were found in it.
func (s *Survey) Add(rev *news.Revision, found []news.Place) {
	if s.counts == nil {
		s.counts = make(map[news.Security]*Count)
	}
	s.Posts++
	for of, c := range countsOf(rev, found) {
		if s.counts[of] == nil {
			s.counts[of] = &Count{Security: of}
		}
		s.counts[of].add(c)
	}
}

// Of returns what was counted of a security.
func (s *Survey) Of(of news.Security) Count {
	if c := s.counts[of]; c != nil {
		return *c
	}
	return Count{Security: of}
}

// Counts returns what was counted of companies, or of boards: those that most posts
// name first, of these those with most mentions, then by market and code.
func (s *Survey) Counts(boards bool) []Count {
	var list []Count
	for _, c := range s.counts {
		if c.Board() == boards {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Posts, a.Posts), cmp.Compare(b.Mentions, a.Mentions), compareSecurities(a.Security, b.Security))
	})
	return list
}

// Profile is what posts say of one security: when, and together with which others.
type Profile struct {
	Security news.Security
	with     Survey
	days     map[news.Day]*Count
}

// Add takes in a post, and the places that were found in it. One that does not name
// the security does not count.
func (p *Profile) Add(rev *news.Revision, found []news.Place) {
	c, named := countsOf(rev, found)[p.Security]
	if !named {
		return
	}
	if p.days == nil {
		p.days = make(map[news.Day]*Count)
	}
	day := rev.PlaceDay()
	if p.days[day] == nil {
		p.days[day] = &Count{Security: p.Security}
	}
	p.days[day].add(c)
	p.with.Add(rev, found)
}

// DayCount is how often posts of a day name a security.
type DayCount struct {
	Day news.Day `json:"day"` // 0 of posts without one
	Count
}

// Days returns the days on which posts name the security, in order.
func (p *Profile) Days() []DayCount {
	var list []DayCount
	for _, d := range slices.Sorted(maps.Keys(p.days)) {
		list = append(list, DayCount{d, *p.days[d]})
	}
	return list
}

// With returns the other securities, or the boards, that the same posts name, in the
// order of [Survey.Counts].
func (p *Profile) With(boards bool) []Count {
	return slices.DeleteFunc(p.with.Counts(boards), func(c Count) bool { return c.Security == p.Security })
}
