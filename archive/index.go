package archive

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The indexes say which revisions there are, in order of [news.Post.When], of
// every post the newest one:
//
//	times     hours since 1970 (4 bytes) → entries
//	terms     kind of the term, its text → its number (uvarint)
//	postings  the term's number (3 bytes), days since 1970 (4 bytes) → entries
//
// An entry is 8 bytes, big endian: the seconds into the hour or day (3 bytes)
// and the place in the change sequence (5 bytes). Entries lie in rising order.
// One key for many posts is what keeps the indexes small: an entry of its own
// would cost each post some 35 bytes a term.
const (
	termSize  = 3
	chunkSize = 4
	entrySize = 8

	hour = 60 * 60
	day  = 24 * hour
)

// termKind is the first byte of a term.
type termKind byte

const (
	termCategory termKind = 'c'
	termTag      termKind = 't'
	termSecurity termKind = 's' // the code alone: whoever knows the market compares it
	termMirror   termKind = 'm'
)

// term returns the key of a term. Case does not matter: a post's address has
// its categories in lower case.
func term(kind termKind, text string) string {
	return string(byte(kind)) + strings.ToLower(text)
}

// termsOf returns the terms under which a revision is found, each once. A
// category or tag with spaces is found whole, as the mirror's page is called,
// and by each part, as Jekyll splits it.
func termsOf(r *record) []string {
	var terms []string
	add := func(kind termKind, texts ...string) {
		for _, text := range texts {
			if t := term(kind, text); text != "" && !slices.Contains(terms, t) {
				terms = append(terms, t)
			}
		}
	}
	add(termCategory, r.Category)
	add(termCategory, strings.Fields(r.Category)...)
	add(termTag, r.Tag)
	add(termTag, strings.Fields(r.Tag)...)
	for _, m := range r.Mentions {
		add(termSecurity, m.Code)
	}
	add(termMirror, r.Mirror)
	return terms
}

// when returns the second by which a revision is put in order; those without
// any day stand before all others.
func (r *record) when() uint64 {
	if r.Published > 0 {
		return uint64(r.Published)
	}
	return uint64(max(0, idOf(r.ID).Day().Time().Unix()))
}

// chunk names one list of entries: of a term's day, or, without a term, of an
// hour.
type chunk struct {
	term   string
	number uint64
}

// indexChanges gathers what a commit changes in the indexes, so that each list
// is written once.
type indexChanges map[chunk]*chunkChange

type chunkChange struct{ add, remove []uint64 }

func (c indexChanges) add(r *record, seq uint64) {
	c.each(r, seq, func(change *chunkChange, entry uint64) { change.add = append(change.add, entry) })
}

func (c indexChanges) remove(r *record, seq uint64) {
	c.each(r, seq, func(change *chunkChange, entry uint64) { change.remove = append(change.remove, entry) })
}

// each calls fn for every list that a revision stands in.
func (c indexChanges) each(r *record, seq uint64, fn func(*chunkChange, uint64)) {
	when := r.when()
	in := func(at chunk, offset uint64) {
		if c[at] == nil {
			c[at] = new(chunkChange)
		}
		fn(c[at], offset<<(8*seqSize)|seq)
	}
	in(chunk{number: when / hour}, when%hour)
	for _, text := range termsOf(r) {
		in(chunk{text, when / day}, when%day)
	}
}

// apply writes the changes.
func (t *tx) apply(changes indexChanges) error {
	chunks := slices.SortedFunc(maps.Keys(changes), func(a, b chunk) int {
		return cmp.Or(strings.Compare(a.term, b.term), cmp.Compare(a.number, b.number))
	})
	for _, at := range chunks {
		bucket, key := bucketTimes, appendChunk(nil, at.number)
		if at.term != "" {
			n, err := t.termNumber(at.term)
			if err != nil {
				return err
			}
			bucket, key = bucketPostings, appendChunk(appendTerm(nil, n), at.number)
		}
		if err := t.applyTo(bucket, key, changes[at]); err != nil {
			return err
		}
	}
	return nil
}

// applyTo writes the changes of one list.
func (t *tx) applyTo(bucket, key []byte, change *chunkChange) error {
	old := decodeEntries(t.get(bucket, key))
	entries := append(slices.Clip(old), change.add...)
	entries = slices.DeleteFunc(entries, func(e uint64) bool { return slices.Contains(change.remove, e) })
	slices.Sort(entries)
	if len(entries) == 0 {
		return t.Bucket(bucket).Delete(key)
	}
	b := make([]byte, 0, len(entries)*entrySize)
	for _, e := range slices.Compact(entries) {
		b = binary.BigEndian.AppendUint64(b, e)
	}
	return t.put(bucket, key, b)
}

func decodeEntries(b []byte) []uint64 {
	entries := make([]uint64, 0, len(b)/entrySize+8)
	for ; len(b) >= entrySize; b = b[entrySize:] {
		entries = append(entries, binary.BigEndian.Uint64(b))
	}
	return entries
}

func appendChunk(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

func appendTerm(b []byte, n uint64) []byte { return append(b, byte(n>>16), byte(n>>8), byte(n)) }

// findTerm returns a term's number, if it has one.
func (t *tx) findTerm(text string) (uint64, bool) {
	if n, ok := t.terms[text]; ok {
		return n, true
	}
	n, size := binary.Uvarint(t.get(bucketTerms, []byte(text)))
	if size <= 0 {
		return 0, false
	}
	t.remember(text, n)
	return n, true
}

func (t *tx) remember(text string, n uint64) {
	if t.terms == nil {
		t.terms = make(map[string]uint64)
	}
	t.terms[text] = n
}

// termNumber returns a term's number, giving it one if it has none.
func (t *tx) termNumber(text string) (uint64, error) {
	if n, ok := t.findTerm(text); ok {
		return n, nil
	}
	n, err := t.Bucket(bucketTerms).NextSequence()
	if err != nil {
		return 0, err
	}
	if n >= 1<<(8*termSize) {
		return 0, fmt.Errorf("more than %d different categories, tags and securities", n)
	}
	t.remember(text, n)
	return n, t.put(bucketTerms, []byte(text), binary.AppendUvarint(nil, n))
}
