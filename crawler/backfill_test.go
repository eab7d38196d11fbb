package crawler_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// The posts of a mirror that forgets.
const (
	forgetfulPosts = 4000
	forgetfulShown = 400 // the newest, that the site still has
)

// forgetful returns a mirror of ten days the site of which has forgotten all but
// its newest posts.
func forgetful(t *testing.T, s *stage, base string) *mirror.Mirror {
	t.Helper()
	m := putMirror(t, s, base, mirror.Options{Posts: forgetfulPosts, Seed: 3, Window: 10 * 24 * time.Hour})
	oldest := m.Post(m.Len() - forgetfulShown)
	if n, err := m.Forget(oldest.Published); err != nil || n != m.Len()-forgetfulShown {
		t.Fatalf("forgot %d posts: %v", n, err)
	}
	return m
}

// crawledOnce returns a mirror that has forgotten, and an archive of what it showed
// when it was crawled.
func crawledOnce(t *testing.T) (s *stage, base string, m *mirror.Mirror, a *archive.Archive) {
	t.Helper()
	s = new(stage)
	base = serve(t, s)
	m, a = forgetful(t, s, base), newArchive(t)
	crawl(t, options(base, a))
	return s, base, m, a
}

// named returns the posts of some days that the posts which are shown name, and
// those that these name.
func named(m *mirror.Mirror, from, to news.Day) map[news.ID]bool {
	posts, shown, found := map[news.ID]news.Post{}, map[news.ID]bool{}, map[news.ID]bool{}
	for i, p := range m.Posts() {
		posts[p.ID] = p
		shown[p.ID] = i >= m.Len()-forgetfulShown
	}
	var follow func(p news.Post)
	follow = func(p news.Post) {
		for _, code := range p.Related {
			if id := code.ID(); !found[id] && !shown[id] && from <= id.Day() && id.Day() <= to {
				found[id] = true
				follow(posts[id])
			}
		}
	}
	for id, is := range shown {
		if is {
			follow(posts[id])
		}
	}
	return found
}

// filling are options of a backfill.
func filling(base string, a *archive.Archive, from, to news.Day) crawler.Options {
	o := options(base, a)
	o.Backfill = &crawler.Backfill{From: from, To: to, Store: a}
	return o
}

// TestBackfillFollowsReports: every post of the days that a chain of related
// reports leads to is got, though the site has forgotten it, and none of another
// day; either order of the days finds the same.
func TestBackfillFollowsReports(t *testing.T) {
	for _, newest := range []bool{true, false} {
		_, base, m, a := crawledOnce(t)
		from, to := news.Day(20211213), news.Day(20211221)
		want := named(m, from, to)
		m.ResetRequests()
		o := filling(base, a, from, to)
		o.Backfill.Newest = newest
		r := crawl(t, o)
		if r.New != len(want) || r.Discovered != len(want) || len(want) < 200 {
			t.Errorf("newest first %v: %+v, want %d new", newest, countsOf(r), len(want))
		}
		checkDays(t, r, a)
		checkFilled(t, a, m, want)
		again := crawl(t, o)
		if again.Discovered != 0 || again.Requests[news.KindShare]+again.Requests[news.KindText] != 0 {
			t.Errorf("again: %+v, requests %v", countsOf(again), again.Requests)
		}
	}
}

// checkDays checks what a backfill says of its days.
func checkDays(t *testing.T, r *news.Run, a *archive.Archive) {
	t.Helper()
	count := map[news.Day]int{}
	for id := range held(t, a) {
		if r.Backfill.From <= id.Day() && id.Day() <= r.Backfill.To {
			count[id.Day()]++
		}
	}
	for _, d := range r.Backfill.Days {
		if d.Archived != count[d.Day] || d.Gone != 0 || d.NeverSeen != 0 {
			t.Errorf("%s: %+v, want %d archived", d.Day, d, count[d.Day])
		}
		if !slices.Contains(r.Backfill.Done, d.Day) {
			t.Errorf("%s is not among the days that are done", d.Day)
		}
	}
	if len(r.Backfill.Days) != len(count) {
		t.Errorf("%d days, want %d", len(r.Backfill.Days), len(count))
	}
}

