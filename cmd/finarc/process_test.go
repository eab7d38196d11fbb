//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// Tests of the program as a process: signals, death and a full disk.

// site is a mirror that a test looks into.
type site struct {
	*mirror.Mirror
	*httptest.Server
	dir string // holds crawler.yaml and the archive
}

// newSite serves a mirror of so many posts. before, if set, is called with the
// number of each post page asked for, from 1, before it is answered.
func newSite(t *testing.T, posts int, limits string, before func(n int)) *site {
	t.Helper()
	m, err := mirror.New(mirror.Options{Posts: posts, Categories: 3})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	asked := 0
	s := &site{Mirror: m, dir: t.TempDir()}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before != nil && strings.Contains(r.URL.Path, "/20") {
			mu.Lock()
			asked++
			n := asked
			mu.Unlock()
			before(n)
		}
		m.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	s.configure(t, limits)
	return s
}

// configure writes the configuration, with limits in place of those of
// [configFor].
func (s *site) configure(t *testing.T, limits string) {
	t.Helper()
	text := configFor(s.URL)
	if limits != "" {
		text = text[:strings.Index(text, "limits:")] + limits
	}
	if err := os.WriteFile(filepath.Join(s.dir, "crawler.yaml"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// process is finarc at work.
type process struct {
	*exec.Cmd
	stdout, stderr lockedBuffer
}

// lockedBuffer can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// finarc prepares a finarc in dir.
func finarc(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), "finarc", args...)}
	p.Dir, p.Stdout, p.Stderr = dir, &p.stdout, &p.stderr
	p.WaitDelay = 10 * time.Second
	return p
}

// ends runs the process and wants it to end with the exit code.
func (p *process) ends(t *testing.T, code int) {
	t.Helper()
	if p.Process == nil {
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	if got := p.ProcessState.ExitCode(); got != code {
		t.Fatalf("exit code %d (%v), want %d\nstdout: %s\nstderr: %s", got, p.ProcessState, code, &p.stdout, &p.stderr)
	}
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Error(err)
	}
}

// held returns the posts in the archive, which must be whole.
func (s *site) held(t *testing.T) []news.Revision {
	t.Helper()
	arc, err := archive.Open(t.Context(), filepath.Join(s.dir, "news.db"))
	if err != nil {
		t.Fatal(err)
	}
	var posts []news.Revision
	for rev, err := range arc.Select(t.Context(), archive.Selection{Body: true}) {
		if err != nil {
			t.Fatal(err)
		}
		posts = append(posts, rev)
	}
	return posts
}

// completes runs another crawl, as fast as can be, and wants it to get the
// rest, and no post again of those that are held.
func (s *site) completes(t *testing.T, held []news.Revision) {
	t.Helper()
	s.configure(t, "")
	s.ResetRequests()
	finarc(t, s.dir, "crawl", "--quiet").ends(t, 0)
	if got := len(s.held(t)); got != s.Len() {
		t.Errorf("the archive holds %d posts after the next run, want %d", got, s.Len())
	}
	asked := s.Requests().Paths
	for _, rev := range held {
		if path := strings.TrimPrefix(rev.URL, s.URL); asked[path] > 0 {
			t.Errorf("%s was archived, and is asked for again", path)
		}
	}
}

// at returns a hook for [newSite] and a channel that is closed when the n-th
// post page is asked for.
func at(n int) (hook func(int), reached chan struct{}) {
	reached = make(chan struct{})
	return func(asked int) {
		if asked == n {
			close(reached)
		}
	}, reached
}

// paced are limits under which a crawl of 400 posts takes more than two
// seconds, so that something was committed before it ends.
const paced = "limits: {rate: 150, burst: 1, retries: 0}\n"

func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			hook, reached := at(60)
			site := newSite(t, 200, paced, hook)
			p := finarc(t, site.dir, "crawl")
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			<-reached
			p.signal(t, s)
			p.ends(t, 130)
			if out := p.stdout.String(); !strings.Contains(out, "interrupted after") || !strings.Contains(out, " pending") {
				t.Errorf("no report of an interrupted run: %s", out)
			}
			if errs := p.stderr.String(); !strings.HasSuffix(errs, "finarc: interrupted; what was done is kept\n") {
				t.Errorf("stderr: %s", errs)
			}
			held := site.held(t)
			if len(held) < 60-8 || len(held) >= 200 {
				t.Errorf("%d posts are held", len(held))
			}
			site.completes(t, held)
		})
	}
}

