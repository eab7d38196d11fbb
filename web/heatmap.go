package web

import (
	"fmt"
	"time"

	"github.com/finarc/finarc/coverage"
	"github.com/finarc/finarc/news"
)

// heatMap is days as cells of a drawing: a column for each week, from Monday down to
// Sunday. Each day of which something can be held leads to its page.
type heatMap struct {
	Width, Height int
	Weekdays      []mapLabel
	Months        []mapLabel // above the week that a month begins in
	Cells         []mapCell
	Most          int // posts of a day of the darkest cells
}

// mapLabel is a text beside the cells.
type mapLabel struct {
	X, Y int
	Text string
}

// mapCell is a day of a heat map.
type mapCell struct {
	X, Y         int // its upper left corner
	TextX, TextY int // the middle of its text
	Day          news.Day
	Held         bool // the archive tells of the day; otherwise it is left empty
	Level        int  // 0 (no posts) to heatLevels
	Gap          bool
	Label        string // what it says of the day
}

// Of tells which day of its month the cell is.
func (c *mapCell) Of() int { return c.Day.Time().Day() }

// What a heat map measures, in its own parts.
const (
	mapSide = 26 // of a cell
	mapStep = 28 // from a cell to the next
	mapLeft = 34 // of the first week
	mapTop  = 20 // of Monday
	week    = 7  // days
)

// Size is the side of a cell.
func (*heatMap) Size() int { return mapSide }

// Levels are all that cells can have, for the legend.
func (*heatMap) Levels() []int {
	levels := make([]int, heatLevels+1)
	for i := range levels {
		levels[i] = i
	}
	return levels
}

// newHeatMap draws weeks of days, which begin on the Monday first. Days that the
// matrix does not have are left empty; say tells of one that it has.
func newHeatMap(m *coverage.Matrix, first news.Day, weeks int, weekday func(news.Day) string, say func(*coverage.Day) string) *heatMap {
	h := &heatMap{Width: mapLeft + weeks*mapStep, Height: mapTop + week*mapStep}
	for i := range m.Days {
		h.Most = max(h.Most, m.Days[i].Posts)
	}
	held := make(map[news.Day]*coverage.Day)
	for i := range m.Days {
		held[m.Days[i].Day] = &m.Days[i]
	}
	for row := range week {
		_, y := middleOf(0, row)
		h.Weekdays = append(h.Weekdays, mapLabel{0, y, weekday(first.Add(row))})
	}
	for column := range weeks {
		monday := first.Add(column * week)
		if name := monthAt(monday, column); name != "" {
			h.Months = append(h.Months, mapLabel{mapLeft + column*mapStep, mapTop / 2, name})
		}
		for row := range week {
			h.Cells = append(h.Cells, h.cell(column, row, monday.Add(row), held[monday.Add(row)], say))
		}
	}
	return h
}

// cell draws a day; d is nil where nothing is told of it.
func (h *heatMap) cell(column, row int, day news.Day, d *coverage.Day, say func(*coverage.Day) string) mapCell {
	c := mapCell{X: mapLeft + column*mapStep, Y: mapTop + row*mapStep, Day: day}
	c.TextX, c.TextY = middleOf(column, row)
	if d != nil {
		c.Held, c.Gap, c.Level, c.Label = true, d.Gap, coverage.Level(d.Posts, h.Most, heatLevels), say(d)
	}
	return c
}

// middleOf returns the middle of a cell.
func middleOf(column, row int) (x, y int) {
	return mapLeft + column*mapStep + mapSide/2, mapTop + row*mapStep + mapSide/2
}

// monthAt returns what stands above a week: the month that begins in it. Above the
// first week stands the one that it is in, unless the next begins in the second.
func monthAt(monday news.Day, column int) string {
	sunday, next := monday.Add(week-1).Time(), monday.Add(2*week-1).Time()
	if sunday.Day() <= week || column == 0 && next.Month() == sunday.Month() {
		return sunday.Format("2006-01")
	}
	return ""
}

// mondayOf returns the Monday of a day's week.
func mondayOf(d news.Day) news.Day {
	return d.Add(-int(d.Time().Weekday()-time.Monday+week) % week)
}

// sayDay tells of a day what its cell shows, in words.
func (r *request) sayDay(d *coverage.Day) string {
	text := fmt.Sprintf("%s %s", d.Day, r.weekday(d.Day))
	if d.Holiday != "" {
		text += " " + d.Holiday
	}
	text += r.say(msgHeatPosts, d.Posts)
	if d.Judged {
		text += r.say(msgHeatUsual, d.Usual)
	}
	if d.Gap {
		text += r.say(msgHeatGap)
	}
	return text
}
