//go:build unix

package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
)

// A load is what many readers ask of finarc serve while a crawl writes. FINARC_LOAD
// sets for how many seconds (make load: 60), of an archive of 100,000 posts; then the
// answers' times are held against what is promised. Otherwise there are a few
// seconds of a tenth of it, a quarter as fast, and only that all is answered counts,
// and the memory.
const (
	loadPosts   = 100_000
	loadSmaller = 10
	loadRate    = 200 // requests a second
	loadSlower  = 4
	loadCrawl   = 40 // posts a second that the crawl archives
	loadMemory  = 300 << 20
	loadP99     = 50 * time.Millisecond
)

// load is a server under load.
type load struct {
	base  string
	posts int
	every time.Duration // a request is due
	m     *mirror.Mirror
	rand  *rand.Rand

	mu    sync.Mutex
	took  map[string][]time.Duration // by kind of page, from when it was due
	wrong []string
	bytes map[string]int64 // the most of a page over the wire
}

func TestLoad(t *testing.T) {
	seconds, smaller, every := 3, loadSmaller, loadSlower*time.Second/loadRate
	text := os.Getenv("FINARC_LOAD")
	if text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil || seconds < 1 {
			t.Fatalf("FINARC_LOAD: want a number of seconds from 1 on, not %q", text)
		}
		smaller, every = 1, time.Second/loadRate
	}
	posts := loadPosts / smaller
	m, err := mirror.New(mirror.Options{
		Posts: posts, Categories: 2000 / smaller, Seed: 1, Base: "http://mirror.example",
		Window: time.Duration(posts) * time.Hour / 300, CacheBytes: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "load.db")
	a, err := archive.OpenOrCreate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	commitAll(t, a, m, 0, posts, growthBatch)

	output(t, finarc, "search", "--rebuild", "--archive", path)

	server, base := serveArchive(t, path)
	own := watchOwn(t.Context(), server.Process.Pid)
	crawled := crawlMeanwhile(t, path, seconds)
	l := &load{
		base: base, posts: posts, every: every, m: m, rand: rand.New(rand.NewPCG(1, 2)),
		took: make(map[string][]time.Duration), bytes: make(map[string]int64),
	}
	l.warm(t)
	l.run(t, time.Duration(seconds)*time.Second)
	if err := <-crawled; err != nil {
		t.Errorf("crawl: %v", err)
	}
	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("finarc serve: %v", err)
	}
	memory := <-own
	if memory > loadMemory {
		t.Errorf("the server took %.0f MiB, want less than %d", memory/(1<<20), loadMemory>>20)
	}
	peak := server.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	cpu := server.ProcessState.UserTime() + server.ProcessState.SystemTime()
	t.Logf("memory: %.0f MiB of its own, %d MiB with what is mapped of the archive; processor: %v", memory/(1<<20), peak>>10, cpu)
	l.report(t, text != "")
}

// serveArchive runs finarc serve, until the test's end at the latest.
func serveArchive(t *testing.T, path string) (server *exec.Cmd, base string) {
	t.Helper()
	server = exec.CommandContext(t.Context(), finarc, "serve", "--addr", "127.0.0.1:0", "--archive", path)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(line, " at ")
	base, _, ok := strings.Cut(rest, "/ until")
	if !ok {
		t.Fatalf("finarc serve prints %q", line)
	}
	return server, base
}

// crawlMeanwhile runs a crawl that archives posts of another mirror at a pace.
func crawlMeanwhile(t *testing.T, path string, seconds int) <-chan error {
	t.Helper()
	m, err := mirror.New(mirror.Options{Posts: loadCrawl * seconds, Categories: 20, Seed: 2, Newest: time.Now(), Prerender: true})
	if err != nil {
		t.Fatal(err)
	}
	from := httptest.NewServer(m)
	t.Cleanup(from.Close)
	file := filepath.Join(t.TempDir(), "crawler.yaml")
	text := fmt.Sprintf(configuration, path, from.URL, 4)
	text = strings.ReplaceAll(text, "rate: 0", fmt.Sprintf("rate: %d", loadCrawl))
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	crawl := exec.CommandContext(t.Context(), finarc, "crawl", "-c", file, "--quiet", "--max-duration", fmt.Sprintf("%ds", seconds))
	crawl.Stderr = os.Stderr
	go func() { ended <- crawl.Run() }()
	return ended
}

// warm asks for what a server that has been running for a while has been asked for: the
// newest posts, the categories, and each of its days.
func (l *load) warm(t *testing.T) {
	t.Helper()
	paths := []string{"/", "/categories"}
	first, last := l.m.Post(0), l.m.Post(l.posts-1)
	for d := first.Day(); d <= last.Day(); d = d.Add(1) {
		paths = append(paths, "/day/"+d.String())
	}
	for _, path := range paths {
		if _, err := get(t.Context(), http.DefaultClient, l.base+path); err != nil {
			t.Fatal(err)
		}
	}
}

// run asks for pages at the rate of the load, whether or not the answers keep up.
func (l *load) run(t *testing.T, lasts time.Duration) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadRate, DisableCompression: true}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(l.every)
	defer tick.Stop()
	var asked sync.WaitGroup
	for began := time.Now(); time.Since(began) < lasts; {
		due := <-tick.C
		kind, path := l.pick()
		asked.Go(func() { l.ask(t.Context(), client, kind, path, due) })
	}
	asked.Wait()
}

// pick draws a page: mostly posts, as somebody who reads asks for them.
func (l *load) pick() (kind, path string) {
	p := l.m.Post(l.rand.IntN(l.posts))
	switch n := l.rand.IntN(20); {
	case n < 12:
		return "post", "/post/" + string(p.ID)
	case n < 16:
		return "day", fmt.Sprintf("/day/%s?after=%d-0", p.Day(), p.Published.Unix())
	case n < 18:
		return "search", "/search?q=" + url.QueryEscape(strings.ReplaceAll(string([]rune(p.Title)[:2]), `"`, ""))
	case n < 19:
		return "category", "/category/" + p.Categories()[0]
	}
	return "today", "/"
}

func (l *load) ask(ctx context.Context, client *http.Client, kind, path string, due time.Time) {
	size, err := get(ctx, client, l.base+path)
	took := time.Since(due)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.wrong = append(l.wrong, fmt.Sprintf("%s: %v", path, err))
		return
	}
	l.took[kind] = append(l.took[kind], took)
	l.bytes[kind] = max(l.bytes[kind], size)
}

// get asks for a page as browsers do, and returns how large it is over the wire.
func get(ctx context.Context, client *http.Client, url string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	size, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return size, err
}

// report tells what the answers took.
func (l *load) report(t *testing.T, promised bool) {
	t.Helper()
	for _, wrong := range l.wrong[:min(5, len(l.wrong))] {
		t.Error(wrong)
	}
	for _, kind := range []string{"post", "day", "search", "category", "today"} {
		took := l.took[kind]
		if len(took) == 0 {
			continue
		}
		slices.Sort(took)
		p99 := took[len(took)*99/100]
		t.Logf("%-9s %6d answers: 50%% within %v, 99%% within %v, all within %v; at most %d bytes over the wire",
			kind, len(took), took[len(took)/2], p99, took[len(took)-1], l.bytes[kind])
		if promised && p99 > loadP99 && kind != "category" && kind != "today" {
			t.Errorf("%s pages: 99%% within %v, want %v", kind, p99, loadP99)
		}
	}
}
