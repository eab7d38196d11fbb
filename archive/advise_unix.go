//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package archive

import (
	"os"

	sys "golang.org/x/sys/unix"
)

// letGo tells the system that bytes of a map of a file need not stay in this
// process's memory. They are read again when they are looked at again.
func (m mapped) letGo(from, to int) {
	page := os.Getpagesize()
	from, to = (from+page-1)/page*page, to/page*page
	if from < to {
		_ = sys.Madvise(m[from:to], sys.MADV_DONTNEED) // without it, they only stay longer
	}
}
