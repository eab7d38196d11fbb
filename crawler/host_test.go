package crawler_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

const path2 = "/yanlancaijing/2021/12/22/" + code2 + ".html"

// at returns a clock that stands still.
func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// TestRetryAfterAcrossRuns: a host that wants to be left alone is asked for
// nothing more in this run, nor in the next ones until its time has come.
func TestRetryAfterAcrossRuns(t *testing.T) {
	f := newFixture(t, map[string]string{
		"/":   listPage(path1, path2),
		path1: postPage("甲", sentence, code1, "yanlancaijing"),
	})
	f.answer(path2, busy) // for an hour
	start := time.Now().Truncate(time.Second)
	o := options(f.base, newArchive(t))
	o.Limits.Parallel, o.Now = 1, at(start)
	u, _ := url.Parse(f.base)

	first := crawl(t, o)
	host := first.Hosts[u.Host]
	if first.Discovered != 2 || first.Pending == 0 || host.Paused.Before(start.Add(59*time.Minute)) {
		t.Fatalf("first run: %+v, host %+v", countsOf(first), host)
	}
	f.requests()
	o.Now = at(start.Add(30 * time.Minute))
	second, err := runUntil(t, o, news.EndingPaused)
	if asked := f.requests(); err != nil || len(asked) != 0 || second.Lists.Pending == 0 || second.Lists.Failed != 0 {
		t.Errorf("after half an hour: asked for %v, lists %+v", asked, second.Lists)
	}
	f.answer(path2, nil)
	f.put(path2, postPage("乙", sentence, code2, "yanlancaijing"))
	o.Now = at(start.Add(61 * time.Minute))
	if third := crawl(t, o); third.Pending != 0 || stats(t, storeOf(o)).Posts != 2 {
		t.Errorf("after an hour: %+v", countsOf(third))
	}
}

// TestRetryAfterHoldsTheHost: for as long as one answer asks for, no page of the
// host is asked for, and then the run goes on.
func TestRetryAfterHoldsTheHost(t *testing.T) {
	t.Parallel()
	const wait = time.Second
	m, base := newMirror(t, mirror.Options{Posts: 100, Seed: 5})
	var mu sync.Mutex
	var refused time.Time
	var after []time.Duration
	o := options(base, newArchive(t))
	o.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock() // one at a time: what is sent after the answer was judged after it
		if refused.IsZero() && isPost(r.URL.Path) {
			refused = time.Now()
			return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"1"}}, Body: http.NoBody, Request: r}, nil
		}
		if !refused.IsZero() {
			after = append(after, time.Since(refused))
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	if r := crawl(t, o); r.New != m.Len() || r.Retries != 1 {
		t.Errorf("%+v after %d retries", countsOf(r), r.Retries)
	}
	// Those that had their turn already, up to the requests in flight, may follow.
	early := slices.IndexFunc(after, func(d time.Duration) bool { return d >= wait })
	if early < 0 || early >= o.Limits.Parallel {
		t.Errorf("%d requests within the second: %v", early, after[:max(0, early)])
	}
}

// TestMirrorThatDies: one that dies in the middle of a run is left alone after
// some attempts, ends its own part of it, and no other's.
func TestMirrorThatDies(t *testing.T) {
	t.Parallel()
	healthy, at1 := newMirror(t, mirror.Options{Posts: 300, Seed: 1})
	s := new(stage)
	at2 := serve(t, s)
	dying := putMirror(t, s, at2, mirror.Options{Posts: 300, Seed: 2})
	var mu sync.Mutex
	left, dead := 60, 0
	s.put(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		left--
		if left < 0 {
			dead++
		}
		alive := left >= 0
		mu.Unlock()
		if alive {
			dying.ServeHTTP(w, r)
			return
		}
		panic(http.ErrAbortHandler)
	}))
	a := newArchive(t)
	o := options(at1, a)
	o.Limits.Retries = 4
	other := mirrorAt(at2)
	other.Name = "dying"
	o.Mirrors = []config.Mirror{other, o.Mirrors[0]}
	first := crawl(t, o)
	u, _ := url.Parse(at2)
	if !first.Hosts[u.Host].Down || first.New < healthy.Len() || first.FailedPosts() != 0 || first.Pending == 0 {
		t.Errorf("first run: %+v, host %+v", countsOf(first), first.Hosts[u.Host])
	}
	if dead > 150 {
		t.Errorf("the dead mirror was asked %d times", dead)
	}
	s.put(dying)
	o.Now = at(time.Now().Add(time.Hour))
	crawl(t, o)
	if n := int(stats(t, a).Posts); n != healthy.Len()+dying.Len() {
		t.Errorf("%d posts in the end, want %d", n, healthy.Len()+dying.Len())
	}
}

// TestHostThatComesBack: one that is away for a moment costs a run nothing but
// time.
func TestHostThatComesBack(t *testing.T) {
	t.Parallel()
	m, base := newMirror(t, mirror.Options{Posts: 200, Seed: 3})
	var mu sync.Mutex
	n := 0
	o := options(base, newArchive(t))
	o.Limits.Retries, o.Backoff = 1, 5*time.Millisecond
	o.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		n++
		away := 50 <= n && n < 62
		mu.Unlock()
		if away {
			return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: http.ErrServerClosed}
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	r := crawl(t, o)
	if r.New+r.Pending != m.Len() || r.Pending > 8 || r.FailedPosts() != 0 {
		t.Errorf("%+v", countsOf(r))
	}
}

