package schedule_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/schedule"
)

// at returns a moment in Shanghai.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	when, err := time.ParseInLocation(time.DateTime, text, news.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func parse(t testing.TB, exprs ...string) schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse(exprs...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		exprs []string
		after string
		want  []string
	}{
		{[]string{"*/5 * * * *"}, "2021-12-22 10:37:15", []string{"2021-12-22 10:40:00", "2021-12-22 10:45:00"}},
		{[]string{"*/5 * * * *"}, "2021-12-22 10:40:00", []string{"2021-12-22 10:45:00"}},
		{[]string{"0,30 9-11 * * *"}, "2021-12-22 11:00:00", []string{"2021-12-22 11:30:00", "2021-12-23 09:00:00"}},
		{[]string{"1-10/4 8 * * *"}, "2021-12-22 08:00:00", []string{"2021-12-22 08:01:00", "2021-12-22 08:05:00", "2021-12-22 08:09:00", "2021-12-23 08:01:00"}},
		{[]string{"0 22-1 * * *"}, "2021-12-22 22:30:00", []string{"2021-12-22 23:00:00", "2021-12-23 00:00:00", "2021-12-23 01:00:00", "2021-12-23 22:00:00"}},
		{[]string{"59 23 31 12 *"}, "2021-12-31 23:59:00", []string{"2022-12-31 23:59:00"}},
		// Names, and Sunday as 0 and as 7.
		{[]string{"0 9 * Jan-MAR MON"}, "2021-12-22 10:37:15", []string{"2022-01-03 09:00:00"}},
		{[]string{"0 9 * * THU"}, "2021-12-22 10:37:15", []string{"2021-12-23 09:00:00", "2021-12-30 09:00:00"}},
		{[]string{"0 9 * * 7"}, "2021-12-22 10:37:15", []string{"2021-12-26 09:00:00"}},
		{[]string{"0 9 * * 0"}, "2021-12-22 10:37:15", []string{"2021-12-26 09:00:00"}},
		{[]string{"0 9 * * fri-mon"}, "2021-12-22 10:37:15", []string{"2021-12-24 09:00:00", "2021-12-25 09:00:00", "2021-12-26 09:00:00", "2021-12-27 09:00:00", "2021-12-31 09:00:00"}},
		// Month ends and leap days.
		{[]string{"0 0 31 * *"}, "2022-01-31 00:00:00", []string{"2022-03-31 00:00:00", "2022-05-31 00:00:00"}},
		{[]string{"0 0 29 2 *"}, "2021-12-22 00:00:00", []string{"2024-02-29 00:00:00", "2028-02-29 00:00:00"}},
		{[]string{"0 0 29 2 *"}, "2096-02-29 00:00:00", []string{"2104-02-29 00:00:00"}},
		// One kind of day or the other, where both are restricted.
		{[]string{"0 0 1 * mon"}, "2022-01-01 00:00:00", []string{"2022-01-03 00:00:00", "2022-01-10 00:00:00", "2022-01-17 00:00:00", "2022-01-24 00:00:00", "2022-01-31 00:00:00", "2022-02-01 00:00:00"}},
		// Words.
		{[]string{"@hourly"}, "2021-12-22 10:37:15", []string{"2021-12-22 11:00:00"}},
		{[]string{"@daily"}, "2021-12-22 10:37:15", []string{"2021-12-23 00:00:00"}},
		{[]string{"@midnight"}, "2021-12-22 10:37:15", []string{"2021-12-23 00:00:00"}},
		{[]string{"@weekly"}, "2021-12-22 10:37:15", []string{"2021-12-26 00:00:00"}},
		{[]string{"@Monthly"}, "2021-12-22 10:37:15", []string{"2022-01-01 00:00:00"}},
		{[]string{"@yearly"}, "2021-12-22 10:37:15", []string{"2022-01-01 00:00:00"}},
		{[]string{"@every 1h30m"}, "2021-12-22 10:37:15", []string{"2021-12-22 12:07:15", "2021-12-22 13:37:15"}},
		{[]string{" @EVERY  90s "}, "2021-12-22 10:37:15", []string{"2021-12-22 10:38:45"}},
		// Whichever comes first.
		{[]string{"0 9 * * *", "*/20 10 * * *"}, "2021-12-22 10:37:15", []string{"2021-12-22 10:40:00", "2021-12-23 09:00:00", "2021-12-23 10:00:00"}},
		{nil, "2021-12-22 10:37:15", []string{"0001-01-01 00:00:00"}},
	} {
		s := parse(t, c.exprs...)
		now := at(t, c.after)
		for _, want := range c.want {
			now = s.Next(now)
			if got := now.Format(time.DateTime); got != want {
				t.Errorf("%s after %s: got %s, want %s", s, c.after, got, want)
			}
		}
	}
}

