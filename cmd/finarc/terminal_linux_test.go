package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a terminal of the given width.
func openTerminal(t *testing.T, width uint16) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminal to be had: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	fd := int(person.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0),
		unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: width}))
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}

// onTerminal runs finarc with standard output and error on a terminal, and
// returns what a person would have got to see.
func onTerminal(t *testing.T, width uint16, dir string, args ...string) string {
	t.Helper()
	person, program := openTerminal(t, width)
	p := exec.CommandContext(t.Context(), "finarc", args...)
	p.Dir, p.Stdout, p.Stderr = dir, program, program
	if err := errors.Join(p.Start(), program.Close()); err != nil {
		t.Fatal(err)
	}
	seen, err := io.ReadAll(person)
	if err != nil && !errors.Is(err, syscall.EIO) { // the terminal's word for its end
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Fatalf("%v: %s", err, seen)
	}
	return strings.ReplaceAll(string(seen), "\r\n", "\n")
}

// On a terminal the progress is one line that changes and is gone at the end.
func TestProgressOnTerminal(t *testing.T) {
	t.Parallel()
	site := newSite(t, 120, "limits: {rate: 60, burst: 1}\n", nil)
	seen := onTerminal(t, 100, site.dir, "crawl")
	states := strings.Split(seen, clearLine)
	last := states[len(states)-1]
	if !strings.HasPrefix(last, "run 1  test ") || strings.Contains(strings.Join(states[:len(states)-1], ""), "\n") {
		t.Errorf("the report does not stand where the progress stood:\n%q", seen)
	}
	line := regexp.MustCompile(`^posts \d+ of \d+ · lists \d+ · \d+\.\d pages/s · queue \d+ · \d+s left$`)
	told := 0
	for _, s := range states[:len(states)-1] {
		if line.MatchString(s) {
			told++
		} else if s != "" && s != "waiting for the first pages" {
			t.Errorf("progress: %q", s)
		}
	}
	if told == 0 {
		t.Errorf("no progress in %q", seen)
	}
	if quiet := onTerminal(t, 100, site.dir, "crawl", "--quiet"); quiet != "" {
		t.Errorf("--quiet: %q", quiet)
	}
}

// On a terminal every post takes one line.
func TestListOnTerminal(t *testing.T) {
	t.Parallel()
	site := newSite(t, 30, "", nil)
	finarc(t, site.dir, "crawl", "--quiet").ends(t, 0)
	const width = 72
	lines := strings.Split(strings.TrimSuffix(onTerminal(t, width, site.dir, "list"), "\n"), "\n")
	if len(lines) != 30 {
		t.Errorf("%d lines, want 30", len(lines))
	}
	cuts := 0
	for _, l := range lines {
		if columns(l) > width {
			t.Errorf("%d columns: %s", columns(l), l)
		}
		if strings.HasSuffix(l, "…") {
			cuts++
		}
	}
	if cuts == 0 {
		t.Error("no title is cut")
	}
}

// On a terminal changes have colours, unless they are not wanted, and long
// stretches without changes are cut down.
func TestDiffOnTerminal(t *testing.T) {
	dir := t.TempDir()
	for i, number := range []string{"3.2亿元", "3.45亿元"} {
		text := "公司公布业绩 2021-12-22 10:37:15\n<p>" + strings.Repeat("订单充足，", 30) + "营业收入为" + number + "。</p>"
		p, err := kept(time.Date(2021, 12, 22, 11, i, 0, 0, news.Shanghai), news.ModeLive, text)
		if err = errors.Join(err, commit(t.Context(), filepath.Join(dir, "news.db"), p)); err != nil {
			t.Fatal(err)
		}
	}
	show := []string{"show", "NW202112222222306968", "--diff", "--archive", "news.db"}
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	seen := onTerminal(t, 80, dir, show...)
	want := "\n\n…" + strings.Repeat("订单充足，", 7) + "营业收入为\x1b[31;9m3.2亿元\x1b[0m\x1b[32;4m3.45亿元\x1b[0m。\n"
	if !strings.HasSuffix(seen, want) {
		t.Errorf("seen %q, want at its end %q", seen, want)
	}
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			seen := onTerminal(t, 80, dir, show...)
			if strings.Contains(seen, "\x1b") || !strings.Contains(seen, "[-3.2亿元-]{+3.45亿元+}") {
				t.Errorf("seen %q", seen)
			}
		})
	}
}

// A disk that is full in the midst of a crawl.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	site := newSite(t, 300, "", nil)
	small := filepath.Join(site.dir, "small")
	if err := os.Mkdir(small, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=128k"); err != nil {
		t.Skipf("no file system of its own to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, 0); err != nil {
			t.Error(err)
		}
	})
	p := finarc(t, site.dir, "crawl", "--archive", "small/news.db")
	p.ends(t, 1)
	wantError(t, p, "archive small/news.db: ", "no space left on device")
	if !strings.Contains(p.stderr.String(), "make room") {
		t.Errorf("no hint: %s", &p.stderr)
	}
	finarc(t, site.dir, "stats", "--archive", "small/news.db").ends(t, 0)
}
