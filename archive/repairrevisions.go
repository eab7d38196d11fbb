package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// doubted is a revision whose capture and record do not fit, or one of which
// cannot be read.
type doubted struct {
	seq             uint64
	capture, record []byte // as they are stored
	envelope        envelope
	page            *news.Capture // nil: it cannot be read
	readable        bool          // the record
}

// revisions holds captures against records: of those that do not fit, the
// capture counts, from which the record can be made again. What is done about
// one is decided in a look, and done if it is still stored so.
func (r *repair) revisions(ctx context.Context) error {
	for next, more := uint64(1), true; more; {
		var list []*doubted
		err := r.a.view(ctx, func(t *tx) (err error) {
			list, next, more, err = r.doubtedFrom(t, next)
			return err
		})
		if err != nil {
			return err
		}
		if err := r.settle(ctx, list); err != nil {
			return err
		}
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

// doubtedFrom returns doubted revisions from a number on, as many as one look
// has time for, with the number that comes next, if there are more.
func (r *repair) doubtedFrom(t *tx, seq uint64) (list []*doubted, next uint64, more bool, err error) {
	last := t.Bucket(bucketRevisions).Sequence()
	began, size := time.Now(), 0
	for ; seq <= last && size < rereadBytes && time.Since(began) < verifyTime; seq++ {
		d, err := t.doubt(seq)
		if err != nil {
			return nil, seq, false, err
		}
		if d != nil {
			list = append(list, d)
			size += len(d.capture)
		}
	}
	return list, seq, seq <= last, nil
}

// doubt returns a revision if it is doubted, and nil otherwise.
func (t *tx) doubt(seq uint64) (*doubted, error) {
	capture, err := t.value(bucketCaptures, seq)
	if err != nil {
		return nil, err
	}
	stored, err := t.value(bucketRevisions, seq)
	if err != nil {
		return nil, err
	}
	rec := t.soundRecord(stored)
	e, c, err := t.a.codec.decodeCapture(capture)
	legible := err == nil && len(e.ID) > 0
	if legible && rec != nil && belongs(rec, &e, c.Body) == nil {
		return nil, nil
	}
	d := &doubted{seq: seq, capture: capture, record: stored, envelope: e, readable: rec != nil}
	if legible {
		d.page = c
	}
	return d, nil
}

// settle puts revisions right: records are made again before the transaction.
func (r *repair) settle(ctx context.Context, list []*doubted) error {
	records, captures := make(changed), make(changed)
	for _, d := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.decide(d, records, captures); err != nil {
			return fmt.Errorf("revision %d: %w", d.seq, err)
		}
	}
	if len(records)+len(captures) == 0 {
		return nil
	}
	return r.a.update(ctx, func(t *tx) error {
		for _, d := range list {
			still, err := d.still(t)
			if err != nil {
				return err
			}
			if !still {
				delete(records, d.seq)
				delete(captures, d.seq)
			}
		}
		if err := t.lose(int64(len(captures))); err != nil {
			return err
		}
		return errors.Join(r.rewrite(t, bucketRevisions, records), r.rewrite(t, bucketCaptures, captures))
	})
}

// still reports whether a revision is stored as it was.
func (d *doubted) still(t *tx) (bool, error) {
	capture, err := t.value(bucketCaptures, d.seq)
	if err != nil {
		return false, err
	}
	stored, err := t.value(bucketRevisions, d.seq)
	return bytes.Equal(capture, d.capture) && bytes.Equal(stored, d.record), err
}

// decide notes what must change of a revision.
func (r *repair) decide(d *doubted, records, captures changed) (err error) {
	switch {
	case d.page == nil && !d.readable:
		if r.was(bucketCaptures, d.seq, d.capture) || r.was(bucketRevisions, d.seq, d.record) {
			r.lost++
		}
		mark(captures, d.seq, d.capture)
		mark(records, d.seq, d.record)
	case d.page == nil:
		if r.was(bucketCaptures, d.seq, d.capture) {
			r.unpaged++
		}
		r.pageless = append(r.pageless, d.seq)
		mark(captures, d.seq, d.capture)
	default:
		r.reindex = true
		rec, whole := remade(&d.envelope, d.page, r.read)
		r.remade++
		if !whole {
			r.bare++
		}
		records[d.seq], err = r.a.codec.encode(rec.elided())
	}
	return err
}

// changed are the values of blocks that are to be stored anew, by number.
type changed map[uint64][]byte

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
func (r *repair) rewrite(t *tx, bucket []byte, values changed) error {
	next := uint64(0)
	for _, seq := range slices.Sorted(maps.Keys(values)) {
		if seq < next {
			continue // it is in the block before
		}
		blk, err := t.block(bucket, seq)
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
			if err := r.setAside(t, bucket, seqKey(blk.first)); err != nil {
				return err
			}
		}
		if err := t.putBlock(bucket, block{blk.first, list}); err != nil {
			return err
		}
	}
	return nil
}

// totals counts everything anew. What others add meanwhile they count themselves;
// where they bring back pages that were lost, which may have been counted by then
// or not, it counts once more.
func (r *repair) totals(ctx context.Context) error {
	for {
		if done, err := r.count(ctx); done || err != nil {
			return err
		}
	}
}

func (r *repair) count(ctx context.Context) (done bool, err error) {
	var before counters
	is := tally{}
	err = r.a.view(ctx, func(t *tx) (err error) {
		is.last = t.Bucket(bucketRevisions).Sequence()
		before, err = t.readableCounters()
		return err
	})
	if err != nil {
		return false, err
	}
	if err := r.each(ctx, bucketPosts, is.post); err != nil {
		return false, err
	}
	if err := r.each(ctx, bucketCaptures, is.captures); err != nil {
		return false, err
	}
	err = r.a.update(ctx, func(t *tx) error {
		now, err := t.readableCounters()
		if done = now.Lost == before.Lost; !done || err != nil {
			return err
		}
		was := now
		now.Posts += is.Posts - before.Posts
		now.Revisions += is.Revisions - before.Revisions
		now.Raw += is.Raw - before.Raw
		now.Lost = is.Lost
		if now != was {
			r.tell("counted again: %d posts, %d revisions, %d bytes of pages", now.Posts, now.Revisions, now.Raw)
		}
		return t.putCounters(now)
	})
	return done, err
}

// each calls fn with every key of a bucket, and its stored value, in looks.
func (r *repair) each(ctx context.Context, bucket []byte, fn func(t *tx, k, stored []byte) error) error {
	var failed error
	err := r.a.scan(ctx, bucket, nil, func(t *tx, k, stored []byte) bool {
		failed = fn(t, k, stored)
		return failed == nil
	})
	return cmp.Or(err, failed)
}

// tally counts what there is of revisions up to the last one.
type tally struct {
	counters
	last uint64
}

// post counts a post and its revisions.
func (n *tally) post(_ *tx, k, stored []byte) error {
	plain, err := unseal(bucketPosts, k, stored)
	if err != nil {
		return err
	}
	h, err := decodeHead(plain)
	known := int64(0)
	for _, r := range h {
		if r.seq <= n.last {
			known++
		}
	}
	n.Revisions += known
	n.Posts += min(known, 1)
	return err
}

// captures counts the pages of a block.
func (n *tally) captures(t *tx, k, stored []byte) error {
	blk, err := t.readBlock(k, stored)
	for seq, plain := range blk.all() {
		if seq > n.last {
			break
		}
		size, k := binary.Uvarint(plain)
		if k <= 0 {
			n.Lost++
			continue
		}
		n.Raw += int64(len(plain)-k) - int64(size)
	}
	return err
}
