package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Values that no Zstandard frame guards end with the CRC-32C (RFC 9260,
// appendix A) of their key and themselves, big endian, so that no damage to
// either goes unnoticed. The indexes of entries have none: verify makes them
// again and compares.
const sealSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed reports whether the values of a bucket carry a checksum.
func sealed(bucket []byte) bool {
	switch string(bucket) {
	case string(bucketCaptures), string(bucketRevisions), string(bucketUnread), string(bucketHosts), string(bucketRevisits),
		string(bucketTimes), string(bucketPostings), string(bucketRecent):
		return false
	}
	return true
}

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

func seal(key, value []byte) []byte {
	out := append(make([]byte, 0, len(value)+sealSize), value...)
	return binary.BigEndian.AppendUint32(out, checksum(key, value))
}

// unseal returns what seal was given.
func unseal(bucket, key, stored []byte) ([]byte, error) {
	n := len(stored) - sealSize
	if n < 0 || binary.BigEndian.Uint32(stored[n:]) != checksum(key, stored[:n]) {
		return nil, fmt.Errorf("%w: %s %x does not match its checksum", ErrCorrupt, bucket, key)
	}
	return stored[:n:n], nil
}

// has reports whether a bucket has a key.
func (t *tx) has(bucket, key []byte) bool { return t.Bucket(bucket).Get(key) != nil }

// get returns the value under a key, or nil where there is none. It is valid
// until the transaction ends.
func (t *tx) get(bucket, key []byte) ([]byte, error) {
	v := t.Bucket(bucket).Get(key)
	if v == nil || !sealed(bucket) {
		return v, nil
	}
	return unseal(bucket, key, v)
}

func (t *tx) put(bucket, key, value []byte) error {
	b := t.Bucket(bucket)
	b.FillPercent = fill(bucket)
	if sealed(bucket) {
		value = seal(key, value)
	}
	if blocks(bucket) {
		if err := t.countRewrite(b, key); err != nil {
			return err
		}
	}
	t.wrote += max(pageSize, len(value))
	return b.Put(key, value)
}

func (t *tx) delete(bucket, key []byte) error { return t.Bucket(bucket).Delete(key) }

// blocks reports whether a bucket is one of blocks.
func blocks(bucket []byte) bool {
	return bytes.Equal(bucket, bucketCaptures) || bytes.Equal(bucket, bucketRevisions)
}

// countRewrite counts that a block is replaced unless it is the last one.
// Blocks before the last do not change otherwise, and whoever copies the
// archive relies on that until the count tells of it.
func (t *tx) countRewrite(b *bucket, key []byte) error {
	if last, _ := b.Cursor().Last(); bytes.Compare(key, last) >= 0 {
		return nil
	}
	return t.rewriting()
}

// rewriting counts, once, that this transaction replaces blocks before the last.
func (t *tx) rewriting() error {
	if t.rewrote {
		return nil
	}
	n, err := t.rewrites()
	if err != nil {
		return err
	}
	t.rewrote = true
	return t.put(bucketMeta, keyRewrites, binary.AppendUvarint(nil, n+1))
}

// rewrites returns in how many transactions a block before the last was
// replaced.
func (t *tx) rewrites() (uint64, error) {
	v, err := t.get(bucketMeta, keyRewrites)
	if v == nil || err != nil {
		return 0, err
	}
	n, size := binary.Uvarint(v)
	if size != len(v) {
		return 0, fmt.Errorf("%w: count of rewrites", ErrCorrupt)
	}
	return n, nil
}

// each calls fn with every key of a bucket and its value, in order.
func (t *tx) each(bucket []byte, fn func(k, v []byte) error) error {
	return t.Bucket(bucket).ForEach(func(k, v []byte) (err error) {
		if sealed(bucket) {
			if v, err = unseal(bucket, k, v); err != nil {
				return err
			}
		}
		return fn(k, v)
	})
}
