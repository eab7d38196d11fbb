package archive_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
)

// lock takes locks that must be free, without waiting.
func lock(t *testing.T, a *archive.Archive, mirrors ...string) (release func()) {
	t.Helper()
	let, err := a.LockMirrors(t.Context(), mirrors, "finarc test", 0)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := let(); err != nil {
			t.Error(err)
		}
	}
}

// wantLocked wants a lock to be held by the process, and returns the error.
func wantLocked(t *testing.T, a *archive.Archive, wait time.Duration, mirror string, pid int) *archive.LockedError {
	t.Helper()
	began := time.Now()
	_, err := a.LockMirrors(t.Context(), []string{mirror}, "finarc other", wait)
	locked := new(archive.LockedError)
	if !errors.As(err, &locked) || !errors.Is(err, archive.ErrBusy) {
		t.Fatalf("error %v, want a LockedError that is ErrBusy", err)
	}
	if locked.Mirror != mirror || locked.Holder.PID != pid || locked.Waited != max(0, wait) {
		t.Errorf("%+v, want mirror %s, pid %d, waited %v", locked, mirror, pid, wait)
	}
	if took := time.Since(began); took < wait {
		t.Errorf("waited %v, want at least %v", took, wait)
	}
	return locked
}

func TestLockExcludesTheSameMirrorOnly(t *testing.T) {
	a := open(t)
	began := time.Now().Add(-time.Second)
	release := lock(t, a, "one")
	locked := wantLocked(t, a, 0, "one", os.Getpid())
	if h := locked.Holder; h.Command != "finarc test" || h.Since.Before(began) || h.Since.After(time.Now()) {
		t.Errorf("holder %+v", h)
	}
	if want := fmt.Sprintf("mirror one is being crawled by pid %d (finarc test) since ", os.Getpid()); !strings.HasPrefix(locked.Error(), want) {
		t.Errorf("it says %q, want %q…", locked, want)
	}
	wantLocked(t, a, 100*time.Millisecond, "one", os.Getpid())
	// Names that no file could have, or that differ by case alone.
	for _, other := range []string{"ONE", "../one", `on\e:*?`, "", "一", strings.Repeat("n", 300)} {
		defer lock(t, a, other)()
	}
	release()
	lock(t, a, "one")()
	lock(t, a, "one", "one")()
}

// A lock of several takes all or none.
func TestLockOfSeveralMirrors(t *testing.T) {
	a := open(t)
	release := lock(t, a, "b")
	if _, err := a.LockMirrors(t.Context(), []string{"c", "b", "a"}, "finarc test", 0); !errors.Is(err, archive.ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
	lock(t, a, "c", "a")()
	release()
	release = lock(t, a, "c", "a", "b")
	for _, name := range []string{"a", "b", "c"} {
		wantLocked(t, a, 0, name, os.Getpid())
	}
	release()
}

// Locks are of the file, by whichever path and opened how often ever.
func TestLockFollowsLinks(t *testing.T) {
	a := open(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(a.Path(), link); err != nil {
		t.Skip(err)
	}
	t.Chdir(filepath.Dir(a.Path()))
	defer lock(t, a, "m")()
	for _, path := range []string{link, filepath.Base(a.Path()), a.Path()} {
		other, err := archive.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		wantLocked(t, other, 0, "m", os.Getpid())
	}
	if _, err := os.Stat(link + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder of locks beside the link: %v", err)
	}
	lock(t, open(t), "m")() // another archive
}

func TestLockWaits(t *testing.T) {
	a := open(t)
	release := lock(t, a, "m")
	taken := make(chan error, 1)
	go func() {
		let, err := a.LockMirrors(t.Context(), []string{"m"}, "finarc waits", time.Hour)
		if err == nil {
			err = let()
		}
		taken <- err
	}()
	select {
	case err := <-taken:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	release()
	if err := <-taken; err != nil {
		t.Error(err)
	}
}

func TestLockWaitEndsWithContext(t *testing.T) {
	a := open(t)
	defer lock(t, a, "m")()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := a.LockMirrors(ctx, []string{"a", "m"}, "finarc test", time.Hour); !errors.Is(err, context.Canceled) || errors.Is(err, archive.ErrBusy) {
		t.Errorf("error %v, want the context's", err)
	}
	lock(t, a, "a")()
}

// However many want it, one at a time has it.
func TestLockAmongGoroutines(t *testing.T) {
	a := open(t)
	var wg sync.WaitGroup
	var holders atomic.Int32
	for range 8 {
		wg.Go(func() {
			let, err := a.LockMirrors(t.Context(), []string{"m"}, "finarc test", time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			if n := holders.Add(1); n != 1 {
				t.Errorf("%d hold it", n)
			}
			runtime.Gosched()
			holders.Add(-1)
			if err := let(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// lockedBy names the archive that a child of this test is to lock.
const lockedBy = "FINARC_TEST_LOCK"

// TestLockOfDeadProcess: what a killed process held is free.
func TestLockOfDeadProcess(t *testing.T) {
	if path := os.Getenv(lockedBy); path != "" {
		holdUntilKilled(t, path)
		return
	}
	a := open(t)
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), lockedBy+"="+a.Path())
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child says %q: %v", line, err)
	}
	wantLocked(t, a, 0, "m", child.Process.Pid)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	release := lock(t, a, "m")
	wantLocked(t, a, 0, "m", os.Getpid())
	release()
}

func holdUntilKilled(t *testing.T, path string) {
	a, err := archive.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	lock(t, a, "m")
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent, too
}

func TestLockInReadOnlyFolder(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("every folder can be written to here")
	}
	a := open(t)
	dir := filepath.Dir(a.Path())
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	_, err := a.LockMirrors(t.Context(), []string{"m"}, "finarc test", 0)
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), a.Path()+".lock, the folder of the locks") {
		t.Errorf("error %v", err)
	}
}
