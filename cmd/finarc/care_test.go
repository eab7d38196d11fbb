//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// killed runs finarc until it has ended or, after so long, is killed, and
// reports whether it ended.
func killed(t *testing.T, dir string, after time.Duration, args ...string) (ended bool) {
	t.Helper()
	p := finarc(t, dir, args...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = p.Process.Kill() })
	defer timer.Stop()
	err := p.Wait()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	if err != nil && p.ProcessState.ExitCode() != -1 {
		t.Fatalf("%v: %s", p.ProcessState, &p.stderr)
	}
	return err == nil
}

// told returns all that an archive's commands tell of its posts.
func told(t *testing.T, path string) string {
	t.Helper()
	arc, err := archive.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for rev, err := range arc.Select(t.Context(), archive.Selection{Body: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(&out).Encode(rev); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// crawled returns a folder with a configuration and the archive of a mirror of
// so many posts.
func crawled(t *testing.T, posts int) *site {
	t.Helper()
	s := newSite(t, posts, "", nil)
	finarc(t, s.dir, "crawl", "--quiet").ends(t, 0)
	return s
}

// Whenever a compaction is killed the archive is there, whole, and can be
// written to; and the next one leaves nothing behind of it.
func TestKillCompact(t *testing.T) {
	t.Parallel()
	s := crawled(t, 600)
	path := filepath.Join(s.dir, "news.db")
	want := told(t, path)
	ended := 0
	for range 20 {
		if killed(t, s.dir, time.Duration(rand.IntN(60))*time.Millisecond, "compact") {
			ended++
		}
		if told(t, path) != want {
			t.Fatal("the archive is not what it was")
		}
	}
	t.Logf("%d of 20 ended before they were killed", ended)
	finarc(t, s.dir, "compact").ends(t, 0)
	finarc(t, s.dir, "crawl", "--quiet").ends(t, 0)
	if told(t, path) != want {
		t.Error("the archive is not what it was")
	}
	if left, err := filepath.Glob(filepath.Join(s.dir, ".finarc-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}

// Whenever a backup is killed its file is whole or not there.
func TestKillBackup(t *testing.T) {
	t.Parallel()
	s := crawled(t, 600)
	want := told(t, filepath.Join(s.dir, "news.db"))
	for i := range 10 {
		name := fmt.Sprintf("%d.db", i)
		ended := killed(t, s.dir, time.Duration(rand.IntN(60))*time.Millisecond, "backup", name)
		switch to := filepath.Join(s.dir, name); {
		case exists(to):
			if told(t, to) != want {
				t.Errorf("%s is not what the archive is", name)
			}
		case ended:
			t.Errorf("%s is not there", name)
		}
	}
}

// A merge that is killed again and again ends as one that was not.
func TestKillMerge(t *testing.T) {
	t.Parallel()
	one, other := crawled(t, 900), crawled(t, 1200)
	dir := t.TempDir()
	args := []string{"merge", filepath.Join(one.dir, "news.db"), filepath.Join(other.dir, "news.db"), "--into"}
	finarc(t, dir, append(args, "whole.db")...).ends(t, 0)
	want := told(t, filepath.Join(dir, "whole.db"))
	for i := range 10 {
		into := filepath.Join(dir, fmt.Sprintf("%d.db", i))
		for range 2 {
			killed(t, dir, time.Duration(20+rand.IntN(200))*time.Millisecond, append(args, into)...)
		}
		finarc(t, dir, append(args, into)...).ends(t, 0)
		if told(t, into) != want {
			t.Errorf("%d: a merge that was resumed holds something else", i)
		}
	}
}

// Crawls, compactions and backups as processes of their own, all at once: no
// crawl loses anything, or ends with an error.
func TestCareDuringCrawls(t *testing.T) {
	t.Parallel()
	s := newSite(t, 300, "limits: {rate: 400, burst: 1, retries: 0}\n", nil)
	crawl := finarc(t, s.dir, "crawl")
	if err := crawl.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- crawl.Wait() }()
	path := filepath.Join(s.dir, "news.db")
	rounds := 0
	for done := false; !done; {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%v: %s", err, &crawl.stderr)
			}
			done = true
		default:
			if !exists(path) {
				continue
			}
			finarc(t, s.dir, "compact").ends(t, 0)
			finarc(t, s.dir, "backup", "--force", "copy.db").ends(t, 0)
			rounds++
		}
	}
	if rounds == 0 {
		t.Error("the crawl ended before anything could be done beside it")
	}
	if got := len(s.held(t)); got != s.Len() {
		t.Errorf("%d posts are held after %d compactions, want %d", got, rounds, s.Len())
	}
	arc, err := archive.Open(t.Context(), filepath.Join(s.dir, "copy.db"))
	if err != nil {
		t.Fatal(err)
	}
	if posts, err := arc.Failures(t.Context(), news.ID(""), 1); err != nil || len(posts) > 0 {
		t.Errorf("failures %v, %v", posts, err)
	}
}

// A disk that is full ends a compaction or a backup in order: the archive is as
// it was, and nothing is left over.
func TestCareOnFullDisk(t *testing.T) {
	t.Parallel()
	s := crawled(t, 300)
	path := filepath.Join(s.dir, "news.db")
	want := told(t, path)
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, args := range []string{"compact", "backup copy.db"} {
		p := finarc(t, s.dir)
		p.Path, p.Args = sh, []string{"sh", "-c", "ulimit -f 100 && exec finarc " + args}
		p.ends(t, 1)
		wantError(t, p, "news.db", "file too large")
		if !strings.Contains(p.stderr.String(), "a limit on the size of files") {
			t.Errorf("no hint: %s", &p.stderr)
		}
		if told(t, path) != want {
			t.Error("the archive is not what it was")
		}
		if left, _ := filepath.Glob(filepath.Join(s.dir, ".finarc-*")); len(left) > 0 || exists(filepath.Join(s.dir, "copy.db")) {
			t.Errorf("%s: left over: %q", args, left)
		}
	}
}

// Output that cannot be written is told once, and not taken for an archive that
// cannot be written.
func TestFullOutput(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	s := crawled(t, 40)
	for _, args := range []string{"list", "list --json", "verify", "stats", "backup copy.db", "reread", "salvage --out saved.db"} {
		p := finarc(t, s.dir)
		p.Path, p.Args = sh, []string{"sh", "-c", "exec finarc " + args + " > /dev/full"}
		p.ends(t, 1)
		if got, want := p.stderr.String(), "finarc: write /dev/stdout: no space left on device\n"; got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

// An interrupted reread says so, and the next one goes on from there.
func TestInterruptReread(t *testing.T) {
	t.Parallel()
	s := crawled(t, 1500)
	for after := 40 * time.Millisecond; ; after += 20 * time.Millisecond {
		p := finarc(t, s.dir, "reread")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(after, func() { _ = p.Process.Signal(os.Interrupt) })
		err := p.Wait()
		timer.Stop()
		if p.ProcessState.ExitCode() == -1 {
			continue // the signal came before the program could take it
		}
		if err == nil {
			t.Skip("it ended before it was interrupted")
		}
		if code := p.ProcessState.ExitCode(); code != 130 {
			t.Fatalf("exit code %d, want 130: %s", code, &p.stderr)
		}
		if p.stdout.String() != "" { // something was done
			break
		}
	}
	next := finarc(t, s.dir, "reread")
	next.ends(t, 0)
	if out := next.stdout.String(); !bytes.Contains([]byte(out), []byte("1,500 = 1,500 unchanged")) || !bytes.Contains([]byte(out), []byte("resumed")) {
		t.Errorf("the next says:\n%s", out)
	}
}
