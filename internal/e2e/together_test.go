//go:build unix

package e2e_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// BenchmarkTogether shows how long processes that share an archive of 50,000
// posts hold each other up. While so many exports run, one after the other in
// each of as many places, commits of 100 posts go on here, as a crawl's do, and
// lists are asked for:
//
//	commit-max-ms, commit-p50-ms  a commit, waiting included
//	list-max-ms                   finarc list --limit 20 as a whole process
//	commits, exports              how many there were
func BenchmarkTogether(b *testing.B) {
	m, err := mirror.New(mirror.Options{Posts: 100_000, Categories: 60, Seed: 1, Base: "http://mirror.example", CacheBytes: -1})
	if err != nil {
		b.Fatal(err)
	}
	for _, exports := range []int{0, 1, 3} {
		b.Run(fmt.Sprintf("exports=%d", exports), func(b *testing.B) {
			for b.Loop() {
				benchTogether(b, m, exports)
			}
		})
	}
}

func benchTogether(b *testing.B, m *mirror.Mirror, exports int) {
	const held = 50_000
	dir := b.TempDir()
	path := filepath.Join(dir, "a.db")
	a, err := archive.OpenOrCreate(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	commitAll(b, a, m, 0, held, growthBatch)

	ctx, cancel := context.WithTimeout(b.Context(), 12*time.Second)
	defer cancel()
	var background sync.WaitGroup
	finished := make([]int, exports)
	for i := range exports {
		background.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				out := filepath.Join(dir, fmt.Sprintf("dump-%d-%d", i, n))
				_ = exec.CommandContext(ctx, finarc, "export", "jekyll", "--archive", path, "--out", out).Run() // cut off at the end
				finished[i]++
			}
		})
	}
	var lists []time.Duration
	background.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			if exec.CommandContext(ctx, finarc, "list", "--limit", "20", "--archive", path).Run() == nil {
				lists = append(lists, time.Since(began))
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	var commits []time.Duration
	for next := held; ctx.Err() == nil && next+100 <= m.Len(); next += 100 {
		batch := &news.Batch{Posts: captures(m, next, next+100)}
		began := time.Now()
		if _, err := a.Commit(b.Context(), batch); err != nil {
			b.Error(err)
			break
		}
		commits = append(commits, time.Since(began))
		time.Sleep(50 * time.Millisecond)
	}
	cancel()
	background.Wait()
	total := 0
	for _, n := range finished {
		total += n
	}
	b.ReportMetric(milliseconds(slices.Max(commits)), "commit-max-ms")
	b.ReportMetric(milliseconds(median(commits)), "commit-p50-ms")
	b.ReportMetric(milliseconds(slices.Max(lists)), "list-max-ms")
	b.ReportMetric(float64(len(commits)), "commits")
	b.ReportMetric(float64(total), "exports")
}