// A second signal ends the program, whatever it waits for.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	end, asked := make(chan struct{}), make(chan struct{})
	site := newSite(t, 20, "", func(n int) {
		if n == 1 {
			close(asked)
		}
		<-end
	})
	t.Cleanup(func() { close(end) }) // before the server's, which waits for its answers
	p := finarc(t, site.dir, "crawl")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	p.signal(t, os.Interrupt)
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	told := "interrupted: waiting for the requests in flight; interrupt again to end at once"
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if strings.Contains(p.stderr.String(), told) {
				_ = p.Process.Signal(os.Interrupt) // it may have ended since
			}
		case <-ended:
			status, ok := p.ProcessState.Sys().(syscall.WaitStatus)
			if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
				t.Errorf("it ended with %v, want by the signal\nstderr: %s", p.ProcessState, &p.stderr)
			}
			site.held(t)
			return
		}
	}
}

// A hook that is silent does not hold up who interrupts again: a first signal lets
// it be told of the interrupted run, a second one ends the program.
func TestSecondInterruptWhileTheHookIsTold(t *testing.T) {
	t.Parallel()
	end, told := make(chan struct{}), make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(told)
		<-end
	}))
	t.Cleanup(hook.Close)
	t.Cleanup(func() { close(end) }) // before the server's, which waits for its answers
	start, reached := at(60)
	site := newSite(t, 200, paced, start)
	p := finarc(t, site.dir, "crawl")
	p.Env = append(os.Environ(), "FINARC_NOTIFY_URL="+hook.URL)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	p.signal(t, os.Interrupt)
	<-told
	again := time.Now()
	p.signal(t, os.Interrupt)
	p.ends(t, -1)
	if took := time.Since(again); took > 5*time.Second {
		t.Errorf("it ended only %v after the second signal", took)
	}
	if out := p.stdout.String(); !strings.Contains(out, "interrupted after") {
		t.Errorf("no report before the hook is told: %s", out)
	}
	site.held(t)
}

// What was committed before a kill -9 is there after it, and nothing of it is
// fetched again.
func TestKill(t *testing.T) {
	t.Parallel()
	hook, reached := at(350)
	site := newSite(t, 500, paced, hook)
	p := finarc(t, site.dir, "crawl")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	p.signal(t, os.Kill)
	p.ends(t, -1)
	held := site.held(t)
	if len(held) == 0 || len(held) > 350 {
		t.Errorf("%d posts are held", len(held))
	}
	runs := finarc(t, site.dir, "runs")
	runs.ends(t, 0)
	if !strings.Contains(runs.stdout.String(), "not ended: running, or killed") {
		t.Errorf("runs: %s", &runs.stdout)
	}
	site.completes(t, held)
}

// What a host asked for is known after a kill -9, though nothing else was learned
// since: the next crawl leaves it alone.
func TestKillAfterRetryAfter(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	var posts, requests atomic.Int64
	s := newSite(t, 50, "", nil)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		switch {
		case !strings.Contains(r.URL.Path, "/20"):
			s.ServeHTTP(w, r)
		case posts.Add(1) == 2:
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			<-end // it keeps the crawl from its end
		}
	}))
	t.Cleanup(front.Close)
	t.Cleanup(func() { close(end) }) // before the server's, which waits for its answers
	s.URL = front.URL
	s.configure(t, "limits: {rate: 0, parallel: 2, retries: 1}\n")
	p := finarc(t, s.dir, "crawl")
	p.Env = append(os.Environ(), "FINARC_MIRROR_CATEGORIES="+s.Post(0).Category) // one list, the links of which are committed before
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	s.paused(t)
	p.signal(t, os.Kill)
	p.ends(t, -1)
	before := requests.Load()
	next := finarc(t, s.dir, "crawl")
	next.ends(t, 0)
	if n := requests.Load() - before; n != 0 || !strings.Contains(next.stdout.String(), news.EndingPaused) {
		t.Errorf("%d requests after the kill: %s", n, &next.stdout)
	}
}

// paused returns once the archive knows that a host wants to be left alone.
func (s *site) paused(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("no pause of a host is remembered")
		}
		arc, err := archive.Open(t.Context(), filepath.Join(s.dir, "news.db"))
		if errors.Is(err, archive.ErrMissing) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		hosts, err := arc.Hosts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(hosts, func(h news.Host) bool { return h.Paused.After(time.Now()) }) {
			return
		}
	}
}

// crawling starts a crawl of the site and returns once it works on its first
// post; it stays there until it is let go on.
func crawling(t *testing.T, posts int) (s *site, p *process, goOn func()) {
	t.Helper()
	end, asked := make(chan struct{}), make(chan struct{})
	goOn = sync.OnceFunc(func() { close(end) })
	s = newSite(t, posts, "", func(n int) {
		if n == 1 {
			close(asked)
		}
		<-end
	})
	t.Cleanup(goOn) // before the server's, which waits for its answers
	p = finarc(t, s.dir, "crawl")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	return s, p, goOn
}

