//go:build unix

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// largePage is the length in bytes of each post of a [largeMirror]: as near below
// limits.max_body as whole pieces of text come.
const largePage = 8<<20 - 1024

// mostLarge is how much memory a crawl of a [largeMirror] may have resident. It
// took 130 to 180 MiB, of which a third is the map of the archive's file. As long as
// pages were read while others were stored, it was 243; and as long as the first
// dictionary had all of the first 100 mapped, of which it is made, 382 and more.
const mostLarge = 190 << 20

// largeShapes are what long articles are made of: an element, and what is in it
// again and again.
var largeShapes = []struct {
	open, close string
	piece       func(words string) string
}{
	{"", "", func(words string) string { return "<p>　　" + words + "</p>" }},
	{"<p>", "</p>", func(words string) string { return words }},
	{`<p class="em_media">`, "</p>", func(words string) string { return words }},
	{"<h3>", "</h3>", func(words string) string { return words }},
	{"<p>", "</p>", func(words string) string { return "&amp;" + words[:30] + "&nbsp;" }},
	{"<p>", "</p>", func(words string) string {
		return `<span id="stock_1.600160"><a href="http://quote.eastmoney.com/unify/r/1.600160" class="keytip" data-code="1,600160">` +
			words[:12] + `</a></span>`
	}},
	{"<p>", "</p>", func(words string) string { return "<b>" + words[:3] + "</b>" }},
}

// largeForm is what a long article comes in: what stands before and behind, and how
// it is written.
type largeForm struct {
	kind, media   string
	before, after string
	escape        func(html string) string
	charset       encoding.Encoding
}

// largeForms are UTF-8, GBK, and JSON behind a NewsShare page.
var largeForms = []largeForm{
	{"post", "text/html; charset=utf-8", largeHead, largeFoot, strings.Clone, encoding.Nop},
	{"post", "text/html; charset=gbk", largeHead, largeFoot, strings.Clone, simplifiedchinese.GBK},
	{
		"text", "application/json", `{"infoCode": "{code}", "title": "{title}", "showtime": "2021-12-22 10:37:15", "content": "`, `"}`,
		func(html string) string { return strings.ReplaceAll(html, `"`, `\"`) }, encoding.Nop,
	},
}

const (
	largeHead = `<html><head><title>{title} | 金融消息</title></head><body>
<small>(GMT+8, Asia/Shanghai, CST) 2021-12-22 10:37:15</small>
<h1>{title}</h1>
`
	largeFoot = `
<p><a href="http://finews.zning.xyz/html_News/NewsShare.html?infoCode={code}">原文</a></p>
<p><a href="/category/haiwan.html">返回海湾新闻</a>｜<a href="/">返回首页</a></p>
<small>tags: <em>海湾新闻</em></small>
</body></html>`
)

// largeMirror is a mirror whose posts are in good form, and one in [largeEvery] as long
// as a page may be: of each shape in each form so many, and short ones behind each.
type largeMirror struct {
	each  int
	words string // a long text
}

func newLargeMirror(each int) *largeMirror {
	draw := rand.New(rand.NewPCG(1, 2))
	var words strings.Builder
	for range 1 << 18 {
		words.WriteRune(rune(0x4E00 + draw.IntN(0x5000)))
	}
	return &largeMirror{each, words.String()}
}

// largeEvery: with one of each shape in each form there are posts enough for a
// dictionary.
const largeEvery = 5

func (m *largeMirror) len() int { return largeEvery * m.each * len(largeShapes) * len(largeForms) }

const largeSerial = 2222541257 // of the first post

func (m *largeMirror) code(n int) string { return fmt.Sprint("NW20211222", largeSerial+n) }

func (m *largeMirror) title(n int) string { return fmt.Sprintf("第%d篇", n) }

// formOf returns the form in which a post comes.
func formOf(n int) *largeForm { return &largeForms[n/largeEvery%len(largeForms)] }

// page returns the page of a post.
func (m *largeMirror) page(n int) ([]byte, error) {
	form, shape := formOf(n), &largeShapes[n/largeEvery/len(largeForms)%len(largeShapes)]
	most := largePage
	if n%largeEvery > 0 {
		most = 4096
	}
	fill := strings.NewReplacer("{title}", m.title(n), "{code}", m.code(n))
	encoder := form.charset.NewEncoder()
	after, err := encoder.String(form.escape(shape.close) + fill.Replace(form.after))
	if err != nil {
		return nil, err
	}
	draw := rand.New(rand.NewPCG(uint64(n), 3))
	page := make([]byte, 0, most)
	for next := fill.Replace(form.before) + form.escape(shape.open); ; next = form.escape(shape.piece(m.some(draw))) {
		piece, err := encoder.String(next)
		if err != nil || len(page)+len(piece)+len(after) > most {
			return append(page, after...), err
		}
		page = append(page, piece...)
	}
}

// some returns sixty characters.
func (m *largeMirror) some(draw *rand.Rand) string {
	const size = 60 * len("字")
	at := len("字") * draw.IntN((len(m.words)-size)/len("字"))
	return m.words[at : at+size]
}

var largeCode = regexp.MustCompile(`NW20211222(\d{10})`)

func (m *largeMirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		for n := range m.len() {
			fmt.Fprintf(w, `<li><a href="/haiwan/2021/12/22/%s.html">%s</a></li>`, m.code(n), m.title(n))
		}
		return
	}
	kind := "post"
	if strings.Contains(r.URL.Path, "GetNewsText") {
		kind = "text"
	}
	code := largeCode.FindStringSubmatch(r.URL.String())
	if code == nil || strings.Contains(r.URL.Path, "NewsShare") {
		http.NotFound(w, r)
		return
	}
	serial, err := strconv.Atoi(code[1])
	form := formOf(serial - largeSerial)
	if err != nil || form.kind != kind {
		http.NotFound(w, r)
		return
	}
	page, err := m.page(serial - largeSerial)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", form.media)
	if form.kind == "post" { // else in chunks
		w.Header().Set("Content-Length", fmt.Sprint(len(page)))
	}
	_, _ = w.Write(page) // a crawler may go away
}

// TestLargePosts crawls, with the limits that the program has by default but for
// the pace, posts of 8 MiB, in every shape and charset: all are archived, in bounded
// memory.
func TestLargePosts(t *testing.T) {
	m := newLargeMirror(1)
	s := httptest.NewServer(m)
	defer s.Close()
	dir := t.TempDir()
	config, db := filepath.Join(dir, "crawler.yaml"), filepath.Join(dir, "a.db")
	writeFile(t, config, fmt.Sprintf(configuration, db, s.URL, 8))
	report, peak := crawlWatched(t, config, 0)
	t.Logf("%d posts, one in %d of %d bytes: peak memory %.1f MiB", report.New, largeEvery, largePage, peak/(1<<20))
	if report.New != m.len() || report.Ending != news.EndingDone {
		t.Errorf("the report is %+v", report)
	}
	if peak > mostLarge {
		t.Errorf("the crawl took %.1f MiB", peak/(1<<20))
	}
}
