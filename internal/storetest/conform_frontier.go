package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

var frontierRules = []rule{
	{"links enter the frontier once", testFound},
	{"links to one post are merged", testMerged},
	{"the frontier is read in order, by portions", testPortions},
	{"a post that was tried stays in the frontier", testTried},
	{"a post that failed leaves the frontier", testFailed},
	{"a failed post is brought back until three runs have tried", testBroughtBack},
	{"a failed post is brought back by another page", testAnotherPage},
	{"a failure does not lose a page found meanwhile", testFailedMeanwhile},
	{"leads are posts that nothing else tells of", testLeads},
	{"a post answers its link wherever it stands", testAnswered},
	{"what another run got is neither tried nor failed", testHeldMeanwhile},
}

// with returns a link with an address.
func with(w news.Wanted, pages ...string) news.Wanted {
	w.Pages = pages
	return w
}

func testFound(t *testing.T, s Store) {
	put(t, s, Sample(3))
	wantSame(t, "links", []news.Standing{news.StandingNew, news.StandingNew, news.StandingArchived}, found(t, s, WantedOf(2), WantedOf(1), WantedOf(3)))
	wantSame(t, "links again", []news.Standing{news.StandingPending}, found(t, s, WantedOf(1)))
	wantSame(t, "waiting", waiting{Frontier: []news.Wanted{WantedOf(1), WantedOf(2)}}, waitingIn(t, s))
}

func testMerged(t *testing.T, s Store) {
	plain := WantedOf(1)
	plain.InfoCode = news.InfoCode(plain.InfoCode.Digits())
	told := with(WantedOf(1), "https://mirror.example/1.html")
	told.Category, told.Mirror, told.FoundOn, told.Found = "21caijing", "n", "https://other.example/", Noon.Add(time.Hour)
	again := with(WantedOf(1), "https://mirror.example/1.html", "https://mirror.example/1b.html")
	again.Category = "other"
	found(t, s, plain, told)
	found(t, s, again)
	want := with(WantedOf(1), "https://mirror.example/1.html", "https://mirror.example/1b.html")
	want.Category, want.Also = "21caijing", []string{"n"}
	wantSame(t, "waiting", waiting{Frontier: []news.Wanted{want}}, waitingIn(t, s))
}

func testPortions(t *testing.T, s Store) {
	want := []news.Wanted{
		{ID: "00000000-0123456789abcdef"}, {ID: "202112210000000001", InfoCode: "202112210000000001"},
		{ID: "202112222222300001", InfoCode: "NW202112222222300001"}, {ID: "202112222222300002", InfoCode: "AN202112222222300002"},
		{ID: "20211222-0123456789abcdef"}, {ID: "20211222-f123456789abcdef"},
		{ID: "20211223-0123456789abcdef"}, {ID: "209912319999999999", InfoCode: "NW209912319999999999"},
	}
	for _, i := range []int{4, 0, 7, 2, 6, 1, 5, 3} {
		found(t, s, want[i])
	}
	for _, n := range []int{1, 3, len(want), 100} {
		var got []news.Wanted
		for after := news.ID(""); ; {
			list := do[[]news.Wanted](t)(s.Wanted(t.Context(), after, n))
			if len(list) == 0 {
				break
			}
			if len(list) > n {
				t.Fatalf("%d entries, want %d at most", len(list), n)
			}
			got, after = append(got, list...), list[len(list)-1].ID
		}
		wantSame(t, fmt.Sprint("by ", n), want, got)
	}
	wantSame(t, "after one that is not there", want[4:], do[[]news.Wanted](t)(s.Wanted(t.Context(), "202112222222300003", 100)))
	wantSame(t, "none", []news.Wanted(nil), do[[]news.Wanted](t)(s.Wanted(t.Context(), "", 0)))
}

