package page

import (
	"bytes"
	"strings"

	"github.com/finarc/finarc/news"
)

// relatedHeading opens the related reports in a body: what follows is not the
// article.
const relatedHeading = "相关报道"

// maxName is the length in bytes above which the text of a marked place is no
// security's name, but the rest of a page that does not close it.
const maxName = 120

// maxMedia is the length in bytes above which a paragraph that names the source is
// none, but an article in its place.
const maxMedia = 4 << 10

// article collects what the markup of an article tells, while a reader walks
// over a page. Where the body ends is often known only at the page's end, so
// everything is kept with its place.
type article struct {
	*scanner
	g *gather

	links    []placedLink
	places   []place
	open     openPlace
	media    element // the last em_media paragraph
	heading  element // the heading that is open
	headings []int   // where headings of related reports begin
}

type placedLink struct {
	link
	at int
}

// place is one marked place of a security.
type place struct {
	news.Security
	name string // "" for pictures
	at   int
}

// openPlace is the marked place whose element is open.
type openPlace struct {
	tag     string // "" if none is open
	depth   int    // how many elements of that name are open
	index   int    // in places
	picture bool
	text    []byte
}

func (a *article) startTag(t *tag) {
	if isBlock(t.name) {
		a.closePlace()
		a.media.open = false
	}
	switch string(t.name) {
	case "a":
		a.link(t)
		a.mark(t)
	case "span", "img":
		a.mark(t)
	case "p":
		if hasWord(t.attributes().class, "em_media") {
			a.media.begin(t.start)
		}
	case "h3":
		a.heading.begin(t.start)
	}
	if a.open.tag == string(t.name) {
		a.open.depth++
	}
}

func (a *article) link(t *tag) {
	l := a.g.look(t.attributes().href)
	switch {
	case !l.article() && !isList(l):
	case len(a.links) >= MaxLinks:
		a.g.page.Dropped++
	default:
		a.links = append(a.links, placedLink{l, t.start})
	}
}

// mark records the security that an element's data-code names. A place within
// another of the same security is that place: the picture in its link, the
// link in its span.
func (a *article) mark(t *tag) {
	named := t.attributes().dataCode
	if named == nil {
		return
	}
	if len(named) > maxName {
		return
	}
	s, picture, ok := parseDataCode(string(named))
	if ok && len(a.places) >= MaxLinks {
		a.g.page.Dropped++
		ok = false
	}
	if !ok || a.open.tag != "" && a.places[a.open.index].Security == s {
		return
	}
	a.closePlace()
	a.places = append(a.places, place{Security: s, at: t.start})
	if !isVoid(t.name) {
		a.open = openPlace{tag: string(t.name), index: len(a.places) - 1, picture: picture, text: a.open.text[:0]}
	}
}

// parseDataCode reads market,code of a text or code|market|type of a picture,
// where a word may stand before the code: "K 09988|116|5".
func parseDataCode(s string) (sec news.Security, picture, ok bool) {
	if market, code, ok := strings.Cut(s, ","); ok {
		sec, err := news.ParseSecurity(strings.TrimSpace(market) + "." + strings.TrimSpace(code))
		return sec, false, err == nil
	}
	code, rest, _ := strings.Cut(s, "|")
	market, _, ok := strings.Cut(rest, "|")
	if !ok {
		return news.Security{}, true, false
	}
	code = strings.TrimSpace(code)
	code = code[strings.LastIndexByte(code, ' ')+1:]
	sec, err := news.ParseSecurity(strings.TrimSpace(market) + "." + code)
	return sec, true, err == nil
}

// closePlace ends the open place and names it by its text.
func (a *article) closePlace() {
	if a.open.tag == "" {
		return
	}
	a.open.tag = ""
	if !a.open.picture && len(a.open.text) <= maxName {
		a.places[a.open.index].name = squeeze(a.open.text)
	}
}

