package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

var selectRules = []rule{
	{"selections", testSelections},
	{"a selection longer than a look into the file", testLongSelection},
	{"a selection that ends before it begins", testFromAfterTo},
	{"a selection reads the newest revision alone", testSelectNewest},
	{"a selection reads bodies where it is to", testSelectBody},
	{"posts of one second stand in the order of the change sequence", testTies},
	{"posts without a time or a day", testWithoutTime},
	{"a selection can be left", testLeave},
	{"a selection as of a moment", testAsOf},
	{"a selection of what came in after a place in the change sequence", testAfter},
	{"a selection takes all revisions where it is to", testSelectAll},
	{"a selection reads captures where it is to", testSelectCaptures},
}

// choice is a selection and which samples it means.
type choice struct {
	name string
	q    archive.Selection
	has  func(*news.Captured) bool
}

func every(*news.Captured) bool { return true }
func none(*news.Captured) bool  { return false }

var choices = []choice{
	{"all", archive.Selection{}, every},
	{"from", archive.Selection{From: 20211223}, func(p *news.Captured) bool { return p.Post.Day() >= 20211223 }},
	{"to", archive.Selection{To: 20211222}, func(p *news.Captured) bool { return p.Post.Day() <= 20211222 }},
	{"one day", archive.Selection{From: 20211223, To: 20211223}, func(p *news.Captured) bool { return p.Post.Day() == 20211223 }},
	{"days after all", archive.Selection{From: 20311223}, none},
	{"days before all", archive.Selection{To: 20111223}, none},
	{"category", archive.Selection{Category: "21caijing"}, func(p *news.Captured) bool { return p.Post.Category == "21caijing" }},
	{"whole category in other case", archive.Selection{Category: "career in  touxingpevc"}, career},
	{"part of a category", archive.Selection{Category: "TOUXINGpevc"}, career},
	{"beginning of a category", archive.Selection{Category: "touxing"}, none},
	{"unknown category", archive.Selection{Category: "x"}, none},
	{"tag", archive.Selection{Tag: "观察网新闻"}, func(p *news.Captured) bool { return p.Post.Tag == "观察网新闻" }},
	{"part of a tag", archive.Selection{Tag: "投行pevc新闻"}, career},
	{"a category as a tag", archive.Selection{Tag: "21caijing"}, none},
	{"code", archive.Selection{Security: "600160"}, every},
	{"market and code", archive.Selection{Security: "1.600160"}, func(p *news.Captured) bool { return p.Post.Securities[0].Market == 1 }},
	{"another market", archive.Selection{Security: "2.600160"}, none},
	{"board", archive.Selection{Security: "90.bk0493"}, every},
	{"mirror", archive.Selection{Mirror: "N"}, func(p *news.Captured) bool { return p.Capture.Mirror == "n" }},
	{"category and unknown tag", archive.Selection{Category: "21caijing", Tag: "x"}, none},
	{"all together", archive.Selection{From: 20211223, To: 20211223, Category: "21caijing", Tag: "21财经新闻", Security: "1.600160", Mirror: "m"},
		func(p *news.Captured) bool {
			return p.Post.Day() == 20211223 && p.Post.Category == "21caijing" && p.Post.Securities[0].Market == 1 && p.Capture.Mirror == "m"
		}},
}

func career(p *news.Captured) bool { return strings.HasPrefix(p.Post.Category, "Career") }

func testSelections(t *testing.T, s Store) {
	checkChoices(t, s, 1500, 400)
}

// testLongSelection commits in one batch more than one look takes.
func testLongSelection(t *testing.T, s Store) {
	const n = 1300
	put(t, s, Samples(n)...)
	list := selected(t, s, archive.Selection{Oldest: true})
	if len(list) != n {
		t.Fatalf("%d posts, want %d", len(list), n)
	}
	for i, rev := range list {
		if rev.ID != Sample(i).Post.ID {
			t.Fatalf("post %d is %s", i, rev.ID)
		}
	}
}

