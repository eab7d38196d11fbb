package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/finarc/finarc/news"
)

// Placed is where in a file the pages are that a value takes.
type Placed struct {
	Bucket   string
	First    uint64 // the number of a block's first value
	From, To int64
}

// Places returns where the blocks and dictionaries of a file are, from the
// beginning of their page on.
func Places(path string) ([]Placed, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p := newPager(f, info.Size(), func(uint64, string) {})
	var list []Placed
	p.buckets(func(bucket element) {
		name := string(bucket.key)
		p.bucketElements(bucket, func(e element) {
			first := uint64(0)
			if len(e.key) == seqSize {
				first = uint40(e.key)
			}
			if name == string(bucketMeta) && !isDictKey(e.key) {
				return
			}
			list = append(list, Placed{name, first, int64(e.page) * p.pageSize, e.at + int64(e.size)})
		})
	})
	return list, nil
}

// CheckPages goes through the pages of a file that holds data.
func CheckPages(data []byte, fault func(page uint64, why string)) {
	p := newPager(&file{data}, int64(len(data)), fault)
	if p.root != 0 {
		p.check()
	}
}

type file struct{ data []byte }

func (f *file) ReadAt(b []byte, at int64) (int, error) { return copy(b, f.data[at:]), nil }

// CheckFile goes through the pages of a file.
func CheckFile(f *os.File, size int64) {
	newPager(f, size, func(uint64, string) {}).check()
}

