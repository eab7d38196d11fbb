//go:build !windows && (!unix || solaris || aix)

package durable

import (
	"errors"
	"fmt"
	"os"
)

// TryLock fails: these systems have no lock that belongs to an opening of a file
// rather than to the process.
func TryLock(*os.File) (bool, error) {
	return false, fmt.Errorf("%w: locks on this system", errors.ErrUnsupported)
}

// TryShare fails likewise.
func TryShare(f *os.File) (bool, error) { return TryLock(f) }

// Unlock does nothing.
func Unlock(*os.File) error { return nil }
