package archive

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// The indexes say which posts there are, in order of [news.Post.When]:
//
//	times     time, id
//	terms     what kind of term, its text → its number
//	postings  the term's number (3 bytes), time, id
//
// They speak of each post's newest revision.
const termSize = 3

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

// timeKey is the post's key in the bucket times, and the end of its keys in
// postings.
func timeKey(r *record) []byte {
	p := news.Post{ID: idOf(r.ID)}
	when := p.When()
	if r.Published != 0 {
		when = unix(r.Published)
	}
	return append(appendTime(make([]byte, 0, timeSize+len(r.ID)), when), r.ID...)
}

// index enters a revision into the indexes.
func (t *tx) index(r *record) error {
	key := timeKey(r)
	if err := t.put(bucketTimes, key, nil); err != nil {
		return err
	}
	for _, text := range termsOf(r) {
		n, err := t.termNumber(text)
		if err != nil {
			return err
		}
		if err := t.put(bucketPostings, postingKey(n, key), nil); err != nil {
			return err
		}
	}
	return nil
}

// unindex takes a revision out of the indexes.
func (t *tx) unindex(r *record) error {
	key := timeKey(r)
	if err := t.Bucket(bucketTimes).Delete(key); err != nil {
		return err
	}
	for _, text := range termsOf(r) {
		n, ok := t.findTerm(text)
		if !ok {
			continue
		}
		if err := t.Bucket(bucketPostings).Delete(postingKey(n, key)); err != nil {
			return err
		}
	}
	return nil
}

func postingKey(n uint64, key []byte) []byte {
	return append(appendTerm(make([]byte, 0, termSize+len(key)), n), key...)
}

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
