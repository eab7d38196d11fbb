package archive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// How long the simulation is.
const (
	simOps   = 360 // of a plain run, some seconds
	roundOps = 120 // on one file
	lookOps  = 25  // between two comparisons of everything
)

// TestSimulation does what comes by chance to an archive and to its twin in
// memory, and compares what they tell: commits of every kind, reopenings,
// readers while commits go on, compactions, and crashes in the middle of a
// commit.
//
// It goes in rounds, each on a file of its own and with a seed of its own, the
// first of which is drawn unless FINARC_SIM_SEED names it. A failure prints the
// round's seed; that round alone is done again, the same but for how readers
// and commits meet, by
//
//	FINARC_SIM_SEED=<seed> go test ./archive -run TestSimulation
//
// To look for what is rare, let it run for hours:
//
//	FINARC_SIM_OPS=10000000 go test ./archive -run TestSimulation -timeout 0
func TestSimulation(t *testing.T) {
	t.Parallel()
	otherwise := uint64(simOps)
	if os.Getenv("FINARC_SIM_SEED") != "" || testing.Short() {
		otherwise = roundOps
	}
	seed, ops := fromEnv(t, "FINARC_SIM_SEED", rand.Uint64()), fromEnv(t, "FINARC_SIM_OPS", otherwise)
	for ; ops > 0 && !t.Failed(); seed++ {
		n := min(ops, roundOps)
		ops -= n
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { simulate(t, seed, int(n)) })
	}
}

