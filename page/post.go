package page

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// stampMark stands in the small print above a post's title, before its date.
const stampMark = "GMT+8"

// tagsMark begins the small print below it, with its tags.
const tagsMark = "tags:"

// readPost reads a post's page on the mirror's site. Where a post begins and
// ends is judged at the page's end, from what was met on the way.
func readPost(g *gather, body []byte) error {
	s := newScanner(body)
	r := postReader{
		scanner: s,
		g:       g,
		article: article{scanner: s, g: g},
		foot:    footFinder{self: g.self.id},
		em:      -1,
	}
	s.walk(&r)
	if r.ends.body.at == 0 {
		r.ends.body = r.endHere(len(body))
	}
	return r.finish()
}

// postReader walks over a post's page.
type postReader struct {
	*scanner
	g       *gather
	article article
	foot    footFinder

	small, h1, title element
	em               int      // where the open <em> begins in small.text, or -1
	ems              []string // the texts of the <em>s in small
	smallFoot        foot     // the foot that was the last one where small began
	header           int      // how many <header>s and <nav>s are open

	stamps []stamp
	heads  []head
	site   string // the page's <title>
	ends   ends
}

// maxMarks bounds the stamps and headings that are remembered: those of the
// post come before those of its body.
const maxMarks = 4096

// stamp is small print that tells when the post was published.
type stamp struct {
	start, end int
	time       time.Time
	marked     bool // carries stampMark
	paragraph  int  // where the first <p> after it begins, or -1
}

// head is an <h1>.
type head struct {
	start, end int
	text       string
	header     bool // stands in the layout's header
}

// end is a place at which a post can end: the last of its kind on the page.
type end struct {
	at   int
	foot foot
	tags []string
}

// ends holds the places at which a post can end.
type ends struct {
	tags          end // small print that begins with tags:
	article, main box // the layout's elements around a post
	footer, body  end
}

// box is the element of the layout that a post stands in.
type box struct {
	opened bool
	start  int // of the first of its name
	end    end // of the last
}

func (b *box) open(at int) {
	if !b.opened {
		b.opened, b.start = true, at
	}
}

// holds reports whether what begins at offset at stands in the box.
func (b *box) holds(at int) bool { return b.opened && b.start < at && b.end.at > at }

func (r *postReader) textToken() {
	if r.title.open {
		r.title.text = append(r.title.text, r.text()...)
	}
	if r.inCode() {
		return
	}
	r.foot.textToken(r.scanner)
	r.article.textToken()
	if r.small.open {
		r.small.text = append(r.small.text, r.text()...)
	}
	if r.h1.open {
		r.h1.text = append(r.h1.text, r.text()...)
	}
}

func (r *postReader) startTag(t *tag) {
	if isBlock(t.name) && string(t.name) != "br" {
		r.endSmall(t.start)
		r.endHead(t.start)
	}
	switch string(t.name) {
	case "small":
		r.endSmall(t.start)
		r.small.begin(t.start)
		r.em, r.ems = -1, nil
		r.smallFoot = r.foot.last
	case "em":
		r.em = len(r.small.text)
	case "h1":
		r.h1.begin(t.start)
	case "title":
		r.title.begin(t.start)
	case "base":
		r.g.setBase(t.attributes().href)
	case "link":
		r.article.link(t)
	case "header", "nav":
		r.header++
	case "article":
		r.ends.article.open(t.start)
	case "main":
		r.ends.main.open(t.start)
	case "footer":
		r.ends.footer = r.endHere(t.start)
	case "p":
		r.paragraph(t.start)
	}
	r.foot.startTag(t)
	r.article.startTag(t)
}

// paragraph notes where the text after a stamp begins.
func (r *postReader) paragraph(at int) {
	if n := len(r.stamps); n > 0 && r.stamps[n-1].paragraph < 0 {
		r.stamps[n-1].paragraph = at
	}
}

