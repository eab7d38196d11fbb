package coverage_test

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/coverage"
	"github.com/finarc/finarc/news"
)

// calendar has the named days as holidays.
type calendar map[news.Day]string

func (c calendar) Trading(d news.Day) (trading, known bool) {
	w := d.Time().Weekday()
	return w != time.Saturday && w != time.Sunday && c[d] == "", true
}

func (c calendar) Holiday(d news.Day) string { return c[d] }

// weeks returns some weeks of posts: so many on a trading day, a tenth on others,
// and half of them of the part b.
func weeks(from news.Day, n int, holidays calendar) []news.Tally {
	var list []news.Tally
	for i := range 7 * n {
		d, posts := from.Add(i), 1000
		if trading, _ := holidays.Trading(d); !trading {
			posts = 100
		}
		list = append(list, news.Tally{Day: d, Name: "a", Posts: posts / 2}, news.Tally{Day: d, Name: "b", Posts: posts / 2})
	}
	return list
}

// set puts the posts of a part of a day right; an empty name is all parts.
func set(list []news.Tally, d news.Day, name string, posts int) {
	for i := range list {
		if list[i].Day == d && (name == "" || list[i].Name == name) {
			list[i].Posts = posts
		}
	}
}

func TestGaps(t *testing.T) {
	holidays := calendar{20211220: "假日", 20211221: "假日"}
	tallies := weeks(20211101, 9, holidays)
	set(tallies, 20211201, "", 0)   // a Wednesday without any post
	set(tallies, 20211202, "b", 0)  // a Thursday without one part
	set(tallies, 20211203, "", 260) // a Friday with half, and some more
	set(tallies, 20211204, "", 2)   // a Saturday
	set(tallies, 20211101, "", 10)  // the archive's first day
	set(tallies, 20211222, "", 10)  // today
	in := coverage.Input{By: "category", From: 20211101, To: 20211222, Today: 20211222, Tallies: tallies, Calendar: holidays}
	m := coverage.New(in)
	var gaps, parts []string
	for _, d := range m.Days {
		if d.Gap {
			gaps = append(gaps, d.Day.String())
		}
		for _, g := range d.Gaps {
			parts = append(parts, d.Day.String()+" "+g.Part)
		}
	}
	if want := []string{"2021-12-01", "2021-12-04"}; !slices.Equal(gaps, want) {
		t.Errorf("gaps %v, want %v", gaps, want)
	}
	want := []string{"2021-12-01 a", "2021-12-01 b", "2021-12-02 b", "2021-12-04 a", "2021-12-04 b"}
	if !slices.Equal(parts, want) {
		t.Errorf("gaps of parts %v, want %v", parts, want)
	}
	for _, d := range m.Days {
		judged := d.Day != 20211101 && d.Day != 20211222
		if d.Judged != judged {
			t.Errorf("%s: judged %v", d.Day, d.Judged)
		}
		if d.Day == 20211220 && (d.Usual != 100 || d.Trading || d.Holiday != "假日") {
			t.Errorf("the holiday: %+v", d)
		}
	}
}

// Days that have nothing at all are told too; and without a range, all of which
// anything is known.
func TestSpan(t *testing.T) {
	in := coverage.Input{
		By: "hour", Ordered: true, Calendar: calendar{},
		Tallies: []news.Tally{{Day: 20211220, Name: "09", Posts: 1}, {Day: 20211223, Name: "08", Posts: 2}},
		Known:   []news.DayStanding{{Day: 20211225, Archived: 1, Gone: 2, NeverSeen: 1}},
	}
	m := coverage.New(in)
	if len(m.Days) != 6 || m.Days[0].Day != 20211220 || m.Days[1].Posts != 0 || !slices.Equal(m.Parts, []string{"08", "09"}) {
		t.Errorf("%+v", m)
	}
	if share := m.Days[5].Share(); share != 0.25 {
		t.Errorf("share %v", share)
	}
	in.From, in.To = 20211222, 20211223
	if m := coverage.New(in); len(m.Days) != 2 || m.Days[1].Posts != 2 || !slices.Equal(m.Parts, []string{"08"}) {
		t.Errorf("%+v", m)
	}
	if m := coverage.New(coverage.Input{Calendar: calendar{}}); len(m.Days) != 0 || m.Days == nil {
		t.Errorf("of nothing: %+v", m)
	}
}

