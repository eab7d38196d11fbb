package article

import (
	"slices"
	"strconv"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxSpan bounds how many columns or rows a cell takes.
const maxSpan = 100

// table walks through a table: of data, whose cells hold lines of text, or one that
// lays out blocks, which counts as no table.
func (b *builder) table(n *html.Node) {
	b.endLeaf()
	rows := rowsOf(n)
	if b.cell || b.kind != atom.P || !isData(rows) {
		b.walkAll(n)
		b.endLeaf()
		return
	}
	for child := range n.ChildNodes() {
		if child.DataAtom == atom.Caption {
			b.walk(child)
		}
	}
	table := element(atom.Table)
	b.place(table)
	body := element(atom.Tbody)
	table.AppendChild(body)
	for _, row := range rows {
		b.row(body, row)
	}
}

// row walks through a row.
func (b *builder) row(body, row *html.Node) {
	tr := element(atom.Tr)
	body.AppendChild(tr)
	for cell := range row.ChildNodes() {
		if !isCell(cell) {
			continue
		}
		b.leaf = element(cell.DataAtom)
		b.leaf.Attr = spans(cell)
		tr.AppendChild(b.leaf)
		b.cell, b.lines = true, 0
		if !isHidden(cell) {
			b.walkAll(cell)
		}
		b.closeLeaf()
		b.cell, b.lines = false, 0
	}
}

// spans returns the attributes that tell how many columns and rows a cell takes.
func spans(cell *html.Node) []html.Attribute {
	var list []html.Attribute
	for _, key := range []string{"colspan", "rowspan"} {
		if n, err := strconv.Atoi(attribute(cell, key)); err == nil && n > 1 && n <= maxSpan {
			list = append(list, html.Attribute{Key: key, Val: strconv.Itoa(n)})
		}
	}
	return list
}

// rowsOf returns the rows of a table that hold cells, those of tables within it
// not included.
func rowsOf(table *html.Node) []*html.Node {
	var rows []*html.Node
	for part := range table.ChildNodes() {
		switch part.DataAtom {
		case atom.Thead, atom.Tbody, atom.Tfoot:
			for row := range part.ChildNodes() {
				if row.DataAtom == atom.Tr && cells(row) > 0 && !isHidden(part) && !isHidden(row) {
					rows = append(rows, row)
				}
			}
		}
	}
	return rows
}

func isCell(n *html.Node) bool { return n.DataAtom == atom.Td || n.DataAtom == atom.Th }

func cells(row *html.Node) int {
	n := 0
	for child := range row.ChildNodes() {
		if isCell(child) {
			n++
		}
	}
	return n
}

// isData reports whether rows are of data: in more than one column, and without
// blocks in them that are more than lines of text.
func isData(rows []*html.Node) bool {
	if !slices.ContainsFunc(rows, func(row *html.Node) bool { return cells(row) > 1 }) {
		return false
	}
	return !slices.ContainsFunc(rows, func(row *html.Node) bool {
		for n := range row.Descendants() {
			switch n.DataAtom {
			case atom.Table, atom.Ul, atom.Ol, atom.Blockquote, atom.Pre, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
				return true
			}
		}
		return false
	})
}