// Wherever the machine stands, and whatever its clock does in spring, the times
// are Shanghai's.
func TestNextIsInShanghaiTime(t *testing.T) {
	s := parse(t, "30 9 * * mon-fri")
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("New York", -4*3600), time.FixedZone("Kiritimati", 14*3600)} {
		next := s.Next(at(t, "2026-03-29 01:59:00").In(zone))
		if got := next.UTC().Format(time.DateTime); got != "2026-03-30 01:30:00" || next.Location() != news.Shanghai {
			t.Errorf("in %s: got %s", zone, next)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for expr, want := range map[string]string{
		"":                             `it is empty`,
		" \t":                          `it is empty`,
		"* * * *":                      `want 5 fields (minute, hour, day of month, month, day of week), not 4`,
		"0 */5 * * * *":                `want 5 fields (minute, hour, day of month, month, day of week), not 6`,
		"60 * * * *":                   `end of range (60) above maximum (59): "60"`,
		"* 24 * * *":                   `end of range (24) above maximum (23): "24"`,
		"* * 0 * *":                    `beginning of range (0) below minimum (1): "0"`,
		"* * 32 * *":                   `end of range (32) above maximum (31): "32"`,
		"* * * 13 *":                   `end of range (13) above maximum (12): "13"`,
		"* * * * 8":                    `end of range (8) above maximum (7): "8"`,
		"*/0 * * * *":                  `step of range must be a positive number: "*/0"`,
		"*/60 * * * *":                 `step (60) must be less than range size (60): "*/60"`,
		"* * * foo *":                  `failed to parse int from "foo": strconv.Atoi: parsing "foo": invalid syntax`,
		"99999999999999999999 * * * *": `failed to parse int from "99999999999999999999": strconv.Atoi: parsing "99999999999999999999": value out of range`,
		"1,,2 * * * *":                 `minute: want numbers or names, ranges (1-5), steps (*/5) and lists of them (0,30), not "1,,2"`,
		"* , * * *":                    `hour: want numbers or names, ranges (1-5), steps (*/5) and lists of them (0,30), not ","`,
		"* * ? * *":                    `day of month: want numbers or names, ranges (1-5), steps (*/5) and lists of them (0,30), not "?"`,
		"* * * *-5 *":                  `month: want numbers or names, ranges (1-5), steps (*/5) and lists of them (0,30), not "*-5"`,
		"* * * * fri#3":                `day of week: want numbers or names, ranges (1-5), steps (*/5) and lists of them (0,30), not "fri#3"`,
		"* * * * fri-mon/2":            `day of week: name the days instead of a step over some of them, not "fri-mon/2"`,
		"0 0 30 2 *":                   `it is never due`,
		"0 0 31 4,6,9,11 *":            `it is never due`,
		"@fortnightly":                 `unrecognized descriptor: "@fortnightly"`,
		"@every":                       `@every: want a time such as 90s or 5m, not ""`,
		"@every 5":                     `@every: want a time such as 90s or 5m, not "5"`,
		"@every 5 m":                   `@every: want a time such as 90s or 5m, not "5 m"`,
		"@every 0s":                    `@every: want whole seconds, at least one, not "0s"`,
		"@every -5m":                   `@every: want whole seconds, at least one, not "-5m"`,
		"@every 1.5s":                  `@every: want whole seconds, at least one, not "1.5s"`,
		"TZ=Europe/Paris 0 9 * * *":    `schedules are in Shanghai time: no time zone can be set`,
		"CRON_TZ=UTC @daily":           `schedules are in Shanghai time: no time zone can be set`,
	} {
		_, err := schedule.Parse("@hourly", expr)
		wrong := new(schedule.Error)
		if !errors.As(err, &wrong) || wrong.Index != 1 || wrong.Expr != expr || wrong.Why.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", expr, err, want)
		}
	}
}

