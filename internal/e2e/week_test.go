//go:build unix

package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// A week is what cron would make of a mirror as large as the real one, in sped-up
// time: 2,000 categories, 300 posts an hour on trading days and fewer at weekends,
// few outlets large and most small, each post shown for three days, and a crawl
// every five minutes. FINARC_WEEK sets how many days there are (make week: 7);
// otherwise there are eight hours of a mirror that is a fifth as large.
const (
	weekCategories = 2000
	weekAnHour     = 300
	weekQuiet      = 0.5
	weekWindow     = 72 * time.Hour
	weekStep       = 5 * time.Minute
	weekSmaller    = 5
)

// weekBegins is a Monday morning.
var weekBegins = time.Date(2021, 12, 20, 9, 0, 0, 0, news.Shanghai)

// weekLasts returns for how long there are to be runs, and by what the mirror is
// smaller.
func weekLasts(t *testing.T) (lasts time.Duration, smaller int) {
	t.Helper()
	text := os.Getenv("FINARC_WEEK")
	if text == "" {
		return 8 * time.Hour, weekSmaller
	}
	days, err := strconv.Atoi(text)
	if err != nil || days < 1 {
		t.Fatalf("FINARC_WEEK: want a number of days from 1 on, not %q", text)
	}
	return time.Duration(days) * 24 * time.Hour, 1
}

// week is a mirror, its clock, and the runs that were made.
type week struct {
	*testing.T
	clock  atomic.Int64 // Unix seconds
	dead   atomic.Bool  // the mirror answers nobody
	mirror *mirror.Mirror
	index  []byte // in place of its home page, which then links no post, as of a mirror without feed; nil: its own
	site   string
	store  *archive.Archive
	lists  int // limits.lists

	runs     int
	requests map[news.PageKind]int
	gaps     []news.Gap
	longest  time.Duration // that a category page was left alone while the mirror answered
}

func newWeek(t *testing.T, smaller int, bare bool) *week {
	w := &week{T: t, lists: config.Default().Limits.Lists / smaller, requests: map[news.PageKind]int{}}
	w.clock.Store(weekBegins.Unix())
	var err error
	w.mirror, err = mirror.New(mirror.Options{
		Posts: int(weekAnHour*weekWindow.Hours()*(7-2*weekQuiet)/7) / smaller, Categories: weekCategories / smaller, Seed: 1, Window: weekWindow,
		ShareOnly: mirror.DefaultShareOnly, Living: &mirror.Living{Now: w.now, Weekends: weekQuiet},
	})
	if err != nil {
		t.Fatal(err)
	}
	if bare {
		w.index = w.links()
	}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.site = server.URL
	if w.store, err = archive.OpenOrCreate(t.Context(), filepath.Join(t.TempDir(), "a.db")); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *week) now() time.Time { return time.Unix(w.clock.Load(), 0).In(news.Shanghai) }

// links returns a page that links all category pages.
func (w *week) links() []byte {
	sitemap := httptest.NewRecorder()
	w.mirror.ServeHTTP(sitemap, httptest.NewRequest(http.MethodGet, "/sitemap.xml", nil))
	page := []byte("<html><body><ul>\n")
	for _, m := range regexp.MustCompile(`<loc>[^<]*(/category/[^<]*)</loc>`).FindAllStringSubmatch(sitemap.Body.String(), -1) {
		page = fmt.Appendf(page, "<li><a href=\"%s\">%[1]s</a></li>\n", m[1])
	}
	return append(page, "</ul></body></html>\n"...)
}

// ServeHTTP implements [http.Handler].
func (w *week) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	switch {
	case w.dead.Load():
		panic(http.ErrAbortHandler)
	case w.index != nil && r.URL.Path == "/":
		out.Header().Set("ETag", `"index"`)
		http.ServeContent(out, r, "index.html", time.Time{}, bytes.NewReader(w.index))
	case w.index != nil && r.URL.Path == "/feed.xml", r.URL.Path == "/sitemap.xml":
		http.NotFound(out, r)
	default:
		w.mirror.ServeHTTP(out, r)
	}
}

