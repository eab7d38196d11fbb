package page

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// containers are the ids and classes, in lower case, under which share pages
// keep their text, the surest first. Those from plainContainer on are common
// words, which any page may use.
var containers = [...]string{
	"contentbody", "newscontent", "news-content", "news_content", "newstext", "news-text", "txtinfos",
	"article-body", "article_body", "articlebody", "article-content", "articlecontent", "zwinfos",
	"content", "article", "main-content", "text",
}

const plainContainer = 13

// readShare reads a NewsShare page: markup is the host's own, so that title,
// time and text are told by names that such pages commonly use.
func readShare(g *gather, body []byte) error {
	s := newScanner(body)
	r := shareReader{scanner: s, g: g, article: article{scanner: s, g: g}}
	s.walk(&r)
	r.closeBox(len(body))
	return r.finish()
}

// shareReader walks over a share page.
type shareReader struct {
	*scanner
	g       *gather
	article article

	h1, title   element
	head        string // the first <h1> with text
	site        string // the <title>
	description string
	script      bool

	box          container // the one that is open
	best         container // the surest of those with text that were closed
	tries        int       // how many with text were closed
	time         region    // within an element named for time, date or info
	media        region    // within one named for media or source
	named, loose time.Time
	looseAt      int // where loose stands
	outlet       string
}

// container is the element that holds the text.
type container struct {
	rank       int // in containers
	start, end int // of what is in it
	region
	full bool // it holds text or a picture
}

// region is an open element with all that is in it.
type region struct {
	tag   string // "" if not open
	depth int    // how many elements of that name are open
	text  []byte
}

func (r *region) begin(name []byte) {
	r.tag, r.depth, r.text = string(name), 0, r.text[:0]
}

func (r *region) startTag(name []byte) {
	if r.tag == string(name) {
		r.depth++
	}
}

// endTag reports whether the end tag ends the region.
func (r *region) endTag(name []byte) bool {
	if r.tag == "" || r.tag != string(name) {
		return false
	}
	r.depth--
	return r.depth == 0
}

func (r *shareReader) startTag(t *tag) {
	switch string(t.name) {
	case "h1":
		r.h1.begin(t.start)
	case "title":
		r.title.begin(t.start)
	case "script":
		r.script = true
	case "meta":
		if a := t.attributes(); r.description == "" && bytes.EqualFold(a.name, []byte("description")) {
			r.description = squeeze(a.content)
		}
	case "base":
		r.g.setBase(t.attributes().href)
	}
	if r.box.tag != "" && isPicture(t.name) {
		r.box.full = true
	}
	if !isVoid(t.name) {
		r.openRegions(t)
	}
	r.article.startTag(t)
}

func (r *shareReader) openRegions(t *tag) {
	if rank := rankContainer(t); rank >= 0 && r.better(rank) {
		r.box = container{rank: rank, start: t.end}
		r.box.begin(t.name)
	}
	if r.box.tag == "" {
		if r.time.tag == "" && r.named.IsZero() && isNamed(t, "time", "date", "info") {
			r.time.begin(t.name)
		}
		if r.media.tag == "" && r.outlet == "" && isNamed(t, "media", "source") {
			r.media.begin(t.name)
		}
	}
	r.box.startTag(t.name)
	r.time.startTag(t.name)
	r.media.startTag(t.name)
}

// better reports whether a container of a rank is to be taken instead of the
// one before.
func (r *shareReader) better(rank int) bool {
	if r.box.tag != "" {
		return rank < r.box.rank
	}
	return !r.best.full || rank < r.best.rank
}

func (r *shareReader) endTag(name []byte) {
	switch string(name) {
	case "h1":
		if r.h1.open && r.head == "" {
			r.head = squeeze(r.h1.text)
		}
		r.h1.open = false
	case "title":
		if r.title.open && r.site == "" {
			r.site = squeeze(r.title.text)
		}
		r.title.open = false
	}
	if r.box.endTag(name) {
		r.closeBox(r.start)
	}
	if r.time.endTag(name) {
		r.named, _ = findTime(string(r.time.text))
		r.time.tag = ""
	}
	if r.media.endTag(name) {
		r.media.tag = ""
		if text := trim(r.media.text); !hasDate(text) {
			r.outlet = outletOf(text)
		}
	}
	r.article.endTag(name)
}

// maxTries bounds how many containers are looked into.
const maxTries = 256

func (r *shareReader) closeBox(at int) {
	if r.box.tag != "" {
		r.box.end, r.box.tag = at, ""
	}
	if r.box.full && r.tries < maxTries && !isLoading(r.src[r.box.start:r.box.end]) {
		r.best = r.box
	}
	if r.box.full {
		r.tries++
	}
	r.box = container{}
}

