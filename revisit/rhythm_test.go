package revisit_test

import (
	"math"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/revisit"
)

// counted returns how many posts there were in each hour of so many days up to
// noon.
func counted(days int, posts func(at time.Time) int) (counts []news.HourCount) {
	for at := noon.AddDate(0, 0, -days); at.Before(noon); at = at.Add(time.Hour) {
		if n := posts(at); n > 0 {
			counts = append(counts, news.HourCount{Hour: at, Posts: n})
		}
	}
	return counts
}

func near(got, want, by float64) bool { return math.Abs(got-want) <= by }

// busy is ten times as much by day as by night, and nothing at weekends.
func busy(at time.Time) int {
	switch {
	case !revisit.Weekdays(news.DayOf(at)):
		return 0
	case at.Hour() >= 8 && at.Hour() < 20:
		return 100
	}
	return 10
}

func TestRhythm(t *testing.T) {
	day, night, sunday := noon, noon.Add(12*time.Hour), noon.AddDate(0, 0, 4)
	hour := func(r *revisit.Rhythm, at time.Time) float64 { return r.Hours(at, at.Add(time.Hour)) }
	if r := revisit.NewRhythm(nil, noon, revisit.Weekdays); !near(hour(r, day), 1, 1e-9) || !near(hour(r, sunday), 1, 1e-9) {
		t.Errorf("nothing is known, and an hour counts as %v or %v", hour(r, day), hour(r, sunday))
	}
	long := revisit.NewRhythm(counted(28, busy), noon, revisit.Weekdays)
	if d, n, s := hour(long, day), hour(long, night), hour(long, sunday); d < 5*n || s > n+0.4 || s > d/4 {
		t.Errorf("after four weeks an hour of the day counts as %v, of the night as %v, of a Sunday as %v", d, n, s)
	}
	short := revisit.NewRhythm(counted(1, busy), noon, revisit.Weekdays)
	if d, n := hour(short, day), hour(short, night); d > 3*n || d < n {
		t.Errorf("after one day an hour of the day counts as %v, of the night as %v: more than the data bear", d, n)
	}
}

// TestRhythmHolidays: whether there is trading is told by whoever knows.
func TestRhythmHolidays(t *testing.T) {
	holiday := func(d news.Day) bool { return revisit.Weekdays(d) && d != 20211223 }
	r := revisit.NewRhythm(counted(28, busy), noon, holiday)
	if h, d := r.Hours(noon.AddDate(0, 0, 1), noon.Add(25*time.Hour)), r.Hours(noon, noon.Add(time.Hour)); h > d/4 {
		t.Errorf("an hour of a holiday counts as %v, of a trading day as %v", h, d)
	}
}

func TestHours(t *testing.T) {
	r := revisit.NewRhythm(counted(28, busy), noon, revisit.Weekdays)
	from := noon.Add(17 * time.Minute)
	if got := r.Hours(from, from); got != 0 {
		t.Errorf("no time is %v hours", got)
	}
	if got := r.Hours(from, from.Add(-time.Hour)); got != 0 {
		t.Errorf("a time that ends before it begins is %v hours", got)
	}
	for _, d := range []time.Duration{time.Second, 43 * time.Minute, 44 * time.Minute, 5 * time.Hour, 100 * time.Hour} {
		half := from.Add(d / 2)
		if whole, sum := r.Hours(from, from.Add(d)), r.Hours(from, half)+r.Hours(half, from.Add(d)); !near(whole, sum, 1e-9) || whole <= 0 {
			t.Errorf("%v are %v hours, in two parts %v", d, whole, sum)
		}
	}
	if week := r.Hours(noon, noon.AddDate(0, 0, 7)); !near(week, 7*24, 20) {
		t.Errorf("a week is %v usual hours", week)
	}
}
