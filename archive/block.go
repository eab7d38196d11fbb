package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/finarc/finarc/news"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
)

// Captures and records are numbered by the change sequence and never change,
// so they are stored in blocks: one Zstandard frame of several values, under
// the number of the first. Posts that were fetched together are alike, and
// together they take a tenth less than one by one, and less of bbolt's pages. A
// block is read whole, which takes some 0.2 ms.
//
// The plain form of a block is the number of its values, the length of each
// (both uvarint), and the values.
const (
	blockValues = 32        // captures in a block, at most
	recordBlock = 64        // records in a block, at most
	blockBytes  = 256 << 10 // a block that has reached it takes no more
	largeBlock  = 4 * blockBytes
)

// isLarge reports whether a frame is of a large block: one that a single value
// made far larger than blocks are.
func isLarge(frame []byte) bool {
	var h zstd.Header
	return h.Decode(frame) == nil && h.HasFCS && h.FrameContentSize > largeBlock
}

// block is an unpacked block.
type block struct {
	first  uint64
	values [][]byte
}

// next returns the number that follows those of the block.
func (b block) next() uint64 { return b.first + uint64(len(b.values)) }

// all yields the block's values by their numbers. One of no bytes is lost.
func (b block) all() iter.Seq2[uint64, []byte] {
	return func(yield func(uint64, []byte) bool) {
		for i, plain := range b.values {
			if !yield(b.first+uint64(i), plain) {
				return
			}
		}
	}
}

// value is a value of a block to be: two parts, which are stored as one, so
// that a capture's body need not be copied to follow its envelope.
type value [2][]byte

func (v value) size() int { return len(v[0]) + len(v[1]) }

func (v value) join() []byte { return slices.Concat(v[0], v[1]) }

// encodeBlock appends a block's plain form to b.
func encodeBlock(b []byte, values []value) []byte {
	size := binary.MaxVarintLen64 * (len(values) + 1)
	for _, v := range values {
		size += v.size()
	}
	b = binary.AppendUvarint(slices.Grow(b, size), uint64(len(values)))
	for _, v := range values {
		b = binary.AppendUvarint(b, uint64(v.size()))
	}
	for _, v := range values {
		b = append(append(b, v[0]...), v[1]...)
	}
	return b
}

func decodeBlock(b []byte) ([][]byte, error) {
	next := func() (uint64, error) {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)) {
			return 0, fmt.Errorf("%w: block of %d bytes ends early", ErrCorrupt, len(b))
		}
		b = b[size:]
		return n, nil
	}
	count, err := next()
	if err != nil {
		return nil, err
	}
	lengths := make([]uint64, count)
	for i := range lengths {
		if lengths[i], err = next(); err != nil {
			return nil, err
		}
	}
	values := make([][]byte, count)
	for i, n := range lengths {
		if n > uint64(len(b)) {
			return nil, fmt.Errorf("%w: value %d of a block ends early", ErrCorrupt, i)
		}
		values[i], b = b[:n:n], b[n:]
	}
	return values, nil
}

// unpackBlock returns the values of a stored block.
func (c *codec) unpackBlock(stored []byte, dicts dictSource) ([][]byte, error) {
	plain, err := c.unpack(stored, dicts)
	if err != nil {
		return nil, err
	}
	return decodeBlock(plain)
}

// unpackBlock returns the values of a stored block, which is released if it is large.
func (t *tx) unpackBlock(stored []byte) ([][]byte, error) {
	defer t.release(stored)
	return t.a.codec.unpackBlock(stored, t.dict)
}

// readBlock returns the block that is stored under a key, as far as it can be
// read, and what is wrong with it.
func (t *tx) readBlock(k, stored []byte) (block, error) {
	values, err := t.unpackBlock(stored)
	if err == nil && len(values) == 0 {
		err = fmt.Errorf("%w: the block is empty", ErrCorrupt)
	}
	if len(k) != seqSize {
		return block{values: values}, fmt.Errorf("%w: its key is no number", ErrCorrupt)
	}
	return block{uint40(k), values}, err
}

// value returns what a bucket of blocks holds under a number.
func (t *tx) value(bucket []byte, seq uint64) ([]byte, error) {
	blk, err := t.block(bucket, seq)
	if err != nil {
		return nil, fmt.Errorf("%s %d: %w", bucket, seq, err)
	}
	if at := seq - blk.first; at < uint64(len(blk.values)) {
		return blk.values[at], nil
	}
	return nil, fmt.Errorf("%w: %s %d is missing", ErrCorrupt, bucket, seq)
}

// cachedBlocks bounds how many unpacked blocks a transaction keeps of a
// bucket: posts that are read together mostly lie together.
const cachedBlocks = 8

// block returns the block in which a number lies.
func (t *tx) block(bucket []byte, seq uint64) (block, error) {
	for _, blk := range t.blocks[string(bucket)] {
		if blk.first <= seq && seq-blk.first < uint64(len(blk.values)) {
			return blk, nil
		}
	}
	k, frame := floor(t.Bucket(bucket).Cursor(), seqKey(seq))
	if len(k) != seqSize {
		return block{}, fmt.Errorf("%w: no block", ErrCorrupt)
	}
	first, large := uint40(k), isLarge(frame) // before it is released
	values, err := t.unpackBlock(frame)
	if err != nil {
		return block{}, err
	}
	blk := block{first, values}
	if t.blocks == nil {
		t.blocks = make(map[string][]block)
	}
	kept := t.blocks[string(bucket)]
	switch {
	case large:
		kept = nil
	case len(kept) >= cachedBlocks:
		kept = kept[1:]
	}
	t.blocks[string(bucket)] = append(kept, blk)
	return blk, nil
}

