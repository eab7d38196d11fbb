//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package archive

import (
	"io/fs"
	"os"
	"syscall"
)

// replaceable: a file that is open can be replaced by another.
const replaceable = true

// mapAhead is how many bytes more than a file has are mapped for writing.
const mapAhead = 64 << 20

// keepOwner gives a file the owner and group of another, where it may: only a
// process of root may do so for any.
func keepOwner(f *os.File, of fs.FileInfo) {
	if s, ok := of.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(s.Uid), int(s.Gid))
	}
}
