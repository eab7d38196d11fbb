//go:build unix

package e2e_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/finarc/finarc/jekyll"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// BenchmarkImport measures finarc import jekyll as a whole process, on 50,000
// files as the built-in mirror would have been built from. It reports
//
//	files/s    into a new archive
//	again/s    of the same files once more, of which none is new
//	cpu-ms     of processor time a file, likewise the first time
//	peak-MiB   of resident memory, the larger of both
//	own-MiB    of it the process's own, without what it maps
func BenchmarkImport(b *testing.B) {
	const posts = 50_000
	work := b.TempDir()
	dump := filepath.Join(work, "dump")
	m, err := mirror.New(mirror.Options{Posts: posts, Categories: 60, Seed: 1, Base: "http://mirror.example"})
	if err != nil {
		b.Fatal(err)
	}
	report, err := jekyll.Export(b.Context(), dump, mirrored(m, posts), jekyll.ExportOptions{})
	if err != nil || report.Written != posts {
		b.Fatalf("%+v, %v", report, err)
	}
	for b.Loop() {
		dir := b.TempDir()
		config := filepath.Join(dir, "crawler.yaml")
		writeFile(b, config, fmt.Sprintf(configuration, filepath.Join(dir, "a.db"), "http://mirror.example", 8))
		first := measure(b, finarc, "import", "jekyll", dump, "-c", config)
		again := measure(b, finarc, "import", "jekyll", dump, "-c", config)
		b.ReportMetric(posts/first.wall.Seconds(), "files/s")
		b.ReportMetric(first.cpu.Seconds()*1000/posts, "cpu-ms")
		b.ReportMetric(posts/again.wall.Seconds(), "again/s")
		b.ReportMetric(max(first.peak, again.peak)/(1<<20), "peak-MiB")
		b.ReportMetric(max(first.own, again.own)/(1<<20), "own-MiB")
	}
}

// mirrored returns the posts of a mirror as revisions of their pages.
func mirrored(m *mirror.Mirror, posts int) func(func(news.Revision, error) bool) {
	return func(yield func(news.Revision, error) bool) {
		for i := range posts {
			if !yield(news.Revision{Post: m.Post(i), URL: "http://mirror.example" + m.Standing(i).Path}, nil) {
				return
			}
		}
	}
}
