//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreFileSizeSignal lets a write beyond the limit on a file's size fail, as
// one on a full disk does, where the signal would end the program in the midst
// of it.
func ignoreFileSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }
