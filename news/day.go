package news

import (
	"fmt"
	"time"
)

// Shanghai is the zone of every time on a mirror: +08:00, without daylight
// saving since 1991.
var Shanghai = time.FixedZone("+0800", 8*60*60)

// Day is a calendar day in Shanghai as the number yyyymmdd, for example
// 20211222. The zero Day is no day.
type Day int

// DayOf returns the day in Shanghai on which t falls; the zero time has none.
func DayOf(t time.Time) Day {
	if t.IsZero() {
		return 0
	}
	y, m, d := t.In(Shanghai).Date()
	return Day(y*10000 + int(m)*100 + d)
}

// ParseDay reads 2021-12-22 or 20211222.
func ParseDay(s string) (Day, error) {
	for _, layout := range []string{time.DateOnly, "20060102"} {
		if t, err := time.ParseInLocation(layout, s, Shanghai); err == nil {
			return DayOf(t), nil
		}
	}
	return 0, fmt.Errorf("%q is not a day: want 2021-12-22 or 20211222", s)
}

// Time returns the day's first moment in Shanghai, or the zero time for no day.
func (d Day) Time() time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Date(int(d)/10000, time.Month(int(d)/100%100), int(d)%100, 0, 0, 0, 0, Shanghai)
}

// Add returns the day n days later, or earlier where n is negative.
func (d Day) Add(n int) Day {
	if d == 0 {
		return 0
	}
	return DayOf(d.Time().AddDate(0, 0, n))
}

// The days that a post can be of: from 1990, when the mainland exchanges opened, to
// 2099.
const (
	FirstDay Day = 19900101
	LastDay  Day = 20991231
)

// Valid reports whether d is a day of the calendar from [FirstDay] to [LastDay].
func (d Day) Valid() bool { return FirstDay <= d && d <= LastDay && DayOf(d.Time()) == d }

// String returns the day as 2021-12-22, or "" for no day.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", int(d)/10000, int(d)/100%100, int(d)%100)
}

// MarshalText writes the day as String does.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDay reads, and "" as no day.
func (d *Day) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	day, err := ParseDay(string(text))
	if err != nil {
		return err
	}
	*d = day
	return nil
}
