//go:build !linux

package jekyll

import "os"

// syncFolder does nothing: every file was forced to the disk by itself.
func syncFolder(*os.File) error { return nil }

// syncFile forces a file to the disk.
func syncFile(f *os.File) error { return f.Sync() }
