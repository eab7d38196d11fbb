package jekyll

import (
	"fmt"
	"strings"
	"unicode"
)

// quoted returns s as a double-quoted YAML scalar (YAML 1.1, 5.6 and 9.1.1) on
// one line, in which only what has to be escaped is. Bytes that are no UTF-8
// become U+FFFD.
func quoted(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for _, r := range s { // of bytes that are no UTF-8, range makes U+FFFD
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case mustEscape(r) && r <= 0xFF:
			fmt.Fprintf(&b, `\x%02X`, r)
		case mustEscape(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// mustEscape reports whether r is outside YAML's printable characters, or is
// one that breaks lines or marks byte order.
func mustEscape(r rune) bool {
	return r < ' ' || r >= 0x7F && r <= 0x9F || r == 0x2028 || r == 0x2029 ||
		r == 0xFEFF || r == 0xFFFE || r == 0xFFFF
}

// scalar returns s as YAML that Ruby's Psych reads as the string s: bare, as
// the mirror writes it, where that is certain, else quoted.
func scalar(s string) string {
	if bareText(s) && !looksTyped(s) {
		return s
	}
	return quoted(s)
}

// bareText reports whether s can be a plain scalar of one line: it begins with
// a letter, a digit or a bracket, and holds no comment, key or odd character.
func bareText(s string) bool {
	if s == "" || s != strings.TrimSpace(s) || strings.HasSuffix(s, ":") ||
		strings.Contains(s, ": ") || strings.Contains(s, " #") {
		return false
	}
	for i, r := range s {
		switch {
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return false
		case i == 0 && r < 0x80 && !isAlnum(r) && r != '(':
			return false
		}
	}
	return true
}

func isAlnum(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
}

// looksTyped reports whether Psych could read s as something else than a
// string: a word of YAML 1.1, or, beginning with a digit, any of its ways of
// writing numbers, dates and times.
func looksTyped(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null":
		return true
	}
	return '0' <= s[0] && s[0] <= '9' && strings.Trim(s, "0123456789abcdefABCDEFxXoO_.,:+-TtZz ") == ""
}
