package storetest

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Noon is when the first sample was published.
var Noon = time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)

// Sample returns the i-th post of a little news agency, a minute younger than
// the one before, and its capture.
func Sample(i int) news.Captured {
	published := Noon.Add(time.Duration(i) * time.Minute)
	code := news.InfoCode(fmt.Sprintf("NW%s%010d", published.Format("20060102"), 2222300000+i))
	category := []string{"21caijing", "guanchawang", "Career In  touxingPEVC"}[i%3]
	tag := []string{"21财经新闻", "观察网新闻", "Career In  投行PEVC新闻"}[i%3]
	p := news.Post{
		ID: code.ID(), InfoCode: code, Title: fmt.Sprintf("第%d号公司公布订单", i), Published: published,
		Category: category, Tag: tag, Outlet: news.OutletOfTag(tag), Source: "某社",
		Body:       fmt.Sprintf("<p>　　第%d号公司今天公布了新的订单，数量为%d件，比去年同期有所增加。</p>", i, i*37),
		Foot:       fmt.Sprintf(`<p><a href="http://share.example/NewsShare.html?infoCode=%s">%s</a></p>`, code, code),
		Related:    []news.InfoCode{"202112212222200001"},
		Securities: []news.Mention{{Security: news.Security{Market: i % 2, Code: "600160"}, Name: "某股份", Count: 2}},
		Boards:     []news.Mention{{Security: news.Security{Market: 90, Code: "BK0493"}, Name: "某板块", Count: 1}},
	}
	c := news.Capture{
		URL:    "https://mirror.example/x/2021/12/22/" + string(code) + ".html",
		Status: 200, Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		Fetched: published.Add(90 * time.Second), Mode: news.ModeLive, Mirror: []string{"m", "n"}[i/5%2], Kind: news.KindPost,
	}
	s := news.Captured{Post: p, Capture: c, Wanted: news.Wanted{ID: p.ID}}
	s.Capture.Body = pageOf(&s.Post)
	return s
}

// pageOf returns the page on which a post stands.
func pageOf(p *news.Post) []byte {
	return []byte("<html><h1>" + p.Title + "</h1>\n" + p.Body + "\n\n" + p.Foot + "</html>")
}

// Samples returns the first n samples.
func Samples(n int) []news.Captured {
	list := make([]news.Captured, n)
	for i := range list {
		list[i] = Sample(i)
	}
	return list
}

// Later returns a sighting of the same page, so much later.
func Later(p news.Captured, by time.Duration) news.Captured {
	p.Capture.Fetched = p.Capture.Fetched.Add(by)
	return p
}

// Corrected returns a sighting of the post, so much later, with another title.
func Corrected(p news.Captured, title string, by time.Duration) news.Captured {
	p = Later(p, by)
	p.Post.Title = title
	p.Capture.Body = pageOf(&p.Post)
	return p
}

// AsFile returns the post as an import brings it, so much later, with another
// title.
func AsFile(p news.Captured, title string, by time.Duration) news.Captured {
	p = Corrected(p, title, by)
	p.Capture.URL, p.Capture.Kind, p.Capture.Mode = "file:///"+title+".md", news.KindJekyll, news.ModeImport
	p.Capture.Status, p.Capture.Proto, p.Capture.Header = 0, "", nil
	return p
}

// WantedOf returns the link that leads to a sample.
func WantedOf(i int) news.Wanted {
	p := Sample(i).Post
	return news.Wanted{ID: p.ID, InfoCode: p.InfoCode, Mirror: "m", FoundOn: "https://mirror.example/", Found: Noon}
}

// Diff tells in what two values differ, or "". Times are compared as moments,
// and no list is an empty one.
func Diff(want, got any) string {
	if reflect.DeepEqual(want, got) { // the quick way to no difference
		return ""
	}
	return cmp.Diff(want, got, cmp.Comparer(time.Time.Equal), cmpopts.EquateEmpty())
}

// wantSame fails the test where two values differ.
func wantSame(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// do returns what a call returns, which must not fail.
func do[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// commit commits a batch.
func commit(t *testing.T, s Store, b news.Batch) news.Committed {
	t.Helper()
	done, err := s.Commit(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// put commits posts.
func put(t *testing.T, s Store, posts ...news.Captured) []news.Change {
	t.Helper()
	return commit(t, s, news.Batch{Posts: posts}).Posts
}

// found commits links.
func found(t *testing.T, s Store, links ...news.Wanted) []news.Standing {
	t.Helper()
	return commit(t, s, news.Batch{Found: links, Attempts: 8}).Found
}

// post returns a post that must be held.
func post(t *testing.T, s Store, id news.ID) news.Revision {
	t.Helper()
	return do[news.Revision](t)(s.Post(t.Context(), id))
}

// selected returns what a selection means.
func selected(t *testing.T, s Store, q archive.Selection) []news.Revision {
	t.Helper()
	var list []news.Revision
	for rev, err := range s.Select(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rev)
	}
	return list
}

// idsOf returns the identities of revisions.
func idsOf(list []news.Revision) []news.ID {
	ids := make([]news.ID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return ids
}

// waiting are a store's lists of wanted posts.
type waiting struct{ Frontier, Leads, Failed []news.Wanted }

// waitingIn returns all wanted posts of a store.
func waitingIn(t *testing.T, s Store) waiting {
	t.Helper()
	all := do[[]news.Wanted](t)
	return waiting{
		Frontier: all(s.Wanted(t.Context(), "", 1<<20)), Leads: all(s.Leads(t.Context(), "", 1<<20)),
		Failed: all(s.Failures(t.Context(), "", 1<<20)),
	}
}
