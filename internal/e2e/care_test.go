//go:build unix

package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// careCommit is how many posts are committed at a time beside the care.
const careCommit = 100

// BenchmarkCare shows for how long those who write wait for a process that takes
// care of an archive of 100,000 posts of which some blocks are damaged. Commits
// of 100 posts go on here until it ends:
//
//	commit-max-ms, commit-p50-ms  a commit, waiting included
//	commits                       how many there were
//	took-s                        the process
func BenchmarkCare(b *testing.B) {
	g := grow(b, 100_000)
	for _, work := range [][]string{
		nil, {"verify"}, {"verify", "--repair"}, {"salvage", "--out", "new.db"}, {"compact"}, {"backup", "new.db"},
	} {
		b.Run(fmt.Sprintf("work=%s", slices.Concat(work, []string{"none"})[0]), func(b *testing.B) {
			for b.Loop() {
				benchCare(b, g, work)
			}
		})
	}
}

func benchCare(b *testing.B, g *grown, work []string) {
	dir := b.TempDir()
	path := filepath.Join(dir, "a.db")
	copyFile(b, g.path, path)
	if len(work) > 0 && (work[0] == "verify" || work[0] == "salvage") {
		spoilFrames(b, path, 5)
	}
	cmd := exec.CommandContext(b.Context(), "sleep", "5")
	if work != nil {
		cmd = exec.CommandContext(b.Context(), finarc, append(slices.Clip(work), "--archive", path)...)
	}
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	var took time.Duration
	go func() {
		err := cmd.Wait()
		took = time.Since(began)
		ended <- err
	}()
	commits, err := commitUntil(b, path, g, ended)
	if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() == 4) {
		b.Fatalf("%v: %s", err, &said)
	}
	b.ReportMetric(0, "ns/op") // it is the waiting that is measured
	b.ReportMetric(milliseconds(slices.Max(commits)), "commit-max-ms")
	b.ReportMetric(milliseconds(median(commits)), "commit-p50-ms")
	b.ReportMetric(float64(len(commits)), "commits")
	b.ReportMetric(took.Seconds(), "took-s")
}

// commitUntil commits posts until a process has ended, the same ones again where
// there are no more, and returns how long each commit took, and how it ended.
func commitUntil(b *testing.B, path string, g *grown, ended <-chan error) ([]time.Duration, error) {
	b.Helper()
	a, err := archive.Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	var commits []time.Duration
	for next := g.posts; ; next += careCommit {
		if next+careCommit > g.mirror.Len() {
			next = g.posts
		}
		posts := captures(g.mirror, next, next+careCommit)
		began := time.Now()
		if _, err := a.Commit(b.Context(), &news.Batch{Posts: posts}); err != nil {
			b.Fatal(err)
		}
		commits = append(commits, time.Since(began))
		select {
		case err := <-ended:
			return commits, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// spoilFrames flips a byte in each of some frames of a file's first half, which
// are blocks of captures or of records.
func spoilFrames(tb testing.TB, path string, n int) {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd} // RFC 8878, 3.1.1
	for i := range n {
		at := len(data) * (i + 1) / (2 * n)
		found := bytes.Index(data[at:], frame)
		if found < 0 {
			tb.Fatalf("%s: no frame after byte %d", path, at)
		}
		data[at+found+100] ^= 0x55
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}
