package page

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/finarc/finarc/news"
)

// Words of the back links that a mirror adds below a body.
const (
	backWord = "返回"
	backHome = "返回首页"
)

// foot is what a mirror adds below a body: a paragraph that links the shared
// page, and one or more that link back to the category and home. Either can be
// missing.
type foot struct {
	start, end int // where its paragraphs stand in the page

	link     bool // has the paragraph of the shared page, maybe without address
	back     bool // has back links
	code     news.InfoCode
	category string // the category that a back link's address names
	tag      string // what follows 返回 there: the post's tag, with all its spaces
	list     string // the address of a back link that is not the home page's

	text      bool // text or a picture follows
	paragraph bool // a paragraph follows
}

// exists reports whether f is a foot at all.
func (f *foot) exists() bool { return f.link || f.back }

// proves reports whether f is a foot that only a post has. Any page may lead
// back, home or to where the reader came from.
func (f *foot) proves() bool {
	return f.code != "" || f.link && f.back || f.category != "" && strings.HasSuffix(f.tag, tagEnd)
}

// tagEnd is what a mirror's tags end with, see [news.OutletOfTag].
const tagEnd = "新闻"

// footFinder finds the last foot of a page while a reader walks over it. What
// looks like a foot within a body is none, for the body goes on after it.
type footFinder struct {
	self news.ID // of the post, as its own address tells
	last foot
	p    paragraph
}

// maxFootLinks is how many links a paragraph of a foot can have.
const maxFootLinks = 4

// maxSeparator is the length in bytes above which text beside a foot's links
// is no separator.
const maxSeparator = 64

// paragraph is an open <p>, as far as it can be one of a foot.
type paragraph struct {
	open  bool
	start int
	other bool // holds what no foot does
	empty bool // holds <>, the link without address
	inA   bool
	links [maxFootLinks]footLink
	n     int
}

type footLink struct {
	href string
	text []byte
}

func (f *footFinder) startTag(t *tag) {
	switch {
	case string(t.name) == "p":
		f.abandon()
		f.p.reset(t.start)
	case isPicture(t.name):
		f.content()
	case !f.p.open:
	case string(t.name) == "a":
		f.p.link(t.attributes().href)
	case string(t.name) != "br":
		f.p.other = true
	}
}

func (f *footFinder) endTag(name []byte, end int) {
	switch string(name) {
	case "a":
		f.p.inA = false
	case "p":
		f.closeParagraph(end)
	}
}

// textToken takes the scanner's current text.
func (f *footFinder) textToken(s *scanner) {
	raw := s.raw()
	switch {
	case !f.p.open:
		if !f.last.text && !isBlank(raw) {
			f.last.text = true
		}
	case f.p.other:
	case f.p.inA:
		l := &f.p.links[f.p.n-1]
		l.text = append(l.text, s.text()...)
	default:
		f.p.loose(raw)
	}
}

// content notes something that no foot holds.
func (f *footFinder) content() {
	if f.p.open {
		f.p.other = true
		return
	}
	f.last.text = true
}

// abandon gives up a paragraph that the page does not close.
func (f *footFinder) abandon() {
	if f.p.open && (f.p.other || f.p.n > 0 || f.p.empty) {
		f.last.text, f.last.paragraph = true, true
	}
	f.p.open = false
}

// closeParagraph takes a whole paragraph into the foot, or notes that it is
// none of it.
func (f *footFinder) closeParagraph(end int) {
	if !f.p.open {
		return
	}
	f.p.open = false
	switch {
	case f.p.isBack():
		f.addBack(end)
	case f.p.isLink(f.self):
		f.last = foot{start: f.p.start, end: end, link: true, code: f.p.code()}
	case f.p.other || f.p.n > 0 || f.p.empty:
		f.last.text, f.last.paragraph = true, true
	}
}

func (f *footFinder) addBack(end int) {
	if f.last.text || !f.last.exists() {
		f.last = foot{start: f.p.start}
	}
	f.last.back, f.last.end = true, end
	for _, l := range f.p.links[:f.p.n] {
		text := trim(l.text)
		if text == backHome || f.last.tag != "" {
			continue
		}
		f.last.tag = strings.TrimSpace(strings.TrimPrefix(text, backWord))
		f.last.list = l.href
		f.last.category = categoryOfBackLink(l.href)
	}
}

func (p *paragraph) reset(start int) {
	p.open, p.start = true, start
	p.other, p.empty, p.inA, p.n = false, false, false, 0
}

func (p *paragraph) link(href []byte) {
	if p.other = p.other || p.n == maxFootLinks; p.other {
		return
	}
	p.inA = true
	p.links[p.n].href = cleanHref(href)
	p.links[p.n].text = p.links[p.n].text[:0]
	p.n++
}

// loose takes text beside the links: separators are a foot's, <> is its empty
// link.
func (p *paragraph) loose(raw []byte) {
	if len(raw) > maxSeparator { // so is nearly all text, which need not be looked at
		p.other = true
		return
	}
	raw = bytes.TrimFunc(raw, func(r rune) bool { return isSpace(r) || r == '｜' || r == '|' })
	switch string(raw) {
	case "":
	case "&lt;&gt;", "<>":
		p.empty = true
	default:
		p.other = true
	}
}

// isBack reports whether the paragraph holds back links, and nothing else.
func (p *paragraph) isBack() bool {
	if p.other || p.empty || p.n == 0 {
		return false
	}
	for _, l := range p.links[:p.n] {
		if !bytes.HasPrefix(bytes.TrimSpace(l.text), []byte(backWord)) {
			return false
		}
	}
	return true
}

// isLink reports whether the paragraph is the link to the shared page of the
// post self, and not a headline that links another article: its text is an
// address, or its address one of NewsShare's, or it names self.
func (p *paragraph) isLink(self news.ID) bool {
	if p.other || p.n > 1 || p.n == 0 {
		return !p.other && p.n == 0 && p.empty
	}
	l := p.links[0]
	if l.href == "" {
		return len(bytes.TrimSpace(l.text)) == 0
	}
	code := p.code()
	if code == "" {
		return false
	}
	return code.ID() == self || bytes.Contains(l.text, []byte("://")) || isShareAddress(l.href)
}

// code returns the infoCode that the paragraph's link names.
func (p *paragraph) code() news.InfoCode {
	if p.n == 0 {
		return ""
	}
	code, _ := news.FindInfoCode(p.links[0].href)
	return code
}

// isShareAddress reports whether an address has the form of a share or text
// page, on whatever host.
func isShareAddress(href string) bool {
	u, err := url.Parse(href)
	if err != nil {
		return false
	}
	l := lookForeign(u, HostOf(u))
	return l.code != "" && !l.wire
}

// categoryOfBackLink returns the category that a back link's address names:
// /category/NAME.html, or the folder /NAME/ of the oldest posts.
func categoryOfBackLink(href string) string {
	u, err := url.Parse(escapeStray(href))
	if err != nil {
		return ""
	}
	if i := strings.LastIndex(u.Path, "/"+categoryDir); i >= 0 {
		name, _ := categoryOfPage(u.Path[i+1:])
		return name
	}
	dir, ok := strings.CutSuffix(u.Path, "/")
	if name := dir[strings.LastIndexByte(dir, '/')+1:]; ok && strings.Trim(name, ".") != "" {
		return validName(name)
	}
	return ""
}
