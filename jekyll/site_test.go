package jekyll

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/finarc/finarc/news"
)

// hostileTitles are what YAML, Liquid or HTML could stumble over.
func hostileTitles() []string {
	return []string{
		"", " ", "寻常的标题", "000001", "true", "~", "2021-12-22", `说"引号"`, `反\斜\线\n`, "冒号: 与 # 号", "'单引号'",
		"- 列表", "[数组]", "{映射}", "*别名", "&锚", "!标签", "%YAML", "@at", "`反引号`", "> 折", "| 块", "---", "...",
		"换\n行", "回车\r\n", "制表\t符", "零\x00与\x01\x1b\x7f", "NEL\u0085与\u0080", "行分\u2028隔\u2029", "\uFEFFBOM", "\uFFFE\uFFFF", "😀\U0010FFFF",
		"<b>粗</b> & &amp; <script>", "{{ site.title }} {% raw %} {%", "\u3000全角\u00a0", "<<", "=", ":符号", `"`, `\`, "末尾\\", "题 ",
	}
}

// hostileCategories are what a file system or an address could stumble over.
func hostileCategories() []string {
	return []string{
		"21caijing", "21shijijingjibaodao 21caijingAPP", "anxinguojizhengquan(xianggang)", "Career  In touxingPEVC", "nvren[shishang]",
		"中文 类别", "../../../etc", "/etc/passwd", `a\..\b`, "..", ".", ".hidden", "-rf", "_posts", "con", "COM1.x", "a:b", "a?b#c%41&d", "100%",
		"nul\x00l", "new\nline", strings.Repeat("长", 200), strings.Repeat("a b ", 300), "true", "123", "0x1F", "1:30", "- a", "*a", "a: b", "a #b", "a'b\"c", "<b>", "~", "#x", "x~", "a+b", "a,b;c=d", "{{x}}", "index",
	}
}

// site returns posts with every hostile title and category.
func hostilePosts() []news.Revision {
	var revs []news.Revision
	for _, title := range hostileTitles() {
		revs = append(revs, numbered(len(revs)+1, title, "<p>文</p>"))
	}
	for _, category := range hostileCategories() {
		rev := numbered(len(revs)+1, "题", "<p>文</p>")
		rev.Category, rev.Tag, rev.Foot = category, category+"新闻", ""
		revs = append(revs, rev)
	}
	return revs
}

// TestHostileSite builds a site of hostile titles and categories, and asks that
// every post is a page that says what the post says, that every category has
// its page with the right title and the right posts, and that nothing lands
// outside.
func TestHostileSite(t *testing.T) {
	revs := hostilePosts()
	dir := export(t, revs)
	site := build(t, dir)
	pages := postPages(t, site)
	if len(pages) != len(revs) {
		t.Errorf("got %d pages, want %d", len(pages), len(revs))
	}
	for _, rev := range revs {
		path, ok := pages[rev.ID]
		if !ok {
			t.Errorf("post %q of category %q has no page", rev.Title, rev.Category)
			continue
		}
		p := readPage(t, path)
		if want := asHTML(rev.Title); p.title != want || p.small != "(GMT+8, Asia/Shanghai, CST) 2021-12-22 10:37:15" {
			t.Errorf("got title %q and %q, want %q", p.title, p.small, want)
		}
		if want := "tags: " + asHTML(strings.Join(strings.Fields(rev.Tag), " ")); p.tags != want {
			t.Errorf("got %q, want %q", p.tags, want)
		}
	}
	checkCategoryPages(t, dir, site, revs)
	for _, name := range []string{"feed.xml", "sitemap.xml"} {
		checkXML(t, filepath.Join(site, name))
	}
}

// asHTML returns what HTML can say of s.
func asHTML(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n") // as every HTML parser does first
	nodes, err := html.Parse(strings.NewReader(html.EscapeString(s)))
	if err != nil {
		return err.Error()
	}
	text := textOf(nodes)
	if leading := len(s) - len(strings.TrimLeft(s, " \t\r\n\f")); leading > 0 { // before the body begins
		text = s[:leading] + text
	}
	return text
}

// postPages returns the pages of a site that are posts', by identity.
func postPages(t *testing.T, site string) map[news.ID]string {
	t.Helper()
	pages := map[news.ID]string{}
	err := filepath.WalkDir(site, func(path string, d fs.DirEntry, err error) error {
		if code, ok := news.FindInfoCode(d.Name()); ok {
			pages[code.ID()] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func checkCategoryPages(t *testing.T, dir, site string, revs []news.Revision) {
	t.Helper()
	for _, rev := range revs {
		name := pathName(rev.Category) + ".html"
		data, err := os.ReadFile(filepath.Join(site, "category", name))
		if err != nil {
			t.Errorf("category %q: %v", rev.Category, err)
			continue
		}
		title, links := readList(t, data)
		if want := asHTML(rev.Tag); title != want {
			t.Errorf("category %q: got title %q, want %q", rev.Category, title, want)
		}
		if !slices.ContainsFunc(links, func(s string) bool { return strings.Contains(s, string(rev.InfoCode)) }) {
			t.Errorf("category %q: its page does not link %s but %q", rev.Category, rev.InfoCode, links)
		}
		if rev.Category == "21caijing" && len(links) != 1 {
			t.Errorf("category %q: got links %q, want its own post only", rev.Category, links)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !slices.Contains([]string{"_posts", "_layouts", "_includes", "_config.yml", "category", "index.html", "feed.xml", "sitemap.xml"}, entry.Name()) {
			t.Errorf("%s is out of place", entry.Name())
		}
	}
}

// readList returns the heading and the addresses in the list of a page.
func readList(t *testing.T, data []byte) (title string, links []string) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.DataAtom == atom.H1 {
			title = textOf(n)
		}
		if n.DataAtom == atom.A && n.Parent.DataAtom == atom.Li {
			links = append(links, n.Attr[0].Val)
		}
	}
	return title, links
}

func checkXML(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v\n%s", path, err, data)
		}
	}
}

// TestHomeAndFeed asks for the home page's headings with the five newest posts
// each, and for the feed's ten newest.
func TestHomeAndFeed(t *testing.T) {
	var revs []news.Revision
	for i := range 24 {
		rev := numbered(i+1, fmt.Sprint("题", i), "<p>文</p>")
		rev.Published = rev.Published.Add(time.Duration(i) * time.Minute)
		rev.Category, rev.Tag = []string{"jia", "yi"}[i%2], []string{"甲新闻", "乙新闻"}[i%2]
		revs = append(revs, rev)
	}
	site := build(t, export(t, revs))
	home, err := os.ReadFile(filepath.Join(site, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	_, links := readList(t, home)
	var want []string
	for _, first := range []int{23, 22} { // the newest post's tag comes first
		for i := range 5 {
			n := first - 2*i
			want = append(want, fmt.Sprintf("/%s/2021/12/22/%s.html", revs[n].Category, revs[n].InfoCode))
		}
	}
	want = append(want, "/category/jia.html", "/category/yi.html")
	slices.Sort(want)
	if slices.Sort(links); !slices.Equal(links, want) {
		t.Errorf("home links\n%q, want\n%q", links, want)
	}
	for _, id := range []string{`<h2 id="甲新闻">甲新闻</h2>`, `<h2 id="乙新闻">乙新闻</h2>`} {
		if !bytes.Contains(home, []byte(id)) {
			t.Errorf("home lacks %s", id)
		}
	}
	feed, err := os.ReadFile(filepath.Join(site, "feed.xml"))
	if err != nil || bytes.Count(feed, []byte("<entry>")) != 10 || !bytes.Contains(feed, []byte("https://m.example/yi/2021/12/22/"+revs[23].InfoCode+".html")) {
		t.Errorf("%v: the feed is not that of the ten newest posts:\n%s", err, feed)
	}
}