func (r *postReader) endTag(name []byte) {
	switch string(name) {
	case "small":
		r.endSmall(r.end)
	case "em":
		r.endEm()
	case "h1":
		r.endHead(r.end)
	case "title":
		if r.title.open && r.site == "" {
			r.site = squeeze(r.title.text)
		}
		r.title.open = false
	case "header", "nav":
		r.header = max(0, r.header-1)
	case "article":
		r.ends.article.end = r.endHere(r.start)
	case "main":
		r.ends.main.end = r.endHere(r.start)
	case "body":
		r.ends.body = r.endHere(r.start)
	}
	r.foot.endTag(name, r.end)
	r.article.endTag(name)
}

func (r *postReader) endHere(at int) end { return end{at: at, foot: r.foot.last} }

func (r *postReader) endEm() {
	if r.small.open && r.em >= 0 && r.em <= len(r.small.text) {
		r.ems = append(r.ems, squeeze(r.small.text[r.em:]))
	}
	r.em = -1
}

// endSmall judges the small print that ends at offset at.
func (r *postReader) endSmall(at int) {
	if !r.small.open {
		return
	}
	r.small.open = false
	text := squeeze(r.small.text)
	marked := strings.Contains(text, stampMark)
	t, dated := findTime(text)
	switch {
	case len(text) >= len(tagsMark) && strings.EqualFold(text[:len(tagsMark)], tagsMark):
		r.ends.tags = end{at: r.small.at, foot: r.smallFoot, tags: r.ems}
	case (marked || dated) && len(r.stamps) < maxMarks:
		r.stamps = append(r.stamps, stamp{r.small.at, at, t, marked, -1})
	}
}

func (r *postReader) endHead(at int) {
	if !r.h1.open {
		return
	}
	r.h1.open = false
	if len(r.heads) == maxMarks {
		return
	}
	r.heads = append(r.heads, head{r.h1.at, at, squeeze(r.h1.text), r.header > 0})
}

// finish puts the post together.
func (r *postReader) finish() error {
	p := &news.Post{}
	start := r.begin(p)
	e, tagged := r.chooseEnd(start)
	f := e.foot
	if start < 0 || f.start < start {
		f = foot{}
	}
	if !tagged && !f.proves() {
		if err := r.doubt(p, start, e, f); err != nil {
			return err
		}
	}
	r.g.identify(p, f.code)
	r.fillOutlet(p, e, f)
	if start >= 0 {
		r.fillBody(p, start, e, f)
	}
	if p.Title == "" && p.Body == "" {
		return fmt.Errorf("%w: neither title nor body", ErrUnreadable)
	}
	r.fillLinks(p, start, e.at)
	r.g.page.Post = p
	return nil
}

// doubt looks closely at a page that has neither the foot nor the tags of a
// post. With nothing else to prove it, it is none; with a date, and under the
// post's own address, it may still be a page that came in its place.
func (r *postReader) doubt(p *news.Post, start int, e end, f foot) error {
	by, stamp := proofNone, r.chooseStamp()
	switch {
	case !p.Published.IsZero() && stamp.marked:
		by = proofOwn
	case !p.Published.IsZero() || f.link:
		by = proofLoose
	}
	if err := refusal(r.src, by); err != nil {
		return err
	}
	if r.article.isList(start, e.at, by) {
		return ErrHome
	}
	if by == proofNone {
		return fmt.Errorf("%w: no mark of a post: neither date nor foot nor tags", ErrUnreadable)
	}
	return nil
}

// begin reads the date and the title, and returns where the body begins, or -1
// if nothing tells.
func (r *postReader) begin(p *news.Post) int {
	if s := r.chooseStamp(); s != nil {
		p.Published = s.time
		if h := s.head(r.heads); h != nil {
			p.Title = h.text
			return h.end
		}
		return s.end
	}
	if h := r.chooseHead(); h != nil {
		p.Title = h.text
		return h.end
	}
	return -1
}

// chooseStamp returns the small print with the post's date: the first that is
// marked as such, or else the first dated one right above a title.
func (r *postReader) chooseStamp() *stamp {
	for i := range r.stamps {
		if r.stamps[i].marked {
			return &r.stamps[i]
		}
	}
	for i := range r.stamps {
		if r.stamps[i].head(r.heads) != nil {
			return &r.stamps[i]
		}
	}
	return nil
}

