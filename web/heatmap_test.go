package web

import (
	"fmt"
	"slices"
	"testing"

	"github.com/finarc/finarc/coverage"
	"github.com/finarc/finarc/news"
)

func TestMondayOf(t *testing.T) {
	for day, want := range map[news.Day]news.Day{
		20211220: 20211220, 20211222: 20211220, 20211226: 20211220, 20220101: 20211227, 20220103: 20220103,
	} {
		if got := mondayOf(day); got != want {
			t.Errorf("%s: got %s, want %s", day, got, want)
		}
	}
}

// TestHeatMap: each day has its place, those of the matrix say what they hold, and no
// name of a month stands in the way of another's.
func TestHeatMap(t *testing.T) {
	const first, weeks = news.Day(20211220), 6
	m := &coverage.Matrix{Days: []coverage.Day{
		{Day: 20211222, Posts: 8}, {Day: 20211223, Posts: 1, Gap: true}, {Day: 20211224}, {Day: 20220130, Posts: 4},
	}}
	h := newHeatMap(m, first, weeks, news.Day.String, func(d *coverage.Day) string { return fmt.Sprint(d.Posts) })
	if len(h.Cells) != weeks*week || h.Most != 8 {
		t.Fatalf("%d cells, at most %d posts", len(h.Cells), h.Most)
	}
	var held []string
	places := make(map[[2]int]bool)
	for i, c := range h.Cells {
		if c.Day != first.Add(i) || c.X < mapLeft || c.X+mapSide > h.Width || c.Y < mapTop || c.Y+mapSide > h.Height {
			t.Errorf("cell %d: %+v", i, c)
		}
		places[[2]int{c.X, c.Y}] = true
		if c.Held {
			held = append(held, fmt.Sprint(c.Day, " ", c.Of(), " ", c.Level, " ", c.Gap, " ", c.Label))
		}
	}
	if len(places) != len(h.Cells) {
		t.Errorf("%d cells have %d places", len(h.Cells), len(places))
	}
	want := []string{"2021-12-22 22 8 false 8", "2021-12-23 23 1 true 1", "2021-12-24 24 0 false 0", "2022-01-30 30 4 false 4"}
	if !slices.Equal(held, want) {
		t.Errorf("got %q, want %q", held, want)
	}
	for first, want := range map[news.Day][]string{
		20211220: {"2022-01"}, 20211213: {"2021-12", "2022-01"}, 20211227: {"2022-01"}, 20220103: {"2022-01"},
	} {
		var got []string
		for _, l := range newHeatMap(m, first, 4, news.Day.String, func(*coverage.Day) string { return "" }).Months {
			got = append(got, l.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %s: got %v, want %v", first, got, want)
		}
	}
}
