package web

import (
	"html/template"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxBody is up to how many bytes of HTML an article is shown with its markup; of a
// longer one the text is.
const maxBody = 512 << 10

// classes are those that the server itself gives to what stands in an article.
const (
	classSecurity = "security"
	classPicture  = "picture"
	classAway     = "away"
)

// shownElements are those of an article that are shown as they are.
var shownElements = []string{
	"p", "br", "hr", "div", "section", "strong", "b", "em", "i", "u", "s", "sub", "sup", "small", "span", "a",
	"h2", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "code", "figure", "figcaption",
	"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td",
}

// reader makes the HTML of articles fit to be read in the server's own pages.
type reader struct{ allow *bluemonday.Policy }

// newReader returns a reader that lets through text and its structure, and links to
// the open web; nothing that runs, loads or looks like a part of the page around.
func newReader() *reader {
	p := bluemonday.NewPolicy()
	p.AllowElements(shownElements...)
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https")
	p.AllowRelativeURLs(true)
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[1-9][0-9]?$`)).OnElements("td", "th")
	p.AllowAttrs("class").Matching(regexp.MustCompile("^("+classSecurity+"|"+classPicture+"|"+classAway+")$")).OnElements("a", "span")
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	p.RequireNoFollowOnFullyQualifiedLinks(true)
	p.SkipElementsContent("script", "style", "iframe", "object", "noscript", "template", "svg", "math", "select", "textarea", "title")
	return &reader{allow: p}
}

// read returns an article to be read: its body's HTML, and whether that is the text
// alone.
func (rd *reader) read(p *news.Post) (body template.HTML, textOnly bool) {
	if len(p.Body) > maxBody {
		return paragraphs(page.Text(p.Body)), true
	}
	root := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(p.Body), root)
	if err != nil { // nested too deep
		return paragraphs(page.Text(p.Body)), true
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	rd.prepare(root)
	var b strings.Builder
	for n := root.FirstChild; n != nil; n = n.NextSibling {
		if err := html.Render(&b, n); err != nil {
			return paragraphs(page.Text(p.Body)), true
		}
	}
	return template.HTML(rd.allow.Sanitize(b.String())), false
}

// paragraphs returns a text as HTML, a paragraph a line.
func paragraphs(text string) template.HTML {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("<p>" + html.EscapeString(strings.TrimSpace(line)) + "</p>\n")
	}
	return template.HTML(b.String())
}

// prepare puts in place what the reading view has otherwise than the mirror:
// securities and posts lead to pages of this server, pictures are named and not
// loaded, what is hidden is left out.
func (rd *reader) prepare(parent *html.Node) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch {
		case n.Type != html.ElementNode:
		case hidden(n):
			parent.RemoveChild(n)
		case n.DataAtom == atom.Img:
			rd.replace(parent, n, pictureOf(n))
		case heading(n):
			n.Data, n.DataAtom, n.Attr = "h2", atom.H2, nil
			rd.prepare(n)
		default:
			rd.prepare(n)
			rd.link(parent, n)
		}
		n = next
	}
}

func (rd *reader) replace(parent, old, with *html.Node) {
	if with != nil {
		parent.InsertBefore(with, old)
	}
	parent.RemoveChild(old)
}

// link lets an element lead to where the reader may want to go.
func (rd *reader) link(parent, n *html.Node) {
	if sec, ok := securityOf(n); ok {
		if n.FirstChild == nil {
			parent.RemoveChild(n)
			return
		}
		n.Data, n.DataAtom = "a", atom.A
		n.Attr = []html.Attribute{{Key: "href", Val: securityHref(sec)}, {Key: "class", Val: classSecurity}}
		return
	}
	if n.DataAtom != atom.A {
		n.Attr = withoutKey(n.Attr, "class")
		return
	}
	href, ok := outside(attr(n, "href"))
	if !ok {
		n.Data, n.DataAtom, n.Attr = "span", atom.Span, nil
		return
	}
	n.Attr = []html.Attribute{{Key: "href", Val: href}, {Key: "class", Val: classAway}}
	if code, found := news.FindInfoCode(href); found {
		n.Attr = []html.Attribute{{Key: "href", Val: postHref(code.ID())}}
	}
}

// outside returns an absolute address of the open web, as which a link of an
// article may be followed.
func outside(href string) (string, bool) {
	href = strings.TrimSpace(href)
	if strings.HasPrefix(href, "//") {
		href = "http:" + href
	}
	u, err := url.Parse(href)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", false
	}
	return u.String(), true
}

// securityOf returns the security that an element marks: market,code in data-code.
func securityOf(n *html.Node) (news.Security, bool) {
	if n.DataAtom != atom.A && n.DataAtom != atom.Span {
		return news.Security{}, false
	}
	market, code, ok := strings.Cut(attr(n, "data-code"), ",")
	if _, err := strconv.Atoi(market); !ok || err != nil {
		return news.Security{}, false
	}
	sec, err := news.ParseSecurity(market + "." + code)
	return sec, err == nil
}

// pictureOf returns what stands for a picture: its own words, and a link to where
// it is, which nothing asks before somebody follows it. A picture without either is
// left out.
func pictureOf(n *html.Node) *html.Node {
	src, ok := outside(attr(n, "src"))
	alt := strings.TrimSpace(attr(n, "alt"))
	if alt == "" && !ok {
		return nil
	}
	if alt == "" {
		alt = src[strings.LastIndexByte(src, '/')+1:]
	}
	pic := &html.Node{Type: html.ElementNode, Data: "span", DataAtom: atom.Span, Attr: []html.Attribute{{Key: "class", Val: classPicture}}}
	if ok && n.Parent != nil && !within(n, atom.A) {
		pic.Data, pic.DataAtom = "a", atom.A
		pic.Attr = append(pic.Attr, html.Attribute{Key: "href", Val: src})
	}
	pic.AppendChild(&html.Node{Type: html.TextNode, Data: "▧ " + alt})
	return pic
}

// within reports whether a node stands in an element.
func within(n *html.Node, of atom.Atom) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.DataAtom == of {
			return true
		}
	}
	return false
}

// heading reports whether an element is a heading. In the page around, which has one
// of the first level, those of an article are all of the second, since articles do
// not say what they divide.
func heading(n *html.Node) bool {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// hidden reports whether readers of the mirror do not see an element.
func hidden(n *html.Node) bool {
	style := strings.ReplaceAll(strings.ToLower(attr(n, "style")), " ", "")
	return strings.Contains(style, "display:none") || attrIs(n, "hidden")
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func attrIs(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func withoutKey(list []html.Attribute, key string) []html.Attribute {
	var kept []html.Attribute
	for _, a := range list {
		if a.Key != key {
			kept = append(kept, a)
		}
	}
	return kept
}
