package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/finarc/finarc/durable"
	bolt "go.etcd.io/bbolt"
)

// Copied is what a backup or a compaction did.
type Copied struct {
	File      string // that was written
	Posts     int64
	Revisions int64
	Before    int64 // bytes of the archive's file when it was begun
	After     int64 // bytes of the file that was written
	// Held is for how long the archive's lock was held at a time, at most; Last
	// is the last time, for which those who write waited.
	Held, Last time.Duration
}

// Bounds on one look into the archive while it is copied.
const (
	copyBytes = 4 << 20 // of what differs
	copyTime  = 20 * time.Millisecond
	copyKeys  = 64 // after so many keys the clock is asked

	// fewChanges is how many values may differ when the last look begins, as
	// long as less does not come of looking again: maxRounds.
	fewChanges = 256
	maxRounds  = 5
	// maxSettles is how often a last look is given up because blocks were
	// replaced meanwhile. After that it goes through all of them itself.
	maxSettles = 3
)

// replica is a copy of an archive in the making: a file of its own, which others
// do not know of yet. What was copied is brought up to date by going through
// the buckets of both and copying what differs, first in short looks between
// which others write, and at last in one look, after which the copy is the
// archive as it then stands. Blocks before the last do not change (see tx.put),
// so all of them are copied but once.
type replica struct {
	*durable.Draft
	from     *Archive
	db       *bolt.DB
	copied   Copied
	begun    bool
	rewrites uint64            // of the archive, when its blocks were copied
	blocks   map[string][]byte // by bucket, the block from which on they may differ
	fresh    []placed          // blocks written since the copy was checked; kept from then on
	checked  bool
}

// replicate begins a copy in a new file beside target, which has the archive's
// mode and, where the system lets us, its owner. Files of the same prefix that a
// process left which was killed are removed.
func (a *Archive) replicate(prefix, target string) (*replica, error) {
	info, err := os.Stat(a.path)
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
	}
	d, err := durable.NewFile(filepath.Dir(target), prefix, 0o600)
	if err != nil {
		return nil, err
	}
	r := &replica{Draft: d, from: a, blocks: make(map[string][]byte), copied: Copied{Before: info.Size()}}
	keepOwner(d.File, info)
	if err := errors.Join(d.File.Chmod(info.Mode().Perm()|0o600), d.File.Close(), r.open()); err != nil {
		return nil, errors.Join(err, r.discard())
	}
	return r, nil
}

// open opens the copy's file. Nothing is synced until the end: before, a file
// that is not whole has no name that anybody opens.
func (r *replica) open() (err error) {
	o := options(false)
	o.NoSync, o.NoGrowSync = true, true
	o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		return os.OpenFile(name, flag&^os.O_CREATE, mode)
	}
	r.db, err = bolt.Open(r.Path, fileMode, o)
	if err != nil {
		return r.unwritten(err)
	}
	r.db.AllocSize = allocSize
	return nil
}

func (r *replica) close() error {
	if r.db == nil {
		return nil
	}
	err := r.db.Close()
	r.db = nil
	return err
}

// discard removes the copy, unless it has got another name by now.
func (r *replica) discard() error {
	return errors.Join(r.close(), r.Draft.Discard())
}

// unwritten adds to an error which file it is about.
func (r *replica) unwritten(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", r.Path, withoutPath(err))
}

// catchUp brings the copy up to date in short looks, until little differs.
func (r *replica) catchUp(ctx context.Context) error {
	for range maxRounds {
		changes, err := r.round(ctx)
		if err != nil {
			return err
		}
		if changes <= fewChanges {
			break
		}
	}
	return r.unwritten(r.db.Sync())
}

// round goes once through all buckets, in short looks.
func (r *replica) round(ctx context.Context) (changes int, err error) {
	at := place{}
	for at.bucket < len(buckets()) {
		began := time.Now()
		var all []*difference
		err := r.look(ctx, r.from.view, func(t *tx) (err error) {
			if at.bucket == 0 && at.key == nil {
				if err := r.heedRewrites(t); err != nil {
					return err
				}
			}
			all, at, err = r.differences(t, at, &budget{bytes: copyBytes, until: time.Now().Add(copyTime)})
			return err
		})
		if err != nil {
			return 0, err
		}
		if err := r.apply(all); err != nil {
			return 0, err
		}
		for _, d := range all {
			changes += len(d.changes)
			if d.last != nil {
				r.blocks[string(d.bucket)] = d.last
			}
		}
		if at.bucket < len(buckets()) {
			if err := rest(ctx, time.Since(began)); err != nil {
				return 0, err
			}
		}
	}
	return changes, nil
}