// checkFilled checks that the posts are held as a backfill's, and that each was
// asked for once.
func checkFilled(t *testing.T, a *archive.Archive, m *mirror.Mirror, want map[news.ID]bool) {
	t.Helper()
	posts := held(t, a)
	for id := range want {
		if p, ok := posts[id]; !ok || p.Mode != news.ModeBackfill {
			t.Errorf("%s: held %v, mode %q", id, ok, p.Mode)
		}
	}
	for path, n := range m.Requests().Paths {
		code, isPost := news.FindInfoCode(path)
		switch {
		case !isPost:
		case !want[code.ID()]:
			t.Errorf("asked for %s, which is of another day or held", path)
		case n > 1:
			t.Errorf("asked %d times for %s", n, path)
		}
	}
}

// TestBackfillInterrupted: stopped ten times and taken up again, a backfill asks
// for nothing twice, list pages included.
func TestBackfillInterrupted(t *testing.T) {
	s, base, m, a := crawledOnce(t)
	from, to := news.Day(20211213), news.Day(20211221)
	want := named(m, from, to)
	m.ResetRequests()
	o := filling(base, a, from, to)
	stops := 0
	for ; stops < 10; stops++ {
		r := stopAfter(t, s, m, 11, o)
		if o.Backfill.Since.IsZero() {
			o.Backfill.Since = r.Backfill.Began
		}
	}
	s.put(m)
	r := crawl(t, o)
	if !r.Backfill.Began.Equal(o.Backfill.Since) {
		t.Errorf("began at %v, want %v", r.Backfill.Began, o.Backfill.Since)
	}
	checkFilled(t, a, m, want)
	for path, n := range m.Requests().Paths {
		if n > 1 {
			t.Errorf("asked %d times for %s", n, path)
		}
	}
}

// stopAfter runs until a mirror was asked so often, and then tells the run to end.
func stopAfter(t *testing.T, s *stage, m *mirror.Mirror, requests int, o crawler.Options) *news.Run {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	s.put(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if requests--; requests == 0 {
			stop()
		}
		mu.Unlock()
		m.ServeHTTP(w, r)
	}))
	r, err := crawler.Run(ctx, o)
	if err != nil || r.Ending != news.EndingInterrupted {
		t.Fatalf("the run ended as %q: %v", r.Ending, err)
	}
	checkReport(t, r)
	return r
}

