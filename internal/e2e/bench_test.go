//go:build unix

package e2e_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/klauspost/compress/zstd"
)

// BenchmarkWhole measures the program from outside, as whole processes: a
// crawl of the built-in mirror, which runs in a process of its own, and then
// the archive that it made. It reports
//
//	posts/s         of the crawl, rate: 0, the mirror in a process of its own
//	peak-MiB        of the crawl's resident memory
//	own-MiB         of it the process's own, without the pages of the program
//	                and of the archive that it maps (Linux only; looked at often)
//	bytes/post      of the archive's file, everything included
//	of-gzip         the same, as a part of the same pages gzipped one by one
//	of-zstd         likewise, as Zstandard frames at its default level
//	show-ms         of finarc show as a whole process
//	export-posts/s  of finarc export jekyll, into a new folder
//
// and of each of finarc export jsonl, csv, parquet, warc and wacz, into a new folder or
// file
//
//	jsonl-posts/s     likewise
//	jsonl-CPU-µs/post the processor time that it takes
//	jsonl-peak-MiB    of its resident memory
//	jsonl-of-archive  the size of its file as a part of the archive's
//
// and the same of finarc export atom, markdown and epub,
// and of finarc securities, and with --marked
//
//	securities-CPU-µs/post the processor time that it takes
//	securities-peak-MiB    of its resident memory
//	marked-CPU-µs/post     likewise
func BenchmarkWhole(b *testing.B) {
	for _, posts := range []int{5_000, 20_000, 50_000} {
		b.Run(fmt.Sprintf("posts=%d", posts), func(b *testing.B) { benchWhole(b, posts) })
	}
}

