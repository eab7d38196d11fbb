package crawler_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/google/go-cmp/cmp"
)

// TestHugeList: the links of a list that is far longer than any real one are
// taken in batches, the report adds up and tells what is beyond the bound of a
// page, and a post that is found late is fetched at once, however many others
// of the frontier were tried in vain before it.
func TestHugeList(t *testing.T) {
	const beyond, gone, before = 10, page.MaxLinks / 100, 8 * page.MaxLinks / 10
	const late = "/haiwan/2021/12/22/NW202112222222541259.html"
	f := newFixture(t, map[string]string{
		"/":                            hugeList(page.MaxLinks + beyond - 1),
		path1:                          goodPage(),
		"/category/yanlancaijing.html": listPage(late),
		late:                           postPage("海湾", sentence, "NW202112222222541259", "haiwan"),
	})
	f.answer("/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "User-agent: *\nDisallow: /bi/\n") // most posts, so that the test is quick
	})
	a := newArchive(t)
	failBefore(t, a, f.base, before)
	most := 0
	o := options(f.base, &faultyStore{Store: a, commit: func(b *news.Batch) error {
		most = max(most, len(b.Found), len(b.Posts), len(b.Tried)+len(b.Failed))
		return nil
	}})
	o.Limits.MaxBody = 16 << 20
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	report := crawl(t, o)

	const disallowed = page.MaxLinks - before - gone - 1
	want := counts{
		Discovered: page.MaxLinks + 1, New: 2, Failed: map[string]int{"gone": gone},
		Skipped: map[string]int{news.SkippedFailed: before, news.SkippedDisallowed: disallowed},
	}
	if diff := cmp.Diff(want, countsOf(report)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if most > 8192 {
		t.Errorf("a batch held %d entries", most)
	}
	if n := len(report.Problems); n != 100 || !strings.Contains(report.Problems[0].Why, "10 links left out") {
		t.Errorf("%d problems, first %+v", n, report.Problems[0])
	}
	if s := stats(t, a); s.Frontier != disallowed || s.Failed != before+gone {
		t.Errorf("frontier %d, failed %d", s.Frontier, s.Failed)
	}
}

// hugeCode returns the infoCode of the i-th post of a huge list.
func hugeCode(i int) news.InfoCode {
	return news.InfoCode(fmt.Sprintf("NW20211222%010d", 2221000000+i))
}

// hugeList links a post that is there and n others, of which the last are gone
// and the others disallowed.
func hugeList(n int) string {
	links := []string{path1}
	for i := range n {
		dir := "bi"
		if i >= n-page.MaxLinks/100-10 {
			dir = "jia"
		}
		links = append(links, fmt.Sprintf("/%s/2021/12/22/%s.html", dir, hugeCode(i)))
	}
	return listPage(links...)
}

// failBefore enters the first n posts of a huge list as not to be had.
func failBefore(t *testing.T, a *archive.Archive, base string, n int) {
	t.Helper()
	var b news.Batch
	for i := range n {
		code := hugeCode(i)
		b.Failed = append(b.Failed, news.Wanted{
			ID: code.ID(), InfoCode: code, Mirror: "m", Attempts: 8, Error: "gone",
			Pages: []string{base + "/bi/2021/12/22/" + string(code) + ".html"},
		})
	}
	if _, err := a.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
}
