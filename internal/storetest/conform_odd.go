package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

var oddRules = []rule{
	{"hostile strings", testHostile},
	{"a body of a MiB", testLarge},
	{"many securities and long names", testMany},
	{"bytes that are no text", testNoText},
	{"a header that is no text", testHeaderNoText},
	{"an article that is no text", testArticleNoText},
	{"a list's validators that are no text", testValidatorsNoText},
	{"a link that is no text", testLinkNoText},
	{"a year far ahead", testFarYear},
	{"a capture that is not there is not damage", testCaptureNotHeld},
	{"a batch is not kept hold of", testNoHold},
}

// hostile are strings that a page may hold.
var hostile = []string{
	"'; DROP TABLE posts; --", "../../../etc/passwd", "a\x00b", "\x00", "\r\nSet-Cookie: x", "<script>alert(1)</script>",
	"\u202e\u200b\ufeff", "🀄️👨‍👩‍👧", "{{ site.title }}{% raw %}", "---\nlayout: x\n---", "%s%n%00", " ", "İıſK", "\U0010ffff",
	strings.Repeat("很长", 5000),
}

func testHostile(t *testing.T, s Store) {
	for i, text := range hostile {
		p := Sample(i)
		p.Post.Title, p.Post.Category, p.Post.Tag, p.Post.Outlet = text, text, text, text
		p.Post.Source, p.Post.Digest, p.Post.Body, p.Post.Foot = text, text, text, text
		p.Post.Securities[0].Code, p.Post.Securities[0].Name = text, text
		p.Capture.URL, p.Capture.Mirror, p.Capture.Proto = text, text, text
		p.Capture.Header = http.Header{"X": {text, ""}}
		p.Capture.Body = pageOf(&p.Post)
		w := with(WantedOf(100+i), text, "")
		w.Mirror, w.Category, w.FoundOn, w.Error = text, text, text, text
		l := news.ListPage{URL: text, Mirror: "m", Kind: news.KindHome, ETag: text, LastModified: text, Checked: Noon}
		run := &news.Run{ID: uint64(i + 1), Command: text, Mirrors: []string{text}, Failed: map[string]int{text: 1}}
		commit(t, s, news.Batch{Posts: []news.Captured{p}, Found: []news.Wanted{w}, Lists: []news.ListPage{l}, Run: run})
		wantSame(t, "post", p.Post, post(t, s, p.Post.ID).Post)
		wantSame(t, "capture", &p.Capture, do[*news.Capture](t)(s.Capture(t.Context(), uint64(i+1))))
		wantSame(t, "frontier", w, waitingIn(t, s).Frontier[i])
		wantSame(t, "run", *run, do[[]news.Run](t)(s.Runs(t.Context(), 1))[0])
		wantSame(t, "lists", i+1, len(do[[]news.ListPage](t)(s.Lists(t.Context(), "m"))))
		if strings.TrimSpace(text) == "" || len(text) > 256 {
			continue
		}
		for _, q := range []archive.Selection{{Category: text}, {Tag: text}, {Mirror: text}, {Security: text}} {
			wantSame(t, fmt.Sprintf("%+v", q), []news.ID{p.Post.ID}, idsOf(selected(t, s, q)))
		}
	}
}

func testLarge(t *testing.T, s Store) {
	for i := range 4 {
		p := Sample(i)
		p.Post.Body = strings.Repeat(fmt.Sprintf("<p>第%d段，没有两段是一样的。</p>", i), 1<<20/40)
		p.Capture.Body = pageOf(&p.Post)
		if i%2 == 1 {
			p.Capture.Body = bytes.Repeat([]byte{byte(i), 0, 0xff, 0xfe}, 1<<18) // the body is no part of it
		}
		put(t, s, p)
		rev := post(t, s, p.Post.ID)
		c := do[*news.Capture](t)(s.Capture(t.Context(), rev.Seq))
		if rev.Body != p.Post.Body || !bytes.Equal(c.Body, p.Capture.Body) {
			t.Errorf("post %d does not come back", i)
		}
	}
}

func testMany(t *testing.T, s Store) {
	p := Sample(1)
	for i := range 5000 {
		p.Post.Securities = append(p.Post.Securities, news.Mention{Security: news.Security{Market: 1, Code: fmt.Sprint(i)}, Count: 1})
	}
	p.Post.Category = strings.Repeat("a ", 100_000)
	p.Post.Tag = strings.Repeat("标", 40_000)
	put(t, s, p)
	wantSame(t, "post", p.Post, post(t, s, p.Post.ID).Post)
	wantSame(t, "selected", 1, len(selected(t, s, archive.Selection{Category: "a"})))
}

// broken is text cut in the middle of a character, and bytes of GBK.
const broken = "公\xe5\x8f \xb9\xab\xcb\xbe \xff\xfe"

