package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// The archive's dictionaries are made from its own captures: the mirror's
// layout, its markup and the phrases of its news, which every page would
// otherwise carry again. The first is made of the first captures. Layout and
// news drift, so that every now and then one is made of the newest captures and
// tried on those that came after them; if it does clearly better than the one in
// use, it is the next version. Nothing is packed again for that: a frame names
// its dictionary, and all versions stay in the file.
const (
	dictSamples = 100       // captures of which a dictionary is made, and on which one is tried
	dictSize    = 128 << 10 // bytes of content, about
	dictRecords = 16 << 10  // of which, at most, records
	maxSample   = 32 << 10  // bytes of a sample that are looked at
	firstDictID = 1<<15 + 1 // RFC 8878, 3.1.1.1.3: numbers below 32768 are reserved
	dictEvery   = 20_000    // captures after which the next one is tried
	dictGain    = 0.05      // of the packed size that the next version must save
)

func dictKey(id uint32) []byte { return binary.BigEndian.AppendUint32(nil, id) }

// newestDict returns the number of the dictionary that values are packed with;
// 0: none.
func (t *tx) newestDict() uint32 {
	if last, _ := t.Bucket(bucketDicts).Cursor().Last(); len(last) == 4 {
		return binary.BigEndian.Uint32(last)
	}
	return 0
}

// nextDict returns the number that the next dictionary gets: one that none had
// ever, be it lost, or named only by what a repair set aside. With another
// dictionary of its number that could no longer be told from what it was.
func (t *tx) nextDict() (uint32, error) {
	last := t.newestDict()
	for _, id := range t.copiedDicts() {
		last = max(last, id)
	}
	err := t.Bucket(bucketBroken).ForEach(func(k, stored []byte) error {
		last = max(last, brokenDict(k, stored))
		return nil
	})
	return max(last+1, firstDictID), err
}

// brokenDict returns the number of the dictionary that a value which was set
// aside is, or was packed with, or 0.
func brokenDict(name, stored []byte) uint32 {
	bucket, key, _ := bytes.Cut(name, []byte{0})
	if bytes.Equal(bucket, bucketMeta) {
		var copied bool
		if key, copied = bytes.CutPrefix(key, dictCopyPrefix); !copied {
			return 0
		}
		bucket = bucketDicts
	}
	if bytes.Equal(bucket, bucketDicts) {
		if len(key) < 4 {
			return 0
		}
		return binary.BigEndian.Uint32(key) // and perhaps a mark after it, see repair.setAside
	}
	var head zstd.Header
	if err := head.Decode(stored); err != nil || head.Skippable {
		return 0
	}
	return head.DictionaryID
}

// copiedDicts returns the numbers of the dictionaries that there are copies of.
func (t *tx) copiedDicts() []uint32 {
	var ids []uint32
	c := t.Bucket(bucketMeta).Cursor()
	for k, _ := c.Seek(dictCopyPrefix); bytes.HasPrefix(k, dictCopyPrefix); k, _ = c.Next() {
		if id := k[len(dictCopyPrefix):]; len(id) == 4 {
			ids = append(ids, binary.BigEndian.Uint32(id))
		}
	}
	return ids
}

// dict is the archive's dictSource.
func (t *tx) dict(id uint32) ([]byte, error) {
	d, err := t.get(bucketDicts, dictKey(id))
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, fmt.Errorf("%w: dictionary %d is missing", ErrCorrupt, id)
	}
	return bytes.Clone(d), nil
}

// packer returns what new values are packed with.
func (t *tx) packer() (*zstd.Encoder, error) {
	if t.encoder == nil {
		encoder, err := t.a.codec.packer(t.newestDict(), t.dict)
		if err != nil {
			return nil, err
		}
		t.encoder = encoder
	}
	return t.encoder, nil
}

// unpack undoes pack. A large frame is released.
func (t *tx) unpack(frame []byte) ([]byte, error) {
	defer t.release(frame)
	return t.a.codec.unpack(frame, t.dict)
}

// dictWatch is what a process knows of when a dictionary is due. It may be
// behind.
type dictWatch struct {
	seq uint64 // the last capture
	due uint64 // the capture after which the next dictionary is tried; 0: not known
}

func (a *Archive) watchDict(w dictWatch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dicts = w
}

func (a *Archive) dictDue() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dicts.due == 0 || a.dicts.seq >= a.dicts.due
}