func (a *article) endTag(name []byte) {
	if a.open.tag == string(name) {
		if a.open.depth--; a.open.depth == 0 {
			a.closePlace()
		}
	}
	if isBlock(name) {
		a.closePlace()
		a.media.open = false
		a.heading.open = false
	}
}

func (a *article) textToken() {
	if a.inCode() {
		return
	}
	if a.open.tag != "" && len(a.open.text) <= maxName {
		a.open.text = append(a.open.text, a.text()...)
	}
	if a.media.open && len(a.media.text) <= maxMedia {
		a.media.text = append(a.media.text, a.text()...)
	}
	if a.heading.open && len(a.headings) < MaxLinks && bytes.Contains(a.text(), []byte(relatedHeading)) {
		a.headings = append(a.headings, a.heading.at)
		a.heading.open = false
	}
}

// fill completes p from the article's body, which is the page from start to
// end, and records the body's links as leads. p has its ID.
func (a *article) fill(p *news.Post, start, end int) {
	p.Body = string(a.src[start:end])
	own := a.ownEnd(start, end)
	a.fillSecurities(p, start, own)
	a.fillRelated(p, start, end)
	if a.media.at >= start && a.media.at < end && len(a.media.text) <= maxMedia {
		p.Source = sourceOfMedia(trim(a.media.text))
	}
	if p.Source == "" {
		p.Source = sourceAtEnd(a.src[start:own])
	}
	if p.Digest == "" {
		p.Digest = leadingDigest(a.src[start:own])
	}
}

// ownEnd returns where the article itself ends and related reports begin.
func (a *article) ownEnd(start, end int) int {
	for _, at := range a.headings {
		if at >= start && at < end {
			return at
		}
	}
	return end
}

func (a *article) fillSecurities(p *news.Post, start, end int) {
	index := make(map[news.Security]int)
	for _, at := range a.places {
		if at.at < start || at.at >= end {
			continue
		}
		to := &p.Securities
		if at.Board() {
			to = &p.Boards
		}
		i, known := index[at.Security]
		if !known {
			i = len(*to)
			index[at.Security] = i
			*to = append(*to, news.Mention{Security: at.Security})
		}
		m := &(*to)[i]
		m.Count++
		if m.Name == "" {
			m.Name = at.name
		}
	}
}

func (a *article) fillRelated(p *news.Post, start, end int) {
	for _, l := range a.links {
		if l.at < start || l.at >= end || !l.article() || l.id == p.ID {
			continue
		}
		a.g.addLead(l.link)
	}
	for _, w := range a.g.page.Leads {
		if w.InfoCode != "" {
			p.Related = append(p.Related, w.InfoCode)
		}
	}
}

// Bounds of a list in a post's place.
const (
	listLinks    = 5  // to other posts, on a page that nothing proves to be a post
	listAll      = 10 // to other posts and to lists, likewise
	listBody     = 8  // to other posts, in what would be the body
	listOwnWidth = 10 // of text of its own for each of these, as [width] counts
)

// isList reports whether the page is a list of the mirror's and no post, whose
// body would stand from start to end.
func (a *article) isList(start, end int, by proof) bool {
	if a.g.self.kind.List() {
		return true
	}
	posts, inBody, lists := 0, 0, 0
	for _, l := range a.links {
		switch {
		case l.kind == news.KindPost && l.id != a.g.self.id:
			posts++
			if start >= 0 && l.at >= start && l.at < end {
				inBody++
			}
		case isList(l.link):
			lists++
		}
	}
	switch {
	case by == proofNone:
		return posts >= listLinks || posts+lists >= listAll
	case inBody >= listBody:
		body := look{scanner: newScanner(a.src[start:end])}
		body.walk(&body)
		return body.width < listOwnWidth*inBody
	}
	return false
}

// hasWord reports whether a class attribute holds a class.
func hasWord(class []byte, word string) bool {
	for c := range bytes.FieldsSeq(class) {
		if string(c) == word {
			return true
		}
	}
	return false
}
