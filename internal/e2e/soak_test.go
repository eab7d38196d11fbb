//go:build unix

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// A soak is many runs in a row, as a timer starts them, on a mirror that lives:
// it publishes, revises, forgets and fails. FINARC_SOAK sets how many runs (make
// soak: 200), FINARC_CRASH_SEED what is drawn.

// soakRuns returns how many runs there are to be, n where nobody says.
func soakRuns(t *testing.T, n int) int {
	t.Helper()
	text := os.Getenv("FINARC_SOAK")
	if text == "" {
		return n
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 4 {
		t.Fatalf("FINARC_SOAK: want a number from 4 on, not %q", text)
	}
	return n
}

// Between two runs the mirror's clock goes on for so long.
const (
	shortestStep = 15 * time.Minute
	longestStep  = 40 * time.Minute
)

// A soak lasts as long as so many posts, one after the other, are shown.
const windows = 5

// soak is a living mirror, its clock, another mirror of the same posts, and what
// must be in an archive of both.
type soak struct {
	*testing.T
	dice   *rand.Rand
	clock  atomic.Int64 // Unix seconds
	mirror *mirror.Mirror
	site   string
	other  *mortal
	// due are the posts that a run cannot have missed.
	due map[int]bool
}

func newSoak(t *testing.T, runs, agony int) *soak {
	s := &soak{T: t, dice: chance(t), due: map[int]bool{}}
	s.clock.Store(time.Date(2021, 12, 20, 9, 0, 0, 0, news.Shanghai).Unix())
	window := max(time.Hour, time.Duration(runs)*(shortestStep+longestStep)/2/windows)
	o := mirror.Options{
		Posts: min(50+4*runs, 500), Categories: 12, Seed: s.dice.Uint64(), Window: window, ShareOnly: 0.1, CacheBytes: -1,
		Living: &mirror.Living{Now: s.now, Revised: 0.2, Relaid: 0.2},
		Faults: []mirror.Fault{{Name: "ailing", Share: 0.03}, {Name: "unsteady", Share: 0.02}, {Name: "outages"}},
	}
	s.mirror = s.open(o)
	s.site = s.serve(s.mirror)
	o.Faults = []mirror.Fault{{Name: "unsteady", Share: 0.05}}
	s.other = &mortal{mirror: s.open(o), agony: agony}
	s.other.site = s.serve(s.other)
	return s
}

func (s *soak) open(o mirror.Options) *mirror.Mirror {
	s.Helper()
	m, err := mirror.New(o)
	if err != nil {
		s.Fatal(err)
	}
	return m
}

func (s *soak) serve(h http.Handler) string {
	server := httptest.NewServer(h)
	s.Cleanup(server.Close)
	return server.URL
}

// mortal is a mirror that dies now and then.
type mortal struct {
	mirror *mirror.Mirror
	site   string

	mu            sync.Mutex
	dies, returns int // after which request, and up to which, it is dead
	asked         int
	agony         int // the most requests for which it is dead in the middle of a run
}

// ServeHTTP implements [http.Handler].
func (m *mortal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.dead() {
		panic(http.ErrAbortHandler)
	}
	m.mirror.ServeHTTP(w, r)
}

// dead counts a request, and reports whether there is nobody to answer it.
func (m *mortal) dead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	return m.dies < m.asked && m.asked <= m.returns
}

// live draws whether it dies in the next run: at once and for all of it, or in the
// middle and for a moment.
func (m *mortal) live(dice *rand.Rand) {
	m.mirror.ResetRequests()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked, m.dies, m.returns = 0, 0, 0
	switch dice.IntN(6) {
	case 0:
		m.returns = math.MaxInt
	case 1, 2:
		m.dies = dice.IntN(60)
		m.returns = m.dies + 1 + dice.IntN(m.agony)
	}
}

func (s *soak) now() time.Time { return time.Unix(s.clock.Load(), 0).In(news.Shanghai) }

