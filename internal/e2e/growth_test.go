//go:build unix

package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// growthBatch is how many posts a commit takes, as a fast crawl's does.
const growthBatch = 1024

// Commits that are measured of each archive, and their posts.
const (
	growthCommits = 40
	growthPosts   = 512
)

// BenchmarkGrowth shows what an archive costs as it grows: generated posts are
// committed without the network, 300 for each hour, and then read. The archives
// of all sizes are made first and then measured in turn, one look at each after
// the other, so that what else the machine does falls on all alike. Medians:
//
//	batch-ms        a commit of 512 posts at its full size
//	batch-KiB       what such a commit writes to the file
//	open-µs         opening it and one look, in this process
//	show-ms, list-ms, day-ms, category-ms, security-ms, as-of-ms
//	                finarc show, and list --limit 20 with such a flag, as whole
//	                processes
//	show-x, …       the same as a multiple of that of the smallest archive
//	bytes/post      of the file
//	commit-posts/s  of archive.Commit while it was made, compression included
//
// With FINARC_GROWTH_DIR the archives are made there and kept for the next run:
// a million posts take minutes and 1.4 GB. Such a run does not tell
// commit-posts/s of what it found.
func BenchmarkGrowth(b *testing.B) {
	sizes := []int{10_000, 100_000, 1_000_000}
	if testing.Short() {
		sizes = sizes[:2]
	}
	var all []*grown
	for _, posts := range sizes {
		all = append(all, grow(b, posts))
	}
	inTurn(b, all)
	for _, g := range all {
		b.Run(fmt.Sprintf("posts=%d", g.posts), func(b *testing.B) { g.report(b, all[0]) })
	}
}

// grown is an archive of so many posts of a mirror that has some more.
type grown struct {
	posts  int
	mirror *mirror.Mirror
	path   string
	rate   float64                    // posts a second while it was made; 0: it was there
	took   map[string][]time.Duration // by what was done
	wrote  []int64                    // bytes, by each commit of those that are measured
	bytes  float64                    // of a post
}

