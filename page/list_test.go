package page

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/finarc/finarc/news"
)

func TestReadCategory(t *testing.T) {
	const address = "https://mirror.example/category/21shijijingjibaodao%20%2021caijingAPP.html"
	body := strings.NewReplacer("{title}", "别家新闻", "{article}", `<h1>别家新闻</h1><ul>
<li><a href="/21shijijingjibaodao/21caijingapp/2021/12/22/NW202112222222306968.html">甲</a></li>
<li><a href="http://share.example/html_News/NewsShare.html?infocode=NW202112222222306968">甲，分享</a></li>
<li><a href="//mirror.example/emnews/2021/12/22/202112222222306968.html?a=1#b">甲，滚动</a></li>
<li><a href='../21caijing/2021/12/22/NW202112222222306969.html'>乙</a></li>
<li><a href=/gonggao/2021/12/08/note.html>丙</a></li>
<li><a href="http://finance.eastmoney.com/a/202112222222306970.html">丁</a></li>
<li><a href="http://share.example/NewsData/GetNewsText.do?id=NW202112222222306971">戊</a></li>
<li><a href="http://other.example/NewsData/GetNewsText.do?id=NW202112222222306972">别家</a></li>
<li><a href="javascript:void(0)">无</a><a href="mailto:a@mirror.example">无</a><a href="#top">无</a><a>无</a><a href="">无</a></li>
<li><a href="/emnews/2021/12/22/NW202112222222306973.html`+strings.Repeat("x", maxAddress)+`.html">太长</a></li>
<li><a href="
	/emnews/2021/12/22/NW2021122222
22306974.html ">换行</a></li>
</ul><p><a href="/category/Career In  touxingPEVC.html">空格</a> <a href="http://mirror.example/category/anxin%28xianggang%29.html#x">括号</a>
<a href="21shijijingjibaodao  21caijingAPP.html">自己</a></p>`).Replace(layout)
	got := mustRead(t, capture(news.KindCategory, address, body))
	want := []news.Wanted{
		{ID: "202112222222306968", InfoCode: "NW202112222222306968", Pages: []string{
			"https://mirror.example/21shijijingjibaodao/21caijingapp/2021/12/22/NW202112222222306968.html",
			"https://mirror.example/emnews/2021/12/22/202112222222306968.html"}},
		{ID: "202112222222306969", InfoCode: "NW202112222222306969", Pages: []string{"https://mirror.example/21caijing/2021/12/22/NW202112222222306969.html"}},
		{ID: news.PageID(20211208, &url.URL{Host: "mirror.example", Path: "/gonggao/2021/12/08/note.html"}), Pages: []string{"https://mirror.example/gonggao/2021/12/08/note.html"}},
		{ID: "202112222222306970", InfoCode: "202112222222306970"},
		{ID: "202112222222306971", InfoCode: "NW202112222222306971"},
		{ID: "202112222222306974", InfoCode: "NW202112222222306974", Pages: []string{"https://mirror.example/emnews/2021/12/22/NW202112222222306974.html"}},
		{ID: "202112222222400001", InfoCode: "NW202112222222400001", Pages: []string{"https://mirror.example/beijingribao/2021/12/22/NW202112222222400001.html"}},
	}
	for i := range want {
		want[i].Mirror, want[i].Category = "mirror", "21shijijingjibaodao  21caijingAPP"
		want[i].FoundOn, want[i].Found = address, fetched
		want[i].TitleSum = news.TitleSum([]string{"甲", "乙", "丙", "丁", "戊", "换行", ""}[i])
	}
	if diff := cmp.Diff(want, got.Found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	lists := []string{
		"feed https://mirror.example/feed.xml",
		"category https://mirror.example/category/emnews.html",
		"category https://mirror.example/category/Career%20In%20%20touxingPEVC.html",
		"category https://mirror.example/category/anxin(xianggang).html",
	}
	if diff := cmp.Diff(lists, listURLs(got.Lists)); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	if got.Post != nil || got.Leads != nil || got.Dropped != 0 {
		t.Errorf("post %v, leads %v, dropped %d", got.Post, got.Leads, got.Dropped)
	}
}

// A category's page may be one of the oldest posts' folders.
func TestReadCategoryFolder(t *testing.T) {
	c := capture(news.KindCategory, "https://mirror.example/emnews/", `<ul><li><a href="2021/12/22/NW202112222222306968.html">甲</a></ul>`)
	if got := mustRead(t, c).Found; len(got) != 1 || got[0].Category != "emnews" {
		t.Errorf("found = %+v", got)
	}
}

func TestReadHomeBase(t *testing.T) {
	for href, base := range map[string]string{
		"2021/12/22/NW202112222222306968.html":                         `<base href="/emnews/">`,
		"/emnews/2021/12/22/NW202112222222306968.html":                 `<base target="_blank">`,
		"//mirror.example/emnews/2021/12/22/NW202112222222306968.html": `<base href="https://other.example/">`,
	} {
		got := mustRead(t, capture(news.KindHome, "https://mirror.example/", base+`<h2 id="东财滚动新闻">东财滚动新闻</h2><ul><li><a href="`+href+`">甲</a></ul>`))
		if len(got.Found) != 1 || got.Found[0].Pages[0] != "https://mirror.example/emnews/2021/12/22/NW202112222222306968.html" || got.Found[0].Category != "" {
			t.Errorf("%s with %s: found = %+v", href, base, got.Found)
		}
	}
	other := capture(news.KindHome, "https://mirror.example/", `<base href="https://other.example/"><ul><a href="/emnews/2021/12/22/NW202112222222306968.html">甲</a></ul>`)
	if got := mustRead(t, other); len(got.Found) != 0 {
		t.Errorf("another base: found = %+v", got.Found)
	}
}

func TestReadListUnreadable(t *testing.T) {
	for name, body := range map[string]string{
		"empty":      "",
		"block page": "<title>Just a moment...</title><h1>Checking your browser</h1><script>go()</script>",
		"text":       "rate limited",
	} {
		for _, kind := range []news.PageKind{news.KindHome, news.KindCategory, news.KindFeed, news.KindSitemap} {
			if _, err := newSite(t).Read(capture(kind, "https://mirror.example/", body)); !errors.Is(err, ErrUnreadable) {
				t.Errorf("%s as %s: err = %v", name, kind, err)
			}
		}
	}
	if _, err := newSite(t).Read(capture(news.KindCategory, "https://mirror.example/category/a.html", "<ul></ul>")); err != nil {
		t.Errorf("an empty list: %v", err)
	}
	if _, err := newSite(t).Read(capture(news.KindRobots, "https://mirror.example/robots.txt", "User-agent: *")); !errors.Is(err, ErrUnreadable) {
		t.Errorf("robots.txt: err = %v", err)
	}
}

func TestReadListBounded(t *testing.T) {
	var b strings.Builder
	for i := range MaxLinks + 5 {
		fmt.Fprintf(&b, "<a href=/emnews/2021/12/22/NW2021122222%08d.html>", i)
	}
	b.WriteString("<a href=/emnews/2021/12/22/NW202112222200000000.html>")
	for i := range maxPages + 2 {
		fmt.Fprintf(&b, "<a href=/c%d/2021/12/22/NW202112222200000001.html>", i)
	}
	got := mustRead(t, capture(news.KindHome, "https://mirror.example/", b.String()))
	if len(got.Found) != MaxLinks || got.Dropped != 5+3 {
		t.Errorf("found %d, dropped %d", len(got.Found), got.Dropped)
	}
}

func TestReadFeed(t *testing.T) {
	const post = "https://mirror.example/emnews/2021/12/22/NW202112222222306968.html"
	for _, test := range []struct {
		name, body   string
		kind         news.PageKind
		found, lists []string
	}{
		{"atom", `<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">
<link href="https://mirror.example/feed.xml" rel="self"/><link href="https://mirror.example/" rel="alternate"/><title/>
<entry><title type="html">甲 &lt;乙&gt;</title><link href="` + post + `" rel="alternate"/><id>` + post + `</id><content type="html">&lt;a href="/emnews/2021/12/22/NW202112222222306969.html"&gt;</content></entry></feed>`,
			news.KindFeed, []string{"202112222222306968"}, nil},
		{"rss", `<rss version="2.0"><channel><title><![CDATA[甲 <乙>]]></title><link>https://mirror.example/</link>
<item><link><![CDATA[` + post + `]]></link><guid isPermaLink="true">` + post + `</guid><description><![CDATA[<a href="/emnews/2021/12/22/NW202112222222306969.html">]]></description></item>
<item><link>
  /emnews/2021/12/22/NW202112222222306970.html
</link></item></channel></rss>`,
			news.KindFeed, []string{"202112222222306968", "202112222222306970"}, nil},
		{"sitemap", `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>` + post + `</loc><lastmod>2021-12-22</lastmod></url><url><loc>https://mirror.example/category/a%20b.html?x=1&amp;y=2</loc></url>
<url><loc>https://other.example/emnews/2021/12/22/NW202112222222306969.html</loc></url><url><loc/></url></urlset>`,
			news.KindSitemap, []string{"202112222222306968"}, []string{"category https://mirror.example/category/a%20b.html"}},
		{"sitemap index", `<sitemapindex><sitemap><loc>https://mirror.example/posts/1.xml</loc></sitemap>
<sitemap><loc>http://mirror.example/sitemap.xml</loc></sitemap><sitemap><loc>https://mirror.example/map.xml?page=2</loc></sitemap>
<sitemap><loc>https://other.example/sitemap.xml</loc></sitemap></sitemapindex>`,
			news.KindSitemap, nil, []string{"sitemap https://mirror.example/posts/1.xml", "sitemap https://mirror.example/map.xml?page=2"}},
		{"cut off", `<urlset><url><loc>` + post + `</loc></url><url><loc>https://mirror.exam`,
			news.KindSitemap, []string{"202112222222306968"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			address := newSite(t).Feed()
			if test.kind == news.KindSitemap {
				address = newSite(t).Sitemap()
			}
			got := mustRead(t, capture(test.kind, address, test.body))
			if diff := cmp.Diff(test.found, codes(got.Found)); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.lists, listURLs(got.Lists)); diff != "" {
				t.Errorf("lists (-want +got):\n%s", diff)
			}
		})
	}
}

