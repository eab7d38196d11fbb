package page

import (
	"net/url"
	"strings"
	"sync"

	"github.com/finarc/finarc/news"
)

// resolver reads the links of one page.
type resolver struct {
	site   *Site
	base   *url.URL
	rooted bool // the page is on the site's own host, with its scheme
	joined int  // bytes of the addresses that were put together
	lost   int  // links that were not followed up because of maxJoined
}

// maxJoined bounds [resolver.joined]: a link of a few bytes can make an address
// as long as the page's own.
const maxJoined = 8 << 20

func newResolver(s *Site, base *url.URL) resolver {
	return resolver{site: s, base: base, rooted: HostOf(base) == s.host && base.Scheme == s.scheme}
}

// setBase heeds a page's <base href>.
func (r *resolver) setBase(href []byte) {
	if len(href) > maxAddress {
		return
	}
	if u, err := url.Parse(cleanHref(href)); err == nil {
		joined, lost := r.joined+len(href), r.lost
		*r = newResolver(r.site, r.base.ResolveReference(u))
		r.joined, r.lost = joined, lost
	}
}

// look tells where a link leads.
func (r *resolver) look(href []byte) link {
	if len(href) == 0 || href[0] == '#' {
		return link{kind: news.KindOther}
	}
	if !r.rooted || href[0] != '/' {
		return r.lookAt(href)
	}
	l, known := r.site.menu.get(href)
	if !known {
		if l = r.lookAt(href); !l.article() {
			r.site.menu.put(string(href), l)
		}
	}
	return l
}

// lookAt is look for a link that was not met before. Most links are told apart
// without parsing them as addresses.
func (r *resolver) lookAt(href []byte) link {
	none := link{kind: news.KindOther}
	s := cleanHref(href)
	if len(s) > maxAddress || hasOtherScheme(s) {
		return none
	}
	rest, onSite, known := r.cutOrigin(s)
	if onSite && isPlainPath(rest) {
		if l := r.site.lookPath(rest); l.kind != news.KindOther || !r.site.sharesHost() {
			return l
		}
	}
	if known && !onSite && !mayBeArticle(s) {
		return none
	}
	if r.joined += len(r.base.Path) + len(s); r.joined > maxJoined {
		r.lost++
		return none
	}
	u, err := url.Parse(escapeStray(s))
	if err != nil {
		return none
	}
	return r.site.look(r.base.ResolveReference(u))
}

// cutOrigin splits a link that names a host, or the root of the page's own.
// known is false where that needs a closer look; onSite tells that the host is
// the site's, and rest is what follows it.
func (r *resolver) cutOrigin(s string) (rest string, onSite, known bool) {
	scheme, tail, ok := strings.Cut(s, "//")
	switch {
	case ok && (scheme == "" || scheme == "http:" || scheme == "https:"):
		n := strings.IndexAny(tail, "/?#\\")
		if n < 0 {
			n = len(tail)
		}
		host := tail[:n]
		if strings.Contains(host, ":") && host != r.site.host {
			return "", false, false // may be a default port
		}
		return tail[n:], strings.EqualFold(host, r.site.host), true
	case strings.HasPrefix(s, "/"):
		return s, r.rooted, r.rooted
	}
	return "", false, false
}

// hasOtherScheme reports whether a link has a scheme that is not the web's,
// such as mailto: or javascript:.
func hasOtherScheme(s string) bool {
	i := strings.IndexAny(s, ":/?#")
	return i > 0 && s[i] == ':' && !strings.EqualFold(s[:i], "http") && !strings.EqualFold(s[:i], "https")
}

// mayBeArticle reports whether an address on another host can name an article:
// only with an infoCode in it, written plainly.
func mayBeArticle(address string) bool {
	_, ok := news.FindInfoCode(address)
	return ok
}

// isPlainPath reports whether a path is its own one spelling: without escapes,
// query, fragment and dot segments.
func isPlainPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, "/.") {
		return false
	}
	for i := range len(path) {
		if !isPathByte(path[i]) {
			return false
		}
	}
	return true
}

// cleanHref returns a link without the white space and control characters
// around it, and without line breaks and tabs in it, as browsers read it.
func cleanHref(href []byte) string {
	for len(href) > 0 && href[0] <= ' ' {
		href = href[1:]
	}
	for len(href) > 0 && href[len(href)-1] <= ' ' {
		href = href[:len(href)-1]
	}
	s := string(href)
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\t') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(s)
}

// escapeStray writes percent signs that begin no escape as %25, as in
// /category/100%.html.
func escapeStray(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var out strings.Builder
	for i := range len(s) {
		out.WriteByte(s[i])
		if s[i] == '%' && !isEscape(s[i:]) {
			out.WriteString("25")
		}
	}
	return out.String()
}

// isEscape reports whether s begins with a percent sign and two hexadecimal
// digits.
func isEscape(s string) bool {
	return len(s) >= 3 && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool {
	return isASCIIDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// folder returns the address of a category's folder right below the site's
// home page, if that is where a back link leads.
func (r *resolver) folder(href, category string) (address string, ok bool) {
	u, err := url.Parse(escapeStray(href))
	if err != nil {
		return "", false
	}
	u = r.base.ResolveReference(u)
	path := r.site.base + category + "/"
	return r.site.address(path), HostOf(u) == r.site.host && u.Path == path
}

// onSite returns the one spelling of an address on the site, whatever is
// there.
func (r *resolver) onSite(href []byte) (address string, ok bool) {
	u, err := url.Parse(escapeStray(cleanHref(href)))
	if err != nil || len(href) > maxAddress {
		return "", false
	}
	u = r.base.ResolveReference(u)
	if HostOf(u) != r.site.host || !strings.HasPrefix(u.Path, r.site.base) {
		return "", false
	}
	address = r.site.address(u.Path)
	if u.RawQuery != "" {
		address += "?" + u.RawQuery
	}
	return address, true
}

// menu remembers where the links lead that stand on every page of a site: its
// navigation, its back links and its style sheets. It holds those from the root
// of the site's own pages, which mean the same on each. It is safe for
// concurrent use.
type menu struct {
	mu    sync.RWMutex
	links map[string]link
}

// Bounds of what a menu holds.
const (
	maxMenu     = 4096 // links, some more than a mirror has categories
	maxMenuHref = 256  // bytes of one
)

func (m *menu) get(href []byte) (link, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	l, ok := m.links[string(href)]
	return l, ok
}

func (m *menu) put(href string, l link) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(href) > maxMenuHref || len(m.links) >= maxMenu {
		return
	}
	if m.links == nil {
		m.links = make(map[string]link)
	}
	m.links[href] = l
}
