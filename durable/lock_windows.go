package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockRange is what is locked: a byte far beyond the file's end, since a locked
// one could not be read by those who want to know who holds it.
func lockRange() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: 1 << 30} }

// TryLock takes the lock of an open file, and reports whether it was free. Each
// opening of a file is one that the lock excludes, in one process too. It fails
// with [errors.ErrUnsupported] where the system has no such locks.
func TryLock(f *os.File) (bool, error) {
	return tryRange(f, windows.LOCKFILE_EXCLUSIVE_LOCK, lockRange())
}

// TryShare is as [TryLock], for the lock that bbolt takes of a file which it only
// reads: on the last byte that a file can have.
func TryShare(f *os.File) (bool, error) {
	const end = 1<<32 - 1
	return tryRange(f, 0, &windows.Overlapped{Offset: end, OffsetHigh: end})
}

func tryRange(f *os.File, how uint32, at *windows.Overlapped) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), how|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// Unlock lets the lock of a file go.
func Unlock(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, lockRange())
}
