package page

import (
	"net/url"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// Parts of a mirror's addresses.
const (
	categoryDir = "category/"
	htmlExt     = ".html"
	feedFile    = "feed.xml"
	indexFile   = "index.html"
	robotsPath  = "/robots.txt"
)

// maxAddress is the length in bytes above which an address is no address.
const maxAddress = 2000

// link is what an address tells of where it leads.
type link struct {
	kind    news.PageKind // KindOther for what is not the mirror's
	address string        // of a page on the mirror's site, in its one spelling
	name    string        // of a category page: its category; of a post: the one its path proves
	id      news.ID       // of an article
	code    news.InfoCode // likewise, where the address tells it
	wire    bool          // the address is Eastmoney's own
}

// article reports whether the link leads to an article, of the mirror or not.
func (l *link) article() bool { return l.id != "" }

// Kind tells by its address what a page is: [news.KindOther] if it is none of
// the mirror's. http and https are one, as is the letter case of hosts and of
// the query key that carries an infoCode.
func (s *Site) Kind(u *url.URL) news.PageKind {
	return s.look(u).kind
}

// look reads an absolute address.
func (s *Site) look(u *url.URL) link {
	if u.Scheme != "http" && u.Scheme != "https" {
		return link{kind: news.KindOther}
	}
	host := HostOf(u)
	if u.Path == robotsPath && slices.Contains(s.Hosts(), host) {
		return link{kind: news.KindRobots}
	}
	if host == s.host {
		if l := s.lookPath(u.Path); l.kind != news.KindOther {
			return l
		}
	}
	if code, ok := s.share.match(u, host); ok && code != "" {
		return link{kind: news.KindShare, code: code, id: code.ID()}
	}
	if code, ok := s.text.match(u, host); ok && code != "" {
		return link{kind: news.KindText, code: code, id: code.ID()}
	}
	return lookForeign(u, host)
}

// lookPath reads the path, without escapes, of an address on the site's host.
func (s *Site) lookPath(path string) link {
	if path == "" {
		path = "/"
	}
	rest, ok := strings.CutPrefix(path, s.base)
	switch {
	case path == strings.TrimSuffix(s.base, "/"):
		rest, path = "", s.base
	case !ok:
		return link{kind: news.KindOther}
	}
	switch {
	case rest == "" || rest == indexFile:
		return link{kind: news.KindHome, address: s.address(s.base)}
	case rest == feedFile:
		return link{kind: news.KindFeed, address: s.address(path)}
	case isSitemap(rest):
		return link{kind: news.KindSitemap, address: s.address(path)}
	}
	if name, ok := categoryOfPage(rest); ok {
		return link{kind: news.KindCategory, address: s.address(path), name: name}
	}
	return s.lookPost(path, rest)
}

// lookPost reads the path of a post: /CATEGORIES/yyyy/mm/dd/NAME.html, where
// rest is what follows the site's own path.
func (s *Site) lookPost(path, rest string) link {
	stem, ok := strings.CutSuffix(rest, htmlExt)
	slash := strings.LastIndexByte(stem, '/')
	if !ok || slash < 0 || slash == len(stem)-1 {
		return link{kind: news.KindOther}
	}
	categories, day, ok := cutDay(stem[:slash])
	if !ok {
		return link{kind: news.KindOther}
	}
	l := link{kind: news.KindPost, address: s.address(path), name: categories}
	if code, ok := news.FindInfoCode(stem[slash+1:]); ok {
		l.code, l.id = code, code.ID()
		return l
	}
	l.id = news.PageID(day, &url.URL{Host: s.host, Path: path, RawPath: escapePath(path)})
	return l
}

// cutDay takes yyyy/mm/dd off the end of a post's folder, and returns the
// categories before it as Jekyll would write them: with spaces.
func cutDay(dir string) (categories string, day news.Day, ok bool) {
	const layout = "yyyy/mm/dd"
	n := len(dir) - len(layout)
	if n < 0 || n > 0 && dir[n-1] != '/' {
		return "", 0, false
	}
	for i := range layout {
		c := dir[n+i]
		switch {
		case layout[i] == '/' && c == '/':
		case layout[i] != '/' && isASCIIDigit(c):
			day = day*10 + news.Day(c-'0')
		default:
			return "", 0, false
		}
	}
	if !day.Valid() {
		return "", 0, false
	}
	return validName(strings.ReplaceAll(strings.Trim(dir[:n], "/"), "/", " ")), day, true
}

// categoryOfPage returns the category whose page stands at category/NAME.html.
func categoryOfPage(path string) (name string, ok bool) {
	name, ok = strings.CutPrefix(path, categoryDir)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, htmlExt)
	return validName(name), ok && name != "" && !strings.Contains(name, "/")
}

