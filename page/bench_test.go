package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/finarc/finarc/news"
)

// benchPost is a post's page of the usual size, some 12 KB.
func benchPost() string {
	paragraph := "<p>　　" + strings.Repeat("本报记者昨天从有关部门获悉，前三季度全市规模以上工业增加值同比增长百分之六，", 4) + "</p>"
	return whole(strings.Repeat(paragraph, 20) + testBody +
		`<p><a href="http://finance.eastmoney.com/a/202112222222541258.html">另一篇报道</a></p>`)
}

// benchList is a category page with n posts.
func benchList(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<li><a href=\"/emnews/2021/12/22/NW2021122222%08d.html\">第%d条：市场早间走势与要闻概览</a> <small>10:37</small></li>\n", 22300000+i, i)
	}
	return strings.NewReplacer("{title}", "东财滚动新闻", "{article}", "<ul>"+b.String()+"</ul>").Replace(layout)
}

func benchText(b *testing.B) string {
	var text strings.Builder
	w := json.NewEncoder(&text)
	w.SetEscapeHTML(false)
	if err := w.Encode(map[string]string{
		"infoCode": "NW202112222222306968", "title": "标题", "showtime": "2021-12-22 10:37:15",
		"medianame": "北京日报", "text": strings.Repeat(testBody, 12),
	}); err != nil {
		b.Fatal(err)
	}
	return text.String()
}

func benchmarkRead(b *testing.B, kind news.PageKind, address, body string) {
	s, c := newSite(b), capture(kind, address, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Read(c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadPost(b *testing.B) {
	benchmarkRead(b, news.KindPost, testURL, benchPost())
}

func BenchmarkReadPostGBK(b *testing.B) {
	benchmarkRead(b, news.KindPost, testURL, string(gb18030(b, benchPost())))
}

func BenchmarkReadList(b *testing.B) {
	benchmarkRead(b, news.KindCategory, "https://mirror.example/category/emnews.html", benchList(5000))
}

func BenchmarkReadText(b *testing.B) {
	benchmarkRead(b, news.KindText, newSite(b).Text("NW202112222222306968"), benchText(b))
}

func BenchmarkText(b *testing.B) {
	body := strings.Repeat(testBody, 12)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		Text(body)
	}
}

func BenchmarkReadArticle(b *testing.B) {
	body := strings.Repeat(testBody, 12)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		ReadArticle(body)
	}
}

// BenchmarkGoqueryPost is the usual way to read a post, for comparison: a tree
// of the page, and selectors for its title, date, tags and links.
func BenchmarkGoqueryPost(b *testing.B) {
	body := []byte(benchPost())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		_ = doc.Find("article h1").Text() + doc.Find("article small").Text() + doc.Find("small em").Text()
		doc.Find("a[href]").Each(func(_ int, a *goquery.Selection) { _, _ = a.Attr("href") })
		doc.Find("[data-code]").Each(func(_ int, a *goquery.Selection) { _, _ = a.Attr("data-code") })
	}
}

// BenchmarkGoqueryList likewise for a list.
func BenchmarkGoqueryList(b *testing.B) {
	body := []byte(benchList(5000))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		doc.Find("a[href]").Each(func(_ int, a *goquery.Selection) { _, _ = a.Attr("href") })
	}
}
