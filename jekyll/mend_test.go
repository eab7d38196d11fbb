package jekyll

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

// pasted makes a post's file as the mirror's generator does, whatever is in
// title and body.
func pasted(n int, title, body string) (name, text string) {
	code := fmt.Sprintf("NW20211222%010d", 1_000_000+n)
	return "2021-12-22-" + code + ".md", "---\nlayout: post\ntitle: \"" + title + "\"\ndate: 2021-12-22 10:37:15 +0800\ncategories: cebao\ntags: 测报新闻\n---\n" +
		body + "\n\n<http://s.example/NewsShare.html?infoCode=" + code + ">\n\n[返回测报新闻](//m.example/category/cebao.html)｜[返回首页](//m.example/)"
}

// lacksZone reports whether a file is in the oldest form, whose times Jekyll takes
// for UTC, on the mirror too.
func lacksZone(file []byte) bool { return !bytes.Contains(file, []byte(" +0800\n")) }

// TestJekyllBuildsImported lets Jekyll build what was imported: generated posts
// of all forms, and hostile titles and bodies. It must have nothing to complain
// of, and leave no post out.
func TestJekyllBuildsImported(t *testing.T) {
	var revs []news.Revision
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 150 {
		name, text, _ := draw(r, n)
		revs = append(revs, imported(t, name, text))
	}
	n := 0
	for _, title := range hostileTitles() {
		name, text := pasted(n, title, "<p>文</p>")
		revs = append(revs, imported(t, name, text))
		n++
	}
	for _, body := range hostileBodies() {
		name, text := pasted(n, fmt.Sprintf("题 %d", n), body)
		revs = append(revs, imported(t, name, text))
		n++
	}
	pages := postPages(t, build(t, export(t, revs)))
	for i := range revs {
		page, err := os.ReadFile(cmp.Or(pages[revs[i].ID], "none"))
		if when := revs[i].When().Format(time.DateTime); err != nil || !bytes.Contains(page, []byte(when+"</small>")) && !lacksZone(revs[i].File) {
			t.Errorf("%v: %s, %s, made of\n%s\nis\n%s", err, revs[i].ID, when, revs[i].File, page)
		}
	}
}