func testTried(t *testing.T, s Store) {
	found(t, s, WantedOf(1))
	found(t, s, with(WantedOf(1), "https://mirror.example/1.html")) // learned since the run took it out
	tried := WantedOf(1)
	tried.Attempts, tried.Run, tried.Error = 1, 7, "timeout"
	unknown := WantedOf(2)
	unknown.Attempts = 4
	commit(t, s, news.Batch{Tried: []news.Wanted{tried, unknown}})
	tried.Pages = []string{"https://mirror.example/1.html"}
	wantSame(t, "waiting", waiting{Frontier: []news.Wanted{tried, unknown}}, waitingIn(t, s))
}

// failures returns sample i as a link that failed in so many runs.
func failedIn(i, runs int, pages ...string) news.Wanted {
	w := with(WantedOf(i), pages...)
	w.Attempts, w.Run, w.Error = runs, 7, "gone"
	return w
}

func testFailed(t *testing.T, s Store) {
	found(t, s, WantedOf(1), WantedOf(2))
	commit(t, s, news.Batch{Failed: []news.Wanted{failedIn(1, 3), failedIn(3, 3)}})
	wantSame(t, "waiting", waiting{
		Frontier: []news.Wanted{WantedOf(2)}, Failed: []news.Wanted{failedIn(1, 3), failedIn(3, 3)},
	}, waitingIn(t, s))
}

func testBroughtBack(t *testing.T, s Store) {
	for attempts, want := range map[int]news.Standing{1: news.StandingFailed, 3: news.StandingFailed, 4: news.StandingNew} {
		commit(t, s, news.Batch{Failed: []news.Wanted{failedIn(3, 3)}})
		done := commit(t, s, news.Batch{Found: []news.Wanted{WantedOf(3)}, Attempts: attempts})
		wantSame(t, fmt.Sprint("3 of ", attempts), []news.Standing{want}, done.Found)
	}
	put(t, s, Sample(3))
	for runs := range 10 {
		commit(t, s, news.Batch{Failed: []news.Wanted{failedIn(1, runs)}})
		want := []news.Standing{news.StandingNew}
		if runs >= 8 {
			want = []news.Standing{news.StandingFailed}
		}
		wantSame(t, fmt.Sprint("after ", runs), want, found(t, s, WantedOf(1)))
		if runs < 8 {
			wantSame(t, "waiting", waiting{Frontier: []news.Wanted{failedIn(1, runs)}}, waitingIn(t, s))
		}
	}
	wantSame(t, "waiting", waiting{Failed: []news.Wanted{failedIn(1, 9)}}, waitingIn(t, s))
	early := failedIn(2, 1)
	early.Next = early.Found.Add(time.Hour)
	commit(t, s, news.Batch{Failed: []news.Wanted{early}})
	link := WantedOf(2)
	wantSame(t, "before its time", []news.Standing{news.StandingFailed}, found(t, s, link))
	link.Found = early.Next
	wantSame(t, "at its time", []news.Standing{news.StandingNew}, found(t, s, link))
}

func testAnotherPage(t *testing.T, s Store) {
	commit(t, s, news.Batch{Failed: []news.Wanted{failedIn(1, 9, "https://mirror.example/1.html")}})
	wantSame(t, "the same page", []news.Standing{news.StandingFailed}, found(t, s, with(WantedOf(1), "https://mirror.example/1.html")))
	wantSame(t, "another", []news.Standing{news.StandingNew}, found(t, s, with(WantedOf(1), "https://mirror.example/1b.html")))
	wantSame(t, "waiting", waiting{
		Frontier: []news.Wanted{failedIn(1, 9, "https://mirror.example/1.html", "https://mirror.example/1b.html")},
	}, waitingIn(t, s))
}

