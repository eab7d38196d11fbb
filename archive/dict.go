package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"
)

// The archive's dictionary is made from its own first captures: the mirror's
// layout, its markup and the phrases of its news, which every page would
// otherwise carry again.
const (
	dictSamples = 256        // captures after which a dictionary is made
	dictSize    = 128 << 10  // of content, at most
	firstDictID = 1<<15 + 41 // RFC 8878, 3.1.1.1.3: below 32768 is reserved
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
	samples, err := a.dictSamples(ctx)
	if err != nil || len(samples) < dictSamples {
		return err
	}
	d, err := buildDict(firstDictID, samples)
	if err != nil {
		return fmt.Errorf("archive %s: make dictionary: %w", a.path, err)
	}
	return a.update(ctx, func(t *tx) error { return t.adoptDict(firstDictID, d) })
}

// dictSamples returns the plain content of the first captures, or nothing
// where there are too few or a dictionary exists.
func (a *Archive) dictSamples(ctx context.Context) ([][]byte, error) {
	var samples [][]byte
	err := a.view(ctx, func(t *tx) error {
		if a.codec.newest() != 0 || t.Bucket(bucketRevisions).Sequence() < dictSamples {
			return nil
		}
		c := t.Bucket(bucketCaptures).Cursor()
		for k, v := c.First(); k != nil && len(samples) < dictSamples; k, v = c.Next() {
			plain, err := a.codec.unpack(v)
			if err != nil {
				return err
			}
			samples = append(samples, plain)
		}
		return nil
	})
	return samples, err
}

// buildDict makes a dictionary whose content is what the samples share.
func buildDict(id uint32, samples [][]byte) (d []byte, err error) {
	return dict.BuildZstdDict(samples, dict.Options{
		MaxDictSize: dictSize, HashBytes: 6, ZstdDictID: id, ZstdLevel: zstd.SpeedFastest,
	})
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

// repack packs every value of a bucket that is keyed by the change sequence
// again.
func (t *tx) repack(bucket []byte, with *codec) error {
	last := t.Bucket(bucketRevisions).Sequence()
	for seq := uint64(1); seq <= last; seq++ {
		plain, err := with.unpack(t.get(bucket, seqKey(seq)))
		if err != nil {
			return fmt.Errorf("%s %d: %w", bucket, seq, err)
		}
		if err := t.put(bucket, seqKey(seq), with.pack(plain)); err != nil {
			return err
		}
	}
	return nil
}
