//go:build !linux

package durable

import "os"

// SyncFolder does nothing: every file was forced to the disk by itself.
func SyncFolder(*os.File) error { return nil }

// SyncFile forces a file to the disk.
func SyncFile(f *os.File) error { return f.Sync() }
