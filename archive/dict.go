package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// The archive's dictionary is made from its own first captures: the mirror's
// layout, its markup and the phrases of its news, which every page would
// otherwise carry again.
const (
	dictSamples = 100       // captures after which a dictionary is made
	dictSize    = 128 << 10 // bytes of content, about
	dictRecords = 16 << 10  // of which, at most, records
	maxSample   = 32 << 10  // bytes of a sample that are looked at
	firstDictID = 1<<15 + 1 // RFC 8878, 3.1.1.1.3: numbers below 32768 are reserved
)

func dictKey(id uint32) []byte { return binary.BigEndian.AppendUint32(nil, id) }

// loadDicts makes the codec know the dictionaries in the file.
func (t *tx) loadDicts() error {
	b := t.Bucket(bucketDicts)
	var newest uint32
	if last, _ := b.Cursor().Last(); len(last) == 4 {
		newest = binary.BigEndian.Uint32(last)
	}
	if newest == t.a.codec.newest() {
		return nil
	}
	dicts := make(map[uint32][]byte)
	err := b.ForEach(func(k, v []byte) error {
		if len(k) != 4 {
			return fmt.Errorf("%w: dictionary key of %d bytes", ErrCorrupt, len(k))
		}
		dicts[binary.BigEndian.Uint32(k)] = bytes.Clone(v)
		return nil
	})
	if err != nil {
		return err
	}
	return t.a.codec.use(dicts)
}

// ensureDict makes the archive's dictionary once there are captures enough.
// Making it takes a while, so it happens between two transactions; a process
// that finds another's made in the meantime leaves its own.
func (a *Archive) ensureDict(ctx context.Context) error {
	if a.codec.newest() != 0 {
		return nil
	}
	s, err := a.dictSamples(ctx)
	if err != nil || len(s.captures) < dictSamples {
		return err
	}
	d := buildDict(firstDictID, s)
	if d == nil {
		return nil // no dictionary can be made of these pages: they are packed without
	}
	if err := a.update(ctx, func(t *tx) error { return t.adoptDict(firstDictID, d) }); err != nil {
		return err
	}
	return a.view(ctx, func(*tx) error { return nil }) // the codec learns of it
}

// samples are the plain values that a dictionary is made of.
type samples struct{ records, captures [][]byte }

// dictSamples returns the first values, or none where there are too few or a
// dictionary exists.
func (a *Archive) dictSamples(ctx context.Context) (samples, error) {
	var s samples
	err := a.view(ctx, func(t *tx) error {
		s = samples{}
		if a.codec.newest() != 0 || t.Bucket(bucketRevisions).Sequence() < dictSamples {
			return nil
		}
		for seq := uint64(1); seq <= dictSamples; seq++ {
			r, err := t.value(bucketRevisions, seq)
			if err != nil {
				return err
			}
			c, err := t.value(bucketCaptures, seq)
			if err != nil {
				return err
			}
			s.records = append(s.records, r[:min(len(r), maxSample)])
			s.captures = append(s.captures, c[:min(len(c), maxSample)])
		}
		return nil
	})
	return s, err
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

// adoptDict stores a dictionary and packs again, with it, everything that was
// packed without one.
func (t *tx) adoptDict(id uint32, d []byte) error {
	if t.a.codec.newest() != 0 {
		return nil
	}
	// A codec of its own: the archive's learns of the dictionary from the
	// file, once it is there for good.
	with, err := newCodec()
	if err != nil {
		return err
	}
	if err := with.use(map[uint32][]byte{id: d}); err != nil {
		return err
	}
	if err := t.put(bucketDicts, dictKey(id), d); err != nil {
		return err
	}
	for _, bucket := range [][]byte{bucketCaptures, bucketRevisions} {
		if err := t.repack(bucket, with); err != nil {
			return err
		}
	}
	return nil
}

// repack packs every block of a bucket again.
func (t *tx) repack(bucket []byte, with *codec) error {
	var keys [][]byte
	err := t.Bucket(bucket).ForEach(func(k, _ []byte) error {
		keys = append(keys, bytes.Clone(k))
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range keys {
		plain, err := with.unpack(t.get(bucket, k))
		if err != nil {
			return fmt.Errorf("%s %x: %w", bucket, k, err)
		}
		if err := t.put(bucket, k, with.pack(plain)); err != nil {
			return err
		}
	}
	return nil
}
