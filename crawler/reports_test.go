package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// TestReportsAddUp crawls many small worlds, drawn by chance, several times each
// while their clocks go on: two mirrors that live and have some texts otherwise
// than each other, and a site whose notes name an infoCode now and then; with
// faults, robots.txt, refreshes, limits, interruptions and a store that fails. The
// numbers of every report add up, with one another, with what is told meanwhile,
// with what the servers saw, with what the archive keeps, and with what it holds.
func TestReportsAddUp(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			newHistory(t, seed).live(6)
		})
	}
}

// history is the crawls of one world.
type history struct {
	*testing.T
	dice    *rand.Rand
	clock   atomic.Int64 // Unix seconds; moves between runs only
	mirrors []*front
	notes   *notes // nil: there are none
	archive *archive.Archive
	options crawler.Options
	broken  bool  // the last run left requests behind, which a server may come to only now
	silent  bool  // a mirror may end a connection without an answer
	news    int64 // posts reported as new
	runs    []*news.Run
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{T: t, dice: rand.New(rand.NewPCG(seed, 2)), archive: newArchive(t)}
	h.clock.Store(time.Date(2021, 12, 22, 8, 0, 0, 0, news.Shanghai).Unix())
	shared := h.dice.IntN(3) > 0
	o := randomMirror(h.dice)
	o.Window = time.Duration(1+h.dice.IntN(5)) * time.Hour
	o.Living = &mirror.Living{
		Now: h.now, Revised: h.dice.Float64() / 2, Relaid: h.dice.Float64() / 2,
		KeepShared: h.dice.IntN(3) == 0,
	}
	base := h.open(o)
	var err error
	h.options = faultOptions(base, h.archive, shared)
	h.options.Limits.Parallel, h.options.Now = 1+h.dice.IntN(8), h.now
	if h.dice.IntN(3) > 0 { // the same posts, some of them as they were before or after
		other := *o.Living
		other.Revised = h.dice.Float64()
		o.Living, o.Faults = &other, randomMirror(h.dice).Faults
		h.options.Mirrors = append(h.options.Mirrors, h.mirrorAt(h.open(o), "other", shared))
	}
	if h.dice.IntN(3) > 0 {
		h.notes = &notes{fixture: newFixture(t, map[string]string{}), dice: h.dice}
		at := h.mirrorAt(h.notes.base, "notes", shared)
		if h.notes.site, err = page.NewSite(at.Name, at.Site, at.Share, at.Text); err != nil {
			t.Fatal(err)
		}
		h.options.Mirrors = append(h.options.Mirrors, at)
	}
	return h
}

// open lets there be a mirror, and returns its address.
func (h *history) open(o mirror.Options) string {
	o.Faults = slices.DeleteFunc(o.Faults, func(f mirror.Fault) bool { return f.Name == "slow" || f.Name == "huge" })
	if h.dice.IntN(2) == 0 {
		o.Faults = append(o.Faults, mirror.Fault{Name: "ailing", Share: 0.3}, mirror.Fault{Name: "outages"})
	}
	h.silent = h.silent || slices.ContainsFunc(o.Faults, func(f mirror.Fault) bool { return f.Name == "unsteady" || f.Name == "ailing" })
	f := new(front)
	base := serve(h, f)
	o.Base = base
	var err error
	if f.mirror, err = mirror.New(o); err != nil {
		h.Fatal(err)
	}
	h.mirrors = append(h.mirrors, f)
	return base
}

// mirrorAt is the configuration of a mirror.
func (h *history) mirrorAt(base, name string, shared bool) config.Mirror {
	m := mirrorAt(base)
	m.Name = name
	if !shared {
		m.Share, m.Text = "", ""
	}
	return m
}

func (h *history) now() time.Time { return time.Unix(h.clock.Load(), 0).In(news.Shanghai) }

// live lets n runs follow one another.
func (h *history) live(n int) {
	for range n {
		for _, f := range h.mirrors {
			f.reset(drawRobots(h.dice))
		}
		if h.notes != nil {
			h.notes.change()
		}
		h.run()
		if h.Failed() {
			return
		}
		step := 60 * (1 + h.dice.Int64N(100))
		if h.dice.IntN(6) == 0 {
			step += 24 * 60 * 60 // robots.txt is asked for again
		}
		h.clock.Add(step)
	}
	h.checkLog()
}

