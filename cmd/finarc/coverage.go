package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/coverage"
	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

// coverageFlags are what the command line says of a matrix.
type coverageFlags struct {
	days     dayRange
	by       string
	csv, svg bool
	missing  bool
	parts    int
}

func (a *app) coverageCommand() *cobra.Command {
	var fl coverageFlags
	cmd := reports(&cobra.Command{
		Use:   "coverage",
		Short: "Say how complete the archive is, day by day",
		Long: `Say how complete the archive is: of each day, how many posts it holds, how many
posts are known by a link or a related report and not held, and how many such days
usually have. Beside them, the posts of each category, outlet or hour.

A day is compared with the same weekday eight weeks before and after, trading days of
the mainland exchanges with trading days, others with others. A gap is less than half
of that, and not by chance. Today, and the archive's first day, are not judged.

--missing lists the posts that are known and not held, one a line: infoCode, day,
whether it is gone (asked for, and no source has it) or was never seen, and why.
finarc backfill --codes takes such a list. Posts without an infoCode, which can only
be had from the mirror's own pages, are comments in it.`,
		Example: `  finarc coverage
  finarc coverage --from -30d --by hour
  finarc coverage --from 2021-12-01 --to 2021-12-31 --svg > december.svg
  finarc coverage --missing --from -7d`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exclusive(cmd, "json", "csv", "svg"); err != nil {
				return err
			}
			if err := exclusive(cmd, "missing", "csv", "svg"); err != nil {
				return err
			}
			if fl.parts < 0 {
				return usagef("--parts %d: want 0 (none) or more", fl.parts)
			}
			return a.coverage(cmd.Context(), &fl)
		},
	})
	f := cmd.Flags()
	fl.days.register(cmd, "of publication")
	f.StringVar(&fl.by, "by", string(archive.ByCategory), "tell posts apart by `PART` of the day: category, outlet or hour")
	f.BoolVar(&fl.csv, "csv", false, "write CSV, a line a day")
	f.BoolVar(&fl.svg, "svg", false, "write a heat map as SVG")
	f.BoolVar(&fl.missing, "missing", false, "list the posts that are known and not held")
	f.IntVar(&fl.parts, "parts", 20, "show the `N` parts with most posts; CSV and JSON have all")
	completeFlag(cmd, "by", func() []string {
		return []string{string(archive.ByCategory), string(archive.ByOutlet), string(archive.ByHour)}
	})
	completeFlag(cmd, "parts", noValues)
	return cmd
}

// coverage tells how complete the archive is.
func (a *app) coverage(ctx context.Context, fl *coverageFlags) error {
	from, to, err := fl.days.days(a.today())
	if err != nil {
		return err
	}
	switch archive.Part(fl.by) {
	case archive.ByCategory, archive.ByOutlet, archive.ByHour:
	default:
		return usagef("--by %s: want category, outlet or hour", fl.by)
	}
	c, err := a.config()
	if err != nil {
		return err
	}
	calendar, err := loadCalendar(c)
	if err != nil {
		return err
	}
	arc, err := archive.Open(ctx, c.Archive, a.archiveOptions()...)
	if err != nil {
		return err
	}
	if fl.missing {
		return a.listMissing(ctx, arc, from, to)
	}
	m, err := a.matrix(ctx, arc, calendar, archive.Part(fl.by), from, to)
	switch {
	case err != nil:
		return err
	case a.json:
		return a.writeJSON(m)
	case fl.csv:
		return m.WriteCSV(a.out)
	case fl.svg:
		return m.WriteSVG(a.out, fl.parts)
	}
	a.noteCalendar(calendar, m)
	return a.writeMatrix(m, fl.parts)
}

// matrix reads what the archive holds of some days, and of those to compare them
// with.
func (a *app) matrix(ctx context.Context, arc *archive.Archive, calendar *exchange.Calendar, by archive.Part, from, to news.Day) (*coverage.Matrix, error) {
	wideTo := news.Day(0)
	if to != 0 {
		wideTo = to.Add(coverage.Span)
	}
	tallies, err := arc.Tally(ctx, by, from.Add(-coverage.Span), wideTo)
	if err != nil {
		return nil, err
	}
	known, err := arc.Days(ctx, from, to)
	if err != nil {
		return nil, err
	}
	return coverage.New(coverage.Input{
		By: string(by), From: from, To: to, Today: a.today(), Tallies: tallies, Known: known,
		Calendar: calendar, Ordered: by == archive.ByHour,
	}), nil
}

// noteCalendar says where the calendar of trading days does not reach.
func (a *app) noteCalendar(calendar *exchange.Calendar, m *coverage.Matrix) {
	first, last := calendar.Span()
	for i := range m.Days {
		if d := m.Days[i].Day; d < first || d > last {
			fmt.Fprintf(a.err, "finarc: warning: the calendar of trading days is from %s to %s; beyond it, Monday to Friday are taken for trading days\n", first, last)
			return
		}
	}
}

// How many days people are told of.
const (
	coverageDays = 31
	heatDays     = 60
)

