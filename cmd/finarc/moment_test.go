package main

import (
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

func TestParseMoment(t *testing.T) {
	at := func(h, m, s, ns int) time.Time { return time.Date(2021, 12, 22, h, m, s, ns, news.Shanghai) }
	const end = int(time.Second - time.Nanosecond)
	for text, want := range map[string]time.Time{
		"2021-12-22":                    at(23, 59, 59, end),
		"20211222":                      at(23, 59, 59, end),
		"2021-12-22T10:00":              at(10, 0, 0, end),
		"2021-12-22 10:00":              at(10, 0, 0, end),
		"2021-12-22T10:00:05":           at(10, 0, 5, end),
		"2021-12-22 10:00:05":           at(10, 0, 5, end),
		"2021-12-22T10:00:05.25":        at(10, 0, 5, 250_000_000),
		"2021-12-22T10:00:05+08:00":     at(10, 0, 5, end),
		"2021-12-22T02:00:05Z":          at(10, 0, 5, end),
		"2021-12-22 02:00:05Z":          at(10, 0, 5, end),
		"2021-12-22T02:00:05.000Z":      at(10, 0, 5, 0),
		"2021-12-21T21:00:05.001-05:00": at(10, 0, 5, 1_000_000),
		"2021/12/22":                    at(23, 59, 59, end),
		"2021年12月22日 10:00":             at(10, 0, 0, end),
		"20211222T10:00:05":             at(10, 0, 5, end),
		"yesterday":                     at(23, 59, 59, end),
		"yesterday 10:00":               at(10, 0, 0, end),
		"-1dT10:00":                     at(10, 0, 0, end),
	} {
		if got, ok := parseMoment(text, 20211223); !ok || !got.Equal(want) {
			t.Errorf("parseMoment(%q) = %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "tomorrow", "todayT", "today 24:00", "10:00", "2021-12-32", "2021-02-29", "2021-12-22T25:00", "2021-12-22T", "2021-12-22T10", "2021-12-22  10:00", "2021-12-22T10:00:05 CST"} {
		if got, ok := parseMoment(text, 20211223); ok {
			t.Errorf("parseMoment(%q) = %v, want none", text, got)
		}
	}
}

func TestEnvironment(t *testing.T) {
	list := []string{"TERM=xterm", "NO_COLOR=", "TERM=dumb", "TERMINAL=x"}
	for name, want := range map[string]string{"TERM": "dumb", "NO_COLOR": "", "HOME": ""} {
		if got := environment(list, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
