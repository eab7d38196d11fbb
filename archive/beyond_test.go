package archive_test

import (
	"math"
	"slices"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

func ids(list []news.Revision) []news.ID {
	var all []news.ID
	for _, rev := range list {
		all = append(all, rev.ID)
	}
	return all
}

// TestBeyond: a selection that is taken page by page is the selection.
func TestBeyond(t *testing.T) {
	a := open(t)
	for list := range slices.Chunk(posts(500), 300) {
		commit(t, a, news.Batch{Posts: list})
	}
	for _, s := range []archive.Selection{
		{}, {Oldest: true}, {Category: "21caijing"}, {Category: "21caijing", Oldest: true}, {From: 20211222, To: 20211222},
	} {
		want := selected(t, a, s)
		var got []news.Revision
		for s.Limit = 7; ; s.Beyond = archive.PositionOf(&got[len(got)-1]) {
			page := selected(t, a, s)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if len(want) == 0 || !slices.Equal(ids(got), ids(want)) {
			t.Errorf("%+v: got %d posts by pages, want %d", s, len(got), len(want))
		}
	}
}

// TestBeyondTheDays: positions that no page of the selection ended with.
func TestBeyondTheDays(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: posts(300)})
	day := archive.Selection{From: 20211222, To: 20211222}
	all := len(selected(t, a, day))
	late, early := archive.Position{When: math.MaxInt64, Seq: 1}, archive.Position{When: -1, Seq: 1}
	for _, c := range []struct {
		beyond archive.Position
		oldest bool
		want   int
	}{
		{late, false, all}, {late, true, 0}, {early, false, 0}, {early, true, all},
	} {
		s := day
		s.Beyond, s.Oldest = c.beyond, c.oldest
		if got := len(selected(t, a, s)); got != c.want || all == 0 {
			t.Errorf("beyond %+v, oldest %v: got %d posts, want %d", c.beyond, c.oldest, got, c.want)
		}
	}
}

func TestBriefly(t *testing.T) {
	a := open(t)
	held := posts(3)
	commit(t, a, news.Batch{Posts: held})
	want := []news.ID{held[2].Post.ID, held[0].Post.ID}
	revs, err := a.Briefly(t.Context(), []news.ID{want[0], "202112220000000000", want[1]})
	if err != nil || !slices.Equal(ids(revs), want) {
		t.Errorf("got %q, %v, want %q", ids(revs), err, want)
	}
	if len(revs) > 0 && (revs[0].Body != "" || revs[0].Title != held[2].Post.Title) {
		t.Errorf("got %+v, want the title and no body", revs[0])
	}
}

func TestRunsUpTo(t *testing.T) {
	a := open(t)
	for range 5 {
		if err := a.StartRun(t.Context(), &news.Run{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		last  uint64
		limit int
		want  []uint64
	}{
		{3, 2, []uint64{3, 2}}, {0, 0, nil}, {1, 5, []uint64{1}}, {math.MaxUint64, 1, []uint64{5}},
	} {
		runs, err := a.RunsUpTo(t.Context(), c.last, c.limit)
		var got []uint64
		for _, run := range runs {
			got = append(got, run.ID)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("up to %d, at most %d: got %d, %v, want %d", c.last, c.limit, got, err, c.want)
		}
	}
}
