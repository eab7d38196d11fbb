package archive

import (
	"encoding/binary"
	"fmt"

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
	blockValues = 32
	blockBytes  = 256 << 10 // a block that has reached it takes no more values
)

// block is an unpacked block.
type block struct {
	first  uint64
	values [][]byte
}

func encodeBlock(values [][]byte) []byte {
	size := binary.MaxVarintLen64 * (len(values) + 1)
	for _, v := range values {
		size += len(v)
	}
	b := binary.AppendUvarint(make([]byte, 0, size), uint64(len(values)))
	for _, v := range values {
		b = binary.AppendUvarint(b, uint64(len(v)))
	}
	for _, v := range values {
		b = append(b, v...)
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
	first    uint64
	records  []*record
	captures []*news.Capture
}

// record returns a gathered record, or nil.
func (r *revisions) record(seq uint64) *record {
	if at := seq - r.first; seq >= r.first && at < uint64(len(r.records)) {
		return r.records[at]
	}
	return nil
}

// packedBlock is a block ready to be stored.
type packedBlock struct {
	first            uint64
	records, capture []byte
}

// store packs the gathered revisions into blocks, on several processors, and
// stores them.
func (t *tx) store(r *revisions) (packed int64, err error) {
	var blocks []*packedBlock
	g := new(errgroup.Group)
	g.SetLimit(t.a.compressors)
	records, captures, first := r.records, r.captures, r.first
	for len(records) > 0 {
		n := blockLength(captures)
		b := &packedBlock{first: first}
		blocks = append(blocks, b)
		theseRecords, theseCaptures := records[:n], captures[:n]
		g.Go(func() error { return t.a.codec.packBlock(b, theseRecords, theseCaptures) })
		records, captures, first = records[n:], captures[n:], first+uint64(n)
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	for _, b := range blocks {
		packed += int64(len(b.capture))
		if err := t.put(bucketCaptures, seqKey(b.first), b.capture); err != nil {
			return 0, err
		}
		if err := t.put(bucketRevisions, seqKey(b.first), b.records); err != nil {
			return 0, err
		}
	}
	return packed, nil
}

// blockLength returns how many of the captures the next block takes.
func blockLength(captures []*news.Capture) int {
	size, n := 0, 0
	for n < len(captures) && n < blockValues && size < blockBytes {
		size += len(captures[n].Body)
		n++
	}
	return n
}

func (c *codec) packBlock(b *packedBlock, records []*record, captures []*news.Capture) error {
	plainRecords := make([][]byte, len(records))
	plainCaptures := make([][]byte, len(captures))
	for i := range records {
		var err error
		if plainRecords[i], err = c.encode(records[i].elided()); err != nil {
			return err
		}
		if plainCaptures[i], err = c.encodeCapture(records[i].ID, captures[i], ""); err != nil {
			return err
		}
	}
	b.records, b.capture = c.pack(encodeBlock(plainRecords)), c.pack(encodeBlock(plainCaptures))
	return nil
}