// run crawls once: to the end, until it is interrupted at some batch, until a
// limit, or until the store fails.
func (h *history) run() {
	ctx, cancel := context.WithCancel(h.Context())
	defer cancel()
	o, left := h.options, 1+h.dice.IntN(6)
	ending := h.dice.IntN(8)
	o.Refresh = max(0, h.dice.IntN(5)-2)
	if ending == 2 {
		o.MaxRequests = 1 + h.dice.IntN(80)
	}
	commits := 0
	store := &faultyStore{Store: h.archive, commit: func(b *news.Batch) error {
		h.checkOnTheWay(b.Run)
		if commits++; ending == 0 && commits == left {
			return errDisk
		}
		return nil
	}}
	o.Store = store
	o.Progress = func(p crawler.Progress) {
		h.checkOnTheWay(&p.Run)
		if left--; ending == 1 && left == 0 {
			cancel()
		}
	}
	report, err := crawler.Run(ctx, o)
	checkReport(h, report)
	if err != nil && !errors.Is(err, errDisk) && !errors.Is(err, crawler.ErrUnreachable) {
		h.Fatalf("run: %v", err)
	}
	if sent := news.Total(report.Requests); o.MaxRequests > 0 && sent > o.MaxRequests {
		h.Errorf("%d requests, where %d were allowed", sent, o.MaxRequests)
	}
	h.runs = append(h.runs, report)
	h.news += int64(report.New)
	h.checkHeld(report, errors.Is(err, errDisk))
	broken := errors.Is(err, errDisk)
	if !broken && !h.broken {
		h.checkTraffic(report)
	}
	h.broken = broken
}

// checkOnTheWay checks a report that is not complete yet. A run that is killed
// leaves such a one.
func (h *history) checkOnTheWay(r *news.Run) {
	if !r.AddsUp() {
		h.Errorf("a report on the way does not add up: %+v", r)
	}
	checkHosts(h, r)
}

// checkHeld compares a report, and all so far, with what the archive holds.
func (h *history) checkHeld(r *news.Run, broken bool) {
	s := stats(h, h.archive)
	met := r.Pending + r.Skipped[news.SkippedDisallowed]
	switch whole := r.Lists.Failed+r.Lists.Disallowed+r.Lists.Pending == 0; {
	case broken:
		// The store is intact and only said that it was not, before it took the
		// batch: so nothing was committed that is not counted.
	case r.Ending == news.EndingDone && (s.Frontier < met || whole && s.Frontier != met):
		h.Errorf("%d posts pending, %d disallowed, %d in the frontier", r.Pending, met-r.Pending, s.Frontier)
	}
	if s.Posts != h.news {
		h.Errorf("%d posts reported as new, %d held", h.news, s.Posts)
	}
}

// checkTraffic compares a report with what the servers saw, which they count in
// the same way unless one of them ends a connection without an answer.
func (h *history) checkTraffic(r *news.Run) {
	kinds, statuses := map[news.PageKind]int{}, map[int]int{}
	for _, f := range h.mirrors {
		saw := f.mirror.Requests()
		saw.Kinds[news.KindRobots] += f.robots.asked
		saw.Statuses[200] += f.robots.asked
		add(kinds, saw.Kinds)
		add(statuses, saw.Statuses)
	}
	if h.notes != nil {
		k, s := h.notes.saw()
		add(kinds, k)
		add(statuses, s)
	}
	maps.DeleteFunc(kinds, func(_ news.PageKind, n int) bool { return n == 0 })
	maps.DeleteFunc(statuses, func(_, n int) bool { return n == 0 })
	if !h.silent && (!maps.Equal(r.Requests, kinds) || !maps.Equal(r.Statuses, statuses)) {
		h.Errorf("the report tells of %v and %v, the servers saw %v and %v", r.Requests, r.Statuses, kinds, statuses)
	}
}

func add[K comparable](sum, counts map[K]int) {
	for k, n := range counts {
		sum[k] += n
	}
}

