package archive_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// hold keeps an archive's lock as another process would, until the returned
// function is called.
func hold(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestBusy(t *testing.T) {
	path := open(t).Path()
	release := hold(t, path)
	for _, wait := range []time.Duration{-1, 0, 300 * time.Millisecond} {
		began := time.Now()
		if _, err := archive.Open(t.Context(), path, archive.Wait(wait)); !errors.Is(err, archive.ErrBusy) {
			t.Errorf("wait %v: error %v, want ErrBusy", wait, err)
		}
		if took := time.Since(began); took < wait {
			t.Errorf("waited %v, want at least %v", took, wait)
		} else if wait <= 0 && took > 150*time.Millisecond {
			t.Errorf("waited %v, want not to wait", took)
		}
	}

	opened := make(chan error, 1)
	go func() {
		_, err := archive.Open(t.Context(), path, archive.Wait(time.Hour))
		opened <- err
	}()
	release()
	if err := <-opened; err != nil {
		t.Errorf("once it is let go: %v", err)
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	path := open(t).Path()
	defer hold(t, path)()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := archive.Open(ctx, path, archive.Wait(time.Hour)); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, archive.ErrBusy) {
		t.Errorf("error %v, want the context's", err)
	}
}

// Goroutines that wait for one another heed their contexts, too.
func TestWaitForGoroutineEndsWithContext(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: posts(1)})
	release := hold(t, a.Path())
	writes := make(chan error, 1)
	go func() { // holds the gate while it waits for the file
		_, err := a.Commit(t.Context(), &news.Batch{Posts: posts(2)})
		writes <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := a.Post(ctx, post(0).Post.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the context's", err)
	}
	release()
	if err := <-writes; err != nil {
		t.Error(err)
	}
}
