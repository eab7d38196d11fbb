package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// manyLists is a site with more category pages than its runs ask for, and a clock.
type manyLists struct {
	*fixture
	*testing.T
	store  *archive.Archive
	now    time.Time
	budget int
	last   *news.Run
}

// newManyLists makes the site and lets a first run read it all.
func newManyLists(t *testing.T, pages, budget int) *manyLists {
	t.Helper()
	m := &manyLists{T: t, store: newArchive(t), now: time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai), budget: budget}
	m.fixture = newFixture(t, map[string]string{"/sitemap.xml": "<urlset></urlset>"})
	var links []string
	for i := range pages {
		links = append(links, m.category(i))
		m.put(m.category(i), listPage(m.post(i, i)))
		m.put(m.post(i, i), m.page(i, i))
	}
	m.put("/", listPage(links...))
	m.run()
	return m
}

func (m *manyLists) category(i int) string { return fmt.Sprintf("/category/c%d.html", i) }

// post returns the address of a category's post.
func (m *manyLists) post(category, n int) string {
	return fmt.Sprintf("/c%d/2021/12/22/NW202112222222%06d.html", category, n)
}

func (m *manyLists) page(category, n int) string {
	return postPage(fmt.Sprintf("第%d号公司公布订单", n), "<p>某公司今天公布了新的订单，数量比去年同期有所增加。</p>", fmt.Sprintf("NW202112222222%06d", n), fmt.Sprintf("c%d", category))
}

func (m *manyLists) options() crawler.Options {
	o := options(m.base, m.store)
	o.Now, o.Limits.Lists = func() time.Time { return m.now }, m.budget
	return o
}

// run makes a run, and returns how many category pages it asked for.
func (m *manyLists) run() int {
	m.Helper()
	m.requests()
	m.last = crawl(m, m.options())
	return m.last.Requests[news.KindCategory]
}

// wait makes a run after some time.
func (m *manyLists) wait(d time.Duration) int {
	m.Helper()
	m.now = m.now.Add(d)
	return m.run()
}

// TestBudget: all category pages are asked for where there are few enough, or
// nobody set a limit; otherwise the limit holds, and the report tells of the rest.
func TestBudget(t *testing.T) {
	m := newManyLists(t, 40, 10)
	if n := m.requests()["/category/c0.html"]; n != 1 || m.last.New != 40 || m.last.Lists.NotDue != 0 {
		t.Errorf("first run: %+v", m.last)
	}
	if n := m.wait(3 * time.Hour); n != 10 || m.last.Lists.NotDue != 30 || m.last.Lists.Read != 12 {
		t.Errorf("%d category pages were asked for: %+v", n, m.last.Lists)
	}
	m.budget = 40
	if n := m.wait(time.Hour); n != 40 || m.last.Lists.NotDue != 0 {
		t.Errorf("%d category pages were asked for: %+v", n, m.last.Lists)
	}
	m.budget = 0
	if n := m.wait(time.Minute); n != 40 || m.last.Lists.NotDue != 0 {
		t.Errorf("without a limit %d category pages were asked for: %+v", n, m.last.Lists)
	}
}

// TestBudgetGoesWhereMoved: of what is asked for, new pages come first, and those
// that the sitemap says have changed.
func TestBudgetGoesWhereMoved(t *testing.T) {
	m := newManyLists(t, 40, 1)
	m.put(m.category(7), listPage(m.post(7, 7), m.post(7, 107)))
	m.put(m.post(7, 107), m.page(7, 107))
	m.put("/sitemap.xml", `<urlset><url><loc>{base}/category/c7.html</loc><lastmod>2021-12-22T12:30:00+08:00</lastmod></url>
<url><loc>{base}/category/c8.html</loc><lastmod>2021-12-22T11:30:00+08:00</lastmod></url><url><loc>{base}/category/c40.html</loc></url></urlset>`)
	m.put(m.category(40), listPage(m.post(40, 40)))
	m.put(m.post(40, 40), m.page(40, 40))
	m.wait(time.Hour)
	if asked := m.requests(); m.last.New != 2 || asked[m.category(7)] != 1 || asked[m.category(40)] != 1 || m.last.Requests[news.KindCategory] != 2 {
		t.Errorf("%d new posts, asked for %v", m.last.New, asked)
	}
	lists, err := m.store.Lists(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		switch moved := time.Date(2021, 12, 22, 12, 30, 0, 0, news.Shanghai); {
		case strings.HasSuffix(l.URL, m.category(7)) && (!l.Moved.Equal(moved) || l.Visits.Alone != 1):
			t.Errorf("what is kept of a page that changed: %+v", l)
		case strings.HasSuffix(l.URL, m.category(40)) && l.Visits.Posts != 1:
			t.Errorf("what is kept of a new page: %+v", l)
		}
	}
}