// crawl makes one run, of so many requests at most; 0: of as many as it takes.
func (w *week) crawl(most int) {
	w.Helper()
	limits := config.Default().Limits
	limits.Rate, limits.Retries, limits.Parallel, limits.Lists = 0, 1, 8, w.lists
	report, err := crawler.Run(w.Context(), crawler.Options{
		Mirrors: []config.Mirror{mirrorAt("local", w.site)}, Limits: limits, Agent: "finarc/test", Command: "crawl local",
		Store: w.store, Now: w.now, Backoff: time.Millisecond, MaxRequests: most,
	})
	if w.dead.Load() && errors.Is(err, crawler.ErrUnreachable) {
		return
	}
	if err != nil || !report.AddsUp() || most == 0 && report.Lists.Failed+report.Lists.Pending > 0 {
		w.Fatalf("%v: %v, %+v", w.now(), err, report)
	}
	w.gaps = append(w.gaps, report.Gaps...)
	w.runs++
	for kind, n := range report.Requests {
		w.requests[kind] += n
	}
}

// begin makes the first run, which asks for everything.
func (w *week) begin() {
	w.Helper()
	w.crawl(0)
	w.runs = 0
	clear(w.requests)
}

// sleep lets the clock go on.
func (w *week) sleep(d time.Duration) { w.clock.Add(int64(d / time.Second)) }

// pass makes runs for a time, one after each step.
func (w *week) pass(d, step time.Duration) {
	w.Helper()
	for end := w.now().Add(d); w.now().Before(end); {
		w.sleep(step)
		w.crawl(0)
		if w.runs%12 == 0 && !w.dead.Load() {
			w.checkLists()
		}
	}
}

// settle makes runs, which do not count, until each category page has had its turn.
func (w *week) settle() {
	w.Helper()
	runs, requests := w.runs, maps.Clone(w.requests)
	w.pass(weekWindow/6+time.Hour, 6*weekStep)
	w.runs, w.requests = runs, requests
}

// checkLists notes for how long the category pages were left alone.
func (w *week) checkLists() {
	w.Helper()
	lists, err := w.store.Lists(w.Context(), "local")
	if err != nil {
		w.Fatal(err)
	}
	for _, l := range lists {
		if l.Kind == news.KindCategory {
			w.longest = max(w.longest, w.now().Sub(l.Checked))
		}
	}
}

// tally is what became of the posts that were published in a time.
type tally struct {
	posts   int
	missing []news.Post     // those that are not archived
	strange int             // archived under another category, or none, though its own was known
	delays  []time.Duration // from publication until the others were
}

// count holds the archive against the mirror.
func (w *week) count(from, to time.Time) (c tally) {
	w.Helper()
	seen := map[news.ID]news.Revision{}
	first := map[string]time.Time{} // when the first post of a category was archived, whose page names the category's
	for rev, err := range w.store.Select(w.Context(), archive.Selection{}) {
		if err != nil {
			w.Fatal(err)
		}
		seen[rev.ID] = rev
		if at, ok := first[rev.Category]; !ok || rev.FirstSeen.Before(at) {
			first[rev.Category] = rev.FirstSeen
		}
	}
	for _, p := range w.mirror.Posts() {
		if p.Published.Before(from) || !p.Published.Before(to) {
			continue
		}
		c.posts++
		rev, ok := seen[p.ID]
		if !ok {
			c.missing = append(c.missing, p)
			continue
		}
		c.delays = append(c.delays, rev.FirstSeen.Sub(p.Published))
		if at, known := first[p.Category]; rev.Category != p.Category && known && at.Before(rev.FirstSeen) {
			c.strange++
		}
	}
	slices.Sort(c.delays)
	return c
}

// within returns the time within which a share of the posts was archived.
func (c *tally) within(share float64) time.Duration {
	return c.delays[int(share*float64(len(c.delays)-1))].Round(time.Second)
}

// asked returns how many requests for list pages there were, and how many it takes
// to ask for every category page in every run.
func (w *week) asked() (asked, all int) {
	for kind, n := range w.requests {
		if kind.List() {
			asked += n
		}
	}
	return asked, w.runs * w.lists * weekCategories / config.Default().Limits.Lists
}

// tell prints what came of it all.
func (w *week) tell(c *tally) {
	asked, all := w.asked()
	w.Logf("%d runs, %d posts published, %d archived; %d list pages asked for (%v), %.1f %% of %d; all requests %.1f %%",
		w.runs, c.posts, len(c.delays), asked, w.requests, 100*float64(asked)/float64(all), all, 100*float64(news.Total(w.requests))/float64(all))
	w.Logf("archived: half within %v, 90 %% within %v, 99 %% within %v; no category page left alone for longer than %v",
		c.within(.5), c.within(.9), c.within(.99), w.longest)
}