// TestBackfillGone: what no source has is gone, and is not asked for again; what
// cannot be had now was never seen, and is.
func TestBackfillGone(t *testing.T) {
	f := newFixture(t, map[string]string{
		"/":   listPage(path1),
		path1: postPage("甲", sentence+`<a href="http://finance.eastmoney.com/a/`+code2[2:]+`.html">乙</a>`, code1, "yanlancaijing"),
	})
	f.answer(text+code2, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	a := newArchive(t)
	start := time.Now()
	fill := func(after time.Duration, again bool) *news.Run {
		o := filling(f.base, a, 20211222, 20211222)
		o.Now, o.Backfill.Again = at(start.Add(after)), again
		return crawl(t, o)
	}
	run := func(after time.Duration) *news.Run { return fill(after, false) }
	again := func(after time.Duration) *news.Run { return fill(after, true) }
	if r := run(0); r.New != 1 || r.Pending != 1 || r.Backfill.Days[0] != (news.DayStanding{Day: 20211222, Archived: 1, NeverSeen: 1}) {
		t.Fatalf("with a source that fails: %+v, %+v", countsOf(r), r.Backfill.Days)
	}
	if leads := wantedOf(t, a.Leads); len(leads) != 1 {
		t.Errorf("leads that wait: %v", leads)
	}
	f.requests()
	if crawl(t, options(f.base, a)); f.requests()[text+code2] != 0 {
		t.Error("a crawl follows a lead")
	}
	f.answer(text+code2, nil)
	if r := run(7 * time.Hour); r.Failed[news.FailedGone] != 1 || r.Backfill.Days[0] != (news.DayStanding{Day: 20211222, Archived: 1, Gone: 1}) {
		t.Errorf("without a source: %+v, %+v", countsOf(r), r.Backfill.Days)
	}
	f.answer(text+code2, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	f.requests()
	if r := again(8 * time.Hour); r.Pending != 1 || f.requests()[text+code2] == 0 || len(wantedOf(t, a.Leads)) != 1 {
		t.Errorf("asked for again: %+v", countsOf(r))
	}
	f.answer(text+code2, nil)
	run(16 * time.Hour)
	f.requests()
	if r := run(20 * time.Hour); r.Discovered != 0 && r.Skipped[news.SkippedArchived] != r.Discovered || f.requests()[text+code2] != 0 {
		t.Errorf("again: %+v", countsOf(r))
	}
}

// TestBackfillOfLeads: posts that somebody names are asked for at their own
// address and by infoCode, and nothing else is.
func TestBackfillOfLeads(t *testing.T) {
	f := newFixture(t, map[string]string{
		"/":          listPage(path1, path2),
		path2:        postPage("乙", sentence, code2, "yanlancaijing"),
		text + code1: `{"infoCode":"` + code1 + `","title":"泊位","showtime":"2021-12-22 11:00:00","medianame":"砚岚财经","text":"` + sentence + `"}`,
	})
	a := newArchive(t)
	o := filling(f.base, a, 20211222, 20211222)
	o.Backfill.LeadsOnly = true
	for _, text := range []string{"http://finance.eastmoney.com/a/" + code1[2:] + ".html", f.base + path2} {
		w, err := crawler.Lead(o.Mirrors, text, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		o.Backfill.Leads = append(o.Backfill.Leads, w)
	}
	plan, err := crawler.PlanBackfill(t.Context(), o)
	if err != nil || plan.Posts != 2 || plan.Lists != 0 || plan.Least != 2 || plan.Most != 5 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	r := crawl(t, o)
	if asked := f.requests(); r.New != 2 || asked["/"] != 0 || asked[path2] != 1 {
		t.Errorf("%+v, asked for %v", countsOf(r), asked)
	}
	if _, err := crawler.Lead(o.Mirrors, "no code", time.Now()); err == nil || !strings.Contains(err.Error(), "no code") {
		t.Errorf("error %v", err)
	}
}

// TestBackfillPlan: what a plan says is what is then asked for.
func TestBackfillPlan(t *testing.T) {
	_, base, m, a := crawledOnce(t)
	m.ResetRequests()
	o := filling(base, a, 20211221, 20211221)
	o.Limits = config.Default().Limits
	plan, err := crawler.PlanBackfill(t.Context(), o)
	if err != nil || m.Requests().Total != 0 {
		t.Fatalf("%v, %d requests", err, m.Requests().Total)
	}
	if plan.Posts == 0 || plan.Lists == 0 || plan.Least != plan.Posts+plan.Lists || plan.Most < plan.Least || plan.Short != time.Duration(plan.Least)*time.Second/2 {
		t.Errorf("plan %+v", plan)
	}
	o.Limits = options(base, a).Limits
	r := crawl(t, o)
	if lists := r.Lists.Read + r.Lists.NotModified + r.Lists.Gone; lists != plan.Lists || r.Discovered < plan.Posts {
		t.Errorf("%d lists and %d posts, planned %d and %d", lists, r.Discovered, plan.Lists, plan.Posts)
	}
}

// TestBackfillOfAPausedHost: a day whose posts could not be asked for is not done.
func TestBackfillOfAPausedHost(t *testing.T) {
	f := newFixture(t, map[string]string{"/": listPage(path1)})
	f.answer(path1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	a := newArchive(t)
	r := crawl(t, filling(f.base, a, 20211222, 20211222))
	if len(r.Backfill.Done) != 0 || r.Backfill.Days[0] != (news.DayStanding{Day: 20211222, NeverSeen: 1}) {
		t.Errorf("%+v, %+v", countsOf(r), r.Backfill)
	}
}
