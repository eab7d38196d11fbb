package archive

import (
	"bytes"
	"cmp"
	"context"
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

// eachRecord calls fn with every record that is not lost.
func (t *tx) eachRecord(ctx context.Context, fn func(seq uint64, r *record) error) error {
	return t.eachBlock(ctx, bucketRevisions, func(_ []byte, blk block, err error) error {
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
	})
}

// owners returns all revisions, by post, in the order in which they were
// captured.
func (t *tx) owners(ctx context.Context) ([]owned, error) {
	var list []owned
	err := t.eachRecord(ctx, func(seq uint64, r *record) error {
		o := owned{seq: seq, fetched: r.Fetched}
		o.size = uint8(copy(o.id[:], r.ID))
		list = append(list, o)
		return nil
	})
	slices.SortFunc(list, func(a, b owned) int {
		return cmp.Or(bytes.Compare(a.key(), b.key()), cmp.Compare(a.fetched, b.fetched), cmp.Compare(a.seq, b.seq))
	})
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

// heads makes the entries of posts again.
func (r *repair) heads(ctx context.Context) error {
	list, err := r.t.owners(ctx)
	if err != nil {
		return err
	}
	written, err := r.t.rebuildHeads(ctx, list, func(key []byte, seq uint64) uint64 {
		v, err := r.t.get(bucketPosts, key)
		if err != nil {
			return 0
		}
		h, _ := decodeHead(v)
		if i := h.place(seq); i >= 0 {
			return h[i].lasted
		}
		return 0
	})
	if err != nil {
		return err
	}
	if written > 0 {
		r.tell("made the entries of %d posts again", written)
	}
	n, err := r.discard(bucketPosts, func(k, _ []byte) error {
		_, ok := slices.BinarySearchFunc(list, k, func(o owned, k []byte) int { return bytes.Compare(o.key(), k) })
		if !ok {
			return ErrCorrupt
		}
		return nil
	})
	if n > 0 {
		r.tell("set aside the entries of %d posts of which no revision is left", n)
	}
	return err
}

// indexes makes the indexes again, if they are not as the records tell.
func (r *repair) indexes(ctx context.Context) error {
	if !r.reindex && r.found[FoundIndex]+r.found[FoundTerm] == 0 {
		return nil
	}
	if err := r.t.rebuildIndexes(ctx); err != nil {
		return err
	}
	r.tell("made the indexes again")
	return nil
}

// indexBatch is how many revisions are put into the indexes at a time.
const indexBatch = 8192

// rebuildIndexes empties the indexes and puts all revisions into them.
func (t *tx) rebuildIndexes(ctx context.Context) error {
	for _, bucket := range [][]byte{bucketTimes, bucketPostings} {
		if err := t.DeleteBucket(bucket); err != nil {
			return err
		}
		if _, err := t.CreateBucket(bucket); err != nil {
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
		return t.apply(full)
	})
	if err != nil {
		return err
	}
	return t.apply(changes)
}