// head returns the title below the stamp; an <h1> behind a paragraph is the
// body's.
func (s *stamp) head(heads []head) *head {
	i := sort.Search(len(heads), func(i int) bool { return heads[i].start >= s.end })
	if i == len(heads) || s.paragraph >= 0 && s.paragraph < heads[i].start {
		return nil
	}
	return &heads[i]
}

// chooseHead returns the title of a page without a date: the <h1> with which
// the page's <title> begins, or else the first that stands in no header and is
// not the site's own name.
func (r *postReader) chooseHead() *head {
	var first *head
	for i := range r.heads {
		h := &r.heads[i]
		if h.text != "" && h.text != r.site && strings.HasPrefix(r.site, h.text) {
			return h
		}
		if first == nil && !h.header && (h.text == "" || !strings.HasSuffix(r.site, h.text)) {
			first = h
		}
	}
	return first
}

// chooseEnd returns where the post that begins at offset start ends: at its
// tags, or else where its layout does. A foot counts only right above it.
func (r *postReader) chooseEnd(start int) (e end, tagged bool) {
	if e := r.ends.tags; e.at > max(0, start) {
		if e.foot.text {
			e.foot = foot{}
		}
		return e, true
	}
	e = r.ends.layout(start)
	if e.foot.paragraph || !e.foot.back && e.foot.text {
		e.foot = foot{}
	}
	return e, false
}

// layout returns where the layout ends the post that begins at offset start.
func (e *ends) layout(start int) end {
	switch {
	case e.article.holds(start):
		return e.article.end
	case e.main.holds(start):
		return e.main.end
	case e.footer.at > start:
		return e.footer
	}
	return e.body
}

func (r *postReader) fillOutlet(p *news.Post, e end, f foot) {
	p.Tag = strings.Join(e.tags, " ")
	if slices.Equal(strings.Fields(p.Tag), strings.Fields(f.tag)) {
		p.Tag = f.tag // Jekyll splits tags at spaces, the back link keeps them
	}
	p.Outlet = news.OutletOfTag(p.Tag)
	if p.Outlet == "" {
		p.Outlet = news.OutletOfTag(f.tag)
	}
	p.Category = f.category
	if p.Category == "" {
		p.Category = r.g.self.name
	}
	r.addBackLink(f)
}

// addBackLink records the category page of the back link, be it a page or one
// of the oldest posts' folders.
func (r *postReader) addBackLink(f foot) {
	if f.list == "" {
		return
	}
	l := r.g.look([]byte(f.list))
	switch {
	case l.kind == news.KindCategory:
		r.g.addList(l.kind, l.address)
	case l.kind == news.KindOther && f.category != "":
		if address, ok := r.g.folder(f.list, f.category); ok {
			r.g.addList(news.KindCategory, address)
		}
	}
}

func (r *postReader) fillBody(p *news.Post, start int, e end, f foot) {
	bodyEnd := max(start, e.at)
	if f.exists() {
		bodyEnd = f.start
		p.Foot = string(r.src[f.start:f.end])
	}
	start, bodyEnd = trimRange(r.src, start, bodyEnd)
	r.article.fill(p, start, bodyEnd)
}

// fillLinks records the links outside the article: to other posts, and to
// lists.
func (r *postReader) fillLinks(p *news.Post, start, end int) {
	for _, l := range r.article.links {
		switch {
		case start >= 0 && l.at >= start && l.at < end:
		case l.kind == news.KindPost && l.id != p.ID && l.id != r.g.self.id:
			r.g.addFound(l.link)
		case isList(l.link):
			r.g.addList(l.kind, l.address)
		}
	}
}

// trimRange leaves out the white space at both ends of a range of src.
func trimRange(src []byte, start, end int) (int, int) {
	trimmed := bytes.TrimLeftFunc(src[start:end], isMarkupSpace)
	start = end - len(trimmed)
	return start, start + len(bytes.TrimRightFunc(trimmed, isMarkupSpace))
}

// isMarkupSpace reports whether r is white space to HTML. A U+3000 that
// indents a body's first line is text, and stays.
func isMarkupSpace(r rune) bool {
	return r == ' ' || r == '\n' || r == '\r' || r == '\t' || r == '\f'
}
