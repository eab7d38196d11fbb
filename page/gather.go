package page

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// gather is the page that is being read: what it is, and what was found on it
// so far.
type gather struct {
	resolver
	capture  *news.Capture
	self     link   // what the page's own address tells
	category string // of a category page
	page     Page

	found, leads map[news.ID]int // indexes into page.Found and page.Leads
	lists        map[string]bool
	kept         int // bytes of addresses in page

	portion func([]news.Wanted) error // takes what was found, if set
	handed  int                       // how many it took
	err     error                     // its first
}

func newGather(s *Site, c *news.Capture, base *url.URL, portion func([]news.Wanted) error) *gather {
	g := &gather{
		portion:  portion,
		resolver: newResolver(s, base),
		capture:  c,
		self:     s.look(base),
		found:    make(map[news.ID]int),
		leads:    make(map[news.ID]int),
		lists:    make(map[string]bool),
	}
	if c.Kind == news.KindCategory {
		g.category = g.ownCategory()
	}
	return g
}

// look tells where a link leads. Most pages name their own address.
func (g *gather) look(href []byte) link {
	if string(href) == g.capture.URL {
		return g.self
	}
	return g.resolver.look(href)
}

// expect makes room for about n found posts.
func (g *gather) expect(n int) {
	n = min(n, MaxLinks)
	if g.portion != nil {
		n = min(n, Portion)
	}
	g.page.Found = make([]news.Wanted, 0, n)
	g.found = make(map[news.ID]int, n)
}

// ownCategory returns the category that a category page's own address names.
func (g *gather) ownCategory() string {
	if g.self.kind == news.KindCategory {
		return g.self.name
	}
	return validName(strings.TrimSuffix(path.Base("/"+strings.Trim(g.base.Path, "/")), "/"))
}

// addFound records a post to be fetched, and returns its place among those
// found, or -1 if there is no room for it. An article's address that is not of
// the mirror's site only tells its infoCode.
func (g *gather) addFound(l link) int {
	if g.portion != nil && len(g.page.Found) >= Portion {
		if _, known := g.found[l.id]; !known {
			g.handOver() // only now: the last one may have got its title
		}
	}
	return g.add(&g.page.Found, MaxLinks-g.handed, g.found, l, g.category)
}

// handOver gives away what was found so far.
func (g *gather) handOver() {
	if g.err == nil {
		g.err = g.portion(g.page.Found)
	}
	g.handed += len(g.page.Found)
	g.page.Found = make([]news.Wanted, 0, Portion)
	clear(g.found)
}

// addLead records a related post.
func (g *gather) addLead(l link) {
	g.add(&g.page.Leads, MaxLinks, g.leads, l, "")
}

// maxKept bounds the addresses that are kept of a page, in bytes. A thousand
// of a hundred bytes is what long lists have, and a long <base> could make each
// link a long one.
const maxKept = 32 << 20

// keep reports whether there is room for an address.
func (g *gather) keep(address string) bool {
	if g.kept+len(address) > maxKept {
		g.page.Dropped++
		return false
	}
	g.kept += len(address)
	return true
}

// add records a post in to, which has room for so many, and returns its place
// there, or -1.
func (g *gather) add(to *[]news.Wanted, room int, index map[news.ID]int, l link, category string) int {
	i, known := index[l.id]
	if !known {
		if len(*to) >= room || l.code == "" && g.kept+len(l.address) > maxKept {
			g.page.Dropped++
			return -1
		}
		i = len(*to)
		index[l.id] = i
		*to = append(*to, news.Wanted{
			ID:       l.id,
			InfoCode: l.code,
			Mirror:   g.site.name,
			Category: category,
			FoundOn:  g.capture.URL,
			Found:    g.capture.Fetched,
		})
	}
	w := &(*to)[i]
	w.InfoCode = fuller(w.InfoCode, l.code)
	if l.kind == news.KindPost {
		g.addAddress(w, l.address)
	}
	return i
}

// maxPages bounds the addresses of one post that a page can tell: one a
// category is what mirrors have.
const maxPages = 64

func (g *gather) addAddress(w *news.Wanted, address string) {
	switch {
	case slices.Contains(w.Pages, address):
	case len(w.Pages) >= maxPages:
		g.page.Dropped++
	case g.keep(address):
		w.Pages = append(w.Pages, address)
	}
}

// addList records a list page, unless it is the page itself.
func (g *gather) addList(kind news.PageKind, address string) {
	switch {
	case g.lists[address] || address == g.self.address:
	case len(g.page.Lists) >= MaxLinks:
		g.page.Dropped++
	case g.keep(address):
		g.lists[address] = true
		g.page.Lists = append(g.page.Lists, news.ListPage{URL: address, Mirror: g.site.name, Kind: kind})
	}
}

// isList reports whether a link leads to a page that [Page.Lists] holds: the
// home page is known without.
func isList(l link) bool { return l.kind.List() && l.kind != news.KindHome }

// fuller returns the spelling of one article's infoCode that tells more.
func fuller(a, b news.InfoCode) news.InfoCode {
	if len(b) > len(a) {
		return b
	}
	return a
}

// identify gives a post its identity: by the infoCode that the page names, or
// else by its own address.
func (g *gather) identify(p *news.Post, named news.InfoCode) {
	g.page.Named = named != ""
	code := named
	if own := g.ownCode(); named == "" || own.ID() == named.ID() {
		code = fuller(named, own)
	}
	switch {
	case code != "":
		p.InfoCode, p.ID = code, code.ID()
	case g.self.id != "":
		p.ID = g.self.id
	default:
		p.ID = news.PageID(0, &url.URL{Host: HostOf(g.base), Path: g.base.Path, RawPath: escapePath(g.base.Path)})
	}
}

// ownCode returns the infoCode in the page's own address, if there is one.
func (g *gather) ownCode() news.InfoCode {
	if g.self.article() {
		return g.self.code
	}
	code, _ := news.FindInfoCode(g.capture.URL)
	return code
}
