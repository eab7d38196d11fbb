package archive_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
)

// The size of a round's world: few posts, so that chance meets each of them
// again and again.
const (
	simPosts   = 50 // with infoCode
	simPages   = 6  // without
	simMirrors = 3
)

// drawing draws what is committed. The same seed draws the same.
type drawing struct {
	*rand.Rand
	clock   time.Time // no capture is younger
	started uint64    // the last run
}

func newDrawing(seed uint64) drawing {
	return drawing{Rand: rand.New(rand.NewPCG(seed, 1)), clock: storetest.Noon.AddDate(0, 0, 7)}
}

// chance is true so often.
func (d *drawing) chance(p float64) bool { return d.Float64() < p }

// some returns up to n of what draw draws; mostly fewer.
func some[T any](d *drawing, n int, draw func() T) []T {
	var list []T
	for range d.IntN(d.IntN(n+1) + 1) {
		list = append(list, draw())
	}
	return list
}

func pageID(i int) news.ID {
	return news.ID(fmt.Sprintf("%s-%016x", []string{"00000000", "20211222"}[i%2], i))
}

func mirrorName(i int) string { return fmt.Sprint("mirror ", i) }

// tick lets some time pass, or none.
func (d *drawing) tick() time.Time {
	d.clock = d.clock.Add(time.Duration(d.IntN(5000)) * 700 * time.Millisecond)
	return d.clock
}

// batch draws a batch.
func (d *drawing) batch() news.Batch {
	most := 8
	if d.chance(0.05) {
		most = 120
	}
	b := news.Batch{
		Posts: some(d, most, d.post), Unread: some(d, 2, d.unread),
		Found: some(d, 8, d.link), Leads: some(d, 6, d.link),
		Tried: some(d, 4, d.tried), Failed: some(d, 4, d.tried), Attempts: 1 + d.IntN(4),
		Lists: some(d, 4, d.list), Seen: some(d, 4, d.seen), Hosts: some(d, 2, d.host),
	}
	if d.started > 0 && d.chance(0.4) {
		b.Run = d.run(1 + d.Uint64N(d.started))
	}
	return b
}

// post draws a sighting of a post, in one of the few states that it can be in.
func (d *drawing) post() news.Captured {
	i := d.IntN(simPosts + simPages)
	p := storetest.Sample(i)
	if i >= simPosts {
		p.Post.ID, p.Post.InfoCode = pageID(i-simPosts), ""
	}
	p.Wanted = news.Wanted{ID: p.Post.ID}
	switch d.IntN(10) {
	case 0:
		p.Wanted.ID = pageID(d.IntN(simPages)) // the link had it under another identity
	case 1:
		p.Wanted.ID = ""
	}
	d.state(&p)
	p.Capture.Fetched = d.fetched(p.Post.ID)
	p.Capture.Mirror = mirrorName(d.IntN(simMirrors))
	p.Capture.Mode = []news.Mode{news.ModeLive, news.ModeBackfill}[d.IntN(2)]
	if d.chance(0.1) { // another crawler's record of a revisit
		p.Revisit = &news.Revisit{URL: "https://other.example/", Status: []int{0, 200, 304}[d.IntN(3)]}
	}
	return p
}

// state draws what a post says.
func (d *drawing) state(p *news.Captured) {
	if d.chance(0.3) {
		p.Post.Title += strings.Repeat("（更正）", d.IntN(3))
		p.Post.Category = []string{"21caijing", "Guanchawang", "a b c", ""}[d.IntN(4)]
	}
	switch d.IntN(20) {
	case 0:
		p.Post.Published = time.Time{}
	case 1:
		p.Post.Published = storetest.Noon
	case 2:
		p.Post.Published = p.Post.Published.AddDate(0, d.IntN(12), 0)
	case 3:
		p.Post.Securities, p.Post.Tag, p.Post.Outlet = nil, "", ""
	case 4:
		p.Capture.Body = []byte(`{"text":""}`) // the body is no part of it
		return
	case 5:
		p.Post.Body = strings.Repeat(p.Post.Body, 1+d.IntN(2)*500)
	case 6:
		p.Post.Body, p.Post.Foot = "", ""
	}
	p.Capture.Body = fmt.Appendf(nil, "<html>%s%s%s<!-- %x --></html>", p.Post.Title, p.Post.Body, p.Post.Foot, d.Uint64N([]uint64{1, 1 << 32}[d.IntN(2)]))
}

// fetched draws when a post was captured: now and then before others of its
// post that are held already.
func (d *drawing) fetched(news.ID) time.Time {
	if d.chance(0.1) {
		return d.clock.Add(-time.Duration(d.IntN(100)) * time.Hour)
	}
	return d.tick()
}

func (d *drawing) unread() news.Captured {
	p := d.post()
	p.Wanted.Error = []string{"block page", "unreadable"}[d.IntN(2)]
	return p
}

