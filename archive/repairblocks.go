package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/finarc/finarc/news"
)

// chained is a stored block, as far as it can be read.
type chained struct {
	key   []byte
	first uint64
	n     uint64 // values; 0: it cannot be read
}

// chains puts the blocks right: from 1 to the last revision, each number once.
// A number that is lost is a value of no bytes.
func (r *repair) chains(ctx context.Context) error {
	captures, err := r.chain(ctx, bucketCaptures)
	if err != nil {
		return err
	}
	records, err := r.chain(ctx, bucketRevisions)
	if err != nil {
		return err
	}
	sequence := r.t.Bucket(bucketRevisions).Sequence()
	last := lastOf(sequence, end(captures), end(records))
	if last != sequence {
		r.tell("the last revision is %d; its sequence said %d", last, sequence)
	}
	if err := r.t.Bucket(bucketRevisions).SetSequence(last); err != nil {
		return err
	}
	if err := r.fixChain(bucketCaptures, captures, last); err != nil {
		return err
	}
	return r.fixChain(bucketRevisions, records, last)
}

// chain returns the blocks of a bucket.
func (r *repair) chain(ctx context.Context, bucket []byte) ([]chained, error) {
	var list []chained
	err := r.t.eachBlock(ctx, bucket, func(k []byte, blk block, _ error) error {
		list = append(list, chained{bytes.Clone(k), blk.first, uint64(len(blk.values))})
		return nil
	})
	return list, err
}

// end returns the last number of a chain, or 0 where its last block cannot be
// read.
func end(chain []chained) uint64 {
	if len(chain) == 0 {
		return 0
	}
	if last := chain[len(chain)-1]; last.n > 0 {
		return last.first + last.n - 1
	}
	return 0
}

// lastOf returns the last revision: what two of the three that should tell it
// agree on, or else the least that cannot be wrong.
func lastOf(sequence, captures, records uint64) uint64 {
	switch {
	case sequence == captures || sequence == records:
		return sequence
	case captures == records:
		return captures
	case captures == 0 || records == 0:
		return max(captures, records)
	}
	return min(captures, records)
}

// fixChain moves blocks to where they belong, sets aside those that belong
// nowhere or cannot be read, and fills the gaps.
func (r *repair) fixChain(bucket []byte, chain []chained, last uint64) error {
	next := uint64(1)
	for i, b := range chain {
		following := last + 1
		if i+1 < len(chain) && chain[i+1].first > 0 {
			following = min(following, chain[i+1].first)
		}
		at, ok := b.place(next, following, last)
		if at > next {
			if err := r.fill(bucket, next, at); err != nil {
				return err
			}
			next = at
		}
		switch {
		case ok && at == b.first:
		case ok:
			r.tell("moved the block of %s at %d to %d", bucket, b.first, at)
			frame := bytes.Clone(r.t.Bucket(bucket).Get(b.key))
			if err := errors.Join(r.t.rewriting(), r.t.delete(bucket, b.key)); err != nil {
				return err
			}
			if err := r.t.put(bucket, seqKey(at), frame); err != nil {
				return err
			}
		default:
			r.reindex = true
			if err := r.setAside(bucket, b.key); err != nil {
				return err
			}
			continue
		}
		next = at + b.n
	}
	r.t.blocks = nil
	if next <= last {
		return r.fill(bucket, next, last+1)
	}
	return nil
}

// place returns where a block belongs, given the next number and the key of the
// block that follows, and whether it belongs anywhere.
func (b *chained) place(next, following, last uint64) (at uint64, ok bool) {
	fits := b.n > 0 && next+b.n == following
	switch {
	case b.n == 0:
		return next, false
	case b.first == next && next+b.n-1 <= last:
		return next, true
	case fits && b.first+b.n != following:
		return next, true
	case b.first > next && b.first+b.n-1 <= last:
		return b.first, true
	}
	return next, false
}

// gap is a range of numbers of which a bucket of blocks holds nothing.
type gap struct {
	bucket      []byte
	first, next uint64
}

// fill stores values of no bytes under the numbers from first to before next.
func (r *repair) fill(bucket []byte, first, next uint64) error {
	r.reindex = true
	r.filled = append(r.filled, gap{bucket, first, next})
	if err := r.t.rewriting(); err != nil {
		return err
	}
	most := uint64(recordBlock)
	if bytes.Equal(bucket, bucketCaptures) {
		most = blockValues
	}
	r.tell("%s %d to %d cannot be read", bucket, first, next-1)
	for ; first < next; first += most {
		if err := r.t.putBlock(bucket, block{first, make([][]byte, min(most, next-first))}); err != nil {
			return err
		}
	}
	return nil
}

// changed are the values of blocks that are to be stored anew, by number.
type changed map[uint64][]byte

// revisions holds captures against records: of those that do not fit, the
// capture counts, from which the record can be made again.
func (r *repair) revisions(ctx context.Context) error {
	records, captures := make(changed), make(changed)
	last := r.t.Bucket(bucketRevisions).Sequence()
	for seq := uint64(1); seq <= last; seq++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.revision(seq, records, captures); err != nil {
			return err
		}
	}
	if err := r.rewrite(bucketRevisions, records); err != nil {
		return err
	}
	if err := r.rewrite(bucketCaptures, captures); err != nil {
		return err
	}
	if r.remade > 0 {
		r.tell("made %d records again from their pages, %d of them without front matter", r.remade, r.bare)
	}
	if r.unpaged > 0 {
		r.tell("lost the pages of %d revisions, of which the front matter is kept", r.unpaged)
	}
	if r.lost > 0 {
		r.tell("lost %d revisions", r.lost)
	}
	return nil
}

