package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

func options(readOnly bool) *bolt.Options {
	return &bolt.Options{
		ReadOnly: readOnly, Timeout: lockOnce, PageSize: pageSize,
		FreelistType: bolt.FreelistArrayType, NoStatistics: true,
	}
}

// view runs fn in a read transaction. Values that it takes out must be copied.
func (a *Archive) view(ctx context.Context, fn func(*tx) error) error {
	return a.through(ctx, 1, func() error { return a.run(ctx, true, fn) })
}

// update runs fn in a write transaction and makes its changes durable, all or
// none.
func (a *Archive) update(ctx context.Context, fn func(*tx) error) error {
	return a.through(ctx, gatePlaces, func() error { return a.run(ctx, false, fn) })
}

// through runs fn with so many places of the gate, which come in the order in
// which they are asked for.
func (a *Archive) through(ctx context.Context, places int64, fn func() error) error {
	if err := a.gate.Acquire(ctx, places); err != nil {
		return err
	}
	defer a.gate.Release(places)
	return fn()
}

// alone runs fn in a read transaction while nobody else reads or writes, in
// this process or another.
func (a *Archive) alone(ctx context.Context, fn func(*tx) error) error {
	return a.through(ctx, gatePlaces, func() error {
		return a.locked(ctx, false, func(db *bolt.DB) error { return a.transact(db, true, fn) })
	})
}

func (a *Archive) run(ctx context.Context, readOnly bool, fn func(*tx) error) error {
	return a.locked(ctx, readOnly, func(db *bolt.DB) error { return a.transact(db, readOnly, fn) })
}

// locked runs fn with the file open, and so locked: for this process alone, or
// for those that read. A panic, or a fault, is damage of the file.
func (a *Archive) locked(ctx context.Context, readOnly bool, fn func(*bolt.DB) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer a.recoverDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	db, err := a.open(ctx, readOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return fn(db)
}

func (a *Archive) transact(db *bolt.DB, readOnly bool, fn func(*tx) error) error {
	inTx := func(btx *bolt.Tx) error {
		t, err := a.begin(btx)
		if err != nil {
			return err
		}
		return a.damaged(fn(t))
	}
	if readOnly {
		return db.View(inTx)
	}
	if err := a.guard(); err != nil {
		return err
	}
	db.AllocSize = allocSize
	return a.unwritten(db.Update(inTx))
}

// unwritten adds to an error of writing which file it is about, unless the
// error tells.
func (a *Archive) unwritten(err error) error {
	for _, told := range []error{nil, ErrCorrupt, ErrNotArchive, ErrNewer} {
		if errors.Is(err, told) {
			return err
		}
	}
	return fmt.Errorf("archive %s: %w", a.path, withoutPath(grown(err)))
}

// damaged adds to an error that tells of damage which file it is in.
func (a *Archive) damaged(err error) error {
	if errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	return err
}

// open opens the file, waiting for whoever holds it.
func (a *Archive) open(ctx context.Context, readOnly bool) (*bolt.DB, error) {
	if err := checkFile(a.path); err != nil {
		return nil, err
	}
	db, err := a.acquire(ctx, readOnly)
	switch {
	case err == nil:
		return db, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, berrors.ErrTimeout):
		return nil, a.busy()
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, fmt.Errorf("%s: %w: %w", a.path, ErrNotArchive, err)
	default:
		return nil, fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
	}
}

// busy says who holds the file for longer than was to be waited, where that can
// be told.
func (a *Archive) busy() error {
	wait := max(0, a.wait)
	if who := heldBy(holders(a.path)); who != "" {
		return fmt.Errorf("%s: %w: held by %s, for longer than %v", a.path, ErrBusy, who, wait)
	}
	return fmt.Errorf("%s: %w: another process holds it, for longer than %v", a.path, ErrBusy, wait)
}

// acquire opens the file, trying its lock until the wait or ctx is over.
func (a *Archive) acquire(ctx context.Context, readOnly bool) (*bolt.DB, error) {
	deadline := time.Now().Add(a.wait)
	leave, err := a.enter(ctx, readOnly, deadline)
	if err != nil {
		return nil, err
	}
	defer leave()
	for {
		db, err := openNamed(a.path, readOnly)
		left := time.Until(deadline)
		switch {
		case errors.Is(err, errReplaced) && ctx.Err() == nil:
			continue
		case !errors.Is(err, berrors.ErrTimeout) || left <= 0:
			return db, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(min(2*doorPoll, left)):
		}
	}
}

// errReplaced: while the file's lock was waited for, another file was put in
// its place.
var errReplaced = errors.New("another file was put in its place")

// openNamed opens the file at path. The lock is the file's and not the path's,
// so that whoever waits for it may get that of a file which a compaction has
// replaced meanwhile: what is written there would be lost, so the path is asked
// once more when the lock is held. It fails with errReplaced where it names
// another file by then.
func openNamed(path string, readOnly bool) (*bolt.DB, error) {
	var file *os.File
	o := options(readOnly)
	o.OpenFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		f, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
		file = f
		return f, err
	}
	if !readOnly {
		o.InitialMmapSize = roomToGrow(path)
	}
	db, err := bolt.Open(path, fileMode, o)
	if err != nil {
		return nil, err
	}
	if err := stillNamed(path, file); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// roomToGrow returns how large a map of the file has room for what a commit adds.
// Where bbolt must map the file anew in the middle of one, it copies all that the
// transaction has touched.
func roomToGrow(path string) int {
	info, err := os.Stat(path)
	if err != nil || mapAhead == 0 {
		return 0 // which stands for the file's length
	}
	return int(info.Size()) + mapAhead
}

// stillNamed fails with errReplaced unless a path names a file that was opened.
func stillNamed(path string, file *os.File) error {
	opened, err := file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(opened, named) {
		return errReplaced
	}
	return nil
}

// recoverDamage turns a panic of bbolt, which it takes to when a page makes no
// sense, and a fault on a page that is not there, into an error.
func (a *Archive) recoverDamage(err *error) {
	switch p := recover().(type) {
	case nil:
	case runtime.Error:
		*err = fmt.Errorf("%s: %w: a page makes no sense (%w)", a.path, ErrCorrupt, p)
	default:
		*err = fmt.Errorf("%s: %w: %v", a.path, ErrCorrupt, p)
	}
}