// pass lets the mirror's clock go on.
func (s *soak) pass(d time.Duration) { s.clock.Add(int64(d / time.Second)) }

// step lets it go on to the next run.
func (s *soak) step() {
	s.pass(shortestStep + time.Duration(s.dice.Int64N(int64(longestStep-shortestStep))))
	s.mirror.ResetRequests()
	s.other.live(s.dice)
}

// checkReport checks that the numbers of a report add up.
func (s *soak) checkReport(r *news.Run) {
	s.Helper()
	if !r.AddsUp() {
		s.Errorf("run %d does not add up: %+v", r.ID, r)
	}
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
		s.Errorf("run %d (%s) tells of %d requests, %d retries and %d bytes, and of its hosts %d, %d and %d",
			r.ID, r.Ending, sent, r.Retries, r.Bytes, requests, retries, bytes)
	}
	if !maps.Equal(statuses, r.Statuses) {
		s.Errorf("run %d tells of answers %v, and of its hosts %v", r.ID, r.Statuses, statuses)
	}
}

// completed notes what a run that was done must have found: what was shown all
// the while, and could be had.
func (s *soak) completed(began, ended time.Time) {
	s.Helper()
	if s.outage(began, ended) {
		return
	}
	_, to, err := s.mirror.ShownAt(began)
	from, _, err2 := s.mirror.ShownAt(ended)
	if err := errors.Join(err, err2); err != nil {
		s.Fatal(err)
	}
	for i := from; i < to; i++ {
		life, err := s.mirror.Life(i)
		if err != nil {
			s.Fatal(err)
		}
		failing := !life.Fails.IsZero() && life.Fails.Before(ended.Add(time.Second)) && life.Heals.After(began)
		if !failing {
			s.due[i] = true
		}
	}
}

// outage reports whether the mirror's host failed at one of two moments.
func (s *soak) outage(moments ...time.Time) bool {
	s.Helper()
	for _, at := range moments {
		how, err := s.mirror.OutageAt(at)
		if err != nil {
			s.Fatal(err)
		}
		if how != "" && how != "down-home" {
			return true
		}
	}
	return false
}

// judge holds an archive against what the mirror served: every post that is due
// is there, and each that is there is as the mirror had it at some time.
func (s *soak) judge(path string) (posts int) {
	s.Helper()
	output(s.T, finarc, "verify", "--archive", path)
	a, err := archive.Open(s.Context(), path)
	if err != nil {
		s.Fatal(err)
	}
	numbers := make(map[news.ID]int)
	for i, p := range s.mirror.Posts() {
		numbers[p.ID] = i
	}
	held := make(map[int]bool)
	for rev, err := range a.Select(s.Context(), archive.Selection{Body: true}) {
		if err != nil {
			s.Fatal(err)
		}
		i, ok := numbers[rev.ID]
		if !ok || !s.served(i, &rev) {
			s.Errorf("%s was never served as %q", rev.ID, rev.Title)
		}
		held[i] = true
	}
	for i := range s.due {
		if !held[i] {
			life, _ := s.mirror.Life(i)
			s.Errorf("post %d of %d, shown from %v to %v, is missing: %s", i, s.mirror.Len(), life.From, life.Until, known(s.T, a, s.mirror.Post(i).ID))
		}
	}
	s.Logf("%d posts published, %d of them due, %d held", s.mirror.Len(), len(s.due), len(held))
	return len(held)
}

// known tells what an archive knows of a post that it lacks.
func known(t *testing.T, a *archive.Archive, id news.ID) string {
	t.Helper()
	for what, ask := range map[string]func(context.Context, news.ID, int) ([]news.Wanted, error){"waits": a.Wanted, "failed": a.Failures} {
		list, err := ask(t.Context(), "", math.MaxInt32)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list {
			if w.ID == id {
				return fmt.Sprintf("%s, linked by mirror %s with pages %q, after %d attempts, the last by run %d: %q", what, w.Mirror, w.Pages, w.Attempts, w.Run, w.Error)
			}
		}
	}
	return "never met"
}

