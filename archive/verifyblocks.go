package archive

import (
	"bytes"
	"context"
	"fmt"
)

// blockScan goes through a bucket of blocks, in which every number from 1 on
// must be, once.
type blockScan struct {
	v      *verifier
	bucket []byte
	next   uint64
}

// run calls fn with every value up to the last revision. Those that a block
// which cannot be read leaves out are told.
func (s *blockScan) run(ctx context.Context, fn func(t *tx, seq uint64, plain []byte)) error {
	s.next = 1
	err := s.v.a.scan(ctx, s.bucket, nil, func(t *tx, k, stored []byte) bool {
		if s.next > s.v.last {
			return false
		}
		s.block(t, k, stored, fn)
		return true
	})
	if err == nil && s.next <= s.v.last {
		s.v.report.find(FoundBlock, string(s.bucket), fmt.Sprintf("%d to %d are missing", s.next, s.v.last))
	}
	return err
}

func (s *blockScan) block(t *tx, k, stored []byte, fn func(t *tx, seq uint64, plain []byte)) {
	blk, err := t.readBlock(k, stored)
	if len(k) != seqSize {
		s.v.report.find(FoundBlock, fmt.Sprintf("%s %x", s.bucket, k), err)
		return
	}
	where := fmt.Sprintf("%s %d", s.bucket, blk.first)
	switch {
	case blk.first > s.next:
		s.v.report.find(FoundBlock, where, fmt.Sprintf("%d to %d are missing before it", s.next, blk.first-1))
	case blk.first < s.next:
		s.v.report.find(FoundBlock, where, fmt.Sprintf("it begins within the block before, which ends with %d", s.next-1))
	}
	if err != nil {
		s.v.report.find(FoundBlock, where, err)
		s.next = max(s.next, blk.first+1)
		return
	}
	for seq, plain := range blk.all() {
		if s.next <= seq && seq <= s.v.last {
			fn(t, seq, plain)
		}
	}
	s.next = max(s.next, blk.next())
	s.v.progress(min(s.next-1, s.v.last), s.v.last)
}

// records reads all records, and keeps of each what the other steps need.
func (v *verifier) records(ctx context.Context) error {
	s := blockScan{v: v, bucket: bucketRevisions}
	return s.run(ctx, func(t *tx, seq uint64, plain []byte) {
		v.grow(seq)
		if len(plain) == 0 {
			return // lost, and told of
		}
		r, err := t.a.codec.decodeRecord(plain)
		if err == nil {
			err = r.sound()
		}
		if err != nil {
			v.report.find(FoundRecord, fmt.Sprintf("revision %d", seq), err)
			return
		}
		v.known[seq-1], v.ids[seq-1], v.fetched[seq-1], v.hours[seq-1] = true, shortID(r.ID), r.Fetched, uint32(r.when()/hour)
		v.expect(t, r, seq)
	})
}

// sound tells what a record lacks that every record has.
func (r *record) sound() error {
	if len(r.ID) == 0 || len(r.Raw) != digestSize {
		return fmt.Errorf("%w: it has no identity or no digest", ErrCorrupt)
	}
	return nil
}

// grow makes room for revisions up to one.
func (v *verifier) grow(seq uint64) {
	for uint64(len(v.known)) < seq {
		v.known, v.ids = append(v.known, false), append(v.ids, 0)
		v.fetched, v.hours = append(v.fetched, 0), append(v.hours, 0)
	}
}

// captures reads all captures, and holds them against their records.
func (v *verifier) captures(ctx context.Context) error {
	s := blockScan{v: v, bucket: bucketCaptures}
	return s.run(ctx, func(t *tx, seq uint64, plain []byte) {
		if len(plain) == 0 {
			v.missing++
			return
		}
		if err := v.capture(t, seq, plain); err != nil {
			v.report.find(FoundCapture, fmt.Sprintf("revision %d", seq), err)
		}
	})
}

func (v *verifier) capture(t *tx, seq uint64, plain []byte) error {
	e, c, err := t.a.codec.decodeCapture(plain)
	if err != nil {
		return err
	}
	v.raw += int64(len(c.Body))
	if seq > uint64(len(v.known)) || !v.known[seq-1] {
		return nil // told of, or lost
	}
	r, err := t.record(seq)
	if err != nil {
		return err
	}
	return belongs(r, &e, c.Body)
}

