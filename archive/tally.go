package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// Part says by what the posts of a day are told apart.
type Part string

// The parts of a day.
const (
	ByCategory Part = "category"
	ByOutlet   Part = "outlet"
	ByHour     Part = "hour" // in Shanghai
)

// Tally counts the posts that are held, by day and part of it, from the indexes
// alone: in order of day, then of name. A zero day is open; posts without a day
// are left out.
func (a *Archive) Tally(ctx context.Context, by Part, from, to news.Day) ([]news.Tally, error) {
	c := counter{a: a, from: from, to: to, cells: make(map[cell]int)}
	if err := c.findReplaced(ctx); err != nil {
		return nil, err
	}
	if err := c.countHours(ctx, by); err != nil {
		return nil, err
	}
	kind := map[Part]termKind{ByCategory: termCategory, ByOutlet: termTag}[by]
	if kind != 0 {
		if err := c.countTerms(ctx, kind); err != nil {
			return nil, err
		}
	}
	return c.tallies(), nil
}

// cell is a day and a part of it.
type cell struct {
	day  news.Day
	name string
}

// counter counts posts by cell.
type counter struct {
	a        *Archive
	from, to news.Day
	replaced map[uint64]bool // revisions that a newer one of their post stands for
	cells    map[cell]int
}

func (c *counter) tallies() []news.Tally {
	list := make([]news.Tally, 0, len(c.cells))
	for at, n := range c.cells {
		if n > 0 {
			list = append(list, news.Tally{Day: at.day, Name: at.name, Posts: n})
		}
	}
	slices.SortFunc(list, func(a, b news.Tally) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Name, b.Name)) })
	return list
}

// covers reports whether a day counts.
func (c *counter) covers(d news.Day) bool {
	return d >= c.from && (c.to == 0 || d <= c.to) && d.Valid()
}

// findReplaced finds the revisions that are not the newest of their posts.
func (c *counter) findReplaced(ctx context.Context) error {
	c.replaced = make(map[uint64]bool)
	return c.a.inLooks(ctx, bucketPosts, nil, func(_ *tx, k, v []byte) ([]byte, error) {
		v, err := unseal(bucketPosts, k, v)
		if err != nil {
			return nil, err
		}
		if len(v) <= maxLoneHead {
			if _, n := binary.Uvarint(v); n > 0 {
				if _, m := binary.Uvarint(v[n:]); n+m == len(v) {
					return nil, nil // one revision, as most have
				}
			}
		}
		h, err := decodeHead(v)
		if err != nil {
			return nil, fmt.Errorf("post %s: %w", idOf(k), err)
		}
		for _, r := range h[:len(h)-1] {
			c.replaced[r.seq] = true
		}
		return nil, nil
	})
}

// maxLoneHead is how long the entry of a post with one revision can be.
const maxLoneHead = 2 * binary.MaxVarintLen64

// countHours counts by hour, or, where names are to follow, all posts of a day as
// those without a name.
func (c *counter) countHours(ctx context.Context, by Part) error {
	var start []byte
	if c.from != 0 {
		start = appendChunk(nil, uint64(max(0, c.from.Time().Unix()))/hour)
	}
	return c.a.inLooks(ctx, bucketTimes, start, func(_ *tx, k, v []byte) ([]byte, error) {
		at := time.Unix(int64(binary.BigEndian.Uint32(k))*hour, 0).In(news.Shanghai)
		d := news.DayOf(at)
		if c.to != 0 && d > c.to {
			return nil, errEnough
		}
		entries, err := decodeEntries(v)
		if err != nil {
			return nil, fmt.Errorf("index %x: %w", k, err)
		}
		name := ""
		if by == ByHour {
			name = at.Format("15")
		}
		for _, e := range entries {
			if !c.replaced[e.seq()] && c.covers(d) {
				c.cells[cell{d, name}]++
			}
		}
		return nil, nil
	})
}

// countedTerm is a category or tag, and its posts by day.
type countedTerm struct {
	text   string // in lower case
	number uint64
	name   string // as the newest of its posts writes it
	newest uint64 // that post's revision
	days   map[news.Day]int
}

// countTerms counts by category, or by the outlet that a tag tells.
func (c *counter) countTerms(ctx context.Context, kind termKind) error {
	terms, err := c.terms(ctx, kind)
	if err != nil {
		return err
	}
	if err := c.countPostings(ctx, terms); err != nil {
		return err
	}
	withoutParts(terms)
	if err := c.name(ctx, kind, terms); err != nil {
		return err
	}
	for _, t := range terms {
		for d, n := range t.days {
			if t.name != "" {
				c.cells[cell{d, t.name}] += n
				c.cells[cell{d, ""}] -= n
			}
		}
	}
	return nil
}

