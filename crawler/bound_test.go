package crawler_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

// TestHugeList: the links of a list that is far longer than any real one are
// taken in batches, whatever comes of them, and the report adds up.
func TestHugeList(t *testing.T) {
	const posts, disallowed = 60_000, 50_000
	f := newFixture(t, map[string]string{"/": hugeList(posts)})
	f.answer("/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "User-agent: *\nDisallow: /bi/\n") // most posts, so that the test is quick
	})
	a := newArchive(t)
	most := 0
	o := options(f.base, &faultyStore{Store: a, commit: func(b *news.Batch) error {
		most = max(most, len(b.Found), len(b.Posts), len(b.Tried)+len(b.Failed))
		return nil
	}})
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	report := crawl(t, o)
	if report.Discovered != posts || report.Failed["gone"] != posts-disallowed || report.Skipped[news.SkippedDisallowed] != disallowed {
		t.Errorf("report %+v", countsOf(report))
	}
	if most > 8192 {
		t.Errorf("a batch held %d entries", most)
	}
	if n := len(report.Problems); n == 0 || n > 100 {
		t.Errorf("the report lists %d problems", n)
	}
	if s := stats(t, a); s.Frontier != disallowed || s.Failed != posts-disallowed {
		t.Errorf("frontier %d, failed %d", s.Frontier, s.Failed)
	}
}

// hugeList links n posts, one in six of which robots.txt lets be asked for.
func hugeList(n int) string {
	links := make([]string, n)
	for i := range links {
		dir := "bi"
		if i%6 == 0 {
			dir = "jia"
		}
		links[i] = fmt.Sprintf("/%s/2021/12/22/NW20211222%010d.html", dir, 2222000000+i)
	}
	return listPage(links...)
}

// TestLateCategory: a post that is found late is fetched at once, however many
// others of the frontier were tried in vain before.
func TestLateCategory(t *testing.T) {
	const disallowed = 40_000
	const late = "/haiwan/2021/12/22/NW202112222222541259.html"
	links := make([]string, disallowed)
	for i := range links {
		links[i] = fmt.Sprintf("/bi/2021/12/22/NW20211222%010d.html", 2221000000+i)
	}
	f := newFixture(t, map[string]string{
		"/":                            listPage(append(links, path1)...),
		path1:                          goodPage(),
		"/category/yanlancaijing.html": listPage(late),
		late:                           postPage("海湾", sentence, "NW202112222222541259", "haiwan"),
	})
	f.answer("/robots.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "User-agent: *\nDisallow: /bi/\n") })
	o := options(f.base, newArchive(t))
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	begin := time.Now()
	report := crawl(t, o)
	if took := time.Since(begin); report.New != 2 || report.Skipped[news.SkippedDisallowed] != disallowed || took > 6*time.Second {
		t.Errorf("report %+v after %v", countsOf(report), took)
	}
}

// TestTooManyLinks: what is beyond the bound of a page is told.
func TestTooManyLinks(t *testing.T) {
	links := make([]string, 100_010)
	for i := range links {
		links[i] = fmt.Sprintf("/bi/2021/12/22/NW20211222%010d.html", 2222000000+i)
	}
	f := newFixture(t, map[string]string{"/": listPage(links...)})
	f.answer("/robots.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "User-agent: *\nDisallow: /bi/\n") })
	o := options(f.base, newArchive(t))
	o.Limits.MaxBody = 16 << 20
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	report := crawl(t, o)
	if report.Discovered != 100_000 || !strings.Contains(report.Problems[0].Why, "10 links left out") {
		t.Errorf("%d posts met, first problem %+v", report.Discovered, report.Problems[0])
	}
}
