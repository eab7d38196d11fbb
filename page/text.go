package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// Text returns the plain text of an article's HTML: one line a paragraph,
// entities decoded, white space trimmed (the U+3000 that indents paragraphs
// included), no blank lines. Pictures, scripts and what is hidden
// (display:none) are left out.
func Text(html string) string { return textOf([]byte(html)) }

// TextDigest returns the SHA-256 of a post's title, a line feed and its plain
// text, see [Text], in hexadecimal. It tells whether what is to be read has
// changed: another advert, picture or layout changes the page's own digest, and
// not this one. The post must have its body.
func TextDigest(p *news.Post) string {
	sum := sha256.Sum256([]byte(p.Title + "\n" + Text(p.Body)))
	return hex.EncodeToString(sum[:])
}

func textOf(body []byte) string {
	w := textWriter{scanner: newScanner(body)}
	w.out.Grow(len(body) / 2)
	w.walk(&w)
	w.flush()
	return w.out.String()
}

// textWriter gathers the lines of a text.
type textWriter struct {
	*scanner
	out   strings.Builder
	line  []byte
	skip  string // the name of the open element that is left out, if any
	depth int    // how many elements of that name are open

	places  []span // in order; those of the line at hand by offsets in it
	settled int    // how many of them are by offsets in the text
}

func (w *textWriter) textToken() {
	if w.skip == "" && !w.inCode() {
		w.line = append(w.line, w.text()...)
	}
}

func (w *textWriter) startTag(t *tag) {
	if w.skip == "p" && isBlock(t.name) && string(t.name) != "br" {
		w.skip = "" // a block ends an open paragraph
	}
	w.separate(t.name)
	switch {
	case w.skip != "":
		if string(t.name) == w.skip {
			w.depth++
		}
	case isVoid(t.name):
	case isCode(t.name) || t.hides():
		w.skip, w.depth = string(t.name), 1
	}
}

func (w *textWriter) endTag(name []byte) {
	if w.skip != "" && string(name) == w.skip {
		if w.depth--; w.depth == 0 {
			w.skip = ""
		}
	}
	w.separate(name)
}

// hides reports whether the element is not to be seen.
func (t *tag) hides() bool {
	a := t.attributes()
	return a.hidden != nil || hidesByStyle(a.style)
}

// separate keeps apart what stands before and after a tag.
func (w *textWriter) separate(name []byte) {
	switch {
	case w.skip != "":
	case isBlock(name):
		w.flush()
	case string(name) == "td" || string(name) == "th":
		w.line = append(w.line, '\t')
	}
}

// flush ends the line.
func (w *textWriter) flush() {
	start := w.out.Len()
	writeSqueezed(&w.out, w.line, start > 0)
	if w.settled < len(w.places) {
		w.settle(start)
	}
	w.line = w.line[:0]
}

// writeSqueezed writes a line without the white space around it, and with one
// space for what breaks or tabulates it; blank lines not at all. Runs of plain
// spaces stay: outlets have names with two in a row.
func writeSqueezed(out *strings.Builder, line []byte, newLine bool) {
	sep := byte('\n')
	for from, to := range pieces(line) {
		if newLine {
			out.WriteByte(sep)
		}
		out.Write(line[from:to])
		newLine, sep = true, ' '
	}
}

// pieces yields from where to where a line is kept; one space comes between two
// pieces.
func pieces(line []byte) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		end := len(bytes.TrimRightFunc(line, isSpace))
		from := end - len(bytes.TrimLeftFunc(line[:end], isSpace))
		for from < end {
			n := bytes.IndexAny(line[from:end], "\t\r\n\f\x00")
			if n < 0 {
				yield(from, end)
				return
			}
			if !yield(from, from+len(bytes.TrimRight(line[from:from+n], " "))) {
				return
			}
			from = end - len(bytes.TrimLeft(line[from+n:end], " \t\r\n\f\x00"))
		}
	}
}

// squeeze returns a text on one line, as [Text] writes its lines.
func squeeze(text []byte) string {
	var out strings.Builder
	writeSqueezed(&out, text, false)
	return out.String()
}

// trim returns a text without the white space around it. Names keep what is in
// them, even two spaces in a row.
func trim(text []byte) string { return string(bytes.TrimFunc(text, isSpace)) }

// IsSpace reports whether r is white space or shows nothing: NUL, zero-width
// spaces and byte order marks count.
func IsSpace(r rune) bool { return isSpace(r) }

// isSpace reports whether r is white space or shows nothing: NUL, zero-width
// spaces and byte order marks count.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r == 0 || r == '\u200B' || r == '\uFEFF'
}

// isBlank reports whether nothing but white space is in text.
func isBlank(text []byte) bool {
	for i, c := range text {
		if c >= utf8.RuneSelf {
			return len(bytes.TrimLeftFunc(text[i:], isSpace)) == 0
		}
		if c > ' ' {
			return false
		}
	}
	return true
}

// HidesByStyle reports whether a style attribute hides its element.
func HidesByStyle(style string) bool { return hidesByStyle([]byte(style)) }

// hidesByStyle reports whether a style attribute holds display:none.
func hidesByStyle(style []byte) bool {
	for rule := range bytes.SplitSeq(style, []byte(";")) {
		key, value, _ := bytes.Cut(rule, []byte(":"))
		if bytes.EqualFold(bytes.TrimSpace(key), []byte("display")) {
			value, _, _ = bytes.Cut(value, []byte("!"))
			return bytes.EqualFold(bytes.TrimSpace(value), []byte("none"))
		}
	}
	return false
}
