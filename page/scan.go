package page

import (
	"bytes"

	"golang.org/x/net/html"
)

// tokenKind tells the tokens of a page apart.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota // of the page
	tokenText
	tokenStartTag
	tokenEndTag
	tokenSkipped // comments, doctypes and other declarations
)

// maxRecoveries bounds how often a scanner goes back behind an unclosed
// construct, since each time costs up to the rest of the page.
const maxRecoveries = 16

// scanner walks over a page's tokens, which tile it, and knows where each
// stands. Tokens are those of the HTML standard (WHATWG, 13.2.5) but for two
// things. A comment, script or tag that the page never closes would swallow
// all that follows, the foot included: only its opening is taken for a token,
// and what follows is read as usual. And escapes in scripts are not looked at.
//
// It works on the page itself, without copying, and positions come for free.
// The tokenizer of x/net/html in its place, which reads byte by byte and copies
// names and attributes, takes twice the time a page and a sixth of a whole
// crawl (measured in ARCHITECTURE.md). FuzzScanner holds the two together,
// token by token.
type scanner struct {
	src        []byte
	start, end int // of the current token
	xml        bool

	tag       tag    // the current start tag
	rawName   string // of the raw text element that the last token opened, if it did
	inCode    bool   // the current text token is what stands in such an element
	selfClose bool   // the current start tag ends with />

	recoveries int
	lower      [16]byte // the current tag's name, where it has upper-case letters
}

func newScanner(src []byte) *scanner { return &scanner{src: src} }

// newXMLScanner returns a scanner that knows CDATA sections and whole
// elements such as <title/>.
func newXMLScanner(src []byte) *scanner { return &scanner{src: src, xml: true} }

// visitor is told a page's tokens, in order.
type visitor interface {
	startTag(t *tag) // valid during the call
	endTag(name []byte)
	textToken() // see scanner.text and scanner.raw
}

// walk tells v the tokens of the page, to its end.
func (s *scanner) walk(v visitor) {
	for {
		switch s.next() {
		case tokenEnd:
			return
		case tokenText:
			v.textToken()
		case tokenStartTag:
			v.startTag(&s.tag)
			if s.xml && s.selfClose {
				v.endTag(s.tag.name)
			}
		case tokenEndTag:
			v.endTag(s.tag.name)
		}
	}
}

// next goes to the next token.
func (s *scanner) next() tokenKind {
	s.start, s.inCode = s.end, false
	if s.start == len(s.src) {
		return tokenEnd
	}
	if s.rawName != "" && s.rawText() {
		return tokenText
	}
	if isMarkup(s.src[s.start:]) {
		kind, length := s.markup(s.src[s.start:])
		if length > 0 {
			s.end = s.start + length
			return kind
		}
		if s.recoveries++; s.recoveries > maxRecoveries {
			s.end = len(s.src)
			return tokenText
		}
		s.end = s.start + openingLen(s.src[s.start:])
		return tokenSkipped
	}
	s.end = s.start + textLen(s.src[s.start:])
	return tokenText
}

// rawText takes the content of a raw text element, if it is closed and not
// empty.
func (s *scanner) rawText() bool {
	n := rawTextLen(s.src[s.start:], s.rawName)
	s.rawName = ""
	if n < 0 {
		if s.recoveries++; s.recoveries <= maxRecoveries {
			return false
		}
		n = len(s.src) - s.start
	}
	s.end, s.inCode = s.start+n, true
	return n > 0
}

// markup reads the token at the start of b, which is markup; its length is 0
// if the page does not close it.
func (s *scanner) markup(b []byte) (tokenKind, int) {
	switch {
	case bytes.HasPrefix(b, []byte("<!--")):
		return tokenSkipped, commentLen(b)
	case s.xml && bytes.HasPrefix(b, []byte("<![CDATA[")):
		return tokenText, lenTo(b, "]]>")
	case b[1] == '!' || b[1] == '?':
		return tokenSkipped, lenTo(b, ">")
	case b[1] == '/' && (len(b) == 2 || !isASCIILetter(b[2])):
		return tokenSkipped, lenTo(b, ">")
	case b[1] == '/':
		return tokenEndTag, s.readTag(b, 2)
	}
	n := s.readTag(b, 1)
	if n > 0 && !s.xml {
		s.rawName = rawTextName(s.tag.name)
	}
	return tokenStartTag, n
}

// raw returns the current token as the page has it.
func (s *scanner) raw() []byte { return s.src[s.start:s.end] }

// text returns the current text token with its entities decoded.
func (s *scanner) text() []byte {
	raw := s.raw()
	if section, ok := bytes.CutPrefix(raw, []byte("<![CDATA[")); s.xml && ok {
		return bytes.TrimSuffix(section, []byte("]]>"))
	}
	if bytes.IndexByte(raw, '&') < 0 {
		return raw
	}
	return []byte(html.UnescapeString(string(raw)))
}

// isMarkup reports whether b begins with markup: a < that is followed by what
// can begin a tag, comment or declaration.
func isMarkup(b []byte) bool {
	if len(b) < 2 || b[0] != '<' {
		return false
	}
	c := b[1]
	return c == '/' || c == '!' || c == '?' || isASCIILetter(c)
}

// textLen returns the length of the text at the start of b: up to the next
// markup. b is not empty and does not begin with markup.
func textLen(b []byte) int {
	for i := 1; ; i++ {
		n := bytes.IndexByte(b[i:], '<')
		if n < 0 {
			return len(b)
		}
		if i += n; isMarkup(b[i:]) {
			return i
		}
	}
}

// lenTo returns the length of what ends with the first end in b, or 0.
func lenTo(b []byte, end string) int {
	n := bytes.Index(b, []byte(end))
	if n < 0 {
		return 0
	}
	return n + len(end)
}

// openingLen returns the length of what opens an unclosed construct.
func openingLen(b []byte) int {
	if bytes.HasPrefix(b, []byte("<!--")) {
		return len("<!--")
	}
	return len("<")
}

// commentLen returns the length of the comment at the start of b, or 0 if it
// is not closed. It ends with -->, which may share its hyphens with the
// opening, or with --!>.
func commentLen(b []byte) int {
	const opening = len("<!--")
	for i := opening; ; i++ {
		n := bytes.IndexByte(b[i:], '>')
		if n < 0 {
			return 0
		}
		i += n
		if bytes.HasSuffix(b[2:i], []byte("--")) || bytes.HasSuffix(b[opening:i], []byte("--!")) {
			return i + 1
		}
	}
}

// rawTextLen returns the length of the content of a raw text element, up to
// its end tag, or -1 if it is not closed.
func rawTextLen(b []byte, name string) int {
	for i := 0; ; i++ {
		n := bytes.Index(b[i:], []byte("</"))
		if n < 0 {
			return -1
		}
		i += n
		after := i + len("</") + len(name)
		if after >= len(b) {
			return -1
		}
		if c := b[after]; (isTagSpace(c) || c == '/' || c == '>') &&
			bytes.EqualFold(b[i+len("</"):after], []byte(name)) {
			return i
		}
	}
}
