package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
)

// owned is a revision, and of which post it is.
type owned struct {
	id      [12]byte // padded with zeros
	size    uint8    // of the identity
	seq     uint64
	fetched int64
}

func (o *owned) key() []byte { return o.id[:o.size] }

func newOwned(seq uint64, r *record) owned {
	o := owned{seq: seq, fetched: r.Fetched}
	o.size = uint8(copy(o.id[:], r.ID))
	return o
}

// compare orders revisions by their posts, and those of one in the order in
// which they were captured.
func (o owned) compare(p owned) int {
	return cmp.Or(bytes.Compare(o.key(), p.key()), cmp.Compare(o.fetched, p.fetched), cmp.Compare(o.seq, p.seq))
}

// recordsOf calls fn with every record of a stored block that is not lost.
func (t *tx) recordsOf(k, stored []byte, fn func(seq uint64, r *record) error) error {
	blk, err := t.readBlock(k, stored)
	if err != nil {
		return err
	}
	for seq, plain := range blk.all() {
		if len(plain) == 0 {
			continue
		}
		r, err := t.a.codec.decodeRecord(plain)
		if err != nil {
			return err
		}
		if err := fn(seq, r); err != nil {
			return err
		}
	}
	return nil
}

// eachRecord calls fn with every record that is not lost.
func (t *tx) eachRecord(ctx context.Context, fn func(seq uint64, r *record) error) error {
	return t.each(bucketRevisions, func(k, stored []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return t.recordsOf(k, stored, fn)
	})
}

// owners returns all revisions, by post, in the order in which they were
// captured.
func (t *tx) owners(ctx context.Context) ([]owned, error) {
	var list []owned
	err := t.eachRecord(ctx, func(seq uint64, r *record) error {
		list = append(list, newOwned(seq, r))
		return nil
	})
	slices.SortFunc(list, owned.compare)
	return list, err
}

// rebuildHeads writes the entry of every post that is not as the records tell,
// given all that owners returns. lasted tells of a post's revision how long it
// was seen. It returns how many it wrote.
func (t *tx) rebuildHeads(ctx context.Context, list []owned, lasted func(key []byte, seq uint64) uint64) (written int, err error) {
	for len(list) > 0 {
		if err := ctx.Err(); err != nil {
			return written, err
		}
		n := 1
		for n < len(list) && bytes.Equal(list[n].key(), list[0].key()) {
			n++
		}
		h := make(head, n)
		for i := range h {
			h[i] = headRevision{list[i].seq, lasted(list[0].key(), list[i].seq)}
		}
		key := list[0].key()
		if now, err := t.get(bucketPosts, key); err != nil || !bytes.Equal(now, h.encode()) {
			written++
			if err := t.put(bucketPosts, key, h.encode()); err != nil {
				return written, err
			}
		}
		list = list[n:]
	}
	return written, nil
}

// indexBatch is how many revisions are put into the indexes at a time.
const indexBatch = 8192

// rebuildIndexes empties the indexes and puts all revisions into them.
func (t *tx) rebuildIndexes(ctx context.Context) error {
	for _, bucket := range [][]byte{bucketTimes, bucketPostings, bucketRecent} {
		if err := t.emptyBucket(bucket); err != nil {
			return err
		}
	}
	changes, n := make(indexChanges), 0
	err := t.eachRecord(ctx, func(seq uint64, r *record) error {
		changes.add(r, seq)
		if n++; n%indexBatch != 0 {
			return nil
		}
		full := changes
		changes = make(indexChanges)
		return errors.Join(t.apply(full), t.putAway(indexBatch))
	})
	return errors.Join(err, t.apply(changes), t.putAway(indexBatch))
}

// recount makes the totals again.
func (t *tx) recount() error {
	n, err := t.counters()
	if err != nil {
		return err
	}
	is := tally{counters: counters{DictDue: n.DictDue}, last: t.Bucket(bucketRevisions).Sequence()}
	for _, of := range []struct {
		bucket []byte
		count  func(t *tx, k, stored []byte) error
	}{{bucketPosts, is.post}, {bucketCaptures, is.captures}} {
		err := t.Bucket(of.bucket).ForEach(func(k, stored []byte) error { return of.count(t, k, stored) })
		if err != nil {
			return err
		}
	}
	return t.putCounters(is.counters)
}
