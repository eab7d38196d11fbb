//go:build unix

package e2e_test

import (
	"bufio"
	"compress/gzip"
	"crypto/sha1"
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

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

// BenchmarkImportWARC measures finarc import warc as a whole process, on the WARC of
// a crawl of 50,000 posts, a request and a response each, with digests, a gzip member
// a record. It reports
//
//	posts/s    into a new archive
//	again/s    of the same file once more, of which nothing is new
//	cpu-ms     of processor time a post, likewise the first time
//	peak-MiB   of resident memory, the larger of both
//	own-MiB    of it the process's own, without what it maps
//	MiB        the size of the WARC
func BenchmarkImportWARC(b *testing.B) {
	const posts = 50_000
	file := filepath.Join(b.TempDir(), "crawl.warc.gz")
	m, err := mirror.New(mirror.Options{Posts: posts, Categories: 60, Seed: 1, Base: "http://mirror.example"})
	if err != nil {
		b.Fatal(err)
	}
	writeWARC(b, file, m, 0, posts)
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		dir := b.TempDir()
		config := filepath.Join(dir, "crawler.yaml")
		writeFile(b, config, fmt.Sprintf(configuration, filepath.Join(dir, "a.db"), "http://mirror.example", 8))
		first := measure(b, finarc, "import", "warc", file, "-c", config)
		again := measure(b, finarc, "import", "warc", file, "-c", config)
		b.ReportMetric(posts/first.wall.Seconds(), "posts/s")
		b.ReportMetric(first.cpu.Seconds()*1000/posts, "cpu-ms")
		b.ReportMetric(posts/again.wall.Seconds(), "again/s")
		b.ReportMetric(max(first.peak, again.peak)/(1<<20), "peak-MiB")
		b.ReportMetric(max(first.own, again.own)/(1<<20), "own-MiB")
		b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
	}
}

// writeWARC writes pages of a mirror as a crawler would have got them.
func writeWARC(t testing.TB, path string, m *mirror.Mirror, from, to int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(f)
	z := gzip.NewWriter(out)
	write := func(kind, address string, at time.Time, block string) {
		sum := sha1.Sum([]byte(block))
		z.Reset(out)
		fmt.Fprintf(z, "WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: <%s>\r\nWARC-Date: %s\r\nWARC-Block-Digest: sha1:%s\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n",
			kind, address, at.UTC().Format(time.RFC3339), base32.StdEncoding.EncodeToString(sum[:]), len(block), block)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for ; from < to; from += 100 {
		for _, p := range captures(m, from, min(from+100, to)) {
			c := &p.Capture
			write("request", c.URL, c.Fetched, "GET / HTTP/1.1\r\nHost: mirror.example\r\n\r\n")
			write("response", c.URL, c.Fetched, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				c.Header.Get("Content-Type"), len(c.Body), c.Body))
		}
	}
	if err := errors.Join(out.Flush(), f.Close()); err != nil {
		t.Fatal(err)
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
