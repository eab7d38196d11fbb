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
	cmd.Flags().StringVar((*string)(m), "as-of", "", what+" at `TIME`: a day (its end), or 2021-12-22T10:00[:05], in Shanghai time, or RFC 3339")
	completeFlag(cmd, "as-of", noValues)
}

// moment returns what the flag says, zero where it is not set, or a usage
// error.
func (m asOf) moment() (time.Time, error) {
	if m == "" {
		return time.Time{}, nil
	}
	t, ok := parseMoment(string(m))
	if !ok {
		return t, usagef("--as-of: %q is not a time: want a day such as 2021-12-22, 2021-12-22T10:00 or 2021-12-22T10:00:05, both in Shanghai time, or with a zone 2021-12-22T02:00:05Z or 2021-12-22T10:00:05+08:00", string(m))
	}
	return t, nil
}

// parseMoment reads a moment up to which things count: of a day its end, and
// of a time without a fraction the end of its second, since finarc shows times
// to the second.
func parseMoment(text string) (time.Time, bool) {
	if d, err := news.ParseDay(text); err == nil {
		return d.Add(1).Time().Add(-time.Nanosecond), true
	}
	text = strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		t, err := time.ParseInLocation(layout, text, news.Shanghai)
		switch {
		case err != nil:
		case strings.ContainsAny(text, ".,"):
			return t, true
		default:
			return t.Add(time.Second - time.Nanosecond), true
		}
	}
	return time.Time{}, false
}
