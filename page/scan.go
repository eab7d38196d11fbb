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
// a comment, script or the like that the page never closes would swallow all
// that follows, the foot included; only its opening is taken for a token, and
// what follows is read as usual.
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
		return tokenEnd // what stands behind s.start is a token that the page does not close
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
	case html.CommentToken:
		return !bytes.HasSuffix(s.raw(), []byte(">"))
	case html.TextToken:
		return s.rawName != ""
	}
	return false
}

// recover goes back behind the opening of what was swallowed.
func (s *scanner) recover(kind html.TokenType) tokenKind {
	s.recoveries++
	s.end = s.start
	if kind == html.CommentToken {
		s.end += len("<!")
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

// tag is a tag with those of its attributes that a reader asks for. They are
// valid until the scanner's next step.
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

// readTag reads the current tag, whose name begins at an offset of it. Of an
// attribute that is given twice the first holds.
func (s *scanner) readTag(at int) {
	s.tag.reset()
	raw := s.raw()
	end := at
	for end < len(raw) && raw[end] != '>' && raw[end] != '/' && !isTagSpace(raw[end]) {
		end++
	}
	s.tag.name, s.tag.start, s.tag.end = s.lowerName(raw[at:end]), s.start, s.end
	// The tokenizer copies names and attributes; most tags have none of the
	// latter, and are not asked.
	for more := at == len("<") && end < len(raw) && raw[end] != '>'; more; {
		var key, val []byte
		key, val, more = s.z.TagAttr()
		if field := s.tag.attribute(key); field != nil && *field == nil {
			*field, s.tag.attributed = val, true
			if val == nil {
				*field = []byte{} // given, without a value
			}
		}
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
	return bytes.ContainsFunc(b, func(r rune) bool { return 'A' <= r && r <= 'Z' })
}

// isTagSpace reports whether c separates the parts of a tag.
func isTagSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' }

// attribute returns the field for an attribute, or nil for one of no interest.
func (t *tag) attribute(key []byte) *[]byte {
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
