package mirror

import (
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// marked counts how often an article marks a security.
type marked struct {
	quoted int // in world.quoted
	count  int
	place  int  // among the marked, in order of their first marks
	named  bool // a picture alone names none
}

// mention appends a security's name, most often marked as one.
func (a *author) mention(dst []byte, quoted int) []byte {
	q := &a.quoted[quoted]
	if a.plain {
		return append(dst, q.name...)
	}
	m := a.mark(quoted)
	switch {
	case !m.named && a.dice.IntN(8) > 0:
		dst = append(dst, q.first...)
	case m.named && a.dice.IntN(2) == 0:
		dst = append(dst, q.later...)
	default:
		return append(dst, q.name...)
	}
	m.named = true
	a.count(m)
	return dst
}

func (a *author) picture(quoted int) {
	a.count(a.mark(quoted))
	a.body = append(a.body, a.quoted[quoted].picture...)
}

// mark returns the count of a security. One that stays 0 is no mention.
func (a *author) mark(quoted int) *marked {
	for i := range a.marks {
		if a.marks[i].quoted == quoted {
			return &a.marks[i]
		}
	}
	a.marks = append(a.marks, marked{quoted: quoted})
	return &a.marks[len(a.marks)-1]
}

// count counts a mark of a security.
func (a *author) count(m *marked) {
	if m.count == 0 {
		for i := range a.marks {
			m.place = max(m.place, a.marks[i].place+1)
		}
	}
	m.count++
}

func (a *author) term(dst []byte) []byte {
	t := a.terms[a.dice.IntN(len(a.terms))]
	if a.plain || a.dice.IntN(3) == 0 {
		return append(dst, plainTerm(t)...)
	}
	return append(dst, t...)
}

// post returns what a reader should make of the article that was written last,
// all but what the catalogue knows.
func (a *author) post(posts []entry) news.Post {
	p := news.Post{Title: string(a.title), Digest: string(a.digest), Source: a.source, Body: string(a.body)}
	seen := map[int32]bool{}
	for _, i := range a.linked {
		if !seen[i] {
			seen[i] = true
			p.Related = append(p.Related, news.InfoCode(posts[i].appendDigits(nil)))
		}
	}
	slices.SortFunc(a.marks, func(x, y marked) int { return x.place - y.place })
	for _, m := range a.marks {
		a.addMention(&p, m)
	}
	return p
}

func (a *author) addMention(p *news.Post, m marked) {
	if m.count == 0 {
		return
	}
	mention := news.Mention{Security: a.quoted[m.quoted].Security, Count: m.count}
	if m.named {
		mention.Name = a.quoted[m.quoted].name
	}
	if mention.Board() {
		p.Boards = append(p.Boards, mention)
	} else {
		p.Securities = append(p.Securities, mention)
	}
}

// marksInName marks a term within an outlet's name, as happens where marks are
// set by a machine.
func (a *author) marksInName(name string) string {
	if a.dice.IntN(3) > 0 {
		return name
	}
	for i, word := range [...]string{"证券", "基金", "期货"} {
		if before, after, ok := strings.Cut(name, word); ok {
			return before + termMark(3700+i, word) + after
		}
	}
	return name
}
