package coverage

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes the matrix as CSV (RFC 4180), a line a day: what is told of the
// day, and the posts of each part.
func (m *Matrix) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	head := []string{"day", "trading", "holiday", "posts", "usual", "gap", "archived", "gone", "never_seen"}
	for _, p := range m.Parts {
		head = append(head, m.By+":"+p)
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for i := range m.Days {
		if err := c.Write(m.Days[i].fields()); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// fields are a day's in CSV. What is usual is left empty where that is not known.
func (d *Day) fields() []string {
	usual, gap := "", ""
	if d.Judged {
		usual, gap = strconv.Itoa(d.Usual), strconv.FormatBool(d.Gap)
	}
	fields := []string{
		d.Day.String(), strconv.FormatBool(d.Trading), d.Holiday, strconv.Itoa(d.Posts), usual, gap,
		strconv.Itoa(d.Known.Archived), strconv.Itoa(d.Known.Gone), strconv.Itoa(d.Known.NeverSeen),
	}
	for _, n := range d.Cells {
		fields = append(fields, strconv.Itoa(n))
	}
	return fields
}

// Measures of the heat map, in pixels.
const (
	cellSize  = 12
	cellSpace = 2
	labelSize = 180
	headSize  = 64
)

// style is the heat map's own: it stands alone, in light and in dark.
const style = `
text { font: 10px system-ui, "Noto Sans CJK SC", sans-serif; fill: #333 }
.l0 { fill: #eee } .l1 { fill: #d0e6f7 } .l2 { fill: #9ac7ec } .l3 { fill: #5aa0d8 } .l4 { fill: #2b74b8 } .l5 { fill: #124a80 }
.gap { stroke: #d33; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  svg { background: #111 } text { fill: #ccc }
  .l0 { fill: #222 } .l1 { fill: #163049 } .l2 { fill: #1f5180 } .l3 { fill: #2f7ac0 } .l4 { fill: #6aaee6 } .l5 { fill: #c2e1fa }
}
`

// WriteSVG writes the matrix as a heat map: a column a day, and a row for all and
// for each of the first parts. How dark a cell is tells how many posts it has
// beside the fullest of its row; gaps have a red frame.
func (m *Matrix) WriteSVG(w io.Writer, parts int) error {
	parts = min(parts, len(m.Parts))
	width, height := labelSize+len(m.Days)*(cellSize+cellSpace), headSize+(parts+1)*(cellSize+cellSpace)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`, width, height, width, height)
	fmt.Fprintf(&b, "<title>Posts a day by %s</title><style>%s</style>\n", escape(m.By), style)
	for i := range m.Days {
		if d := m.Days[i].Day; i == 0 || int(d)%100 == 1 || int(d)%7 == 0 && len(m.Days) < 40 {
			x := labelSize + i*(cellSize+cellSpace) + cellSize/2
			fmt.Fprintf(&b, `<text x="%d" y="%d" transform="rotate(-60 %d %d)">%s</text>`+"\n", x, headSize-4, x, headSize-4, d)
		}
	}
	m.row(&b, 0, "all", func(d *Day) (int, bool) { return d.Posts, d.Gap })
	for p := range parts {
		m.row(&b, p+1, m.Parts[p], func(d *Day) (int, bool) { return d.Cells[p], d.lacks(m.Parts[p]) })
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// row writes a row of the heat map.
func (m *Matrix) row(b *strings.Builder, row int, name string, of func(*Day) (posts int, gap bool)) {
	most := 1
	for i := range m.Days {
		n, _ := of(&m.Days[i])
		most = max(most, n)
	}
	if name == "" {
		name = "–"
	}
	y := headSize + row*(cellSize+cellSpace)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelSize-6, y+cellSize-2, escape(name))
	for i := range m.Days {
		n, gap := of(&m.Days[i])
		class := "l" + strconv.Itoa(Level(n, most, 5))
		if gap {
			class += " gap"
		}
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d"><title>%s, %s: %d</title></rect>`+"\n",
			class, labelSize+i*(cellSize+cellSpace), y, cellSize, cellSize, m.Days[i].Day, escape(name), n)
	}
}

// lacks reports whether a part of the day is a gap.
func (d *Day) lacks(part string) bool {
	for _, g := range d.Gaps {
		if g.Part == part {
			return true
		}
	}
	return false
}

// Level returns how full a cell is beside the fullest, from 0, which is only for
// none, to levels.
func Level(n, most, levels int) int {
	if n <= 0 || most <= 0 {
		return 0
	}
	return 1 + min(levels-1, (n*levels-1)/most)
}

// escape returns text as it may stand in XML.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
