package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// TestRate: the server never sees more requests begin in one second than rate
// and burst allow, and never more at a time than parallel.
func TestRate(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 55, Categories: 10, ShareOnly: 0.1, Seed: 2})
	o := options(base, newArchive(t))
	o.Limits.Rate, o.Limits.Burst, o.Limits.Parallel = 20, 2, 4
	begin := time.Now()
	report := crawl(t, o)
	took, saw := time.Since(begin), m.Requests()
	if report.New != 55 || saw.MaxPerSecond > 22 || saw.MaxInFlight > 4 {
		t.Errorf("%d posts archived; %d requests in a second, %d at a time", report.New, saw.MaxPerSecond, saw.MaxInFlight)
	}
	if least := time.Duration(saw.Total-2) * time.Second / 20; took < least {
		t.Errorf("%d requests took %v, want at least %v", saw.Total, took, least)
	} else if took > 2*least {
		t.Errorf("%d requests took %v, though the rate allows them in %v", saw.Total, took, least)
	}
}

// gathering answers requests for posts in groups: as soon as size of them are
// there at a time.
type gathering struct {
	next http.Handler
	size int

	mu      sync.Mutex
	waiting []chan struct{}
}

func (g *gathering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isPost(r.URL.Path) {
		g.wait(r)
	}
	g.next.ServeHTTP(w, r)
}

func (g *gathering) wait(r *http.Request) {
	mine := make(chan struct{})
	g.mu.Lock()
	if g.waiting = append(g.waiting, mine); len(g.waiting) == g.size {
		for _, c := range g.waiting {
			close(c)
		}
		g.waiting = nil
	}
	g.mu.Unlock()
	select {
	case <-mine:
	case <-r.Context().Done():
	}
}

// TestParallel: with no other bound, as many requests are in flight as the
// limits allow, and no more.
func TestParallel(t *testing.T) {
	for _, parallel := range []int{1, 3, 8} {
		t.Run(fmt.Sprint(parallel), func(t *testing.T) {
			t.Parallel()
			s := new(stage)
			base := serve(t, s)
			m := putMirror(t, s, base, mirror.Options{Posts: 8 * 9 * 5, Categories: 4})
			inFlight := &counting{next: &gathering{next: m, size: parallel}}
			s.put(inFlight)
			o := options(base, newArchive(t))
			o.Limits.Parallel = parallel
			if report := crawl(t, o); report.New != m.Len() {
				t.Errorf("%d posts archived", report.New)
			}
			if inFlight.most != parallel {
				t.Errorf("%d requests in flight, want %d", inFlight.most, parallel)
			}
		})
	}
}

// counting counts the requests that are in flight.
type counting struct {
	next      http.Handler
	mu        sync.Mutex
	now, most int
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.add(1)
	c.next.ServeHTTP(&ending{ResponseWriter: w, end: sync.OnceFunc(func() { c.add(-1) })}, r)
}

func (c *counting) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.most = max(c.most, c.now)
}

// ending tells when an answer begins: from then on the client may have it
// whole, and its next request is no further one.
type ending struct {
	http.ResponseWriter
	end func()
}

func (e *ending) WriteHeader(status int) {
	e.end()
	e.ResponseWriter.WriteHeader(status)
}

// TestHostsHaveTheirOwnPace: a host whose turns are used up holds no other up.
func TestHostsHaveTheirOwnPace(t *testing.T) {
	f := newFixture(t, map[string]string{"/": listPage("http://finance.eastmoney.com/a/202112222222541258.html")})
	other := newFixture(t, map[string]string{
		text + code2: `{"infoCode":"` + code2 + `","title":"泊位","showtime":"2021-12-22 11:00:00","medianame":"砚岚财经","text":"` + sentence + `"}`,
	})
	o := options(f.base, newArchive(t))
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", other.base+text+"{infoCode}"
	o.Limits.Rate, o.Limits.Burst = 0.001, 4 // of one: robots.txt, home, feed and sitemap; of the other: robots.txt and text
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	report, err := crawler.Run(ctx, o)
	if err != nil || report.New != 1 || report.Ending != news.EndingDone {
		t.Errorf("report %+v ended as %s, %v", countsOf(report), report.Ending, err)
	}
}

