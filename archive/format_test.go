package archive_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// format2 returns the path of an archive of format 2: 12 posts of the built-in
// mirror, as the last finarc of that format crawled them.
func format2(t *testing.T) string {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", "format2.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return damaged(t, data, func(b []byte) []byte { return b })
}

func opened(t *testing.T, path string) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stands returns the format of a file, and how many of the buckets that came with
// format 3 it has.
func stands(t *testing.T, path string) (format byte, newer int) {
	t.Helper()
	edit(t, path, func(tx *bolt.Tx) error {
		format = tx.Bucket([]byte("finarc")).Get([]byte("format"))[4]
		for _, name := range []string{"recent", "signatures", "stories"} {
			if tx.Bucket([]byte(name)) != nil {
				newer++
			}
		}
		return nil
	})
	return format, newer
}

// An archive of an older format is read, copied and taken care of as it is. Once
// it is written to it is of today's, which an older finarc refuses: it would not
// find what is in the new buckets.
func TestOlderFormat(t *testing.T) {
	const posts = 12
	as := func(what, path string, format byte, newer, posts int) {
		t.Helper()
		a := opened(t, path)
		clean(t, a)
		if is, has := stands(t, path); is != format || has != newer {
			t.Errorf("%s: format %d, with %d of the newer buckets", what, is, has)
		}
		if all := selected(t, a, archive.Selection{}); len(all) != posts {
			t.Errorf("%s: %d posts, want %d", what, len(all), posts)
		}
	}
	path := format2(t)
	as("read", path, 2, 0, posts)

	copied := filepath.Join(t.TempDir(), "backup.db")
	if _, err := opened(t, path).Backup(t.Context(), copied, false); err != nil {
		t.Fatal(err)
	}
	as("backed up", copied, 2, 0, posts)
	if _, err := opened(t, path).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	as("compacted", path, 2, 0, posts)

	commit(t, opened(t, path), news.Batch{Posts: []news.Captured{post(1)}})
	as("written to", path, archive.Version, 3, posts+1)
}

// The format has no checksum: one that is before the buckets that there are is
// found, and put right.
func TestFormatThatIsNot(t *testing.T) {
	a := everything(t, 10)
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("finarc")).Put([]byte("format"), []byte{0, 0, 0, 0, 2})
	})
	if r := verified(t, a); r.Counts[archive.FoundValue] != 1 {
		t.Errorf("verify: %+v", r.Findings)
	}
	if r, err := a.Repair(t.Context(), readAgain, nil); err != nil || !r.Clean() {
		t.Errorf("repair: %+v, %v", r, err)
	}
	if format, _ := stands(t, a.Path()); format != archive.Version {
		t.Errorf("format %d after the repair", format)
	}
}

// A damaged archive of an older format is repaired where it is.
func TestRepairOfAnOlderFormat(t *testing.T) {
	path := format2(t)
	edit(t, path, func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("postings"))
		k, v := b.Cursor().First()
		return b.Put(bytes.Clone(k), append(bytes.Clone(v), 0x80))
	})
	r, err := archive.Repair(t.Context(), path, readAgain, nil)
	if err != nil || !r.Clean() {
		t.Fatalf("%+v, %v", r, err)
	}
	if format, newer := stands(t, path); format != archive.Version || newer != 3 {
		t.Errorf("format %d, with %d of the newer buckets", format, newer)
	}
}

// What a newer format has and this does not is no damage: it is for a newer finarc
// to judge.
func TestVerifyOfANewerFormat(t *testing.T) {
	a := everything(t, 10)
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("later"))
		return errors.Join(err, tx.Bucket([]byte("finarc")).Put([]byte("format"), []byte{0, 0, 0, 0, archive.Version + 1}))
	})
	if r, err := archive.Verify(t.Context(), a.Path(), nil); !errors.Is(err, archive.ErrNewer) || !r.Clean() {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := archive.Repair(t.Context(), a.Path(), readAgain, nil); !errors.Is(err, archive.ErrNewer) {
		t.Errorf("repair: %v", err)
	}
}