// TestMovedIsRemembered: what a sitemap told of a page that a run did not come to
// counts in the next one, to which the sitemap says that it is as it was.
func TestMovedIsRemembered(t *testing.T) {
	m := newManyLists(t, 40, 1)
	sitemap := "<urlset>"
	for _, i := range []int{7, 8} {
		sitemap += fmt.Sprintf("<url><loc>%s%s</loc><lastmod>2021-12-22T12:30:00+08:00</lastmod></url>", m.base, m.category(i))
	}
	m.answer("/sitemap.xml", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "sitemap.xml", time.Time{}, strings.NewReader(sitemap+"</urlset>"))
	})
	asked := map[string]int{}
	for range 2 {
		m.wait(time.Hour)
		for at, n := range m.requests() {
			asked[at] += n
		}
	}
	if asked[m.category(7)] != 1 || asked[m.category(8)] != 1 || m.last.Lists.NotModified != 1 {
		t.Errorf("asked for %v, %+v", asked, m.last.Lists)
	}
}

// TestNamedCategories: category pages that the configuration names are counted
// once, and others not at all.
func TestNamedCategories(t *testing.T) {
	m := newManyLists(t, 40, 10)
	m.now = m.now.Add(time.Minute)
	o := m.options()
	for i := range 10 {
		o.Mirrors[0].Categories = append(o.Mirrors[0].Categories, fmt.Sprintf("c%d", i))
	}
	if report := crawl(t, o); report.Requests[news.KindCategory] != 10 || report.Lists.NotDue != 0 {
		t.Errorf("%v, %+v", report.Requests, report.Lists)
	}
}

// TestHomeTells: posts that the home page tells of are fetched at once, and their
// category's page comes before others.
func TestHomeTells(t *testing.T) {
	m := newManyLists(t, 40, 1)
	home := []string{m.post(9, 109)}
	for i := range 40 {
		home = append(home, m.category(i))
	}
	m.put("/", listPage(home...))
	m.put(m.post(9, 109), m.page(9, 109))
	m.wait(3 * time.Hour)
	if asked := m.requests(); m.last.New != 1 || asked[m.post(9, 109)] != 1 || asked[m.category(9)] != 1 {
		t.Errorf("%d new posts, asked for %v", m.last.New, asked)
	}
}

