package page

import (
	"bytes"
	"fmt"

	"github.com/finarc/finarc/news"
)

// readFeed reads a feed (Atom, RFC 4287, or RSS) or a sitemap (sitemaps.org,
// an index of sitemaps included). Of their XML only the links count, so that
// the tokens of HTML serve, and broken XML is read as far as it goes.
func readFeed(g *gather, body []byte) error {
	r := feedReader{scanner: newXMLScanner(body), list: listReader{g: g}}
	r.walk(&r)
	return r.finish()
}

// feedReader takes the links of a feed or sitemap.
type feedReader struct {
	*scanner
	list  listReader
	entry entryTitle
	loc   element // an element whose text is an address
	index bool    // within a sitemap index
	moved moved
}

func (r *feedReader) startTag(t *tag) {
	r.entry.startTag(t.name)
	r.moved.startTag(t, len(r.list.g.page.Lists))
	switch string(t.name) {
	case "feed", "rss", "rdf:rdf", "urlset":
		r.list.list = true
	case "sitemapindex":
		r.list.list, r.index = true, true
	case "link":
		if href := t.attributes().href; href != nil {
			r.link(href)
			return
		}
		r.loc.begin(t.start)
	case "loc", "guid":
		r.loc.begin(t.start)
	}
}

func (r *feedReader) textToken() {
	r.entry.textToken(r.scanner)
	for _, e := range [...]*element{&r.loc, &r.moved.text} {
		if e.open {
			e.text = append(e.text, r.text()...)
		}
	}
}

func (r *feedReader) endTag(name []byte) {
	switch string(name) {
	case "link", "loc", "guid":
		if r.loc.open {
			r.take(bytes.TrimSpace(r.loc.text))
		}
		r.loc.open = false
	case "sitemapindex":
		r.index = false
	}
	r.entry.endTag(name, r.list.g.page.Found)
	r.moved.endTag(name, r.list.g.page.Lists)
}

// take records an address. What a sitemap index names on the site is a
// sitemap, however it is called.
func (r *feedReader) take(address []byte) {
	if r.index {
		if path, ok := r.list.g.onSite(address); ok {
			r.list.g.addList(news.KindSitemap, path)
		}
		return
	}
	r.link(address)
}

// link records a link of an entry, or of the feed.
func (r *feedReader) link(href []byte) {
	if at := r.list.take(href); at >= 0 {
		r.entry.found(r.list.g.page.Found[at].ID, at)
	}
}

func (r *feedReader) finish() error {
	if !r.list.list {
		if err := refusal(r.src, proofNone); err != nil {
			return err
		}
		return fmt.Errorf("%w: neither a feed nor a sitemap", ErrUnreadable)
	}
	return nil
}
