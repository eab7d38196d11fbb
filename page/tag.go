package page

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// tag is a start tag with those of its attributes that a reader asks for.
// They are valid until the scanner's next step.
type tag struct {
	name       []byte // in lower case
	start, end int    // where the tag stands in the page

	id, class, style          []byte
	href, dataCode            []byte
	metaName, content, hidden []byte

	attributed bool // any of the fields above is set
}

// reset makes t an empty tag. Most tags have no attributes, and setting
// pointers to nil has a price while garbage is collected.
func (t *tag) reset() {
	if t.attributed {
		*t = tag{}
	}
}

// readTag reads into s.tag the tag at the start of b, whose name begins at
// offset i, and returns the tag's length, or 0 if the page does not close it.
// Of an attribute that is given twice the first holds.
func (s *scanner) readTag(b []byte, i int) int {
	nameEnd := i
	for nameEnd < len(b) && !isTagSpace(b[nameEnd]) && b[nameEnd] != '/' && b[nameEnd] != '>' {
		nameEnd++
	}
	s.tag.reset()
	s.tag.name, s.tag.start = s.lowerName(b[i:nameEnd]), s.start
	i = skipTagSpace(b, nameEnd)
	for i < len(b) && b[i] != '>' {
		var key, val []byte
		key, val, i = cutAttribute(b, i)
		if field := s.tag.attribute(key); field != nil && *field == nil {
			*field, s.tag.attributed = unescapeAttribute(val), true
		}
		i = skipTagSpace(b, i)
	}
	if i >= len(b) {
		return 0
	}
	s.selfClose = b[i-1] == '/'
	s.tag.end = s.start + i + 1
	return i + 1
}

// lowerName returns a tag's name in lower case. One that is too long for any
// element of HTML stays as it is.
func (s *scanner) lowerName(name []byte) []byte {
	if len(name) > len(s.lower) || !hasUpper(name) {
		return name
	}
	lower := s.lower[:copy(s.lower[:], name)]
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c | 0x20
		}
	}
	return lower
}

// cutAttribute reads the attribute that begins at offset i of a tag, and
// returns the offset behind it. The value is never nil.
func cutAttribute(b []byte, i int) (key, val []byte, end int) {
	start := i
	for i < len(b) && !isTagSpace(b[i]) && b[i] != '/' && b[i] != '>' && (b[i] != '=' || i == start) {
		i++
	}
	key, val = b[start:i], b[i:i]
	i = skipTagSpace(b, i)
	switch {
	case i == len(b):
		return key, val, i
	case b[i] == '/':
		return key, val, i + 1
	case b[i] != '=':
		return key, val, i
	}
	val, end = cutValue(b, skipTagSpace(b, i+1))
	return key, val, end
}

// cutValue reads the value that begins at offset i, quoted or not.
func cutValue(b []byte, i int) (val []byte, end int) {
	if i == len(b) {
		return b[i:], i
	}
	if quote := b[i]; quote == '"' || quote == '\'' {
		n := bytes.IndexByte(b[i+1:], quote)
		if n < 0 {
			return b[i+1:], len(b)
		}
		return b[i+1 : i+1+n], i + n + 2
	}
	start := i
	for i < len(b) && !isTagSpace(b[i]) && b[i] != '>' {
		i++
	}
	return b[start:i], i
}

// attribute returns the field for an attribute, or nil for one of no interest.
func (t *tag) attribute(key []byte) *[]byte {
	if len(key) < len("id") || len(key) > len("data-code") {
		return nil
	}
	if hasUpper(key) {
		key = bytes.ToLower(key)
	}
	switch string(key) {
	case "href":
		return &t.href
	case "class":
		return &t.class
	case "data-code":
		return &t.dataCode
	case "style":
		return &t.style
	case "id":
		return &t.id
	case "name":
		return &t.metaName
	case "content":
		return &t.content
	case "hidden":
		return &t.hidden
	}
	return nil
}

// unescapeAttribute decodes the entities of an attribute's value. Unlike in
// text, a name without its semicolon is none where a letter, digit or equals
// sign follows: ?a=1&notice=2 is no ¬.
func unescapeAttribute(val []byte) []byte {
	amp := bytes.IndexByte(val, '&')
	if amp < 0 {
		return val
	}
	out := make([]byte, 0, len(val))
	for amp >= 0 {
		out = append(out, val[:amp]...)
		n := referenceLen(val[amp:])
		out = append(out, unescapeReference(val[amp:amp+n], val[amp+n:])...)
		val = val[amp+n:]
		amp = bytes.IndexByte(val, '&')
	}
	return append(out, val...)
}

// referenceLen returns the length of what can be a character reference at the
// start of b, which begins with an ampersand.
func referenceLen(b []byte) int {
	n := 1
	if n < len(b) && b[n] == '#' {
		n++
	}
	for n < len(b) && (isASCIIDigit(b[n]) || isASCIILetter(b[n])) {
		n++
	}
	if n > 1 && n < len(b) && b[n] == ';' {
		n++
	}
	return n
}

// unescapeReference decodes one reference, if it is one where rest follows.
func unescapeReference(ref, rest []byte) string {
	s := string(ref)
	decoded := html.UnescapeString(s)
	if len(ref) > 1 && ref[1] == '#' {
		return decoded
	}
	name, closed := strings.CutSuffix(s, ";")
	// It is one if all of its name was decoded, and not only the front of it.
	whole := decoded == html.UnescapeString(name+";")
	if closed {
		whole = decoded != html.UnescapeString(name)+";"
	}
	if !whole || !closed && bytes.HasPrefix(rest, []byte("=")) {
		return s
	}
	return decoded
}

func skipTagSpace(b []byte, i int) int {
	for i < len(b) && isTagSpace(b[i]) {
		i++
	}
	return i
}

// isTagSpace reports whether c separates the parts of a tag.
func isTagSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f'
}

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func hasUpper(b []byte) bool {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}