// front is a mirror behind a robots.txt that changes between runs.
type front struct {
	mirror *mirror.Mirror

	mu     sync.Mutex
	robots struct {
		text  string // "": the mirror answers
		asked int
	}
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if text, ours := f.rules(r.URL.Path); ours {
		fmt.Fprint(w, text)
		return
	}
	f.mirror.ServeHTTP(w, r)
}

func (f *front) rules(path string) (text string, ours bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if path != "/robots.txt" || f.robots.text == "" {
		return "", false
	}
	f.robots.asked++
	return f.robots.text, true
}

// reset forgets what was asked for, and changes the rules.
func (f *front) reset(robots string) {
	f.mirror.ResetRequests()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.robots.text, f.robots.asked = robots, 0
}

// drawRobots draws a robots.txt, mostly of rules that disallow some of a
// mirror's posts or lists.
func drawRobots(dice *rand.Rand) string {
	return []string{
		"", "", "User-agent: *\nAllow: /\n", "User-agent: finarc\nDisallow: /*1.html$\nDisallow: /*5.html$\n",
		"User-agent: *\nDisallow: /category/\n", "User-agent: *\nDisallow: /*/2021/\nAllow: /*7.html\n", "User-agent: *\nDisallow: /html_News/\nDisallow: /NewsData/\n",
	}[dice.IntN(7)]
}

// notes is a site of a few posts, written by hand, of which one cannot tell by
// their addresses who they are: at any time a page may name an infoCode, another
// than before, that of another note, or none.
type notes struct {
	*fixture
	dice *rand.Rand
	site *page.Site
}

// change draws the site anew.
func (n *notes) change() {
	n.requests()
	const count = 8
	var links []string
	code := func(i int) string { return fmt.Sprintf("NW20211222222255%04d", i) }
	for i := range count {
		named, title := "/haiwan/2021/12/22/"+code(i)+".html", fmt.Sprintf("第%d条消息", len(links)+1)
		at := fmt.Sprintf("/zhanwu/2021/12/%d/开站%d.html", 20+i%3, i)
		text := strings.Repeat(sentence, 1+n.dice.IntN(2))
		n.put(at, "")
		n.put(named, "")
		links = append(links, at)
		switch way := n.dice.IntN(8); way {
		case 0: // gone
		case 1, 2, 3: // a note
			n.put(at, postPage(title, text, "", "zhanwu"))
		case 4, 5: // it names who it is
			n.put(at, postPage(title, text, code(i), "zhanwu"))
		case 6: // the one after it
			n.put(at, postPage(title, text, code((i+1)%count), "zhanwu"))
		case 7: // it has an address that tells
			n.put(at, postPage(title, text, code(i), "zhanwu"))
			n.put(named, postPage(title, text, code(i), "haiwan"))
			links = append(links, named)
		}
		if n.dice.IntN(4) == 0 {
			links = append(links, "{base}"+share+code(i))
		}
	}
	n.put("/", listPage(links...))
	n.put("/robots.txt", drawRobots(n.dice))
}

// saw returns what the site was asked for, and answered.
func (n *notes) saw() (map[news.PageKind]int, map[int]int) {
	kinds, statuses := map[news.PageKind]int{}, map[int]int{}
	for at, times := range n.requests() {
		path, query, _ := strings.Cut(at, "?")
		kinds[n.site.Kind(&url.URL{Scheme: "http", Host: strings.TrimPrefix(n.base, "http://"), Path: path, RawQuery: query})] += times
		status := 200
		if n.pages[at] == "" {
			status = 404
		}
		statuses[status] += times
	}
	return kinds, statuses
}

// checkLog checks that the archive keeps the reports as they were returned.
func (h *history) checkLog() {
	log, err := h.archive.Runs(h.Context(), 0)
	if err != nil || len(log) != len(h.runs) {
		h.Fatalf("%d runs in the log, %d were made, %v", len(log), len(h.runs), err)
	}
	slices.Reverse(log)
	for i := range log {
		checkReport(h, &log[i])
		if want := h.runs[i]; !log[i].Ended.IsZero() && (log[i].New != want.New || log[i].Discovered != want.Discovered || log[i].Pending != want.Pending) {
			h.Errorf("run %d is kept as %+v, and was %+v", log[i].ID, countsOf(&log[i]), countsOf(want))
		}
	}
}
