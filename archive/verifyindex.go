package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// The indexes are checked by making them again. Of a million posts they hold ten
// million entries, which need not all be in memory: each entry is made a number
// of 64 bits that looks random, and the numbers of the lists that fall into one
// of 65,536 parts are summed. Where the sums of what should be there and of what
// is there are the same, so are the entries. The parts that differ are gone
// through again, entry by entry.
const (
	indexParts   = 1 << 16
	indexDetails = 64   // parts that are gone through entry by entry, in the first round
	indexGrowth  = 8    // by which the rounds grow
	indexRound   = 4096 // parts of a round, at most: of a million posts some 20 MB
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
	if term, day := k.split(); term != 0 {
		return fmt.Sprintf("postings %x", postingsKey(term, day))
	}
	return fmt.Sprintf("times %x", appendChunk(nil, uint64(k)))
}

// split returns the number of the term, and the day or hour.
func (k listKey) split() (term, number uint64) { return uint64(k) >> 32, uint64(k) & (1<<32 - 1) }

// places returns where a list can be stored.
func (k listKey) places() []placed {
	term, number := k.split()
	if term == 0 {
		return []placed{{bucketTimes, appendChunk(nil, number)}}
	}
	return []placed{{bucketPostings, postingsKey(term, number)}, {bucketRecent, recentKey(term, number)}}
}

// indexBuckets are those of lists of entries.
func indexBuckets() [][]byte { return [][]byte{bucketTimes, bucketPostings, bucketRecent} }

// parseListKey reads the key of a bucket of entries.
func parseListKey(bucket, key []byte) (listKey, bool) {
	switch {
	case bytes.Equal(bucket, bucketTimes) && len(key) == chunkSize:
		return newListKey(0, uint64(binary.BigEndian.Uint32(key))), true
	case bytes.Equal(bucket, bucketPostings) && len(key) == termSize+chunkSize:
		term := termOf(key)
		return newListKey(term, uint64(binary.BigEndian.Uint32(key[termSize:]))), term != 0
	case bytes.Equal(bucket, bucketRecent) && len(key) == chunkSize+termSize:
		term, day := ofRecent(key)
		return newListKey(term, day), term != 0
	}
	return 0, false
}

// listed calls fn with every list that a revision should stand in, and its entry
// there, or tells of a term that has no number in the look in which the record
// was read: a record is written after its terms, never before.
func listed(number func(text string) uint64, r *record, seq uint64, unnumbered func(text string), fn func(listKey, entry)) {
	entriesOf(r, seq, func(at chunk, e entry) {
		n := uint64(0)
		if at.term != "" {
			if n = number(at.term); n == 0 {
				unnumbered(at.term)
				return
			}
		}
		fn(newListKey(n, at.number&(1<<32-1)), e)
	})
}

// number returns the number of a term, or 0.
func (t *tx) number(text string) uint64 {
	n, _, err := t.findTerm(text)
	if err != nil {
		return 0 // told of
	}
	return n
}

// numbers returns the numbers of terms: those that came since the terms were
// gone through are looked up.
func (v *verifier) numbers(t *tx) func(text string) uint64 {
	return func(text string) uint64 {
		if n := v.terms[text]; n != 0 {
			return n
		}
		return t.number(text)
	}
}

// expect takes into account what entries a record should have.
func (v *verifier) expect(t *tx, r *record, seq uint64) {
	unnumbered := func(text string) {
		v.report.find(FoundTerm, fmt.Sprintf("revision %d", seq), fmt.Sprintf("%.40q has no number", text))
	}
	listed(v.numbers(t), r, seq, unnumbered, func(k listKey, e entry) { v.index.sums[k.part()] += k.sum(e) })
}

// indexes goes through the indexes and compares.
func (v *verifier) indexes(ctx context.Context) error {
	err := v.sumLists(ctx, func(bucket, key []byte, err error) {
		v.report.find(FoundIndex, fmt.Sprintf("%s %x", bucket, key), err)
	})
	if err := v.damage(err); err != nil {
		return err
	}
	return v.details(ctx)
}

