package article

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/finarc/finarc/page"
)

// space is what HTML takes for white space.
const space = " \t\n\r\f"

// text puts text where it belongs.
func (b *builder) text(s string) {
	s = Clean(s)
	if b.kind == atom.Pre && !b.cell {
		b.preformatted(s)
		return
	}
	if b.lineBegins() {
		s = strings.TrimLeftFunc(s, page.IsSpace) // indented by U+3000, say
	}
	words := strings.FieldsFunc(s, isBlank)
	if len(words) == 0 {
		b.space = b.space || s != ""
		return
	}
	b.space = b.space || isBlank(rune(s[0]))
	to := b.ready()
	appendText(to, strings.Join(words, " "))
	b.space = isBlank(rune(s[len(s)-1]))
}

func isBlank(r rune) bool { return strings.ContainsRune(space, r) }

func (b *builder) preformatted(s string) {
	if b.leaf == nil && strings.Trim(s, space) == "" {
		return
	}
	to := b.ready()
	b.space = false
	appendText(to, s)
}

func appendText(to *html.Node, s string) {
	to.AppendChild(&html.Node{Type: html.TextNode, Data: s})
}

// Join makes one of text nodes that follow each other, in all of a tree.
func Join(n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.Type != html.TextNode {
			Join(child)
			continue
		}
		texts := []string{child.Data}
		for next := child.NextSibling; next != nil && next.Type == html.TextNode; next = child.NextSibling {
			texts = append(texts, next.Data)
			n.RemoveChild(next)
		}
		if len(texts) > 1 {
			child.Data = strings.Join(texts, "")
		}
	}
}

// empty reports whether nothing is in the leaf.
func (b *builder) empty() bool { return b.leaf == nil || b.leaf.FirstChild == nil }

// lineBegins reports whether what comes next is the first of its line.
func (b *builder) lineBegins() bool {
	return b.empty() || b.lines > 0 || b.leaf.LastChild.DataAtom == atom.Br
}

// ready returns where in the leaf text comes now, after white space that was put
// off, and after opening all that is needed.
func (b *builder) ready() *html.Node {
	b.breakLines()
	if b.leaf == nil {
		b.leaf = element(b.kind)
		b.place(b.leaf)
	}
	at := b.closeMarks()
	if b.space && !b.lineBegins() && b.leaf.DataAtom != atom.Pre {
		appendText(at, " ")
	}
	return b.openMarks(at)
}

// breakLines does what ends of lines do: two of them end a paragraph.
func (b *builder) breakLines() {
	lines := b.lines
	b.lines = 0
	if b.empty() || lines == 0 {
		return
	}
	switch {
	case b.leaf.DataAtom == atom.Pre:
		appendText(b.closeMarks(), strings.Repeat("\n", lines))
	case lines > 1 && !b.cell:
		b.closeLeaf()
	default:
		b.open = nil
		b.leaf.AppendChild(element(atom.Br))
	}
	b.space = false
}

// closeMarks closes the elements in the leaf that the body has closed, and returns
// the innermost that is still open.
func (b *builder) closeMarks() *html.Node {
	same := 0
	for same < min(len(b.open), len(b.marks)) && b.marks[same].is(b.open[same]) {
		same++
	}
	b.open = b.open[:same]
	if same == 0 {
		return b.leaf
	}
	return b.open[same-1]
}

// openMarks opens those that the body has opened, and returns the innermost.
func (b *builder) openMarks(at *html.Node) *html.Node {
	for _, m := range b.marks[len(b.open):] {
		n := m.node()
		at.AppendChild(n)
		b.open = append(b.open, n)
		at = n
	}
	return at
}

// is reports whether an element is that of the mark.
func (m mark) is(n *html.Node) bool {
	return n.DataAtom == m.kind && attribute(n, "href") == m.href
}

func (m mark) node() *html.Node {
	n := element(m.kind)
	if m.kind == atom.A {
		n.Attr = []html.Attribute{{Key: "href", Val: m.href}}
	}
	return n
}

// endLeaf ends the leaf that is open; in a cell, the line.
func (b *builder) endLeaf() {
	if b.cell {
		b.lines = 1
		return
	}
	b.closeLeaf()
	b.lines = 0
}

// closeLeaf closes the leaf, if one is open.
func (b *builder) closeLeaf() {
	b.space, b.open = false, nil
	if b.leaf == nil {
		return
	}
	trimEnd(b.leaf)
	Join(b.leaf)
	if b.leaf.FirstChild == nil && !b.cell {
		b.remove(b.leaf)
	}
	b.leaf = nil
}

// trimEnd takes the white space from the end of a leaf, and what is empty without.
func trimEnd(n *html.Node) {
	for last := n.LastChild; last != nil; last = n.LastChild {
		if last.Type == html.TextNode {
			last.Data = strings.TrimRightFunc(last.Data, page.IsSpace)
		} else {
			trimEnd(last)
		}
		if last.Data != "" && (last.Type == html.TextNode || last.FirstChild != nil || last.DataAtom == atom.Img) {
			return
		}
		n.RemoveChild(last)
	}
}