// writeMatrix tells people of a matrix: the last days, the parts as a heat map, and
// the gaps.
func (a *app) writeMatrix(m *coverage.Matrix, parts int) error {
	if len(m.Days) == 0 {
		_, err := fmt.Fprintln(a.out, "the archive holds no posts of these days, and knows of none")
		return err
	}
	rows := [][]string{{"", "posts", "usual", "held", "gone", "never seen", ""}}
	for _, d := range lastOf(m.Days, coverageDays) {
		rows = append(rows, dayRow(&d))
	}
	lines := aligned(rows)
	if n := len(m.Days) - coverageDays; n > 0 {
		lines = append([]string{fmt.Sprintf("… %s before: --json or --csv has all", plural(n, "day"))}, lines...)
	}
	lines = append(lines, heat(m, parts)...)
	_, err := fmt.Fprintln(a.out, strings.Join(lines, "\n"))
	return err
}

func lastOf[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// dayRow tells of a day.
func dayRow(d *coverage.Day) []string {
	usual, remark := "–", dayName(d)
	if d.Judged {
		usual = grouped(d.Usual)
	}
	if d.Gap {
		remark += "  gap"
	}
	if n := len(d.Gaps); n > 0 {
		remark += "  " + plural(n, "part") + " far below"
	}
	return []string{
		d.Day.String(), grouped(d.Posts), usual, fmt.Sprintf("%.1f %%", 100*d.Share()),
		grouped(d.Known.Gone), grouped(d.Known.NeverSeen), remark,
	}
}

// dayName tells what kind of day it is.
func dayName(d *coverage.Day) string {
	name := d.Day.Time().Weekday().String()[:3]
	switch {
	case d.Holiday != "":
		return name + " " + d.Holiday
	case !d.Trading && d.Day.Time().Weekday() != time.Saturday && d.Day.Time().Weekday() != time.Sunday:
		return name + " closed"
	}
	return name
}

// shades are of how full a cell is; a gap has its own sign.
var shades = []rune("·▁▂▃▄▅▆▇█")

const gapSign = '!'

// heat draws the parts with most posts, a line each and a sign a day.
func heat(m *coverage.Matrix, parts int) []string {
	parts = min(parts, len(m.Parts))
	if parts == 0 {
		return nil
	}
	days := lastOf(m.Days, heatDays)
	lines := []string{"", fmt.Sprintf("by %s, a sign a day from %s to %s (%c none, %c the most of its line, %c a gap)",
		m.By, days[0].Day, days[len(days)-1].Day, shades[0], shades[len(shades)-1], gapSign)}
	for p := range parts {
		lines = append(lines, heatLine(m, days, p))
	}
	if n := len(m.Parts) - parts; n > 0 {
		lines = append(lines, fmt.Sprintf("… and %s more: --parts %d shows all", grouped(n), len(m.Parts)))
	}
	return lines
}

// heatLine draws a part.
func heatLine(m *coverage.Matrix, days []coverage.Day, part int) string {
	most, total := 0, 0
	for i := range days {
		most, total = max(most, days[i].Cells[part]), total+days[i].Cells[part]
	}
	var line strings.Builder
	for i := range days {
		sign := shades[coverage.Level(days[i].Cells[part], most, len(shades)-1)]
		for _, g := range days[i].Gaps {
			if g.Part == m.Parts[part] {
				sign = gapSign
			}
		}
		line.WriteRune(sign)
	}
	return fmt.Sprintf("%s  %s  %s", pad(cut(printable(dash(m.Parts[part])), 24), 24), &line, grouped(total))
}

// missingPost is a post that is known and not held.
type missingPost struct {
	InfoCode news.InfoCode `json:"info_code,omitempty"`
	ID       news.ID       `json:"id"`
	Day      news.Day      `json:"day"`
	State    string        `json:"state"` // gone, or never seen
	Error    string        `json:"error,omitempty"`
	FoundOn  string        `json:"found_on,omitempty"`
}

// listMissing lists the posts of some days that are known and not held.
func (a *app) listMissing(ctx context.Context, arc *archive.Archive, from, to news.Day) error {
	days, err := arc.Days(ctx, from, to)
	if err != nil {
		return err
	}
	for _, d := range days {
		for _, of := range []struct {
			state string
			posts func(context.Context, news.Day, news.ID, int) ([]news.Wanted, error)
		}{{"gone", arc.GoneOn}, {"never seen", arc.KnownOn}} {
			if err := a.listMissingOn(ctx, d.Day, of.state, of.posts); err != nil {
				return err
			}
		}
	}
	return nil
}

// missingAtOnce is how many of them are read at once.
const missingAtOnce = 500

func (a *app) listMissingOn(ctx context.Context, d news.Day, state string, posts func(context.Context, news.Day, news.ID, int) ([]news.Wanted, error)) error {
	for after := news.ID(""); ; {
		some, err := posts(ctx, d, after, missingAtOnce)
		if err != nil || len(some) == 0 {
			return err
		}
		for i := range some {
			after = some[i].ID
			if err := a.tellMissing(&some[i], d, state); err != nil {
				return err
			}
		}
	}
}

func (a *app) tellMissing(w *news.Wanted, d news.Day, state string) error {
	p := missingPost{InfoCode: w.InfoCode, ID: w.ID, Day: d, State: state, Error: w.Error, FoundOn: w.FoundOn}
	if a.json {
		return a.writeJSON(p)
	}
	name := string(p.InfoCode)
	if name == "" { // a comment to backfill --codes, which cannot ask for it
		name = "# " + string(p.ID)
	}
	_, err := fmt.Fprintf(a.out, "%s  # %s %s  %s\n", pad(name, 20), d, state, printable(p.Error))
	return err
}
