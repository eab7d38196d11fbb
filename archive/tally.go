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

// scan goes through a bucket until fn reports that it is enough, or fails.
func (c *counter) scan(ctx context.Context, bucket, from []byte, fn func(k, v []byte) (bool, error)) error {
	var failed error
	err := c.a.scan(ctx, bucket, from, func(_ *tx, k, v []byte) (goOn bool) {
		goOn, failed = fn(k, v)
		return goOn && failed == nil
	})
	return cmp.Or(failed, err)
}

// findReplaced finds the revisions that are not the newest of their posts.
func (c *counter) findReplaced(ctx context.Context) error {
	c.replaced = make(map[uint64]bool)
	return c.scan(ctx, bucketPosts, nil, func(k, v []byte) (bool, error) {
		v, err := unseal(bucketPosts, k, v)
		if err != nil || isLone(v) {
			return true, err
		}
		h, err := decodeHead(v)
		if err != nil {
			return false, fmt.Errorf("post %s: %w", idOf(k), err)
		}
		for _, r := range h[:len(h)-1] {
			c.replaced[r.seq] = true
		}
		return true, nil
	})
}

// isLone reports whether the entry of a post has one revision, as most have,
// without room for what it says.
func isLone(entry []byte) bool {
	_, n := binary.Uvarint(entry)
	if n <= 0 {
		return false
	}
	_, m := binary.Uvarint(entry[n:])
	return m > 0 && n+m == len(entry)
}

// countHours counts by hour, or, where names are to follow, all posts of a day as
// those without a name.
func (c *counter) countHours(ctx context.Context, by Part) error {
	return c.scan(ctx, bucketTimes, appendChunk(nil, beginOf(c.from)/hour), func(k, v []byte) (bool, error) {
		at := unix(int64(binary.BigEndian.Uint32(k)) * hour)
		d := news.DayOf(at)
		if c.to != 0 && d > c.to {
			return false, nil
		}
		entries, err := decodeEntries(v)
		if err != nil {
			return false, fmt.Errorf("index %x: %w", k, err)
		}
		name := ""
		if by == ByHour {
			name = at.In(news.Shanghai).Format("15")
		}
		for _, e := range entries {
			if !c.replaced[e.seq()] && c.covers(d) {
				c.cells[cell{d, name}]++
			}
		}
		return true, nil
	})
}

// beginOf returns when a day begins, in seconds since 1970; 0 for no day.
func beginOf(d news.Day) uint64 {
	if d == 0 {
		return 0
	}
	return uint64(max(0, d.Time().Unix()))
}

// countedTerm is a category or tag, and its posts by day.
type countedTerm struct {
	text   string // in lower case
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
	if err := c.countLists(ctx, terms); err != nil {
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

// terms returns the terms of a kind by their numbers.
func (c *counter) terms(ctx context.Context, kind termKind) (map[uint64]*countedTerm, error) {
	terms := make(map[uint64]*countedTerm)
	prefix := []byte{byte(kind)}
	err := c.scan(ctx, bucketTerms, prefix, func(k, v []byte) (bool, error) {
		text, ok := bytes.CutPrefix(k, prefix)
		if !ok {
			return false, nil
		}
		v, err := unseal(bucketTerms, k, v)
		if err != nil {
			return false, err
		}
		n, size := binary.Uvarint(v)
		if size != len(v) {
			return false, fmt.Errorf("%w: term %q has no number", ErrCorrupt, k)
		}
		terms[n] = &countedTerm{text: string(text), days: make(map[news.Day]int)}
		return true, nil
	})
	return terms, err
}

// listOf is a list of entries: of a term's day.
type listOf struct{ term, day uint64 }

// countLists counts the posts of each term, those of lists first that have not
// been put away: one that is meanwhile is not counted again.
func (c *counter) countLists(ctx context.Context, terms map[uint64]*countedTerm) error {
	recent := make(map[listOf]bool)
	err := c.scan(ctx, bucketRecent, nil, func(k, v []byte) (bool, error) {
		var l listOf
		if len(k) != termSize+chunkSize {
			return false, fmt.Errorf("%w: index %x", ErrCorrupt, k)
		}
		l.term, l.day = ofRecent(k)
		recent[l] = true
		return true, c.countList(terms[l.term], l.day, v)
	})
	if err != nil {
		return err
	}
	return c.scan(ctx, bucketPostings, nil, func(k, v []byte) (bool, error) {
		if len(k) != termSize+chunkSize {
			return false, fmt.Errorf("%w: index %x", ErrCorrupt, k)
		}
		l := listOf{termOf(k), uint64(binary.BigEndian.Uint32(k[termSize:]))}
		if recent[l] {
			return true, nil
		}
		return true, c.countList(terms[l.term], l.day, v)
	})
}

// countList counts the entries of a list, if its term is wanted and its day can
// be.
func (c *counter) countList(t *countedTerm, of uint64, list []byte) error {
	start := of * day
	if t == nil || start+day <= beginOf(c.from) || c.to != 0 && start >= beginOf(c.to.Add(1)) {
		return nil
	}
	entries, err := decodeEntries(list)
	if err != nil {
		return fmt.Errorf("index of %q: %w", t.text, err)
	}
	// A day of the index is one of UTC, and so of two in Shanghai.
	days := [2]news.Day{news.DayOf(unix(int64(start))), news.DayOf(unix(int64(start + midnight)))}
	for _, e := range entries {
		if d := days[e.offset()/midnight]; !c.replaced[e.seq()] && c.covers(d) {
			t.days[d]++
			t.newest = max(t.newest, e.seq())
		}
	}
	return nil
}

// midnight is when the next day begins in Shanghai, in seconds into a day of UTC.
const midnight = 16 * hour

// withoutParts takes off what a term counts because it is a part of another: a
// post is found by its category or tag whole, and by each word of it, see
// termsOf.
func withoutParts(terms map[uint64]*countedTerm) {
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
func (c *counter) name(ctx context.Context, kind termKind, terms map[uint64]*countedTerm) error {
	for batch := range slices.Chunk(slices.Collect(maps.Values(terms)), 64) {
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
