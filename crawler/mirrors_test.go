package crawler_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// TestTwoMirrors: mirrors of one run are told apart, and a post that both have
// is fetched once.
func TestTwoMirrors(t *testing.T) {
	one, at1 := newMirror(t, mirror.Options{Posts: 60, Seed: 1})
	other, at2 := newMirror(t, mirror.Options{Posts: 60, Seed: 1})
	a := newArchive(t)
	o := options(at1, a)
	o.Mirrors = append(o.Mirrors, mirrorAt(at2))
	o.Mirrors[1].Name = "n"
	report := crawl(t, o)
	asked := one.Requests().Kinds[news.KindPost] + other.Requests().Kinds[news.KindPost]
	if report.New != 60 || report.Discovered != 60 || asked != 60 {
		t.Errorf("report %+v after %d requests for posts", countsOf(report), asked)
	}
}

// TestOneMirrorDown: the others are crawled all the same, and what is wanted of
// the one that is down waits.
func TestOneMirrorDown(t *testing.T) {
	m, at1 := newMirror(t, mirror.Options{Posts: 40, Seed: 1})
	s := new(stage)
	at2 := serve(t, s)
	putMirror(t, s, at2, mirror.Options{Posts: 40, Seed: 2, Faults: []mirror.Fault{{Name: "500", Share: 0.5}}})
	a := newArchive(t)
	down := mirrorAt(at2)
	down.Name, down.Share, down.Text = "down", "", ""
	o := options(at2, a)
	o.Mirrors = []config.Mirror{down}
	first := crawl(t, o)

	s.put(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" && r.URL.Path != "/robots.txt" {
			t.Errorf("the mirror that is down was asked for %s", r.URL.Path)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	o.Limits.Robots = false
	o.Mirrors = []config.Mirror{down, mirrorAt(at1)}
	second := crawl(t, o)
	if second.New != m.Len() || second.Lists.Failed != 1 || len(second.Problems) != 1 || second.Problems[0].URL != at2+"/" {
		t.Errorf("report %+v, lists %+v, problems %v", countsOf(second), second.Lists, second.Problems)
	}
	if s := stats(t, a); s.Frontier != first.Pending || first.Pending == 0 {
		t.Errorf("frontier %d, want %d", s.Frontier, first.Pending)
	}
}

// TestVainWhileOneIsDown: what the mirrors that answer do not have is asked of them
// once, and then waits for the one that is down.
func TestVainWhileOneIsDown(t *testing.T) {
	sites := [2]*fixture{newFixture(t, map[string]string{"/": titled("甲")}), newFixture(t, map[string]string{"/": titled("甲")})}
	unavailable := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	a := newArchive(t)
	o := options(sites[0].base, a)
	o.Mirrors = append(o.Mirrors, mirrorAt(sites[1].base))
	o.Mirrors[1].Name = "down"
	later := time.Duration(0)
	o.Now = func() time.Time { return time.Now().Add(later) }
	for n, run := range []struct {
		home, page http.HandlerFunc // of the mirror that is down; nil: as they should be
		asked      int              // how often the other is asked for the post
		vain       int              // addresses remembered to be in vain
		posts      int
	}{
		{nil, unavailable, 1, 0, 0},
		{unavailable, unavailable, 1, 3, 0},
		{unavailable, unavailable, 0, 3, 0},
		{nil, nil, 0, 0, 1},
	} {
		sites[1].answer("/", run.home)
		sites[1].answer(path1, run.page)
		sites[1].put(path1, postPage("甲", sentence, code1, "yanlancaijing"))
		crawl(t, o)
		wanted, _ := frontier(t, a)
		if asked := sites[0].requests()[path1]; asked != run.asked || len(wanted[id1].Vain) != run.vain || stats(t, a).Posts != int64(run.posts) {
			t.Errorf("run %d: asked %d times, %+v, %d posts", n+1, asked, wanted, stats(t, a).Posts)
		}
		later += 25 * time.Hour
	}
}

// titled is a home page that links one post under a title.
func titled(title string) string {
	return `<html><head><title>金融消息</title></head><body><ul><li><a href="` + path1 + `">` + title + `</a></li></ul><a href="{base}/">首页</a></body></html>`
}

// TestListsDisagree: where another mirror's list shows a title that is not held,
// the post is asked for there too, once, and whatever comes of it, not again
// until there is a third title.
func TestListsDisagree(t *testing.T) {
	type state struct{ list, page string }
	type want struct {
		asked                                    [2]int // for the post, of each mirror
		new, revised, unchanged, unseen, differs int
	}
	again := want{}
	for name, runs := range map[string][]struct {
		mirrors int
		one     state
		other   state
		want    want
	}{
		"they agree": {
			{2, state{"甲", "甲"}, state{"甲", "甲"}, want{asked: [2]int{1, 0}, new: 1}},
			{2, state{"甲", "甲"}, state{"甲", "甲"}, again},
		},
		"from the first run on": {
			{2, state{"甲", "甲"}, state{"乙", "乙"}, want{asked: [2]int{1, 1}, new: 1, revised: 1, differs: 1}},
			{2, state{"甲", "甲"}, state{"乙", "乙"}, again},
			{2, state{"甲", "甲"}, state{"丙", "丙"}, want{asked: [2]int{0, 1}, revised: 1}},
			{2, state{"甲", "甲"}, state{"丙", "丙"}, again},
			{2, state{"乙", "乙"}, state{"甲", "甲"}, again},
		},
		"with what is held": {
			{1, state{"甲", "甲"}, state{"乙", "乙"}, want{asked: [2]int{1, 0}, new: 1}},
			{2, state{"甲", "甲"}, state{"乙", "乙"}, want{asked: [2]int{0, 1}, revised: 1, differs: 1}},
			{2, state{"甲", "甲"}, state{"乙", "乙"}, again},
		},
		"the first corrects itself": {
			{2, state{"甲", "甲"}, state{"甲", "甲"}, want{asked: [2]int{1, 0}, new: 1}},
			{1, state{"乙", "乙"}, state{"甲", "甲"}, again}, // which only --refresh looks for
		},
		"only the list has it otherwise": {
			{1, state{"甲", "甲"}, state{"", ""}, want{asked: [2]int{1, 0}, new: 1}},
			{2, state{"甲", "甲"}, state{"乙", "甲"}, want{asked: [2]int{0, 1}, unchanged: 1}},
			{2, state{"甲", "甲"}, state{"乙", "甲"}, again},
		},
		"it is gone there": {
			{1, state{"甲", "甲"}, state{"", ""}, want{asked: [2]int{1, 0}, new: 1}},
			{2, state{"甲", "甲"}, state{"乙", ""}, want{asked: [2]int{0, 1}, unseen: 1}},
			{2, state{"甲", "甲"}, state{"乙", ""}, again},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sites := [2]*fixture{newFixture(t, map[string]string{}), newFixture(t, map[string]string{})}
			a := newArchive(t)
			for n, run := range runs {
				o := options(sites[0].base, a)
				o.Mirrors = append(o.Mirrors, mirrorAt(sites[1].base))[:run.mirrors]
				if run.mirrors == 2 {
					o.Mirrors[1].Name = "other"
				}
				for i, s := range []state{run.one, run.other} {
					sites[i].put("/", titled(s.list))
					sites[i].put(path1, "")
					if s.page != "" {
						sites[i].put(path1, postPage(s.page, sentence, code1, "yanlancaijing"))
					}
				}
				r := crawl(t, o)
				got := want{
					[2]int{sites[0].requests()[path1], sites[1].requests()[path1]},
					r.New, r.Revised, r.Unchanged, r.Skipped[news.SkippedUnseen], r.Differing,
				}
				if got != run.want {
					t.Errorf("run %d: %+v, want %+v; %+v", n+1, got, run.want, countsOf(r))
				}
				if named := slices.ContainsFunc(r.Problems, func(p news.Problem) bool {
					return p.For == "differs" && p.URL == sites[1].base+path1
				}); named != (run.want.differs > 0) {
					t.Errorf("run %d: the problems are %+v", n+1, r.Problems)
				}
			}
		})
	}
}

// TestTwoRunsAtATime: two runs on one archive get in each other's way no more
// than asking for a post twice.
func TestTwoRunsAtATime(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 150, ShareOnly: 0.1, Seed: 6, Faults: []mirror.Fault{{Name: "gone"}, {Name: "flaky"}}})
	a := newArchive(t)
	reports := make(chan *news.Run, 2)
	for range cap(reports) {
		go func() {
			report, err := crawler.Run(t.Context(), options(base, a))
			if err != nil {
				t.Error(err)
			}
			reports <- report
		}()
	}
	sum := 0
	for range cap(reports) {
		report := <-reports
		checkReport(t, report)
		sum += report.New
	}
	if want := expected(m, true); sum != want.New || stats(t, a).Posts != int64(want.New) {
		t.Errorf("%d posts new, %d archived, want %d", sum, stats(t, a).Posts, want.New)
	}
	checkFates(t, m, a, true)
}
