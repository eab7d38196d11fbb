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