func testFailedMeanwhile(t *testing.T, s Store) {
	found(t, s, with(WantedOf(1), "https://mirror.example/1.html", "https://mirror.example/1b.html"))
	commit(t, s, news.Batch{Failed: []news.Wanted{failedIn(1, 9, "https://mirror.example/1.html")}})
	wantSame(t, "waiting", waiting{
		Frontier: []news.Wanted{failedIn(1, 9, "https://mirror.example/1.html", "https://mirror.example/1b.html")},
	}, waitingIn(t, s))
}

func testLeads(t *testing.T, s Store) {
	done := commit(t, s, news.Batch{
		Posts: []news.Captured{Sample(1)}, Found: []news.Wanted{WantedOf(2)}, Failed: []news.Wanted{failedIn(3, 1)},
		Leads: []news.Wanted{WantedOf(1), WantedOf(2), WantedOf(4), WantedOf(4)},
	})
	wantSame(t, "leads", 1, done.Leads)
	done = commit(t, s, news.Batch{Leads: []news.Wanted{WantedOf(3), WantedOf(4), with(WantedOf(5), "https://mirror.example/5.html")}})
	wantSame(t, "leads", 1, done.Leads)
	wantSame(t, "link to a lead", []news.Standing{news.StandingNew}, found(t, s, WantedOf(4)))
	wantSame(t, "waiting", waiting{
		Frontier: []news.Wanted{WantedOf(2), WantedOf(4)}, Failed: []news.Wanted{failedIn(3, 1)},
		Leads: []news.Wanted{with(WantedOf(5), "https://mirror.example/5.html")},
	}, waitingIn(t, s))
}

func testAnswered(t *testing.T, s Store) {
	commit(t, s, news.Batch{
		Found: []news.Wanted{WantedOf(1)}, Leads: []news.Wanted{WantedOf(2)}, Failed: []news.Wanted{failedIn(3, 3)},
		Unread: []news.Captured{Sample(3)},
	})
	put(t, s, Sample(1), Sample(2), Sample(3))
	wantSame(t, "waiting", waiting{}, waitingIn(t, s))
	wantSame(t, "links", []news.Standing{news.StandingArchived, news.StandingArchived, news.StandingArchived},
		found(t, s, WantedOf(1), WantedOf(2), with(WantedOf(3), "https://mirror.example/new.html")))
}

func testHeldMeanwhile(t *testing.T, s Store) {
	found(t, s, WantedOf(1), WantedOf(2))
	put(t, s, Sample(1), Sample(2))
	commit(t, s, news.Batch{Tried: []news.Wanted{failedIn(1, 1)}, Failed: []news.Wanted{failedIn(2, 1)}})
	wantSame(t, "waiting", waiting{}, waitingIn(t, s))
}

var listRules = []rule{
	{"lists are kept by mirror", testLists},
	{"a list that is merely found does not touch what is known", testListFound},
	{"runs have numbers and come newest first", testRuns},
	{"a run's report is kept as it last stood", testReport},
}

func testLists(t *testing.T, s Store) {
	home := news.ListPage{URL: "https://mirror.example/", Mirror: "m", Kind: news.KindHome, ETag: `"x"`, LastModified: "Wed, 22 Dec 2021 04:00:00 GMT", Read: Noon, Checked: Noon.Add(time.Minute)}
	gone := news.ListPage{URL: "https://mirror.example/category/a%20b.html", Mirror: "m", Kind: news.KindCategory, Checked: Noon, Gone: Noon, Depth: 1}
	other := news.ListPage{URL: "https://other.example/", Mirror: "n", Kind: news.KindHome}
	commit(t, s, news.Batch{Lists: []news.ListPage{gone, other, home}})
	lists := do[[]news.ListPage](t)
	wantSame(t, "lists of m", []news.ListPage{home, gone}, lists(s.Lists(t.Context(), "m")))
	wantSame(t, "lists of n", []news.ListPage{other}, lists(s.Lists(t.Context(), "n")))
	wantSame(t, "lists of none", []news.ListPage(nil), lists(s.Lists(t.Context(), "x")))
	home.ETag, home.LastModified, home.Checked, home.Gone = "", "", Noon.Add(time.Hour), Noon.Add(time.Hour)
	home.Moved, home.Visits = Noon.Add(30*time.Minute), news.Visits{Posts: 12.345, Hours: 1.0 / 3, Told: 4, Alone: 5.5, Since: 2}
	commit(t, s, news.Batch{Lists: []news.ListPage{home}})
	wantSame(t, "lists of m", []news.ListPage{home, gone}, lists(s.Lists(t.Context(), "m")))
}

