package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
)

func TestParseDay(t *testing.T) {
	for text, want := range map[string]news.Day{
		"2021-12-01":  20211201,
		"2021-12-1":   20211201,
		"20211201":    20211201,
		"2021/12/01":  20211201,
		"2021/12/1":   20211201,
		"2021年12月1日":  20211201,
		"2021年12月01日": 20211201,
		"2024-02-29":  20240229,
		"2099-01-01":  20990101,
		"today":       20220103,
		"yesterday":   20220102,
		"-0d":         20220103,
		"-1d":         20220102,
		"-7d":         20211227,
		"-2w":         20211220,
		"-07d":        20211227,
		"-3650d":      20120106,
		"1990-01-01":  19900101,
		"1970/01/01":  19700101,
		"-1668w":      19900115,
		"-11690d":     19900101,
	} {
		if got, err := parseDay(text, 20220103); got != want || err != nil {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", " ", "x", "Today", "tomorrow", "7d", "+7d", "-d", "-7", "-7h", "--7d", "-7.5d", "- 7d", "-65536d", "-7dd", "２０２１-12-01",
		"2021-02-29", "2021-13-01", "2021-12-32", "2021-12", "2021", "21-12-01", "01/12/2021", "2021-12/01", "2021121", "202112010",
		"2021年12月", "2021-12-01T10:00", "2021-12-01 ",
	} {
		if got, err := parseDay(text, 20220103); !errors.Is(err, errNoDay) || !strings.Contains(err.Error(), "yesterday") {
			t.Errorf("%q: %s, %v, want none, and what would be one", text, got, err)
		}
	}
	for _, text := range []string{"-11691d", "-65535d", "-65535w"} {
		if got, err := parseDay(text, 20220103); !errors.Is(err, errLongPast) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}

// FuzzParseDay: what is read is a day of the calendar that can be written and
// read again, and what is told from today moves with it.
func FuzzParseDay(f *testing.F) {
	for _, text := range []string{"2021-12-01", "20211201", "2021/12/1", "2021年12月1日", "today", "yesterday", "-7d", "-2w", "-65535w", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const today = news.Day(20220103)
		d, err := parseDay(text, today)
		if err != nil {
			if d != 0 || !strings.HasPrefix(err.Error(), `"`) {
				t.Fatalf("%q: %s, %v", text, d, err)
			}
			return
		}
		if again, err := parseDay(d.String(), today); again != d || err != nil {
			t.Fatalf("%q: %s, but that is %s, %v", text, d, again, err)
		}
		next, err := parseDay(text, today.Add(1))
		if relative := text[0] < '0' || text[0] > '9'; err != nil || relative && next != d.Add(1) || !relative && next != d {
			t.Fatalf("%q: %s, a day later %s, %v", text, d, next, err)
		}
		if end, ok := parseMoment(text, today); !ok || news.DayOf(end) != d {
			t.Fatalf("%q: %s, its end is %v, %v", text, d, end, ok)
		}
	})
}
