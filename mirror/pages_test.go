package mirror_test

import (
	"encoding/json"
	"encoding/xml"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

var hrefs = regexp.MustCompile(`<li><a href="([^"]*)">([^<]*)</a></li>`)

func TestPostPage(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 120, Categories: 30, Seed: 5})
	base := serve(t, m)
	host := strings.TrimPrefix(base, "http:")
	for i, p := range m.Posts() {
		path := m.Standing(i).Path
		resp, page := get(t, base+path)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s: %s, %s", path, resp.Status, resp.Header.Get("Content-Type"))
		}
		share := base + "/html_News/NewsShare.html?infoCode=" + string(p.InfoCode)
		want := "<small>(GMT+8, Asia/Shanghai, CST) " + p.Published.Format("2006-01-02 15:04:05") + "</small>\n" +
			"<h1>" + strings.ReplaceAll(html.EscapeString(p.Title), "&#34;", "&quot;") + "</h1>\n" + p.Body + "\n\n" +
			`<p><a href="` + share + `">` + share + "</a></p>\n\n" +
			`<p><a href="` + host + "/category/" + strings.ReplaceAll(p.Category, " ", "%20") + `.html">返回` + p.Tag + `</a>｜<a href="` + host + `/">返回首页</a></p>` + "\n" +
			"<small>tags: <em>" + strings.Join(p.Tags(), "</em> - <em>") + "</em></small>\n"
		if !strings.Contains(page, want) {
			t.Errorf("%s does not hold\n%s\nbut\n%s", path, want, page)
		}
		checkMarks(t, p)
	}
}

// checkMarks counts the marks in a body by other means than the generator's.
func checkMarks(t *testing.T, p news.Post) {
	t.Helper()
	for _, m := range append(p.Securities, p.Boards...) {
		named := strings.Count(p.Body, `keytip" data-code="`+strings.Replace(m.String(), ".", ",", 1)+`"`) +
			strings.Count(p.Body, `em_stock_key_common" data-code="`+strings.Replace(m.String(), ".", ",", 1)+`"`)
		pictures := strings.Count(p.Body, `alt="K图 `+m.Code+`_0"`)
		if named+pictures != m.Count || (named > 0) != (m.Name != "") {
			t.Errorf("%s: %d names and %d pictures, want %+v", p.ID, named, pictures, m)
		}
	}
}

func TestOutletShapes(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 400})
	shapes := map[string]func(p news.Post, path string) bool{
		"rolling news":   func(p news.Post, path string) bool { return strings.HasSuffix(path, "/"+string(p.ID)+".html") },
		"two categories": func(p news.Post, path string) bool { return len(p.Categories()) == 2 },
		"two spaces":     func(p news.Post, path string) bool { return strings.Contains(p.Category, "  ") },
		"brackets":       func(p news.Post, path string) bool { return strings.Contains(path, "(xianggang)/") },
		"upper case":     func(p news.Post, path string) bool { return strings.ToLower(p.Category) != p.Category },
		"digits": func(p news.Post, path string) bool {
			return regexp.MustCompile(`^\d\dcaijing$`).MatchString(p.Category)
		},
	}
	for i, p := range m.Posts() {
		path := m.Standing(i).Path
		if path != strings.ToLower(path[:strings.LastIndexByte(path, '/')])+path[strings.LastIndexByte(path, '/'):] {
			t.Errorf("%s is not in lower case", path)
		}
		for name, is := range shapes {
			if is(p, path) {
				delete(shapes, name)
			}
		}
	}
	for name := range shapes {
		t.Errorf("no outlet with %s", name)
	}
}

// TestDiscovery crawls as a reader must: from home to posts, to categories, to
// all posts.
func TestDiscovery(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 600, Categories: 40, ShareOnly: 0.05, Seed: 9})
	base := serve(t, m)
	_, home := get(t, base+"/")
	if strings.Contains(home, "/category/") || !strings.Contains(home, "<title>金融消息</title>") {
		t.Error("home is not as the site's")
	}
	categories := map[string]bool{}
	for _, link := range hrefs.FindAllStringSubmatch(home, -1) {
		if !strings.HasPrefix(link[1], "/") {
			continue
		}
		_, page := get(t, base+link[1])
		back := regexp.MustCompile(`href="(//[^"]*/category/[^"]*)"`).FindStringSubmatch(page)
		categories["http:"+back[1]] = true
	}
	found := map[news.ID]bool{}
	for address := range categories {
		_, page := get(t, address)
		for _, link := range hrefs.FindAllStringSubmatch(page, -1) {
			code, ok := news.FindInfoCode(link[1])
			if !ok {
				t.Errorf("%s links %s", address, link[1])
			}
			found[code.ID()] = true
		}
	}
	if len(categories) != 40 || len(found) != m.Len() {
		t.Errorf("found %d categories and %d posts of %d", len(categories), len(found), m.Len())
	}
}