// served reports whether the mirror ever showed the i-th post like that.
func (s *soak) served(i int, rev *news.Revision) bool {
	life, err := s.mirror.Life(i)
	if err != nil {
		s.Fatal(err)
	}
	return slices.ContainsFunc(life.States, func(state mirror.State) bool {
		p, err := s.mirror.PostAt(i, state.From)
		if err != nil {
			s.Fatal(err)
		}
		return p.Title == rev.Title && p.Body == rev.Body
	})
}

// TestSoak runs the program itself again and again.
func TestSoak(t *testing.T) {
	runs := soakRuns(t, 12)
	s := newSoak(t, runs, 8) // with more, its host is left alone for seconds
	dir := t.TempDir()
	p := &programSoak{soak: s, config: filepath.Join(dir, "crawler.yaml"), db: filepath.Join(dir, "a.db")}
	both := strings.Replace(configuration, "limits:\n", otherMirror+"limits:\n", 1)
	writeFile(t, p.config, fmt.Sprintf(both, p.db, s.site, 12, s.other.site)+
		"  retries: 1\n  robots: true\n  put_off: 1ms\n") // its clock is a thousand times as fast as ours
	for n := range runs {
		p.once(n)
		if t.Failed() {
			return
		}
		s.step()
	}
	held := p.judge(p.db)
	if p.counted+p.uncounted != held {
		t.Errorf("%d posts reported as new, %d more by runs that were killed, %d held", p.counted, p.uncounted, held)
	}
	p.checkLog()
	p.checkMemory()
	t.Logf("%d runs: %v", len(p.said), p.endings)
}

// otherMirror is the configuration of a second mirror.
const otherMirror = `  - name: other
    site: %[4]s/
    share: %[4]s/html_News/NewsShare.html?infoCode={infoCode}
    text: %[4]s/NewsData/GetNewsText.do?id={infoCode}
`

// programSoak is a soak of the program as processes.
type programSoak struct {
	*soak
	config, db string
	said       []news.Run    // reports that runs printed
	counted    int           // posts that they told to be new
	uncounted  int           // posts of runs that could tell nothing
	peaks      []float64     // of runs that were left alone, in bytes
	took       time.Duration // by the last of them
	endings    endings
}

// endings counts how runs ended.
type endings struct{ done, failed, down, busy, limited, interrupted, killed int }

// once lets one run be made, in one way or another.
func (p *programSoak) once(n int) {
	before, said, killed := p.posts(), len(p.said), p.endings.killed
	switch way := p.dice.IntN(13); {
	case n > 0 && way == 0:
		p.cutShort(syscall.SIGKILL)
	case n > 0 && way == 1:
		p.cutShort(syscall.SIGINT)
	case way == 2:
		p.together()
	case way == 3:
		p.run(func() { p.pass(10 * time.Minute) })
	case way == 4, way == 5:
		p.run(nil, "--refresh", p.yesterday())
	case way == 6:
		p.bounded("--max-requests", strconv.Itoa(1+p.dice.IntN(100)))
	case way == 7:
		p.bounded("--max-duration", max(time.Millisecond, time.Duration(p.dice.Int64N(int64(p.took)+1))).String())
	default:
		p.run(nil)
	}
	told := 0
	for _, r := range p.said[said:] {
		told += r.New
	}
	gained := p.posts() - before
	p.counted += told
	p.uncounted += gained - told
	if told > gained || told < gained && p.endings.killed == killed {
		p.Errorf("run %d told of %d new posts, and there are %d more", n, told, gained)
	}
}

