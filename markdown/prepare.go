package markdown

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/finarc/finarc/article"
)

// prepare makes of an article's tree one that comes out as Markdown which means the
// same, when its text is copied: marks only stand where Markdown sees them, and in
// text everything is escaped that it would take for its own.
//
// The converter's own escaping is a guess, which leaves &#35; in a text to be read
// as #, and it knows nothing of emphasis beside punctuation, which Markdown does not
// see (CommonMark 0.31, 6.2).
func prepare(root *html.Node) {
	simplify(root)
	separate(root)
	(&escaper{}).all(root)
}

// simplify takes away marks that Markdown does not have, or would not see.
func simplify(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if child.Type == html.ElementNode {
			simplify(child)
			simplifyElement(child)
		}
		child = next
	}
	article.Join(n)
}

func simplifyElement(n *html.Node) {
	switch n.DataAtom {
	case atom.Sub, atom.Sup:
		unwrap(n)
	case atom.Code:
		if within(n, atom.Table) || within(n, atom.Pre) || !isPlainCode(n) {
			unwrap(n)
		}
	case atom.Br:
		if heading(n.Parent) {
			n.Parent.InsertBefore(textNode(" "), n)
			n.Parent.RemoveChild(n)
		}
	case atom.Table:
		if placesOf(n) > maxPlaces {
			dropSpans(n)
		}
	case atom.Th:
		// The first row becomes the header; of others with such cells the converter
		// would move one up.
		n.Data, n.DataAtom = "td", atom.Td
	case atom.Pre:
		if n.Parent.DataAtom != atom.Div {
			breakLines(n)
		}
	case atom.Strong, atom.Em, atom.Del:
		peel(n)
		first, last := n.FirstChild, n.LastChild
		if within(n, atom.Pre) || first == nil || first.Type != html.TextNode || last.Type != html.TextNode || holdsBreak(n) {
			unwrap(n)
		}
	}
}

// maxPlaces bounds how many places the cells of a table take that has cells of more
// than one: the converter's time grows with more than their number.
const maxPlaces = 5_000

// placesOf returns how many places the cells of a table take.
func placesOf(table *html.Node) int {
	places := 0
	for n := range table.Descendants() {
		if n.DataAtom == atom.Td {
			takes := 1
			for _, span := range n.Attr {
				if v, err := strconv.Atoi(span.Val); err == nil {
					takes *= v
				}
			}
			places += takes
		}
	}
	return places
}

// dropSpans lets each cell of a table take one place.
func dropSpans(table *html.Node) {
	for n := range table.Descendants() {
		if n.DataAtom == atom.Td {
			n.Attr = nil
		}
	}
}

// isPlainCode reports whether code can stand as such. Of elements in it the converter
// takes the text alone, and a bracket in it may end what begins before it.
func isPlainCode(n *html.Node) bool {
	text := n.FirstChild
	return text == n.LastChild && text.Type == html.TextNode && !strings.ContainsAny(text.Data, "[]")
}

// breakLines makes preformatted text a paragraph of lines: of more than one line
// within a list or quotation the converter loses all but the first.
func breakLines(pre *html.Node) {
	pre.Data, pre.DataAtom = "p", atom.P
	for child := pre.FirstChild; child != nil; {
		next := child.NextSibling
		if child.Type == html.TextNode {
			for i, line := range strings.Split(child.Data, "\n") {
				if i > 0 {
					pre.InsertBefore(&html.Node{Type: html.ElementNode, Data: "br", DataAtom: atom.Br}, child)
				}
				if line = strings.TrimSpace(line); line != "" {
					pre.InsertBefore(textNode(line), child)
				}
			}
			pre.RemoveChild(child)
		}
		child = next
	}
}

func textNode(s string) *html.Node { return &html.Node{Type: html.TextNode, Data: s} }

func heading(n *html.Node) bool {
	for ; n != nil; n = n.Parent {
		switch n.DataAtom {
		case atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
			return true
		}
	}
	return false
}

func within(n *html.Node, kind atom.Atom) bool {
	for p := range n.Ancestors() {
		if p.DataAtom == kind {
			return true
		}
	}
	return false
}

func holdsBreak(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.DataAtom == atom.Br {
			return true
		}
	}
	return false
}

// unwrap puts what an element holds in its place.
func unwrap(n *html.Node) {
	for n.FirstChild != nil {
		child := n.FirstChild
		n.RemoveChild(child)
		n.Parent.InsertBefore(child, n)
	}
	n.Parent.RemoveChild(n)
}

