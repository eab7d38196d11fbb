package archive_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// older returns the path of an archive of an older format: 12 posts of the built-in
// mirror, as the last finarc of that format crawled them, and of format 3 had them seen
// again.
func older(t *testing.T, format byte) string {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("format%d.db.gz", format)))
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
// formats 3 and 4 it has.
func stands(t *testing.T, path string) (format byte, newer int) {
	t.Helper()
	edit(t, path, func(tx *bolt.Tx) error {
		format = tx.Bucket([]byte("finarc")).Get([]byte("format"))[4]
		for _, name := range []string{"recent", "signatures", "stories", "revisits"} {
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
		if all := selected(t, a, archive.Selection{Captures: true}); len(all) != posts {
			t.Errorf("%s: %d posts, want %d", what, len(all), posts)
		}
	}
	for format, newer := range map[byte]int{2: 0, 3: 3} {
		name := fmt.Sprint("format ", format, ", ")
		path := older(t, format)
		as(name+"read", path, format, newer, posts)

		copied := filepath.Join(t.TempDir(), "backup.db")
		if _, err := opened(t, path).Backup(t.Context(), copied, false); err != nil {
			t.Fatal(err)
		}
		as(name+"backed up", copied, format, newer, posts)
		if _, err := opened(t, path).Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		as(name+"compacted", path, format, newer, posts)

		commit(t, opened(t, path), news.Batch{Posts: []news.Captured{post(1)}})
		as(name+"written to", path, archive.Version, 4, posts+1)
	}
}

// Of what was seen again before answers were kept the time is known, and stays so; how
// it was seen is not made up, and once it is known it is kept.
func TestSeenBeforeAnswersWereKept(t *testing.T) {
	path := older(t, 3)
	a := opened(t, path)
	before := selected(t, a, archive.Selection{Captures: true})
	for _, rev := range before {
		if !rev.LastSeen.After(rev.Fetched) || rev.Revisit != nil {
			t.Errorf("%s: fetched %s, last seen %s, %+v", rev.ID, rev.Fetched, rev.LastSeen, rev.Revisit)
		}
	}
	answer := news.Revisit{URL: before[0].URL, Status: http.StatusNotModified, Proto: "HTTP/1.1", Time: before[0].LastSeen.Add(time.Hour)}
	commit(t, a, news.Batch{Seen: []news.Seen{{ID: before[0].ID, Mirror: before[0].Mirror, Answer: answer}}})
	before[0].LastSeen, before[0].Revisit = answer.Time, &answer
	if diff := storetest.Diff(before, selected(t, a, archive.Selection{Captures: true})); diff != "" {
		t.Error(diff)
	}
	into := open(t)
	merge(t, into, opened(t, older(t, 3)))
	merge(t, into, a)
	for i, rev := range selected(t, into, archive.Selection{Captures: true}) {
		rev.Seq = before[i].Seq
		if diff := storetest.Diff(before[i], rev); diff != "" {
			t.Errorf("merged: %s", diff)
		}
	}
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
	path := older(t, 2)
	edit(t, path, func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("postings"))
		k, v := b.Cursor().First()
		return b.Put(bytes.Clone(k), append(bytes.Clone(v), 0x80))
	})
	r, err := archive.Repair(t.Context(), path, readAgain, nil)
	if err != nil || !r.Clean() {
		t.Fatalf("%+v, %v", r, err)
	}
	if format, newer := stands(t, path); format != archive.Version || newer != 4 {
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