// posts returns how many the archive holds.
func (p *programSoak) posts() int {
	p.Helper()
	if !exists(p.db) {
		return 0
	}
	a, err := archive.Open(p.Context(), p.db)
	if errors.Is(err, archive.ErrMissing) {
		return 0
	}
	if err != nil {
		p.Fatal(err)
	}
	stats, err := a.Stats(p.Context(), time.Time{})
	if err != nil {
		p.Fatal(err)
	}
	return int(stats.Posts)
}

// crawl is a run of the program.
type crawl struct {
	*exec.Cmd
	out, err bytes.Buffer
	began    time.Time // by the mirror's clock
	peak     <-chan float64
}

func (p *programSoak) start(flags ...string) *crawl {
	p.Helper()
	c := &crawl{began: p.now()}
	c.Cmd = exec.CommandContext(p.Context(), finarc, append([]string{"crawl", "-c", p.config, "--json"}, flags...)...)
	c.Stdout, c.Stderr = &c.out, &c.err
	if err := c.Start(); err != nil {
		p.Fatal(err)
	}
	c.peak = watchPeak(p.Context(), c.Process.Pid)
	return c
}

// end waits for a run and takes its report, if it made one. It returns its exit
// code, -1 where a signal ended it.
func (p *programSoak) end(c *crawl) int {
	p.Helper()
	_ = c.Wait() // the code tells
	code := c.ProcessState.ExitCode()
	var r news.Run
	if c.out.Len() > 0 {
		if err := json.Unmarshal(c.out.Bytes(), &r); err != nil {
			p.Fatalf("exit code %d, report %q: %v", code, &c.out, err)
		}
		p.checkReport(&r)
		p.said = append(p.said, r)
	}
	limited := r.Ending == news.EndingRequests || r.Ending == news.EndingDuration
	if limited {
		p.endings.limited++
	}
	want := map[int]string{0: news.EndingDone, 3: news.EndingDone, 1: news.EndingFailed, 130: news.EndingInterrupted}
	if limited && code != 0 && code != 3 || !limited && r.Ending != "" && r.Ending != want[code] || r.Ending == "" && (code == 0 || code == 1 || code == 3) {
		p.Fatalf("a run that ended as %q has exit code %d\n%s%s", r.Ending, code, &c.out, &c.err)
	}
	if r.Ending == news.EndingDone {
		p.completed(c.began, p.now())
	}
	p.count(c, code)
	return code
}

func (p *programSoak) count(c *crawl, code int) {
	e := &p.endings
	switch code {
	case 0:
		e.done++
	case 3:
		e.failed++
	case 1:
		if !p.outage(c.began, p.now()) {
			p.Errorf("a run failed though the mirror was there\n%s", &c.err)
		}
		e.down++
	case 4:
		e.busy++
	case 130:
		e.interrupted++
	case -1:
		e.killed++
	default:
		p.Errorf("exit code %d\n%s", code, &c.err)
	}
}

// yesterday returns how many days ago, by the program's clock, it was a day ago by
// the mirrors'.
func (p *programSoak) yesterday() string {
	return strconv.Itoa(1 + int(time.Since(p.now())/(24*time.Hour)))
}

// bounded makes a run that ends early, and in order.
func (p *programSoak) bounded(flag, limit string) {
	p.Helper()
	c, said := p.start(flag, limit), len(p.said)
	p.end(c)
	for _, r := range p.said[said:] {
		if n, err := strconv.Atoi(limit); err == nil && news.Total(r.Requests) > n {
			p.Errorf("run %d sent %v, which are more than %d requests", r.ID, r.Requests, n)
		}
	}
}

// run makes a run and leaves it alone; meanwhile happens while it is on.
func (p *programSoak) run(meanwhile func(), flags ...string) {
	c := p.start(flags...)
	if meanwhile != nil {
		timer := time.AfterFunc(time.Duration(p.dice.Int64N(int64(p.took)+1)), meanwhile)
		defer timer.Stop()
	}
	began := time.Now()
	if p.end(c) == 0 {
		p.took = time.Since(began)
		p.peaks = append(p.peaks, <-c.peak)
	}
}