// heedRewrites forgets which blocks are copied if some were replaced since.
func (r *replica) heedRewrites(t *tx) error {
	n, err := t.rewrites()
	if !r.begun || n != r.rewrites {
		clear(r.blocks)
	}
	r.begun, r.rewrites = true, n
	return err
}

// place is how far a round has come: a bucket, and in it the key with which to
// go on; nil: its first that may differ.
type place struct {
	bucket int
	key    []byte
}

// differences goes on from a place as far as the budget reaches.
func (r *replica) differences(t *tx, at place, within *budget) ([]*difference, place, error) {
	var all []*difference
	for ; at.bucket < len(buckets()); at = (place{bucket: at.bucket + 1}) {
		bucket := buckets()[at.bucket]
		if !t.hasBucket(bucket) {
			continue // see added
		}
		if at.key == nil {
			at.key = r.blocks[string(bucket)]
		}
		d := &difference{bucket: bucket, sequence: t.Bucket(bucket).Sequence()}
		if err := r.differ(t, d, at.key, within); err != nil {
			return nil, at, err
		}
		all = append(all, d)
		if d.next != nil {
			return all, place{at.bucket, d.next}, nil
		}
	}
	return all, at, nil
}

// rest leaves the archive to others for a while: whoever waits for a lock asks
// for it now and then only.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(d, copyTime)):
		return nil
	}
}

// look runs fn in a look into the archive and measures it.
func (r *replica) look(ctx context.Context, in func(context.Context, func(*tx) error) error, fn func(*tx) error) error {
	return in(ctx, func(t *tx) error {
		began := time.Now()
		defer func() {
			r.copied.Last = time.Since(began)
			r.copied.Held = max(r.copied.Held, r.copied.Last)
		}()
		return fn(t)
	})
}

// settle makes the copy what the archive is in this look. It reports false
// where blocks were replaced that were copied before: then it takes another
// round, unless this is to be the last, which goes through all blocks.
func (r *replica) settle(t *tx, last bool) (settled bool, err error) {
	if n, err := t.rewrites(); err != nil || n != r.rewrites && !last {
		return false, err
	}
	if err := r.heedRewrites(t); err != nil {
		return false, err
	}
	all, _, err := r.differences(t, place{}, nil)
	if err != nil {
		return false, err
	}
	n, err := t.counters()
	if err != nil {
		return false, err
	}
	r.copied.Posts, r.copied.Revisions = n.Posts, n.Revisions
	return true, r.apply(all)
}

// difference is what a bucket of the archive has otherwise than the copy.
type difference struct {
	bucket   []byte
	sequence uint64 // of the archive's
	changes  []change
	next     []byte // the key with which to go on; nil: the end was reached
	last     []byte // of a bucket of blocks: the last key
}

// placed is where a value is.
type placed struct{ bucket, key []byte }

// change is a value that is other, or, where value is nil, none.
type change struct{ key, value []byte }

// budget bounds a look.
type budget struct {
	bytes int // that are gathered, about
	until time.Time
	keys  int // that were looked at
}

// spend takes a key and so many bytes that were gathered, and reports whether
// the budget, if there is one, allows for more.
func (b *budget) spend(size int) bool {
	if b == nil {
		return true
	}
	b.keys++
	b.bytes -= size
	return b.bytes > 0 && (b.keys%copyKeys != 0 || time.Now().Before(b.until))
}

// require makes a bucket of the copy, unless it is there. The copy has those that
// the archive has, so that it is one of the same format.
func (r *replica) require(bucket []byte) error {
	there := false
	err := r.db.View(func(copied *bolt.Tx) error {
		there = copied.Bucket(bucket) != nil
		return nil
	})
	if there || err != nil {
		return err
	}
	return r.unwritten(r.db.Update(func(copied *bolt.Tx) error {
		_, err := copied.CreateBucket(bucket)
		return err
	}))
}

