//go:build unix

package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
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
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
)

// A load is what many readers ask of finarc serve while a crawl writes: all of it is
// answered, and the server's memory, files and goroutines come to no more at the end
// than at the beginning. How long answers took is told, and held against nothing.
//
// FINARC_LOAD sets for how many seconds (make load: 60), FINARC_LOAD_POSTS of how many
// posts. Otherwise there are a few seconds of few posts, a quarter as fast, which is
// too short for growth to be told.
const (
	loadPosts   = 100_000
	loadSmaller = 10
	loadRate    = 200 // requests a second
	loadSlower  = 4
	loadCrawl   = 40 // posts a second that the crawl archives
	loadMemory  = 300 << 20
	loadConns   = 64 // connections at a time; who finds none free waits
	loadLooks   = 80 // at the vitals
)

// loadWarm is for how long pages are asked for before growth is told, so that what
// the server keeps of them is full.
const loadWarm = 30 * time.Second

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
	lasts, warm, posts, every := 3*time.Second, time.Duration(0), loadPosts/loadSmaller, loadSlower*time.Second/loadRate
	long := os.Getenv("FINARC_LOAD") != ""
	if long {
		lasts, warm, posts, every = time.Duration(numberIn(t, "FINARC_LOAD", 0))*time.Second, loadWarm, numberIn(t, "FINARC_LOAD_POSTS", loadPosts), time.Second/loadRate
	}
	path, m := loadArchive(t, posts)
	server, base := serveArchive(t, path)
	watch := watchMemory(t.Context(), server.Process.Pid)
	crawled := crawlMeanwhile(t, path, int((warm + lasts).Seconds()))
	l := &load{
		base: base, posts: posts, every: every, m: m, rand: rand.New(rand.NewPCG(1, 2)),
		took: make(map[string][]time.Duration), bytes: make(map[string]int64),
	}
	l.warm(t)
	l.run(t, warm)
	watched := l.watched(t, path, server.Process.Pid, lasts)
	if err := <-crawled; err != nil {
		t.Errorf("crawl: %v", err)
	}
	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("finarc serve: %v", err)
	}
	memory := <-watch
	if memory.own > loadMemory {
		t.Errorf("the server took %.0f MiB, want less than %d", memory.own/(1<<20), loadMemory>>20)
	}
	cpu := server.ProcessState.UserTime() + server.ProcessState.SystemTime()
	t.Logf("memory at most: %.0f MiB of its own, %.0f MiB with what is mapped of the archive; processor: %v", memory.own/(1<<20), memory.peak/(1<<20), cpu)
	watched.report(t, long)
	l.report(t)
}

// numberIn reads a number, from 1 on, from the environment; unset, it is usual.
func numberIn(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: want a number from 1 on, not %q", name, text)
	}
	return n
}

// loadArchive makes an archive of generated posts, and its index.
func loadArchive(t *testing.T, posts int) (path string, m *mirror.Mirror) {
	t.Helper()
	m, err := mirror.New(mirror.Options{
		Posts: posts, Categories: max(1, posts/50), Seed: 1, Base: "http://mirror.example",
		Window: time.Duration(posts) * time.Hour / 300, CacheBytes: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "load.db")
	began := time.Now()
	a, err := archive.OpenOrCreate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	commitAll(t, a, m, 0, posts, growthBatch)
	output(t, finarc, "search", "--rebuild", "--archive", path)
	t.Logf("%d posts were archived and indexed in %v", posts, time.Since(began).Round(time.Second))
	return path, m
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
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: loadConns, MaxIdleConnsPerHost: loadConns, DisableCompression: true}}
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

// watched runs the load, and returns how the server was meanwhile.
func (l *load) watched(t *testing.T, path string, pid int, lasts time.Duration) vitals {
	t.Helper()
	file, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := context.WithCancel(t.Context())
	watched := watchVitals(ctx, vitalsOf(float64(file.Size())), pid, l.base, lasts/loadLooks)
	l.run(t, lasts)
	done()
	return <-watched
}

// pick draws a page: mostly posts, as somebody who reads asks for them.
func (l *load) pick() (kind, path string) {
	p := l.m.Post(l.rand.IntN(l.posts))
	switch n := l.rand.IntN(40); {
	case n < 24:
		return "post", "/post/" + string(p.ID)
	case n < 32:
		return "day", fmt.Sprintf("/day/%s?after=%d-0", p.Day(), p.Published.Unix())
	case n < 36:
		return "search", "/search?q=" + url.QueryEscape(strings.ReplaceAll(string([]rune(p.Title)[:2]), `"`, ""))
	case n < 37:
		return "category", "/category/" + p.Categories()[0]
	case n < 38 && len(p.Securities) > 0:
		return "security", "/security/" + p.Securities[0].Security.String()
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
func (l *load) report(t *testing.T) {
	t.Helper()
	for _, wrong := range l.wrong[:min(5, len(l.wrong))] {
		t.Error(wrong)
	}
	for _, kind := range slices.Sorted(maps.Keys(l.took)) {
		took := l.took[kind]
		slices.Sort(took)
		t.Logf("%-9s %6d answers: 50%% within %v, 99%% within %v, all within %v; at most %d bytes over the wire",
			kind, len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], l.bytes[kind])
	}
}
