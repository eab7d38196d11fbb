package archive_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"
)

func exported(t *testing.T, a *archive.Archive, name string) (archive.Exported, uint64) {
	t.Helper()
	e, last, err := a.Exported(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return e, last
}

func setExported(t *testing.T, a *archive.Archive, name string, was, now archive.Exported) {
	t.Helper()
	if err := a.SetExported(t.Context(), name, was, now); err != nil {
		t.Fatal(err)
	}
}

func TestBookmarks(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: storetest.Samples(10)})
	was, last := exported(t, a, "daily")
	if was != (archive.Exported{}) || last != 10 {
		t.Fatalf("%+v, %d", was, last)
	}
	now := archive.Exported{Seq: last, Selection: "--category x", At: time.Now().Unix()}
	setExported(t, a, "daily", was, now)
	if got, _ := exported(t, a, "daily"); got != now {
		t.Errorf("%+v, want %+v", got, now)
	}
	if got, _ := exported(t, a, "dail"); got != (archive.Exported{}) {
		t.Errorf("another name's: %+v", got)
	}
	if err := a.SetExported(t.Context(), "daily", was, now); !errors.Is(err, archive.ErrExported) {
		t.Errorf("from where it no longer is: %v", err)
	}
	if err := a.SetExported(t.Context(), "", archive.Exported{}, now); err == nil {
		t.Error("a bookmark without a name was set")
	}
	clean(t, a)
}

// A bookmark belongs to the change sequence of its archive: copies of the file
// have it, and an archive into which the file is merged, or salvaged, has not.
func TestBookmarksStayWithTheirSequence(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: storetest.Samples(10)})
	now := archive.Exported{Seq: 10, At: 1}
	setExported(t, a, "daily", archive.Exported{}, now)
	if _, err := a.Compact(t.Context()); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	if got, _ := exported(t, a, "daily"); got != now {
		t.Errorf("after a compaction: %+v", got)
	}
	dir := t.TempDir()
	for name, make := range map[string]func(to string) error{
		"backup":  func(to string) error { _, err := a.Backup(t.Context(), to, false); return err },
		"salvage": func(to string) error { _, err := archive.Salvage(t.Context(), a.Path(), to, nil); return err },
		"merge": func(to string) error {
			into, err := archive.OpenOrCreate(t.Context(), to)
			if err == nil {
				_, err = into.Merge(t.Context(), a)
			}
			return err
		},
	} {
		to := filepath.Join(dir, name)
		if err := make(to); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b, err := archive.Open(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := exported(t, b, "daily")
		if has := got == now; has != (name == "backup") {
			t.Errorf("%s: %+v", name, got)
		}
		clean(t, b)
	}
}

// A bookmark beyond the change sequence would hide changes: it is found, refused
// and set aside.
func TestBookmarkThatMakesNoSense(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: storetest.Samples(10)})
	value, err := cbor.Marshal(archive.Exported{Seq: 11})
	if err != nil {
		t.Fatal(err)
	}
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("finarc")).Put([]byte("export daily"), sealed("export daily", value))
	})
	if _, _, err := a.Exported(t.Context(), "daily"); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("error %v, want %v", err, archive.ErrCorrupt)
	}
	if r := verified(t, a); r.Counts[archive.FoundValue] != 1 {
		t.Errorf("verify found %v", r.Counts)
	}
	r, err := a.Repair(t.Context(), nil, nil)
	if err != nil || !r.Clean() {
		t.Fatalf("%v: %+v", err, r)
	}
	if got, _ := exported(t, a, "daily"); got != (archive.Exported{}) {
		t.Errorf("after the repair: %+v", got)
	}
}

// Changes that come in while a selection of changes is read are the next one's,
// and none is in neither.
func TestNoChangeIsLost(t *testing.T) {
	a := open(t)
	posts := storetest.Samples(1300)
	commit(t, a, news.Batch{Posts: posts})
	_, last := exported(t, a, "x")
	seen := make(map[string]int)
	more := slices.Clone(posts)
	for rev := range each(t, a.Select(t.Context(), archive.Selection{UpTo: last, Oldest: true})) {
		seen[rev.Title]++
		if len(more) > 0 { // every post is corrected, and moved to the front, while the selection is read
			commit(t, a, news.Batch{Posts: corrected(more[:100])})
			more = more[100:]
		}
	}
	_, now := exported(t, a, "x")
	for rev := range each(t, a.Select(t.Context(), archive.Selection{After: last, UpTo: now, Oldest: true})) {
		seen[rev.Title]++
	}
	for i := range posts {
		for _, title := range []string{posts[i].Post.Title, posts[i].Post.Title + "（更正）"} {
			if seen[title] != 1 {
				t.Errorf("%s was met %d times", title, seen[title])
			}
		}
	}
}

func corrected(posts []news.Captured) []news.Captured {
	var list []news.Captured
	for _, p := range posts {
		p = storetest.Corrected(p, p.Post.Title+"（更正）", time.Hour)
		p.Post.Published = p.Post.Published.Add(-72 * time.Hour)
		list = append(list, p)
	}
	return list
}

func TestASelectionOfChangesEnds(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: storetest.Samples(3)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range a.Select(ctx, archive.Selection{After: 1}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}
