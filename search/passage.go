package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// Passage is a piece of text with the words that were looked for.
type Passage struct {
	Text string `json:"text"`
	// Marks are the words, in order, none within another, each from a character to
	// one that is no more of it. Characters are Unicode's, counted from 0.
	Marks [][2]int `json:"marks"`
}

// passageRunes is how long a passage is, in characters, and leadRunes how much of
// it comes before the first word.
const (
	passageRunes = 80
	leadRunes    = 16
)

// hit makes a hit of a post that matched.
func (m *matched) hit(rev *news.Revision, others int) Hit {
	h := Hit{
		Post: *rev, Others: others,
		Title:   passage(rev.Title, m.ranges(rev.Title, m.title), 0, len(rev.Title)),
		Passage: m.passage(),
	}
	h.Post.Body, h.Post.Foot, h.Post.File = "", "", nil
	return h
}

// ranges returns where the words stand in a text, in bytes, in order and joined
// where they meet.
func (m *matched) ranges(s string, t folded) [][2]int {
	var all [][2]int
	for _, w := range m.words {
		for i := t.index(w, 0); i >= 0; i = t.index(w, i+len(w)) {
			last := t.at[i+len(w)-1]
			_, size := utf8.DecodeRuneInString(s[last:])
			all = append(all, [2]int{t.at[i], last + size})
		}
	}
	slices.SortFunc(all, func(a, b [2]int) int { return a[0] - b[0] })
	var joined [][2]int
	for _, r := range all {
		if n := len(joined); n > 0 && r[0] <= joined[n-1][1] {
			joined[n-1][1] = max(joined[n-1][1], r[1])
			continue
		}
		joined = append(joined, r)
	}
	return joined
}

// passage returns the passage of the text that has the most of the words.
func (m *matched) passage() Passage {
	ranges := m.ranges(m.text, m.body)
	best, most := -1, 0
	for i := range ranges {
		_, to := m.around(ranges[i][0])
		n := 0
		for _, w := range m.words {
			if j := m.body.index(w, m.indexAt(ranges[i][0])); j >= 0 && m.body.at[j+len(w)-1] < to {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
		if most == len(m.words) {
			break
		}
	}
	if best < 0 {
		return Passage{Marks: [][2]int{}}
	}
	from, to := m.around(ranges[best][0])
	from, to = uncut(ranges, best, from, to)
	return passage(m.text, ranges, from, to)
}

// uncut returns from where to where a passage goes, around one of the ranges, that
// ends before any other one that it would cut.
func uncut(ranges [][2]int, around, from, to int) (int, int) {
	if around > 0 {
		if last := ranges[around-1]; last[0] < from {
			from = max(from, last[1])
		}
	}
	for _, r := range ranges[around+1:] {
		if r[0] < to && to < r[1] {
			to = r[0]
		}
	}
	return from, to
}

// indexAt returns the place of what stands at a byte of the text.
func (m *matched) indexAt(at int) int {
	i, _ := slices.BinarySearch(m.body.at, at)
	return i
}

// around returns from where to where a passage goes that has a word at a byte.
func (m *matched) around(at int) (from, to int) {
	from = at
	for n := 0; n < leadRunes && from > 0; n++ {
		_, size := utf8.DecodeLastRuneInString(m.text[:from])
		if m.text[from-size:from] == string(barrier) {
			break
		}
		from -= size
	}
	to = from
	for n := 0; n < passageRunes && to < len(m.text); n++ {
		_, size := utf8.DecodeRuneInString(m.text[to:])
		to += size
	}
	return from, to
}

// passage cuts a piece out of a text. Ends of lines become spaces.
func passage(s string, ranges [][2]int, from, to int) Passage {
	p := Passage{Text: strings.ReplaceAll(s[from:to], string(barrier), " "), Marks: [][2]int{}}
	for _, r := range ranges {
		start, end := max(r[0], from), min(r[1], to)
		if start < end {
			at := utf8.RuneCountInString(s[from:start])
			p.Marks = append(p.Marks, [2]int{at, at + utf8.RuneCountInString(s[start:end])})
		}
	}
	return p
}
