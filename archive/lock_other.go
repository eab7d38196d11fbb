//go:build !windows && (!unix || solaris || aix)

package archive

import (
	"errors"
	"fmt"
	"os"
)

const noFollow = 0

// tryLock fails: these systems have no lock that belongs to an opening of a file
// rather than to the process.
func tryLock(*os.File) (bool, error) {
	return false, fmt.Errorf("%w: locks on this system", errors.ErrUnsupported)
}

func tryShare(f *os.File) (bool, error) { return tryLock(f) }

func unlock(*os.File) error { return nil }

func giveToOwner(string, func(uid, gid int) error) error { return nil }
