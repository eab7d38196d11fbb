// Package article makes of a post's body, which is HTML as some site wrote it, a
// tree that every output can take: of a few kinds of elements, each where the
// standard allows it, with absolute addresses and nothing that runs, loads or is
// hidden. Pure functions: no network, no clock, no store.
package article

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// Options tell how a body is read.
type Options struct {
	// Base is the address of the page that the body is from, against which
	// relative addresses are resolved. Without one they are dropped.
	Base string
	// NoPictures puts links, or what describes them, in the place of pictures.
	NoPictures bool
}

// maxTags bounds the bodies that are parsed: an article has some hundreds of
// tags, and of unclosed ones the parser's time grows with the square.
const maxTags = 20_000

// Parse returns a div with the body's blocks. These are p, h2 to h6, pre, hr,
// blockquote, ul and ol with li, and table with tbody, tr, th and td. Paragraphs,
// headings and cells hold text, br, img, and the elements a, strong, em, del, code,
// sub and sup, none of them within one of its name. Attributes are href, src, alt,
// start, colspan and rowspan, and text consists of characters that XML allows.
//
// No text is lost that [page.Text] has. A body with more tags, or deeper ones, than
// any article has is its text alone, a paragraph a line.
func Parse(body string, o Options) *html.Node {
	b := newBuilder(o)
	body = strings.ToValidUTF8(body, "\uFFFD")
	if nodes, ok := parse(body); ok {
		for _, n := range nodes {
			b.walk(n)
		}
	} else {
		for line := range strings.Lines(page.Text(body)) {
			b.text(line)
			b.endLeaf()
		}
	}
	b.endLeaf()
	return b.at
}

// parse returns the nodes of a body, unless it is beyond all bounds.
func parse(body string) ([]*html.Node, bool) {
	if strings.Count(body, "<") > maxTags {
		return nil, false
	}
	context := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(body), context)
	return nodes, err == nil
}

// HTML returns what [Parse] makes of a body, as HTML.
func HTML(body string, o Options) (string, error) {
	var b strings.Builder
	for n := range Parse(body, o).ChildNodes() {
		if err := html.Render(&b, n); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// Clean returns text of characters that XML allows and does not advise against
// (XML 1.0, 2.2), with U+FFFD for any other and for what is no UTF-8. Other white
// space is a space, and NUL is nothing.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return r
		case r == 0:
			return -1
		case unicode.IsSpace(r) && unicode.IsControl(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Noncharacter_Code_Point, r):
			return utf8.RuneError
		}
		return r
	}, text)
}

// Link returns the address at which a post can be read: of its page, or, where
// that is none of the web's, of its shared page. Share is the address of those, with
// {infoCode} in the infoCode's place; "" where there are none. The result may be "".
func Link(p *news.Post, address, share string) string {
	if link := absolute(nil, address); link != "" || p.InfoCode == "" {
		return link
	}
	return absolute(nil, strings.ReplaceAll(share, "{infoCode}", string(p.InfoCode)))
}

// Outlet returns the name of the outlet that carries a post, or what comes nearest
// to it; "" where nothing does.
func Outlet(p *news.Post) string {
	for _, name := range []string{p.Outlet, news.OutletOfTag(p.Tag), p.Category, p.Source} {
		if name = strings.TrimFunc(Clean(name), page.IsSpace); name != "" {
			return name
		}
	}
	return ""
}

// Title returns the title of a post, or its name where it has none.
func Title(p *news.Post) string {
	if title := strings.Join(strings.Fields(Clean(p.Title)), " "); title != "" {
		return title
	}
	return p.Name()
}

// maxAddress bounds addresses, in bytes.
const maxAddress = 2048

// absolute returns the address of a web page or picture that a reference means, as
// RFC 3986 has it, or "" where it means none.
func absolute(base *url.URL, ref string) string {
	ref = strings.TrimFunc(ref, page.IsSpace)
	if ref == "" || len(ref) > maxAddress || strings.HasPrefix(ref, "#") {
		return ""
	}
	u, err := url.Parse(ref)
	if err != nil {
		return ""
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.User != nil || !isHost(u.Host) {
		return ""
	}
	if address := escape(u.String()); len(address) <= maxAddress {
		return address
	}
	return ""
}

// isHost reports whether a host is a name, or an address of version 4, with or
// without a port.
func isHost(host string) bool {
	name, port, _ := strings.Cut(host, ":")
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return name != "" && strings.Trim(name, letters+"-.") == "" && strings.Trim(name, "-.") == name &&
		!strings.Contains(name, "..") && strings.Trim(port, "0123456789") == "" && len(port) <= 5
}

// escape writes as escapes what cannot stand in an address (RFC 3986, 2).
func escape(address string) string {
	const hex = "0123456789ABCDEF"
	const allowed = "-._~:/?@!$&'()*+,;="
	var b strings.Builder
	fragment := false
	for i := range len(address) {
		c := address[i]
		switch {
		case c == '%' && i+2 < len(address) && isHex(address[i+1]) && isHex(address[i+2]),
			c == '#' && !fragment,
			'0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z',
			strings.IndexByte(allowed, c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
		fragment = fragment || c == '#'
	}
	return b.String()
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }
