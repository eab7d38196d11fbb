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

func main() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(memoryGoal)
	}
	ignoreFileSizeSignal()
	log.SetOutput(io.Discard) // net/http writes there what servers do, which runs report in their own words
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Environ()))
}
