//go:build unix

package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// growthBatch is how many posts a commit takes, as a fast crawl's does.
const growthBatch = 1024

// BenchmarkGrowth shows what an archive costs as it grows: generated posts are
// committed without the network, 300 for each hour, and then read. Medians of
// whole processes:
//
//	commit-posts/s  of archive.Commit, compression included, into the archive
//	batch-ms        a commit of 512 posts at its full size
//	open-µs         opening it and one look, in this process
//	show-ms, list-ms, day-ms, category-ms, security-ms, as-of-ms
//	                finarc show, and list --limit 20 with such a flag
//	bytes/post      of the file
func BenchmarkGrowth(b *testing.B) {
	for _, posts := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("posts=%d", posts), func(b *testing.B) {
			if posts == 1_000_000 && testing.Short() {
				b.Skip("a million posts take minutes")
			}
			for b.Loop() {
				benchGrowth(b, posts)
			}
		})
	}
}

func benchGrowth(b *testing.B, posts int) {
	m, err := mirror.New(mirror.Options{
		Posts: posts + 20*512, Categories: 200, Seed: 1, Base: "http://mirror.example",
		Window: time.Duration(posts) * time.Hour / 300, CacheBytes: -1,
	})
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "a.db")
	a, err := archive.OpenOrCreate(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(posts)/commitAll(b, a, m, 0, posts, growthBatch).Seconds(), "commit-posts/s")
	var commits []time.Duration
	for i := range 20 {
		commits = append(commits, commitAll(b, a, m, posts+i*512, posts+(i+1)*512, 512))
	}
	b.ReportMetric(milliseconds(median(commits)), "batch-ms")
	b.ReportMetric(1000*milliseconds(median(opens(b, path))), "open-µs")

	middle := m.Post(posts / 2)
	day := middle.Day().String()
	for name, args := range map[string][]string{
		"show-ms":     {"show", string(middle.ID)},
		"list-ms":     {"list", "--limit", "20"},
		"day-ms":      {"list", "--limit", "20", "--from", day, "--to", day},
		"category-ms": {"list", "--limit", "20", "--category", middle.Category},
		"security-ms": {"list", "--limit", "20", "--security", security(b, m)},
		"as-of-ms":    {"list", "--limit", "20", "--as-of", day},
	} {
		b.ReportMetric(milliseconds(median(runs(b, append(args, "--archive", path)))), name)
	}
	stats, err := a.Stats(b.Context(), time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(stats.FileBytes)/float64(stats.Posts), "bytes/post")
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
func commitAll(b *testing.B, a *archive.Archive, m *mirror.Mirror, from, to, batch int) time.Duration {
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

func opens(b *testing.B, path string) []time.Duration {
	b.Helper()
	var took []time.Duration
	for range 21 {
		began := time.Now()
		if _, err := archive.Open(b.Context(), path); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	return took
}

func runs(b *testing.B, args []string) []time.Duration {
	b.Helper()
	var took []time.Duration
	for range 11 {
		took = append(took, measure(b, finarc, args...).wall)
	}
	return took
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
