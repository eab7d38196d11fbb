//go:build unix

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// Tests of the watch as a process.

// watches starts a watch of the site.
func (s *site) watches(t *testing.T, args ...string) *process {
	t.Helper()
	p := finarc(t, s.dir, append([]string{"watch"}, args...)...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// says waits until the process has written a text so many times.
func (p *process) says(t *testing.T, out *lockedBuffer, text string, times int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for strings.Count(out.String(), text) < times {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it does not say %q %d times\nstdout: %s\nstderr: %s", text, times, &p.stdout, &p.stderr)
		}
	}
}

// stops ends a watch as a service manager does.
func (p *process) stops(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	p.ends(t, 0)
}

// A watch crawls what a mirror comes to show, and tells of each run.
func TestWatch(t *testing.T) {
	t.Parallel()
	site := newSite(t, 20, "", nil)
	p := site.watches(t, "--every", "1s", "--json", "--metrics-file", "finarc.prom")
	p.says(t, &p.stdout, "\n", 1)
	if _, err := site.Publish(5); err != nil {
		t.Fatal(err)
	}
	p.says(t, &p.stdout, `"new":5,`, 1)
	p.stops(t)
	found, endings := 0, []string{news.EndingDone, news.EndingInterrupted} // the last one may be
	for line := range strings.Lines(p.stdout.String()) {
		var run news.Run
		if err := json.Unmarshal([]byte(line), &run); err != nil || run.Command != "crawl test" || !slices.Contains(endings, run.Ending) || !run.AddsUp() {
			t.Errorf("%v: %s", err, line)
		}
		found += run.New
	}
	if held := len(site.held(t)); held != 25 || found != 25 {
		t.Errorf("the archive holds %d posts, and the reports tell of %d, want 25", held, found)
	}
	if errs := p.stderr.String(); !strings.Contains(errs, `msg=watching mirrors=[test] schedule="@every 1s"`) {
		t.Errorf("stderr: %s", errs)
	}
	if metrics, err := os.ReadFile(filepath.Join(site.dir, "finarc.prom")); err != nil || !strings.Contains(string(metrics), "finarc_run_number") {
		t.Errorf("metrics: %v %s", err, metrics)
	}
}

// ran records a whole run of the site that began then.
func (s *site) ran(t *testing.T, began time.Time) {
	t.Helper()
	arc, err := archive.OpenOrCreate(t.Context(), filepath.Join(s.dir, "news.db"))
	if err != nil {
		t.Fatal(err)
	}
	run := &news.Run{Mirrors: []string{"test"}, Started: began, Ended: began.Add(time.Minute), Ending: news.EndingDone}
	if err := arc.StartRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

// What was missed while nobody watched is made up for, and only that.
func TestWatchMakesUp(t *testing.T) {
	t.Parallel()
	site := newSite(t, 20, "", nil)
	site.ran(t, time.Now().Add(-10*time.Hour))
	p := site.watches(t, "--every", "1h")
	p.says(t, &p.stdout, "20 met = 20 new", 1)
	p.stops(t)
	if !strings.Contains(p.stderr.String(), "missed=true") {
		t.Errorf("stderr: %s", &p.stderr)
	}
	site.ResetRequests()
	p = site.watches(t, "--every", "1h")
	p.says(t, &p.stderr, "missed=false", 1)
	p.stops(t)
	if asked := site.Requests().Total; asked != 0 || p.stdout.String() != "" {
		t.Errorf("it asked %d times though nothing was missed: %s", asked, &p.stdout)
	}
}

// While another process crawls the mirror, runs are left out.
func TestWatchLeavesOut(t *testing.T) {
	t.Parallel()
	site, other, goOn := crawling(t, 20)
	p := site.watches(t, "--every", "1s")
	p.says(t, &p.stderr, `msg="run left out: another is at the mirror" mirror=test holder="pid `, 2)
	if p.stdout.String() != "" {
		t.Errorf("stdout: %s", &p.stdout)
	}
	goOn()
	other.ends(t, 0)
	p.says(t, &p.stdout, "run 2 ", 1)
	p.stops(t)
}

// A run that is stopped ends in order, is told of, and is made up for.
func TestWatchStopsInARun(t *testing.T) {
	t.Parallel()
	hook, reached := at(60)
	site := newSite(t, 200, paced, hook)
	p := site.watches(t, "--every", "1h", "--quiet")
	<-reached
	p.stops(t)
	if out := p.stdout.String(); !strings.Contains(out, "interrupted after") {
		t.Errorf("stdout: %s", out)
	}
	held := len(site.held(t))
	if held < 60-8 || held >= 200 {
		t.Errorf("%d posts are held", held)
	}
	site.configure(t, "")
	p = site.watches(t, "--every", "1h")
	p.says(t, &p.stdout, "run 2 ", 1)
	p.stops(t)
	if got := len(site.held(t)); got != 200 {
		t.Errorf("%d posts are held after the next run", got)
	}
}

// A mirror that is down ends no watch, and the hook is told of each run.
func TestWatchOutlivesFailure(t *testing.T) {
	t.Parallel()
	told := make(chan struct{}, 1000)
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told <- struct{}{} }))
	t.Cleanup(hook.Close)
	site := newSite(t, 20, "", nil)
	site.Close()
	p := finarc(t, site.dir, "watch", "--quiet")
	p.Env = append(os.Environ(), "FINARC_NOTIFY_URL="+hook.URL, "FINARC_SCHEDULE=@every 1s")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	<-told
	<-told
	p.says(t, &p.stderr, "finarc: mirror could not be read", 2)
	p.stops(t)
	if out := p.stdout.String(); !strings.Contains(out, "run 2 ") || !strings.Contains(out, "failed after") {
		t.Errorf("stdout: %s", out)
	}
}

func TestLastWhole(t *testing.T) {
	began := func(hour int) time.Time { return time.Date(2021, 12, 22, hour, 0, 0, 0, news.Shanghai) }
	run := func(hour int, ending string, mirrors ...string) news.Run {
		return news.Run{Mirrors: mirrors, Started: began(hour), Ended: began(hour + 1), Ending: ending}
	}
	killed := run(17, news.EndingRunning, "a", "b")
	killed.Ended = time.Time{}
	backfill := run(16, news.EndingDone, "a", "b")
	backfill.Backfill = new(news.Backfill)
	runs := []news.Run{
		killed, backfill, run(15, news.EndingInterrupted, "a", "b"), run(14, news.EndingDuration, "a"),
		run(13, news.EndingFailed, "b", "c"), run(12, news.EndingDone, "a", "b", "c"),
	}
	for _, c := range []struct {
		mirrors []string
		want    time.Time
	}{
		{[]string{"a"}, began(14)},
		{[]string{"b"}, began(13)},
		{[]string{"a", "b"}, began(13)},
		{[]string{"c", "a"}, began(13)},
		{[]string{"a", "d"}, time.Time{}},
	} {
		if got := lastWhole(runs, c.mirrors); !got.Equal(c.want) {
			t.Errorf("%q: got %v, want %v", c.mirrors, got, c.want)
		}
	}
}