// differ compares a bucket with the copy's, from a key on.
func (r *replica) differ(t *tx, d *difference, from []byte, within *budget) error {
	if err := r.require(d.bucket); err != nil {
		return err
	}
	return r.db.View(func(copied *bolt.Tx) error {
		source := t.Bucket(d.bucket)
		d.walk(source.Cursor(), copied.Bucket(d.bucket).Cursor(), from, within)
		if last, _ := source.Cursor().Last(); blocks(d.bucket) && d.next == nil && last != nil {
			d.last = bytes.Clone(last)
		}
		return nil
	})
}

// walk goes through a bucket of the archive and of the copy side by side.
func (d *difference) walk(source, copied cursor, from []byte, within *budget) {
	sk, sv := source.Seek(from)
	ck, cv := copied.Seek(from)
	for sk != nil || ck != nil {
		order, size := compare(sk, ck), 0
		switch {
		case order > 0:
			size = d.add(ck, nil)
		case order < 0 || !bytes.Equal(sv, cv):
			size = d.add(sk, sv)
		}
		if order <= 0 {
			sk, sv = source.Next()
		}
		if order >= 0 {
			ck, cv = copied.Next()
		}
		if next := lower(sk, ck); !within.spend(size) && next != nil {
			d.next = bytes.Clone(next)
			return
		}
	}
}

// add gathers a change, which outlives the look, and returns its size in bytes.
func (d *difference) add(key, value []byte) int {
	c := change{key: bytes.Clone(key)}
	if value != nil {
		c.value = append(make([]byte, 0, len(value)), value...)
	}
	d.changes = append(d.changes, c)
	return len(key) + len(value)
}

// compare orders two keys; nil, which is the end, comes after all others.
func compare(a, b []byte) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return bytes.Compare(a, b)
}

func lower(a, b []byte) []byte {
	if compare(a, b) > 0 {
		return b
	}
	return a
}

// apply writes what differs into the copy.
func (r *replica) apply(all []*difference) error {
	err := r.db.Update(func(btx *bolt.Tx) error {
		for _, d := range all {
			b := btx.Bucket(d.bucket)
			b.FillPercent = fill(d.bucket)
			for _, c := range d.changes {
				if c.value == nil {
					if err := b.Delete(c.key); err != nil {
						return err
					}
				} else if err := b.Put(c.key, c.value); err != nil {
					return err
				} else if r.checked && blocks(d.bucket) {
					r.fresh = append(r.fresh, placed{d.bucket, c.key})
				}
			}
			if d.sequence != b.Sequence() {
				if err := b.SetSequence(d.sequence); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return r.unwritten(err)
}

// settled catches up with the archive in short looks and settles in one, in
// which then, if set, is called. Of a copy that was checked before, blocks that
// came since are checked in between, but for those of the last look.
func (r *replica) settled(ctx context.Context, in func(context.Context, func(*tx) error) error, then func(*tx) error) error {
	for tries := 0; ; tries++ {
		if err := r.catchUp(ctx); err != nil {
			return err
		}
		if err := r.checkFresh(); err != nil { // those that came since the archive is not held for
			return err
		}
		done := false
		err := r.look(ctx, in, func(t *tx) (err error) {
			if done, err = r.settle(t, tries == maxSettles); !done || err != nil || then == nil {
				return err
			}
			return then(t)
		})
		if done || err != nil {
			return err
		}
	}
}

// checkedCopy returns a copy of the archive that is to get the name to, written
// and checked. It must be discarded in the end.
func (a *Archive) checkedCopy(ctx context.Context, prefix, to string) (*replica, error) {
	r, err := a.replicate(prefix, to)
	if err != nil {
		return nil, err
	}
	if err = r.settled(ctx, a.view, nil); err == nil {
		err = r.check(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.discard())
	}
	return r, nil
}

// check checks the copy from its first byte to its last, before it gets its
// name. The file is closed meanwhile, and its guard held.
func (r *replica) check(ctx context.Context) error {
	if err := errors.Join(r.unwritten(r.db.Sync()), r.close()); err != nil {
		return err
	}
	if err := check(ctx, r.Path, r.copied); err != nil {
		return fmt.Errorf("the copy is not good and was thrown away: %w", err)
	}
	r.checked = true
	return nil
}