// belongs tells what speaks against a capture being the one that a record was
// read from.
func belongs(r *record, e *envelope, body []byte) error {
	switch {
	case !bytes.Equal(e.ID, r.ID):
		return fmt.Errorf("%w: it is of post %s, and its record of %s", ErrCorrupt, idOf(e.ID), idOf(r.ID))
	case !bytes.Equal(rawDigest(body), r.Raw):
		return fmt.Errorf("%w: it does not match its digest", ErrCorrupt)
	}
	for _, p := range []part{r.Body, r.Foot} {
		if _, err := p.in(body); err != nil {
			return err
		}
	}
	return nil
}

// ends checks that captures and records end with the same number, and that it
// is the sequence's.
func (v *verifier) ends(ctx context.Context) error {
	return v.a.view(ctx, func(t *tx) error {
		last := t.Bucket(bucketRevisions).Sequence()
		for _, bucket := range [][]byte{bucketCaptures, bucketRevisions} {
			k, stored := t.Bucket(bucket).Cursor().Last()
			end := uint64(0)
			if k != nil {
				blk, err := t.readBlock(k, stored)
				if err != nil {
					continue // told of
				}
				end = blk.next() - 1
			}
			if end != last {
				v.report.find(FoundCounter, "sequence of revisions", fmt.Sprintf("it is %d, and %s end with %d", last, bucket, end))
			}
		}
		return nil
	})
}

// heads checks that each post names its revisions, in order, and each revision
// is named once.
func (v *verifier) heads(ctx context.Context) error {
	named := make([]bool, len(v.known))
	err := v.a.scan(ctx, bucketPosts, nil, func(t *tx, k, stored []byte) bool {
		plain, err := unseal(bucketPosts, k, stored)
		if err != nil {
			return true // told of
		}
		h, err := decodeHead(plain)
		if err == nil {
			err = v.head(k, h, t.Bucket(bucketRevisions).Sequence(), named)
		}
		if err != nil {
			v.report.find(FoundPost, "post "+printID(k), err)
		}
		return true
	})
	if err != nil {
		return err
	}
	return v.unnamed(ctx, named)
}

// head checks the entry of one post.
func (v *verifier) head(key []byte, h head, sequence uint64, named []bool) error {
	var fetched int64
	old := false
	for _, r := range h {
		switch {
		case r.seq == 0 || r.seq > sequence:
			return fmt.Errorf("%w: it names revision %d of %d", ErrCorrupt, r.seq, sequence)
		case r.seq > v.last:
			continue // new
		}
		old = true
		i := r.seq - 1
		if i >= uint64(len(v.known)) || !v.known[i] {
			if v.report.Counts[FoundBlock]+v.report.Counts[FoundRecord] == 0 {
				return fmt.Errorf("%w: it names revision %d, which is lost", ErrCorrupt, r.seq)
			}
			continue // told of
		}
		switch {
		case v.ids[i] != shortID(key):
			return fmt.Errorf("%w: it names revision %d, which is another post's", ErrCorrupt, r.seq)
		case named[i]:
			return fmt.Errorf("%w: it names revision %d twice", ErrCorrupt, r.seq)
		case v.fetched[i] < fetched:
			return fmt.Errorf("%w: revision %d is not in order", ErrCorrupt, r.seq)
		}
		named[i], fetched = true, v.fetched[i]
	}
	if old {
		v.posts++
	}
	return nil
}

// unnamed tells of revisions that no post names. It looks again at each, in
// one look, since a post may have changed while all were gone through.
func (v *verifier) unnamed(ctx context.Context, named []bool) error {
	for i := range named {
		if !v.known[i] || named[i] {
			continue
		}
		seq := uint64(i) + 1
		err := v.a.view(ctx, func(t *tx) error {
			r, err := t.record(seq)
			if err != nil {
				return err
			}
			h, err := t.head(idOf(r.ID))
			if err == nil && h.place(seq) >= 0 {
				return nil
			}
			v.report.find(FoundPost, "post "+printID(r.ID), fmt.Sprintf("it does not name its revision %d", seq))
			return nil
		})
		if err != nil || v.report.Counts[FoundPost] > maxFindings {
			return err
		}
	}
	return nil
}

// place returns the place of a revision among the post's, or -1.
func (h head) place(seq uint64) int {
	for i := range h {
		if h[i].seq == seq {
			return i
		}
	}
	return -1
}

// printID writes a key that should be an identity.
func printID(key []byte) string {
	if len(key) == 8 || len(key) == 12 {
		return string(idOf(key))
	}
	return fmt.Sprintf("%.40q", key)
}