// sumLists takes from the sums what is in the indexes, and tells of lists that
// cannot be read.
func (v *verifier) sumLists(ctx context.Context, broken func(bucket, key []byte, err error)) error {
	for _, bucket := range indexBuckets() {
		err := v.a.scan(ctx, bucket, nil, func(t *tx, key, stored []byte) bool {
			k, entries, err := t.list64(bucket, key, stored)
			if err != nil {
				broken(bucket, key, err)
				return true
			}
			sequence := t.Bucket(bucketRevisions).Sequence()
			for _, e := range entries {
				if v.judges(e, sequence) {
					v.index.sums[k.part()] -= k.sum(e)
				}
			}
			v.report.Entries += int64(len(entries))
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// list64 reads a stored list.
func (t *tx) list64(bucket, key, stored []byte) (listKey, []entry, error) {
	k, ok := parseListKey(bucket, key)
	if !ok {
		return 0, nil, fmt.Errorf("%w: it is no key of an index", ErrCorrupt)
	}
	if bytes.Equal(bucket, bucketRecent) && t.has(bucketPostings, postingsKey(k.split())) {
		return k, nil, fmt.Errorf("%w: it has been put away, and is there still", ErrCorrupt)
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

// judges reports whether an entry is of a revision that was looked at, or of none
// that there can be, given the last one by now. Of a revision that could not be
// read it cannot be told whether it is right.
func (v *verifier) judges(e entry, sequence uint64) bool {
	seq := e.seq()
	if seq == 0 || seq > v.last {
		return seq == 0 || seq > sequence
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

// details goes through the lists that are not as they should be, and tells how:
// most may be as they should by now. It ends when there is enough to tell.
func (v *verifier) details(ctx context.Context) error {
	differ := v.index.differ()
	for round := indexDetails; len(differ) > 0; round = min(round*indexGrowth, indexRound) {
		if v.report.Counts[FoundIndex] > maxFindings {
			v.report.find(FoundIndex, "indexes", fmt.Sprintf("lists of up to %d more parts of %d differ", len(differ), indexParts))
			return nil
		}
		n := min(round, len(differ))
		if err := v.round(ctx, differ[:n]); err != nil {
			return err
		}
		differ = differ[n:]
	}
	return nil
}

// differ returns the parts that are not as they should be.
func (x *indexCheck) differ() []int {
	var differ []int
	for i, sum := range x.sums {
		if sum != 0 {
			differ = append(differ, i)
		}
	}
	return differ
}

// round goes through the lists of some parts.
func (v *verifier) round(ctx context.Context, numbers []int) error {
	entries, err := v.misplaced(ctx, numbers)
	if err != nil {
		return err
	}
	return v.confirm(ctx, entries)
}

// misplaced returns the entries of some parts that should be there and are not,
// or are and should not be.
func (v *verifier) misplaced(ctx context.Context, numbers []int) ([]listed64, error) {
	parts := make(map[int]bool, len(numbers))
	for _, i := range numbers {
		parts[i] = true
	}
	want, err := v.wantedEntries(ctx, parts)
	if err != nil {
		return nil, err
	}
	have, err := v.storedEntries(ctx, parts)
	if err != nil {
		return nil, err
	}
	return differences(want, have), nil
}

// wantedEntries returns the entries that should be in the lists of some parts.
func (v *verifier) wantedEntries(ctx context.Context, parts map[int]bool) ([]listed64, error) {
	var want []listed64
	err := v.a.scan(ctx, bucketRevisions, nil, func(t *tx, k, stored []byte) bool {
		blk, err := t.readBlock(k, stored)
		if err != nil {
			return true // told of
		}
		for seq, plain := range blk.all() {
			r, err := t.a.codec.decodeRecord(plain)
			if err != nil || seq > v.last || !v.judges(newEntry(0, seq), v.last) {
				continue
			}
			listed(v.numbers(t), r, seq, func(string) {}, func(k listKey, e entry) {
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
	for _, bucket := range indexBuckets() {
		err := v.a.scan(ctx, bucket, nil, func(t *tx, key, stored []byte) bool {
			k, entries, err := t.list64(bucket, key, stored)
			if err != nil || !parts[k.part()] {
				return true
			}
			sequence := t.Bucket(bucketRevisions).Sequence()
			for _, e := range entries {
				if v.judges(e, sequence) {
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

// differences returns what only one of two sorted lists of entries has.
func differences(a, b []listed64) []listed64 {
	var only []listed64
	for len(a) > 0 && len(b) > 0 {
		switch order := a[0].compare(b[0]); {
		case order < 0:
			only, a = append(only, a[0]), a[1:]
		case order > 0:
			only, b = append(only, b[0]), b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return append(append(only, a...), b...)
}

// confirm looks again whether entries are where they should be and nowhere else,
// at each in one look: a record may have been made again meanwhile.
func (v *verifier) confirm(ctx context.Context, entries []listed64) error {
	for len(entries) > 0 && v.report.Counts[FoundIndex] <= maxFindings {
		err := v.a.view(ctx, func(t *tx) error {
			for began := time.Now(); len(entries) > 0 && time.Since(began) < verifyTime; entries = entries[1:] {
				v.confirmOne(t, entries[0])
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) confirmOne(t *tx, of listed64) {
	should := t.shouldStand(of)
	switch is := t.stored(of.list)[of.entry]; {
	case should && !is:
		v.report.find(FoundIndex, of.list.String(), fmt.Sprintf("revision %d is missing", of.entry.seq()))
	case is && !should:
		v.report.find(FoundIndex, of.list.String(), fmt.Sprintf("revision %d should not be there", of.entry.seq()))
	}
}

// stored returns the entries of a list, wherever it is.
func (t *tx) stored(list listKey) map[entry]bool {
	is := make(map[entry]bool)
	for _, at := range list.places() {
		if !t.hasBucket(at.bucket) {
			continue
		}
		entries, err := decodeEntries(t.Bucket(at.bucket).Get(at.key))
		if err != nil {
			continue // told of
		}
		for _, e := range entries {
			is[e] = true
		}
	}
	return is
}

// shouldStand reports whether an entry belongs into its list.
func (t *tx) shouldStand(of listed64) bool {
	should := false
	r, err := t.record(of.entry.seq())
	if err == nil {
		listed(t.number, r, of.entry.seq(), func(string) {}, func(k listKey, e entry) {
			should = should || k == of.list && e == of.entry
		})
	}
	return should
}
