package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// openable makes the archive one that can be opened: what every look needs. It
// takes its transaction as it is, since others could not be begun.
func (r *repair) openable(ctx context.Context) error {
	return r.a.through(ctx, gatePlaces, func() error {
		return r.a.locked(ctx, false, func(db *bolt.DB) error {
			db.AllocSize = allocSize
			return r.a.unwritten(db.Update(func(btx *bolt.Tx) error {
				t := newTx(r.a, btx)
				if err := r.meta(t); err != nil {
					return err
				}
				return r.dictionaries(t)
			}))
		})
	})
}

// bad returns the keys of a bucket whose values a check refuses. A nil check
// refuses none.
func (t *tx) bad(bucket []byte, check checker) ([][]byte, error) {
	var keys [][]byte
	err := t.Bucket(bucket).ForEach(func(k, stored []byte) error {
		if t.refuses(bucket, k, stored, check) {
			keys = append(keys, bytes.Clone(k))
		}
		return nil
	})
	return keys, err
}

// meta puts format and identity right, and sets aside what else is broken.
func (r *repair) meta(t *tx) error {
	format := t.Bucket(bucketMeta).Get(keyVersion)
	if format != nil && (len(format) != seqSize || uint40(format) < oldestVersion || uint40(format) > Version) {
		return fmt.Errorf("%w: format %x", ErrSalvage, format)
	}
	keys, err := t.bad(bucketMeta, nil)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if bytes.Equal(k, keyVersion) {
			continue // it has no checksum
		}
		if err := r.setAside(t, bucketMeta, k); err != nil {
			return err
		}
	}
	if identity, err := t.get(bucketMeta, keyIdentity); err != nil || len(identity) != identitySize {
		fresh := make([]byte, identitySize)
		if _, err := rand.Read(fresh); err != nil {
			return fmt.Errorf("make an identity: %w", err)
		}
		if err := t.put(bucketMeta, keyIdentity, fresh); err != nil {
			return err
		}
		r.tell("gave the archive a new identity: programs that follow it take it for another")
	}
	return t.raiseVersion()
}

// dictionaries puts copies in the place of broken dictionaries, and makes
// copies again. Without a dictionary everything that was packed with it would be
// set aside; Salvage does better with what is left of it.
func (r *repair) dictionaries(t *tx) error {
	broken, err := t.bad(bucketDicts, func(_ *tx, k, plain []byte) error {
		c, err := newCodec()
		if err != nil {
			return err
		}
		return c.tryDict(k, plain)
	})
	if err != nil {
		return err
	}
	for _, k := range broken {
		if err := r.setAside(t, bucketDicts, k); err != nil {
			return err
		}
	}
	restored := 0
	for _, id := range t.copiedDicts() {
		if t.has(bucketDicts, dictKey(id)) {
			continue
		}
		d, err := t.dictCopy(id)
		if err != nil {
			continue
		}
		if err := t.put(bucketDicts, dictKey(id), d); err != nil {
			return err
		}
		restored++
	}
	for _, k := range broken {
		if !t.has(bucketDicts, k) {
			return fmt.Errorf("%w: a dictionary is damaged, and so is its copy", ErrSalvage)
		}
	}
	if restored > 0 {
		r.tell("took %d broken dictionaries from their copies", restored)
	}
	return r.copyDicts(t)
}

// copyDicts makes the copies that there are not, or that are not right.
func (r *repair) copyDicts(t *tx) error {
	all := make(map[uint32][]byte)
	err := t.each(bucketDicts, func(k, v []byte) error {
		all[binary.BigEndian.Uint32(k)] = bytes.Clone(v)
		return nil
	})
	if err != nil {
		return err
	}
	made := 0
	for id, d := range all {
		if copied, err := t.dictCopy(id); err == nil && bytes.Equal(copied, d) {
			continue
		}
		if err := t.putDict(id, d); err != nil {
			return err
		}
		made++
	}
	if made > 0 {
		r.tell("made the copies of %d dictionaries again", made)
	}
	for _, id := range t.copiedDicts() {
		if all[id] == nil {
			if err := r.setAside(t, bucketMeta, dictCopyKey(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// terms makes the two entries of a page fit, and sets aside terms whose number
// another has too.
func (r *repair) terms(ctx context.Context) error { return r.a.update(ctx, r.numberTerms) }

func (r *repair) numberTerms(t *tx) error {
	owner := make(map[uint64][]byte)
	var wrong [][]byte
	last := uint64(0)
	sources := make(map[uint64]string)
	err := t.each(bucketTerms, func(k, v []byte) error {
		if len(k) == 1+seqSize && k[0] == 0 {
			sources[uint40(k[1:])] = string(v)
			last = max(last, uint40(k[1:]))
			return nil
		}
		n, size := binary.Uvarint(v)
		if size <= 0 || size != len(v) || n == 0 || n >= 1<<(8*termSize) || owner[n] != nil {
			wrong = append(wrong, bytes.Clone(k))
			return nil
		}
		owner[n], last = bytes.Clone(k), max(last, n)
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range wrong {
		r.renamed = true
		if err := r.setAside(t, bucketTerms, k); err != nil {
			return err
		}
	}
	again := 0
	for n, k := range owner {
		if k[0] == byte(termSource) && sources[n] == "" {
			again++
			sources[n] = string(k[1:])
			if err := t.put(bucketTerms, sourceKey(n), k[1:]); err != nil {
				return err
			}
		}
	}
	for n, address := range sources {
		text := sourceTerm(address)
		if string(owner[n]) == text {
			continue
		}
		if owner[n] != nil || t.has(bucketTerms, []byte(text)) { // another's number, or it has another
			if err := r.setAside(t, bucketTerms, sourceKey(n)); err != nil {
				return err
			}
			continue
		}
		again++
		if err := t.put(bucketTerms, []byte(text), binary.AppendUvarint(nil, n)); err != nil {
			return err
		}
	}
	if again > 0 {
		r.tell("made the entries of %d pages that posts were found on again", again)
	}
	if was := t.Bucket(bucketTerms).Sequence(); was != last {
		r.tell("the last number of a term is %d; its sequence said %d", last, was)
	}
	return t.Bucket(bucketTerms).SetSequence(last)
}