// checkChoices tries every choice on n samples, in both orders and limited.
func checkChoices(t *testing.T, s Store, n, at int) {
	samples := Samples(n)
	shuffled := slices.Clone(samples)
	slices.Reverse(shuffled[n/3 : n/2])
	for part := range slices.Chunk(shuffled, at) {
		put(t, s, part...)
	}
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			var want []news.ID
			for i := range samples {
				if c.has(&samples[i]) {
					want = append(want, samples[i].Post.ID)
				}
			}
			check := func(q archive.Selection, want []news.ID) {
				t.Helper()
				if got := idsOf(selected(t, s, q)); !slices.Equal(got, want) {
					t.Errorf("%+v: got %d posts, want %d, in order", q, len(got), len(want))
				}
			}
			q := c.q
			q.Oldest = true
			check(q, want)
			for _, limit := range []int{1, 7, 600, n + 1} {
				q.Limit = limit
				check(q, want[:min(limit, len(want))])
			}
			slices.Reverse(want)
			check(c.q, want)
			q.Oldest = false
			for _, limit := range []int{1, 7, 600} {
				q.Limit = limit
				check(q, want[:min(limit, len(want))])
			}
		})
	}
}

func testFromAfterTo(t *testing.T, s Store) {
	put(t, s, Sample(1))
	n := 0
	for rev, err := range s.Select(t.Context(), archive.Selection{From: 20211223, To: 20211222}) {
		if n++; err == nil {
			t.Errorf("selected %s", rev.ID)
		}
	}
	if n != 1 {
		t.Errorf("%d answers, want one error", n)
	}
}

func testSelectNewest(t *testing.T, s Store) {
	p := Sample(0)
	other := Corrected(p, "更正", 31*time.Hour)
	other.Post.Category, other.Post.Tag, other.Post.Published = "guanchawang", "", p.Post.Published.Add(30*time.Hour)
	other.Post.Securities, other.Capture.Mirror = nil, "n"
	put(t, s, p, Sample(1))
	put(t, s, other)
	for _, c := range []struct {
		q    archive.Selection
		want int
	}{
		{archive.Selection{}, 2}, {archive.Selection{Category: p.Post.Category}, 0}, {archive.Selection{Tag: p.Post.Tag}, 0},
		{archive.Selection{Category: "guanchawang"}, 2}, {archive.Selection{Security: "600160"}, 1},
		{archive.Selection{Mirror: "m"}, 1}, {archive.Selection{To: 20211222}, 1}, {archive.Selection{From: 20211223}, 1},
	} {
		if got := selected(t, s, c.q); len(got) != c.want {
			t.Errorf("%+v: %d posts, want %d", c.q, len(got), c.want)
		}
	}
	if list := selected(t, s, archive.Selection{}); list[0].Title != "更正" || list[0].Number != 2 || !list[0].FirstSeen.Equal(p.Capture.Fetched) {
		t.Errorf("newest %+v", list[0])
	}
}

func testSelectBody(t *testing.T, s Store) {
	put(t, s, Sample(1))
	want := post(t, s, Sample(1).Post.ID)
	wantSame(t, "with body", []news.Revision{want}, selected(t, s, archive.Selection{Body: true}))
	want.Body, want.Foot, want.SHA256 = "", "", ""
	wantSame(t, "without body", []news.Revision{want}, selected(t, s, archive.Selection{}))
}

func testTies(t *testing.T, s Store) {
	var want []news.ID
	for _, i := range []int{5, 3, 9, 1} {
		p := Sample(i)
		p.Post.Published = Noon
		put(t, s, p)
		want = append(want, p.Post.ID)
	}
	wantSame(t, "oldest first", want, idsOf(selected(t, s, archive.Selection{Oldest: true})))
	wantSame(t, "the first two", want[:2], idsOf(selected(t, s, archive.Selection{Oldest: true, Limit: 2})))
	slices.Reverse(want)
	wantSame(t, "newest first", want, idsOf(selected(t, s, archive.Selection{})))
	wantSame(t, "by term", want, idsOf(selected(t, s, archive.Selection{Security: "600160"})))
}

