package page

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/finarc/finarc/news"
)

// checkPage holds what must be true of whatever was read from c.
func checkPage(t *testing.T, s *Site, c *news.Capture) (Page, bool) {
	t.Helper()
	got, err := s.Read(c)
	again, errAgain := s.Read(c)
	if (err == nil) != (errAgain == nil) || !cmp.Equal(got, again) {
		t.Fatalf("read twice: %v, then %v:\n%s", err, errAgain, cmp.Diff(got, again))
	}
	if err != nil {
		checkError(t, c, err)
		return got, false
	}
	if got.Post == nil && got.Named || c.Kind.List() != (got.Post == nil) {
		t.Errorf("%s page: post %v, named %t", c.Kind, got.Post, got.Named)
	}
	for _, w := range slices.Concat(got.Found, got.Leads) {
		if w.TitleSum != 0 && !c.Kind.List() {
			t.Errorf("%s page: title of %s", c.Kind, w.ID)
		}
	}
	if len(got.Found) > MaxLinks || len(got.Leads) > MaxLinks || len(got.Lists) > MaxLinks {
		t.Error("more links than MaxLinks")
	}
	checkWanted(t, got.Found)
	checkWanted(t, got.Leads)
	for _, l := range got.Lists {
		if !l.Kind.List() || l.Mirror != s.Name() {
			t.Errorf("list %+v", l)
		}
		u, err := url.Parse(l.URL)
		if err != nil || !u.IsAbs() {
			t.Errorf("list's address %q: %v", l.URL, err)
		}
	}
	return got, true
}

// checkError holds that an error is of the closed set, and that a page which
// comes in the place of another is unreadable, too.
func checkError(t *testing.T, c *news.Capture, err error) {
	t.Helper()
	soft := errors.Is(err, ErrBlank) || errors.Is(err, ErrBlocked) || errors.Is(err, ErrLogin) || errors.Is(err, ErrHome)
	bare := errors.Is(err, ErrShell) || errors.Is(err, ErrEmpty)
	if errors.Is(err, ErrUnreadable) == bare || soft && bare {
		t.Errorf("%s page: err = %v", c.Kind, err)
	}
	if !utf8.ValidString(err.Error()) && utf8.ValidString(c.URL) {
		t.Errorf("err = %q", err)
	}
	if errors.Is(err, ErrHome) && c.Kind.List() {
		t.Errorf("a list in place of a %s page", c.Kind)
	}
}

func checkWanted(t *testing.T, wanted []news.Wanted) {
	t.Helper()
	seen := make(map[news.ID]bool)
	for _, w := range wanted {
		if w.ID == "" || w.InfoCode == "" && len(w.Pages) == 0 {
			t.Errorf("wanted without identity: %+v", w)
		}
		if w.InfoCode != "" && w.InfoCode.ID() != w.ID {
			t.Errorf("wanted %s has ID %s", w.InfoCode, w.ID)
		}
		if seen[w.ID] {
			t.Errorf("%s is wanted twice", w.ID)
		}
		seen[w.ID] = true
		for _, page := range w.Pages {
			if u, err := url.Parse(page); err != nil || !u.IsAbs() {
				t.Errorf("page %q: %v", page, err)
			}
		}
	}
}

// checkPost holds what must be true of a post read from decoded.
func checkPost(t *testing.T, p *news.Post, decoded string) {
	t.Helper()
	if p.ID == "" || p.InfoCode != "" && p.InfoCode.ID() != p.ID {
		t.Errorf("ID %q, infoCode %q", p.ID, p.InfoCode)
	}
	if p.Title == "" && p.Body == "" {
		t.Error("neither title nor body")
	}
	if !strings.Contains(decoded, p.Body) || !strings.Contains(decoded, p.Foot) {
		t.Errorf("body %q or foot %q is not of the page", p.Body, p.Foot)
	}
	for i, code := range p.Related {
		if code.ID() == p.ID || slices.Contains(p.Related[:i], code) {
			t.Errorf("related = %q of %s", p.Related, p.ID)
		}
	}
	for _, m := range slices.Concat(p.Securities, p.Boards) {
		if m.Count < 1 || m.Board() != slices.Contains(p.Boards, m) {
			t.Errorf("mention %+v", m)
		}
	}
	for _, s := range []string{p.Title, p.Category, p.Tag, p.Outlet, p.Source, p.Digest} {
		if !utf8.ValidString(s) {
			t.Errorf("%q is not UTF-8", s)
		}
	}
}

func FuzzReadPost(f *testing.F) {
	f.Add([]byte(whole(testBody)), testURL, "text/html; charset=utf-8")
	f.Add([]byte(whole(testFoot+testFoot)), "https://mirror.example/a b/2021/12/22/note.html", "")
	f.Add(gb18030(f, whole(testBody)), testURL, "text/html; charset=gbk")
	f.Add([]byte(testStamp+"<h1>a"+testTags+testFoot), testURL, "")
	f.Add([]byte("<small>tags:<h1>a</h1></small><small>GMT+8</small><p>&lt;&gt;</p>"), testURL, "")
	for _, test := range refused {
		f.Add([]byte(test.page), testURL, "")
		f.Add([]byte("<small>2021-12-22 10:37</small>"+test.page), testURL, "")
	}
	f.Add([]byte(homePage(testStamp)), testURL, "")
	s := newSite(f)
	f.Fuzz(func(t *testing.T, body []byte, address, contentType string) {
		c := capture(news.KindPost, address, string(body))
		c.Header.Set("Content-Type", contentType)
		got, ok := checkPage(t, s, c)
		if !ok {
			return
		}
		decoded, _ := Decode(body, contentType)
		checkPost(t, got.Post, string(decoded))
		if w := (news.Wanted{ID: got.Post.ID, TitleSum: news.TitleSum(got.Post.Title)}); got.Disagrees(&w) != nil {
			t.Errorf("the post is another than itself: %v", got.Disagrees(&w))
		}
		if slices.ContainsFunc(got.Found, func(w news.Wanted) bool { return w.ID == got.Post.ID }) {
			t.Error("the post is found on its own page")
		}
	})
}

