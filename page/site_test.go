package page

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
)

const (
	shareTemplate = "http://share.example/html_News/NewsShare.html?infoCode={infoCode}"
	textTemplate  = "http://share.example/NewsData/GetNewsText.do?id={infoCode}"
)

func TestNewSiteErrors(t *testing.T) {
	for _, test := range []struct{ name, site, share, text, wrong string }{
		{"", "https://mirror.example/", "", "", "name"},
		{"m", "", "", "", "site"},
		{"m", "mirror.example", "", "", "site"},
		{"m", "ftp://mirror.example/", "", "", "site"},
		{"m", "https://user@mirror.example/", "", "", "site"},
		{"m", "https://mirror.example/?a=b", "", "", "site"},
		{"m", "https://mirror.example/#top", "", "", "site"},
		{"m", "https://mirror.example/\x7f", "", "", "site"},
		{"m", "https://mirror.example/", "http://share.example/NewsShare.html", "", "share"},
		{"m", "https://mirror.example/", "/NewsShare.html?infoCode={infoCode}", "", "share"},
		{"m", "https://mirror.example/", "http://{infoCode}.example/", "", "share"},
		{"m", "https://mirror.example/", "http://share.example/?{infoCode}", "", "share"},
		{"m", "https://mirror.example/", "http://share.example/?a=NW{infoCode}", "", "share"},
		{"m", "https://mirror.example/", "http://share.example/#{infoCode}", "", "share"},
		{"m", "https://mirror.example/", "", "http://share.example/{infoCode}/{infoCode}", "text"},
		{"m", "https://mirror.example/", "", "http://[/{infoCode}", "text"},
	} {
		_, err := NewSite(test.name, test.site, test.share, test.text)
		if err == nil || !strings.HasPrefix(err.Error(), test.wrong+": ") {
			t.Errorf("NewSite(%q, %q, %q, %q): err = %v, want one of %s", test.name, test.site, test.share, test.text, err, test.wrong)
		}
	}
}

