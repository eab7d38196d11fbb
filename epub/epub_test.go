package epub_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/epub"
	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/news"
)

var noon = time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)

// numbered returns a post of an outlet.
func numbered(i int, outlet, title, body string) news.Revision {
	code := news.InfoCode(fmt.Sprintf("NW20211222%010d", i))
	return news.Revision{Post: news.Post{
		ID: code.ID(), InfoCode: code, Title: title, Body: body, Outlet: outlet, Source: outlet,
		Published: noon.Add(time.Duration(i) * time.Second),
	}, Fetched: noon.Add(time.Duration(i) * time.Minute), URL: fmt.Sprintf("https://m.example/x/2021/12/22/%s.html", code)}
}

func posts(list []news.Revision) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		for _, rev := range list {
			if !yield(rev, nil) {
				return
			}
		}
	}
}

func write(t *testing.T, b epub.Book, list []news.Revision) []byte {
	t.Helper()
	var out bytes.Buffer
	report, err := epub.Write(&out, b, posts(list))
	if err != nil || report.Posts != len(list) {
		t.Fatalf("%+v of %d posts: %v", report, len(list), err)
	}
	return out.Bytes()
}

// read returns the files of a book.
func read(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := files[f.Name]; twice {
			t.Errorf("%s is there twice", f.Name)
		}
		files[f.Name] = string(text)
	}
	return files
}

func some() []news.Revision {
	return []news.Revision{
		numbered(1, "新华社", "甲", "<p>　　公司公布。</p>"),
		numbered(2, "21财经", "乙", `<p><a href="http://q.example/"><img src="http://p.example/k.png" alt="K图"></a>订单</p>`),
		numbered(3, "21财经", "丙 & <b>", "<p>丁"),
	}
}

func TestBook(t *testing.T) {
	files := read(t, write(t, epub.Book{Title: "金融消息", Selection: "--from 2021-12-22", Version: "v1"}, some()))
	for name, parts := range map[string][]string{
		"EPUB/p00002.xhtml": {
			"<title>乙</title>", "<h1>乙</h1>", `<p class="of">2021-12-22 12:00:02 · 21财经</p>`, `<p><a href="http://q.example/">[K图]</a>订单</p>`,
			`<a href="https://m.example/x/2021/12/22/NW202112220000000002.html">原文</a>`, `xml:lang="zh-CN"`,
		},
		"EPUB/nav.xhtml":   {"<span>21财经（2）</span>\n<ol>\n<li><a href=\"p00002.xhtml\">乙</a></li>\n<li><a href=\"p00003.xhtml\">丙 &amp; &lt;b&gt;</a></li>", "<span>新华社（1）</span>"},
		"EPUB/title.xhtml": {"<h1>金融消息</h1>", "2021-12-22", "2 家媒体，3 篇文章", "--from 2021-12-22", "finarc v1"},
		"EPUB/package.opf": {
			`<meta property="dcterms:modified">2021-12-22T04:03:00Z</meta>`, "<dc:language>zh-CN</dc:language>",
			"<itemref idref=\"title\"/>\n<itemref idref=\"nav\"/>\n<itemref idref=\"p00002\"/>\n<itemref idref=\"p00003\"/>\n<itemref idref=\"p00001\"/>",
		},
		"EPUB/toc.ncx":           {`<content src="p00003.xhtml"/>`},
		"META-INF/container.xml": {`full-path="EPUB/package.opf"`},
	} {
		for _, part := range parts {
			if !strings.Contains(files[name], part) {
				t.Errorf("%s lacks %s:\n%s", name, part, files[name])
			}
		}
	}
}

// The first file must be found by its place alone (OCF, 4.2.4).
func TestMimetype(t *testing.T) {
	data := write(t, epub.Book{}, nil)
	const name, text = "mimetype", "application/epub+zip"
	if got := string(data[30 : 30+len(name)+len(text)]); got != name+text {
		t.Errorf("it begins with %q", got)
	}
	for what, at := range map[string]int{"flags": 6, "method": 8, "length of the extra field": 28} {
		if got := binary.LittleEndian.Uint16(data[at:]); got != 0 {
			t.Errorf("%s: %d", what, got)
		}
	}
}

func TestSamePostsSameBook(t *testing.T) {
	b := epub.Book{Title: "金融消息", Selection: "all posts"}
	one := write(t, b, some())
	if !bytes.Equal(one, write(t, b, some())) {
		t.Error("two books of the same posts differ")
	}
	b.Selection = "others"
	if bytes.Equal(one, write(t, b, some())) {
		t.Error("books of two selections are one")
	}
}

func TestWriteStopsAtErrors(t *testing.T) {
	broken := errors.New("broken")
	list := func(yield func(news.Revision, error) bool) {
		_ = yield(some()[0], nil) && yield(news.Revision{}, broken) && yield(some()[1], nil)
	}
	if report, err := epub.Write(io.Discard, epub.Book{}, list); report.Posts != 1 || !errors.Is(err, broken) {
		t.Errorf("%+v, %v", report, err)
	}
}