// ensureDict makes the archive's next dictionary once it is due. Making it
// takes a while, so it happens between two transactions; a process that finds
// another's made in the meantime leaves its own.
func (a *Archive) ensureDict(ctx context.Context) error {
	if !a.dictDue() {
		return nil
	}
	t, err := a.dictTrial(ctx)
	if err != nil || t == nil {
		return err
	}
	d, err := t.candidate()
	if err != nil {
		return err
	}
	return a.update(ctx, func(tx *tx) error { return tx.adoptDict(t, d) })
}

// trial is what it takes to try a dictionary.
type trial struct {
	after   uint64  // the capture after which it was due
	next    uint64  // the one after which the next is
	id      uint32  // its number
	samples samples // that it is made of
	test    samples // that it is tried on
	with    *zstd.Encoder
}

// samples are the plain values that a dictionary is made of.
type samples struct{ records, captures [][]byte }

// firstTrial is the number of captures that a trial takes.
const firstTrial = 2 * dictSamples

// dictTrial returns the trial that is due, or nil if none is.
func (a *Archive) dictTrial(ctx context.Context) (*trial, error) {
	var due *trial
	err := a.view(ctx, func(t *tx) error {
		due = nil
		n, err := t.counters()
		if err != nil {
			return err
		}
		w := dictWatch{seq: t.Bucket(bucketRevisions).Sequence(), due: max(n.DictDue, firstTrial)}
		a.watchDict(w)
		if w.seq < w.due {
			return nil
		}
		id, err := t.nextDict()
		if err != nil {
			return err
		}
		trial := &trial{after: n.DictDue, next: w.seq + dictEvery, id: id}
		if trial.with, err = t.packer(); err != nil {
			return err
		}
		if trial.test, err = t.sample(w.seq-dictSamples+1, w.seq+1); err != nil {
			return err
		}
		if trial.samples, err = t.sample(w.seq-2*dictSamples+1, w.seq-dictSamples+1); err != nil {
			return err
		}
		due = trial
		return nil
	})
	return due, err
}

// sample returns the values from one number up to another.
func (t *tx) sample(from, to uint64) (samples, error) {
	var s samples
	for seq := from; seq < to; seq++ {
		r, err := t.value(bucketRevisions, seq)
		if err != nil {
			return s, err
		}
		c, err := t.value(bucketCaptures, seq)
		if err != nil {
			return s, err
		}
		s.add(r, c)
	}
	return s, nil
}

func (s *samples) add(record, capture []byte) {
	s.records = append(s.records, start(record))
	s.captures = append(s.captures, start(capture))
}

// start returns a copy of a sample's start: the block that it lies in is not to stay
// in memory for it.
func start(sample []byte) []byte { return bytes.Clone(sample[:min(len(sample), maxSample)]) }

// candidate returns the dictionary, or nil if none can be made of the samples,
// or if it does not save enough.
func (t *trial) candidate() ([]byte, error) {
	d := buildDict(t.id, t.samples)
	if d == nil {
		return nil, nil
	}
	with, err := packerOf(t.id, d)
	if err != nil {
		return nil, err
	}
	if now, then := t.packed(t.with), t.packed(with); float64(then) > float64(now)*(1-dictGain) {
		return nil, nil
	}
	return d, nil
}

// packerOf returns what packs with a dictionary that is not in the file yet for
// good: the archive's codec learns of it only from there.
func packerOf(id uint32, d []byte) (*zstd.Encoder, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	return c.packer(id, func(uint32) ([]byte, error) { return d, nil })
}

// packed returns how many bytes the captures of the test take.
func (t *trial) packed(with *zstd.Encoder) int {
	size := 0
	for chunk := range slices.Chunk(t.test.captures, blockValues) {
		size += len(pack(with, slices.Concat(chunk...)))
	}
	return size
}

// buildDict makes a dictionary of samples. Its content is the samples
// themselves: their records, the lines that only one of them has (the articles:
// short lines are but values in the layout), and one sample whole. On pages of
// one layout that compresses far better, and is made far faster, than picking
// frequent substrings out of them (measured in ARCHITECTURE.md). What most
// pages share stands last, where the encoder, whose table holds one place for
// each hash, still finds it.
//
// It returns nil where the library cannot make one, as of pages that share
// nothing; some of these it answers with a panic.
func buildDict(id uint32, s samples) (d []byte) {
	defer func() {
		if recover() != nil {
			d = nil
		}
	}()
	whole := s.captures[len(s.captures)/2]
	whole = whole[:min(len(whole), dictSize/2)]
	content := joinUpTo(dictRecords, s.records)
	content = append(content, joinUpTo(dictSize-len(content)-len(whole), articles(s.captures))...)
	content = append(content, whole...)
	d, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: id, Contents: s.captures, History: content, Offsets: [3]int{1, 4, 8}, Level: encoderLevel,
	})
	if err != nil {
		return nil
	}
	return d
}