// Dump sums up everything that a file holds, key by key. Frames count by what
// they unpack to: a Zstandard frame can say the same in several ways, and its
// checksum is of what it says.
func Dump(ctx context.Context, path string) (uint64, error) {
	a, err := handle(path)
	if err != nil {
		return 0, err
	}
	h := fnv.New64a()
	err = a.view(ctx, func(t *tx) error {
		for _, name := range buckets() {
			b := t.Bucket(name)
			fmt.Fprintf(h, "%q %d\n", name, b.Sequence())
			err := b.ForEach(func(k, v []byte) error {
				if !sealed(name) && len(v) > 4 && little.Uint32(v) == frameMagic {
					plain, err := t.unpack(v)
					if err != nil {
						return err
					}
					v = plain
				}
				fmt.Fprintf(h, "%d %x %d %x\n", len(k), k, len(v), v)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return h.Sum64(), err
}

// LoadForMerge notes a source's revisions, calls between, and loads those that
// come next.
func LoadForMerge(ctx context.Context, from *Archive, between func()) (revisions, loaded int, err error) {
	f := &feed{from: from}
	if err := f.list(ctx); err != nil {
		return 0, 0, err
	}
	between()
	_, err = f.next(ctx)
	return f.report.Revisions, len(f.ready), err
}

// CopyAround copies an archive, of which rewrite replaces blocks before the last
// look, and checks the copy.
func CopyAround(ctx context.Context, a *Archive, to string, rewrite func() error) (err error) {
	r, err := a.replicate(".finarc-test-", to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.discard()) }()
	if err := errors.Join(r.catchUp(ctx), rewrite()); err != nil {
		return err
	}
	err = a.view(ctx, func(t *tx) error {
		if settled, err := r.settle(t, false); settled || err != nil {
			return errors.Join(err, errors.New("it settles though blocks were replaced"))
		}
		if settled, err := r.settle(t, true); !settled || err != nil {
			return errors.Join(err, errors.New("it does not settle at last"))
		}
		return r.db.View(func(btx *bolt.Tx) error { // it is what the archive is
			for _, name := range buckets() {
				err := t.Bucket(name).ForEach(func(k, v []byte) error {
					if !bytes.Equal(v, btx.Bucket(name).Get(k)) {
						return errors.New("the copy differs in " + string(name))
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	return errors.Join(err, r.check(ctx))
}

// Tree is a bucket as a transaction that reads sees it.
type Tree struct{ *bucket }

// Usage tells how many keys it has, what its pages take, and what of its leaves
// is in use.
func (t Tree) Usage() (keys int, bytes, inuse int64) {
	u, inuse := t.tree.usage()
	return u.Keys, u.Bytes, inuse
}

// Trees calls fn with every bucket of a bbolt file, as bbolt has it and as it is
// read without.
func Trees(t testing.TB, path string, fn func(name []byte, b *bolt.Bucket, tree Tree)) {
	t.Helper()
	db, err := bolt.Open(path, fileMode, options(true))
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(btx *bolt.Tx) error {
		own := newTx(nil, btx)
		return btx.ForEach(func(name []byte, b *bolt.Bucket) error {
			fn(name, b, Tree{own.Bucket(name)})
			return nil
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// Walk reads every bucket of a bbolt file forth, back and for its usage.
func Walk(ctx context.Context, path string) error {
	a, err := handle(path)
	if err != nil {
		return err
	}
	var failed error
	for i := range 5 {
		err := a.locked(ctx, true, func(db *bolt.DB) error {
			return db.View(func(btx *bolt.Tx) error {
				t := newTx(a, btx)
				b := t.Bucket(fmt.Append(nil, "bucket", i))
				c := b.Cursor()
				for k, _ := c.First(); k != nil; k, _ = c.Next() {
					b.Get(k)
				}
				for k, _ := c.Last(); k != nil; k, _ = c.Prev() {
					b.Cursor().Seek(k)
				}
				b.tree.usage()
				return nil
			})
		})
		failed = errors.Join(failed, err)
	}
	return failed
}

// BoltFindings returns what bbolt's own check finds wrong with a file.
func BoltFindings(ctx context.Context, path string) ([]Finding, error) {
	a, err := handle(path)
	if err != nil {
		return nil, err
	}
	v, err := newVerifier(a, nil)
	if err != nil {
		return nil, err
	}
	err = a.locked(ctx, true, func(db *bolt.DB) error { return v.checkBolt(ctx, db) })
	return v.report.Findings, err
}

// FreeUsedPage puts the root's page into the list of free pages.
func FreeUsedPage(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p := newPager(f, info.Size(), func(uint64, string) {})
	ids, err := p.freelistIDs()
	if err != nil || len(ids) == 0 {
		return errors.Join(err, errors.New("no page is free"))
	}
	_, err = f.WriteAt(little.AppendUint64(nil, p.root), int64(p.freelist)*p.pageSize+pageHeader)
	return err
}

// CheckAfter copies an archive, checks the copy, lets spoil damage the archive,
// and copies what came of that. It returns what the check of that says.
func CheckAfter(ctx context.Context, a *Archive, to string, spoil func() error) (checked, err error) {
	r, err := a.checkedCopy(ctx, ".finarc-test-", to)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.discard()) }()
	if err := errors.Join(r.open(), spoil()); err != nil {
		return nil, err
	}
	return r.settled(ctx, a.alone, func(*tx) error { return r.checkFresh() }), nil
}

// VerifyAround verifies an archive, and calls between when it is fixed how far
// the check goes.
func VerifyAround(ctx context.Context, a *Archive, between func() error) (VerifyReport, error) {
	v, err := newVerifier(a, nil)
	if err != nil {
		return VerifyReport{}, err
	}
	for _, step := range []func() error{func() error { return v.begin(ctx) }, between, func() error { return v.rest(ctx) }} {
		if err := step(); err != nil {
			return v.report, err
		}
	}
	return v.report, nil
}

// SnapshotAround copies the archive's file while between is called, after the
// file was looked at and before it is copied. It reports whether the copy can be
// that of a moment, and after that makes it so.
func SnapshotAround(ctx context.Context, a *Archive, into *os.File, between func() error) (still bool, err error) {
	s := newSnapshot(a, into)
	f, before, err := s.open(ctx)
	if err != nil {
		return false, err
	}
	if err := errors.Join(between(), s.differences(ctx, f), f.Close()); err != nil {
		return false, err
	}
	f, after, err := s.open(ctx)
	if err != nil {
		return false, err
	}
	return before.same(after), errors.Join(f.Close(), s.last(ctx))
}

// Readable reads a part of a file, as far as it can be read.
func Readable(f io.ReaderAt, b []byte, at int64) { readable(f, b, at) }

// EachCapture calls fn with all captures in one transaction that reads.
func EachCapture(ctx context.Context, a *Archive, fn func(news.Capture)) error {
	return a.view(ctx, func(t *tx) error { return t.eachCapture(fn) })
}

// EachCaptureInWrite does so in one that writes.
func EachCaptureInWrite(ctx context.Context, a *Archive, fn func(news.Capture)) error {
	return a.update(ctx, func(t *tx) error { return t.eachCapture(fn) })
}

func (t *tx) eachCapture(fn func(news.Capture)) error {
	for seq := range t.Bucket(bucketRevisions).Sequence() {
		c, err := t.capture(seq + 1)
		if err != nil {
			return err
		}
		fn(*c)
	}
	return nil
}