// cutShort makes a run and sends it a signal.
func (p *programSoak) cutShort(signal syscall.Signal) {
	c := p.start()
	timer := time.AfterFunc(time.Duration(p.dice.Int64N(int64(p.took)+1)), func() { _ = c.Process.Signal(signal) }) // it may have ended
	defer timer.Stop()
	p.end(c)
}

// together starts two runs at once: only one of them crawls at a time. The
// other says so, or waits its turn.
func (p *programSoak) together() {
	var flags []string
	if p.dice.IntN(2) == 0 {
		flags = []string{"--wait", "1m"}
	}
	one, two := p.start(flags...), p.start(flags...)
	first, second := p.end(one), p.end(two)
	if first == 4 && second == 4 || flags != nil && (first == 4 || second == 4) {
		p.Errorf("of two runs with %q one ended with %d, the other with %d\n%s%s", flags, first, second, &one.err, &two.err)
	}
}

// checkLog checks that the archive has all reports, and that they add up.
func (p *programSoak) checkLog() {
	p.Helper()
	log := make(map[uint64]news.Run)
	dec := json.NewDecoder(strings.NewReader(output(p.T, finarc, "runs", "--limit", "0", "--json", "--archive", p.db)))
	for dec.More() {
		var r news.Run
		if err := dec.Decode(&r); err != nil {
			p.Fatal(err)
		}
		p.checkReport(&r)
		log[r.ID] = r
	}
	for _, r := range p.said {
		if kept := log[r.ID]; kept.New != r.New || kept.Discovered != r.Discovered || kept.Pending != r.Pending || !kept.Ended.Equal(r.Ended) {
			p.Errorf("run %d is kept as %+v, and said %+v", r.ID, kept, r)
		}
	}
	if unended := len(log) - len(p.said); unended < 0 || unended > p.endings.killed {
		p.Errorf("%d runs in the log, %d reports, %d runs killed", len(log), len(p.said), p.endings.killed)
	}
}

// mostGrowth is how much more memory, by the median, a run of the last quarter
// may take than one of the first: the archive that it maps has grown meanwhile.
const mostGrowth = 1.5

func (p *programSoak) checkMemory() {
	p.Helper()
	n := len(p.peaks) / 4
	if n == 0 || slices.Min(p.peaks) == 0 {
		p.Log("memory was not measured")
		return
	}
	early, late := slices.Max(p.peaks[:n]), slices.Max(p.peaks[len(p.peaks)-n:])
	p.Logf("peak memory of %d runs: %.1f MiB in the first quarter, %.1f in the last", len(p.peaks), early/(1<<20), late/(1<<20))
	if late > mostGrowth*early {
		p.Errorf("the last runs take %.1f MiB, the first took %.1f", late/(1<<20), early/(1<<20))
	}
}

// watchPeak looks at a process until it has ended, and then tells the most
// resident memory that it had. Its usage as its parent is told it would count
// what the parent had when it began it.
func watchPeak(ctx context.Context, pid int) <-chan float64 {
	peak := make(chan float64, 1)
	go func() {
		most := 0.0
		for ctx.Err() == nil {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, line, ok := strings.Cut(string(status), "VmHWM:")
			if err != nil || !ok {
				break // it has ended, or this is no Linux
			}
			var kib float64
			if _, err := fmt.Sscan(line, &kib); err == nil {
				most = max(most, kib*1024)
			}
			time.Sleep(2 * time.Millisecond)
		}
		peak <- most
	}()
	return peak
}

