package archive_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/klauspost/compress/zstd"
	bolt "go.etcd.io/bbolt"
)

// largePosts returns posts whose pages are of a MiB, and cannot be packed.
func largePosts(n int) []news.Captured {
	list := posts(n)
	draw := rand.NewChaCha8([32]byte{4})
	for i := range list {
		noise := make([]byte, 1<<20)
		_, _ = draw.Read(noise) // never fails
		list[i].Capture.Body = append(list[i].Capture.Body, noise...)
	}
	return list
}

// resident returns how many bytes of a file this process has in its memory.
func resident(t *testing.T, path string) (sum int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	of := false
	for line := range strings.Lines(string(maps)) {
		switch fields := strings.Fields(line); {
		case !strings.HasSuffix(fields[0], ":"): // begins a map
			of = strings.HasSuffix(strings.TrimSpace(line), path)
		case of && fields[0] == "Rss:":
			var kib int
			if _, err := fmt.Sscan(fields[1], &kib); err != nil {
				t.Fatal(err)
			}
			sum += kib << 10
		}
	}
	return sum
}

// A transaction that reads large pages has none of them in memory when it is done
// with it, be it one that writes.
func TestLargePagesAreLetGo(t *testing.T) {
	a := open(t)
	list := largePosts(40)
	for i := range list {
		commit(t, a, news.Batch{Posts: list[i : i+1]})
	}
	for name, each := range map[string]func(context.Context, *archive.Archive, func(news.Capture)) error{
		"read": archive.EachCapture, "write": archive.EachCaptureInWrite,
	} {
		n, most := 0, 0
		err := each(t.Context(), a, func(c news.Capture) {
			if !bytes.Equal(c.Body, list[n].Capture.Body) {
				t.Errorf("%s: page %d does not come back", name, n)
			}
			most = max(most, resident(t, a.Path()))
			n++
		})
		if err != nil || n != len(list) {
			t.Fatalf("%s: %d pages, %v", name, n, err)
		}
		if most == 0 || most > 8<<20 {
			t.Errorf("%s: %d bytes of the file are in memory", name, most)
		}
	}
}

// Where the first pages are large they are not packed again once there is a
// dictionary: with each, bbolt would write its neighbours anew.
func TestLargePagesAreNotPackedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		list   []news.Captured
		packed bool
	}{
		"usual": {posts(90), true},
		"large": {slices.Concat(posts(32), largePosts(44)[32:], posts(90)[44:]), false},
	} {
		a := open(t)
		for part := range slices.Chunk(tt.list, 4) {
			commit(t, a, news.Batch{Posts: part})
		}
		commit(t, a, news.Batch{Posts: posts(120)[90:]})
		if s, err := a.Stats(t.Context(), time.Time{}); err != nil || s.Dictionary == 0 {
			t.Fatalf("%s: no dictionary: %v", name, err)
		}
		if got := dictionaryOf(t, a.Path()); got != 0 != tt.packed {
			t.Errorf("%s: the first pages are packed with dictionary %d", name, got)
		}
	}
}

// dictionaryOf returns the number of the dictionary that an archive's first block is
// packed with, or 0.
func dictionaryOf(t *testing.T, path string) (id uint32) {
	t.Helper()
	edit(t, path, func(tx *bolt.Tx) error {
		_, frame := tx.Bucket([]byte("captures")).Cursor().First()
		var h zstd.Header
		err := h.Decode(frame)
		id = h.DictionaryID
		return err
	})
	return id
}
