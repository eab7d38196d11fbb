package feed_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/article"
	"github.com/finarc/finarc/feed"
	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)

func revision() news.Revision {
	return news.Revision{Post: news.Post{
		ID: "202112222222306968", InfoCode: "NW202112222222306968", Title: "阿里云被暂停合作", Digest: "摘要",
		Published: noon.Add(-time.Hour), Category: "21caijing", Tag: "21财经新闻", Outlet: "21财经",
		Body:       `<p>甲<a href="/x">乙</a></p><script>x</script>`,
		Securities: []news.Mention{{Security: news.Security{Market: 106, Code: "BABA"}, Name: "阿里巴巴"}},
	}, Fetched: noon, URL: "https://m.example/21caijing/2021/12/22/NW202112222222306968.html"}
}

func posts(list ...news.Revision) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		for _, rev := range list {
			if !yield(rev, nil) {
				return
			}
		}
	}
}

func header() feed.Feed {
	return feed.Feed{Authority: "m.example", Name: "all posts", Title: "金融消息", Updated: noon, Version: "v1", Links: []feed.Link{
		{Rel: "self", Type: feed.MediaType, Href: "https://f.example/feed.xml"}, {Rel: "next", Type: feed.MediaType, Href: "https://f.example/feed.xml?page=2"},
	}}
}

func write(t *testing.T, f feed.Feed, list ...news.Revision) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := feed.Write(&b, f, posts(list...)); err != nil || n != len(list) {
		t.Fatalf("%d of %d entries, %v", n, len(list), err)
	}
	return b.Bytes()
}

