package page

import (
	"fmt"

	"github.com/finarc/finarc/news"
)

// readList reads a home or category page: its links are all that counts.
func readList(g *gather, body []byte) error {
	r := listReader{g: g}
	g.expect(len(body) / linkSize)
	newScanner(body).walk(&r)
	return r.finish()
}

// linkSize is about how many bytes of a page one link of a long list takes.
const linkSize = 128

// listReader takes the links of a page of links.
type listReader struct {
	g    *gather
	own  bool // it links the mirror's home page
	list bool // it has a list, or is of a feed's or sitemap's form
}

func (r *listReader) startTag(t *tag) {
	switch string(t.name) {
	case "a", "link":
		r.take(t.attributes().href)
	case "base":
		r.g.setBase(t.attributes().href)
	case "ul", "ol":
		r.list = true
	}
}

func (r *listReader) endTag([]byte) {}

func (r *listReader) textToken() {}

// take records where a link leads. A list's links to Eastmoney's own addresses
// are its posts, by infoCode; those to the NewsShare of other hosts are not.
func (r *listReader) take(href []byte) {
	l := r.g.look(href)
	switch l.kind {
	case news.KindPost, news.KindShare, news.KindText:
		r.g.addFound(l)
	case news.KindHome:
		r.own = true
	case news.KindOther:
		if l.wire && l.article() {
			r.g.addFound(l)
		}
	default:
		if isList(l) {
			r.g.addList(l.kind, l.address)
		}
	}
}

// finish refuses a page that lists nothing and is nothing of the mirror's,
// such as a block page. A list may well be empty.
func (r *listReader) finish() error {
	if r.list || r.own || r.g.handed+len(r.g.page.Found) > 0 || len(r.g.page.Lists) > 0 {
		return nil
	}
	return fmt.Errorf("%w: no list, and no link to the mirror", ErrUnreadable)
}
