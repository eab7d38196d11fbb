package archive_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
	gocmp "github.com/google/go-cmp/cmp"
)

// TestTally: what the indexes count is what a look at every post counts, though
// categories are parts of one another, posts have several revisions, and lists
// of past days were put away.
func TestTally(t *testing.T) {
	a := open(t)
	categories := []string{"Career", "Career In  touxingPEVC", "touxingPEVC", "21caijing", "", "CAREER"}
	for day := range 6 {
		var posts []news.Captured
		for i := range 60 {
			p := storetest.Sample(day*24*60 + i*23)
			p.Post.Category = categories[(i+day)%len(categories)]
			p.Post.Tag = p.Post.Category + "新闻"
			if i%10 == 9 {
				p.Post.Published = time.Time{} // its infoCode tells the day
			}
			posts = append(posts, p)
			if i%7 == 0 {
				again := storetest.Corrected(p, fmt.Sprintf("更正%d", i), time.Hour)
				again.Post.Category = "21caijing"
				posts = append(posts, again)
			}
		}
		if _, err := a.Commit(t.Context(), &news.Batch{Posts: posts}); err != nil {
			t.Fatal(err)
		}
	}
	for _, by := range []archive.Part{archive.ByCategory, archive.ByOutlet, archive.ByHour} {
		for _, days := range [][2]news.Day{{0, 0}, {20211223, 20211225}, {20211225, 0}, {0, 20211222}} {
			got, err := a.Tally(t.Context(), by, days[0], days[1])
			if err != nil {
				t.Fatal(err)
			}
			for i := range got { // case does not tell them apart, and the newest post's is told
				got[i].Name = strings.ToLower(got[i].Name)
			}
			slices.SortFunc(got, inOrder)
			if diff := gocmp.Diff(counted(t, a, by, days), got); diff != "" {
				t.Errorf("%s %v (-counted +tallied):\n%s", by, days, diff)
			}
		}
	}
}

// counted counts by a look at every post.
func counted(t *testing.T, a *archive.Archive, by archive.Part, days [2]news.Day) []news.Tally {
	t.Helper()
	type cell struct {
		day  news.Day
		name string
	}
	cells := map[cell]int{}
	for rev, err := range a.Select(t.Context(), archive.Selection{From: days[0], To: days[1]}) {
		if err != nil {
			t.Fatal(err)
		}
		name := map[archive.Part]string{
			archive.ByCategory: strings.ToLower(rev.Category), archive.ByOutlet: news.OutletOfTag(strings.ToLower(rev.Tag)),
			archive.ByHour: rev.Place().In(news.Shanghai).Format("15"),
		}[by]
		cells[cell{rev.PlaceDay(), name}]++
	}
	list := []news.Tally{}
	for at, n := range cells {
		list = append(list, news.Tally{Day: at.day, Name: at.name, Posts: n})
	}
	slices.SortFunc(list, inOrder)
	return list
}

func inOrder(a, b news.Tally) int {
	return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Name, b.Name))
}
