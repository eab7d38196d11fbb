package page

import (
	"bytes"

	"golang.org/x/net/html"
)

// Nearly all of a page is text and tags such as <p>, <a href="x"> and </p>, which
// can be read in one way only. A scanner takes those itself, some five times as fast
// as the tokenizer, and leaves to it all that has another form. FuzzScanner holds
// what both make of a page against what the tokenizer makes of it alone.

// maxOdd is how many tokens of a page are left to a tokenizer each for itself. Each
// begins one, so of a page with more of them the rest is left to the last.
const maxOdd = 32

// plain goes to the next token and reports whether it has a plain form. If not, it
// stays where it is.
func (s *scanner) plain() (tokenKind, bool) {
	if s.rawName != "" {
		s.within, s.rawName = s.rawName, ""
		if s.rawEnd > s.end {
			return s.step(tokenText, s.rawEnd-s.end), true
		}
	}
	s.within = ""
	src := s.src[s.end:]
	if len(src) == 0 {
		return s.step(tokenEnd, 0), true
	}
	if n := textLength(src); n > 0 {
		return s.step(tokenText, n), true
	}
	switch src[1] {
	case '/':
		return s.plainEndTag(src)
	case '!':
		return s.plainDeclaration(src)
	case '?':
		return tokenSkipped, false
	}
	return s.plainStartTag(src)
}

// step goes to the next token, which has n bytes.
func (s *scanner) step(kind tokenKind, n int) tokenKind {
	s.start, s.end = s.end, s.end+n
	return kind
}

