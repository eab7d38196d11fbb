package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

// The indexes are checked by making them again. Of a million posts they hold ten
// million entries, which need not all be in memory: each entry is made a number
// of 64 bits that looks random, and the numbers of the lists that fall into one
// of 65,536 parts are summed. Where the sums of what should be there and of what
// is there are the same, so are the entries. The parts that differ are gone
// through again, entry by entry.
const (
	indexParts   = 1 << 16
	indexDetails = 64 // parts that are gone through entry by entry, at most
)

// indexCheck holds the sums: what should be there less what is there.
type indexCheck struct{ sums [indexParts]uint64 }

// listKey is the key of a list of entries as a number: that of the term (0: the
// index of times) and the day or hour.
type listKey uint64

func newListKey(term, number uint64) listKey { return listKey(term<<32 | number) }

func (k listKey) part() int { return int(mixed(uint64(k)) % indexParts) }

func (k listKey) sum(e entry) uint64 { return mixed(mixed(uint64(k)) ^ uint64(e)) }

func (k listKey) String() string {
	if term := uint64(k) >> 32; term != 0 {
		return fmt.Sprintf("postings %x", appendChunk(appendTerm(nil, term), uint64(k)))
	}
	return fmt.Sprintf("times %x", appendChunk(nil, uint64(k)))
}

// location returns where a list is stored.
func (k listKey) location() (bucket, key []byte) {
	if term := uint64(k) >> 32; term != 0 {
		return bucketPostings, appendChunk(appendTerm(nil, term), uint64(k))
	}
	return bucketTimes, appendChunk(nil, uint64(k))
}

// parseListKey reads the key of a bucket of entries.
func parseListKey(bucket, key []byte) (listKey, bool) {
	switch {
	case bytes.Equal(bucket, bucketTimes) && len(key) == chunkSize:
		return newListKey(0, uint64(binary.BigEndian.Uint32(key))), true
	case bytes.Equal(bucket, bucketPostings) && len(key) == termSize+chunkSize:
		term := uint64(key[0])<<16 | uint64(key[1])<<8 | uint64(key[2])
		return newListKey(term, uint64(binary.BigEndian.Uint32(key[termSize:]))), term != 0
	}
	return 0, false
}

// listed calls fn with every list that a revision should stand in, and its entry
// there, or tells of a term that has no number.
func (v *verifier) listed(r *record, seq uint64, unnumbered func(text string), fn func(listKey, entry)) {
	entriesOf(r, seq, func(at chunk, e entry) {
		n := uint64(0)
		if at.term != "" {
			if n = v.terms[at.term]; n == 0 {
				unnumbered(at.term)
				return
			}
		}
		fn(newListKey(n, at.number&(1<<32-1)), e)
	})
}

// expect takes into account what entries a record should have.
func (v *verifier) expect(r *record, seq uint64) {
	unnumbered := func(text string) {
		v.report.find(FoundTerm, fmt.Sprintf("revision %d", seq), fmt.Sprintf("%.40q has no number", text))
	}
	v.listed(r, seq, unnumbered, func(k listKey, e entry) { v.index.sums[k.part()] += k.sum(e) })
}

// indexes goes through the indexes and compares.
func (v *verifier) indexes(ctx context.Context) error {
	for _, bucket := range [][]byte{bucketTimes, bucketPostings} {
		err := v.scan(ctx, bucket, nil, func(t *tx, key, stored []byte) bool {
			k, entries, err := v.list64(bucket, key, stored)
			if err != nil {
				v.report.find(FoundIndex, fmt.Sprintf("%s %x", bucket, key), err)
				return true
			}
			for _, e := range entries {
				if v.judges(e) {
					v.index.sums[k.part()] -= k.sum(e)
				}
			}
			v.report.Entries += int64(len(entries))
			return true
		})
		if err := v.damage(err); err != nil {
			return err
		}
	}
	return v.details(ctx)
}

// list64 reads a stored list.
func (v *verifier) list64(bucket, key, stored []byte) (listKey, []entry, error) {
	k, ok := parseListKey(bucket, key)
	if !ok {
		return 0, nil, fmt.Errorf("%w: it is no key of an index", ErrCorrupt)
	}
	entries, err := decodeEntries(stored)
	if err == nil && (len(entries) == 0 || !bytes.Equal(encodeEntries(entries), stored) || !rising(entries)) {
		err = fmt.Errorf("%w: it is not as entries are written", ErrCorrupt)
	}
	return k, entries, err
}

func rising(entries []entry) bool {
	for i := 1; i < len(entries); i++ {
		if entries[i] <= entries[i-1] {
			return false
		}
	}
	return true
}

