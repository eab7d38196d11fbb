//go:build unix && !solaris && !aix

package durable

import (
	"errors"
	"os"

	sys "golang.org/x/sys/unix"
)

// TryLock takes the lock of an open file, and reports whether it was free. Each
// opening of a file is one that the lock excludes, in one process too. It fails
// with [errors.ErrUnsupported] where the system has no such locks.
func TryLock(f *os.File) (bool, error) { return tryFlock(f, sys.LOCK_EX) }

// TryShare is as [TryLock], for the lock that bbolt takes of a file which it only
// reads.
func TryShare(f *os.File) (bool, error) { return tryFlock(f, sys.LOCK_SH) }

func tryFlock(f *os.File, how int) (bool, error) {
	for {
		switch err := sys.Flock(int(f.Fd()), how|sys.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, sys.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, sys.EINTR):
			return false, err
		}
	}
}

// Unlock lets the lock of a file go.
func Unlock(f *os.File) error { return sys.Flock(int(f.Fd()), sys.LOCK_UN) }
