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
// stands, so that a body can be cut out of the page as it was sent. It is the
// tokenizer of x/net/html (WHATWG, 13.2.5) with positions, but for one thing:
// a comment, script or tag that the page never closes would swallow all that
// follows, the foot included; only its opening is taken for a token, and what
// follows is read as usual.
type scanner struct {
	z          *html.Tokenizer
	src        []byte
	start, end int // of the current token
	xml        bool

	tag       tag    // the current tag
	rawName   string // of the raw text element that the last token opened, if it did
	inCode    bool   // the current text token is what stands in such an element
	selfClose bool   // the current start tag ends with />
	unescaped []byte // the current text, once it was asked for
	asked     bool

	recoveries int
	lower      [16]byte // the current tag's name, where it has upper-case letters
}

func newScanner(src []byte) *scanner {
	return &scanner{z: html.NewTokenizer(bytes.NewReader(src)), src: src}
}

// newXMLScanner returns a scanner that knows CDATA sections and whole
// elements such as <title/>.
func newXMLScanner(src []byte) *scanner {
	s := newScanner(src)
	s.xml = true
	s.z.AllowCDATA(true)
	return s
}

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
	kind := s.z.Next()
	s.start, s.end = s.end, s.end+len(s.z.Raw())
	s.asked = false
	if s.swallowed(kind) {
		return s.recover(kind)
	}
	s.inCode, s.rawName = s.rawName != "" && kind == html.TextToken, ""
	switch kind {
	case html.ErrorToken:
		return tokenEnd // what may be left behind s.start is one construct too many that nothing closes
	case html.TextToken:
		return tokenText
	case html.StartTagToken, html.SelfClosingTagToken:
		s.readTag(len("<"))
		s.selfClose = kind == html.SelfClosingTagToken
		if s.xml {
			s.z.NextIsNotRawText()
		} else {
			s.rawName = rawTextName(s.tag.name)
		}
		return tokenStartTag
	case html.EndTagToken:
		s.readTag(len("</"))
		return tokenEndTag
	}
	return tokenSkipped
}

// swallowed reports whether the current token goes on to the page's end only
// because nothing closes it.
func (s *scanner) swallowed(kind html.TokenType) bool {
	if s.end < len(s.src) || s.start == s.end || s.recoveries == maxRecoveries {
		return false
	}
	switch kind {
	case html.ErrorToken: // a tag
		return true
	case html.CommentToken:
		return !isClosed(s.raw())
	case html.TextToken:
		return s.rawName != ""
	}
	return false
}

// isClosed reports whether a comment or declaration ends itself.
func isClosed(raw []byte) bool {
	if bytes.HasPrefix(raw, []byte("<!--")) {
		return bytes.HasSuffix(raw, []byte("-->")) || bytes.HasSuffix(raw, []byte("--!>"))
	}
	return bytes.HasSuffix(raw, []byte(">"))
}

// recover goes back behind the opening of what was swallowed. Text in an
// element has none.
func (s *scanner) recover(kind html.TokenType) tokenKind {
	s.recoveries++
	s.end = s.start
	if kind != html.TextToken {
		s.end += len("<")
	}
	s.rawName, s.inCode = "", false
	s.z = html.NewTokenizer(bytes.NewReader(s.src[s.end:]))
	s.z.AllowCDATA(s.xml)
	return tokenSkipped
}

// raw returns the current token as the page has it.
func (s *scanner) raw() []byte { return s.src[s.start:s.end] }

// text returns the current text token with its entities decoded. It is valid
// until the next step.
func (s *scanner) text() []byte {
	if !s.asked {
		// The tokenizer gives a token's text once.
		s.unescaped, s.asked = s.z.Text(), true
	}
	return s.unescaped
}

// tag is the current tag. What it tells is valid until the scanner's next step.
type tag struct {
	name       []byte // in lower case
	start, end int    // where the tag stands in the page

	z     *html.Tokenizer
	more  bool       // there are attributes that were not read yet
	attrs attributes // those that were
}

// attributes are those attributes of a tag that some reader asks for; nil
// where the tag lacks one.
type attributes struct {
	id, class, style []byte
	href, dataCode   []byte
	name, content    []byte
	hidden           []byte
	given            bool // any of the above is set
}

// attributes reads the tag's attributes, of those of one name the first. The tokenizer copies them, and most
// tags are of no interest to any reader, so it is asked only then.
func (t *tag) attributes() *attributes {
	for t.more {
		var key, val []byte
		key, val, t.more = t.z.TagAttr()
		if field := t.attrs.field(key); field != nil {
			*field, t.attrs.given = val, true
			if val == nil {
				*field = []byte{} // given, without a value
			}
		}
	}
	return &t.attrs
}

// field returns the field for an attribute, or nil for one of no interest.
func (a *attributes) field(key []byte) *[]byte {
	switch string(key) {
	case "href":
		return &a.href
	case "class":
		return &a.class
	case "data-code":
		return &a.dataCode
	case "style":
		return &a.style
	case "id":
		return &a.id
	case "name":
		return &a.name
	case "content":
		return &a.content
	case "hidden":
		return &a.hidden
	}
	return nil
}

// readTag reads the current tag, whose name begins at an offset of it.
func (s *scanner) readTag(at int) {
	raw := s.raw()
	end := at
	for end < len(raw) && raw[end] != '>' && raw[end] != '/' && !isTagSpace(raw[end]) {
		end++
	}
	t := &s.tag
	t.name, t.start, t.end, t.z = s.lowerName(raw[at:end]), s.start, s.end, s.z
	t.more = at == len("<") && end < len(raw) && raw[end] != '>'
	if t.attrs.given { // setting pointers to nil has a price while garbage is collected
		t.attrs = attributes{}
	}
}

// lowerName returns a tag's name in lower case. One that is too long for any
// element of HTML stays as it is.
func (s *scanner) lowerName(name []byte) []byte {
	if len(name) > len(s.lower) || !hasUpper(name) {
		return name
	}
	return append(s.lower[:0], bytes.ToLower(name)...)
}

func hasUpper(b []byte) bool {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}

// isTagSpace reports whether c separates the parts of a tag.
func isTagSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' }
