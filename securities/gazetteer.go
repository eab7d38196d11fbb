// Package securities tells which companies and boards posts name: those that they
// mark, and those that they only name, by what the archive's own marks teach of
// names and codes. Pure functions over posts: no network, no clock, no store.
package securities

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// Bounds of what is learned, far above what securities have, so that hostile pages
// cannot teach without end.
const (
	maxName  = 40 // bytes
	maxNames = 64 // of one security
)

// Gazetteer knows what securities and boards are called, and when, from the places
// that posts mark. The zero value knows nothing.
type Gazetteer struct {
	known map[news.Security][]use
}

// use is a name as posts of some days have it.
type use struct {
	name        string
	first, last news.Day
	months      []monthly // in order of month
}

// monthly is how many posts of a month use a name.
type monthly struct {
	month int32 // yyyymm
	posts int32
}

// Learn takes in what a revision marks. Posts without a day teach nothing. The
// order in which posts come does not matter, unless a security has more than 64
// names.
func (g *Gazetteer) Learn(rev *news.Revision) {
	day := rev.PlaceDay()
	if day == 0 {
		return
	}
	if g.known == nil {
		g.known = make(map[news.Security][]use)
	}
	for _, list := range [][]news.Mention{rev.Securities, rev.Boards} {
		for i := range list {
			g.learn(list[i].Security, list[i].Name, day)
		}
	}
}

// learn takes in that a post of a day marks a security, by a name or, as a picture,
// without one.
func (g *Gazetteer) learn(s news.Security, name string, day news.Day) {
	name = strings.TrimSpace(name)
	if len(name) > maxName || !utf8.ValidString(name) || strings.EqualFold(name, s.Code) {
		name = ""
	}
	uses := g.known[s]
	i := slices.IndexFunc(uses, func(u use) bool { return u.name == name })
	if i < 0 {
		if len(uses) >= maxNames {
			return
		}
		i = len(uses)
		uses = append(uses, use{name: strings.Clone(name), first: day, last: day})
	}
	uses[i].see(day)
	g.known[s] = uses
}

func (u *use) see(day news.Day) {
	u.first, u.last = min(u.first, day), max(u.last, day)
	month := monthOf(day)
	i, found := slices.BinarySearchFunc(u.months, month, func(m monthly, month int32) int { return cmp.Compare(m.month, month) })
	if !found {
		u.months = slices.Insert(u.months, i, monthly{month: month})
	}
	u.months[i].posts++
}

// posts returns how many posts of some months use the name.
func (u *use) posts(from, to int32) int {
	n := 0
	for _, m := range u.months {
		if m.month >= from && m.month <= to {
			n += int(m.posts)
		}
	}
	return n
}

// all returns how many posts use the name.
func (u *use) all() int { return u.posts(0, monthOf(news.LastDay)) }

func monthOf(d news.Day) int32 { return int32(d / 100) }

// Name is a name of a security, and the first and last day of posts that mark it so.
type Name struct {
	Name  string   `json:"name"`
	First news.Day `json:"first"`
	Last  news.Day `json:"last"`
	Posts int      `json:"posts"` // that mark it so at their first place
}

// Names returns all names of a security, those that most posts use first.
func (g *Gazetteer) Names(s news.Security) []Name {
	var names []Name
	for i := range g.known[s] {
		if u := &g.known[s][i]; u.name != "" {
			names = append(names, Name{u.name, u.first, u.last, u.all()})
		}
	}
	slices.SortFunc(names, func(a, b Name) int {
		return cmp.Or(cmp.Compare(b.Posts, a.Posts), cmp.Compare(a.First, b.First), strings.Compare(a.Name, b.Name))
	})
	return names
}

// First returns the day of the first post that marks a security, 0 if none does.
func (g *Gazetteer) First(s news.Security) news.Day {
	first := news.Day(0)
	for _, u := range g.known[s] {
		if first == 0 || u.first < first {
			first = u.first
		}
	}
	return first
}

// NameAt returns what a security was called on a day: of the names in use then, the
// one that most posts of that month and the month before have; where none is known
// of that day, the last one before it, or else the first after it. What an exchange
// puts before a name for a day (XD, XR, DR, N, C) is no part of it, and such a form
// is only told where there is no other. Empty: no name is known.
func (g *Gazetteer) NameAt(s news.Security, day news.Day) string {
	best, name := rating{}, ""
	for i := range g.known[s] {
		u := &g.known[s][i]
		if u.name == "" {
			continue
		}
		if r := u.rate(day); name == "" || r.compare(best) > 0 || r == best && u.name < name {
			best, name = r, u.name
		}
	}
	return name
}

// rating orders the names of a security by how well each fits a day.
type rating struct {
	lasting bool // no form of a day
	use     int  // 2: in use that day, 1: before it, 0: after it
	near    int  // the nearer the greater
	posts   int
}

func (r rating) compare(o rating) int {
	return cmp.Or(boolean(r.lasting)-boolean(o.lasting), r.use-o.use, r.near-o.near, r.posts-o.posts)
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (u *use) rate(day news.Day) rating {
	r := rating{lasting: !passing(u.name), posts: u.all()}
	switch {
	case day < u.first:
		r.near = -int(u.first)
	case day > u.last:
		r.use, r.near = 1, int(u.last)
	default:
		r.use, r.posts = 2, u.posts(monthOf(day.Add(-28)), monthOf(day))
	}
	return r
}

// passing reports whether a name is a form of a day: of the day on which a share is
// first traded without a right (XD, XR, DR), or of its first days (N, C).
func passing(name string) bool {
	for _, prefix := range []string{"XD", "XR", "DR", "N", "C"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" && rest[0] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// clone returns a gazetteer that learns nothing of what this one learns later.
func (g *Gazetteer) clone() *Gazetteer {
	c := &Gazetteer{known: make(map[news.Security][]use, len(g.known))}
	for s, uses := range g.known {
		uses = slices.Clone(uses)
		for i := range uses {
			uses[i].months = slices.Clone(uses[i].months)
		}
		c.known[s] = uses
	}
	return c
}

// Known returns all securities and boards, in order of market and code.
func (g *Gazetteer) Known() []news.Security {
	return slices.SortedFunc(maps.Keys(g.known), compareSecurities)
}

func compareSecurities(a, b news.Security) int {
	return cmp.Or(cmp.Compare(a.Market, b.Market), strings.Compare(a.Code, b.Code))
}