// validName returns a category's name as UTF-8: escapes in an address can hold
// any bytes.
func validName(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

// isSitemap reports whether a path is a sitemap's, or that of a part which a
// sitemap index names: sitemap.xml, sitemap-2.xml, sitemaps/posts.xml.
func isSitemap(path string) bool {
	return strings.HasPrefix(path, "sitemap") && strings.HasSuffix(path, ".xml")
}

// lookForeign reads an address that is not the mirror's: it may name an
// article of the wire all the same.
func lookForeign(u *url.URL, host string) link {
	l := link{kind: news.KindOther}
	file := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	switch {
	case strings.EqualFold(file, "NewsShare.html"):
		l.code = codeInQuery(u, "infoCode")
	case strings.EqualFold(file, "GetNewsText.do"):
		l.code = codeInQuery(u, "id")
	case host == "eastmoney.com" || strings.HasSuffix(host, ".eastmoney.com"):
		l.code, l.wire = wireCode(u, file), true
	}
	l.id = l.code.ID()
	return l
}

// wireCode returns the infoCode of an article at Eastmoney's own address:
// /a/CODE.html, /news/1611,CODE.html, or ?infocode=CODE anywhere.
func wireCode(u *url.URL, file string) news.InfoCode {
	if code := codeInQuery(u, "infoCode"); code != "" {
		return code
	}
	if !strings.HasPrefix(u.Path, "/a/") && !strings.HasPrefix(u.Path, "/news/") {
		return ""
	}
	stem := strings.TrimSuffix(file, htmlExt)
	code, err := news.ParseInfoCode(stem[strings.LastIndexByte(stem, ',')+1:])
	if err != nil {
		return ""
	}
	return code
}

// escapePath writes a path as the mirror's pages do: with the characters that
// RFC 3986 lets stand in a path as they are, and all others in percent.
func escapePath(path string) string {
	for i := range len(path) {
		if !isPathByte(path[i]) {
			return escape(path, isPathByte)
		}
	}
	return path // as nearly always
}

// escapeSegment is [escapePath] for one segment of a path.
func escapeSegment(segment string) string {
	return escape(segment, func(c byte) bool { return c != '/' && isPathByte(c) })
}

func escape(s string, keep func(byte) bool) string {
	const hex = "0123456789ABCDEF"
	i := 0
	for i < len(s) && keep(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	out := append(make([]byte, 0, 3*len(s)), s[:i]...)
	for _, c := range []byte(s[i:]) {
		if keep(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

// isPathByte reports whether c stands for itself in a path: pchar and the
// slash of RFC 3986.
func isPathByte(c byte) bool {
	const (
		digits  = 1<<10 - 1
		letters = 1<<26 - 1
		low     = digits<<'0' | 1<<'/' | 1<<'-' | 1<<'.' | 1<<'!' | 1<<'$' | 1<<'&' | 1<<'\'' |
			1<<'(' | 1<<')' | 1<<'*' | 1<<'+' | 1<<',' | 1<<';' | 1<<'=' | 1<<':'
		high = letters<<('A'-64) | letters<<('a'-64) | 1<<('@'-64) | 1<<('_'-64) | 1<<('~'-64)
	)
	if c < 64 {
		return uint64(low)>>c&1 != 0
	}
	return c < 128 && uint64(high)>>(c-64)&1 != 0
}
