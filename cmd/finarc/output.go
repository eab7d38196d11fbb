package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/finarc/finarc/news"
	"golang.org/x/text/width"
)

// output is where a command writes what it was asked for. What is wrong with
// that says nothing of the archive, and may be noticed more than once, so it is
// told apart from what else goes wrong.
type output struct {
	to  io.Writer
	err error // of the first write that failed
}

// outputError is that standard output takes no more.
type outputError struct{ error }

func (e outputError) Unwrap() error { return e.error }

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	if err != nil {
		o.err = outputError{err}
	}
	return n, o.err
}

// writeJSON writes v as one line of JSON.
func (a *app) writeJSON(v any) error { return encodeJSON(a.out, v) }

func encodeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// clock formats a moment for people, in Shanghai time.
func clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(news.Shanghai).Format(time.DateTime)
}

// dash returns s, or a dash where there is nothing.
func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// columns returns how many columns of a terminal s takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns returns how many columns r takes: Chinese characters take two,
// marks that stand on the one before none.
func runeColumns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide, width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// pad fills s up to the given number of columns.
func pad(s string, to int) string { return s + strings.Repeat(" ", max(0, to-columns(s))) }

// cut cuts s to the given number of columns, marking the cut with ….
func cut(s string, to int) string {
	if columns(s) <= to {
		return s
	}
	used := 0
	for i, r := range s {
		used += runeColumns(r)
		if used > to-1 {
			return s[:i] + strings.Repeat("…", min(1, max(0, to)))
		}
	}
	return s
}

// printable takes out of a line from a server what could drive the terminal or
// turn the line around: control characters and marks of direction.
func printable(s string) string { return strings.Map(inert, s) }

// printableText is as printable, for text of several lines.
func printableText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return inert(r)
	}, s)
}

func inert(r rune) rune {
	if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
		return ' '
	}
	return r
}

// grouped writes n with a comma at every thousand.
func grouped[T int | int64](n T) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0 && s[at-1] != '-'; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// plural counts things: 1 post, 2 posts.
func plural[T int | int64](n T, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(n) + " " + what
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
		if _, err := fmt.Fprintf(w, "%s  %s\n", pad(r[0], widest), r[1]); err != nil {
			return err
		}
	}
	return nil
}

// grid writes rows of as many columns each, all but the last padded to the
// widest, and cut to the width of a terminal. The first row is the heading.
func (a *app) grid(rows [][]string) error {
	widest := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widest[i] = max(widest[i], columns(cell))
		}
	}
	width, live := terminal(a.out)
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range r[:len(r)-1] {
			line.WriteString(pad(cell, widest[i]) + "  ")
		}
		text := line.String() + r[len(r)-1]
		if live {
			text = cut(text, width)
		}
		if _, err := fmt.Fprintln(a.out, text); err != nil {
			return err
		}
	}
	return nil
}