// peel puts what is neither letter nor digit at the ends of a mark outside of it:
// beside a letter it would keep Markdown from seeing the mark.
func peel(n *html.Node) {
	if first := n.FirstChild; first != nil && first.Type == html.TextNode {
		rest := strings.TrimLeftFunc(first.Data, isEdge)
		if cut := len(first.Data) - len(rest); cut > 0 {
			n.Parent.InsertBefore(textNode(first.Data[:cut]), n)
			keep(first, rest)
		}
	}
	if last := n.LastChild; last != nil && last.Type == html.TextNode {
		rest := strings.TrimRightFunc(last.Data, isEdge)
		if len(rest) < len(last.Data) {
			n.Parent.InsertBefore(textNode(last.Data[len(rest):]), n.NextSibling)
			keep(last, rest)
		}
	}
}

func isEdge(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }

// keep gives a text node what is left of its text.
func keep(n *html.Node, rest string) {
	if n.Data = rest; rest == "" {
		n.Parent.RemoveChild(n)
	}
}

// separate takes away marks that touch another, or a character like a delimiter:
// they would be read as one.
func separate(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if isMark(child) && touches(child) {
			next = child.FirstChild
			unwrap(child)
		} else {
			separate(child)
		}
		child = next
	}
	article.Join(n)
}

func touches(mark *html.Node) bool {
	const delimiters = "*~`"
	before, after := mark.PrevSibling, mark.NextSibling
	switch {
	case before != nil && isMark(before):
		return true
	case before != nil && before.Type == html.TextNode && strings.ContainsAny(before.Data[len(before.Data)-1:], delimiters):
		return true
	}
	return after != nil && after.Type == html.TextNode && strings.ContainsAny(after.Data[:1], delimiters)
}

func isMark(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Strong, atom.Em, atom.Del, atom.Code:
		return n.Type == html.ElementNode
	}
	return false
}

// escaper escapes text, in the order in which it is written.
type escaper struct {
	begins bool // what comes next begins a line
}

func (e *escaper) all(n *html.Node) {
	switch n.DataAtom {
	case atom.Code, atom.Pre:
		e.begins = false
		return
	case atom.Img:
		e.attributes(n)
		e.begins = false
		return
	case atom.A:
		e.attributes(n)
	case atom.P, atom.Li, atom.Td, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Br:
		e.begins = true
	}
	if n.Type == html.TextNode {
		n.Data = escape(n.Data, e.begins)
		e.begins = false
	}
	for child := range n.ChildNodes() {
		e.all(child)
	}
}

func (e *escaper) attributes(n *html.Node) {
	for i := range n.Attr {
		switch a := &n.Attr[i]; a.Key {
		case "href", "src":
			a.Val = destination(a.Val)
		case "alt":
			a.Val = escape(a.Val, false)
		}
	}
}

// reference finds what Markdown takes for a character reference in an address.
var reference = regexp.MustCompile(`&(#?\w+;)`)

// destination returns an address as it can stand as a link's destination.
func destination(address string) string {
	address = strings.NewReplacer("(", "%28", ")", "%29", "*", "%2A").Replace(address)
	return reference.ReplaceAllString(address, "&amp;$1")
}

// marker finds what begins a list with numbers.
var marker = regexp.MustCompile(`^[0-9]{1,9}[.)]`)

// escape returns text in which Markdown finds nothing of its own. What only means
// something at the beginning of a line is left as it is elsewhere.
func escape(s string, begins bool) string {
	var b strings.Builder
	if begins {
		if m := marker.FindString(s); m != "" {
			b.WriteString(m[:len(m)-1] + `\`)
			b.WriteString(m[len(m)-1:])
			s = s[len(m):]
		} else if s != "" && strings.IndexByte("#-+=:", s[0]) >= 0 {
			b.WriteString(`\` + s[:1])
			s = s[1:]
		}
	}
	for i, r := range s { // a mark of exclamation at the end may stand before a link
		if isSpecial(r) || r == '#' && mayClose(s, i) || r == '!' && i == len(s)-1 || r == '&' && mayRefer(s[i+1:]) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isSpecial reports whether Markdown gives a character a meaning anywhere. Of < and >
// the converter makes references.
func isSpecial(r rune) bool { return r < utf8.RuneSelf && strings.ContainsRune("\\`*_[]~|", r) }

// mayClose reports whether the number sign at i may be taken for the end of a
// heading; the converter takes any at the end for one that is escaped.
func mayClose(s string, i int) bool {
	return i == 0 || i == len(s)-1 || s[i-1] == ' ' || s[i-1] == '#'
}

// mayRefer reports whether an ampersand before a text may be a reference.
func mayRefer(after string) bool {
	return after == "" || after[0] == '#' || unicode.IsLetter(rune(after[0]))
}