// textLength returns how much of src comes before a tag or declaration.
func textLength(src []byte) int {
	for at := 0; ; at++ {
		n := bytes.IndexByte(src[at:], '<')
		if n < 0 || at+n+1 == len(src) {
			return len(src)
		}
		at += n
		if c := src[at+1]; isLetter(c) || c == '/' || c == '!' || c == '?' {
			return at
		}
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// plainEndTag takes </name>.
func (s *scanner) plainEndTag(src []byte) (tokenKind, bool) {
	const name = len("</")
	if len(src) == name || !isLetter(src[name]) {
		return tokenSkipped, false
	}
	end := afterTagName(src, name)
	if end == len(src) || src[end] != '>' {
		return tokenSkipped, false
	}
	s.step(tokenEndTag, end+len(">"))
	s.setTag(s.lowerName(src[name:end]))
	return tokenEndTag, true
}

// plainDeclaration takes a doctype, and a comment that ends as it should.
func (s *scanner) plainDeclaration(src []byte) (tokenKind, bool) {
	const doctype = "<!doctype"
	if len(src) > len(doctype) && bytes.EqualFold(src[:len(doctype)], []byte(doctype)) {
		n := bytes.IndexByte(src, '>')
		if n < 0 {
			return tokenSkipped, false
		}
		return s.step(tokenSkipped, n+len(">")), true
	}
	text, ok := bytes.CutPrefix(src, []byte("<!--"))
	if !ok || bytes.HasPrefix(text, []byte(">")) || bytes.HasPrefix(text, []byte("->")) {
		return tokenSkipped, false
	}
	n := bytes.Index(text, []byte("-->"))
	if n < 0 || bytes.Contains(text[:n], []byte("--!>")) {
		return tokenSkipped, false
	}
	return s.step(tokenSkipped, len("<!--")+n+len("-->")), true
}

// plainStartTag takes a start tag whose attributes have values in quotes, or none,
// and which closes itself, if it does, with "/>". The text of an element such as
// script is found with it.
func (s *scanner) plainStartTag(src []byte) (tokenKind, bool) {
	begin := src[:min(len(src), hugeTag)]
	end := afterTagName(begin, 1)
	s.tag.forget()
	n := s.tag.readPlain(begin, end)
	if n == 0 {
		return tokenSkipped, false
	}
	name := s.lowerName(src[1:end])
	if string(name) == "plaintext" {
		return tokenSkipped, false
	}
	if raw := rawTextName(name); raw != "" && !s.xml {
		text, ok := rawTextLength(src[n:], raw)
		if !ok {
			return tokenSkipped, false
		}
		s.rawName, s.rawEnd = raw, s.end+n+text
	}
	s.step(tokenStartTag, n)
	s.nameTag(name)
	s.selfClose = src[n-2] == '/'
	return tokenStartTag, true
}

// readPlain reads the attributes of the start tag that src begins with, from offset
// i on, and returns the tag's length, or 0 if it is not in a plain form.
func (t *tag) readPlain(src []byte, i int) int {
	for i < len(src) {
		switch c := src[i]; {
		case c == '>':
			return i + 1
		case c == '/' && i+1 < len(src) && src[i+1] == '>':
			return i + 2
		case isTagSpace(c):
			i++
		case !isTagSpace(src[i-1]):
			return 0
		default:
			nameEnd, end := plainAttribute(src, i)
			if end < 0 {
				return 0
			}
			if name := src[i:nameEnd]; t.attrs.field(name) != nil {
				t.set(name, plainValue(src[nameEnd:end]))
			}
			i = end
		}
	}
	return 0
}

// plainValue returns the value in ="value" or ='value', or nil where there is none.
func plainValue(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	value := b[len(`="`) : len(b)-1]
	if bytes.IndexByte(value, '&') >= 0 {
		return bytes.ReplaceAll(value, []byte("&amp;"), []byte("&"))
	}
	return value
}

// afterTagName returns where the name of a tag ends that begins at offset i.
func afterTagName(src []byte, i int) int {
	for i < len(src) && src[i] != '>' && src[i] != '/' && !isTagSpace(src[i]) {
		i++
	}
	return i
}

// plainAttribute returns where the name and the whole of an attribute end that begins
// at offset i, or -1 if it is none of name, name="value" and name='value' in letters
// that stand for themselves.
func plainAttribute(src []byte, i int) (nameEnd, end int) {
	name := i
	for ; i < len(src); i++ {
		switch c := src[i]; {
		case c == '=' && i > name && i+1 < len(src) && (src[i+1] == '"' || src[i+1] == '\''):
			return i, afterPlainValue(src, i+len(`="`), src[i+1])
		case i > name && (c == '>' || c == '/' || isTagSpace(c)):
			return i, i
		case c == '/' || c == '=' || c == '"' || c == '\'' || c == 0 || 'A' <= c && c <= 'Z':
			return -1, -1
		}
	}
	return -1, -1
}

// afterPlainValue returns where a value and the quote behind it end, or -1 if the
// value has other entities than &amp;, or what a tokenizer replaces.
func afterPlainValue(src []byte, i int, quote byte) int {
	for ; i < len(src); i++ {
		switch c := src[i]; {
		case c == quote:
			return i + 1
		case c == '\r' || c == 0 || c == '&' && !bytes.HasPrefix(src[i:], []byte("&amp;")):
			return -1
		}
	}
	return -1
}

// rawTextLength returns how much of src comes before the end tag of the element of
// that name, whose content is text. It does so for a script only where nothing
// hides that tag.
func rawTextLength(src []byte, name string) (n int, ok bool) {
	for {
		at := bytes.Index(src[n:], []byte("</"))
		if at < 0 {
			return 0, false
		}
		n += at
		after := n + len("</") + len(name)
		if after >= len(src) {
			return 0, false
		}
		if c := src[after]; (c == '>' || c == '/' || isTagSpace(c)) && bytes.EqualFold(src[n+len("</"):after], []byte(name)) {
			return n, name != "script" || !bytes.Contains(src[:n], []byte("<!--"))
		}
		n += len("</")
	}
}

// plainText returns the current text token with its line breaks as one character each
// and its entities decoded (WHATWG, 13.2.3.5 and 13.2.5).
func (s *scanner) plainText() []byte {
	raw := s.raw()
	if bytes.IndexByte(raw, '\r') >= 0 {
		raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	}
	if s.within != "" && bytes.IndexByte(raw, 0) >= 0 {
		raw = bytes.ReplaceAll(raw, []byte{0}, []byte("\ufffd"))
	}
	if bytes.IndexByte(raw, '&') < 0 || s.within != "" && s.within != "title" && s.within != "textarea" {
		return raw
	}
	return []byte(html.UnescapeString(string(raw)))
}