// articles returns the long lines that only one of the values has.
func articles(values [][]byte) [][]byte {
	const long = 256
	count := make(map[string]int)
	for _, v := range values {
		for line := range bytes.Lines(v) {
			count[string(line)]++
		}
	}
	var lines [][]byte
	for _, v := range values {
		for line := range bytes.Lines(v) {
			if len(line) >= long && count[string(line)] == 1 {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// joinUpTo joins parts until they reach a size in bytes.
func joinUpTo(size int, parts [][]byte) []byte {
	var b []byte
	for _, p := range parts {
		if len(b) >= size {
			break
		}
		b = append(b, p[:min(len(p), size-len(b))]...)
	}
	return b
}

// adoptDict stores the dictionary that came of a trial, if one did, unless
// another process was faster.
func (t *tx) adoptDict(of *trial, d []byte) error {
	n, err := t.counters()
	if err != nil || n.DictDue != of.after {
		return err
	}
	if next, err := t.nextDict(); err != nil || next != of.id {
		return err
	}
	n.DictDue = of.next
	if err := t.putCounters(n); err != nil || d == nil {
		return err
	}
	return t.putDict(of.id, d)
}

// firstDict gives an archive without one its first dictionary, as soon as what
// it holds and what is being added make samples enough. The transaction packs
// with it from then on. It returns its number, or 0 where none was made.
func (t *tx) firstDict(first uint64, records, captures []value, n *counters) (uint32, error) {
	held := first - 1
	if n.DictDue != 0 || held+uint64(len(captures)) < dictSamples || t.newestDict() != 0 {
		return 0, nil
	}
	n.DictDue = held + uint64(len(captures)) + dictEvery
	s, err := t.sample(1, min(held, dictSamples)+1)
	if err != nil {
		return 0, err
	}
	for i := 0; len(s.captures) < dictSamples; i++ {
		s.add(records[i].join(), captures[i].join())
	}
	id, err := t.nextDict()
	if err != nil {
		return 0, err
	}
	d := buildDict(id, s)
	if d == nil {
		return 0, nil
	}
	if err := t.putDict(id, d); err != nil {
		return 0, err
	}
	t.encoder, err = packerOf(id, d)
	return id, err
}

// dictCopyPrefix begins the keys of dictionaries' copies.
var dictCopyPrefix = []byte("dictionary")

// dictCopyKey is the key of a dictionary's copy.
func dictCopyKey(id uint32) []byte { return slices.Concat(dictCopyPrefix, dictKey(id)) }

// putDict stores a dictionary, and a copy of it, which is packed and lies
// elsewhere: one byte that is damaged in a dictionary would take everything
// that was packed with it.
func (t *tx) putDict(id uint32, d []byte) error {
	plain, err := newCodec()
	if err != nil {
		return err
	}
	with, err := plain.packer(0, nil)
	if err != nil {
		return err
	}
	return errors.Join(t.put(bucketDicts, dictKey(id), d), t.put(bucketMeta, dictCopyKey(id), pack(with, d)))
}

// dictCopy returns the copy of a dictionary, or nil where there is none.
func (t *tx) dictCopy(id uint32) ([]byte, error) {
	v, err := t.get(bucketMeta, dictCopyKey(id))
	if v == nil || err != nil {
		return nil, err
	}
	return t.a.codec.unpack(v, t.dict)
}

// mostRepacked bounds the bytes of a bucket that is packed again. A page of 8 MiB
// takes as much as some thousand others.
const mostRepacked = 8 << 20

// repack packs the blocks of a bucket again that were packed without the first
// dictionary, if the bucket is small: bbolt writes a block's neighbours anew with it,
// and has all that it writes in memory until the transaction ends.
func (t *tx) repack(bucket []byte, id uint32) error {
	var stale [][]byte
	size := 0
	err := t.each(bucket, func(k, frame []byte) error {
		var h zstd.Header
		err := h.Decode(frame)
		if size += len(frame); err == nil && h.DictionaryID != id {
			stale = append(stale, bytes.Clone(k))
		}
		t.release(frame)
		return err
	})
	if err != nil || size > mostRepacked {
		return err
	}
	for _, k := range stale {
		if err := t.repackBlock(bucket, k); err != nil {
			return fmt.Errorf("%s %x: %w", bucket, k, err)
		}
	}
	return nil
}

func (t *tx) repackBlock(bucket, k []byte) error {
	plain, err := t.unpack(t.Bucket(bucket).Get(k))
	if err != nil {
		return err
	}
	return t.put(bucket, k, pack(t.encoder, plain))
}
