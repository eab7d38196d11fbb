package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"golang.org/x/text/width"
)

// writeJSON writes v as one line of JSON.
func (a *app) writeJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// revisionJSON is a revision as the commands print it.
type revisionJSON struct {
	news.Revision
	Categories []string `json:"categories"`
	Tags       []string `json:"tags"`
	Lacks      []string `json:"lacks,omitempty"`
}

func newRevisionJSON(rev news.Revision) revisionJSON {
	return revisionJSON{
		Revision: rev, Categories: slices.Concat([]string{}, rev.Categories()),
		Tags: slices.Concat([]string{}, rev.Tags()),
	}
}

// name returns what a post is called by: its infoCode, or else its ID.
func name(p *news.Post) string {
	if p.InfoCode != "" {
		return string(p.InfoCode)
	}
	return string(p.ID)
}

// clock formats a moment for people, in Shanghai time.
func clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(news.Shanghai).Format(time.DateTime)
}

// columns returns how many columns of a terminal s takes: Chinese characters
// take two.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fit cuts s to the given number of columns, marking the cut with …, and pads
// it to that number.
func fit(s string, to int) string {
	if columns(s) <= to {
		return s + strings.Repeat(" ", to-columns(s))
	}
	var b strings.Builder
	used := 0
	for _, r := range s {
		if used+runeColumns(r) > to-1 {
			break
		}
		b.WriteRune(r)
		used += runeColumns(r)
	}
	return b.String() + "…" + strings.Repeat(" ", max(0, to-1-used))
}

// printable takes control characters out of what a server wrote, so that a
// title cannot drive the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// grouped writes n with a comma at every thousand.
func grouped[T int | int64](n T) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0 && s[at-1] != '-'; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch f := float64(n); {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", f/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", f/(1<<20))
	default:
		return fmt.Sprintf("%.2f GiB", f/(1<<30))
	}
}

// table writes rows of two columns, the first padded to the widest.
func table(w io.Writer, rows [][2]string) error {
	widest := 0
	for _, r := range rows {
		widest = max(widest, columns(r[0]))
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(w, "%s  %s\n", fit(r[0], widest), r[1]); err != nil {
			return err
		}
	}
	return nil
}