// FuzzParse holds what is read against a reading of its own, which goes minute by
// minute: each due time matches, and none before it does.
func FuzzParse(f *testing.F) {
	for _, expr := range []string{
		"*/5 * * * *", "0,30 9-15 1-31/2 jan-mar mon", "0 22-1 * * fri-mon", "59 23 31 12 *", "0 0 29 2 7", "1-10/4 8 * * *",
		"@every 1h30m", "@hourly", "* * * * */2", "5/7 * 25-3 nov-feb *", "TZ=UTC 0 0 * * *", "0 0 L * 1#2", "@every 1ns",
	} {
		f.Add(expr, int64(1_640_140_635))
	}
	f.Fuzz(func(t *testing.T, expr string, unix int64) {
		s, err := schedule.Parse(expr)
		if err != nil {
			return
		}
		now := time.Unix(unix%(1<<32), 0).In(news.Shanghai)
		next := s.Next(now)
		if !next.After(now) {
			t.Fatalf("%q: %s is not after %s", expr, next, now)
		}
		words := strings.Fields(strings.ToLower(expr))
		if len(words) != 5 {
			return
		}
		if again := s.Next(next.Add(-time.Second)); !again.Equal(next) {
			t.Errorf("%q: after %s comes %s, and just before that %s", expr, now, next, again)
		}
		if !matches(words, next) || next.Second() != 0 {
			t.Errorf("%q: %s does not match", expr, next)
		}
		for m := now.Truncate(time.Minute).Add(time.Minute); m.Before(next) && m.Sub(now) < 48*time.Hour; m = m.Add(time.Minute) {
			if matches(words, m) {
				t.Fatalf("%q: %s comes before %s", expr, m, next)
			}
		}
	})
}

// matches reports whether the fields of an expression are those of a minute.
func matches(words []string, m time.Time) bool {
	day := within(words[2], m.Day(), 1, 31, nil)
	weekday := within(words[4], int(m.Weekday()), 0, 6, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"})
	either := day && weekday
	if !starred(words[2]) && !starred(words[4]) {
		either = day || weekday
	}
	months := []string{"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	return either && within(words[0], m.Minute(), 0, 59, nil) && within(words[1], m.Hour(), 0, 23, nil) &&
		within(words[3], int(m.Month()), 1, 12, months)
}

// starred reports whether a field has an item that restricts nothing.
func starred(field string) bool {
	return slices.ContainsFunc(strings.Split(field, ","), func(item string) bool {
		base, by, stepped := strings.Cut(item, "/")
		step, _ := strconv.Atoi(by)
		return base == "*" && (!stepped || step == 1)
	})
}

// within reports whether a field has the value v.
func within(field string, v, low, high int, names []string) bool {
	number := func(s string) int {
		if i := slices.Index(names, s); i >= 0 {
			return i
		}
		n, _ := strconv.Atoi(s)
		return n
	}
	for item := range strings.SplitSeq(field, ",") {
		base, by, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			step = number(by)
		}
		first, last := low, high
		if base != "*" {
			from, to, ranged := strings.Cut(base, "-")
			first, last = number(from), number(from)
			switch {
			case ranged:
				last = number(to)
			case stepped:
				last = high
			}
		}
		if last < first {
			last += high - low + 1
		}
		for n := first; n <= last; n += step {
			if low+(n-low)%(high-low+1) == v {
				return true
			}
		}
	}
	return false
}
