// Command finarc archives Chinese finance news that its mirrors throw away.
// See finarc --help and README.md.
package main

import (
	"context"
	"io"
	"log"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// memoryGoal is what the garbage collector tries to stay below, unless
// GOMEMLIMIT says otherwise: with it, collecting more often comes before
// growing.
const memoryGoal = 40 << 20

// servingGoal is that of a program that keeps pages in memory.
const servingGoal = 128 << 20

// aimAt sets what the garbage collector tries to stay below, unless somebody else
// has: now is what was set before.
func aimAt(goal, now int64) {
	if debug.SetMemoryLimit(-1) == now {
		debug.SetMemoryLimit(goal)
	}
}

func main() {
	aimAt(memoryGoal, math.MaxInt64)
	ignoreFileSizeSignal()
	log.SetOutput(io.Discard) // net/http writes there what servers do, which runs report in their own words
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Environ()))
}
