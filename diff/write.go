package diff

import (
	"strings"
	"unicode/utf8"
)

// Marks are written around what was deleted and what was added.
type Marks struct{ Deleted, Added [2]string }

// The usual marks.
var (
	// Brackets are for plain text: [-old-]{+new+}, as git diff --word-diff
	// writes them.
	Brackets = Marks{Deleted: [2]string{"[-", "-]"}, Added: [2]string{"{+", "+}"}}
	// Colors are for terminals: red and struck through, green and underlined.
	Colors = Marks{Deleted: [2]string{"\x1b[31;9m", "\x1b[0m"}, Added: [2]string{"\x1b[32;4m", "\x1b[0m"}}
)

// paragraphMark stands for an end of line where that alone was deleted or added.
const paragraphMark = "¶"

// Format returns a difference as a text with marks. They are set anew in each
// line. Control characters in the texts are left as they are.
func Format(list []Segment, m Marks) string {
	var out strings.Builder
	for _, s := range list {
		switch s.Kind {
		case Deleted:
			mark(&out, s.Text, m.Deleted)
		case Added:
			mark(&out, s.Text, m.Added)
		default:
			out.WriteString(s.Text)
		}
	}
	return out.String()
}

// mark writes a text with marks around what each of its lines holds.
func mark(out *strings.Builder, text string, marks [2]string) {
	empty := ""
	if strings.Trim(text, "\n") == "" {
		empty = paragraphMark
	}
	for line := range strings.Lines(text) {
		words, ended := strings.CutSuffix(line, "\n")
		if words == "" {
			words = empty
		}
		if words != "" {
			out.WriteString(marks[0] + words + marks[1])
		}
		if ended {
			out.WriteByte('\n')
		}
	}
}

// ellipsis stands for what [Shorten] leaves out.
const ellipsis = "…"

// Shorten returns a difference in which long stretches that are the same are
// cut down to so many characters beside each change, with … for the rest.
func Shorten(list []Segment, context int) []Segment {
	short := make([]Segment, len(list))
	for i, s := range list {
		if s.Kind == Same {
			s.Text = shorten(s.Text, beside(i > 0, context), beside(i < len(list)-1, context))
		}
		short[i] = s
	}
	return short
}

// beside returns how many characters are kept on a side of a stretch.
func beside(change bool, context int) int {
	if change {
		return context
	}
	return 0
}

// shorten cuts the middle out of a text that is longer than what is to be kept
// of its start and its end.
func shorten(text string, start, end int) string {
	n := utf8.RuneCountInString(text)
	if n <= start+end+utf8.RuneCountInString(ellipsis) {
		return text
	}
	return text[:offset(text, start)] + ellipsis + text[offset(text, n-end):]
}

// offset returns where in a text the character with the number n begins.
func offset(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}