// TestWeek: all posts are archived, with a tenth of the requests, and half of them
// within ten minutes. First of a mirror as it is, then of one whose home page links
// no post and which has no feed, so that its category pages tell everything.
func TestWeek(t *testing.T) {
	lasts, smaller := weekLasts(t)
	for name, bare := range map[string]bool{"home and feed": false, "category pages alone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeek(t, smaller, bare)
			w.begin()
			w.pass(lasts, weekStep)
			end := w.now()
			w.settle()
			c := w.count(weekBegins.Add(time.Second), end)
			w.judge(&c)
			if len(c.missing) > 0 || len(w.gaps) > 0 {
				w.Errorf("%d of %d posts are missing, as %+v; gaps: %+v", len(c.missing), c.posts, c.missing[0], w.gaps)
			}
			if w.longest > weekWindow/6 {
				w.Errorf("a category page was left alone for %v", w.longest)
			}
		})
	}
}

// judge holds what came of it all against what must.
func (w *week) judge(c *tally) {
	w.Helper()
	w.tell(c)
	if asked, all := w.asked(); 10*asked > all || 10*news.Total(w.requests) > all {
		w.Errorf("%d list pages were asked for, and %v in all; a tenth of all category pages each time would be %d", asked, w.requests, all/10)
	}
	if c.strange > 0 {
		w.Errorf("%d posts are archived under another category", c.strange)
	}
	if half := c.within(.5); half > 10*time.Minute {
		w.Errorf("half of the posts were archived within %v", half)
	}
}

// TestWeekOutages: the crawler is away for a day, and then the mirror for another,
// and all is archived that was there afterwards. Then the crawler is away for longer
// than the mirror remembers, with some posts known and not got yet. What was lost
// is told: it lies in the gap of the next report, or failed by name.
func TestWeekOutages(t *testing.T) {
	lasts, smaller := weekLasts(t)
	w := newWeek(t, smaller, true)
	w.begin()
	w.pass(lasts/4, weekStep)
	w.sleep(24 * time.Hour)
	w.pass(lasts/4, weekStep)
	w.dead.Store(true)
	w.pass(24*time.Hour, time.Hour)
	w.dead.Store(false)
	w.pass(lasts/4, weekStep)
	if len(w.gaps) > 0 {
		t.Errorf("gaps: %+v", w.gaps)
	}
	w.sleep(time.Hour)
	w.crawl(20)
	left := w.now()
	w.sleep(4 * 24 * time.Hour)
	back := w.now().Add(weekStep)
	w.pass(lasts/4, weekStep)
	end := w.now()
	w.settle()

	c := w.count(weekBegins.Add(time.Second), end)
	w.tell(&c)
	w.checkLost(&c, left, back)
}

// checkLost checks that what is missing was gone when the crawler came back, and
// that its reports tell of it.
func (w *week) checkLost(c *tally, left, back time.Time) {
	w.Helper()
	failures, err := w.store.Failures(w.Context(), "", 1<<20)
	if err != nil {
		w.Fatal(err)
	}
	named, unseen := 0, 0
	for _, p := range c.missing {
		inGap := slices.ContainsFunc(w.gaps, func(g news.Gap) bool { return !p.Published.Before(g.From) && !p.Published.After(g.To) })
		byName := slices.ContainsFunc(failures, func(f news.Wanted) bool { return f.ID == p.ID })
		switch {
		case p.Published.Add(weekWindow).After(back):
			w.Errorf("%s, published at %v, was there when the crawler came back, and is missing", p.ID, p.Published)
		case byName:
			named++
		case inGap:
			unseen++
		default:
			w.Errorf("%s, published at %v, is missing, and nothing tells of it; gaps: %+v", p.ID, p.Published, w.gaps)
		}
	}
	w.Logf("left at %v, back at %v: %d posts lost, %d of them by name, the others in %+v", left, back, len(c.missing), named, w.gaps)
	if named == 0 || unseen == 0 || len(w.gaps) != 1 || !w.gaps[0].To.Equal(back.Add(-weekWindow)) {
		w.Errorf("%d posts failed by name, %d came and went; gaps: %+v", named, unseen, w.gaps)
	}
}