// terms returns the terms of a kind, in order of their numbers.
func (c *counter) terms(ctx context.Context, kind termKind) ([]*countedTerm, error) {
	var terms []*countedTerm
	prefix := []byte{byte(kind)}
	err := c.a.inLooks(ctx, bucketTerms, prefix, func(_ *tx, k, v []byte) ([]byte, error) {
		text, ok := bytes.CutPrefix(k, prefix)
		if !ok {
			return nil, errEnough
		}
		v, err := unseal(bucketTerms, k, v)
		if err != nil {
			return nil, err
		}
		n, size := binary.Uvarint(v)
		if size != len(v) {
			return nil, fmt.Errorf("%w: term %q has no number", ErrCorrupt, k)
		}
		terms = append(terms, &countedTerm{text: string(text), number: n, days: make(map[news.Day]int)})
		return nil, nil
	})
	slices.SortFunc(terms, func(a, b *countedTerm) int { return cmp.Compare(a.number, b.number) })
	return terms, err
}

// countPostings counts the posts of each term, going from one to the next through
// the index.
func (c *counter) countPostings(ctx context.Context, terms []*countedTerm) error {
	if len(terms) == 0 {
		return nil
	}
	at := 0
	return c.a.inLooks(ctx, bucketPostings, c.postingsOf(terms[0]), func(_ *tx, k, v []byte) ([]byte, error) {
		n := uint64(k[0])<<16 | uint64(k[1])<<8 | uint64(k[2])
		for at < len(terms) && terms[at].number < n {
			at++
		}
		switch {
		case at == len(terms):
			return nil, errEnough
		case terms[at].number > n:
			return c.postingsOf(terms[at]), nil
		}
		start := uint64(binary.BigEndian.Uint32(k[termSize:])) * day
		if c.to != 0 && news.DayOf(unix(int64(start))) > c.to {
			if at++; at == len(terms) {
				return nil, errEnough
			}
			return c.postingsOf(terms[at]), nil
		}
		return nil, c.countEntries(terms[at], start, v)
	})
}

// postingsOf returns where the posts of a term begin that may count.
func (c *counter) postingsOf(t *countedTerm) []byte {
	from := uint64(0)
	if c.from != 0 {
		from = uint64(max(0, c.from.Time().Unix())) / day
	}
	return appendChunk(appendTerm(nil, t.number), from)
}

// countEntries counts the entries of a list that begins at a moment.
func (c *counter) countEntries(t *countedTerm, start uint64, list []byte) error {
	entries, err := decodeEntries(list)
	if err != nil {
		return fmt.Errorf("index of %q: %w", t.text, err)
	}
	for _, e := range entries {
		if c.replaced[e.seq()] {
			continue
		}
		if d := news.DayOf(unix(int64(start + e.offset()))); c.covers(d) {
			t.days[d]++
			t.newest = e.seq()
		}
	}
	return nil
}

// withoutParts takes off what a term counts because it is a part of another: a
// post is found by its category or tag whole, and by each word of it, see
// termsOf.
func withoutParts(terms []*countedTerm) {
	byText := make(map[string]*countedTerm)
	for _, t := range terms {
		byText[t.text] = t
	}
	for _, whole := range terms {
		words := strings.Fields(whole.text)
		if len(words) == 1 && words[0] == whole.text {
			continue
		}
		slices.Sort(words)
		for _, word := range slices.Compact(words) {
			if part := byText[word]; part != nil {
				for d, n := range whole.days {
					part.days[d] -= n
				}
			}
		}
	}
}

// name gives the terms that count anything the names that people know: the one
// of a category as the mirror writes it, the outlet that a tag tells.
func (c *counter) name(ctx context.Context, kind termKind, terms []*countedTerm) error {
	for batch := range slices.Chunk(slices.Clone(terms), 64) {
		err := c.a.view(ctx, func(t *tx) error {
			for _, term := range batch {
				if slices.Max(append(slices.Collect(maps.Values(term.days)), 0)) == 0 {
					continue
				}
				r, err := t.record(term.newest)
				if err != nil {
					return err
				}
				term.name = nameOf(kind, term.text, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nameOf returns the name of a category, or of the outlet of a tag, as a post of
// it writes it; where that has the term as a word only, the term itself.
func nameOf(kind termKind, text string, r *record) string {
	name := r.Category
	if kind == termTag {
		name = r.Tag
	}
	if strings.ToLower(name) != text {
		name = text
	}
	if kind == termTag {
		return news.OutletOfTag(name)
	}
	return name
}