// judges reports whether an entry is of a revision that was looked at. Of a
// revision that could not be read it cannot be told whether it is right.
func (v *verifier) judges(e entry) bool {
	seq := e.seq()
	if seq == 0 || seq > v.last {
		return seq == 0
	}
	if seq <= uint64(len(v.known)) && v.known[seq-1] {
		return true
	}
	return v.report.Counts[FoundBlock]+v.report.Counts[FoundRecord] == 0
}

// listed64 is an entry and its list.
type listed64 struct {
	list  listKey
	entry entry
}

func (a listed64) compare(b listed64) int {
	return cmp.Or(cmp.Compare(a.list, b.list), cmp.Compare(a.entry, b.entry))
}

// details goes through the lists that are not as they should be, and tells how.
func (v *verifier) details(ctx context.Context) error {
	parts := make(map[int]bool)
	wrong := 0
	for i, sum := range v.index.sums {
		if sum == 0 {
			continue
		}
		if wrong++; wrong <= indexDetails {
			parts[i] = true
		}
	}
	if wrong == 0 {
		return nil
	}
	want, err := v.wantedEntries(ctx, parts)
	if err != nil {
		return err
	}
	have, err := v.storedEntries(ctx, parts)
	if err != nil {
		return err
	}
	if err := v.compare(ctx, want, have); err != nil {
		return err
	}
	if wrong > indexDetails {
		v.report.find(FoundIndex, "indexes", fmt.Sprintf("lists of %d more parts of %d differ", wrong-indexDetails, indexParts))
	}
	return nil
}

// wantedEntries returns the entries that should be in the lists of some parts.
func (v *verifier) wantedEntries(ctx context.Context, parts map[int]bool) ([]listed64, error) {
	var want []listed64
	err := v.scan(ctx, bucketRevisions, nil, func(t *tx, k, stored []byte) bool {
		values, err := t.unpackBlock(stored)
		if err != nil || len(k) != seqSize {
			return true // told of
		}
		for i, plain := range values {
			seq := uint40(k) + uint64(i)
			r, err := t.a.codec.decodeRecord(plain)
			if err != nil || !v.judges(newEntry(0, seq)) {
				continue
			}
			v.listed(r, seq, func(string) {}, func(k listKey, e entry) {
				if parts[k.part()] {
					want = append(want, listed64{k, e})
				}
			})
		}
		return true
	})
	slices.SortFunc(want, listed64.compare)
	return want, err
}

// storedEntries returns the entries that are in the lists of some parts.
func (v *verifier) storedEntries(ctx context.Context, parts map[int]bool) ([]listed64, error) {
	var have []listed64
	for _, bucket := range [][]byte{bucketTimes, bucketPostings} {
		err := v.scan(ctx, bucket, nil, func(_ *tx, key, stored []byte) bool {
			k, entries, err := v.list64(bucket, key, stored)
			if err != nil || !parts[k.part()] {
				return true
			}
			for _, e := range entries {
				if v.judges(e) {
					have = append(have, listed64{k, e})
				}
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(have, listed64.compare)
	return have, nil
}

// compare tells where two sorted lists of entries differ.
func (v *verifier) compare(ctx context.Context, want, have []listed64) error {
	for len(want) > 0 || len(have) > 0 {
		order := 0
		switch {
		case len(have) == 0:
			order = -1
		case len(want) == 0:
			order = 1
		default:
			order = want[0].compare(have[0])
		}
		var err error
		switch {
		case order < 0:
			err = v.confirm(ctx, want[0])
			want = want[1:]
		case order > 0:
			err = v.confirm(ctx, have[0])
			have = have[1:]
		default:
			want, have = want[1:], have[1:]
		}
		if err != nil || v.report.Counts[FoundIndex] > maxFindings {
			return err
		}
	}
	return nil
}

// confirm looks again, in one look, whether an entry is where it should be and
// nowhere else: a record may have been made again meanwhile.
func (v *verifier) confirm(ctx context.Context, of listed64) error {
	return v.a.view(ctx, func(t *tx) error {
		should := false
		r, err := t.record(of.entry.seq())
		if err == nil {
			v.listed(r, of.entry.seq(), func(string) {}, func(k listKey, e entry) {
				should = should || k == of.list && e == of.entry
			})
		}
		bucket, key := of.list.location()
		entries, err := decodeEntries(t.Bucket(bucket).Get(key))
		is := err == nil && slices.Contains(entries, of.entry)
		switch {
		case should && !is:
			v.report.find(FoundIndex, of.list.String(), fmt.Sprintf("revision %d is missing", of.entry.seq()))
		case is && !should:
			v.report.find(FoundIndex, of.list.String(), fmt.Sprintf("revision %d should not be there", of.entry.seq()))
		}
		return nil
	})
}
