//go:build unix

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"golang.org/x/sync/errgroup"
)

// TestTogether: two crawls of different mirrors, the web server, searches, exports and
// lists are at one archive at the same time. All end well, and every post is held.
func TestTogether(t *testing.T) {
	const before, posts = 100, 300 // held already; to be crawled of each mirror
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	m, err := mirror.New(mirror.Options{Posts: before, Categories: 5, Seed: 1, Base: "http://mirror.example", Newest: weekBegins})
	if err != nil {
		t.Fatal(err)
	}
	fillArchive(t, m, path, 0, before)
	server, base := serveArchive(t, path)

	running, ended := context.WithCancel(t.Context())
	var crawls, others errgroup.Group
	for i, name := range []string{"one", "other"} {
		site := serve(t, "--posts", fmt.Sprint(posts), "--categories", "10", "--seed", fmt.Sprint(i+2), "--newest", weekBegins.AddDate(0, 0, 20*(i+1)).Format(time.RFC3339))
		config := filepath.Join(dir, name+".yaml")
		text := strings.NewReplacer("name: local", "name: "+name, "rate: 0", "rate: 100").Replace(fmt.Sprintf(configuration, path, site, 4))
		writeFile(t, config, text)
		crawls.Go(func() error { return succeed(t.Context(), "crawl", "--quiet", "-c", config) })
	}
	did := make([]int, 4)
	for i, act := range []func(n int) error{
		func(n int) error {
			return succeed(t.Context(), "export", "jsonl", "--archive", path, "--out", filepath.Join(dir, fmt.Sprint("rows", n)))
		},
		func(int) error { return succeed(t.Context(), "search", "--archive", path, "公司") },
		func(int) error { return succeed(t.Context(), "list", "--archive", path, "--limit", "20") },
		func(int) error {
			_, err := get(t.Context(), http.DefaultClient, base+"/")
			return err
		},
	} {
		others.Go(func() error {
			for ; running.Err() == nil; did[i]++ {
				if err := act(did[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := crawls.Wait(); err != nil {
		t.Error(err)
	}
	ended()
	if err := others.Wait(); err != nil {
		t.Error(err)
	}
	if err := errors.Join(server.Process.Signal(os.Interrupt), server.Wait()); err != nil {
		t.Errorf("finarc serve: %v", err)
	}
	t.Logf("exports, searches, lists and pages meanwhile: %d", did)
	if slices.Min(did) < 2 {
		t.Errorf("exports, searches, lists and pages meanwhile: %d, want several of each", did)
	}
	if n := len(contentOf(t, path)); n != before+2*posts {
		t.Errorf("%d posts are held, want %d", n, before+2*posts)
	}
}

// succeed runs finarc, which is to end well.
func succeed(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, finarc, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("finarc %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

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
