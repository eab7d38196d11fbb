package jekyll

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFolder forces a folder and all of its files to the disk, along with the
// rest of their file system (syncfs(2)): one wait for any number of files.
func syncFolder(d *os.File) error { return os.NewSyscallError("syncfs", unix.Syncfs(int(d.Fd()))) }

// syncFile leaves a file to syncFolder.
func syncFile(*os.File) error { return nil }
