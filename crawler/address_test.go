package crawler_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Posts of the fixtures.
const (
	code1 = "NW202112222222306968"
	path1 = "/yanlancaijing/2021/12/22/" + code1 + ".html"
	code2 = "NW202112222222541258"
	share = "/html_News/NewsShare.html?infoCode="
	text  = "/NewsData/GetNewsText.do?id="
)

const sentence = "<p>一家港口公司说，新泊位下个月投用。</p>"

// TestManyAddressesOnePost: whatever its addresses, a post is fetched once, and
// from its own page.
func TestManyAddressesOnePost(t *testing.T) {
	f := newFixture(t, map[string]string{
		"/": listPage(
			"{base}/html_News/NewsShare.html?infocode=nw202112222222306968",
			"{base}/html_News/NewsShare.html?INFOCODE=202112222222306968",
			"http://finance.eastmoney.com/a/202112222222306968.html",
			"http://stock.eastmoney.com/news/1611,202112222222306968.html",
			"{base}"+text+code1,
			"/category/yanlancaijing.html",
		),
		"/category/yanlancaijing.html": listPage(path1, "//{base}"+path1, path1+"#top", path1+"?from=feed"),
		path1:                          postPage("新泊位下月投用", sentence, code1, "yanlancaijing"),
		share + code1:                  "never to be asked for",
	})
	a := newArchive(t)
	report := crawl(t, options(f.base, a))
	if report.Discovered != 1 || report.New != 1 {
		t.Errorf("report %+v", countsOf(report))
	}
	want := map[string]int{"/robots.txt": 1, "/": 1, "/feed.xml": 1, "/sitemap.xml": 1, "/category/yanlancaijing.html": 1, path1: 1}
	if diff := cmp.Diff(want, f.requests()); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	rev := held(t, a)["202112222222306968"]
	if rev.InfoCode != code1 || rev.URL != f.base+path1 || rev.Category != "yanlancaijing" {
		t.Errorf("archived %s from %s in category %q", rev.InfoCode, rev.URL, rev.Category)
	}
}

// TestOtherHostsAreNeverAsked: links to them are not followed, wherever they
// stand; those to Eastmoney's articles are infoCodes.
func TestOtherHostsAreNeverAsked(t *testing.T) {
	other := newFixture(t, nil)
	body := sentence + `<p><a href="` + other.base + `/a.html">外部</a><img src="` + other.base + `/k.png"></p>` +
		`<h3 class="emh3">相关报道</h3><p><a href="http://finance.eastmoney.com/a/202112212221000001.html">早前报道</a></p>` +
		`<p><a href="{base}/yanlancaijing/2021/12/21/NW202112212221000002.html">另一篇</a></p>`
	f := newFixture(t, map[string]string{
		"/": listPage(path1, other.base+path1, other.base+"/", other.base+"/category/yanlancaijing.html",
			other.base+share+"NW202112222222999999", "http://finance.eastmoney.com/a/202112222222541258.html"),
		path1:        postPage("新泊位下月投用", body, code1, "yanlancaijing"),
		text + code2: `{"infoCode":"` + code2 + `","title":"泊位","showtime":"2021-12-22 11:00:00","medianame":"砚岚财经","text":"` + sentence + `"}`,
	})
	a := newArchive(t)
	for range 2 {
		crawl(t, options(f.base, a))
	}
	if asked := other.requests(); len(asked) != 0 {
		t.Errorf("the other host was asked for %v", asked)
	}
	if posts := held(t, a); len(posts) != 2 || posts["202112222222541258"].InfoCode != code2 {
		t.Errorf("archived %v", posts)
	}
	leads := wantedOf(t, a.Leads)
	if len(leads) != 2 || leads["202112212221000001"].ID == "" || leads["202112212221000002"].ID == "" {
		t.Errorf("leads %v", leads)
	}
	for at := range f.requests() {
		if at == "/yanlancaijing/2021/12/21/NW202112212221000002.html" || at == share+"NW202112212221000001" {
			t.Errorf("the crawl followed the lead %s", at)
		}
	}
}

// TestCodeAtTheFoot: a page whose address tells no infoCode is archived under
// the one that it names, and its address is known from then on.
func TestCodeAtTheFoot(t *testing.T) {
	const at = "/yanlancaijing/2021/12/22/xinbowei.html"
	for name, home := range map[string]string{
		"alone":              listPage(at),
		"beside its code":    listPage(at, "{base}"+share+code1),
		"behind its code":    listPage("{base}"+share+code1, at),
		"beside its address": listPage(at, path1),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, map[string]string{
				"/": home,
				at:  postPage("新泊位下月投用", sentence, code1, "yanlancaijing"),
			})
			f.put(path1, f.pages[at])
			a := newArchive(t)
			o := options(f.base, a)
			o.Limits.Parallel = 1
			first := crawl(t, o)
			if posts := held(t, a); first.New != 1 || len(posts) != 1 || posts["202112222222306968"].Title == "" {
				t.Errorf("report %+v, archived %v", countsOf(first), posts)
			}
			if asked := f.requests(); asked[share+code1]+asked[text+code1] != 0 {
				t.Errorf("asked for %v", asked)
			}
			second := crawl(t, o)
			if asked := f.requests(); second.New != 0 || asked[at] != 0 || asked[path1] != 0 {
				t.Errorf("second run: %+v, asked for %v", countsOf(second), asked)
			}
		})
	}
}

