package crawler_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
)

// visits notes when requests come to a server, by a clock.
type visits struct {
	next http.Handler
	now  func() time.Time

	mu    sync.Mutex
	times []time.Time
}

func (v *visits) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.times = append(v.times, v.now())
	v.mu.Unlock()
	v.next.ServeHTTP(w, r)
}

// all returns when requests came so far.
func (v *visits) all() []time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.times)
}

// delayed is a site of three posts whose robots.txt asks for a delay, and the
// options of a crawl of it.
func delayed(t *testing.T, delay string, now func() time.Time) (*visits, crawler.Options) {
	t.Helper()
	f := robotsSite(t, 200, "User-agent: *\nCrawl-delay: "+delay+"\n")
	v := &visits{next: f, now: now}
	f.base = serve(t, v)
	o := options(f.base, newArchive(t))
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	return v, o
}

// TestCrawlDelay: a delay that robots.txt asks for lies between any two requests,
// robots.txt and the next run's included, whatever the limits say.
func TestCrawlDelay(t *testing.T) {
	t.Parallel()
	const delay = 200 * time.Millisecond
	v, o := delayed(t, "0.2", time.Now)
	report := crawl(t, o)
	crawl(t, o)
	times := v.all()
	for i, at := range times[1:] {
		if gap := at.Sub(times[i]); gap < delay {
			t.Errorf("requests %d and %d come within %v", i+1, i+2, gap)
		}
	}
	if took, least := times[len(times)-1].Sub(times[0]), time.Duration(len(times)-1)*delay; report.New != 3 || took < least {
		t.Errorf("%d posts, %d requests within %v, want at least %v", report.New, len(times), took, least)
	}
	for host, u := range report.Hosts {
		if u.DelayMS != delay.Milliseconds() || u.Rate != 5 {
			t.Errorf("%s: %+v", host, u)
		}
	}
}

// TestLongCrawlDelay: a delay that is longer than a run waits lies between the
// requests of all runs, however often they begin; none of them sits it out, and in
// the end all is archived.
func TestLongCrawlDelay(t *testing.T) {
	t.Parallel()
	for delay, every := range map[string]time.Duration{"600": 5 * time.Minute, "86400": 7 * time.Hour, "8640000": 11 * time.Hour} {
		t.Run(delay, func(t *testing.T) {
			t.Parallel()
			clock := new(clock)
			v, o := delayed(t, delay, clock.now)
			o.Now = clock.now
			least, _ := time.ParseDuration(delay + "s")
			least = min(least, 24*time.Hour)
			var times []time.Time
			for n := 0; stats(t, storeOf(o)).Posts < 3; n++ {
				before := len(times)
				r, err := crawler.Run(t.Context(), o)
				times = v.all()
				if checkReport(t, r); err != nil || len(times) > before+1 {
					t.Fatalf("run %d: %d requests, %v", r.ID, len(times)-before, err)
				}
				if before == len(times) && r.Ending != news.EndingPaused {
					t.Errorf("run %d asked for nothing, and ended as %q", r.ID, r.Ending)
				}
				if n == 300 {
					t.Fatalf("%d posts after %d runs and %d requests", stats(t, storeOf(o)).Posts, n, len(times))
				}
				clock.advance(every)
			}
			for i, at := range times[1:] {
				if gap := at.Sub(times[i]); gap < least {
					t.Errorf("requests %d and %d come within %v", i+1, i+2, gap)
				}
			}
		})
	}
}

// TestLongCrawlDelayBesideAnother: a mirror of such a delay has its posts' turns,
// too, where the run's other mirror has still to answer when it is asked.
func TestLongCrawlDelayBesideAnother(t *testing.T) {
	clock := new(clock)
	v, o := delayed(t, "86400", clock.now)
	o.Now = clock.now
	other := mirrorAt(newFixture(t, map[string]string{"/": listPage("/category/haiwan.html")}).base)
	other.Name = "other"
	o.Mirrors = append(o.Mirrors, other)
	for n := 0; stats(t, storeOf(o)).Posts < 3; n++ {
		before := len(v.all())
		if crawl(t, o); n == 300 || len(v.all()) > before+1 {
			t.Fatalf("%d posts after %d runs, the last of %d requests", stats(t, storeOf(o)).Posts, n, len(v.all())-before)
		}
		clock.advance(25 * time.Hour)
	}
}

// TestCrawlDelayEnds: a run that waits for a delay ends when it is told to.
func TestCrawlDelayEnds(t *testing.T) {
	v, o := delayed(t, "100", time.Now)
	o.MaxDuration = 200 * time.Millisecond
	r, err := runUntil(t, o, news.EndingDuration)
	if n := len(v.all()); err != nil || n != 1 || r.Lists.Pending == 0 {
		t.Errorf("%d requests, lists %+v, %v", n, r.Lists, err)
	}
}