// fromEnv returns a number from the environment, or the one given.
func fromEnv(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// simulation is a round.
type simulation struct {
	*testing.T
	drawing
	path string
	file *archive.Archive
	twin *storetest.Memory
	step int
	done map[string]int // how often each operation was done
}

// operations are what can happen, each as often as its weight says.
var operations = []struct {
	name   string
	weight int
	do     func(*simulation)
}{
	{"commit", 50, (*simulation).commit},
	{"failing commit", 4, (*simulation).failingCommit},
	{"cancelled commit", 2, (*simulation).cancelledCommit},
	{"start of a run", 6, (*simulation).startRun},
	{"look for nothing", 6, (*simulation).lookForNothing},
	{"reopening", 6, (*simulation).reopen},
	{"readers", 8, (*simulation).commitAmongReaders},
	{"compaction", 3, (*simulation).compact},
	{"crash", 15, (*simulation).crash},
}

func simulate(t *testing.T, seed uint64, ops int) {
	s := &simulation{
		T: t, drawing: newDrawing(seed), path: filepath.Join(t.TempDir(), "a.db"),
		twin: storetest.NewMemory(), done: make(map[string]int),
	}
	defer func() {
		if t.Failed() {
			t.Logf("at operation %d; again with FINARC_SIM_SEED=%d", s.step, seed)
		}
	}()
	s.reopen()
	for s.step = 1; s.step <= ops && !t.Failed(); s.step++ {
		op := operations[s.drawOperation()]
		op.do(s)
		s.done[op.name]++
		if s.step%lookOps == 0 {
			s.compare(op.name)
		}
	}
	s.compare("the end")
	s.checkPages()
	if n := s.done["crashes that lost the commit"]; n == 0 && s.done["crash"] > 10 {
		s.Errorf("of %d crashes none could be in the middle of a commit: it has more than one transaction", s.done["crash"])
	}
	t.Logf("%d operations: %v", ops, s.done)
}

// drawOperation returns the number of what is to happen next.
func (s *simulation) drawOperation() int {
	total := 0
	for _, op := range operations {
		total += op.weight
	}
	n := s.IntN(total)
	for i, op := range operations {
		if n -= op.weight; n < 0 {
			return i
		}
	}
	return 0
}

// same fails the round where file and twin differ.
func (s *simulation) same(what string, twin, file any) {
	s.Helper()
	if diff := storetest.Diff(twin, file); diff != "" {
		s.Fatalf("%s (-twin +file):\n%.4000s", what, diff)
	}
}

// must fails the round where something failed that must not.
func (s *simulation) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// compare compares everything that file and twin tell.
func (s *simulation) compare(after string) {
	s.Helper()
	u := s.universe()
	want, err := storetest.Look(s.Context(), s.twin, u)
	s.must(err)
	got, err := storetest.Look(s.Context(), s.file, u)
	if err != nil {
		s.Fatalf("after %s: %v", after, err)
	}
	s.same("after "+after, want, got)
	s.same("counts after "+after, s.twin.Counts(), countsOf(s.T, s.file))
}

// countsOf returns an archive's counts.
func countsOf(t *testing.T, a *archive.Archive) storetest.Counts {
	t.Helper()
	n, err := a.Stats(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return storetest.Counts{
		Posts: n.Posts, Revisions: n.Revisions, RawBytes: n.RawBytes, First: n.First, Last: n.Last,
		Frontier: n.Frontier, Leads: n.Leads, Failed: n.Failed, Unread: n.Unread, Lists: n.Lists, Runs: n.Runs,
	}
}

// commit commits a batch to both.
func (s *simulation) commit() {
	b := s.batch()
	if s.chance(0.5) {
		s.seeAgain(&b)
	}
	s.commitBatch(b)
}

// seeAgain adds to a batch another sighting, earlier or later, of what is held.
func (s *simulation) seeAgain(b *news.Batch) {
	p, id := s.post(), storetest.Sample(s.IntN(simPosts)).Post.ID
	rev, err := s.twin.Post(s.Context(), id)
	if err != nil || slices.ContainsFunc(b.Posts, func(p news.Captured) bool { return p.Post.ID == id }) {
		return
	}
	p.Post, p.Wanted = rev.Post, news.Wanted{}
	p.Capture.Fetched = rev.Fetched.Add(time.Duration(s.IntN(20)-10) * time.Hour)
	b.Posts = append(b.Posts, p)
}

func (s *simulation) commitBatch(b news.Batch) {
	s.Helper()
	want, err := s.twin.Commit(s.Context(), &b)
	s.must(err)
	got, err := s.file.Commit(s.Context(), &b)
	s.must(err)
	s.same("committed", want, got)
}

// failingCommit commits a batch whose last list cannot be kept.
func (s *simulation) failingCommit() {
	b := s.batch()
	b.Lists = append(b.Lists, news.ListPage{Mirror: "m"})
	for _, store := range []storetest.Store{s.twin, s.file} {
		if done, err := store.Commit(s.Context(), &b); err == nil {
			s.Fatalf("committed %+v", done)
		}
	}
}

func (s *simulation) cancelledCommit() {
	b := s.batch()
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if _, err := s.file.Commit(ctx, &b); !errors.Is(err, context.Canceled) {
		s.Fatalf("commit with a cancelled context: %v", err)
	}
}

func (s *simulation) startRun() {
	twin := s.run(0)
	file := twin.Clone()
	s.must(s.twin.StartRun(s.Context(), twin))
	s.must(s.file.StartRun(s.Context(), file))
	s.same("run", twin, file)
	s.started = twin.ID
}

// lookForNothing asks for what is not there.
func (s *simulation) lookForNothing() {
	id := news.ID(fmt.Sprintf("20010101%010d", s.IntN(1e9)))
	_, post := s.file.Post(s.Context(), id)
	_, revisions := s.file.Revisions(s.Context(), id)
	_, unread := s.file.Unread(s.Context(), id)
	for _, err := range []error{post, revisions, unread} {
		if !errors.Is(err, archive.ErrNoPost) {
			s.Fatalf("%s: %v", id, err)
		}
	}
	if _, err := s.file.Capture(s.Context(), 1<<30); err == nil {
		s.Fatal("there is a capture that was never committed")
	}
	unknown := archive.Selection{Category: "none such", Tag: "nor this", Mirror: "m"}
	for rev, err := range s.file.Select(s.Context(), unknown) {
		s.Fatalf("selected %s, %v", rev.ID, err)
	}
}

// reopen goes on with a new handle, as another process would.
func (s *simulation) reopen() {
	var err error
	s.file, err = archive.OpenOrCreate(s.Context(), s.path)
	s.must(err)
}

func (s *simulation) compact() {
	_, err := s.file.Compact(s.Context())
	s.must(err)
	s.compare("compaction")
}

// checkPages checks the file's pages by bbolt's own rules.
func (s *simulation) checkPages() {
	s.Helper()
	db, err := bolt.Open(s.path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Minute, PreLoadFreelist: true})
	s.must(err)
	err = db.View(func(tx *bolt.Tx) error {
		var errs []error
		for err := range tx.Check() {
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	s.must(errors.Join(err, db.Close()))
}
