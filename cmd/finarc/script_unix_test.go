//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// nobody is the user that programs become which need no rights.
const nobody = 65534

// unprivileged runs finarc without the rights of root, where it has them.
func unprivileged() {
	if os.Geteuid() == 0 {
		for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)} {
			if err != nil {
				fmt.Fprintln(os.Stderr, "drop privileges:", err)
				os.Exit(99)
			}
		}
	}
	main()
}

// canDrop reports whether unprivileged works.
func canDrop() bool { return true }

// lock FILE: holds the file's lock, as a process that writes an archive does,
// until unlock or the script's end.
func lock(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 1, "lock FILE")
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	ts.Defer(func() { f.Close() })
	runningLock.Lock()
	defer runningLock.Unlock()
	locked[ts] = f
}

var locked = map[*testscript.TestScript]*os.File{}

// unlock: lets go what lock holds.
func unlock(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 0, "unlock")
	runningLock.Lock()
	defer runningLock.Unlock()
	ts.Check(locked[ts].Close())
}
