package article

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/finarc/finarc/page"
)

// builder builds the tree of an article while it walks through that of a body.
// Blocks go into the container that is open. Text goes into a leaf, which is
// opened when there is some, and in there into the elements that the body has open
// around it. So nothing stands where it may not, however the body nests.
type builder struct {
	options Options
	base    *url.URL

	at    *html.Node // the container that is open: div, blockquote, ul, ol or li
	depth int        // of containers

	leaf  *html.Node // a paragraph, heading, pre or cell that is open, or nil
	kind  atom.Atom  // what the next leaf is to be
	cell  bool       // the leaf is a cell, which stays open until its end
	space bool       // white space comes before the next text
	lines int        // so many ends of lines do

	marks []mark       // the elements that the body has open around text, outermost first
	open  []*html.Node // those of them that are open in the leaf
}

// mark is an element around text.
type mark struct {
	kind atom.Atom
	href string // of a link
}

// maxDepth bounds how deep containers stand in each other. What is deeper stands
// there as if its container were none.
const maxDepth = 12

func newBuilder(o Options) *builder {
	b := &builder{options: o, at: element(atom.Div), kind: atom.P}
	if base, err := url.Parse(o.Base); err == nil && base.Host != "" {
		b.base = base
	}
	return b
}

func element(kind atom.Atom) *html.Node {
	return &html.Node{Type: html.ElementNode, Data: kind.String(), DataAtom: kind}
}

func (b *builder) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		b.text(n.Data)
	case html.ElementNode:
		if !isHidden(n) {
			b.element(n)
		}
	}
}

func (b *builder) walkAll(n *html.Node) {
	for child := range n.ChildNodes() {
		b.walk(child)
	}
}

// isHidden reports whether an element is not to be read.
func isHidden(n *html.Node) bool {
	if page.IsCode(n.Data) {
		return true
	}
	for _, a := range n.Attr {
		if a.Key == "hidden" || a.Key == "style" && page.HidesByStyle(a.Val) {
			return true
		}
	}
	return false
}

func (b *builder) element(n *html.Node) {
	switch n.DataAtom {
	case atom.Br:
		b.lines++
	case atom.Img:
		b.picture(n)
	case atom.Hr:
		b.endLeaf()
		if !b.cell {
			b.place(element(atom.Hr))
		}
	case atom.Ul, atom.Ol, atom.Blockquote:
		b.container(n)
	case atom.Li:
		b.item(n)
	case atom.Table:
		b.table(n)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Pre:
		b.leafOf(n)
	default:
		b.other(n)
	}
}

// other walks through what is nothing but its content, and may mark it.
func (b *builder) other(n *html.Node) {
	if page.IsBlock(n.Data) || n.DataAtom == atom.Td || n.DataAtom == atom.Th {
		b.endLeaf()
		b.walkAll(n)
		b.endLeaf()
		return
	}
	m, ok := b.markOf(n)
	if ok {
		b.marks = append(b.marks, m)
	}
	b.walkAll(n)
	if ok {
		b.marks = b.marks[:len(b.marks)-1]
	}
}

// markOf returns what an element marks text with, if anything that it is not
// marked with already.
func (b *builder) markOf(n *html.Node) (mark, bool) {
	var m mark
	switch n.DataAtom {
	case atom.A:
		m = mark{atom.A, absolute(b.base, attribute(n, "href"))}
		if m.href == "" {
			return m, false
		}
	case atom.B, atom.Strong:
		m.kind = atom.Strong
	case atom.I, atom.Em:
		m.kind = atom.Em
	case atom.S, atom.Del, atom.Strike:
		m.kind = atom.Del
	case atom.Code, atom.Tt, atom.Kbd, atom.Samp:
		m.kind = atom.Code
	case atom.Sub, atom.Sup:
		m.kind = n.DataAtom
	default:
		return m, false
	}
	return m, !b.marked(m.kind)
}

