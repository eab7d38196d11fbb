//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package archive

import (
	"io/fs"
	"os"
)

// replaceable: a file that is open cannot be replaced by another.
const replaceable = false

// unlocked cannot tell whether a process holds a lock on a file; one that is
// open cannot be removed anyway.
func unlocked(*os.File) bool { return true }

func keepOwner(*os.File, fs.FileInfo) {}