func testWithoutTime(t *testing.T, s Store) {
	timed := Sample(1)
	dated, undated, page := Sample(2), Sample(3), Sample(4)
	dated.Post.Published = time.Time{}
	undated.Post = news.Post{ID: "00000000-0123456789abcdef", Title: "无日期"}
	page.Post = news.Post{ID: "20211223-0123456789abcdef", Title: "无时间"}
	page.Capture.Fetched = Noon.Add(24 * time.Hour)
	put(t, s, page, timed, undated, dated)
	want := []news.ID{undated.Post.ID, dated.Post.ID, timed.Post.ID, page.Post.ID}
	wantSame(t, "all", want, idsOf(selected(t, s, archive.Selection{Oldest: true})))
	wantSame(t, "to", want[1:3], idsOf(selected(t, s, archive.Selection{Oldest: true, To: 20211222})))
	wantSame(t, "from", want[1:], idsOf(selected(t, s, archive.Selection{Oldest: true, From: 20211222})))
}

func testLeave(t *testing.T, s Store) {
	put(t, s, Samples(20)...)
	for n := range 3 {
		met := 0
		for range s.Select(t.Context(), archive.Selection{}) {
			if met++; met > n {
				break
			}
		}
		if met != n+1 {
			t.Errorf("met %d, want %d", met, n+1)
		}
	}
	put(t, s, Sample(20)) // no lock was left behind
}

func testAsOf(t *testing.T, s Store) {
	p := Sample(0)
	second, third := Corrected(p, "更正", time.Hour), Corrected(p, "又更正", 50*time.Hour)
	third.Post.Category, third.Post.Published = "guanchawang", p.Post.Published.Add(48*time.Hour)
	put(t, s, p, Sample(1))
	put(t, s, second)
	put(t, s, third)
	at := func(d time.Duration) time.Time { return p.Capture.Fetched.Add(d) }
	for _, c := range []struct {
		moment time.Time
		q      archive.Selection
		want   []string
	}{
		{at(-time.Millisecond), archive.Selection{}, nil},
		{at(0), archive.Selection{}, []string{p.Post.Title}},
		{at(time.Minute), archive.Selection{Oldest: true}, []string{p.Post.Title, Sample(1).Post.Title}},
		{at(time.Hour), archive.Selection{Oldest: true}, []string{"更正", Sample(1).Post.Title}},
		{at(2 * time.Hour), archive.Selection{Category: p.Post.Category}, []string{"更正"}},
		{at(50 * time.Hour), archive.Selection{Category: p.Post.Category}, nil},
		{at(2 * time.Hour), archive.Selection{To: 20211222, Limit: 1, Oldest: true}, []string{"更正"}},
		{at(50 * time.Hour), archive.Selection{From: 20211223}, []string{"又更正"}},
		{at(2 * time.Hour), archive.Selection{From: 20211223}, nil},
		{time.Time{}, archive.Selection{}, []string{"又更正", Sample(1).Post.Title}},
		{time.Time{}, archive.Selection{First: true}, []string{Sample(1).Post.Title, p.Post.Title}},
		{time.Time{}, archive.Selection{First: true, From: 20211223}, nil},
		{at(2 * time.Hour), archive.Selection{First: true, Limit: 1, Oldest: true}, []string{p.Post.Title}},
		{at(-time.Millisecond), archive.Selection{First: true}, nil},
	} {
		for _, body := range []bool{false, true} {
			c.q.Body, c.q.AsOf = body, c.moment
			var got []string
			for _, rev := range selected(t, s, c.q) {
				got = append(got, rev.Title)
			}
			wantSame(t, fmt.Sprintf("%+v as of %v", c.q, c.moment), c.want, got)
		}
	}
}

