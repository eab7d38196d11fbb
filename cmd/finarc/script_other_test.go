//go:build !unix

package main

import "github.com/rogpeppe/go-internal/testscript"

func unprivileged() { main() }

func canDrop() bool { return false }

func lock(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("lock: not on this system") }

func unlock(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("unlock: not on this system") }