func TestSiteAddresses(t *testing.T) {
	s, err := NewSite("m", "HTTP://Mirror.Example:80/news", shareTemplate, textTemplate)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ got, want string }{
		{s.Name(), "m"},
		{s.Home(), "http://mirror.example/news/"},
		{s.Feed(), "http://mirror.example/news/feed.xml"},
		{s.Sitemap(), "http://mirror.example/news/sitemap.xml"},
		{s.Category("21caijing"), "http://mirror.example/news/category/21caijing.html"},
		{s.Category("Career In  touxingPEVC"), "http://mirror.example/news/category/Career%20In%20%20touxingPEVC.html"},
		{s.Category("anxin(xianggang)"), "http://mirror.example/news/category/anxin(xianggang).html"},
		{s.Category("a/b?c%d"), "http://mirror.example/news/category/a%2Fb%3Fc%25d.html"},
		{s.Share("202112222222306968"), "http://share.example/html_News/NewsShare.html?infoCode=NW202112222222306968"},
		{s.Text("AP202112222222306968"), "http://share.example/NewsData/GetNewsText.do?id=AP202112222222306968"},
		{s.Text(""), ""},
		{strings.Join(s.Hosts(), " "), "mirror.example share.example"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestSiteWithoutTemplates(t *testing.T) {
	s, err := NewSite("m", "https://mirror.example:8443", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if s.Share("NW202112222222306968") != "" || s.Text("NW202112222222306968") != "" {
		t.Error("a site without templates has share or text pages")
	}
	if !slices.Equal(s.Hosts(), []string{"mirror.example:8443"}) || s.Home() != "https://mirror.example:8443/" {
		t.Errorf("hosts = %q, home = %q", s.Hosts(), s.Home())
	}
}

// TestSiteOutlet: a post's address and its category's page tell the same.
func TestSiteOutlet(t *testing.T) {
	s := newSite(t)
	for address, want := range map[string]string{
		"https://mirror.example/category/21caijing.html":                                               "21caijing",
		"https://mirror.example/21caijing/2021/12/22/NW202112222222306968.html":                        "21caijing",
		"https://mirror.example/category/21shijijingjibaodao%2021caijingAPP.html":                      "21shijijingjibaodao 21caijingapp",
		"https://mirror.example/21shijijingjibaodao/21caijingapp/2021/12/22/NW202112222222306968.html": "21shijijingjibaodao 21caijingapp",
		"https://mirror.example/category/a%20%20b%20A.html":                                            "a b",
		"https://mirror.example/a/b/2021/12/22/NW202112222222306968.html":                              "a b",
		"https://mirror.example/2021/12/22/note.html":                                                  "",
		"https://mirror.example/":                                                                      "",
		"https://other.example/category/a.html":                                                        "",
		"http://share.example/html_News/NewsShare.html?infoCode=NW202112222222306968":                  "",
		"https://mirror.example/category/%zz.html":                                                     "",
	} {
		if got := s.Outlet(address); got != want {
			t.Errorf("%s is of %q, want %q", address, got, want)
		}
	}
}

func TestSiteKind(t *testing.T) {
	s := newSite(t)
	for address, want := range map[string]news.PageKind{
		"https://mirror.example":                                                              news.KindHome,
		"http://MIRROR.example:80/":                                                           news.KindHome,
		"https://mirror.example/index.html?x=1":                                               news.KindHome,
		"https://mirror.example/feed.xml":                                                     news.KindFeed,
		"https://mirror.example/sitemap.xml":                                                  news.KindSitemap,
		"https://mirror.example/sitemap-2.xml":                                                news.KindSitemap,
		"https://mirror.example/robots.txt":                                                   news.KindRobots,
		"http://share.example/robots.txt":                                                     news.KindRobots,
		"https://mirror.example/category/21caijing.html":                                      news.KindCategory,
		"https://mirror.example/category/21shijijingjibaodao%2021caijingAPP.html":             news.KindCategory,
		"https://mirror.example/category/":                                                    news.KindOther,
		"https://mirror.example/category/.html":                                               news.KindOther,
		"https://mirror.example/emnews/":                                                      news.KindOther,
		testURL:                                                                               news.KindPost,
		"https://mirror.example/21shijijingjibaodao/21caijingapp/2021/12/22/1.html":           news.KindPost,
		"https://mirror.example/2021/12/22/note.html":                                         news.KindPost,
		"https://mirror.example/a/2021/13/22/note.html":                                       news.KindOther,
		"https://mirror.example/a/2021/1/22/note.html":                                        news.KindOther,
		"https://mirror.example/a/12021/12/22/note.html":                                      news.KindOther,
		"https://mirror.example/a/2021/12/22/":                                                news.KindOther,
		"https://mirror.example/a/2021/12/22/.html":                                           news.KindOther,
		"https://mirror.example/a/2021/12/22/a.png":                                           news.KindOther,
		"https://other.example/a/2021/12/22/NW202112222222306968.html":                        news.KindOther,
		"ftp://mirror.example/":                                                               news.KindOther,
		"https://mirror.example:8080/":                                                        news.KindOther,
		"http://share.example/html_News/NewsShare.html?infoCode=NW202112222222306968":         news.KindShare,
		"https://SHARE.example/html_News/NewsShare.html?a=b&INFOCODE=202112222222306968":      news.KindShare,
		"http://share.example/html_News/NewsShare.html":                                       news.KindOther,
		"http://share.example/html_news/NewsShare.html?infoCode=NW202112222222306968":         news.KindOther,
		"http://other.example/html_News/NewsShare.html?infoCode=NW202112222222306968":         news.KindOther,
		"http://share.example/NewsData/GetNewsText.do?id=NW202112222222306968":                news.KindText,
		"http://finance.eastmoney.com/a/202112222222541258.html":                              news.KindOther,
		"http://share.example/html_News/NewsShare.html?infoCode=NW999999999999999999":         news.KindOther,
		"http://share.example/html_News/NewsShare.html?infoCode=NW202112222222306968#content": news.KindShare,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Kind(u); got != want {
			t.Errorf("Kind(%s) = %s, want %s", address, got, want)
		}
	}
}

// The code may stand in a template's path, on the site's own host.
func TestSiteKindCodeInPath(t *testing.T) {
	s, err := NewSite("m", "http://127.0.0.1:8080/a/", "http://127.0.0.1:8080/share/{infoCode}.html", "http://127.0.0.1:8080/text/{infoCode}")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]news.PageKind{
		"http://127.0.0.1:8080/a":                               news.KindHome,
		"http://127.0.0.1:8080/":                                news.KindOther,
		"http://127.0.0.1:8080/robots.txt":                      news.KindRobots,
		"http://127.0.0.1:8080/share/nw202112222222306968.html": news.KindShare,
		"http://127.0.0.1:8080/text/202112222222306968":         news.KindText,
		"http://127.0.0.1:8080/text/2021":                       news.KindOther,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Kind(u); got != want {
			t.Errorf("Kind(%s) = %s, want %s", address, got, want)
		}
	}
	if hosts := s.Hosts(); len(hosts) != 1 {
		t.Errorf("hosts = %q", hosts)
	}
	page, err := s.Read(capture(news.KindHome, "http://127.0.0.1:8080/a/", `<a href="/share/NW202112222222306968.html">甲</a>`))
	if err != nil || len(page.Found) != 1 {
		t.Errorf("found %v, err = %v", page.Found, err)
	}
}

// TestOwnAddress: a page's link to itself tells what any other link there does.
func TestOwnAddress(t *testing.T) {
	s := newSite(t)
	for _, address := range []string{
		testURL,
		"https://mirror.example",
		"http://MIRROR.example:80/",
		"https://mirror.example/feed.xml",
		"https://mirror.example/category/21shijijingjibaodao%2021caijingAPP.html",
		"https://mirror.example/category/gongsi(A)[B]100%25.html",
		"https://mirror.example/2021/12/22/note.html",
		"https://mirror.example/about.html?x=1#y",
		"https://SHARE.example/html_News/NewsShare.html?a=b&INFOCODE=202112222222306968#content",
		"http://share.example/NewsData/GetNewsText.do?id=NW202112222222306968",
		"http://finance.eastmoney.com/a/202112222222541258.html",
		"https://other.example/a/2021/12/22/NW202112222222306968.html",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		g := newGather(s, &news.Capture{URL: address, Kind: s.Kind(u)}, u, nil)
		if own, other := g.look([]byte(address)), g.resolver.look([]byte(address)); own != other {
			t.Errorf("%s: itself %+v, others %+v", address, own, other)
		}
	}
}