func benchWhole(b *testing.B, posts int) {
	mirror := serve(b, "--posts", fmt.Sprint(posts), "--categories", "60", "--seed", "1", "--newest", "2021-12-22T10:37:15+08:00")
	for b.Loop() {
		dir := b.TempDir()
		config, db := filepath.Join(dir, "crawler.yaml"), filepath.Join(dir, "a.db")
		writeFile(b, config, fmt.Sprintf(configuration, db, mirror, 8))

		crawl := measure(b, finarc, "crawl", "-c", config)
		a, err := archive.Open(b.Context(), db)
		if err != nil {
			b.Fatal(err)
		}
		stats, err := a.Stats(b.Context(), time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		if int(stats.Posts) != posts {
			b.Fatalf("%d posts archived, want %d", stats.Posts, posts)
		}
		gzipped, zstandard, newest := oneByOne(b, a)
		show := measure(b, finarc, "show", "--archive", db, newest)
		export := measure(b, finarc, "export", "jekyll", "-c", config, "--out", filepath.Join(dir, "dump"))

		b.ReportMetric(float64(posts)/crawl.wall.Seconds(), "posts/s")
		b.ReportMetric(crawl.peak/(1<<20), "peak-MiB")
		b.ReportMetric(crawl.own/(1<<20), "own-MiB")
		b.ReportMetric(float64(stats.FileBytes)/float64(posts), "bytes/post")
		b.ReportMetric(float64(stats.FileBytes)/float64(gzipped), "of-gzip")
		b.ReportMetric(float64(stats.FileBytes)/float64(zstandard), "of-zstd")
		b.ReportMetric(float64(show.wall.Microseconds())/1000, "show-ms")
		b.ReportMetric(float64(posts)/export.wall.Seconds(), "export-posts/s")
		for _, format := range []string{"jsonl", "csv", "parquet", "warc", "wacz", "atom", "markdown", "epub"} {
			benchExport(b, format, config, filepath.Join(dir, "out."+format), float64(posts), float64(stats.FileBytes))
		}
		all, marked := measure(b, finarc, "securities", "-c", config), measure(b, finarc, "securities", "-c", config, "--marked")
		b.ReportMetric(float64(all.cpu.Microseconds())/float64(posts), "securities-CPU-µs/post")
		b.ReportMetric(all.peak/(1<<20), "securities-peak-MiB")
		b.ReportMetric(float64(marked.cpu.Microseconds())/float64(posts), "marked-CPU-µs/post")
	}
}

// benchExport measures an export of all posts in a format.
func benchExport(b *testing.B, format, config, out string, posts, archived float64) {
	p := measure(b, finarc, "export", format, "-c", config, "--out", out, "--limit", "0")
	b.ReportMetric(posts/p.wall.Seconds(), format+"-posts/s")
	b.ReportMetric(float64(p.cpu.Microseconds())/posts, format+"-CPU-µs/post")
	b.ReportMetric(p.peak/(1<<20), format+"-peak-MiB")
	b.ReportMetric(float64(sizeOf(b, out))/archived, format+"-of-archive")
}

// sizeOf returns the size of a file, or of all files in a folder.
func sizeOf(b *testing.B, name string) int64 {
	b.Helper()
	var sum int64
	err := filepath.WalkDir(name, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return sum
}

// process is what a whole process took.
type process struct {
	wall time.Duration
	cpu  time.Duration // of processors, the program's own and the kernel's for it
	peak float64       // bytes of resident memory
	own  float64       // of these, bytes that are no file's
}

func measure(b *testing.B, program string, args ...string) process {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	memory := watchMemory(ctx, cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%s %s: %v", filepath.Base(program), strings.Join(args, " "), err)
	}
	m := <-memory
	return process{
		wall: time.Since(began), own: m.own, peak: m.peak,
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
	}
}

// memory is the most that a process had, in bytes: all that was resident, and of this
// what is no file's. What the system tells of a process that has ended begins with
// what its parent had.
type memory struct{ peak, own float64 }

// watchMemory looks at a process until it has ended, and then tells its memory. It is
// none where there is no Linux.
func watchMemory(ctx context.Context, pid int) <-chan memory {
	told := make(chan memory, 1)
	go func() {
		var m memory
		for ctx.Err() == nil {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			own, ok := kibIn(string(status), "RssAnon:")
			if err != nil || !ok {
				break // it has ended
			}
			peak, _ := kibIn(string(status), "VmHWM:")
			m.own, m.peak = max(m.own, own*1024), max(m.peak, peak*1024)
			time.Sleep(5 * time.Millisecond)
		}
		told <- m
	}()
	return told
}

// kibIn returns the KiB that a process's status tells under a name.
func kibIn(status, name string) (kib float64, ok bool) {
	_, line, ok := strings.Cut(status, name)
	if !ok {
		return 0, false
	}
	_, err := fmt.Sscan(line, &kib)
	return kib, err == nil
}

// oneByOne returns what the archive's pages take as gzip members and as
// Zstandard frames one by one, judged by every tenth, and the name of the newest
// post.
func oneByOne(b *testing.B, a *archive.Archive) (gzipped, zstandard int64, newest string) {
	b.Helper()
	frames, err := zstd.NewWriter(nil)
	if err != nil {
		b.Fatal(err)
	}
	const every = 10
	i := 0
	for rev, err := range a.Select(b.Context(), archive.Selection{}) {
		if err != nil {
			b.Fatal(err)
		}
		if newest == "" {
			newest = string(rev.InfoCode)
		}
		if i++; i%every != 0 {
			continue
		}
		c, err := a.Capture(b.Context(), rev.Seq)
		if err != nil {
			b.Fatal(err)
		}
		gzipped += every * gzipSize(b, c.Body)
		zstandard += every * int64(len(frames.EncodeAll(c.Body, nil)))
	}
	return gzipped, zstandard, newest
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func gzipSize(b *testing.B, data []byte) int64 {
	var n counter
	z := gzip.NewWriter(io.Writer(&n))
	if _, err := z.Write(data); err != nil {
		b.Fatal(err)
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	return int64(n)
}
