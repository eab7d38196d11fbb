package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/finarc/finarc/durable"
)

const (
	lockSuffix   = ".lock"
	lockDirMode  = 0o755
	lockFileMode = 0o644

	// lockUnnamed is for how long a holder who has not written yet who it is
	// gets time to do so, whatever the caller's wait.
	lockUnnamed = 200 * time.Millisecond
)

// LockedError says that another holds the lock of a mirror; see
// [Archive.LockMirrors]. It wraps [ErrBusy].
type LockedError struct {
	Mirror string
	Holder Holder        // zero where the holder has not told
	Waited time.Duration // as long as LockMirrors was to wait
}

func (e *LockedError) Error() string {
	why := "two at a time would ask for the same posts twice"
	if e.Waited > 0 {
		why = fmt.Sprintf("still so after %v", e.Waited)
	}
	return fmt.Sprintf("mirror %s is being crawled by %s; %s", e.Mirror, e.Holder, why)
}

func (e *LockedError) Unwrap() error { return ErrBusy }

// LockMirrors takes the locks of the named mirrors in this archive, all or
// none, for as long as it takes until release is called, once. They exclude
// every other call that names one of these mirrors and the same archive file,
// by whichever path: in this process and in others. They do not hinder reading
// and writing.
//
// command tells others who holds them: finarc crawl finews. Where another does,
// it is waited for, at most as long as wait, or not at all if that is 0 or less;
// then the error is a [*LockedError]. The error is ctx's where that ends first.
//
// The locks are the kernel's, on files in the folder that has the archive's
// name with .lock at its end, so they end with the process, however it ends.
// The files stay: to remove one while it is waited for would make two locks of
// one.
func (a *Archive) LockMirrors(ctx context.Context, names []string, command string, wait time.Duration) (release func() error, err error) {
	dir, err := a.lockDir()
	if err != nil {
		return nil, fmt.Errorf("lock archive %s: %w", a.path, err)
	}
	var held []*os.File
	release = func() error { return releaseAll(held) }
	deadline := time.Now().Add(wait)
	// In order: whoever waits for a lock holds none that stands after it, so
	// nobody waits in a circle.
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		f, err := lockMirror(ctx, dir, name, command, deadline)
		if locked := new(LockedError); errors.As(err, &locked) {
			locked.Waited = max(0, wait)
		}
		if err != nil {
			return nil, errors.Join(err, release())
		}
		held = append(held, f)
	}
	return release, nil
}

// lockDir returns the folder of the locks, which it makes where there is none.
// It stands beside the file itself, wherever links to it are.
func (a *Archive) lockDir() (string, error) {
	file, err := filepath.EvalSymlinks(a.path)
	if err != nil {
		return "", withoutPath(err)
	}
	dir := file + lockSuffix
	switch err := os.Mkdir(dir, lockDirMode); {
	case err == nil:
		return dir, giveToOwner(file, func(uid, gid int) error { return os.Lchown(dir, uid, gid) })
	case errors.Is(err, fs.ErrExist):
		return dir, nil
	default:
		return "", fmt.Errorf("cannot make %s, the folder of the locks: %w", dir, withoutPath(err))
	}
}

// lockMirror takes the lock of one mirror, waiting until the deadline.
func lockMirror(ctx context.Context, dir, name, command string, deadline time.Time) (*os.File, error) {
	unnamed := time.Now().Add(lockUnnamed)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := tryMirror(dir, name, command)
		locked := new(LockedError)
		if !errors.As(err, &locked) {
			return f, err
		}
		now := time.Now()
		if !now.Before(deadline) && (locked.Holder.PID != 0 || !now.Before(unnamed)) {
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockPoll):
		}
	}
}

// tryMirror takes the lock of one mirror if it is free, or else fails with a
// [*LockedError]. The lock is held as long as the file is open.
func tryMirror(dir, name, command string) (*os.File, error) {
	f, err := openLock(dir, lockName(name))
	if err != nil {
		return nil, fmt.Errorf("lock mirror %s: %w", name, err)
	}
	free, err := durable.TryLock(f)
	switch {
	case err != nil:
		err = fmt.Errorf("lock mirror %s: %s: %w", name, f.Name(), err)
	case !free:
		err = &LockedError{Mirror: name, Holder: readHolder(f)}
	default:
		err = writeNote(f, lockNote{name, Holder{PID: os.Getpid(), Command: command, Since: time.Now()}})
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockName returns the name of the file that is a mirror's lock. Names of
// mirrors may hold what those of files may not, and differ by case alone.
func lockName(mirror string) string {
	sum := sha256.Sum256([]byte(mirror))
	return hex.EncodeToString(sum[:16])
}

// openLock opens a lock's file, which it makes where there is none.
func openLock(dir, name string) (*os.File, error) {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, lockFileMode)
	if errors.Is(err, fs.ErrExist) {
		return os.OpenFile(path, os.O_RDWR|noFollow, lockFileMode)
	}
	if err != nil {
		return nil, err
	}
	if err := giveToOwner(dir, f.Chown); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockNote is what a lock's file says of its holder, as JSON. The file is empty
// where nobody holds it, or still tells of a process that was killed.
type lockNote struct {
	Mirror string `json:"mirror"`
	Holder
}

// writeNote writes who holds the lock into its file.
func writeNote(f *os.File, n lockNote) error {
	note, err := json.Marshal(n)
	if err != nil {
		return err
	}
	note = append(note, '\n')
	if _, err := f.WriteAt(note, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(note)))
}

// readHolder returns who holds the lock, as far as its file tells: nobody if it
// is not written yet.
func readHolder(f *os.File) Holder {
	var note lockNote
	if err := json.NewDecoder(f).Decode(&note); err != nil {
		return Holder{}
	}
	return note.Holder
}

// releaseAll lets locks go.
func releaseAll(files []*os.File) error {
	var errs []error
	for _, f := range files {
		// Closing alone would leave the lock to a child that is being started.
		if err := errors.Join(f.Truncate(0), durable.Unlock(f), f.Close()); err != nil {
			errs = append(errs, fmt.Errorf("let go the lock %s: %w", f.Name(), err))
		}
	}
	return errors.Join(errs...)
}
