package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

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
	noBound     = math.MaxInt
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

func encodeBlock(values []value) []byte {
	size := binary.MaxVarintLen64 * (len(values) + 1)
	for _, v := range values {
		size += v.size()
	}
	b := binary.AppendUvarint(make([]byte, 0, size), uint64(len(values)))
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
// stores them.
func (t *tx) store(r *revisions) (packed int64, err error) {
	g := new(errgroup.Group)
	g.SetLimit(t.a.compressors)
	records, captures := r.split(recordBlock, noBound), r.split(blockValues, blockBytes)
	for _, b := range captures {
		g.Go(func() error { return t.a.codec.packCaptures(b, r) })
	}
	for _, b := range records {
		g.Go(func() error { return t.a.codec.packRecords(b, r) })
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	for _, b := range captures {
		packed += int64(len(b.frame))
	}
	return packed, errors.Join(t.putBlocks(bucketCaptures, r.first, captures), t.putBlocks(bucketRevisions, r.first, records))
}

// span is a stretch of gathered revisions that makes a block.
type span struct {
	from, to int
	frame    []byte
}

// split divides the revisions into stretches of at most so many, which end
// when their captures have reached so many bytes.
func (r *revisions) split(values, bytes int) []*span {
	var spans []*span
	for from := 0; from < len(r.posts); {
		s := &span{from: from, to: from}
		for size := 0; s.to < len(r.posts) && s.to-from < values && size < bytes; s.to++ {
			size += len(r.posts[s.to].Capture.Body)
		}
		spans, from = append(spans, s), s.to
	}
	return spans
}

func (t *tx) putBlocks(bucket []byte, first uint64, spans []*span) error {
	for _, s := range spans {
		if err := t.put(bucket, seqKey(first+uint64(s.from)), s.frame); err != nil {
			return err
		}
	}
	return nil
}

func (c *codec) packRecords(s *span, r *revisions) error {
	values := make([]value, 0, s.to-s.from)
	for _, rec := range r.records[s.from:s.to] {
		v, err := c.encode(rec.elided())
		if err != nil {
			return err
		}
		values = append(values, value{v})
	}
	s.frame = c.pack(encodeBlock(values))
	return nil
}

func (c *codec) packCaptures(s *span, r *revisions) error {
	values := make([]value, 0, s.to-s.from)
	for i := s.from; i < s.to; i++ {
		capture := &r.posts[i].Capture
		head, err := c.encodeEnvelope(r.records[i].ID, capture, "")
		if err != nil {
			return err
		}
		values = append(values, value{head, capture.Body})
	}
	s.frame = c.pack(encodeBlock(values))
	return nil
}