// TestPutOff: a post that cannot be had is tried ever later, and given up after
// as many runs as the configuration says.
func TestPutOff(t *testing.T) {
	f := newFixture(t, map[string]string{"/": listPage(path1)})
	f.answer(path1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	a := newArchive(t)
	o := options(f.base, a)
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	o.Limits.Retries, o.Limits.Attempts, o.Limits.PutOff = 0, 3, time.Minute
	now := time.Now()
	var gaps []time.Duration
	for range 2 {
		o.Now = at(now)
		if r := crawl(t, o); r.Pending != 1 || f.requests()[path1] != 1 {
			t.Fatalf("%+v", countsOf(r))
		}
		wanted, _ := frontier(t, a)
		for _, w := range wanted {
			gaps = append(gaps, w.Next.Sub(now))
			o.Now = at(w.Next.Add(-time.Second))
			if r := crawl(t, o); r.Pending != 1 || f.requests()[path1] != 0 {
				t.Errorf("too early: %+v", countsOf(r))
			}
			now = w.Next.Add(time.Second)
		}
	}
	o.Now = at(now)
	r := crawl(t, o)
	if r.Failed["status 500"] != 1 || len(r.Problems) != 1 || r.Problems[0].Attempts != 3 {
		t.Errorf("the third attempt: %+v, %+v", countsOf(r), r.Problems)
	}
	if len(gaps) != 2 || gaps[1] < gaps[0]*3/2 || gaps[0] < 59*time.Second {
		t.Errorf("put off by %v", gaps)
	}
}

// TestGoneAndLinked: a post that is gone, and which a list goes on linking, is
// asked for in as many runs as the configuration says.
func TestGoneAndLinked(t *testing.T) {
	for _, attempts := range []int{1, 3} {
		f := newFixture(t, map[string]string{path2: postPage("乙", sentence, code2, "yanlancaijing")})
		o := options(f.base, newArchive(t))
		o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
		o.Limits.Attempts = attempts
		var asked []int
		for i := range attempts + 2 {
			f.put("/", listPage(path1, path2)+fmt.Sprint(i))
			o.Now = at(time.Now().AddDate(0, 0, i)) // what is put off is due again
			r := crawl(t, o)
			asked = append(asked, f.requests()[path1])
			if tried := i < attempts; tried != (r.Failed["gone"] == 1) || tried == (r.Skipped[news.SkippedFailed] == 1) {
				t.Errorf("run %d of %d: %+v", i+1, attempts, countsOf(r))
			}
		}
		if want := append(slices.Repeat([]int{1}, attempts), 0, 0); !slices.Equal(asked, want) {
			t.Errorf("asked for %v times, want %v", asked, want)
		}
	}
}

// TestLimitsOfARun: a run that may send so many requests sends no more, one that
// may take so long takes no longer, and both end in order.
func TestLimitsOfARun(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 100, Seed: 8})
	a := newArchive(t)
	o := options(base, a)
	o.MaxRequests, o.GoOn = 30, "finarc crawl"
	r, err := runUntil(t, o, news.EndingRequests)
	if sent := news.Total(r.Requests); err != nil || sent != 30 || r.GoOn != "finarc crawl" {
		t.Errorf("%d requests, go on with %q, %v", sent, r.GoOn, err)
	}
	if n := int(stats(t, a).Posts); n != r.New || r.New == 0 {
		t.Errorf("%d posts held, %d reported", n, r.New)
	}
	o.MaxRequests, o.MaxDuration, o.Limits.Rate = 0, 300*time.Millisecond, 50
	if r, err := runUntil(t, o, news.EndingDuration); err != nil || r.Pending == 0 {
		t.Errorf("%+v, %v", countsOf(r), err)
	}
	o.MaxDuration, o.Limits.Rate = 0, 0
	if last := crawl(t, o); last.GoOn != "" || int(stats(t, a).Posts) != m.Len() {
		t.Errorf("the last run: %+v, go on with %q", countsOf(last), last.GoOn)
	}
}

// TestClockThatWasWrong: what was put off, and who wanted to be left alone, by a
// clock that was years ahead, is not for years.
func TestClockThatWasWrong(t *testing.T) {
	f := newFixture(t, map[string]string{"/": listPage(path1, path2), path2: postPage("乙", sentence, code2, "yanlancaijing")})
	f.answer(path1, busy)
	a := newArchive(t)
	o := options(f.base, a)
	o.Limits.Parallel = 1
	o.Now = at(time.Now().AddDate(3, 0, 0))
	if r := crawl(t, o); r.Pending == 0 {
		t.Fatalf("%+v", countsOf(r))
	}
	f.answer(path1, nil)
	f.put(path1, postPage("甲", sentence, code1, "yanlancaijing"))
	o.Now = nil
	if crawl(t, o); stats(t, a).Posts != 2 {
		t.Errorf("%d posts once the clock is right", stats(t, a).Posts)
	}
}
