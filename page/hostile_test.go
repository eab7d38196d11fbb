package page

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
)

// hostileSize is that of the largest page that a crawl takes by default.
const hostileSize = 8 << 20

// fill repeats what unit makes until it is a page of size bytes.
func fill(size int, unit func(i int) string) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.WriteString(unit(i))
	}
	return b.String()
}

func repeat(unit string) func(size int) string {
	return func(size int) string { return strings.Repeat(unit, size/len(unit)) }
}

// hostilePages are pages that no mirror sends, each of about a size.
var hostilePages = []struct {
	name string
	make func(size int) string
}{
	{"nested elements", func(size int) string {
		n := min(size/30, 100_000)
		return strings.Repeat("<div>", n) + strings.Repeat("<b><i>", size/12-n) + strings.Repeat("</div>", n)
	}},
	{"nested containers", repeat(`<div class="content"><p class="time">`)},
	{"loading containers", repeat(`<p class="content">loading</p>`)},
	{"nested lists", repeat("<ul><li>")},
	{"nested links", repeat(`<a href="/a/2021/12/22/b.html"><b>`)},
	{"nested small print", repeat("<small><em>2021-12-22 10:37 ")},
	{"headings", repeat("<h1>a</h1>")},
	{"stamps", repeat("<small>2021-12-22 10:37</small><h1>a</h1>")},
	{"unclosed headings", repeat("<h1><h2>")},
	{"paragraphs", repeat("<p>")},
	{"carriage returns", repeat("\r<b>")},
	{"line breaks of two", repeat("\r\n<p>一</p>")},
	{"titles of nothing", repeat("<title>\x00</title>")},
	{"feet", repeat(`<p><a href="/">返回首页</a></p>`)},
	{"shared pages", repeat(`<p><a href="http://share.example/NewsShare.html?infoCode=NW202112222222306968">://</a></p>`)},
	{"hidden paragraphs", func(size int) string {
		return testStamp + "<h1>a</h1>" + strings.Repeat(`<p style="display:none"></p>`, size/28)
	}},
	{"securities", func(size int) string {
		return testStamp + "<h1>a</h1>" + fill(size, func(i int) string { return fmt.Sprintf(`<a data-code="1,%d">x</a>`, i) })
	}},
	{"related headings", repeat("<h3>相关报道</h3>")},
	{"megabyte attributes", func(size int) string {
		long := strings.Repeat("a", 1<<20)
		return fill(size, func(int) string {
			return `<a href="/` + long + `" class="` + long + `" id="content ` + long + `" data-code="` + long + `" style="` + long + `">a</a>`
		})
	}},
	{"a million attributes", func(size int) string {
		return "<a " + fill(size, func(i int) string { return fmt.Sprintf("a%d ", i) }) + ">"
	}},
	{"a million valued attributes", func(size int) string {
		return "<p>" + fill(size, func(i int) string { return fmt.Sprintf(`<a b%d=">" `, i) }) + ">"
	}},
	{"many attributes, then many tags", func(size int) string {
		return "<a " + fill(size/2, func(i int) string { return fmt.Sprintf("a%d ", i) }) + ">" + strings.Repeat("<a b></a>", size/18)
	}},
	{"many tags of many attributes", func(size int) string {
		tag := "<a " + fill(60<<10, func(i int) string { return fmt.Sprintf("a%d ", i) }) + ">"
		return strings.Repeat(tag+strings.Repeat("<b c>", 4096), size/(len(tag)+5*4096))
	}},
	{"a megabyte of a name", func(size int) string { return "<" + strings.Repeat("a", size) + ">" }},
	{"a megabyte of a title", func(size int) string {
		return testStamp + "<title>" + strings.Repeat("标", size/6) + "</title><h1>" + strings.Repeat("标", size/6) + "</h1>"
	}},
	{"a long base", func(size int) string {
		return `<base href="/` + strings.Repeat("a", 1<<20) + `/">` + strings.Repeat("<a href=b.html>", size/15)
	}},
	{"a base as long as may be", func(size int) string {
		return `<base href="/` + strings.Repeat("a", maxAddress-40) + `/2021/12/22/">` + fill(size, func(i int) string { return fmt.Sprintf("<a href=%d.html>", i) })
	}},
	{"a million posts", func(size int) string {
		return fill(size, func(i int) string { return fmt.Sprintf("<a href=/a/2021/12/22/%d.html>b</a>", i) })
	}},
	{"a million lists", func(size int) string {
		return fill(size, func(i int) string { return fmt.Sprintf("<a href=/category/%d.html>", i) })
	}},
	{"a million pages of a post", func(size int) string {
		return fill(size, func(i int) string { return fmt.Sprintf("<a href=/%d/2021/12/22/NW202112222222306968.html>b", i) })
	}},
	{"escapes in links", func(size int) string {
		return fill(size, func(i int) string { return fmt.Sprintf(`<a href="/%%%% \%d/2021/12/22/b.html">`, i) })
	}},
	{"nul bytes", repeat("\x00")},
	{"nul bytes in tags", repeat("<a\x00 \x00=\x00>\x00")},
	{"broken utf-8", repeat("\xE4\xB8<\xFF\xC0>")},
	{"neither utf-8 nor gb18030", repeat("a\xFF")},
	{"gb18030", repeat("\xB1\xEA\xCC\xE2<p>")},
	{"utf-16", func(size int) string { return "\xFF\xFE" + strings.Repeat("<\x00", size/2) }},
	{"entities", repeat("&nLt;&amp;&#x10FFFF;")},
	{"ampersands", repeat("&")},
	{"unclosed comments", repeat("<!--")},
	{"unclosed scripts", repeat("<script>")},
	{"unclosed quotes", repeat(`<a b="`)},
	{"unclosed tags", repeat("<a <")},
	{"less than", repeat("<")},
	{"dates", repeat("2021-12-22 10:3")},
	{"spaces", func(size int) string { return testStamp + "<h1>a</h1>" + strings.Repeat(" ", size) + "a" }},
	{"line breaks", func(size int) string { return testStamp + "<h1>a</h1>a" + strings.Repeat("\r\n\t", size/3) + "a" }},
	{"brackets", func(size int) string {
		return testStamp + "<h1>a</h1>" + strings.Repeat("（", size/6) + strings.Repeat("）", size/6)
	}},
	{"feed entries", func(size int) string {
		return "<feed>" + fill(size, func(i int) string {
			return fmt.Sprintf("<entry><title>a</title><link href=/a/2021/12/22/%d.html /></entry>", i)
		})
	}},
	{"open feed entries", repeat("<rss><item><title>a<link>")},
	{"places", repeat("<loc>/a/2021/12/22/b.html")},
	{"json, nested", repeat(`{"data":`)},
	{"json, arrays", repeat("[")},
	{"json, numbers", func(size int) string { return "[" + strings.Repeat("1,", size/2) + "1]" }},
	{"json, text of numbers", func(size int) string { return `{"text":[` + strings.Repeat("1,", size/2) + "1]}" }},
	{"json, keys", func(size int) string { return "{" + strings.Repeat(`"text":"a",`, size/11) + `"text":"a"}` }},
	{"json, escapes", func(size int) string { return `{"text":"` + strings.Repeat(`\u003c`, size/6) + `"}` }},
	{"json, message", func(size int) string { return `{"msg":"` + strings.Repeat("稍", size/3) + `"}` }},
}