// TestSoakInside makes runs in this process, each with the archive opened
// anew: what is archived is what was shown at that moment, and neither memory
// nor file handles nor goroutines stay behind.
func TestSoakInside(t *testing.T) {
	runs := soakRuns(t, 30)
	s := newSoak(t, runs, 100)
	path := filepath.Join(t.TempDir(), "a.db")
	limits := config.Default().Limits
	limits.Rate, limits.Retries, limits.Parallel, limits.Robots = 0, 1, 6, true
	early := min(20, runs/2)
	var before left
	total := 0
	for n := range runs {
		report, err := insideRun(t, s, path, limits)
		switch {
		case err == nil && report.Ending == news.EndingDone:
			s.completed(s.now(), s.now())
		case err == nil && (report.Ending == news.EndingRequests || report.Ending == news.EndingDuration):
		case !errors.Is(err, crawler.ErrUnreachable):
			t.Fatalf("run %d ended as %s: %v", n, report.Ending, err)
		}
		s.checkReport(report)
		total += report.New
		if n+1 == early {
			before = whatIsLeft(t)
		}
		s.step()
	}
	after := whatIsLeft(t)
	t.Logf("after run %d: %v; after run %d: %v", early, before, runs, after)
	if after.files > before.files || after.goroutines > before.goroutines || after.heap > before.heap+before.heap/2 {
		t.Errorf("after run %d there were %v, after run %d %v", early, before, runs, after)
	}
	if held := s.judge(path); held != total {
		t.Errorf("%d posts reported as new, %d held", total, held)
	}
	s.judgeMoments(path)
}

func insideRun(t *testing.T, s *soak, path string, limits config.Limits) (*news.Run, error) {
	t.Helper()
	a, err := archive.OpenOrCreate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	o := crawler.Options{
		Mirrors: []config.Mirror{mirrorAt("local", s.site), mirrorAt("other", s.other.site)},
		Limits:  limits, Agent: "finarc/test", Command: "crawl local", Store: a, Now: s.now, Backoff: time.Millisecond,
	}
	switch s.dice.IntN(8) {
	case 0, 1:
		o.Refresh = 1
	case 2:
		o.MaxRequests = 1 + s.dice.IntN(100)
	case 3:
		o.MaxDuration = time.Duration(1 + s.dice.Int64N(int64(100*time.Millisecond)))
	}
	return crawler.Run(t.Context(), o)
}

// mirrorAt is the configuration of a mirror.
func mirrorAt(name, site string) config.Mirror {
	return config.Mirror{
		Name: name, Site: site + "/", Share: site + "/html_News/NewsShare.html?infoCode=" + config.InfoCodeMark,
		Text: site + "/NewsData/GetNewsText.do?id=" + config.InfoCodeMark,
	}
}

// judgeMoments checks that each post is as the mirror showed it when it was
// captured.
func (s *soak) judgeMoments(path string) {
	s.Helper()
	a, err := archive.Open(s.Context(), path)
	if err != nil {
		s.Fatal(err)
	}
	for i, want := range s.mirror.Posts() {
		rev, err := a.Post(s.Context(), want.ID)
		if errors.Is(err, archive.ErrNoPost) {
			continue
		}
		if err == nil {
			want, err = s.mirror.PostAt(i, rev.Fetched)
		}
		if err != nil {
			s.Fatal(err)
		}
		if rev.Title != want.Title || rev.Body != want.Body {
			s.Errorf("%s, captured at %v, is %q, and was %q", rev.ID, rev.Fetched, rev.Title, want.Title)
		}
	}
}

// left is what a process has open and holds.
type left struct {
	files, goroutines int
	heap              uint64
}

func (l left) String() string {
	return fmt.Sprintf("%d files, %d goroutines, %d KiB of heap", l.files, l.goroutines, l.heap>>10)
}

// whatIsLeft counts once what is ending has had time to end.
func whatIsLeft(t *testing.T) left {
	t.Helper()
	var l left
	for range 50 { // the server notices on its own time that its clients are gone
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		open, _ := os.ReadDir("/proc/self/fd") // none where this is no Linux
		now := left{len(open), runtime.NumGoroutine(), m.HeapAlloc}
		if now.files == l.files && now.goroutines == l.goroutines {
			return now
		}
		l = now
		time.Sleep(20 * time.Millisecond)
	}
	return l
}
