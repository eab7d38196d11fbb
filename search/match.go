package search

import (
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// tiers is how many parts an answer by relevance has.
const tiers = 3

// matches returns what the engine is asked for: all candidates; and the same in
// three parts, by relevance. An empty one means all posts.
func (c *conditions) matches(f *folder) []string {
	var base, title, inside []string // a post that has what the last two ask for has the first, too
	rated := false
	for _, w := range c.words {
		if w.without {
			continue
		}
		terms, _ := f.lookups(w.runes)
		for _, t := range terms {
			kinds := [3]string{"", inTitle, inText}
			switch {
			case w.title:
				kinds = [3]string{inTitle, inTitle, inTitle}
			case t.single():
				kinds[2] = "" // whether it is there often is not known
			}
			base, title, inside = append(base, t.quote(kinds[0])), append(title, t.quote(kinds[1])), append(inside, t.quote(kinds[2]))
			rated = rated || !w.title
		}
	}
	for _, term := range c.names {
		base = append(base, lookup{term: term}.quote(""))
	}
	all := strings.Join(base, " AND ")
	if !rated {
		return []string{c.except(f, all), c.except(f, all)}
	}
	names := base[len(title):]
	first := strings.Join(append(title, names...), " AND ")
	second := strings.Join(append(inside, names...), " AND ")
	return []string{
		c.except(f, all),
		c.except(f, first),
		c.except(f, "("+second+") NOT ("+first+")"),
		c.except(f, "("+all+") NOT (("+first+") OR ("+second+"))"),
	}
}

// except takes out of a match what surely has a word that must not be there.
func (c *conditions) except(f *folder, match string) string {
	if match == "" {
		return ""
	}
	var not []string
	for _, w := range c.words {
		terms, exact := f.lookups(w.runes)
		if !w.without || !exact {
			continue
		}
		if w.title {
			not = append(not, terms[0].quote(inTitle))
		} else {
			not = append(not, terms[0].quote(""))
		}
	}
	for _, term := range c.not {
		not = append(not, lookup{term: term}.quote(""))
	}
	if len(not) == 0 {
		return match
	}
	return "(" + match + ") NOT (" + strings.Join(not, " OR ") + ")"
}

// quote writes a term as the engine reads it. No term has a quotation mark within.
func (l lookup) quote(kind string) string {
	q := `"` + kind + l.term + `"`
	if l.prefix {
		q += "*"
	}
	return q
}

// selects reports whether a post is of the days and has the names that are asked
// for. It may have been revised since it was indexed.
func (s *searching) selects(rev *news.Revision) bool {
	at := placeOf(rev)
	if s.from != 0 && at < s.from.Time().Unix() || s.to != 0 && (at == 0 || at >= s.to.Add(1).Time().Unix()) {
		return false
	}
	names := s.fold.names(rev)
	has := func(term string) bool { return names[term] }
	return !slices.ContainsFunc(s.not, has) && !slices.ContainsFunc(s.names, func(term string) bool { return !has(term) })
}

// matched is a post that has what is asked for.
type matched struct {
	words       [][]rune // that can be marked
	text        string
	title, body folded
}

// match returns where a post has the words that are asked for; nil where one is
// missing, or one is there that must not be.
func (s *searching) match(rev *news.Revision) *matched {
	m := &matched{text: s.text(rev.Body), title: s.fold.text(rev.Title)}
	m.body = s.fold.text(m.text)
	for _, w := range s.words {
		there := m.title.index(w.runes, 0) >= 0 || !w.title && m.body.index(w.runes, 0) >= 0
		if there == w.without {
			return nil
		}
		if !w.without {
			m.words = append(m.words, w.runes)
		}
	}
	return m
}