func testListFound(t *testing.T, s Store) {
	l := news.ListPage{URL: "https://mirror.example/", Mirror: "m", Kind: news.KindHome, ETag: `"x"`, Read: Noon, Checked: Noon}
	foundOnly := news.ListPage{URL: l.URL, Mirror: "m", Kind: news.KindCategory}
	commit(t, s, news.Batch{Lists: []news.ListPage{foundOnly, l, foundOnly}})
	commit(t, s, news.Batch{Lists: []news.ListPage{foundOnly}})
	wantSame(t, "lists", []news.ListPage{l}, do[[]news.ListPage](t)(s.Lists(t.Context(), "m")))
}

func testRuns(t *testing.T, s Store) {
	wantSame(t, "runs", []news.Run(nil), do[[]news.Run](t)(s.Runs(t.Context(), 0)))
	for i := range 5 {
		run := &news.Run{Command: "crawl", Started: Noon.Add(time.Duration(i) * time.Hour)}
		if err := s.StartRun(t.Context(), run); err != nil || run.ID != uint64(i+1) {
			t.Fatalf("run %d, %v", run.ID, err)
		}
	}
	for limit, want := range map[int][]uint64{0: {5, 4, 3, 2, 1}, -1: {5, 4, 3, 2, 1}, 2: {5, 4}, 9: {5, 4, 3, 2, 1}} {
		var got []uint64
		for _, run := range do[[]news.Run](t)(s.Runs(t.Context(), limit)) {
			got = append(got, run.ID)
		}
		wantSame(t, fmt.Sprint("limit ", limit), want, got)
	}
}

func testReport(t *testing.T, s Store) {
	run := &news.Run{Command: "crawl", Mirrors: []string{"m"}, Started: Noon, Ending: news.EndingRunning}
	if err := s.StartRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	run.New, run.Skipped, run.Statuses = 3, map[string]int{news.SkippedArchived: 2}, map[int]int{200: 9, 404: 1}
	run.Ended, run.Ending = Noon.Add(time.Minute), news.EndingDone
	run.Differing, run.GoOn = 1, "finarc crawl m"
	run.Hosts = map[string]news.HostUse{"mirror.example": {
		Requests: 9, Retries: 2, Bytes: 1 << 40, WaitedMS: 1500, Rate: 0.125, DelayMS: 8000, Paused: Noon.Add(time.Hour), Down: true,
	}}
	run.Pages = map[news.PageKind]news.PageCount{news.KindPost: {Read: 5, Unreadable: 4, NoTitle: 3, NoDate: 2, NoBody: 1}}
	run.Drift = []news.Drift{{Kind: news.KindPost, Field: "date", Share: 0.25, Usual: 0.001}}
	run.AddGap("m", Noon.AddDate(0, 0, -5), Noon.AddDate(0, 0, -3))
	run.AddProblem(news.Problem{URL: "https://mirror.example/1.html", ID: Sample(1).Post.ID, What: news.KindPost, Why: "gone", For: "failed", Attempts: 3})
	want := *run.Clone()
	commit(t, s, news.Batch{Run: run})
	run.New, run.Statuses[200] = 99, 99 // the run goes on with its own
	wantSame(t, "runs", []news.Run{want}, do[[]news.Run](t)(s.Runs(t.Context(), 1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.StartRun(ctx, new(news.Run)); err == nil {
		t.Error("a run began under a cancelled context")
	}
}
