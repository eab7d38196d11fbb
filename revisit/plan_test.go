package revisit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/revisit"
)

// noon is a Wednesday's.
var noon = time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)

func planner() revisit.Planner {
	return revisit.Planner{
		Now: noon, Last: noon.Add(-5 * time.Minute), Window: 72 * time.Hour,
		Rhythm: revisit.NewRhythm(nil, noon, revisit.Weekdays),
	}
}

// asked returns a page that was asked for some time ago.
func asked(name string, ago time.Duration, v news.Visits) news.ListPage {
	return news.ListPage{URL: "https://mirror.example/category/" + name + ".html", Checked: noon.Add(-ago), Visits: v}
}

func names(pages []news.ListPage) string {
	var list []string
	for _, l := range pages {
		_, name, _ := strings.Cut(l.URL, "/category/")
		list = append(list, strings.TrimSuffix(name, ".html"))
	}
	return strings.Join(list, " ")
}

func TestChoose(t *testing.T) {
	often, seldom := news.Visits{Posts: 200, Hours: 100}, news.Visits{Posts: 1, Hours: 100}
	moved := func(l news.ListPage, ago time.Duration) news.ListPage {
		l.Moved = noon.Add(-ago)
		return l
	}
	hinted := func(v news.Visits, n int) news.Visits {
		v.Since = n
		return v
	}
	for _, c := range []struct {
		what      string
		pages     []news.ListPage
		budget    int
		due, left string
	}{
		{"nothing", nil, 5, "", ""},
		{"those with more posts first", []news.ListPage{asked("seldom", time.Hour, seldom), asked("often", time.Hour, often)}, 1, "often", "seldom"},
		{"those that were asked for long ago first", []news.ListPage{asked("now", time.Minute, often), asked("then", time.Hour, often)}, 2, "then now", ""},
		{"one on which nothing is likely is left", []news.ListPage{asked("seldom", time.Minute, seldom), asked("often", time.Hour, often)}, 2, "often", "seldom"},
		{"one never asked for, whatever the budget", []news.ListPage{asked("often", time.Hour, often), {URL: "https://mirror.example/category/new.html"}}, 0, "new", "often"},
		{"overdue, whatever the budget", []news.ListPage{asked("old", 12*time.Hour, seldom), asked("often", time.Hour, often)}, 1, "old", "often"},
		{"one whose last visit lies ahead is overdue", []news.ListPage{asked("ahead", -time.Hour, seldom)}, 0, "ahead", ""},
		{"moved before likely", []news.ListPage{asked("often", time.Hour, often), moved(asked("moved", time.Minute, seldom), 30*time.Second)}, 1, "moved", "often"},
		{"moved before the last visit", []news.ListPage{asked("often", time.Hour, often), moved(asked("not", time.Minute, seldom), time.Hour)}, 2, "often", "not"},
		{"moved in the future", []news.ListPage{moved(asked("odd", time.Minute, seldom), -time.Hour)}, 2, "", "odd"},
		{"others told of it", []news.ListPage{asked("a", time.Hour, seldom), asked("b", time.Hour, hinted(seldom, 3))}, 1, "b", "a"},
	} {
		p := planner()
		due, left := p.Choose(c.pages, c.budget)
		if names(due) != c.due || names(left) != c.left {
			t.Errorf("%s: %q is due and %q left, want %q and %q", c.what, names(due), names(left), c.due, c.left)
		}
	}
}

// TestChooseWhereOthersTell: where home page and feed tell of all posts first,
// category pages are hardly asked for; where they tell of none, they are.
func TestChooseWhereOthersTell(t *testing.T) {
	count := func(v news.Visits) int {
		var pages []news.ListPage
		for i := range 100 {
			pages = append(pages, asked(fmt.Sprint(i), time.Hour, v))
		}
		p := planner()
		due, _ := p.Choose(pages, 50)
		return len(due)
	}
	if n := count(news.Visits{Posts: 100, Hours: 100, Told: 100}); n != 0 {
		t.Errorf("%d pages are due though others tell of all posts", n)
	}
	if n := count(news.Visits{Posts: 100, Hours: 100, Alone: 100}); n != 50 {
		t.Errorf("%d pages are due though nobody else tells", n)
	}
}

// TestChooseKeepsAll draws pages: each is due or left, once, and none that is left
// will have been left alone for too long when the next run comes.
func TestChooseKeepsAll(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := planner()
		p.Last = noon.Add(-time.Duration(dice.Int64N(int64(4 * time.Hour))))
		var pages []news.ListPage
		for i := range dice.IntN(300) {
			l := asked(fmt.Sprint(i), time.Duration(dice.Int64N(int64(14*time.Hour))), news.Visits{Posts: dice.ExpFloat64(), Hours: 50 * dice.Float64(), Since: dice.IntN(3)})
			if dice.IntN(3) == 0 {
				l.Moved = noon.Add(-time.Duration(dice.Int64N(int64(10 * time.Hour))))
			}
			pages = append(pages, l)
		}
		due, left := p.Choose(pages, dice.IntN(300))
		all := strings.Fields(names(due) + " " + names(left))
		want := strings.Fields(names(pages))
		slices.Sort(all)
		slices.Sort(want)
		if diff := cmp.Diff(want, all); diff != "" {
			t.Fatalf("due and left (-want +got):\n%s", diff)
		}
		for _, l := range left {
			if next := noon.Add(noon.Sub(p.Last)); next.Sub(l.Checked) > revisit.Bound(p.Window) {
				t.Errorf("%s was asked for at %v, and is left until %v", l.URL, l.Checked, next)
			}
		}
	}
}

// TestOverdueApart: pages that were asked for together are not all overdue
// together.
func TestOverdueApart(t *testing.T) {
	var pages []news.ListPage
	for i := range 2000 {
		pages = append(pages, asked(fmt.Sprint(i), 0, news.Visits{Posts: 1e-9, Hours: 1e9}))
	}
	most := 0
	for p := planner(); p.Now.Before(noon.Add(revisit.Bound(p.Window))); p.Now = p.Now.Add(5 * time.Minute) {
		p.Last = p.Now.Add(-5 * time.Minute)
		due, left := p.Choose(pages, 0)
		most, pages = max(most, len(due)), left
	}
	if most > 150 || len(pages) > 0 {
		t.Errorf("%d of 2000 pages are overdue in one run, %d are left", most, len(pages))
	}
}

func TestVisited(t *testing.T) {
	v := revisit.First(36, 60)
	if v != (news.Visits{Posts: 36, Hours: 60}) {
		t.Errorf("after the first visit: %+v", v)
	}
	v.Since = 2
	v = revisit.Visited(v, 0, 0, 3)
	if v != (news.Visits{Posts: 41, Hours: 60, Told: 2, Alone: 3}) {
		t.Errorf("after the next: %+v", v)
	}
	before := v.Posts / v.Hours
	for range 30 {
		v = revisit.Visited(v, 24*time.Hour, 24, 48)
	}
	if rate := v.Posts / v.Hours; rate < 1.9 || rate > 2 || before > 1 {
		t.Errorf("after a month of two posts an hour the rate is %v, before it was %v", rate, before)
	}
}