// TestListsMoved: a sitemap tells when list pages changed.
func TestListsMoved(t *testing.T) {
	entry := func(name, lastmod string) string {
		return "<url><loc>https://mirror.example/category/" + name + ".html</loc>" + lastmod + "</url>"
	}
	body := `<urlset>` + entry("second", "<lastmod>2021-12-22T10:37:15+08:00</lastmod>") + entry("none", "") +
		entry("utc", "<lastmod> 2021-12-22T02:37:15.5Z </lastmod>") + entry("minute", "<lastmod>2021-12-22T10:37+08:00</lastmod>") +
		entry("day", "<lastmod>2021-12-22</lastmod>") + entry("year", "<lastmod>2021</lastmod>") + entry("odd", "<lastmod>gestern</lastmod>") +
		entry("far", "<lastmod>9999-12-22</lastmod>") +
		`<url><lastmod>2021-12-22</lastmod><loc>https://mirror.example/category/before.html</loc></url>` +
		`<url><loc>https://mirror.example/emnews/2021/12/22/NW202112222222306968.html</loc><lastmod>2021-12-22</lastmod></url>` + entry("last", "")
	second := time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai)
	day := second.Truncate(24 * time.Hour).Add(-8 * time.Hour)
	want := map[string]time.Time{
		"second": second, "none": {}, "utc": second.Add(time.Second / 2), "minute": second.Truncate(time.Minute), "day": day,
		"year": {}, "odd": {}, "far": {}, "before": day, "last": {},
	}
	got := map[string]time.Time{}
	for _, l := range mustRead(t, capture(news.KindSitemap, newSite(t).Sitemap(), body)).Lists {
		got[strings.TrimSuffix(l.URL[strings.LastIndexByte(l.URL, '/')+1:], ".html")] = l.Moved
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
}