// TestNoteWithoutCode: the site's own notes have no infoCode, and are archived
// under an identity made from their address.
func TestNoteWithoutCode(t *testing.T) {
	const at = "/zhanwu/2021/12/08/开站大吉.html"
	f := newFixture(t, map[string]string{"/": strings.Replace(listPage(at), "第1条消息", "开站大吉", 1), at: postPage("开站大吉", "<p>本站开张。</p>", "", "zhanwu")})
	a := newArchive(t)
	report := crawl(t, options(f.base, a))
	if report.New != 1 || report.Incomplete[news.LacksInfoCode] != 1 {
		t.Errorf("report %+v, incomplete %v", countsOf(report), report.Incomplete)
	}
	for id, rev := range held(t, a) {
		if id.HasCode() || id.Day() != 20211208 || rev.Title != "开站大吉" {
			t.Errorf("archived %s: %q", id, rev.Title)
		}
	}
	if f.requests()[at] != 1 {
		t.Error("the note was not asked for once")
	}
	if crawl(t, options(f.base, a)); f.requests()[at] != 0 {
		t.Error("the note was asked for again")
	}
}

// TestCategoryNames: names with spaces, brackets and upper case are found by
// their pages, and name the posts that only those list.
func TestCategoryNames(t *testing.T) {
	names := []string{"21shijijingjibaodao 21caijingAPP", "anxinguojizhengquan(xianggang)", "Career In touxingPEVC", "haiwan  caijing"}
	pages := map[string]string{}
	var links []string
	for i, name := range names {
		code := "NW20211222222254000" + string(rune('0'+i))
		page := "/category/" + name + ".html"
		pages[page] = listPage("{base}" + share + code)
		pages[text+code] = `{"infocode":"` + code + `","title":"泊位","datetime":"2021-12-22 11:00:00","from":"砚岚财经","content":"` + sentence + `"}`
		links = append(links, page)
	}
	pages["/"] = listPage(links...)
	f := newFixture(t, pages)
	a := newArchive(t)
	crawl(t, options(f.base, a))
	got := map[string]int{}
	for _, rev := range held(t, a) {
		got[rev.Category]++
	}
	for _, name := range names {
		if got[name] != 1 {
			t.Errorf("category %q has %d posts: %v", name, got[name], got)
		}
	}
	for at, n := range f.requests() {
		if n != 1 {
			t.Errorf("%s was asked for %d times", at, n)
		}
	}
}

// TestMissingListsRest: a feed or sitemap that the site lacks, or a category
// that is gone, is no failure, and is left alone for a day.
func TestMissingListsRest(t *testing.T) {
	f := newFixture(t, map[string]string{"/": listPage(path1, "/category/weilai.html"), path1: postPage("新泊位下月投用", sentence, code1, "yanlancaijing")})
	o := options(f.base, newArchive(t))
	start := time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)
	lists := []string{"/feed.xml", "/sitemap.xml", "/category/weilai.html", "/category/yanlancaijing.html"}
	for _, c := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {5 * time.Minute, 0}, {23 * time.Hour, 0}, {25 * time.Hour, 1}, {26 * time.Hour, 0}} {
		o.Now = func() time.Time { return start.Add(c.after) }
		report := crawl(t, o)
		asked := f.requests()
		for _, at := range lists {
			if asked[at] != c.asked {
				t.Errorf("after %v %s was asked for %d times, want %d", c.after, at, asked[at], c.asked)
			}
		}
		if report.Lists.Failed != 0 || report.Lists.Gone != c.asked*len(lists) || len(report.Problems) != 0 {
			t.Errorf("after %v: %+v, problems %v", c.after, report.Lists, report.Problems)
		}
	}
}

// TestOnlyConfiguredCategories: where the configuration names categories, only
// their pages are read, and only their posts archived.
func TestOnlyConfiguredCategories(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 200})
	a := newArchive(t)
	o := options(base, a)
	o.Mirrors[0].Categories = []string{m.Post(0).Category, m.Post(199).Category}
	report := crawl(t, o)
	want := map[string]int{"/robots.txt": 1}
	for i, p := range m.Posts() {
		if p.Category == m.Post(0).Category || p.Category == m.Post(199).Category {
			want["/category/"+p.Category+".html"] = 1
			want[plain(m.Standing(i).Path)] = 1
		}
	}
	if diff := cmp.Diff(want, asked(m)); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	if report.Discovered != report.New || int64(report.New) != stats(t, a).Posts {
		t.Errorf("report %+v", countsOf(report))
	}
	m.ResetRequests()
	if again := crawl(t, o); again.Discovered != 0 || again.Lists.NotModified != report.Lists.Read {
		t.Errorf("second run: %+v, lists %+v", countsOf(again), again.Lists)
	}
}

// TestNewPosts: a later run asks for what is new, and lists what it is told.
func TestNewPosts(t *testing.T) {
	m, base := newMirror(t, mirror.Options{Posts: 150})
	a := newArchive(t)
	crawl(t, options(base, a))
	from, err := m.Publish(7)
	if err != nil {
		t.Fatal(err)
	}
	m.ResetRequests()
	report := crawl(t, options(base, a))
	posts := asked(m)
	maps.DeleteFunc(posts, func(at string, _ int) bool { return !isPost(at) })
	want := map[string]int{}
	for i := from; i < m.Len(); i++ {
		want[plain(m.Standing(i).Path)] = 1
	}
	if diff := cmp.Diff(want, posts, cmpopts.EquateEmpty()); diff != "" || report.New != 7 {
		t.Errorf("%d new, asked for (-want +got):\n%s", report.New, diff)
	}
	checkTruth(t, m, held(t, a))
}
