package crawler_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fate is what becomes of a post.
type fate struct {
	archived bool
	failed   string // the reason, for good
	why      string // what the error of a failed or pending post tells
	unread   bool   // its page is kept apart
	lacks    string
}

var (
	archived = fate{archived: true}
	gone     = fate{failed: "gone", why: "the server answers 404"}
)

// faultCases tell what becomes of posts with a fault: where share and text
// pages stand in for a page that cannot be had, and where there are none.
var faultCases = []struct {
	fault         string
	shared, alone fate
}{
	{"cut", archived, fate{why: "cut body: unexpected EOF"}},
	{"huge", archived, fate{failed: "body over limit", why: "body is larger than limits.max_body"}},
	{"mislabel", archived, archived},
	{"gbk", archived, archived},
	{"notitle", fate{archived: true, lacks: news.LacksTitle}, fate{archived: true, lacks: news.LacksTitle}},
	{"nodate", fate{archived: true, lacks: news.LacksPublished}, fate{archived: true, lacks: news.LacksPublished}},
	{"nocode", fate{archived: true, lacks: news.LacksInfoCode}, fate{archived: true, lacks: news.LacksInfoCode}},
	{"empty", archived, fate{failed: "empty body", why: "empty body", unread: true}},
	{"flaky", archived, archived},
	{"500", archived, fate{why: "status 500"}},
	{"404", archived, gone},
	{"gone", fate{failed: "gone"}, gone},
	{"slow", archived, archived},
	{"unsteady", archived, archived},
}

func TestEveryFault(t *testing.T) {
	tested := map[string]bool{
		"down-home": true, "no-categories": true, // by TestFaultsOfHome
		"ailing": true, "outages": true, // by TestLiving
	}
	for _, c := range faultCases {
		tested[c.fault] = true
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			testFault(t, 30, []mirror.Fault{{Name: c.fault, Share: 0.3}}, true)
		})
		t.Run(c.fault+" without share pages", func(t *testing.T) {
			t.Parallel()
			testFault(t, 30, []mirror.Fault{{Name: c.fault, Share: 0.3}}, false)
		})
	}
	for _, f := range mirror.Faults() {
		if !tested[f.Name] {
			t.Errorf("fault %s is not tested", f.Name)
		}
	}
}

// TestAllFaultsTogether lets every kind of fault hit some posts of one mirror.
func TestAllFaultsTogether(t *testing.T) {
	var faults []mirror.Fault
	for _, c := range faultCases {
		faults = append(faults, mirror.Fault{Name: c.fault, Share: 0.05})
	}
	t.Run("with share pages", func(t *testing.T) { t.Parallel(); testFault(t, 100, faults, true) })
	t.Run("alone", func(t *testing.T) { t.Parallel(); testFault(t, 100, faults, false) })
}

// faultOptions are those of a crawl whose bounds the faults break soon.
func faultOptions(base string, a *archive.Archive, shared bool) crawler.Options {
	o := options(base, a)
	o.Limits.Retries, o.Limits.MaxBody, o.Limits.Parallel = 1, 256<<10, 16
	if !shared {
		o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	}
	return o
}