func (r *shareReader) textToken() {
	switch {
	case r.title.open:
		r.title.text = append(r.title.text, r.text()...)
	case r.h1.open:
		r.h1.text = append(r.h1.text, r.text()...)
	}
	if r.inCode() {
		return
	}
	r.article.textToken()
	if r.time.tag != "" {
		r.time.text = append(r.time.text, r.text()...)
	}
	if r.media.tag != "" {
		r.media.text = append(r.media.text, r.text()...)
	}
	if r.box.tag != "" && !r.box.full {
		r.box.full = !isBlank(r.text())
	}
	if r.loose.IsZero() && !r.best.full && (r.box.tag == "" || r.box.rank >= plainContainer) {
		r.loose, _ = findTime(string(r.raw()))
		r.looseAt = r.start
	}
}

func (r *shareReader) finish() error {
	if !r.best.full {
		return r.lacking()
	}
	p := &news.Post{Title: r.chooseTitle(), Published: r.named, Outlet: r.outlet, Digest: r.description}
	if p.Published.IsZero() && r.looseAt < r.best.start {
		p.Published = r.loose
	}
	if p.Published.IsZero() && r.best.rank >= plainContainer {
		return fmt.Errorf("%w: no mark of an article: no time, and its text in a mere %q", ErrUnreadable, containers[r.best.rank])
	}
	if err := r.doubt(p); err != nil {
		return err
	}
	r.g.identify(p, "")
	start, end := trimRange(r.src, r.best.start, r.best.end)
	r.article.fill(p, start, end)
	r.g.page.Post = p
	return nil
}

// maxDoubt is the length in bytes of a text above which a page is no block page.
const maxDoubt = 8 << 10

// doubt looks closely at a page with a short text: nothing but its address
// proves it to be the post.
func (r *shareReader) doubt(p *news.Post) error {
	by := proofOwn
	if p.Published.IsZero() || r.best.rank >= plainContainer {
		by = proofLoose
	}
	if r.best.end-r.best.start <= maxDoubt {
		if err := refusal(r.src, by); err != nil {
			return err
		}
	}
	if r.article.isList(r.best.start, r.best.end, by) {
		return ErrHome
	}
	return nil
}

// lacking tells why there is no text.
func (r *shareReader) lacking() error {
	if err := refusal(r.src, proofNone); err != nil {
		return err
	}
	if r.article.isList(-1, 0, proofNone) {
		return ErrHome
	}
	if r.script {
		return ErrShell
	}
	return fmt.Errorf("%w: no text", ErrUnreadable)
}

// chooseTitle returns the <h1>, or else the <title> without the site's name
// behind it. A <title> that is only a name tells nothing.
func (r *shareReader) chooseTitle() string {
	if r.head != "" {
		return r.head
	}
	for _, separator := range []string{" | ", " - ", "_", " – ", "｜"} {
		if i := strings.LastIndex(r.site, separator); i > 0 {
			return strings.TrimSpace(r.site[:i])
		}
	}
	if len([]rune(r.site)) > 8 {
		return r.site
	}
	return ""
}

// outletOf returns the outlet that an element named for it tells, with or
// without 来源： before it.
func outletOf(text string) string {
	if name, ok := cutSourceLabel(text); ok {
		return name
	}
	return text
}

// rankContainer returns how surely an element is the text's container, or -1.
func rankContainer(t *tag) int {
	rank := -1
	for _, attribute := range [][]byte{t.attributes().id, t.attributes().class} {
		for word := range bytes.FieldsSeq(attribute) {
			i := slices.Index(containers[:], string(bytes.ToLower(word)))
			if i >= 0 && (rank < 0 || i < rank) {
				rank = i
			}
		}
	}
	return rank
}

// isNamed reports whether an element's id or class holds one of some words.
func isNamed(t *tag, words ...string) bool {
	for _, attribute := range [][]byte{t.attributes().id, t.attributes().class} {
		lower := bytes.ToLower(attribute)
		for _, word := range words {
			if bytes.Contains(lower, []byte(word)) {
				return true
			}
		}
	}
	return false
}

// isLoading reports whether a container holds only a note that its text is
// still to be fetched.
func isLoading(body []byte) bool {
	if len(body) > 1024 {
		return false
	}
	text := strings.ToLower(textOf(body))
	text = strings.Trim(text, ".…。 ")
	switch text {
	case "加载中", "正在加载", "数据加载中", "内容加载中", "loading":
		return true
	}
	return text == "" && !bytes.Contains(bytes.ToLower(body), []byte("<img"))
}
