package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/coverage"
	"github.com/finarc/finarc/news"
)

// coveragePage is how complete the archive is, as a heat map.
type coveragePage struct {
	By     string
	Detail bool // the parts were asked for
	Bys    []waysBy
	Map    *heatMap
	Parts  []string
	Days   []coverageDay // the newest first
	Before string        // the address of the days before; empty: there are none
	After  string        // of those after
	Gaps   int
}

// waysBy is a way to part a day, and the address of the page with it.
type waysBy struct{ By, Href string }

// Name names what the parts of a day are.
func (w waysBy) Name() message { return message("by " + w.By) }

// coverageDay is a row of the table.
type coverageDay struct {
	coverage.Day
	Level int
	Heat  []heat
}

// heat is a cell of the table.
type heat struct {
	Part  string
	Posts int
	Level int // 0 (none) to heatLevels
	Gap   bool
}

// Bounds of the heat map and the table.
const (
	heatWeeks  = 13
	heatDays   = heatWeeks * week
	heatParts  = 24
	heatLevels = 8
)

// coverageFresh is for how long the counts are as good as new: they take a walk
// through an index.
const coverageFresh = 2 * time.Minute

func (s *Server) coverage(r *request) (*document, error) {
	query := r.URL.Query()
	p := &coveragePage{By: cmp.Or(query.Get("by"), string(archive.ByHour)), Detail: query.Has("by")}
	for _, by := range []archive.Part{archive.ByHour, archive.ByCategory, archive.ByOutlet} {
		p.Bys = append(p.Bys, waysBy{string(by), r.with("by", string(by))})
	}
	if !slices.ContainsFunc(p.Bys, func(w waysBy) bool { return w.By == p.By }) {
		return nil, bad(fmt.Errorf("by=%q: want hour, category or outlet", p.By))
	}
	to, err := s.lastDay(r.Context(), query.Get("to"))
	if err != nil {
		return nil, err
	}
	h, err := s.health(r.Context())
	if err != nil {
		return nil, err
	}
	first := mondayOf(to).Add(-(heatWeeks - 1) * week)
	from := max(first, min(to, h.Stats.First))
	m, err := s.matrix(r.Context(), archive.Part(p.By), from, to)
	if err != nil {
		return nil, err
	}
	p.fill(m)
	p.Map = newHeatMap(m, first, heatWeeks, r.weekday, r.sayDay)
	if h.Stats.First != 0 && h.Stats.First < from {
		p.Before = r.with("to", from.Add(-1).String())
	}
	if query.Get("to") != "" && to < h.Stats.Last {
		p.After = r.with("to", min(to.Add(heatDays), h.Stats.Last).String())
	}
	return &document{template: "coverage", title: r.say(msgCoverage), data: p}, nil
}

// lastDay returns the last day of the heat map: the one that is asked for, or else
// that of the newest post.
func (s *Server) lastDay(ctx context.Context, text string) (news.Day, error) {
	if text == "" {
		return s.newestDay(ctx)
	}
	return parseDay(text)
}

// matrix counts and judges some days.
func (s *Server) matrix(ctx context.Context, by archive.Part, from, to news.Day) (*coverage.Matrix, error) {
	return part(s, fmt.Sprintf("coverage %s %s %s", by, from, to), coverageFresh, func() (*coverage.Matrix, int64, error) {
		tallies, err := s.Store.Tally(ctx, by, from.Add(-coverage.Span), to.Add(coverage.Span))
		if err != nil {
			return nil, 0, err
		}
		known, err := s.Store.Days(ctx, from, to)
		if err != nil {
			return nil, 0, err
		}
		m := coverage.New(coverage.Input{
			By: string(by), From: from, To: to, Today: news.DayOf(s.Now()), Tallies: tallies, Known: known,
			Calendar: s.Calendar, Ordered: by == archive.ByHour,
		})
		return m, int64(len(m.Days) * (256 + 8*len(m.Parts))), nil
	})
}

// fill takes the table out of a matrix.
func (p *coveragePage) fill(m *coverage.Matrix) {
	p.Parts = firstOf(m.Parts, heatParts)
	most := make([]int, len(p.Parts))
	all := 0
	byHour := m.By == string(archive.ByHour) // then all cells are of a kind
	for i := range m.Days {
		all = max(all, m.Days[i].Posts)
		for part := range p.Parts {
			most[part] = max(most[part], m.Days[i].Cells[part])
		}
	}
	if byHour && len(most) > 0 {
		most = slices.Repeat([]int{slices.Max(most)}, len(most))
	}
	for _, d := range slices.Backward(m.Days) {
		row := coverageDay{Day: d, Level: coverage.Level(d.Posts, all, heatLevels)}
		if d.Gap {
			p.Gaps++
		}
		for part, name := range p.Parts {
			row.Heat = append(row.Heat, heat{
				Part: name, Posts: d.Cells[part], Level: coverage.Level(d.Cells[part], most[part], heatLevels),
				Gap: slices.ContainsFunc(d.Gaps, func(g coverage.PartGap) bool { return g.Part == name }),
			})
		}
		p.Days = append(p.Days, row)
	}
}

// Percent is the share of the day's known posts that is held; a dash where none is
// known.
func (d *coverageDay) Percent() string {
	if d.Known.Known() == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*d.Share())
}
