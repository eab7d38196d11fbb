package web

import (
	"strconv"
)

// chart is a bar chart, as its template draws it: of a width of 100 and a height of
// 100 parts.
type chart struct {
	Title string
	Bars  []bar
	Most  int
}

// Last is what the last bar stands for.
func (c *chart) Last() string { return c.Bars[len(c.Bars)-1].Label }

// bar is a bar of a chart.
type bar struct {
	X, Y, Width, Height string
	Label               string // what it stands for
	Posts               int
	Href                string // what it leads to; empty: nowhere
}

// chartHeight and chartWidth are those of a chart, in its own parts.
const (
	chartWidth  = 1000.0
	chartHeight = 160.0
)

// newChart draws counts beside each other, each as high as it is beside the most.
func newChart(title string, bars []bar) *chart {
	c := &chart{Title: title, Bars: bars}
	for _, b := range bars {
		c.Most = max(c.Most, b.Posts)
	}
	step := chartWidth / float64(max(1, len(bars)))
	for i := range bars {
		height := 0.0
		if c.Most > 0 {
			height = chartHeight * float64(bars[i].Posts) / float64(c.Most)
		}
		bars[i].X, bars[i].Width = decimal(step*float64(i)+step/10), decimal(step*0.8)
		bars[i].Y, bars[i].Height = decimal(chartHeight-height), decimal(height)
	}
	return c
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
