package main

import (
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

// asOf is the flag that asks for the archive as it was.
type asOf string

func (m *asOf) register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar((*string)(m), "as-of", "", what+" at `TIME`: a day as in --from (its end), or one with a time as 2021-12-22T10:00[:05], in Shanghai time, or RFC 3339")
	completeFlag(cmd, "as-of", noValues)
}

// moment returns what the flag says, zero where it is not set, or a usage
// error.
func (m asOf) moment(today news.Day) (time.Time, error) {
	if m == "" {
		return time.Time{}, nil
	}
	t, ok := parseMoment(string(m), today)
	if !ok {
		return t, usagef("--as-of: %q is not a time: want a day (%s); a day with a time, as 2021-12-22T10:00 or 2021-12-22T10:00:05, both in Shanghai time; or with a zone 2021-12-22T02:00:05Z or 2021-12-22T10:00:05+08:00", string(m), dayForms)
	}
	return t, nil
}

// parseMoment reads a moment up to which things count: of a day its end, and
// of a time without a fraction the end of its second, since finarc shows times
// to the second.
func parseMoment(text string, today news.Day) (time.Time, bool) {
	if d, err := parseDay(text, today); err == nil {
		return d.Add(1).Time().Add(-time.Nanosecond), true
	}
	t, ok := parseTime(strings.Replace(text, " ", "T", 1), today)
	if ok && !strings.ContainsAny(text, ".,") {
		t = t.Add(time.Second - time.Nanosecond)
	}
	return t, ok
}

// parseTime reads a day and a time of day, with a T between them.
func parseTime(text string, today news.Day) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	date, clock, _ := strings.Cut(text, "T")
	d, err := parseDay(date, today)
	if err != nil {
		return time.Time{}, false
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if t, err := time.ParseInLocation(time.DateOnly+"T"+layout, d.String()+"T"+clock, news.Shanghai); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
