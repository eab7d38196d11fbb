package archive

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// The indexes say which revisions there are, in order of [news.Revision.Place].
// Those that a newer one of their post has replaced are among them, so that the
// archive can tell what it knew at any time:
//
//	times     hours since 1970 (4 bytes) → entries
//	terms     kind of the term, its text → its number (uvarint)
//	postings  the term's number (3 bytes), days since 1970 (4 bytes) → entries
//	recent    days since 1970 (4 bytes), the term's number (3 bytes) → entries
//
// An entry is the seconds into the hour or day and the place in the change
// sequence. Entries lie in rising order, and each is stored as what it is more
// than the one before (uvarint), and how its place differs (varint): some four
// bytes, where a key of its own would cost each post some 35 bytes a term.
const (
	termSize  = 3
	chunkSize = 4

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
	termSource   termKind = 'p' // no post is found by it: a page on which many were found, see tx.sourceNumber
)

// term returns the key of a term. Case does not matter: a post's address has
// its categories in lower case.
func term(kind termKind, text string) string {
	return string(byte(kind)) + strings.ToLower(text)
}

// Bounds on the terms of a post, far above what a mirror has, so that a hostile
// page can neither slow a commit down nor end it: bbolt takes keys of 32 KiB. A
// post is not found by what is beyond.
const (
	maxTerm  = 256  // bytes
	maxTerms = 2000 // of one post
)

// termsOf returns the terms under which a revision is found, each once. A
// category or tag with spaces is found whole, as the mirror's page is called,
// and by each part, as Jekyll splits it.
func termsOf(r *record) []string {
	var terms []string
	add := func(kind termKind, texts ...string) {
		for _, text := range texts {
			if text != "" && len(text) <= maxTerm && len(terms) < maxTerms {
				terms = append(terms, term(kind, text))
			}
		}
	}
	add(termMirror, r.Mirror)
	add(termCategory, r.Category)
	add(termTag, r.Tag)
	add(termCategory, strings.Fields(r.Category)...)
	for _, m := range r.Mentions {
		add(termSecurity, m.Code)
	}
	add(termTag, strings.Fields(r.Tag)...)
	slices.Sort(terms)
	return slices.Compact(terms)
}

// when returns the second by which a revision is put in order, see
// [news.Revision.Place]; those without any day stand before all others.
func (r *record) when() uint64 {
	rev := news.Revision{Post: news.Post{ID: idOf(r.ID)}, Fetched: fromMillis(r.Fetched)}
	if r.Published != 0 {
		rev.Published = unix(r.Published)
	}
	return uint64(max(0, rev.Place().Unix()))
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

type chunkChange struct{ add, remove []entry }

func (c indexChanges) add(r *record, seq uint64) {
	c.each(r, seq, func(change *chunkChange, e entry) { change.add = append(change.add, e) })
}

func (c indexChanges) remove(r *record, seq uint64) {
	c.each(r, seq, func(change *chunkChange, e entry) { change.remove = append(change.remove, e) })
}

// each calls fn for every list that a revision stands in.
func (c indexChanges) each(r *record, seq uint64, fn func(*chunkChange, entry)) {
	entriesOf(r, seq, func(at chunk, e entry) {
		if c[at] == nil {
			c[at] = new(chunkChange)
		}
		fn(c[at], e)
	})
}

// entriesOf calls fn with every list that a revision stands in, and its entry
// there.
func entriesOf(r *record, seq uint64, fn func(chunk, entry)) {
	when := r.when()
	fn(chunk{number: when / hour}, newEntry(when%hour, seq))
	for _, text := range termsOf(r) {
		fn(chunk{text, when / day}, newEntry(when%day, seq))
	}
}

// apply writes the changes.
func (t *tx) apply(changes indexChanges) error {
	chunks := slices.SortedFunc(maps.Keys(changes), func(a, b chunk) int {
		return cmp.Or(strings.Compare(a.term, b.term), cmp.Compare(a.number, b.number))
	})
	for _, at := range chunks {
		bucket, key := bucketTimes, appendChunk(nil, at.number)
		if at.term != "" { // those come after the others, which tell the newest day
			n, err := t.termNumber(at.term)
			if err != nil {
				return err
			}
			bucket, key = t.listAt(n, at.number)
		}
		if err := t.applyTo(bucket, key, changes[at]); err != nil {
			return err
		}
	}
	return nil
}

// applyTo writes the changes of one list.
func (t *tx) applyTo(bucket, key []byte, change *chunkChange) error {
	stored, err := t.get(bucket, key)
	if err != nil {
		return err
	}
	entries, err := decodeEntries(stored)
	if err != nil {
		return fmt.Errorf("%s %x: %w", bucket, key, err)
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return slices.Contains(change.remove, e) })
	entries = append(entries, change.add...) // what is removed may come again
	slices.Sort(entries)
	if len(entries) == 0 {
		return t.delete(bucket, key)
	}
	return t.put(bucket, key, encodeEntries(slices.Compact(entries)))
}

// entry is an entry of an index: seconds, and the place in the change sequence
// in the lower 40 bits.
type entry uint64

func newEntry(offset, seq uint64) entry { return entry(offset<<(8*seqSize) | seq) }

func (e entry) offset() uint64 { return uint64(e) >> (8 * seqSize) }
func (e entry) seq() uint64    { return uint64(e) & (1<<(8*seqSize) - 1) }

func encodeEntries(entries []entry) []byte {
	b := make([]byte, 0, len(entries)*4)
	var last entry
	for _, e := range entries {
		b = binary.AppendUvarint(b, e.offset()-last.offset())
		b = binary.AppendVarint(b, int64(e.seq())-int64(last.seq()))
		last = e
	}
	return b
}

func decodeEntries(b []byte) ([]entry, error) {
	var last entry
	entries := make([]entry, 0, len(b)/4+8)
	for len(b) > 0 {
		offset, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("%w: index entry", ErrCorrupt)
		}
		seq, m := binary.Varint(b[n:])
		if m <= 0 {
			return nil, fmt.Errorf("%w: index entry", ErrCorrupt)
		}
		last = newEntry(last.offset()+offset, uint64(int64(last.seq())+seq))
		entries, b = append(entries, last), b[n+m:]
	}
	return entries, nil
}

func appendChunk(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

func appendTerm(b []byte, n uint64) []byte { return append(b, byte(n>>16), byte(n>>8), byte(n)) }

// findTerm returns a term's number, if it has one.
func (t *tx) findTerm(text string) (n uint64, ok bool, err error) {
	if n, ok := t.terms[text]; ok {
		return n, true, nil
	}
	v, err := t.get(bucketTerms, []byte(text))
	if v == nil || err != nil {
		return 0, false, err
	}
	n, size := binary.Uvarint(v)
	if size != len(v) {
		return 0, false, fmt.Errorf("%w: term %q has no number", ErrCorrupt, text)
	}
	t.remember(text, n)
	return n, true, nil
}

func (t *tx) remember(text string, n uint64) {
	if t.terms == nil {
		t.terms = make(map[string]uint64)
	}
	t.terms[text] = n
}

// termNumber returns a term's number, giving it one if it has none.
func (t *tx) termNumber(text string) (uint64, error) {
	if n, ok, err := t.findTerm(text); ok || err != nil {
		return n, err
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
