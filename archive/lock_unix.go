//go:build unix && !solaris && !aix

package archive

import (
	"errors"
	"os"

	sys "golang.org/x/sys/unix"
)

// noFollow lets opening fail where the name is a link to elsewhere.
const noFollow = sys.O_NOFOLLOW

// tryLock takes the lock of an open file, and reports whether it was free. Each
// opening of a file is one that the lock excludes, in one process too.
func tryLock(f *os.File) (bool, error) { return tryFlock(f, sys.LOCK_EX) }

// tryShare is as tryLock, for the lock that bbolt takes of a file which it only
// reads.
func tryShare(f *os.File) (bool, error) { return tryFlock(f, sys.LOCK_SH) }

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

func unlock(f *os.File) error { return sys.Flock(int(f.Fd()), sys.LOCK_UN) }

// giveToOwner gives what root made to the owner of another file, so that a
// crawl by root does not shut out those of the user whose archive it is.
func giveToOwner(of string, chown func(uid, gid int) error) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st sys.Stat_t
	if err := sys.Stat(of, &st); err != nil {
		return err
	}
	return chown(int(st.Uid), int(st.Gid))
}