// TestStaleness: no page is left alone for longer than a sixth of the window,
// whatever the budget.
func TestStaleness(t *testing.T) {
	m := newManyLists(t, 40, 1)
	for range 12 {
		m.wait(time.Hour)
		lists, err := m.store.Lists(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lists {
			if age := m.now.Sub(l.Checked); l.Kind == news.KindCategory && age > 12*time.Hour {
				t.Errorf("%s was left alone for %v", l.URL, age)
			}
		}
	}
	if n := m.wait(13 * time.Hour); n != 40 {
		t.Errorf("after an outage %d of 40 category pages were asked for", n)
	}
}

// TestGaps: a report tells when pages were left alone for longer than the mirror
// shows a post, once.
func TestGaps(t *testing.T) {
	m := newManyLists(t, 40, 10)
	if m.wait(71 * time.Hour); len(m.last.Gaps) != 0 {
		t.Errorf("after 71 hours: %+v", m.last.Gaps)
	}
	began := m.now
	m.wait(80 * time.Hour)
	if g := m.last.Gaps; len(g) != 1 || g[0].Mirror != "m" || g[0].Lists != 40 || !g[0].From.Equal(began) || !g[0].To.Equal(m.now.Add(-72*time.Hour)) {
		t.Errorf("after 80 hours: %+v", g)
	}
	if m.wait(time.Hour); len(m.last.Gaps) != 0 {
		t.Errorf("an hour later: %+v", m.last.Gaps)
	}
}

// TestUnlisted: a post of which only a category page tells whose it is waits for
// that page, but not for longer than all of them take.
func TestUnlisted(t *testing.T) {
	m := newManyLists(t, 40, 1)
	m.now = m.now.Add(time.Second)
	share := func(n int) string { return fmt.Sprintf("/html_News/NewsShare.html?infoCode=NW202112222222%06d", n) }
	for n, listed := range map[int]bool{200: true, 201: false} {
		m.put(fmt.Sprintf("/NewsData/GetNewsText.do?id=NW202112222222%06d", n), fmt.Sprintf(
			`{"infoCode":"NW202112222222%06d","title":"第%[1]d号公司公布订单","showtime":"2021-12-22 10:37:15","text":"<p>某公司今天公布了新的订单，数量比去年同期有所增加。</p>"}`, n))
		if listed {
			m.put(m.category(3), listPage(m.post(3, 3), share(n)))
		}
	}
	home := []string{share(200), share(201)}
	for i := range 40 {
		home = append(home, m.category(i))
	}
	m.put("/", listPage(home...))
	m.run()
	if m.last.Skipped[news.SkippedUnlisted] == 0 || m.last.Pending != 0 {
		t.Errorf("at first %d of 2 posts wait for their category page, %d are pending", m.last.Skipped[news.SkippedUnlisted], m.last.Pending)
	}
	for range 13 {
		m.wait(time.Hour)
	}
	posts := held(t, m.store)
	if p := posts["202112222222000200"]; p.Category != "c3" || p.Fetched.After(m.now.Add(-time.Hour)) {
		t.Errorf("the post that is listed: %+v", p)
	}
	if _, ok := posts["202112222222000201"]; !ok {
		t.Error("the post that is listed nowhere is missing")
	}
}

// TestEndedBeforeThePlan: pages that a run did not come to choose from are pending.
func TestEndedBeforeThePlan(t *testing.T) {
	m := newManyLists(t, 40, 10)
	m.now = m.now.Add(time.Hour)
	o := m.options()
	o.MaxRequests = 1
	report, err := runUntil(t, o, news.EndingRequests)
	if err != nil || report.Lists.Pending < 40 || report.Lists.NotDue != 0 {
		t.Errorf("%+v, %v", report.Lists, err)
	}
}

// TestRhythmFails: the store's error ends the run.
func TestRhythmFails(t *testing.T) {
	m := newManyLists(t, 1, 10)
	o := m.options()
	o.Store = noHours{m.store}
	if _, err := crawler.Run(t.Context(), o); !errors.Is(err, errNoHours) {
		t.Errorf("got %v", err)
	}
}

var errNoHours = errors.New("no hours")

type noHours struct{ *archive.Archive }

func (noHours) Hourly(context.Context, time.Time) ([]news.HourCount, error) { return nil, errNoHours }

// TestLastmod: a mirror whose sitemap tells when category pages changed is asked for
// those alone that did.
func TestLastmod(t *testing.T) {
	now := time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)
	clock := func() time.Time { return now }
	m, base := newMirror(t, mirror.Options{Posts: 300, Categories: 60, Lastmod: true, Living: &mirror.Living{Now: clock}})
	o := options(base, newArchive(t))
	o.Now, o.Limits.Lists = clock, 30
	crawl(t, o)
	now = now.Add(5 * time.Minute)
	from, to := m.Len(), 0
	for to <= from {
		now = now.Add(time.Minute)
		to = m.Len()
	}
	m.ResetRequests()
	report := crawl(t, o)
	for i := from; i < to; i++ {
		if at := categoryPath(m.Post(i)); asked(m)[at] != 1 {
			t.Errorf("%s has a new post, and was asked for %d times", at, asked(m)[at])
		}
	}
	if report.New < to-from || report.Requests[news.KindCategory] > 30 {
		t.Errorf("%d new posts of %d: %+v", report.New, to-from, report)
	}
}

func categoryPath(p news.Post) string {
	return "/category/" + p.Category + ".html"
}
