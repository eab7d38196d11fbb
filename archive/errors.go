package archive

import (
	"errors"
	"strings"
	"syscall"
)

// What can be wrong with an archive. Errors returned by this package wrap one
// of these where the caller may want to tell them apart.
var (
	// ErrNotArchive: the file is no finarc archive. It is left as it is.
	ErrNotArchive = errors.New("not a finarc archive")
	// ErrNewer: the archive was written by a newer finarc than this one.
	ErrNewer = errors.New("archive has a newer format")
	// ErrBusy: another process holds the archive, or a mirror's lock in it.
	ErrBusy = errors.New("archive is busy")
	// ErrNoPost: the archive does not hold what was asked for.
	ErrNoPost = errors.New("no such post in the archive")
	// ErrCorrupt: the file is damaged.
	ErrCorrupt = errors.New("archive is damaged")
	// ErrMissing: there is no file at the path.
	ErrMissing = errors.New("no archive there")
	// ErrLost: of a revision that damage hit, the page, or all of it, is lost.
	ErrLost = errors.New("lost to damage of the archive")
	// ErrSalvage: the archive's pages are damaged, so that it cannot be repaired
	// where it is.
	ErrSalvage = errors.New("archive cannot be repaired where it is")
)

// grown returns what kept the file from growing, where bbolt tells that in words
// of its own alone, so that who asks for the cause finds it.
func grown(err error) error {
	if err == nil || !strings.HasPrefix(err.Error(), "file resize error: ") {
		return err
	}
	for _, cause := range []error{syscall.EFBIG, syscall.ENOSPC, syscall.EIO} {
		if strings.HasSuffix(err.Error(), ": "+cause.Error()) {
			return cause
		}
	}
	return err
}