// testAfter lets an older capture of a post come in last, as a merge does: its
// newest revision then has another number, and the post another first_seen.
func testAfter(t *testing.T, s Store) {
	a, b, c := Sample(1), Sample(2), Sample(3)
	older := Corrected(a, "早", -time.Hour)
	put(t, s, a, b)                                    // 1, 2
	put(t, s, Corrected(b, "更正", time.Hour), c, older) // 3, 4, 5
	for _, want := range []struct {
		q      archive.Selection
		titles []string
	}{
		{archive.Selection{}, []string{a.Post.Title + " 2", "更正 2", c.Post.Title + " 1"}},
		{archive.Selection{After: 2}, []string{a.Post.Title + " 2", "更正 2", c.Post.Title + " 1"}},
		{archive.Selection{After: 2, UpTo: 4}, []string{"更正 2", c.Post.Title + " 1"}},
		{archive.Selection{After: 4}, []string{a.Post.Title + " 2"}},
		{archive.Selection{After: 5}, nil},
		{archive.Selection{UpTo: 2}, []string{a.Post.Title + " 1", b.Post.Title + " 1"}},
		{archive.Selection{After: 1, UpTo: 2}, []string{b.Post.Title + " 1"}},
		{archive.Selection{After: 2, Category: c.Post.Category}, []string{c.Post.Title + " 1"}},
		{archive.Selection{After: 4, First: true}, []string{"早 1"}},
	} {
		want.q.Oldest = true
		var got []string
		for _, rev := range selected(t, s, want.q) {
			got = append(got, fmt.Sprintf("%s %d", rev.Title, rev.Number))
		}
		wantSame(t, fmt.Sprintf("%+v", want.q), want.titles, got)
	}
}

// testSelectAll: all revisions stand where the newest stands that counts.
func testSelectAll(t *testing.T, s Store) {
	a, b := Sample(1), Sample(2)
	put(t, s, a, b)                                                         // 1, 2
	put(t, s, Corrected(a, "二", time.Hour), Corrected(a, "三", 2*time.Hour)) // 3, 4
	put(t, s, Corrected(a, "早", -time.Hour))                                // 5
	first := a.Post.Title
	for _, want := range []struct {
		q      archive.Selection
		titles []string
	}{
		{archive.Selection{}, []string{"早 1", first + " 2", "二 3", "三 4", b.Post.Title + " 1"}},
		{archive.Selection{Limit: 1}, []string{"早 1", first + " 2", "二 3", "三 4"}},
		{archive.Selection{UpTo: 3}, []string{first + " 1", "二 2", b.Post.Title + " 1"}},
		{archive.Selection{After: 3}, []string{"早 1", "三 4"}},
		{archive.Selection{After: 4}, []string{"早 1"}},
		{archive.Selection{After: 5}, nil},
		{archive.Selection{AsOf: a.Capture.Fetched.Add(time.Hour)}, []string{"早 1", first + " 2", "二 3", b.Post.Title + " 1"}},
		{archive.Selection{First: true}, []string{"早 1", b.Post.Title + " 1"}},
		{archive.Selection{Category: b.Post.Category}, []string{b.Post.Title + " 1"}},
	} {
		want.q.Oldest, want.q.All = true, true
		var got []string
		for _, rev := range selected(t, s, want.q) {
			got = append(got, fmt.Sprintf("%s %d", rev.Title, rev.Number))
		}
		wantSame(t, fmt.Sprintf("%+v", want.q), want.titles, got)
	}
}

func testSelectCaptures(t *testing.T, s Store) {
	p := Sample(1)
	put(t, s, p)
	put(t, s, AsFile(p, "文件", time.Hour))
	list := selected(t, s, archive.Selection{All: true, Captures: true, Body: true})
	if len(list) != 2 {
		t.Fatalf("%d revisions, want 2", len(list))
	}
	for i := range list {
		want, err := s.Capture(t.Context(), list[i].Seq)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "capture", want, list[i].Capture)
	}
	if rev := selected(t, s, archive.Selection{Body: true})[0]; rev.Capture != nil {
		t.Errorf("a capture that was not asked for: %+v", rev.Capture)
	}
}
