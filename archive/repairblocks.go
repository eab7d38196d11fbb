package archive

import (
	"bytes"
	"context"
	"errors"
)

// chained is a stored block, as far as it can be read.
type chained struct {
	key   []byte
	first uint64
	n     uint64 // values; 0: it cannot be read
}

// errMoved: blocks are not as they were when it was decided what to do with
// them.
var errMoved = errors.New("blocks have changed meanwhile")

// maxMends is how often all blocks are looked at before that is an error.
const maxMends = 5

// chains puts the blocks right: from 1 to the last revision, each number once.
// A number that is lost is a value of no bytes. Where others wrote what speaks
// against that, it looks at all blocks again.
func (r *repair) chains(ctx context.Context) (err error) {
	for range maxMends {
		if err = r.chainsOnce(ctx); !errors.Is(err, errMoved) {
			return err
		}
	}
	return err
}

func (r *repair) chainsOnce(ctx context.Context) error {
	captures, err := r.chain(ctx, bucketCaptures)
	if err != nil {
		return err
	}
	records, err := r.chain(ctx, bucketRevisions)
	if err != nil {
		return err
	}
	var sequence uint64
	err = r.a.view(ctx, func(t *tx) error { // what came since
		captures, records = t.tail(bucketCaptures, captures), t.tail(bucketRevisions, records)
		sequence = t.Bucket(bucketRevisions).Sequence()
		return nil
	})
	if err != nil {
		return err
	}
	last := lastOf(sequence, end(captures), end(records))
	steps := append(mend(bucketCaptures, captures, last), mend(bucketRevisions, records, last)...)
	switch right := []mending{&resequenced{was: sequence, is: last}}; {
	case last > sequence: // so that nobody writes where there is something
		steps = append(right, steps...)
	case last < sequence: // what is behind it has gone by then
		steps = append(steps, right...)
	}
	return portions(ctx, r.a, steps, func(t *tx, step mending) error { return step.do(t, r) })
}

// chain returns the blocks of a bucket.
func (r *repair) chain(ctx context.Context, bucket []byte) ([]chained, error) {
	var list []chained
	err := r.a.scan(ctx, bucket, nil, func(t *tx, k, stored []byte) bool {
		list = append(list, t.chained(k, stored))
		return true
	})
	return list, err
}

func (t *tx) chained(k, stored []byte) chained {
	blk, _ := t.readBlock(k, stored) // one that cannot be read has no values
	return chained{bytes.Clone(k), blk.first, uint64(len(blk.values))}
}

// tail returns the blocks of a bucket, given those before: the last may have
// grown, and others have come.
func (t *tx) tail(bucket []byte, list []chained) []chained {
	var from []byte
	if len(list) > 0 {
		from, list = list[len(list)-1].key, list[:len(list)-1]
	}
	c := t.Bucket(bucket).Cursor()
	for k, stored := c.Seek(from); k != nil; k, stored = c.Next() {
		list = append(list, t.chained(k, stored))
	}
	return list
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

// mending is a step by which a chain is put right. It fails with errMoved where
// the blocks are not as they were.
type mending interface {
	do(t *tx, r *repair) error
}

// mend tells what is to be done with a bucket's blocks: those that are not where
// they belong are moved, those that belong nowhere or cannot be read are set
// aside, and gaps are filled.
func mend(bucket []byte, chain []chained, last uint64) []mending {
	var steps []mending
	next := uint64(1)
	fill := func(before uint64) {
		for ; next < before; next = min(before, next+gapNumbers) {
			steps = append(steps, &gap{bucket, next, min(before, next+gapNumbers)})
		}
	}
	for i, b := range chain {
		following := last + 1
		if i+1 < len(chain) && chain[i+1].first > 0 {
			following = min(following, chain[i+1].first)
		}
		at, ok := b.place(next, following, last)
		if at > next {
			fill(at)
		}
		if !ok {
			steps = append(steps, &misplaced{bucket, b})
			continue
		}
		if at != b.first {
			steps = append(steps, &moved{bucket, b, at})
		}
		next = at + b.n
	}
	fill(last + 1)
	return steps
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

// still fails unless a block is as it was.
func (b *chained) still(t *tx, bucket []byte) error {
	stored := t.Bucket(bucket).Get(b.key)
	if stored == nil || t.chained(b.key, stored).n != b.n {
		return errMoved
	}
	return nil
}

// misplaced is a block that belongs nowhere, or cannot be read.
type misplaced struct {
	bucket []byte
	block  chained
}

func (m *misplaced) do(t *tx, r *repair) error {
	if err := m.block.still(t, m.bucket); err != nil {
		return err
	}
	r.reindex = true
	return r.setAside(t, m.bucket, m.block.key)
}

// moved is a block that belongs elsewhere.
type moved struct {
	bucket []byte
	block  chained
	at     uint64
}

func (m *moved) do(t *tx, r *repair) error {
	if err := m.block.still(t, m.bucket); err != nil {
		return err
	}
	if t.has(m.bucket, seqKey(m.at)) {
		r.reindex = true
		return r.setAside(t, m.bucket, m.block.key)
	}
	r.tell("moved the block of %s at %d to %d", m.bucket, m.block.first, m.at)
	frame := bytes.Clone(t.Bucket(m.bucket).Get(m.block.key))
	if err := errors.Join(t.rewriting(), t.delete(m.bucket, m.block.key)); err != nil {
		return err
	}
	return t.put(m.bucket, seqKey(m.at), frame)
}

// gapNumbers is how many numbers are filled at a time.
const gapNumbers = 1 << 13

// gap is a range of numbers of which a bucket of blocks holds nothing. It is
// filled with values of no bytes.
type gap struct {
	bucket      []byte
	first, next uint64
}

func (g *gap) do(t *tx, r *repair) error {
	k, stored := floor(t.Bucket(g.bucket).Cursor(), seqKey(g.next-1))
	if before := t.chained(k, stored); k != nil && before.first+before.n > g.first {
		return errMoved
	}
	r.reindex = true
	r.filled = append(r.filled, *g)
	if err := t.rewriting(); err != nil {
		return err
	}
	most := uint64(recordBlock)
	if bytes.Equal(g.bucket, bucketCaptures) {
		most = blockValues
		if err := t.lose(int64(g.next - g.first)); err != nil {
			return err
		}
	}
	r.tell("%s %d to %d cannot be read", g.bucket, g.first, g.next-1)
	for first := g.first; first < g.next; first += most {
		if err := t.putBlock(g.bucket, block{first, make([][]byte, min(most, g.next-first))}); err != nil {
			return err
		}
	}
	return nil
}

// lose counts pages that are lost, in the transaction in which they are: whoever
// gets one of them again is to know that it is wanted.
func (t *tx) lose(pages int64) error {
	n, err := t.readableCounters()
	if pages == 0 || err != nil {
		return err
	}
	n.Lost += pages
	return t.putCounters(n)
}

// readableCounters returns the totals, or none where they cannot be read.
func (t *tx) readableCounters() (counters, error) {
	n, err := t.counters()
	if errors.Is(err, ErrCorrupt) {
		return counters{}, nil
	}
	return n, err
}

// resequenced is a sequence that is not the last revision's number.
type resequenced struct{ was, is uint64 }

func (s *resequenced) do(t *tx, r *repair) error {
	r.reindex = true // entries may be of numbers that are none any more
	b := t.Bucket(bucketRevisions)
	if b.Sequence() != s.was {
		return errMoved
	}
	r.tell("the last revision is %d; its sequence said %d", s.is, s.was)
	return b.SetSequence(s.is)
}