// link draws a link to a post.
func (d *drawing) link() news.Wanted {
	i := d.IntN(simPosts + 10 + simPages) // some are never archived
	w := storetest.WantedOf(i)
	if i >= simPosts+10 {
		w.ID, w.InfoCode = pageID(i-simPosts-10), ""
	} else if d.chance(0.3) {
		w.InfoCode = news.InfoCode(w.InfoCode.Digits())
	}
	w.Mirror, w.Found = mirrorName(d.IntN(simMirrors)), d.clock
	w.Pages = some(d, 2, func() string { return fmt.Sprintf("https://mirror.example/%d/%d.html", i, d.IntN(3)) })
	w.Category = []string{"", "", "21caijing"}[d.IntN(3)]
	w.TitleSum = []uint32{0, 1, 2, news.TitleSum(storetest.Sample(i).Post.Title)}[d.IntN(4)]
	return w
}

// tried draws a post that was not to be had.
func (d *drawing) tried() news.Wanted {
	w := d.link()
	w.Attempts, w.Run, w.Error = 1+d.IntN(4), d.started, []string{"timeout", "gone"}[d.IntN(2)]
	if d.chance(0.5) {
		w.Next = d.clock.Add(time.Duration(d.IntN(100)) * time.Minute)
	}
	return w
}

// seen draws a sighting of what a mirror had, where it had something.
func (d *drawing) seen() news.Seen {
	p := storetest.Sample(d.IntN(simPosts))
	a := news.Revisit{Time: d.fetched("")}
	if d.chance(0.9) { // else nothing is known of the answer
		a.URL, a.Status, a.Proto = p.Capture.URL, 304, "HTTP/1.1"
		a.Header = http.Header{"Etag": {fmt.Sprint(d.IntN(9))}}
	}
	return news.Seen{ID: p.Post.ID, Mirror: mirrorName(d.IntN(simMirrors)), Answer: a}
}

// host draws what is remembered of a host: now and then of long ago.
func (d *drawing) host() news.Host {
	h := news.Host{Origin: fmt.Sprintf("https://%d.example", d.IntN(5))}
	if d.chance(0.3) {
		h.Paused = d.clock.Add(time.Duration(d.IntN(100)) * time.Hour)
	}
	if d.chance(0.7) {
		h.Robots = news.Robots{Status: 200, Body: fmt.Appendf(nil, "Disallow: /%d\n", d.IntN(9)), Fetched: d.clock.AddDate(0, 0, -d.IntN(5)*30)}
	}
	return h
}

func (d *drawing) list() news.ListPage {
	n := d.IntN(12)
	l := news.ListPage{URL: fmt.Sprintf("https://mirror.example/category/%d.html", n), Mirror: mirrorName(n % simMirrors), Kind: news.KindCategory}
	if d.chance(0.4) {
		return l // merely found
	}
	l.Checked, l.ETag = d.tick(), fmt.Sprintf(`"%x"`, d.IntN(100))
	if d.chance(0.2) {
		l.Gone = l.Checked
	} else {
		l.Read, l.LastModified = l.Checked, "Wed, 22 Dec 2021 04:00:00 GMT"
	}
	if d.chance(0.5) {
		l.Moved, l.Visits = d.clock, news.Visits{Posts: d.Float64(), Hours: d.Float64() * 100, Since: d.IntN(9)}
	}
	return l
}

// run draws the report of a run.
func (d *drawing) run(id uint64) *news.Run {
	return &news.Run{
		Ended: []time.Time{{}, d.clock}[d.IntN(2)], Pages: map[news.PageKind]news.PageCount{news.KindPost: {Read: d.IntN(9)}},
		ID: id, Command: "crawl", Mirrors: []string{mirrorName(0)}, Started: d.tick(), Ending: news.EndingRunning,
		New: d.IntN(100), Skipped: map[string]int{news.SkippedArchived: d.IntN(9)}, Statuses: map[int]int{200: d.IntN(9)},
	}
}

// universe names everything that the drawing can have drawn.
func (d *drawing) universe() storetest.Universe {
	var u storetest.Universe
	for i := range simPosts {
		u.IDs = append(u.IDs, storetest.Sample(i).Post.ID)
	}
	for i := range simPages {
		u.IDs = append(u.IDs, pageID(i))
	}
	for i := range simMirrors {
		u.Mirrors = append(u.Mirrors, mirrorName(i))
	}
	u.Selections = []archive.Selection{
		{}, {Oldest: true, Body: true}, {From: 20211223}, {To: 20211222, Oldest: true}, {From: 20211222, To: 20211222, Limit: 5},
		{Category: "21caijing"}, {Category: "B"}, {Tag: "观察网新闻", Oldest: true}, {Security: "600160"}, {Security: "1.600160", Limit: 3},
		{Mirror: mirrorName(1)}, {Mirror: mirrorName(2), Category: "guanchawang", Oldest: true}, {Limit: 10, Body: true},
		{First: true}, {First: true, Category: "21caijing", Oldest: true, Limit: 7},
		{After: 40, Oldest: true}, {UpTo: 60, Body: true}, {After: 30, UpTo: 90, Category: "21caijing"}, {After: 1 << 30},
		{All: true, Captures: true}, {All: true, After: 40, Oldest: true, Body: true},
	}
	for i, past := range u.Selections {
		past.AsOf = d.clock.Add(-time.Duration(i) * 5 * time.Hour)
		u.Selections = append(u.Selections, past)
	}
	return u
}
