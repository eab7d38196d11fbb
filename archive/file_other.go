//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package archive

import (
	"io/fs"
	"os"
)

// replaceable: a file that is open cannot be replaced by another.
const replaceable = false

func keepOwner(*os.File, fs.FileInfo) {}