// hostile are texts that a page, or a fault of its reader, may bring.
var hostile = []string{
	"<p>甲</p>]]><![CDATA[x]]>", "\x00\x01\x1b\u0085\ufffe\uffff\ufeff\xff\xe4\xb8", "<p>甲<b>乙<p>丙<i>丁<table><td>戊<td>己", "<ul><p>甲</p><li>乙</ul><li>丙<dt>丁<dd>戊",
	"<math><mi>x</mi><mo>=</mo></math><svg xmlns='x'><script>x</script><circle r=1 /><text>甲</text></svg>", "<form action=/x><input name=a required><select><option>甲</select><button>乙</button><textarea>丙</textarea></form>",
	"<iframe src='//x/'></iframe><object data=x><embed src=x></object><video src=x autoplay></video><script>alert(1)</script><style>p{}</style><link rel=stylesheet href=x><base href=/x><meta http-equiv=refresh content=0>",
	"<p id=a>甲</p><p id=a onclick=x style='x' class='a a' epub:type=x xml:lang='?' lang=!>乙</p>", "<a name=x href='#y'>甲</a><a href='/rel'>乙</a><a href='javascript:x()'>丙</a><a href='http://h h/ &quot;%zz'>丁</a><a href='http://ü.example/中?q=|{}'>戊</a><a href='https://x.example:99999/'>己</a>",
	"<a href=/a><table><tr><td><a href=/b>甲</a><td><h2><ul><li>乙", "<pre>\n\n  甲 <b>乙</b>\n</pre>", "<table><caption>题</caption><thead><tr><th rowspan=9 colspan=7>甲<td>乙<tr><td colspan=0 rowspan=-1>丙<td><tfoot><tr><td>丁</table>",
	"<ol start=-3 type=a><li value=x>甲<ol start=99999999999><li>乙</ol></ol><blockquote>丙<hr>丁</blockquote>", "<img src=/x alt='<b>&amp;'><img src='http://p/a b'><img alt=甲>", "<ruby>漢<rp>(</rp><rt>kan</rt></ruby><bdo dir=rtl>甲</bdo><font color=red>乙</font><center>丙</center><marquee>丁</marquee>",
	"<?xml version='1.0'?><!DOCTYPE html [<!ENTITY a 'b'>]>&a;&nbsp;&#0;&#x1F;&#xD800;&copy", "<html><head><title>甲</title></head><body onload=x>乙</body></html>", "<h1><h2>甲<p>乙</h1><details open><summary>丙</summary>丁</details>", "<template><p>甲</template><plaintext>乙</p>",
	strings.Repeat("<div>", 600) + "甲", strings.Repeat("<b>", 25_000) + "乙", strings.Repeat("<ul><li>", 40) + "丙",
}

// hostilePosts have such texts everywhere.
func hostilePosts() []news.Revision {
	r := rand.New(rand.NewPCG(1, 1))
	draw := func() string { return hostile[r.IntN(len(hostile))] }
	var list []news.Revision
	for i, body := range hostile {
		list = append(list, numbered(i, "甲", body[:min(len(body), 300)], body))
	}
	for i := range 100 {
		cut := func(s string) string { return s[:r.IntN(min(len(s), 300)+1)] }
		rev := numbered(1000+i, cut(draw()), cut(draw()), draw()+cut(draw())+draw())
		rev.Source, rev.Category = cut(draw()), cut(draw())
		switch i % 10 {
		case 0:
			rev.Published, rev.ID, rev.InfoCode = time.Time{}, news.ID(fmt.Sprintf("00000000-%016x", i)), ""
		case 1:
			rev.Lost, rev.Body = true, ""
		case 2:
			rev.URL = draw()
		}
		list = append(list, rev)
	}
	return list
}

// Every file is XML, whatever comes.
func TestAnythingMakesXML(t *testing.T) {
	for name, text := range read(t, write(t, epub.Book{Title: hostile[0], Selection: hostile[1], Version: hostile[2]}, hostilePosts())) {
		if name == "mimetype" || strings.HasSuffix(name, ".css") {
			continue
		}
		for dec := xml.NewDecoder(strings.NewReader(text)); ; {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}

// TestEpubcheck lets the reference checker of EPUB judge books: it must find no error
// and nothing to warn of.
func TestEpubcheck(t *testing.T) {
	run := realtest.Jar(t, "epubcheck.jar")
	for name, list := range map[string][]news.Revision{"no posts": nil, "hostile": append(some(), hostilePosts()...)} {
		t.Run(name, func(t *testing.T) {
			book := filepath.Join(t.TempDir(), "book.epub")
			b := epub.Book{Title: "金融消息", Selection: "--from 2021-12-22", Version: "v1"}
			if name == "hostile" {
				b = epub.Book{Title: hostile[0], Selection: hostile[1], Version: hostile[2]}
			}
			if err := os.WriteFile(book, write(t, b, list), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), run[0], append(run[1:], "--failonwarnings", book)...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "No errors or warnings detected") {
				t.Errorf("%v\n%.5000s", err, out)
			}
		})
	}
}
