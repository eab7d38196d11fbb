//go:build unix

package e2e_test

import (
	"errors"
	"fmt"
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
// every five minutes. FINARC_WEEK sets how many days there are (make week: 7).
const (
	weekCategories = 2000
	weekAnHour     = 300
	weekQuiet      = 0.5
	weekWindow     = 72 * time.Hour
	weekStep       = 5 * time.Minute
)

// weekBegins is a Monday.
var weekBegins = time.Date(2021, 12, 20, 0, 0, 0, 0, news.Shanghai)

// weekDays returns how many days there are to be, n where nobody says.
func weekDays(t *testing.T, n int) int {
	t.Helper()
	text := os.Getenv("FINARC_WEEK")
	if text == "" {
		return n
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("FINARC_WEEK: want a number of days from 1 on, not %q", text)
	}
	return n
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

	runs     int                   // after the first, which asks for everything
	requests map[news.PageKind]int // of these
	gaps     []news.Gap
	longest  time.Duration // that a category page was left alone while the mirror answered
}

func newWeek(t *testing.T, bare bool) *week {
	w := &week{T: t, requests: map[news.PageKind]int{}}
	w.clock.Store(weekBegins.Unix())
	var err error
	w.mirror, err = mirror.New(mirror.Options{
		Posts: int(weekAnHour * weekWindow.Hours() * (7 - 2*weekQuiet) / 7), Categories: weekCategories, Seed: 1, Window: weekWindow,
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
		out.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = out.Write(w.index) // whoever went away needs no answer
	case w.index != nil && r.URL.Path == "/feed.xml", r.URL.Path == "/sitemap.xml":
		http.NotFound(out, r)
	default:
		w.mirror.ServeHTTP(out, r)
	}
}

// crawl makes one run.
func (w *week) crawl() {
	w.Helper()
	limits := config.Default().Limits
	limits.Rate, limits.Retries, limits.Parallel = 0, 1, 8
	report, err := crawler.Run(w.Context(), crawler.Options{
		Mirrors: []config.Mirror{mirrorAt("local", w.site)}, Limits: limits, Agent: "finarc/test", Command: "crawl local",
		Store: w.store, Now: w.now, Backoff: time.Millisecond,
	})
	if w.dead.Load() && errors.Is(err, crawler.ErrUnreachable) {
		return
	}
	if err != nil || !report.AddsUp() || report.Lists.Failed+report.Lists.Pending > 0 {
		w.Fatalf("%v: %v, %+v", w.now(), err, report)
	}
	w.gaps = append(w.gaps, report.Gaps...)
	if report.ID == 1 {
		return
	}
	w.runs++
	for kind, n := range report.Requests {
		w.requests[kind] += n
	}
}

// pass makes runs for a time.
func (w *week) pass(d time.Duration) {
	w.Helper()
	for end := w.now().Add(d); w.now().Before(end); {
		w.clock.Add(int64(weekStep / time.Second))
		w.crawl()
		if w.runs%12 == 0 && !w.dead.Load() {
			w.checkLists()
		}
	}
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
	missing []time.Time     // when those were published that are not archived
	delays  []time.Duration // from publication until the others were
}

// count holds the archive against the mirror.
func (w *week) count(from, to time.Time) (c tally) {
	w.Helper()
	seen := map[news.ID]time.Time{}
	for rev, err := range w.store.Select(w.Context(), archive.Selection{}) {
		if err != nil {
			w.Fatal(err)
		}
		seen[rev.ID] = rev.FirstSeen
	}
	for _, p := range w.mirror.Posts() {
		if p.Published.Before(from) || !p.Published.Before(to) {
			continue
		}
		c.posts++
		if at, ok := seen[p.ID]; ok {
			c.delays = append(c.delays, at.Sub(p.Published))
		} else {
			c.missing = append(c.missing, p.Published)
		}
	}
	slices.Sort(c.delays)
	return c
}

// within returns the time within which a share of the posts was archived.
func (c *tally) within(share float64) time.Duration {
	return c.delays[int(share*float64(len(c.delays)-1))].Round(time.Second)
}

// lists returns how many requests for list pages there were, and how many it takes
// to ask for every category page in every run.
func (w *week) lists() (asked, all int) {
	for kind, n := range w.requests {
		if kind.List() {
			asked += n
		}
	}
	return asked, w.runs * weekCategories
}

func (w *week) tell(c tally) {
	asked, all := w.lists()
	w.Logf("%d runs, %d posts published, %d archived; %d list pages asked for (%v), %.1f %% of %d; all requests %.1f %%",
		w.runs, c.posts, len(c.delays), asked, w.requests, 100*float64(asked)/float64(all), all, 100*float64(news.Total(w.requests))/float64(all))
	w.Logf("archived: half within %v, 90 %% within %v, 99 %% within %v; no category page left alone for longer than %v",
		c.within(.5), c.within(.9), c.within(.99), w.longest)
}

// tail is how long it takes until each category page had its turn.
const tail = weekWindow/6 + time.Hour

// TestWeek: all posts are archived, with a tenth of the requests, and half of them
// within ten minutes. First of a mirror as it is, then of one whose home page links
// no post and which has no feed, so that its category pages tell everything.
func TestWeek(t *testing.T) {
	days := weekDays(t, 1)
	for name, bare := range map[string]bool{"home and feed": false, "category pages alone": true} {
		t.Run(name, func(t *testing.T) {
			w := newWeek(t, bare)
			w.crawl()
			end := weekBegins.AddDate(0, 0, days)
			w.pass(end.Sub(weekBegins))
			w.pass(tail)
			w.judge(w.count(weekBegins.Add(weekStep), end))
		})
	}
}

// judge holds what came of a week against what must.
func (w *week) judge(c tally) {
	w.Helper()
	w.tell(c)
	if len(c.missing) > 0 {
		w.Errorf("%d of %d posts are missing, of %v", len(c.missing), c.posts, c.missing[:min(5, len(c.missing))])
	}
	if asked, all := w.lists(); 10*asked > all || 10*news.Total(w.requests) > all {
		w.Errorf("%d list pages were asked for, and %v in all; a tenth of all category pages each time would be %d", asked, w.requests, all/10)
	}
	if half := c.within(.5); half > 10*time.Minute {
		w.Errorf("half of the posts were archived within %v", half)
	}
	if w.longest > weekWindow/6 {
		w.Errorf("a category page was left alone for %v", w.longest)
	}
	if len(w.gaps) > 0 {
		w.Errorf("gaps: %+v", w.gaps)
	}
}