func testNoText(t *testing.T, s Store) {
	p := Sample(1)
	p.Capture.Body = []byte(broken + "\x00" + broken)
	put(t, s, p)
	wantSame(t, "capture", &p.Capture, do[*news.Capture](t)(s.Capture(t.Context(), 1)))
	wantSame(t, "post", p.Post, post(t, s, p.Post.ID).Post)
}

// comesBack commits a post with its capture, and others before and after it,
// and checks that all come back.
func comesBack(t *testing.T, s Store, p news.Captured) {
	put(t, s, Sample(90))
	put(t, s, p)
	put(t, s, Sample(91))
	rev, err := s.Post(t.Context(), p.Post.ID)
	if err != nil {
		t.Fatalf("it was committed, and cannot be read: %v", err)
	}
	wantSame(t, "post", p.Post, rev.Post)
	wantSame(t, "capture", &p.Capture, do[*news.Capture](t)(s.Capture(t.Context(), rev.Seq)))
	wantSame(t, "selected", 3, len(selected(t, s, archive.Selection{Body: true})))
	wantSame(t, "seen again", []news.Change{news.ChangeUnchanged}, put(t, s, Later(p, time.Hour)))
}

// A server may send any bytes above 0x7f in a header's value (RFC 9110, 5.5,
// obs-text), and net/http hands them on.
func testHeaderNoText(t *testing.T, s Store) {
	p := Sample(1)
	p.Capture.Header = http.Header{"Content-Disposition": {"inline; filename=\xb9\xab\xcb\xbe.html"}}
	comesBack(t, s, p)
}

func testArticleNoText(t *testing.T, s Store) {
	p := Sample(1)
	p.Post.Title, p.Post.Body, p.Post.Source = broken, "<p>"+broken+"</p>", broken
	comesBack(t, s, p)
}

func testValidatorsNoText(t *testing.T, s Store) {
	l := news.ListPage{URL: "https://mirror.example/", Mirror: "m", Kind: news.KindHome, ETag: "\"\xb9\xab\"", Checked: Noon}
	commit(t, s, news.Batch{Lists: []news.ListPage{l}})
	lists, err := s.Lists(t.Context(), "m")
	if err != nil {
		t.Fatalf("it was committed, and cannot be read: %v", err)
	}
	wantSame(t, "lists", []news.ListPage{l}, lists)
}

func testLinkNoText(t *testing.T, s Store) {
	w := with(WantedOf(1), "https://mirror.example/1.html?q=\xb9\xab")
	w.Error = "GET " + w.Pages[0] + ": " + broken
	found(t, s, w, WantedOf(2))
	list, err := s.Wanted(t.Context(), "", 10)
	if err != nil {
		t.Fatalf("it was committed, and the frontier cannot be read: %v", err)
	}
	wantSame(t, "frontier", []news.Wanted{w, WantedOf(2)}, list)
}

func testCaptureNotHeld(t *testing.T, s Store) {
	put(t, s, Sample(1))
	for _, seq := range []uint64{0, 2} {
		if _, err := s.Capture(t.Context(), seq); !errors.Is(err, archive.ErrNoPost) {
			t.Errorf("capture %d: error %v, want ErrNoPost", seq, err)
		}
	}
}

func testFarYear(t *testing.T, s Store) {
	p := Sample(1)
	p.Post.Published = time.Date(2199, 1, 2, 3, 4, 5, 0, news.Shanghai)
	put(t, s, p, Sample(2))
	wantSame(t, "newest first", []news.ID{p.Post.ID, Sample(2).Post.ID}, idsOf(selected(t, s, archive.Selection{})))
	wantSame(t, "oldest first", []news.ID{Sample(2).Post.ID, p.Post.ID}, idsOf(selected(t, s, archive.Selection{Oldest: true})))
}

func testNoHold(t *testing.T, s Store) {
	want, b := everything(0), everything(0)
	b.Found[0].Pages = []string{"https://mirror.example/1.html"}
	commit(t, s, b)
	clear(b.Posts[0].Capture.Body)
	b.Posts[0].Capture.Header.Set("Content-Type", "x")
	b.Posts[0].Post.Securities[0].Code, b.Posts[0].Post.Related[0] = "x", "x"
	clear(b.Unread[0].Capture.Body)
	clear(b.Hosts[0].Robots.Body)
	b.Found[0].Pages[0] = "x"
	wantSame(t, "post", want.Posts[0].Post, post(t, s, want.Posts[0].Post.ID).Post)
	wantSame(t, "capture", &want.Posts[0].Capture, do[*news.Capture](t)(s.Capture(t.Context(), 1)))
	wantSame(t, "apart", &want.Unread[0].Capture, do[archive.Apart](t)(s.Unread(t.Context(), want.Unread[0].Post.ID)).Capture)
	wantSame(t, "hosts", want.Hosts, hosts(t, s))
	wantSame(t, "pages", []string{"https://mirror.example/1.html"}, waitingIn(t, s).Frontier[0].Pages)
}