func FuzzReadShare(f *testing.F) {
	f.Add([]byte(sharePage(`<h1>甲</h1><i class="time">2021-12-22 10:37</i><div id="newsContent">` + testBody + `</div>`)))
	f.Add([]byte(`<div class="content"><div id="newsText"></div>2021-12-22 10:37</div><div class="content">甲<div>`))
	for _, test := range refused {
		f.Add([]byte(test.page))
		f.Add([]byte(sharePage(`<i class="time">2021-12-22 10:37</i><div id="newsContent">` + test.page + `</div>`)))
	}
	s := newSite(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := checkPage(t, s, capture(news.KindShare, shareURL, string(body)))
		if !ok {
			return
		}
		decoded, _ := Decode(body, "")
		checkPost(t, got.Post, string(decoded))
		if got.Post.Body == "" || len(got.Found) > 0 {
			t.Errorf("body %q, found %v", got.Post.Body, got.Found)
		}
	})
}

func FuzzReadText(f *testing.F) {
	f.Add([]byte(`{"infoCode":"NW202112222222306968","title":"甲","showtime":"2021-12-22 10:37:15","text":"<p>乙<\/p>"}`))
	f.Add([]byte(`cb({"data":[{"content":"<a data-code=\"1,2\">","from":1e9}]});`))
	f.Add([]byte(`var a = {"TEXT":"\ud800","digest":"<p style=display:none>"}`))
	for _, test := range refused {
		f.Add([]byte(test.page))
	}
	f.Add([]byte(`{"code":429,"msg":"访问过于频繁","data":{"error":"请先登录"}}`))
	f.Add([]byte(`{"text":["a"],"content":"请输入验证码","title":"提示"}`))
	s := newSite(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := checkPage(t, s, capture(news.KindText, textURL, string(body)))
		if !ok {
			return
		}
		checkPost(t, got.Post, got.Post.Body)
		if got.Post.Body == "" || got.Post.Foot != "" {
			t.Errorf("body %q, foot %q", got.Post.Body, got.Post.Foot)
		}
	})
}

func FuzzReadList(f *testing.F) {
	f.Add([]byte(benchList(3)), "https://mirror.example/category/a%20b.html", uint8(0))
	f.Add([]byte(`<base href="//mirror.example/x/"><ul><a href="../2021/12/22/%zz.html"><a href="?infocode=NW202112222222306968">`), "https://mirror.example/", uint8(1))
	f.Add([]byte(`<rss><link/><link>/a/2021/12/22/b.html</link><![CDATA[`), "https://mirror.example/feed.xml", uint8(2))
	f.Add([]byte(`<sitemapindex><loc>/a%.xml?b</loc></sitemapindex><loc>/category/%2f.html</loc>`), "https://mirror.example/sitemap.xml", uint8(3))
	f.Add([]byte(`<a href="/a/2021/12/22/b.html">甲&amp;<b>乙</b></a><a href="/a/2021/12/22/c.html">丙…<li>`), "https://mirror.example/", uint8(1))
	f.Add([]byte(`<feed><entry><title>甲</title><link href="/a/2021/12/22/b.html"/><id>x</id></entry><item><link>/a/2021/12/22/c.html</link><title><![CDATA[乙]]>`), "https://mirror.example/feed.xml", uint8(2))
	for i, test := range refused {
		f.Add([]byte(test.page), "https://mirror.example/", uint8(i))
	}
	s := newSite(f)
	kinds := []news.PageKind{news.KindCategory, news.KindHome, news.KindFeed, news.KindSitemap}
	f.Fuzz(func(t *testing.T, body []byte, address string, kind uint8) {
		got, ok := checkPage(t, s, capture(kinds[int(kind)%len(kinds)], address, string(body)))
		if !ok {
			return
		}
		if got.Post != nil || len(got.Leads) > 0 {
			t.Errorf("a list has a post %v or leads %v", got.Post, got.Leads)
		}
		checkPortions(t, s, capture(kinds[int(kind)%len(kinds)], address, string(body)), got)
		for _, w := range got.Found {
			for _, page := range w.Pages {
				checkAddress(t, s, w, page)
			}
		}
	})
}

// checkPortions holds that a list read by portions tells what it tells as a
// whole.
func checkPortions(t *testing.T, s *Site, c *news.Capture, whole Page) {
	t.Helper()
	var found []news.Wanted
	p, err := s.ReadList(c, func(posts []news.Wanted) error {
		found = append(found, posts...)
		return nil
	})
	if p.Found = append(found, p.Found...); err != nil || len(whole.Found) < Portion && !cmp.Equal(p, whole, cmpopts.EquateEmpty()) {
		t.Errorf("by portions: %v\n%s", err, cmp.Diff(whole, p))
	}
}

// checkAddress holds that a found post's address is its own one spelling.
func checkAddress(t *testing.T, s *Site, w news.Wanted, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l := s.look(u)
	if l.kind != news.KindPost || l.id != w.ID || l.address != address {
		t.Errorf("%s of %s reads as %+v", address, w.ID, l)
	}
}