func (b *builder) marked(kind atom.Atom) bool {
	return slices.ContainsFunc(b.marks, func(m mark) bool { return m.kind == kind })
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

// leafOf walks through a heading or preformatted text.
func (b *builder) leafOf(n *html.Node) {
	b.endLeaf()
	kind := n.DataAtom
	if kind == atom.H1 {
		kind = atom.H2 // the post's title is above
	}
	was := b.kind
	b.kind = kind
	b.walkAll(n)
	b.endLeaf()
	b.kind = was
}

// container walks through a list or quotation.
func (b *builder) container(n *html.Node) {
	b.endLeaf()
	if b.cell || b.kind != atom.P || b.depth == maxDepth {
		b.walkAll(n)
		b.endLeaf()
		return
	}
	c := element(n.DataAtom)
	if start, err := strconv.Atoi(attribute(n, "start")); n.DataAtom == atom.Ol && err == nil && start > 1 && start < 1e6 {
		c.Attr = []html.Attribute{{Key: "start", Val: strconv.Itoa(start)}}
	}
	b.place(c)
	b.within(c, n)
	if isList(c) {
		for li := range c.ChildNodes() {
			tighten(li)
		}
	}
}

// item walks through an item of a list.
func (b *builder) item(n *html.Node) {
	b.endLeaf()
	if !isList(b.at) || b.cell {
		b.walkAll(n)
		b.endLeaf()
		return
	}
	li := element(atom.Li)
	b.at.AppendChild(li)
	b.within(li, n)
}

// within walks through an element whose content belongs into a container, which
// goes if it stays empty.
func (b *builder) within(c, n *html.Node) {
	was := b.at
	b.at = c
	b.depth++
	b.walkAll(n)
	b.endLeaf()
	b.depth--
	b.at = was
	if c.FirstChild == nil {
		b.remove(c)
	}
}

// remove takes a block away, and the item that it was put into.
func (b *builder) remove(block *html.Node) {
	p := block.Parent
	p.RemoveChild(block)
	if p != b.at && p.FirstChild == nil {
		p.Parent.RemoveChild(p)
	}
}

// tighten puts the one paragraph of an item in the paragraph's place.
func tighten(li *html.Node) {
	p := li.FirstChild
	if p == nil || p.DataAtom != atom.P {
		return
	}
	for n := p.NextSibling; n != nil; n = n.NextSibling {
		if !isList(n) {
			return
		}
	}
	for p.LastChild != nil {
		last := p.LastChild
		p.RemoveChild(last)
		li.InsertBefore(last, li.FirstChild)
	}
	li.RemoveChild(p)
}

func isList(n *html.Node) bool { return n.DataAtom == atom.Ul || n.DataAtom == atom.Ol }

// place puts a block into the container that is open, in a list into an item of
// its own, or, if it is a list itself, into the one before it.
func (b *builder) place(block *html.Node) {
	to := b.at
	if isList(to) {
		li := to.LastChild
		if li == nil || !isList(block) {
			li = element(atom.Li)
			to.AppendChild(li)
		}
		to = li
	}
	to.AppendChild(block)
}

// picture puts a picture, or what stands for it, into the text.
func (b *builder) picture(n *html.Node) {
	src, alt := absolute(b.base, attribute(n, "src")), strings.Join(strings.Fields(attribute(n, "alt")), " ")
	switch {
	case !b.options.NoPictures && src != "":
		img := element(atom.Img)
		img.Attr = []html.Attribute{{Key: "src", Val: src}, {Key: "alt", Val: Clean(alt)}}
		b.ready().AppendChild(img)
		b.space = false
	case !b.options.NoPictures || src == "" && alt == "":
	case src == "" || b.marked(atom.A):
		b.text("[" + pictureName(alt) + "]")
	default:
		b.marks = append(b.marks, mark{atom.A, src})
		b.text("[" + pictureName(alt) + "]")
		b.marks = b.marks[:len(b.marks)-1]
	}
}

func pictureName(alt string) string {
	if alt == "" {
		return "图片"
	}
	return alt
}
