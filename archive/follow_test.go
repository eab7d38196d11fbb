package archive_test

import (
	"iter"
	"path/filepath"
	"slices"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
)

func mark(t *testing.T, a *archive.Archive, seq uint64) string {
	t.Helper()
	m, _, err := a.Mark(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func gathered(t *testing.T, revs iter.Seq2[news.Revision, error]) (list []news.Revision) {
	t.Helper()
	for rev, err := range revs {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rev)
	}
	return list
}

// TestMark: a mark stays as more comes in and in copies, and is another in another
// archive, in an older copy that went on otherwise, and after a reread.
func TestMark(t *testing.T) {
	a := open(t)
	posts := storetest.Samples(12)
	commit(t, a, news.Batch{Posts: posts[:5]})
	nothing, five := mark(t, a, 0), mark(t, a, 5)
	if nothing == "" || nothing == five || mark(t, a, 6) != "" {
		t.Errorf("%q, %q, %q", nothing, five, mark(t, a, 6))
	}
	older := filepath.Join(t.TempDir(), "older.db")
	if _, err := a.Backup(t.Context(), older, false); err != nil {
		t.Fatal(err)
	}
	commit(t, a, news.Batch{Posts: posts[5:8]})
	if _, err := a.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if mark(t, a, 5) != five {
		t.Error("more has come, and the archive was compacted, and the mark is another")
	}
	if _, last, err := a.Mark(t.Context(), 0); last != 8 || err != nil {
		t.Errorf("last %d, %v", last, err)
	}
	b, err := archive.Open(t.Context(), older)
	if err != nil {
		t.Fatal(err)
	}
	if mark(t, b, 5) != five {
		t.Error("a copy has another mark")
	}
	commit(t, b, news.Batch{Posts: posts[8:12]})
	if mark(t, b, 8) == mark(t, a, 8) {
		t.Error("a copy that went on otherwise has the same mark")
	}
	other := open(t)
	commit(t, other, news.Batch{Posts: posts[:5]})
	if mark(t, other, 5) == five {
		t.Error("another archive has the same mark")
	}
	read := func(c *news.Capture) (*news.Post, error) {
		i := slices.IndexFunc(posts, func(p news.Captured) bool { return p.Capture.URL == c.URL })
		p := posts[i].Post
		p.Title += " anew"
		return &p, nil
	}
	before := mark(t, a, 8)
	if _, err := a.Reread(t.Context(), read, archive.RereadOptions{}); err != nil {
		t.Fatal(err)
	}
	if mark(t, a, 8) == before {
		t.Error("all was read again, and the mark is the same")
	}
}

func TestChangesAndAll(t *testing.T) {
	a := open(t)
	posts := storetest.Samples(6)
	commit(t, a, news.Batch{Posts: posts[:4]})
	again := posts[1]
	again.Post.Title += " revised"
	again.Capture.Body = append(slices.Clone(again.Capture.Body), "<!-- revised -->"...)
	again.Capture.Fetched = again.Capture.Fetched.AddDate(0, 0, 1)
	commit(t, a, news.Batch{Posts: append(posts[4:], again)})
	_, last, err := a.Mark(t.Context(), 0)
	if err != nil || last != 7 {
		t.Fatal(last, err)
	}
	seqs := func(revs []news.Revision) (list []uint64) {
		for _, rev := range revs {
			list = append(list, rev.Seq)
		}
		return list
	}
	for _, c := range []struct {
		after, upTo uint64
		want        []uint64
	}{{0, 7, []uint64{1, 3, 4, 5, 6, 7}}, {4, 6, []uint64{5, 6}}, {5, 100, []uint64{6, 7}}, {7, 7, nil}, {0, 0, nil}} {
		revs := gathered(t, a.Changes(t.Context(), c.after, c.upTo))
		if !slices.Equal(seqs(revs), c.want) {
			t.Errorf("changes after %d up to %d: %v, want %v", c.after, c.upTo, seqs(revs), c.want)
		}
		for _, rev := range revs {
			if whole, err := a.Post(t.Context(), rev.ID); err != nil || rev.Body != whole.Body || rev.Title != whole.Title {
				t.Errorf("revision %d is not whole: %v", rev.Seq, err)
			}
		}
	}
	for upTo, want := range map[uint64]int{0: 0, 4: 4, 7: 6} {
		revs := gathered(t, a.All(t.Context(), upTo))
		if len(revs) != want || !slices.IsSortedFunc(revs, func(a, b news.Revision) int { return a.Place().Compare(b.Place()) }) {
			t.Errorf("all up to %d: %v, want %d in order of publication", upTo, seqs(revs), want)
		}
	}
}

func TestPostsByName(t *testing.T) {
	a := open(t)
	posts := storetest.Samples(4)
	commit(t, a, news.Batch{Posts: posts[:3]})
	revs, err := a.Posts(t.Context(), []news.ID{posts[2].Post.ID, posts[3].Post.ID, posts[0].Post.ID})
	if err != nil || len(revs) != 2 || revs[0].ID != posts[2].Post.ID || revs[1].ID != posts[0].Post.ID || revs[0].Body != posts[2].Post.Body {
		t.Errorf("%v, %v", revs, err)
	}
}