// TestSpanIsBounded: neither a range of all time nor a post with a date years ahead
// makes a matrix of all the years between.
func TestSpanIsBounded(t *testing.T) {
	in := coverage.Input{
		Calendar: calendar{}, Today: 20211224,
		Tallies: []news.Tally{{Day: 20211220, Posts: 1}, {Day: 20211223, Posts: 2}},
	}
	ahead := []news.DayStanding{{Day: 20261224, NeverSeen: 1}}
	for _, c := range []struct {
		known             []news.DayStanding
		from, to          news.Day
		wantFrom, wantEnd news.Day
	}{
		{nil, 0, 0, 20211220, 20211223},
		{nil, 20211220, 20991231, 20211220, 20211224},
		{nil, 10101, 99991231, 19900101, 20211224},
		{ahead, 0, 0, 20211220, 20211224},
		{ahead, 20261220, 0, 20261220, 20261220},
		{ahead, 20261220, 20991231, 20261220, 20261224},
	} {
		in.Known, in.From, in.To = c.known, c.from, c.to
		days := coverage.New(in).Days
		if len(days) == 0 || days[0].Day != c.wantFrom || days[len(days)-1].Day != c.wantEnd {
			t.Errorf("%s to %s: %d days, want %s to %s", c.from, c.to, len(days), c.wantFrom, c.wantEnd)
		}
	}
	in.Known, in.From, in.To = nil, 20220101, 20991231
	if days := coverage.New(in).Days; len(days) != 0 {
		t.Errorf("days to come: %d days", len(days))
	}
}

// TestAtMost: the probability is the sum of those of a Poisson process.
func TestAtMost(t *testing.T) {
	for _, mean := range []float64{0.5, 3, 20, 700} {
		sum, p := 0.0, math.Exp(-mean)
		for n := range 60 {
			sum += p
			p *= mean / float64(n+1)
			if got := coverage.AtMost(n, mean); math.Abs(got-sum) > 1e-9 {
				t.Errorf("at most %d of %v: %v, want %v", n, mean, got, sum)
			}
		}
	}
	if p := coverage.AtMost(0, 100_000); p != 0 {
		t.Errorf("none of 100,000: %v", p)
	}
}

// What is written is well-formed, whatever the parts are called.
func TestWrite(t *testing.T) {
	tallies := []news.Tally{{Day: 20211220, Name: `<b>"&,` + "\n", Posts: 3}, {Day: 20211221, Name: "", Posts: 2}}
	m := coverage.New(coverage.Input{By: "category", Tallies: tallies, Calendar: calendar{}})
	var sheet, drawing strings.Builder
	if err := errors.Join(m.WriteCSV(&sheet), m.WriteSVG(&drawing, 10)); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(sheet.String())).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][0] != "2021-12-20" || rows[1][9] != "3" || rows[0][9] != "category:"+tallies[0].Name {
		t.Errorf("%q, %v", rows, err)
	}
	cells := 0
	for d := xml.NewDecoder(strings.NewReader(drawing.String())); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "rect" {
			cells++
		}
	}
	if cells != 2*3 {
		t.Errorf("%d cells", cells)
	}
}

func TestLevel(t *testing.T) {
	for _, c := range []struct{ n, most, want int }{{0, 9, 0}, {1, 100, 1}, {50, 100, 3}, {100, 100, 5}, {1, 1, 5}, {3, 0, 0}} {
		if got := coverage.Level(c.n, c.most, 5); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.n, c.most, got, c.want)
		}
	}
}
