package page

import (
	"fmt"

	"github.com/finarc/finarc/news"
)

// readList reads a home or category page: its links are all that counts.
func readList(g *gather, body []byte) error {
	r := listReader{scanner: newScanner(body), g: g}
	g.expect(len(body) / linkSize)
	r.walk(&r)
	return r.finish()
}

// linkSize is about how many bytes of a page one link of a long list takes.
const linkSize = 128

// listReader takes the links of a page of links.
type listReader struct {
	*scanner
	g     *gather
	title linkTitle
	own   bool // it links the mirror's home page
	list  bool // it has a list, or is of a feed's or sitemap's form
}

func (r *listReader) startTag(t *tag) {
	if r.title.open {
		r.title.startTag(t.name)
	}
	switch string(t.name) {
	case "a":
		at := r.take(t.attributes().href)
		if at >= 0 && r.g.page.Found[at].TitleSum == 0 {
			r.title.begin(at)
		}
	case "link":
		r.take(t.attributes().href)
	case "base":
		r.g.setBase(t.attributes().href)
	case "ul", "ol":
		r.list = true
	}
}

func (r *listReader) endTag(name []byte) {
	switch {
	case !r.title.open:
	case string(name) == "a":
		r.g.page.Found[r.title.at].TitleSum = r.title.end()
	case isBlock(name):
		r.title.spoil()
	}
}

func (r *listReader) textToken() {
	if r.title.open {
		r.title.textToken(r.scanner)
	}
}

// take records where a link leads, and returns the place of the post there
// among those found, or -1. A list's links to Eastmoney's own addresses are its
// posts, by infoCode; those to the NewsShare of other hosts are not.
func (r *listReader) take(href []byte) int {
	l := r.g.look(href)
	switch l.kind {
	case news.KindPost, news.KindShare, news.KindText:
		return r.g.addFound(l)
	case news.KindHome:
		r.own = true
	case news.KindOther:
		if l.wire && l.article() {
			return r.g.addFound(l)
		}
	default:
		if isList(l) {
			r.g.addList(l.kind, l.address)
		}
	}
	return -1
}

// fewPosts is below which number of posts a list is looked at more closely.
const fewPosts = 8

// finish refuses a page that turns the crawler away, or that lists nothing and
// is nothing of the mirror's. A list may well be empty.
func (r *listReader) finish() error {
	posts := r.g.handed + len(r.g.page.Found)
	if posts >= fewPosts {
		return nil
	}
	by := proofNone
	switch {
	case r.own || posts > 0 || len(r.g.page.Lists) > 0:
		by = proofOwn
	case r.list:
		by = proofLoose
	}
	if err := refusal(r.src, by); err != nil {
		return err
	}
	if by == proofNone {
		return fmt.Errorf("%w: no list, and no link to the mirror", ErrUnreadable)
	}
	return nil
}
