package archive

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
	bolt "go.etcd.io/bbolt"

	"github.com/finarc/finarc/news"
)

// begin wraps a transaction, after checking that the file is an archive of a
// format that this program knows and loading the dictionaries that another
// process may have added.
func (a *Archive) begin(btx *bolt.Tx) (*tx, error) {
	t := newTx(a, btx)
	if !t.hasBucket(bucketMeta) {
		return nil, fmt.Errorf("%s: %w: a bbolt file of another program", a.path, ErrNotArchive)
	}
	v := t.Bucket(bucketMeta).Get(keyVersion)
	if len(v) != seqSize {
		return nil, fmt.Errorf("%s: %w: no format version", a.path, ErrCorrupt)
	}
	switch version := uint40(v); {
	case version > Version:
		return nil, fmt.Errorf("%s: %w: %d, and this finarc reads up to %d; use a newer finarc", a.path, ErrNewer, version, Version)
	case version < oldestVersion:
		return nil, fmt.Errorf("%s: %w: format %d, of before the first release", a.path, ErrNotArchive, version)
	}
	for _, name := range buckets() {
		if err := t.require(name); err != nil {
			return nil, err
		}
	}
	if t.Writable() {
		if err := t.raiseVersion(); err != nil {
			return nil, err
		}
	}
	return t, a.damaged(t.identify())
}

// raiseVersion makes an archive of an older format one of this, which is what it
// is once it has all buckets: a finarc of before them would not find what is put
// there, and so must not open it.
func (t *tx) raiseVersion() error {
	b, now := t.Bucket(bucketMeta), appendUint40(nil, Version)
	if bytes.Equal(b.Get(keyVersion), now) {
		return nil
	}
	return b.Put(keyVersion, now)
}

// require checks that there is a bucket, or makes it, where the archive is of
// before there was such a one and is written to.
func (t *tx) require(bucket []byte) error {
	switch {
	case t.hasBucket(bucket), added(bucket) && !t.Writable():
		return nil
	case added(bucket):
		_, err := t.CreateBucket(bucket)
		return err
	}
	return fmt.Errorf("%s: %w: bucket %s is missing", t.a.path, ErrCorrupt, bucket)
}

// added reports whether a bucket came to the format after others had written
// archives without it: there it is as good as empty, and made when the archive
// is first written to.
func added(bucket []byte) bool {
	switch string(bucket) {
	case string(bucketHosts), string(bucketRecent), string(bucketSignatures), string(bucketStories), string(bucketRevisits):
		return true
	}
	return false
}

// since returns the first format that has a bucket.
func since(bucket []byte) uint64 {
	switch string(bucket) {
	case string(bucketRecent), string(bucketSignatures), string(bucketStories):
		return 3
	case string(bucketRevisits):
		return 4
	}
	return oldestVersion
}

// identify checks that the file is the archive that it was when it was opened:
// another may have been put in its place.
func (t *tx) identify() error {
	identity, err := t.get(bucketMeta, keyIdentity)
	if err != nil {
		return err
	}
	t.a.mu.Lock()
	defer t.a.mu.Unlock()
	switch {
	case len(identity) != identitySize:
		return fmt.Errorf("%w: no identity", ErrCorrupt)
	case t.a.identity == nil:
		t.a.identity = bytes.Clone(identity)
	case !bytes.Equal(t.a.identity, identity):
		return fmt.Errorf("%s: %w: another archive was put in its place meanwhile", t.a.path, ErrNotArchive)
	}
	return nil
}

// tx is a transaction: of bbolt, on this archive.
type tx struct {
	*bolt.Tx
	a *Archive

	file   mapped             // where it only reads, see tree.go
	opened map[string]*bucket // by name

	encoder *zstd.Encoder      // see tx.packer
	terms   map[string]uint64  // terms looked up in this transaction
	sources map[uint64]string  // likewise, see tx.source
	blocks  map[string][]block // by bucket, the last ones read in this transaction
	rewrote bool               // see countRewrite
	wrote   int                // bytes that were put, a page for each value at least
}

func newTx(a *Archive, btx *bolt.Tx) *tx {
	t := &tx{a: a, Tx: btx, opened: make(map[string]*bucket, len(buckets()))}
	if !btx.Writable() {
		t.file = t.mapped()
	}
	return t
}

// fill returns how full bbolt is to leave the pages that it splits. Captures
// and revisions only ever grow at their end, so their pages can be full; the
// others take keys in between and keep some room.
func fill(bucket []byte) float64 {
	switch string(bucket) {
	case string(bucketCaptures), string(bucketRevisions):
		return 1
	}
	return 0.9
}

func (t *tx) head(id news.ID) (head, error) {
	v, err := t.get(bucketPosts, idKey(id))
	if v == nil || err != nil {
		return nil, err
	}
	h, err := decodeHead(v)
	if err != nil {
		return nil, fmt.Errorf("post %s: %w", id, err)
	}
	return h, nil
}

func (t *tx) record(seq uint64) (*record, error) {
	plain, err := t.value(bucketRevisions, seq)
	if err != nil {
		return nil, err
	}
	if len(plain) == 0 {
		return nil, fmt.Errorf("revision %d: %w", seq, ErrLost)
	}
	r, err := t.a.codec.decodeRecord(plain)
	if err != nil {
		return nil, fmt.Errorf("revision %d: %w", seq, err)
	}
	return r, nil
}

// recordIfThere is as record, but returns nil where damage of the archive took it.
func (t *tx) recordIfThere(seq uint64) (*record, error) {
	r, err := t.record(seq)
	if errors.Is(err, ErrLost) {
		return nil, nil
	}
	return r, err
}

func (t *tx) capture(seq uint64) (*news.Capture, error) {
	plain, err := t.value(bucketCaptures, seq)
	if err != nil {
		return nil, err
	}
	if len(plain) == 0 {
		return nil, fmt.Errorf("capture %d: %w", seq, ErrLost)
	}
	_, c, err := t.a.codec.decodeCapture(plain)
	if err != nil {
		return nil, fmt.Errorf("capture %d: %w", seq, err)
	}
	return c, nil
}

// ownCapture is as capture, but what it returns holds no more memory than its own,
// and is nil where damage of the archive took it.
func (t *tx) ownCapture(seq uint64) (*news.Capture, error) {
	c, err := t.capture(seq)
	if errors.Is(err, ErrLost) {
		return nil, nil
	}
	if err == nil {
		c.Body = bytes.Clone(c.Body)
	}
	return c, err
}