func testFault(t *testing.T, posts int, faults []mirror.Fault, shared bool) {
	t.Helper()
	m, base := newMirror(t, mirror.Options{Posts: posts, Categories: 8, Seed: 3, Faults: faults})
	a := newArchive(t)
	report := crawl(t, faultOptions(base, a, shared))
	if !hit(m) {
		t.Fatal("the fault hits no post")
	}
	want := expected(m, shared)
	if diff := cmp.Diff(want, countsOf(report), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	checkFates(t, m, a, shared)
	if again := crawl(t, faultOptions(base, a, shared)); again.New != 0 || again.Pending != want.Pending {
		t.Errorf("run again: %+v", countsOf(again))
	}
	checkFates(t, m, a, shared)
}

func fateOf(name string, shared bool) fate {
	for _, c := range faultCases {
		switch {
		case c.fault != name:
		case shared:
			return c.shared
		default:
			return c.alone
		}
	}
	return archived
}

// expected counts what becomes of the mirror's posts.
func expected(m *mirror.Mirror, shared bool) counts {
	c := counts{Discovered: m.Len(), Failed: map[string]int{}}
	for i := range m.Len() {
		switch f := fateOf(m.FaultOf(i), shared); {
		case f.archived:
			c.New++
		case f.failed != "":
			c.Failed[f.failed]++
		default:
			c.Pending++
		}
	}
	return c
}

// hit reports whether a post of the mirror has a fault.
func hit(m *mirror.Mirror) bool {
	for i := range m.Len() {
		if m.FaultOf(i) != "" {
			return true
		}
	}
	return false
}

// checkFates checks that every post is where it belongs, and nowhere else.
func checkFates(t *testing.T, m *mirror.Mirror, a *archive.Archive, shared bool) {
	t.Helper()
	posts := held(t, a)
	wanted, failed := frontier(t, a)
	for i, p := range m.Posts() {
		f := fateOf(m.FaultOf(i), shared)
		rev, isHeld := posts[p.ID]
		waits, isWanted := wanted[p.ID]
		lost, isFailed := failed[p.ID]
		if isHeld != f.archived || isFailed != (f.failed != "") || isWanted != (!f.archived && f.failed == "") {
			t.Errorf("post %s with fault %q: archived %t, failed %t, pending %t", p.ID, m.FaultOf(i), isHeld, isFailed, isWanted)
			continue
		}
		if isHeld {
			checkFaulty(t, p, rev.Post, m.Standing(i).Best, f)
		}
		checkError(t, waits.Error+lost.Error, m.Standing(i).Path, f)
		checkApart(t, a, p.ID, f.unread)
	}
}

// checkFaulty compares a post that has a fault with the truth. GBK lacks some
// characters, for which a page has references: its text tells.
func checkFaulty(t *testing.T, want, got news.Post, from news.PageKind, f fate) {
	t.Helper()
	want = readable(want, from)
	want.Body, got.Body = page.Text(want.Body), page.Text(got.Body)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(news.Post{}, "Foot"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("post %s from its %s page (-want +got):\n%s", want.ID, from, diff)
	}
	if lacks := strings.Join(got.Lacks(), ","); lacks != f.lacks {
		t.Errorf("post %s lacks %q, want %q", want.ID, lacks, f.lacks)
	}
}

// checkError checks that an error is one line that tells what and where.
func checkError(t *testing.T, got, where string, f fate) {
	t.Helper()
	if f.archived {
		return
	}
	if !strings.HasPrefix(got, "GET http://127.0.0.1:") || !strings.Contains(got, f.why) || strings.Contains(got, "\n") {
		t.Errorf("error of %s: %q, want one line with its address and %q", where, got, f.why)
	}
}

func checkApart(t *testing.T, a *archive.Archive, id news.ID, want bool) {
	t.Helper()
	apart, err := a.Unread(t.Context(), id)
	switch {
	case !want && errors.Is(err, archive.ErrNoPost):
	case !want || err != nil:
		t.Errorf("post %s: kept apart: %+v, %v", id, apart, err)
	case apart.Capture.Status != 200 || apart.Why == "":
		t.Errorf("post %s: kept apart with status %d because of %q", id, apart.Capture.Status, apart.Why)
	}
}

// TestFaultsOfHome: a home page that is gone or empty is reported, and hides
// nothing that feed and sitemap tell.
func TestFaultsOfHome(t *testing.T) {
	for name, failed := range map[string]int{"down-home": 1, "no-categories": 0} {
		m, base := newMirror(t, mirror.Options{Posts: 60, Faults: []mirror.Fault{{Name: name}}})
		a := newArchive(t)
		report := crawl(t, options(base, a))
		if report.New != 60 || report.Lists.Failed != failed || len(report.Problems) != failed {
			t.Errorf("%s: %d posts archived, %d lists failed, problems %v", name, report.New, report.Lists.Failed, report.Problems)
		}
		checkTruth(t, m, held(t, a))
	}
}

// TestFaultsPass: what could not be had for now is had by a later run, and
// nothing else is asked for then.
func TestFaultsPass(t *testing.T) {
	s := new(stage)
	at := serve(t, s)
	o := mirror.Options{Posts: 120, Categories: 8, Seed: 3}
	a := newArchive(t)
	healthy := o
	o.Faults = []mirror.Fault{{Name: "500", Share: 0.3}, {Name: "cut", Share: 0.3}}
	want := expected(putMirror(t, s, at, o), false)
	crawl(t, faultOptions(at, a, false))
	before := held(t, a)

	m := putMirror(t, s, at, healthy)
	later := faultOptions(at, a, false)
	later.Now = tomorrow
	report := crawl(t, later)
	if report.New != want.Pending || report.Discovered != want.Pending || m.Requests().Kinds[news.KindPost] != want.Pending {
		t.Errorf("%d posts pending, then %+v with %d requests", want.Pending, countsOf(report), m.Requests().Kinds[news.KindPost])
	}
	checkTruth(t, m, held(t, a))
	checkKept(t, before, held(t, a))
}

// TestHostileMirrorHarmsNothing: what was archived before stays as it is,
// whatever the mirror does later.
func TestHostileMirrorHarmsNothing(t *testing.T) {
	s := new(stage)
	at := serve(t, s)
	o := mirror.Options{Posts: 100, Categories: 8, Seed: 9}
	a := newArchive(t)
	putMirror(t, s, at, o)
	crawl(t, options(at, a))
	before := held(t, a)
	for _, c := range faultCases {
		o.Faults = []mirror.Fault{{Name: c.fault, Share: 1}}
		m := putMirror(t, s, at, o)
		if _, err := m.Publish(5); err != nil {
			t.Fatal(err)
		}
		report, err := crawler.Run(t.Context(), faultOptions(at, a, true))
		if err != nil {
			t.Fatalf("%s: %v", c.fault, err)
		}
		checkReport(t, report)
		checkKept(t, before, held(t, a))
	}
}

func checkKept(t *testing.T, before, after map[news.ID]news.Revision) {
	t.Helper()
	for id, rev := range before {
		now := after[id]
		now.LastSeen = rev.LastSeen
		if diff := cmp.Diff(rev, now); diff != "" {
			t.Errorf("post %s changed (-before +after):\n%s", id, diff)
		}
	}
}

// TestUnreachable: a mirror that cannot be had at all is asked for its home
// page only, the error tells what and where, and the frontier stays.
func TestUnreachable(t *testing.T) {
	s := new(stage)
	at := serve(t, s)
	a := newArchive(t)
	putMirror(t, s, at, mirror.Options{Posts: 40, Faults: []mirror.Fault{{Name: "500", Share: 0.5}}})
	first := crawl(t, faultOptions(at, a, false))
	for name, edit := range map[string]func(*crawler.Options){
		"all":        func(*crawler.Options) {},
		"categories": func(o *crawler.Options) { o.Mirrors[0].Categories = []string{"emnews", "21caijing"} },
	} {
		requests := 0
		s.put(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			requests++
			w.WriteHeader(502)
		}))
		o := faultOptions(at, a, false)
		o.Limits.Robots, o.Limits.Parallel = false, 1
		edit(&o)
		report, err := runFailing(t, o)
		if !errors.Is(err, crawler.ErrUnreachable) || !strings.Contains(err.Error(), at) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", name, err)
		}
		if requests != 2 || report.Discovered != 0 {
			t.Errorf("%s: %d requests, report %+v", name, requests, countsOf(report))
		}
		if s := stats(t, a); s.Frontier != first.Pending || s.Posts != int64(first.New) {
			t.Errorf("%s: frontier %d of %d, posts %d of %d", name, s.Frontier, first.Pending, s.Posts, first.New)
		}
	}
}

// TestNoServer: nothing answers at the address.
func TestNoServer(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	_, err := runFailing(t, options(s.URL, newArchive(t)))
	if !errors.Is(err, crawler.ErrUnreachable) || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("error %v", err)
	}
}
