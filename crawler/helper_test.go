package crawler_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// serve serves h on the loopback until the test ends, and returns its address
// without a slash at its end.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// stage serves whatever handler is on it.
type stage struct{ handler atomic.Value }

func (s *stage) put(h http.Handler) { s.handler.Store(h.ServeHTTP) }

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.Load().(func(http.ResponseWriter, *http.Request))(w, r)
}

// newMirror makes a mirror and serves it.
func newMirror(t testing.TB, o mirror.Options) (*mirror.Mirror, string) {
	t.Helper()
	s := new(stage)
	base := serve(t, s)
	return putMirror(t, s, base, o), base
}

// putMirror makes a mirror and puts it on a stage whose address is base.
func putMirror(t testing.TB, s *stage, base string, o mirror.Options) *mirror.Mirror {
	t.Helper()
	o.Base = base
	m, err := mirror.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.put(m)
	return m
}

// newArchive makes an empty archive.
func newArchive(t testing.TB) *archive.Archive {
	t.Helper()
	a, err := archive.OpenOrCreate(t.Context(), filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// mirrorAt is the configuration of a mirror whose pages all stand on one host.
func mirrorAt(base string) config.Mirror {
	return config.Mirror{
		Name: "m", Site: base + "/",
		Share: base + "/html_News/NewsShare.html?infoCode={infoCode}",
		Text:  base + "/NewsData/GetNewsText.do?id={infoCode}",
	}
}

// options are those of a crawl that is as fast as it can be.
func options(base string, s crawler.Store) crawler.Options {
	limits := config.Default().Limits
	limits.Rate, limits.Retries, limits.Parallel = 0, 2, 4
	return crawler.Options{
		Mirrors: []config.Mirror{mirrorAt(base)},
		Limits:  limits, Agent: "finarc/test", Command: "crawl m", Store: s,
		Backoff: time.Millisecond,
	}
}

// tomorrow is a clock by which everything that was put off is due again, and
// everything that was remembered for a day is old.
func tomorrow() time.Time { return time.Now().Add(25 * time.Hour) }

// crawl runs once and fails the test unless the run is done and its report
// adds up.
func crawl(t testing.TB, o crawler.Options) *news.Run {
	t.Helper()
	report, err := crawler.Run(t.Context(), o)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	checkReport(t, report)
	if report.Ending != news.EndingDone || report.Ended.IsZero() {
		t.Fatalf("the run ended as %q at %v", report.Ending, report.Ended)
	}
	return report
}

// runFailing runs once, for a run that is to fail.
func runFailing(t testing.TB, o crawler.Options) (*news.Run, error) {
	t.Helper()
	report, err := crawler.Run(t.Context(), o)
	checkReport(t, report)
	if report.Ending != news.EndingFailed || report.Ended.IsZero() {
		t.Errorf("the run ended as %q at %v", report.Ending, report.Ended)
	}
	return report, err
}

func checkReport(t testing.TB, r *news.Run) {
	t.Helper()
	if !r.AddsUp() {
		t.Fatalf("the report does not add up: %d discovered = %d new + %d revised + %d unchanged + %v skipped + %v failed + %d pending",
			r.Discovered, r.New, r.Revised, r.Unchanged, r.Skipped, r.Failed, r.Pending)
	}
	checkHosts(t, r)
	for _, p := range r.Problems {
		if p.Why == "" || strings.ContainsAny(p.Why, "\r\n") {
			t.Errorf("problem of %s is not one line: %q", p.URL, p.Why)
		}
	}
}

// checkHosts checks that what was asked of all hosts together is what was asked.
func checkHosts(t testing.TB, r *news.Run) {
	t.Helper()
	requests, retries, bytes, statuses := 0, 0, int64(0), map[int]int{}
	for _, u := range r.Hosts {
		requests += u.Requests
		retries += u.Retries
		bytes += u.Bytes
		for status, n := range u.Statuses {
			statuses[status] += n
		}
	}
	if sent := news.Total(r.Requests); requests != sent || retries != r.Retries || bytes != r.Bytes {
		t.Errorf("run %d (%s) tells of %d requests, %d retries and %d bytes, and of its hosts %d, %d and %d",
			r.ID, r.Ending, sent, r.Retries, r.Bytes, requests, retries, bytes)
	}
	if !maps.Equal(statuses, r.Statuses) {
		t.Errorf("run %d tells of answers %v, and of its hosts %v", r.ID, r.Statuses, statuses)
	}
}

// counts are a report's numbers of posts, for comparing.
type counts struct {
	Discovered, New, Revised, Unchanged, Pending int
	Skipped, Failed                              map[string]int
}

func countsOf(r *news.Run) counts {
	return counts{
		Discovered: r.Discovered, New: r.New, Revised: r.Revised, Unchanged: r.Unchanged, Pending: r.Pending,
		Skipped: r.Skipped, Failed: r.Failed,
	}
}

// stats returns the archive's counts.
func stats(t testing.TB, a *archive.Archive) archive.Stats {
	t.Helper()
	s, err := a.Stats(context.WithoutCancel(t.Context()), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// transportFunc sends requests as a test wants.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// held returns the archive's posts with their bodies, by identity.
func held(t testing.TB, a *archive.Archive) map[news.ID]news.Revision {
	t.Helper()
	posts := map[news.ID]news.Revision{}
	for rev, err := range a.Select(t.Context(), archive.Selection{Body: true}) {
		if err != nil {
			t.Fatal(err)
		}
		posts[rev.ID] = rev
	}
	return posts
}

// frontier returns the posts that wait in the archive, and those that failed.
func frontier(t testing.TB, a *archive.Archive) (wanted, failed map[news.ID]news.Wanted) {
	t.Helper()
	return wantedOf(t, a.Wanted), wantedOf(t, a.Failures)
}

func wantedOf(t testing.TB, ask func(context.Context, news.ID, int) ([]news.Wanted, error)) map[news.ID]news.Wanted {
	t.Helper()
	list, err := ask(t.Context(), "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	found := map[news.ID]news.Wanted{}
	for _, w := range list {
		found[w.ID] = w
	}
	return found
}

// asked returns how often each address of a mirror was asked for, by path and
// query without escapes.
func asked(m *mirror.Mirror) map[string]int {
	paths := map[string]int{}
	for p, n := range m.Requests().Paths {
		paths[plain(p)] += n
	}
	return paths
}

// isPost reports whether an address is of a post's page.
func isPost(address string) bool { return strings.Contains(address, "/2021/12/") }

// plain undoes an address's escapes.
func plain(address string) string {
	if p, err := url.PathUnescape(address); err == nil {
		return p
	}
	return address
}

// runUntil runs once, for a run that is to end so.
func runUntil(t testing.TB, o crawler.Options, ending string) (*news.Run, error) {
	t.Helper()
	report, err := crawler.Run(t.Context(), o)
	checkReport(t, report)
	if report.Ending != ending || report.Ended.IsZero() {
		t.Errorf("the run ended as %q at %v, want %q", report.Ending, report.Ended, ending)
	}
	return report, err
}

// storeOf returns the archive of a run's options.
func storeOf(o crawler.Options) *archive.Archive { return o.Store.(*archive.Archive) }