func TestWrite(t *testing.T) {
	got := string(write(t, header(), revision()))
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">
<id>tag:m.example,2021-12-08:feed/all%20posts</id>
<title>金融消息</title>
<updated>2021-12-22T12:00:00+08:00</updated>
<link rel="self" type="application/atom+xml" href="https://f.example/feed.xml"></link>
<link rel="next" type="application/atom+xml" href="https://f.example/feed.xml?page=2"></link>
<generator uri="https://github.com/finarc/finarc" version="v1">finarc</generator>
<entry>
 <id>tag:m.example,2021-12-22:202112222222306968</id>
 <title type="text">阿里云被暂停合作</title>
 <published>2021-12-22T11:00:00+08:00</published>
 <updated>2021-12-22T12:00:00+08:00</updated>
 <author>
  <name>21财经</name>
 </author>
 <link rel="alternate" type="text/html" href="https://m.example/21caijing/2021/12/22/NW202112222222306968.html"></link>
 <category term="21caijing" label="21财经新闻"></category>
 <category term="106.BABA" scheme="http://quote.eastmoney.com/unify/r/" label="阿里巴巴"></category>
 <summary type="text">摘要</summary>
 <content type="html">&lt;p&gt;甲&lt;a href=&#34;https://m.example/x&#34;&gt;乙&lt;/a&gt;&lt;/p&gt;</content>
</entry>
</feed>
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Summaries stand in place of articles; without an address to read it at, an entry
// has the article all the same.
func TestSummaries(t *testing.T) {
	f := header()
	f.Summaries = true
	lost := revision()
	lost.URL, lost.InfoCode = "file:///x.md", ""
	got := string(write(t, f, revision(), lost))
	if strings.Count(got, "<content") != 1 || strings.Count(got, "<summary") != 2 {
		t.Errorf("%s", got)
	}
}

func TestUpdated(t *testing.T) {
	later := revision()
	later.Fetched = noon.Add(time.Minute)
	if got, err := feed.Updated(posts(revision(), later, revision())); err != nil || !got.Equal(later.Fetched) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := feed.Updated(posts()); err != nil || !got.IsZero() {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}

func TestWriteStopsAtErrors(t *testing.T) {
	broken := errors.New("broken")
	list := func(yield func(news.Revision, error) bool) {
		_ = yield(revision(), nil) && yield(news.Revision{}, broken) && yield(revision(), nil)
	}
	if n, err := feed.Write(io.Discard, header(), list); n != 1 || !errors.Is(err, broken) {
		t.Errorf("%d entries, %v", n, err)
	}
	if _, err := feed.Updated(list); !errors.Is(err, broken) {
		t.Errorf("updated: %v", err)
	}
}

// drawn returns a revision with anything in it that XML or HTML may stumble on.
func drawn(r *rand.Rand, i int) news.Revision {
	draw := func() string {
		pieces := []string{
			"公司", "a", " ", "\n", "\r", "\t", `"`, "'", "<", ">", "&", "&amp;", "]]>", "<![CDATA[", "<!--", "-->", "<p>", "</p>", "<b><p>", "<script>", "</script>", "<svg>", "<math><mi>",
			"<a href='javascript:x'>", "<a href='//x/y z'>", "<img src=x>", "\x00", "\x01", "\x1b", "\u0085", "\ufffe", "\uffff", "\ufeff", "\xff", "😀", "\u202e", "<?xml?>", "&nbsp;", "&#0;", "%", " ",
		}
		var b strings.Builder
		for range r.IntN(9) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	rev := revision()
	rev.InfoCode = news.InfoCode(fmt.Sprintf("NW20211222%010d", i))
	rev.ID = rev.InfoCode.ID()
	rev.Title, rev.Digest, rev.Body, rev.Category, rev.Tag, rev.Outlet, rev.Source = draw(), draw(), draw(), draw(), draw(), draw(), draw()
	rev.Securities[0].Name = draw()
	rev.Fetched = rev.Fetched.Add(time.Duration(i) * time.Second)
	switch r.IntN(8) {
	case 0:
		rev.Published, rev.InfoCode, rev.ID = time.Time{}, "", news.ID(fmt.Sprintf("00000000-%016x", i))
	case 1:
		rev.URL = draw()
	case 2:
		rev.Lost, rev.Body = true, ""
	}
	return rev
}

func drawnPosts(seed uint64, n int) []news.Revision {
	r := rand.New(rand.NewPCG(seed, 3))
	var list []news.Revision
	for i := range n {
		list = append(list, drawn(r, i))
	}
	return list
}

// element is any element of a feed.
type element struct {
	XMLName  xml.Name
	Attr     []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

// tagURI is what RFC 4151, 2.1, makes of an identity here.
var tagURI = regexp.MustCompile(`^tag:[a-z0-9.@_-]+,\d{4}-\d\d-\d\d:[A-Za-z0-9/%._~-]+$`)

// texts returns the texts of an element's children of a name.
func (e *element) texts(name string) []string {
	var list []string
	for _, child := range e.Children {
		if child.XMLName.Local == name {
			list = append(list, child.Text)
		}
	}
	return list
}

// one returns the text of the one child of a name.
func (e *element) one(t *testing.T, name string) string {
	t.Helper()
	list := e.texts(name)
	if len(list) != 1 {
		t.Fatalf("%d %s in %s, want one (RFC 4287, 4.1)", len(list), name, e.XMLName.Local)
	}
	return list[0]
}

// wantAtom holds a feed against what RFC 4287 says of the parts that it has.
func wantAtom(t *testing.T, data []byte) []element {
	t.Helper()
	var root element
	if err := xml.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	var entries []element
	ids := make(map[string]bool)
	for _, e := range append(root.Children, root) {
		if e.XMLName.Space != "http://www.w3.org/2005/Atom" {
			t.Errorf("%s is of the namespace %q", e.XMLName.Local, e.XMLName.Space)
		}
		if e.XMLName.Local != "entry" && e.XMLName.Local != "feed" {
			if len(entries) > 0 {
				t.Errorf("%s after an entry (RELAX NG of the feed)", e.XMLName.Local)
			}
			continue
		}
		id := e.one(t, "id")
		if !tagURI.MatchString(id) || ids[id] {
			t.Errorf("identity %q, or twice", id)
		}
		ids[id] = true
		e.one(t, "title")
		for _, at := range append(e.texts("published"), e.one(t, "updated")) {
			if _, err := time.Parse(time.RFC3339, at); err != nil {
				t.Errorf("%v (3.3)", err)
			}
		}
		wantLinks(t, &e)
		if e.XMLName.Local == "entry" {
			entries = append(entries, e)
			wantEntry(t, &e)
		}
	}
	return entries
}

func wantEntry(t *testing.T, e *element) {
	t.Helper()
	if len(e.texts("content")) == 0 && len(e.texts("link")) == 0 {
		t.Error("neither content nor alternate link (4.1.2)")
	}
	for _, child := range e.Children {
		switch child.XMLName.Local {
		case "author":
			if strings.TrimSpace(child.one(t, "name")) == "" {
				t.Error("a nameless author (3.2.1)")
			}
		case "category":
			if child.Attr[0].Name.Local != "term" || child.Attr[0].Value == "" {
				t.Errorf("a category without term: %v (4.2.2.1)", child.Attr)
			}
		}
	}
	if len(e.texts("author")) != 1 {
		t.Error("not one author")
	}
}

func wantLinks(t *testing.T, e *element) {
	t.Helper()
	for _, child := range e.Children {
		if child.XMLName.Local != "link" {
			continue
		}
		href := child.Attr[len(child.Attr)-1].Value
		if u, err := url.Parse(href); err != nil || !u.IsAbs() || u.Host == "" {
			t.Errorf("a link to %q: %v (4.2.7.1)", href, err)
		}
	}
}

func TestAnythingMakesAFeed(t *testing.T) {
	for seed := range uint64(10) {
		list := drawnPosts(seed, 300)
		f := header()
		f.Title, f.Authority, f.Name = list[0].Title, "M. Example:8080", list[0].Outlet+"a"
		entries := wantAtom(t, write(t, f, list...))
		if len(entries) != len(list) {
			t.Fatalf("%d entries, want %d", len(entries), len(list))
		}
		for i, e := range entries {
			if got, want := e.one(t, "title"), article.Title(&list[i].Post); got != want {
				t.Errorf("title %q, want %q", got, want)
			}
		}
	}
	wantAtom(t, write(t, feed.Feed{Authority: "m.example", Name: "none"}))
}

// TestRubyTakesIt lets a program that we did not write judge a feed, and read out of
// it what was written.
func TestRubyTakesIt(t *testing.T) {
	ruby := realtest.Program(t, "ruby")
	list := drawnPosts(99, 300)
	name := filepath.Join(t.TempDir(), "feed.xml")
	if err := os.WriteFile(name, write(t, header(), list...), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), ruby, "-EUTF-8", filepath.Join("testdata", "judge.rb"), name)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("%v\n%s", err, &errs)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(list)+1 {
		t.Fatalf("%d lines, want one for the feed and %d", len(lines), len(list))
	}
	for i, rev := range list {
		var got struct {
			ID, Title, Type string
			Published       *int64
			Updated         int64
			Content         string
			Links           [][]string
		}
		if err := json.Unmarshal([]byte(lines[i+1]), &got); err != nil {
			t.Fatal(err)
		}
		content, err := article.HTML(rev.Body, article.Options{Base: rev.URL})
		if err != nil {
			t.Fatal(err)
		}
		if got.Title != article.Title(&rev.Post) || got.Content != content || got.Type != "html" || got.Updated != rev.Fetched.Unix() ||
			(got.Published == nil) != rev.Published.IsZero() || got.Published != nil && *got.Published != rev.Published.Unix() {
			t.Errorf("%+v\nis what is read of %+v", got, rev)
		}
	}
}