// floor returns the last key that is not after the given one, with its value.
func floor(c cursor, key []byte) (k, v []byte) {
	k, v = c.Seek(key)
	switch {
	case k == nil:
		return c.Last()
	case string(k) == string(key):
		return k, v
	}
	return c.Prev()
}

// revisions gathers the revisions of a commit until they are stored.
type revisions struct {
	first   uint64 // the number of the first
	records []*record
	posts   []*news.Captured
}

// add gathers a revision and returns its number.
func (r *revisions) add(rec *record, p *news.Captured) uint64 {
	r.records, r.posts = append(r.records, rec), append(r.posts, p)
	return r.first + uint64(len(r.records)) - 1
}

// store packs the gathered revisions into blocks, on several processors, and
// stores them.
func (t *tx) store(r *revisions, totals *counters) error {
	if len(r.posts) == 0 {
		return nil
	}
	var records, captures []value
	for i, rec := range r.records {
		v, err := t.a.codec.encode(rec.elided())
		if err != nil {
			return err
		}
		capture := &r.posts[i].Capture
		head, err := t.a.codec.encodeEnvelope(rec.ID, capture, "")
		if err != nil {
			return err
		}
		records, captures = append(records, value{v}), append(captures, value{head, capture.Body})
	}
	dict, err := t.firstDict(r.first, records, captures, totals)
	if err != nil {
		return err
	}
	if err := t.storeValues(bucketCaptures, r.first, captures, blockValues); err != nil {
		return err
	}
	if err := t.storeValues(bucketRevisions, r.first, records, recordBlock); err != nil || dict == 0 {
		return err
	}
	return errors.Join(t.repack(bucketCaptures, dict), t.repack(bucketRevisions, dict))
}

// storeValues stores values under the numbers from first on. They go into the
// last block that is there, as long as it has room, before others begin: a
// crawl that is slow, as a polite one is, commits few posts at a time.
func (t *tx) storeValues(bucket []byte, first uint64, values []value, most int) error {
	spans, err := t.spans(bucket, first, values, most)
	if err != nil {
		return err
	}
	with, err := t.packer()
	if err != nil {
		return err
	}
	g := new(errgroup.Group)
	g.SetLimit(t.a.compressors)
	for _, s := range spans {
		g.Go(func() (err error) {
			s.frame, err = t.a.codec.packBlock(with, s.values)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, s := range spans {
		if err := t.put(bucket, seqKey(s.first), s.frame); err != nil {
			return err
		}
	}
	return nil
}

// span is a block to be: its key, its values, and its stored form.
type span struct {
	first  uint64
	values []value
	frame  []byte
}

// spans divides values into blocks of at most so many, which take no more once
// they have reached blockBytes.
func (t *tx) spans(bucket []byte, first uint64, values []value, most int) ([]*span, error) {
	s, size, err := t.unfilled(bucket, first, most)
	if err != nil {
		return nil, err
	}
	spans := []*span{s}
	for i, v := range values {
		if len(s.values) == most || size >= blockBytes {
			s, size = &span{first: first + uint64(i)}, 0
			spans = append(spans, s)
		}
		s.values = append(s.values, v)
		size += v.size()
	}
	return spans, nil
}

// unfilled returns the last block of a bucket and its size if it has room, or
// an empty one that begins with the next number.
func (t *tx) unfilled(bucket []byte, next uint64, most int) (*span, int, error) {
	fresh := &span{first: next}
	if next == 1 {
		return fresh, 0, nil
	}
	if _, frame := t.Bucket(bucket).Cursor().Last(); isLarge(frame) {
		return fresh, 0, nil // it has no room, and is not unpacked to learn that
	}
	last, err := t.block(bucket, next-1)
	if err != nil {
		return nil, 0, fmt.Errorf("%s %d: %w", bucket, next-1, err)
	}
	if last.first+uint64(len(last.values)) != next {
		return nil, 0, fmt.Errorf("%w: %s: the block from %d does not end before %d", ErrCorrupt, bucket, last.first, next)
	}
	s, size := &span{first: last.first}, 0
	for _, v := range last.values {
		s.values = append(s.values, value{v})
		size += len(v)
	}
	if len(s.values) >= most || size >= blockBytes {
		return fresh, 0, nil
	}
	return s, size, nil
}

// putBlock packs a block again and stores it.
func (t *tx) putBlock(bucket []byte, blk block) error {
	with, err := t.packer()
	if err != nil {
		return err
	}
	parts := make([]value, len(blk.values))
	for i, v := range blk.values {
		parts[i] = value{v}
	}
	frame, err := t.a.codec.packBlock(with, parts)
	if err != nil {
		return fmt.Errorf("%s %d: %w", bucket, blk.first, err)
	}
	delete(t.blocks, string(bucket)) // that were read before
	return t.put(bucket, seqKey(blk.first), frame)
}

// packBlock packs a block. Its plain form is large and short-lived, so the room
// for it is used again.
func (c *codec) packBlock(with *zstd.Encoder, values []value) ([]byte, error) {
	room, _ := c.rooms.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	*room = encodeBlock((*room)[:0], values)
	if len(*room) > maxBlob {
		return nil, fmt.Errorf("%d bytes are more than can be read back", len(*room))
	}
	frame := pack(with, *room)
	if cap(*room) <= largeBlock {
		c.rooms.Put(room)
	}
	return frame, nil
}