// waiting starts a crawl of the site, where another is at work, and returns
// once it waits for that.
func (s *site) waiting(t *testing.T, other *process) *process {
	t.Helper()
	p := finarc(t, s.dir, "crawl", "--wait", "1h", "--verbose")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	told := fmt.Sprintf("finarc: mirror test is being crawled by pid %d (finarc crawl test) since ", other.Process.Pid)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for !strings.Contains(p.stderr.String(), "; waiting up to 1h0m0s for it\n") {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it does not wait: %s", &p.stderr)
		}
	}
	if !strings.HasPrefix(p.stderr.String(), told) {
		t.Errorf("it says %q, want %q…", &p.stderr, told)
	}
	return p
}

// A crawl that waits for another one begins when that is done.
func TestCrawlWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	site, first, goOn := crawling(t, 20)
	second := site.waiting(t, first)
	goOn()
	first.ends(t, 0)
	second.ends(t, 0)
	if out := second.stdout.String(); !strings.HasPrefix(out, "run 2 ") || !strings.Contains(out, "0 met = 0 new") {
		t.Errorf("the second one gets: %s", out)
	}
}

func TestInterruptEndsTheWaitForAnotherCrawl(t *testing.T) {
	t.Parallel()
	site, first, goOn := crawling(t, 20)
	second := site.waiting(t, first)
	second.signal(t, os.Interrupt)
	second.ends(t, 130)
	if !strings.HasSuffix(second.stderr.String(), "\nfinarc: interrupted\n") {
		t.Errorf("stderr: %s", &second.stderr)
	}
	goOn()
	first.ends(t, 0)
}

// Crawls of two mirrors work on one archive side by side.
func TestTwoMirrorsAtATime(t *testing.T) {
	t.Parallel()
	one, first, goOn := crawling(t, 20)
	other := newSite(t, 30, "", nil)
	config := strings.Replace(configFor(other.URL), "name: test", "name: other", 1)
	if err := os.WriteFile(filepath.Join(one.dir, "other.yaml"), []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	finarc(t, one.dir, "crawl", "-c", "other.yaml").ends(t, 0)
	goOn()
	first.ends(t, 0)
	if out := first.stdout.String(); !strings.Contains(out, "20 met = ") {
		t.Errorf("the first one gets: %s", out)
	}
	if got := len(one.held(t)); got < 30 {
		t.Errorf("the archive holds %d posts", got)
	}
}

// A file that may grow no more is what a full disk is: the crawl says so and
// ends, and what was archived before is there.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	site := newSite(t, 100, "", nil)
	finarc(t, site.dir, "crawl", "--quiet").ends(t, 0)
	held := site.held(t)
	info, err := os.Stat(filepath.Join(site.dir, "news.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := site.Publish(700); err != nil {
		t.Fatal(err)
	}
	limit := fmt.Sprint(info.Size()/1024*2 + 256)
	// ulimit counts KiB in bash, and blocks of 512 bytes in a POSIX sh.
	p := finarc(t, site.dir, "crawl")
	p.Path, err = exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	p.Args = []string{"sh", "-c", "ulimit -f " + limit + " && exec finarc crawl"}
	p.ends(t, 1)
	wantError(t, p, "news.db: ", "file too large")
	if !strings.Contains(p.stderr.String(), "a limit on the size of files") {
		t.Errorf("no hint: %s", &p.stderr)
	}
	if now := site.held(t); len(now) < len(held) || len(now) >= site.Len() {
		t.Errorf("%d posts are held, and were %d before", len(now), len(held))
	}
	site.completes(t, site.held(t))
}

// wantError wants the process to have told one error that has all the parts.
func wantError(t *testing.T, p *process, parts ...string) {
	t.Helper()
	var errs []string
	for line := range strings.Lines(p.stderr.String()) {
		if strings.HasPrefix(line, "finarc: ") {
			errs = append(errs, line)
		}
	}
	if len(errs) != 1 {
		t.Errorf("%d errors, want one: %s", len(errs), &p.stderr)
		return
	}
	for _, part := range parts {
		if !strings.Contains(errs[0], part) {
			t.Errorf("the error does not say %q: %s", part, errs[0])
		}
	}
}

// The demonstration serves on until Ctrl-C, which is how it is meant to end.
func TestDemoServes(t *testing.T) {
	t.Parallel()
	p := finarc(t, t.TempDir(), "demo", "--posts", "10", "--categories", "2", "--serve")
	p.Stdout = nil
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for chunk := make([]byte, 4096); !strings.Contains(text.String(), "until you press Ctrl-C."); {
		n, err := out.Read(chunk)
		text.Write(chunk[:n])
		if err != nil {
			t.Fatalf("%v: %s", err, &text)
		}
	}
	_, rest, _ := strings.Cut(text.String(), "The mirror goes on at ")
	address, _, _ := strings.Cut(rest, " ")
	if !strings.Contains(fetchPage(t, address), "<h2") {
		t.Errorf("%s is no home page", address)
	}
	p.signal(t, os.Interrupt)
	p.ends(t, 0)
	if p.stderr.String() != "" {
		t.Errorf("stderr: %s", &p.stderr)
	}
}

func fetchPage(t *testing.T, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
