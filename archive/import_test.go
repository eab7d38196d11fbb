package archive_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
)

func changeOf(t *testing.T, a *archive.Archive, p news.Captured) news.Change {
	t.Helper()
	return commit(t, a, news.Batch{Posts: []news.Captured{p}}).Posts[0]
}

// TestImportedRevision: a file comes back with its bytes, when it was imported,
// and what was derived.
func TestImportedRevision(t *testing.T) {
	a := open(t)
	p := storetest.AsFile(post(1), "首句", 24*time.Hour)
	p.Post.Derived = []string{news.LacksTitle}
	commit(t, a, news.Batch{Posts: []news.Captured{p}})
	rev, err := a.Post(t.Context(), p.Post.ID)
	if err != nil || string(rev.File) != string(p.Capture.Body) || rev.Mode != news.ModeImport || rev.URL != p.Capture.URL ||
		!rev.FirstSeen.Equal(p.Capture.Fetched) || !rev.Fetched.Equal(p.Capture.Fetched) || !slices.Equal(rev.Derived, p.Post.Derived) {
		t.Errorf("%v, got %+v", err, rev)
	}
	if list := selected(t, a, archive.Selection{AsOf: p.Capture.Fetched.Add(-time.Second)}); len(list) != 0 {
		t.Errorf("got %+v, which was not known before the import", list)
	}
	untitled := post(1)
	untitled.Post.Title = ""
	if got := changeOf(t, a, storetest.Later(untitled, 48*time.Hour)); got != news.ChangeUnchanged {
		t.Errorf("the same text without a title is %s", got)
	}
}

// TestTryLeavesNothing: a trial tells what a commit would do, and does nothing.
func TestTryLeavesNothing(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: posts(3)})
	before, err := a.Stats(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	b := news.Batch{Posts: append(posts(5), storetest.Corrected(post(0), "更正", time.Hour)), Leads: []news.Wanted{storetest.WantedOf(9)}}
	want := []news.Change{news.ChangeUnchanged, news.ChangeUnchanged, news.ChangeUnchanged, news.ChangeNew, news.ChangeNew, news.ChangeRevised}
	for range 2 {
		done, err := a.Try(t.Context(), &b)
		if err != nil || !slices.Equal(done.Posts, want) || done.Leads != 1 {
			t.Errorf("%v, got %+v, want %q", err, done, want)
		}
	}
	after, err := a.Stats(t.Context(), time.Time{})
	if err != nil || after.Posts != before.Posts || after.Revisions != before.Revisions {
		t.Errorf("%v, got %+v, had %+v", err, after, before)
	}
	if _, err := a.Post(t.Context(), post(4).Post.ID); !errors.Is(err, archive.ErrNoPost) {
		t.Errorf("got %v", err)
	}
}

// asImported returns a page as an import of another crawler's captures brings it.
func asImported(p news.Captured) news.Captured {
	p.Capture.Mode = news.ModeImport
	return p
}

// TestImportedPage: a page that another crawler captured is the mirror's like any
// other, at its own time: there and back are two changes, and once more is none.
func TestImportedPage(t *testing.T) {
	a := open(t)
	first := post(1)
	second, third := storetest.Corrected(first, "更正", time.Hour), storetest.Later(first, 2*time.Hour)
	for _, want := range [][]news.Change{
		{news.ChangeNew, news.ChangeRevised, news.ChangeRevised},
		{news.ChangeUnchanged, news.ChangeUnchanged, news.ChangeUnchanged},
	} {
		got := commit(t, a, news.Batch{Posts: []news.Captured{asImported(first), asImported(second), asImported(third)}}).Posts
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := changeOf(t, a, storetest.Later(third, time.Hour)); got != news.ChangeUnchanged {
		t.Errorf("a crawl that finds what was imported calls it %s", got)
	}
	held, err := a.Held(t.Context(), time.Time{}, "", 1)
	if err != nil || len(held) != 1 || len(held[0].Copies) != 1 || held[0].Copies[0].URL != first.Capture.URL {
		t.Errorf("%v, got %+v, want it to be asked for again", err, held)
	}
}

// TestCaptureAt: what was held of a post at a moment, and until when it was seen.
func TestCaptureAt(t *testing.T) {
	a := open(t)
	first := post(1)
	second := storetest.Corrected(first, "更正", 2*time.Hour)
	commit(t, a, news.Batch{Posts: []news.Captured{
		first, storetest.Later(first, time.Hour), second, storetest.AsFile(first, "文件", 3*time.Hour),
	}})
	id, at := first.Post.ID, first.Capture.Fetched
	for _, test := range []struct {
		after  time.Duration
		mirror string
		want   []byte // nil: none
		seen   time.Duration
	}{
		{-time.Millisecond, "m", nil, 0},
		{0, "m", first.Capture.Body, time.Hour},
		{2*time.Hour - time.Millisecond, "m", first.Capture.Body, time.Hour},
		{9 * time.Hour, "m", second.Capture.Body, 2 * time.Hour},
		{9 * time.Hour, "other", nil, 0},
	} {
		c, seen, err := a.CaptureAt(t.Context(), id, test.mirror, at.Add(test.after))
		if err != nil || (c == nil) != (test.want == nil) || c != nil && (string(c.Body) != string(test.want) || !seen.Equal(at.Add(test.seen))) {
			t.Errorf("%s after %v: %v, got %+v, seen until %v", test.mirror, test.after, err, c, seen)
		}
	}
	if c, _, err := a.CaptureAt(t.Context(), post(2).Post.ID, "m", at); c != nil || err != nil {
		t.Errorf("of a post that is not held: %+v, %v", c, err)
	}
}
