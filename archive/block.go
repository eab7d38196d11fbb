package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
)

// Captures and records are numbered by the change sequence and never change,
// so they are stored in blocks: one Zstandard frame of several values, under
// the number of the first. Posts that were fetched together are alike, and
// together they take an eighth less than one by one, and a fifth less of
// bbolt's pages. A block is read whole, which takes some 0.2 ms.
//
// The plain form of a block is the number of its values, the length of each
// (both uvarint), and the values.
const (
	blockValues = 32        // captures in a block, at most
	blockBytes  = 256 << 10 // a block that has reached it takes no more
	recordBlock = 64        // records in a block, at most
)

// block is an unpacked block.
type block struct {
	first  uint64
	values [][]byte
}

// value is a value of a block to be: two parts, which are stored as one, so
// that a capture's body need not be copied to follow its envelope.
type value [2][]byte

func (v value) size() int { return len(v[0]) + len(v[1]) }

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
	plain, err := t.a.codec.unpack(frame)
	if err != nil {
		return block{}, err
	}
	values, err := decodeBlock(plain)
	if err != nil {
		return block{}, err
	}
	blk := block{uint40(k), values}
	if t.blocks == nil {
		t.blocks = make(map[string][]block)
	}
	kept := t.blocks[string(bucket)]
	if len(kept) >= cachedBlocks {
		kept = kept[1:]
	}
	t.blocks[string(bucket)] = append(kept, blk)
	return blk, nil
}

// floor returns the last key that is not after the given one, with its value.
func floor(c *bolt.Cursor, key []byte) (k, v []byte) {
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
// stores them. The first go into the last block that is there, if it has room:
// a crawl that is slow, as a polite one is, commits few posts at a time.
func (t *tx) store(r *revisions) error {
	captures, err := t.spans(bucketCaptures, r, blockValues, blockBytes)
	if err != nil {
		return err
	}
	records, err := t.spans(bucketRevisions, r, recordBlock, math.MaxInt)
	if err != nil {
		return err
	}
	g := new(errgroup.Group)
	g.SetLimit(t.a.compressors)
	for _, s := range captures {
		g.Go(func() error { return t.a.codec.packCaptures(s, r) })
	}
	for _, s := range records {
		g.Go(func() error { return t.a.codec.packRecords(s, r) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return errors.Join(t.putBlocks(bucketCaptures, captures), t.putBlocks(bucketRevisions, records))
}

// span is a stretch of gathered revisions that makes a block, behind the
// values that the block has already.
type span struct {
	first    uint64   // the block's key
	old      [][]byte // values that it has
	from, to int      // revisions that it gets
	frame    []byte
}

// spans divides the revisions into blocks of at most so many values, which take
// no more once their captures have reached so many bytes.
func (t *tx) spans(bucket []byte, r *revisions, values, bytes int) ([]*span, error) {
	if len(r.posts) == 0 {
		return nil, nil
	}
	last, err := t.unfilled(bucket, r.first, values, bytes)
	if err != nil {
		return nil, err
	}
	s := &span{first: last.first, old: last.values}
	spans, size := []*span{s}, last.size()
	for i, p := range r.posts {
		if len(s.old)+s.to-s.from == values || size >= bytes {
			s = &span{first: r.first + uint64(i), from: i, to: i}
			spans, size = append(spans, s), 0
		}
		size += len(p.Capture.Body)
		s.to++
	}
	return spans, nil
}

// unfilled returns the last block of a bucket if it has room, or an empty one
// that begins with the next number.
func (t *tx) unfilled(bucket []byte, next uint64, values, bytes int) (block, error) {
	if next > 1 {
		last, err := t.block(bucket, next-1)
		if err != nil || len(last.values) < values && last.size() < bytes {
			return last, err
		}
	}
	return block{first: next}, nil
}

func (b block) size() int {
	n := 0
	for _, v := range b.values {
		n += len(v)
	}
	return n
}

func (t *tx) putBlocks(bucket []byte, spans []*span) error {
	for _, s := range spans {
		if err := t.put(bucket, seqKey(s.first), s.frame); err != nil {
			return err
		}
	}
	return nil
}

// packBlock packs a block. Its plain form is large and short-lived, so the room
// for it is used again.
func (c *codec) packBlock(values []value) []byte {
	room, _ := c.rooms.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	*room = encodeBlock((*room)[:0], values)
	frame := c.pack(*room)
	if cap(*room) <= 4*blockBytes {
		c.rooms.Put(room)
	}
	return frame
}

// values returns the values that the block has, with room for the others.
func (s *span) values() []value {
	values := make([]value, 0, len(s.old)+s.to-s.from)
	for _, v := range s.old {
		values = append(values, value{v})
	}
	return values
}

func (c *codec) packRecords(s *span, r *revisions) error {
	values := s.values()
	for _, rec := range r.records[s.from:s.to] {
		v, err := c.encode(rec.elided())
		if err != nil {
			return err
		}
		values = append(values, value{v})
	}
	s.frame = c.packBlock(values)
	return nil
}

func (c *codec) packCaptures(s *span, r *revisions) error {
	values := s.values()
	for i := s.from; i < s.to; i++ {
		capture := &r.posts[i].Capture
		head, err := c.encodeEnvelope(r.records[i].ID, capture, "")
		if err != nil {
			return err
		}
		values = append(values, value{head, capture.Body})
	}
	s.frame = c.packBlock(values)
	return nil
}
