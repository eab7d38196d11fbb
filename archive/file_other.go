//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package archive

import (
	"io/fs"
	"os"
)

// replaceable: a file that is open cannot be replaced by another.
const replaceable = false

// mapAhead is none, since the file would become as long as the map.
const mapAhead = 0

func keepOwner(*os.File, fs.FileInfo) {}
