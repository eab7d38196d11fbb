package archive_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// A copy during which somebody wrote is known not to be that of a moment, and is
// the file in the end.
func TestSnapshotWhileOthersWrite(t *testing.T) {
	a := everything(t, 200)
	into, err := os.Create(filepath.Join(t.TempDir(), "copy"))
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	for _, c := range []struct {
		name    string
		between func() error
		still   bool
	}{
		{"nobody wrote", func() error { return nil }, true},
		{"a commit", func() error { commit(t, a, news.Batch{Posts: []news.Captured{post(7000)}}); return nil }, false},
		{"nobody wrote again", func() error { return nil }, true},
		{"a compaction", func() error { _, err := a.Compact(t.Context()); return err }, false},
		{"many commits", func() error {
			for i := range 20 {
				commit(t, a, news.Batch{Posts: []news.Captured{post(8000 + i)}})
			}
			return nil
		}, false},
	} {
		still, err := archive.SnapshotAround(t.Context(), a, into, c.between)
		if err != nil || still != c.still {
			t.Errorf("%s: it is that of a moment: %v, want %v, %v", c.name, still, c.still, err)
		}
		want, err := os.ReadFile(a.Path())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(into.Name()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the copy is not as the file, %v", c.name, err)
		}
	}
}

// badDisk gives none of the pages that touch a byte.
type badDisk struct {
	data []byte
	at   int64
}

func (d badDisk) ReadAt(b []byte, at int64) (int, error) {
	if at <= d.at && d.at < at+int64(len(b)) {
		return 0, errors.New("input/output error")
	}
	return copy(b, d.data[at:]), nil
}

// Of what the disk does not give, no more than the page is lost.
func TestPagesThatCannotBeRead(t *testing.T) {
	data := bytes.Repeat([]byte{0x55}, 10*4096+100)
	for _, at := range []int64{0, 5000, 10 * 4096, 10*4096 + 99} {
		want := bytes.Clone(data)
		clear(want[at/4096*4096 : min(at/4096*4096+4096, int64(len(want)))])
		got := bytes.Repeat([]byte{0xaa}, len(data))
		archive.Readable(badDisk{data, at}, got, 0)
		if !bytes.Equal(got, want) {
			t.Errorf("byte %d: not its page alone is lost", at)
		}
	}
}

// spoilBlock flips a byte of a block, where it stands in the file.
func spoilBlock(t *testing.T, path, bucket string, first uint64) {
	t.Helper()
	places, err := archive.Places(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(places, func(p archive.Placed) bool { return p.Bucket == bucket && p.First == first })
	data[places[i].To-20] ^= 0x55
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Nobody waits for a salvage, however long it takes, and what others write
// meanwhile is no harm to it.
func TestSalvageWhileOthersWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dense.db") // no page of it has an older one's blocks
	if _, err := everything(t, 200).Backup(t.Context(), path, false); err != nil {
		t.Fatal(err)
	}
	spoilBlock(t, path, "revisions", 1)
	impatient, err := archive.Open(t.Context(), path, archive.Wait(0))
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	read := func(c *news.Capture) (*news.Post, error) {
		if _, err := impatient.Commit(t.Context(), &news.Batch{Posts: []news.Captured{post(5000 + written)}}); err != nil {
			t.Error(err)
		}
		written++
		return readAgain(c)
	}
	to := filepath.Join(t.TempDir(), "new.db")
	r, err := archive.Salvage(t.Context(), path, to, read)
	if err != nil || r.Posts != 200 || r.Revisions != 229 || r.Remade != 64 || r.Bare+r.Missing+r.NoPage != 0 || written != 64 {
		t.Errorf("%d were written meanwhile, %+v, %v", written, r, err)
	}
	b, err := archive.Open(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	clean(t, b)
	if left, err := os.ReadDir(filepath.Dir(to)); err != nil || len(left) != 1 {
		t.Errorf("there is more than the new archive: %v, %v", left, err)
	}
}