// grow makes an archive, unless it is kept from an earlier run.
func grow(b *testing.B, posts int) *grown {
	b.Helper()
	all := posts + growthCommits*growthPosts
	m, err := mirror.New(mirror.Options{
		Posts: all, Categories: 200, Seed: 1, Base: "http://mirror.example",
		Window: time.Duration(all) * time.Hour / 300, CacheBytes: -1,
	})
	if err != nil {
		b.Fatal(err)
	}
	dir := os.Getenv("FINARC_GROWTH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	g := &grown{posts: posts, mirror: m, path: filepath.Join(dir, fmt.Sprintf("%d.db", posts)), took: make(map[string][]time.Duration)}
	if _, err := os.Stat(g.path); errors.Is(err, os.ErrNotExist) {
		partly := g.path + ".part"
		a, err := archive.OpenOrCreate(b.Context(), partly)
		if err != nil {
			b.Fatal(err)
		}
		g.rate = float64(posts) / commitAll(b, a, m, 0, posts, growthBatch).Seconds()
		if err := os.Rename(partly, g.path); err != nil {
			b.Fatal(err)
		}
	}
	a, err := archive.Open(b.Context(), g.path)
	if err != nil {
		b.Fatal(err)
	}
	stats, err := a.Stats(b.Context(), time.Time{})
	if err != nil || stats.Posts != int64(posts) {
		b.Fatalf("%s: %d posts, want %d: %v", g.path, stats.Posts, posts, err)
	}
	g.bytes = float64(stats.FileBytes) / float64(stats.Posts)
	return g
}

// inTurn measures archives, each thing of all before it is done again.
func inTurn(b *testing.B, all []*grown) {
	b.Helper()
	for range 201 {
		for _, g := range all {
			g.time(b, "open-µs", func() error {
				_, err := archive.Open(b.Context(), g.path)
				return err
			})
		}
	}
	commands := make([]map[string][]string, len(all))
	for i, g := range all {
		commands[i] = g.commands(b)
	}
	for range 101 {
		for i, g := range all {
			for name, args := range commands[i] {
				g.time(b, name, func() error {
					return exec.CommandContext(b.Context(), finarc, append(slices.Clip(args), "--archive", g.path)...).Run()
				})
			}
		}
	}
	dir := b.TempDir()
	into := make([]*archive.Archive, len(all))
	for i, g := range all { // into copies: what is kept stays as it is
		path := filepath.Join(dir, filepath.Base(g.path))
		copyFile(b, g.path, path)
		var err error
		if into[i], err = archive.Open(b.Context(), path); err != nil {
			b.Fatal(err)
		}
	}
	for at := range growthCommits {
		for i, g := range all {
			from, before := g.posts+at*growthPosts, written(b)
			g.took["batch-ms"] = append(g.took["batch-ms"], commitAll(b, into[i], g.mirror, from, from+growthPosts, growthPosts))
			g.wrote = append(g.wrote, written(b)-before)
		}
	}
}

// written returns how many bytes this process has written to files, where the
// system tells, which is Linux alone (proc_pid_io(5)), and 0 elsewhere.
func written(b *testing.B) (n int64) {
	b.Helper()
	told, err := os.ReadFile("/proc/self/io")
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	_, after, _ := strings.Cut(string(told), "wchar: ")
	if _, err := fmt.Sscan(after, &n); err != nil {
		b.Fatal(err)
	}
	return n
}

// commands returns the processes that are measured, by name.
func (g *grown) commands(b *testing.B) map[string][]string {
	b.Helper()
	middle := g.mirror.Post(g.posts / 2)
	day := middle.Day().String()
	return map[string][]string{
		"show-ms":     {"show", string(middle.ID)},
		"list-ms":     {"list", "--limit", "20"},
		"day-ms":      {"list", "--limit", "20", "--from", day, "--to", day},
		"category-ms": {"list", "--limit", "20", "--category", middle.Category},
		"security-ms": {"list", "--limit", "20", "--security", security(b, g.mirror)},
		"as-of-ms":    {"list", "--limit", "20", "--as-of", day},
		"coverage-ms": {"coverage"},
	}
}

func (g *grown) time(b *testing.B, name string, fn func() error) {
	b.Helper()
	began := time.Now()
	if err := fn(); err != nil {
		b.Fatalf("%s at %d posts: %v", name, g.posts, err)
	}
	g.took[name] = append(g.took[name], time.Since(began))
}

// report tells the medians, alone and against those of the smallest archive.
func (g *grown) report(b *testing.B, smallest *grown) {
	b.ReportMetric(0, "ns/op") // there is nothing that is done b.N times
	b.ReportMetric(g.bytes, "bytes/post")
	if g.rate > 0 {
		b.ReportMetric(g.rate, "commit-posts/s")
	}
	slices.Sort(g.wrote)
	b.ReportMetric(float64(g.wrote[len(g.wrote)/2])/1024, "batch-KiB")
	for name, took := range g.took {
		end := strings.LastIndex(name, "-")
		m := milliseconds(median(took))
		if name[end:] == "-µs" {
			b.ReportMetric(1000*m, name)
		} else {
			b.ReportMetric(m, name)
		}
		if g != smallest {
			b.ReportMetric(m/milliseconds(median(smallest.took[name])), name[:end]+"-x")
		}
	}
}

func copyFile(b *testing.B, from, to string) {
	b.Helper()
	in, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		b.Fatal(err)
	}
}

// security returns one that the mirror's posts name.
func security(b *testing.B, m *mirror.Mirror) string {
	b.Helper()
	for _, p := range m.Posts() {
		if len(p.Securities) > 0 {
			return p.Securities[0].Code
		}
	}
	b.Fatal("no post names a security")
	return ""
}

// commitAll commits posts of a mirror in batches and returns how long that took
// without the making of the pages.
func commitAll(b testing.TB, a *archive.Archive, m *mirror.Mirror, from, to, batch int) time.Duration {
	b.Helper()
	var took time.Duration
	for ; from < to; from += batch {
		posts := captures(m, from, min(from+batch, to))
		began := time.Now()
		if _, err := a.Commit(b.Context(), &news.Batch{Posts: posts}); err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
	}
	return took
}

// captures returns posts as a crawl would have captured them, some minutes
// after they were published.
func captures(m *mirror.Mirror, from, to int) []news.Captured {
	var posts []news.Captured
	for i := from; i < to; i++ {
		path := m.Standing(i).Path
		w := httptest.NewRecorder()
		m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://mirror.example"+path, nil))
		p := m.Post(i)
		posts = append(posts, news.Captured{Post: p, Capture: news.Capture{
			URL: "http://mirror.example" + path, Status: w.Code, Proto: "HTTP/1.1", Header: w.Header(),
			Fetched: p.Published.Add(5 * time.Minute), Mode: news.ModeLive, Mirror: "local", Kind: news.KindPost,
			Body: w.Body.Bytes(),
		}})
	}
	return posts
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
