package crawler_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/finarc/finarc/mirror"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRandomMirrors crawls mirrors drawn by chance, faults included: every
// report adds up, a second run changes nothing, and each post is where its
// fault lets it be.
func TestRandomMirrors(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			testRandomMirror(t, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

func testRandomMirror(t *testing.T, dice *rand.Rand) {
	o := randomMirror(dice)
	m, at := newMirror(t, o)
	a := newArchive(t)
	run := faultOptions(at, a, true)
	run.Limits.Parallel, run.Limits.Retries = 1+dice.IntN(12), 1+dice.IntN(2)

	first := crawl(t, run)
	if diff := cmp.Diff(expected(m, true), countsOf(first), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("mirror %+v: report (-want +got):\n%s", o, diff)
	}
	checkFates(t, m, a, true)
	before := held(t, a)
	m.ResetRequests()
	second := crawl(t, run)
	if second.New+second.Revised+second.Unchanged+second.FailedPosts() != 0 || second.Lists.Read != 0 {
		t.Errorf("mirror %+v: second run %+v, lists %+v", o, countsOf(second), second.Lists)
	}
	checkKept(t, before, held(t, a))
}

// randomMirror draws a mirror with up to four faults. Of the faults that take
// long to serve there are few.
func randomMirror(dice *rand.Rand) mirror.Options {
	o := mirror.Options{
		Posts: 1 + dice.IntN(100), Categories: 1 + dice.IntN(30), Seed: dice.Uint64(),
		ShareOnly: dice.Float64() * 0.4, Gzip: dice.IntN(4) == 0,
	}
	for range dice.IntN(5) {
		f := mirror.Fault{Name: faultCases[dice.IntN(len(faultCases))].fault, Share: 0.01 + dice.Float64()*0.3}
		if f.Name == "huge" || f.Name == "slow" {
			f.Share /= 10
		}
		o.Faults = append(o.Faults, f)
	}
	return o
}
