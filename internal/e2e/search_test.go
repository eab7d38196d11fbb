//go:build unix

package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/search"
)

// searched returns what finarc search finds, by the program itself.
func searched(tb testing.TB, path string, words ...string) (ids []string) {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), finarc, append([]string{"search", "--archive", path, "--json", "--limit", "0"}, words...)...).Output()
	var told struct {
		Hits []struct {
			ID string `json:"id"`
		} `json:"hits"`
		Behind int `json:"behind"`
	}
	if err == nil {
		err = json.Unmarshal(out, &told)
	}
	if err != nil || told.Behind != 0 {
		tb.Fatalf("search %q: behind %d, %v", words, told.Behind, err)
	}
	for _, h := range told.Hits {
		ids = append(ids, h.ID)
	}
	return ids
}

// TestKilledSearch: kill -9 while an index is made, or brought up to date, costs
// nothing: the next search finds what it has to.
func TestKilledSearch(t *testing.T) {
	const posts, kills = 600, 6
	m, err := mirror.New(mirror.Options{Posts: posts, Categories: 5, Seed: 5, Base: "http://mirror.example"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "news.db")
	a, err := archive.OpenOrCreate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range kills {
		commitAll(t, a, m, n*posts/kills, (n+1)*posts/kills, 100)
		args := []string{"search", "--archive", path, "公司"}
		if n%2 == 0 {
			args = []string{"search", "--archive", path, "--rebuild"}
		}
		cmd := exec.CommandContext(t.Context(), finarc, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Duration(rng.IntN(300))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // killed, or done before
		want := searched(t, path, "--mirror", "local", "的")
		if slices.Sort(want); len(want) == 0 {
			t.Fatal("nothing is found")
		}
		again := searched(t, path, "--rebuild", "--mirror", "local", "的")
		if slices.Sort(again); !slices.Equal(again, want) {
			t.Errorf("after a kill %d are found, and by a new index %d", len(want), len(again))
		}
	}
	if entries, err := os.ReadDir(path + ".search"); len(entries) != 1 || err != nil {
		t.Errorf("left in the index's folder: %v, %v", entries, err)
	}
}

// processorTime returns what this process has used.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// searchQueries are typical and mean ones, of generated posts.
var searchQueries = []string{
	"公司", "的", "2", "2021", "600160", "0160", "业绩 增长", "人民币汇率", "公告 -公司", "title:公告", "原油 from:2021-12-01", "“同比增长” 净利润", "的公司", "。",
}

// BenchmarkSearch shows what an index of 100,000 posts costs. The archive is that of
// [BenchmarkGrowth], also with FINARC_GROWTH_DIR.
//
//	posts/s       indexed, by one process
//	cpu-µs/post   of processor time
//	index/archive size
//	process-ms    the median of finarc search as a whole process
//
// What queries cost [BenchmarkSearchQueries] shows.
func BenchmarkSearch(b *testing.B) {
	posts := 100_000
	if testing.Short() {
		posts = 10_000
	}
	g := grow(b, posts)
	a, err := archive.Open(b.Context(), g.path)
	if err != nil {
		b.Fatal(err)
	}
	x := search.Open(filepath.Join(b.TempDir(), "index"), page.Text)
	defer x.Close()
	began, cpu := time.Now(), processorTime(b)
	if _, err := x.Update(b.Context(), a, search.Options{Rebuild: true}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(posts)/time.Since(began).Seconds(), "posts/s")
	b.ReportMetric(float64((processorTime(b)-cpu).Microseconds())/float64(posts), "cpu-µs/post")
	size, err := x.Size()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/(g.bytes*float64(posts)), "index/archive")
	var cold []time.Duration
	searched(b, g.path, "没有这样的词") // makes the index, if there is none
	for _, text := range searchQueries {
		began := time.Now()
		out, err := exec.CommandContext(b.Context(), finarc, "search", "--archive", g.path, "--", text).CombinedOutput()
		if err != nil {
			b.Fatal(fmt.Errorf("%w: %s", err, out))
		}
		cold = append(cold, time.Since(began))
	}
	b.ReportMetric(milliseconds(median(cold)), "process-ms")
	b.ReportMetric(0, "ns/op") // there is nothing that is done b.N times
}