// TestRobots: what robots.txt says to finarc, or to all, holds.
func TestRobots(t *testing.T) {
	const allow, only = "User-agent: *\nAllow: /\n", "User-agent: *\nDisallow: /yanlancaijing/\n"
	for _, c := range []struct {
		name   string
		status int
		robots string
		off    bool
		posts  int // archived; 3 is all
	}{
		{"all allowed", 200, allow, false, 3},
		{"a category for all", 200, only, false, 1},
		{"a category for finarc", 200, "User-agent: finarc\nDisallow: /yanlancaijing/\n\nUser-agent: *\nAllow: /\n", false, 1},
		{"others only", 200, "User-agent: otherbot\nDisallow: /\n\n" + allow, false, 3},
		{"finarc's own group counts alone", 200, "User-agent: *\nDisallow: /\n\nUser-agent: finarc\nAllow: /\n", false, 3},
		{"the longest rule counts", 200, "User-agent: *\nDisallow: /yanlancaijing/\nAllow: /yanlancaijing/2021/12/22/\n", false, 3},
		{"none", 404, "", false, 3},
		{"forbidden", 403, "", false, 3},
		{"empty", 200, "", false, 3},
		{"switched off", 200, "User-agent: *\nDisallow: /\n", true, 3},
		{"switched off and broken", 500, "", true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, a := robotsSite(t, c.status, c.robots), newArchive(t)
			o := options(f.base, a)
			o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
			o.Limits.Robots = !c.off
			report := crawl(t, o)
			asked := f.requests()
			if report.New != c.posts || report.Skipped[news.SkippedDisallowed] != 3-c.posts || report.FailedPosts() != 0 {
				t.Errorf("report %+v", countsOf(report))
			}
			if posts := asked[path1] + asked["/yanlancaijing/2021/12/22/"+code2+".html"]; posts != c.posts-1 {
				t.Errorf("%d pages of the category were asked for", posts)
			}
			if want := map[bool]int{false: 1, true: 0}[c.off]; asked["/robots.txt"] != want {
				t.Errorf("robots.txt was asked for %d times", asked["/robots.txt"])
			}
		})
	}
}

// robotsSite is a site of three posts, two of them of one category.
func robotsSite(t *testing.T, status int, robots string) *fixture {
	const path3 = "/haiwan/2021/12/22/NW202112222222541259.html"
	f := newFixture(t, map[string]string{
		"/":   listPage(path1, path2, path3),
		path1: postPage("甲", sentence, code1, "yanlancaijing"),
		path2: postPage("乙", sentence, code2, "yanlancaijing"),
		path3: postPage("丙", sentence, "NW202112222222541259", "haiwan"),
	})
	f.answer("/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, robots)
	})
	return f
}

// TestRobotsRulesCanChange: what was disallowed is had once it is allowed.
func TestRobotsRulesCanChange(t *testing.T) {
	f, a := robotsSite(t, 200, "User-agent: *\nDisallow: /haiwan/\n"), newArchive(t)
	first := crawl(t, options(f.base, a))
	f.answer("/robots.txt", http.NotFound)
	o := options(f.base, a)
	o.Now = tomorrow
	second := crawl(t, o)
	if first.New != 2 || second.New != 1 {
		t.Errorf("%d, then %d posts archived", first.New, second.New)
	}
}

// TestRobotsThatCannotBeHad: with 5xx nothing at all is fetched.
func TestRobotsThatCannotBeHad(t *testing.T) {
	for name, robots := range map[string]struct {
		status int
		text   string
	}{"broken": {503, ""}, "all disallowed": {200, "User-agent: *\nDisallow: /\n"}} {
		f, a := robotsSite(t, robots.status, robots.text), newArchive(t)
		report, err := runFailing(t, options(f.base, a))
		if err == nil || report.Discovered != 0 {
			t.Errorf("%s: report %+v, %v", name, countsOf(report), err)
		}
		for at := range f.requests() {
			if at != "/robots.txt" {
				t.Errorf("%s: asked for %s", name, at)
			}
		}
	}
}
