package search

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/finarc/finarc/news"
)

// Bounds of a query.
const (
	MaxQuery = 2000 // bytes
	MaxItems = 32   // words, phrases and conditions
)

// QueryError is a query that cannot be understood.
type QueryError struct {
	At   int // the character where that is seen, from 1
	What string
}

func (e *QueryError) Error() string { return fmt.Sprintf("character %d: %s", e.At, e.What) }

// item is one part of a query: a word, a phrase or a condition.
type item struct {
	at      int // its first character, from 1
	without bool
	field   string // empty: title or text
	text    string
}

// The names before a colon that make a condition.
const (
	fieldTitle    = "title"
	fieldCategory = "category"
	fieldTag      = "tag"
	fieldSecurity = "security"
	fieldMirror   = "mirror"
	fieldFrom     = "from"
	fieldTo       = "to"
)

func fields() []string {
	return []string{fieldTitle, fieldCategory, fieldTag, fieldSecurity, fieldMirror, fieldFrom, fieldTo}
}

// scanner takes a query apart.
type scanner struct {
	runes []rune
	i     int
}

// parse takes a query apart: items with white space between, each perhaps with a
// minus and a field's name before it; what stands between quotation marks is one.
func parse(query string) ([]item, error) {
	if len(query) > MaxQuery {
		return nil, &QueryError{1, fmt.Sprintf("the query has %d bytes, want at most %d", len(query), MaxQuery)}
	}
	s := &scanner{runes: []rune(query)}
	var items []item
	for {
		s.space()
		if s.i == len(s.runes) {
			return items, nil
		}
		it, err := s.item()
		if err != nil {
			return nil, err
		}
		if items = append(items, it); len(items) > MaxItems {
			return nil, &QueryError{it.at, fmt.Sprintf("more than %d words", MaxItems)}
		}
	}
}

func (s *scanner) space() {
	for s.i < len(s.runes) && blank(s.runes[s.i]) {
		s.i++
	}
}

func blank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// is reports whether the next character is one of some.
func (s *scanner) is(any string) bool {
	return s.i < len(s.runes) && strings.ContainsRune(any, s.runes[s.i])
}

// Characters with a meaning, narrow and wide.
const (
	minuses = "-－"
	opening = "\"＂“"
	closing = "\"＂”"
	colons  = ":："
)

func (s *scanner) item() (item, error) {
	it := item{at: s.i + 1}
	if s.is(minuses) {
		it.without = true
		s.i++
	}
	it.field = s.field()
	from := s.i
	if s.is(opening) {
		end := s.i + 1
		for end < len(s.runes) && !strings.ContainsRune(closing, s.runes[end]) {
			end++
		}
		if end == len(s.runes) {
			return it, &QueryError{from + 1, "the quotation mark is not closed"}
		}
		it.text, s.i = string(s.runes[from+1:end]), end+1
	} else {
		for s.i < len(s.runes) && !blank(s.runes[s.i]) {
			s.i++
		}
		it.text = string(s.runes[from:s.i])
	}
	if strings.TrimFunc(it.text, skipped) == "" {
		return it, &QueryError{from + 1, "there is no word"}
	}
	return it, nil
}

// field reads a field's name and colon, if they are next.
func (s *scanner) field() string {
	for _, name := range fields() {
		end := s.i + len(name)
		if end < len(s.runes) && strings.EqualFold(string(s.runes[s.i:end]), name) && strings.ContainsRune(colons, s.runes[end]) {
			s.i = end + 1
			return name
		}
	}
	return ""
}

// word is what must, or must not, stand in a post.
type word struct {
	runes   []rune
	title   bool // in its title
	without bool
}

// conditions are what a query asks for.
type conditions struct {
	words    []word
	names    []string // terms that must be there
	not      []string // and such that must not
	from, to news.Day
}

// compile makes a query ready to be answered.
func (f *folder) compile(q *Query) (*conditions, error) {
	items, err := parse(q.Text)
	if err != nil {
		return nil, err
	}
	c := &conditions{from: q.From, to: q.To}
	for _, given := range []item{
		{field: fieldCategory, text: q.Category}, {field: fieldTag, text: q.Tag},
		{field: fieldSecurity, text: q.Security}, {field: fieldMirror, text: q.Mirror},
	} {
		if given.text != "" {
			items = append(items, given)
		}
	}
	for _, it := range items {
		if err := f.add(c, it); err != nil {
			return nil, err
		}
	}
	if c.from != 0 && c.to != 0 && c.from > c.to {
		return nil, &QueryError{1, fmt.Sprintf("from %s is after to %s", c.from, c.to)}
	}
	if len(c.names) == 0 && !c.wanted() {
		return nil, &QueryError{1, "there is no word to look for"}
	}
	return c, nil
}

// wanted reports whether there is a word that must stand in a post.
func (c *conditions) wanted() bool {
	for _, w := range c.words {
		if !w.without {
			return true
		}
	}
	return false
}

func (f *folder) add(c *conditions, it item) error {
	kinds := map[string]string{
		fieldCategory: inCategory, fieldTag: inTag, fieldSecurity: inSecurity, fieldMirror: inMirror,
	}
	switch it.field {
	case "", fieldTitle:
		runes := f.word(it.text)
		c.words = append(c.words, word{runes: runes, title: it.field == fieldTitle, without: it.without})
	case fieldFrom, fieldTo:
		return c.addDay(it)
	default:
		term := f.name(kinds[it.field], it.text)
		if it.without {
			c.not = append(c.not, term)
		} else {
			c.names = append(c.names, term)
		}
	}
	return nil
}

// addDay narrows the days that are asked for.
func (c *conditions) addDay(it item) error {
	day, err := news.ParseDay(it.text)
	switch {
	case it.without:
		return &QueryError{it.at, "a day has no minus: want from:DAY or to:DAY"}
	case err != nil:
		return &QueryError{it.at, err.Error()}
	case it.field == fieldFrom:
		c.from = max(c.from, day)
	case c.to == 0 || day < c.to:
		c.to = day
	}
	return nil
}