func TestCategoryPagesAreMistitled(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 100, Categories: 50})
	wrong := 0
	seen := map[string]bool{}
	for _, p := range m.Posts() {
		if seen[p.Category] {
			continue
		}
		seen[p.Category] = true
		page := fetch(m, "/category/"+url.PathEscape(p.Category)+".html")
		if !strings.Contains(page, "<title>"+p.Tag+" | 金融消息</title>") {
			wrong++
		}
	}
	if wrong < 15 || wrong > 45 {
		t.Errorf("%d of 50 category pages have another's title", wrong)
	}
}

func TestFeedAndSitemap(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 50})
	base := serve(t, m)
	var feed struct {
		Entries []struct {
			Title   string `xml:"title"`
			Content string `xml:"content"`
			Link    struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"entry"`
	}
	_, text := get(t, base+"/feed.xml")
	if err := xml.Unmarshal([]byte(text), &feed); err != nil {
		t.Fatal(err)
	}
	for k, e := range feed.Entries {
		i := m.Len() - 1 - k
		if p := m.Post(i); e.Title != p.Title || e.Content != p.Body || e.Link.Href != base+m.Standing(i).Path {
			t.Errorf("entry %d is %+v", k, e)
		}
	}
	if len(feed.Entries) != 10 {
		t.Errorf("%d entries", len(feed.Entries))
	}
	var sitemap struct {
		URLs []string `xml:"url>loc"`
	}
	_, text = get(t, base+"/sitemap.xml")
	if err := xml.Unmarshal([]byte(text), &sitemap); err != nil || len(sitemap.URLs) != 50+12+1 {
		t.Errorf("sitemap of %d: %v", len(sitemap.URLs), err)
	}
	if _, robots := get(t, base+"/robots.txt"); !strings.Contains(robots, "Sitemap: "+base+"/sitemap.xml\n") {
		t.Errorf("robots.txt: %s", robots)
	}
}

func TestShareAndText(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 400, ShareOnly: 0.5, Seed: 4})
	base := serve(t, m)
	kinds := map[news.PageKind]int{}
	spellings := map[bool]int{}
	for i, p := range m.Posts() {
		kinds[m.Standing(i).Best]++
		_, share := get(t, base+"/html_News/NewsShare.html?infoCode="+string(p.InfoCode))
		withText := strings.Contains(share, `<div id="newsContent" class="content">`+p.Body+"</div>")
		if withText == strings.Contains(share, "GetNewsText.do?id="+string(p.InfoCode)) {
			t.Errorf("the share page of post %d is neither with text nor a shell", i)
		}
		if best := m.Standing(i).Best; best != news.KindPost && (best == news.KindShare) != withText {
			t.Errorf("post %d is best read as %s", i, best)
		}
		spellings[checkText(t, base, p)]++
	}
	if kinds[news.KindShare] < 50 || kinds[news.KindText] < 50 || kinds[news.KindPost] < 100 {
		t.Errorf("kinds: %v", kinds)
	}
	if spellings[true] < 50 || spellings[false] < 200 {
		t.Errorf("spellings: %v", spellings)
	}
}

// checkText checks a post's text JSON and reports whether it has the other
// field names.
func checkText(t *testing.T, base string, p news.Post) (other bool) {
	t.Helper()
	_, text := get(t, base+"/NewsData/GetNewsText.do?id="+string(p.InfoCode))
	var fields map[string]string
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	pick := func(names ...string) string {
		for _, name := range names {
			if v, ok := fields[name]; ok {
				return v
			}
		}
		return ""
	}
	got := []string{pick("infoCode", "infocode"), fields["title"], pick("showtime", "datetime"), pick("medianame", "from"), fields["digest"], pick("text", "content")}
	want := []string{string(p.InfoCode), p.Title, p.Published.Format("2006-01-02 15:04:05"), p.Outlet, p.Digest, p.Body}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%s: got %q, want %q", p.ID, got, want)
	}
	_, other = fields["content"]
	return other
}

func TestUnknownPosts(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 10})
	base := serve(t, m)
	const code = "NW202112220000000001"
	resp, share := get(t, base+"/html_News/NewsShare.html?infoCode="+code)
	if resp.StatusCode != http.StatusOK || !strings.Contains(share, "GetNewsText.do?id="+code) {
		t.Errorf("share: %s %s", resp.Status, share)
	}
	resp, text := get(t, base+"/NewsData/GetNewsText.do?id="+code)
	if resp.StatusCode != http.StatusOK || !strings.Contains(text, `"text":""`) {
		t.Errorf("text: %s %s", resp.Status, text)
	}
	for _, path := range []string{"/nowhere", "/category/nowhere.html", "/emnews/2021/12/22/NW202112220000000001.html", "/a/2021/12/22/x.html"} {
		if resp, page := get(t, base+path); resp.StatusCode != http.StatusNotFound || !strings.Contains(page, "<h1>404</h1>") {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}