// revision checks one revision, and notes what must change.
func (r *repair) revision(seq uint64, records, captures changed) error {
	plainCapture, err := r.t.value(bucketCaptures, seq)
	if err != nil {
		return err
	}
	plainRecord, err := r.t.value(bucketRevisions, seq)
	if err != nil {
		return err
	}
	rec := r.t.soundRecord(plainRecord)
	e, c, err := r.t.a.codec.decodeCapture(plainCapture)
	if err == nil && len(e.ID) == 0 {
		err = ErrCorrupt
	}
	switch {
	case err != nil && rec == nil:
		if r.was(bucketCaptures, seq, plainCapture) || r.was(bucketRevisions, seq, plainRecord) {
			r.lost++
		}
		mark(captures, seq, plainCapture)
		mark(records, seq, plainRecord)
	case err != nil:
		if r.was(bucketCaptures, seq, plainCapture) {
			r.unpaged++
		}
		r.pageless = append(r.pageless, seq)
		mark(captures, seq, plainCapture)
	case rec == nil || belongs(rec, &e, c.Body) != nil:
		if records[seq], err = r.remake(&e, c); err != nil {
			return err
		}
		r.reindex = true
	}
	return nil
}

// was reports whether there was something under a number before this repair, be it
// readable or not.
func (r *repair) was(bucket []byte, seq uint64, plain []byte) bool {
	return len(plain) > 0 || slices.ContainsFunc(r.filled, func(g gap) bool {
		return bytes.Equal(g.bucket, bucket) && g.first <= seq && seq < g.next
	})
}

// mark notes that a value is lost, unless that is known.
func mark(of changed, seq uint64, plain []byte) {
	if len(plain) > 0 {
		of[seq] = nil
	}
}

// soundRecord returns a record, or nil where it makes no sense.
func (t *tx) soundRecord(plain []byte) *record {
	rec, err := t.a.codec.decodeRecord(plain)
	if err != nil || rec.sound() != nil {
		return nil
	}
	return rec
}

// remake makes the record of a capture again.
func (r *repair) remake(e *envelope, c *news.Capture) ([]byte, error) {
	rec, whole := remade(e, c, r.read)
	r.remade++
	if !whole {
		r.bare++
	}
	return r.t.a.codec.encode(rec.elided())
}

// remade returns the record of a capture, as read reads it, or, where it cannot,
// without front matter. The identity is the one that it was archived under: not
// every page tells its infoCode.
func remade(e *envelope, c *news.Capture, read Reader) (rec *record, whole bool) {
	id := idOf(e.ID)
	p := news.Post{ID: id}
	if id.HasCode() {
		p.InfoCode = news.InfoCode(id)
	}
	if read != nil {
		if now, err := (promised{id: id, code: p.InfoCode}).read(read, c, false); err == nil {
			return newRecord(now, c), true
		}
	}
	return newRecord(&p, c), false
}

// rewrite stores blocks anew in which values have changed. What they were is
// set aside.
func (r *repair) rewrite(bucket []byte, values changed) error {
	next := uint64(0)
	for _, seq := range slices.Sorted(maps.Keys(values)) {
		if seq < next {
			continue // it is in the block before
		}
		blk, err := r.t.block(bucket, seq)
		if err != nil {
			return err
		}
		if next = blk.next(); seq >= next {
			return fmt.Errorf("%w: %s %d is in no block", ErrCorrupt, bucket, seq)
		}
		list, empty := slices.Clone(blk.values), true
		for seq, plain := range blk.all() {
			empty = empty && len(plain) == 0
			if now, ok := values[seq]; ok {
				list[seq-blk.first] = now
			}
		}
		if !empty {
			if err := r.setAside(bucket, seqKey(blk.first)); err != nil {
				return err
			}
		}
		if err := r.t.putBlock(bucket, block{blk.first, list}); err != nil {
			return err
		}
	}
	return nil
}

func checkRun(k, plain []byte) error {
	_, err := decodeRun(k, plain)
	return err
}

// totals counts everything anew.
func (r *repair) totals(ctx context.Context) error {
	n, err := r.t.counters()
	if err != nil {
		n = counters{}
	}
	was := n
	n.Posts, n.Revisions, n.Raw, n.Lost = 0, 0, 0, 0
	err = r.t.each(bucketPosts, func(_, v []byte) error {
		h, err := decodeHead(v)
		n.Posts++
		n.Revisions += int64(len(h))
		return err
	})
	if err != nil {
		return err
	}
	err = r.t.eachBlock(ctx, bucketCaptures, func(_ []byte, blk block, err error) error {
		for _, plain := range blk.all() {
			size, k := binary.Uvarint(plain)
			if k <= 0 {
				n.Lost++
				continue
			}
			n.Raw += int64(len(plain)-k) - int64(size)
		}
		return err
	})
	if err != nil {
		return err
	}
	if n != was {
		r.tell("counted again: %d posts, %d revisions, %d bytes of pages", n.Posts, n.Revisions, n.Raw)
	}
	return r.t.putCounters(n)
}
