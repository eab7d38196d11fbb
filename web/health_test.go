package web_test

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/web"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// brokenRuns is an archive that cannot be read.
type brokenRuns struct{ web.Store }

func (brokenRuns) RunsUpTo(context.Context, uint64, int) ([]news.Run, error) {
	return nil, errors.New("/home/somebody/news.db: input/output error")
}

// TestHealth: the server is well while its archive can be read and crawls come as
// they are scheduled.
func TestHealth(t *testing.T) {
	s := newSite(t, nil) // its last run was two minutes after the newest post
	empty := newArchive(t)
	now := newest
	hourly := func(after time.Time) time.Time { return after.Truncate(time.Hour).Add(time.Hour) }
	for _, c := range []struct {
		name   string
		store  web.Store
		due    func(time.Time) time.Time
		after  time.Duration // since the server began, at the newest post
		status int
		want   string
	}{
		{"no schedule", s.archive, nil, 1000 * time.Hour, 200, `{"status":"ok","problems":[]}`},
		{"in time", s.archive, hourly, 20 * time.Minute, 200, `"ok"`},
		{"a little late", s.archive, hourly, 32 * time.Minute, 200, `"ok"`},
		{"missed", s.archive, hourly, time.Hour, 503, "was due at 2021-12-22T11:00:00+08:00"},
		{"never crawled, not due", empty, hourly, time.Minute, 200, `"ok"`},
		{"never crawled", empty, hourly, time.Hour, 503, "none has come"},
		{"never due", empty, func(time.Time) time.Time { return time.Time{} }, time.Hour, 200, `"ok"`},
		{"broken", brokenRuns{s.archive}, nil, 0, 503, "cannot be read"},
	} {
		now = newest
		server := serve(t, c.store, func(o *web.Options) {
			o.Due, o.Access.Token = c.due, "secret"
			o.Now = func() time.Time { return now }
		})
		now = newest.Add(c.after)
		got := ask(t, server, "/healthz")
		if got.StatusCode != c.status || !strings.Contains(got.body, c.want) || strings.Contains(got.body, "somebody") {
			t.Errorf("%s: status %d, %s", c.name, got.StatusCode, got.body)
		}
		if got := ask(t, server, "/metrics"); got.StatusCode != 401 {
			t.Errorf("%s: metrics for everybody: status %d", c.name, got.StatusCode)
		}
	}
}

// TestRunUnderWay: a run that goes on for long is none that is missed, unless it was
// killed long ago.
func TestRunUnderWay(t *testing.T) {
	a := newArchive(t)
	run := news.Run{Command: "finarc crawl", Mirrors: []string{"m"}, Started: newest, Ending: news.EndingRunning}
	if err := a.StartRun(t.Context(), &run); err != nil {
		t.Fatal(err)
	}
	now := newest
	server := serve(t, a, func(o *web.Options) {
		o.Due = func(after time.Time) time.Time { return after.Add(time.Minute) }
		o.Now = func() time.Time { return now }
	})
	for after, status := range map[time.Duration]int{5 * time.Hour: 200, 30 * time.Hour: 503} {
		now = newest.Add(after)
		if got := ask(t, server, "/healthz"); got.StatusCode != status {
			t.Errorf("after %s: status %d, %s", after, got.StatusCode, got.body)
		}
	}
}

// TestMetrics: what Prometheus reads tells of requests, archive, cache and the last
// run, and neither its own linter nor promtool objects.
func TestMetrics(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"/", "/", "/post/nonsense", "/post/" + string(s.posts[0].ID), "/nothing", "/timegate/nothing"} {
		ask(t, s.Server, path)
	}
	got := ask(t, s.Server, "/metrics")
	for _, want := range []string{
		`finarc_http_requests_total{code="200",route="/{$}"} 2`,
		`finarc_http_requests_total{code="400",route="/post/{id}"} 1`,
		`finarc_http_requests_total{code="404",route="/timegate/"} 1`,
		`finarc_http_request_duration_seconds_count{route="/post/{id}"} 2`,
		"finarc_archive_up 1", "finarc_archive_posts 120",
		`finarc_run_number{mirrors="m"} 2`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if !regexp.MustCompile(`(?m)^finarc_cache_hits_total [1-9]`).MatchString(got.body) {
		t.Error("the page that was asked for twice was not kept")
	}
	problems, err := promlint.New(strings.NewReader(got.body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
	cmd := exec.CommandContext(t.Context(), realtest.Program(t, "promtool"), "check", "metrics")
	cmd.Stdin = strings.NewReader(got.body)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// brokenStats is an archive whose figures cannot be told.
type brokenStats struct{ web.Store }

func (brokenStats) Stats(context.Context, time.Time) (archive.Stats, error) {
	return archive.Stats{}, archive.ErrBusy
}

// TestMetricsWithoutArchive: metrics tell that the archive cannot be read.
func TestMetricsWithoutArchive(t *testing.T) {
	server := serve(t, brokenStats{newArchive(t)}, nil)
	got := ask(t, server, "/metrics")
	if got.StatusCode != 200 || !strings.Contains(got.body, "finarc_archive_up 0") || strings.Contains(got.body, "finarc_run_") {
		t.Errorf("status %d:\n%s", got.StatusCode, got.body)
	}
}
