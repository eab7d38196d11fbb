package archive

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/finarc/finarc/durable"
)

// The file's own lock is taken by trying: a process that wants to write finds
// it free only in a moment when no reader has it, and readers that take turns
// leave none. So there is a door before it, a lock that is held only until the
// file's own is got: whoever waits for the file keeps the next ones outside,
// and waits for those inside alone.

// doorName is the door's file, in the folder of the locks. No lock of a mirror
// has such a name.
const doorName = "door"

// doorPoll is between tries at the door, half of it by chance: nobody may come
// just when it is shut every time.
const doorPoll = 2 * time.Millisecond

// enter holds the door shut behind itself until leave is called. Where there is
// no door, or it cannot be used, it does without: then nobody writes here, or
// nobody else does. The error is ctx's.
func (a *Archive) enter(ctx context.Context, readOnly bool, deadline time.Time) (leave func(), err error) {
	f := a.door(readOnly)
	if f == nil {
		return func() {}, nil
	}
	leave = func() { _ = f.Close() } // and with it the lock
	for {
		free, err := durable.TryLock(f)
		if free || err != nil || !time.Now().Before(deadline) {
			return leave, nil // past the deadline the file's own lock is tried once all the same
		}
		select {
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		case <-time.After(doorPoll/2 + rand.N(doorPoll)):
		}
	}
}

// door opens the door's file. Writers make it where there is none.
func (a *Archive) door(readOnly bool) *os.File {
	file, err := filepath.EvalSymlinks(a.path)
	if err != nil {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(file+lockSuffix, doorName), os.O_RDONLY|noFollow, 0)
	if err == nil || readOnly || !errors.Is(err, fs.ErrNotExist) {
		return f
	}
	dir, err := a.lockDir()
	if err != nil {
		return nil
	}
	if f, err = openLock(dir, doorName); err != nil {
		return nil
	}
	return f
}