var hostileKinds = []struct {
	kind    news.PageKind
	address string
}{
	{news.KindPost, testURL}, {news.KindShare, shareURL}, {news.KindText, textURL},
	{news.KindHome, "https://mirror.example/"}, {news.KindCategory, "https://mirror.example/category/a.html"},
	{news.KindFeed, "https://mirror.example/feed.xml"}, {news.KindSitemap, "https://mirror.example/sitemap.xml"},
}

// allocated returns how many bytes f takes, in all.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// readHostile reads a page by portions and checks the bounds of what it tells.
func readHostile(t testing.TB, c *news.Capture) {
	t.Helper()
	handed := 0
	p, err := newSite(t).ReadList(c, func(posts []news.Wanted) error {
		handed += len(posts)
		return nil
	})
	if err != nil {
		return
	}
	if handed+len(p.Found) > MaxLinks || len(p.Leads) > MaxLinks || len(p.Lists) > MaxLinks {
		t.Errorf("%s: %d + %d posts, %d leads, %d lists", c.Kind, handed, len(p.Found), len(p.Leads), len(p.Lists))
	}
}

// What may be allocated for each byte of a page, and for any page, all that is
// let go of on the way included.
const (
	hostileBytes = 64
	hostileBase  = 64 << 20
)

// Whatever a page holds, reading it takes memory in proportion to its size.
// What is allocated in all also bounds the work, but for looking at the bytes.
func TestReadHostile(t *testing.T) {
	size := 1 << 20
	if testing.Short() {
		size = 1 << 17
	}
	for _, page := range hostilePages {
		t.Run(page.name, func(t *testing.T) {
			body := []byte(page.make(size))
			for _, k := range hostileKinds {
				c := capture(k.kind, k.address, "")
				c.Body = body
				took := allocated(func() { readHostile(t, c) })
				if bound := hostileBytes*len(body) + hostileBase; took > bound {
					t.Errorf("%s page of %d bytes: %d bytes allocated, want at most %d", k.kind, len(body), took, bound)
				}
			}
		})
	}
}

// A scanner looks at no byte much more often than once.
func TestScanHostile(t *testing.T) {
	for _, page := range hostilePages {
		body := []byte(page.make(1 << 20))
		s := newScanner(body)
		tokens := 0
		for kind := s.next(); kind != tokenEnd; kind = s.next() {
			tokens++
		}
		if s.reread > max(freeRecovery, dearRecovery*len(body))+len(body) || tokens > len(body)+1 {
			t.Errorf("%s: %d tokens, %d bytes read again", page.name, tokens, s.reread)
		}
	}
}

// BenchmarkReadHostile reads each of them in the largest size that a crawl
// takes, as the kind of page that they are meant against.
func BenchmarkReadHostile(b *testing.B) {
	for _, page := range hostilePages {
		body := []byte(page.make(hostileSize))
		for _, k := range hostileKinds {
			b.Run(strings.ReplaceAll(page.name, " ", "-")+"/"+string(k.kind), func(b *testing.B) {
				c := capture(k.kind, k.address, "")
				c.Body = body
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					readHostile(b, c)
				}
			})
		}
	}
}
