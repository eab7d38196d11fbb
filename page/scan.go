package page

import (
	"bytes"
	"errors"
	"io"

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

// What a scanner goes back behind an unclosed construct for costs up to the
// rest of the page each time. So it does so a few times, and on a large page
// only while that does not come to several times the page.
const (
	maxRecoveries = 16
	freeRecovery  = 1 << 20 // bytes that may be read again on any page
	dearRecovery  = 4       // times the page's size that may be
)

// Bounds of one tag. The tokenizer keeps a map of the names of a tag's
// attributes, which takes some hundred bytes for each, and empties it at every
// tag, which takes as long as it was ever large.
const (
	longTag       = 1 << 10  // bytes; after a longer one begins another tokenizer
	hugeTag       = 16 << 10 // bytes; the attributes of a longer one are counted
	maxAttributes = 1 << 10  // of a huge tag
)

// errTooMany ends a tokenizer that is within a tag of too many attributes.
var errTooMany = errors.New("too many attributes")

// scanner walks over a page's tokens, which tile it, and knows where each
// stands, so that a body can be cut out of the page as it was sent. It reads as
// the tokenizer of x/net/html does (WHATWG, 13.2.5) and asks it for each token that
// is not in a plain form, but for one thing: a comment, script or tag that the page
// never closes would swallow all that follows, the foot included; only its opening
// is taken for a token, and what follows is read as usual. So is a tag of 16 KiB
// with more attributes than any has.
type scanner struct {
	z          *html.Tokenizer
	src        []byte
	start, end int // of the current token
	read       int // how far the tokenizer has read
	counted    int // up to where the attributes of a huge tag were counted
	xml        bool
	heavy      bool // the tokenizer has had a long tag
	easy       bool // the current token is in a plain form
	odd        int  // how many were not

	tag       tag    // the current tag
	rawName   string // of the raw text element that the last token opened, if it did
	rawEnd    int    // where its text ends, if that tag was in a plain form
	within    string // the name of such an element where the current text token stands in one
	selfClose bool   // the current start tag ends with />
	unescaped []byte // the current text, once it was asked for
	asked     bool

	recoveries int
	reread     int      // bytes that these let be read again
	lower      [16]byte // the current tag's name, where it has upper-case letters
}

func newScanner(src []byte) *scanner {
	return &scanner{src: src}
}

// newXMLScanner returns a scanner that knows CDATA sections and whole
// elements such as <title/>.
func newXMLScanner(src []byte) *scanner {
	return &scanner{src: src, xml: true}
}

// resume begins a tokenizer at the end of the current token, which opens no raw
// text element.
func (s *scanner) resume() {
	s.read, s.heavy = s.end, false
	s.z = html.NewTokenizer(s)
	s.z.AllowCDATA(s.xml)
}

// Read gives the tokenizer the page. It is asked for more within a token, which
// begins at s.end.
func (s *scanner) Read(p []byte) (int, error) {
	if s.read-s.end >= hugeTag && s.counted <= s.end && s.rawName == "" {
		s.counted = s.end + 1
		if tooManyAttributes(s.src[s.end:]) {
			return 0, errTooMany
		}
	}
	n := copy(p, s.src[s.read:])
	s.read += n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// tooManyAttributes reports whether src begins with a tag that has more than
// maxAttributes.
func tooManyAttributes(src []byte) bool {
	if len(src) < 2 || src[0] != '<' || src[1]|0x20 < 'a' || src[1]|0x20 > 'z' {
		return false
	}
	n := 0
	for i := 1; i < len(src) && n <= maxAttributes; {
		switch c := src[i]; {
		case c == '>':
			return false
		case isTagSpace(c) || c == '/':
			i++
		case c == '=' && n > 0:
			i = afterValue(src, i+1)
		default: // a name, the tag's first
			n++
			i++
			for i < len(src) && src[i] != '=' && src[i] != '>' && src[i] != '/' && !isTagSpace(src[i]) {
				i++
			}
		}
	}
	return n > maxAttributes
}

// afterValue returns where an attribute's value ends that begins at offset i,
// or after white space there.
func afterValue(src []byte, i int) int {
	for i < len(src) && isTagSpace(src[i]) {
		i++
	}
	if i == len(src) {
		return i
	}
	if quote := src[i]; quote == '"' || quote == '\'' {
		n := bytes.IndexByte(src[i+1:], quote)
		if n < 0 {
			return len(src)
		}
		return i + 1 + n + 1
	}
	for i < len(src) && src[i] != '>' && !isTagSpace(src[i]) {
		i++
	}
	return i
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
	s.asked = false
	if s.odd < maxOdd && (s.easy || s.rawName == "") {
		kind, ok := s.plain()
		if s.easy = ok; ok {
			return kind
		}
		s.odd++
		s.resume()
	}
	return s.tokenize()
}

// inCode reports whether the current text token stands in a raw text element.
func (s *scanner) inCode() bool { return s.within != "" }

// tokenize goes to the next token, as the tokenizer tells it.
func (s *scanner) tokenize() tokenKind {
	if s.heavy && s.rawName == "" {
		s.resume()
	}
	kind := s.z.Next()
	s.start, s.end = s.end, s.end+len(s.z.Raw())
	if s.swallowed(kind) {
		return s.recover(kind)
	}
	s.within = ""
	if kind == html.TextToken {
		s.within = s.rawName
	}
	s.rawName = ""
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
			if string(s.tag.name) == "plaintext" {
				s.odd = maxOdd // all that follows is text
			}
		}
		s.heavy = s.heavy || s.end-s.start > longTag
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
	if kind == html.ErrorToken && s.z.Err() == errTooMany {
		return s.mayRecover()
	}
	if s.end < len(s.src) || s.start == s.end || !s.mayRecover() {
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

// mayRecover reports whether what follows the current token's opening may be
// read again.
func (s *scanner) mayRecover() bool {
	return s.recoveries < maxRecoveries && s.reread+s.end-s.start <= max(freeRecovery, dearRecovery*len(s.src))
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
	s.reread += s.end - s.start
	s.end = s.start
	if kind != html.TextToken {
		s.end += len("<")
	}
	s.rawName, s.within = "", ""
	s.resume()
	return tokenSkipped
}

// raw returns the current token as the page has it.
func (s *scanner) raw() []byte { return s.src[s.start:s.end] }

// text returns the current text token with its entities decoded. It is valid
// until the next step.
func (s *scanner) text() []byte {
	if !s.asked {
		s.asked = true
		if s.easy {
			s.unescaped = s.plainText()
		} else {
			s.unescaped = s.z.Text() // which gives it once
		}
	}
	return s.unescaped
}

// tag is the current tag. What it tells is valid until the scanner's next step.
type tag struct {
	name       []byte // in lower case
	start, end int    // where the tag stands in the page

	attrs attributes      // those that were read: of a tag in a plain form, all
	more  bool            // there are some that were not read yet
	z     *html.Tokenizer // which tells them
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

// attributes reads the tag's attributes, of those of one name the first. Most tags
// are of no interest to any reader, so the tokenizer is asked only when one asks.
func (t *tag) attributes() *attributes {
	for t.more {
		var key, val []byte
		key, val, t.more = t.z.TagAttr()
		t.set(key, val)
	}
	return &t.attrs
}

// set keeps an attribute that some reader asks for.
func (t *tag) set(key, val []byte) {
	if field := t.attrs.field(key); field != nil && *field == nil {
		*field, t.attrs.given = val, true
		if val == nil {
			*field = []byte{} // given, without a value
		}
	}
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

// readTag takes the current tag from the tokenizer; its name begins at an offset of
// it.
func (s *scanner) readTag(at int) {
	raw := s.raw()
	end := afterTagName(raw, at)
	s.setTag(s.lowerName(raw[at:end]))
	s.tag.z = s.z
	s.tag.more = at == len("<") && end < len(raw) && raw[end] != '>'
}

// setTag makes the current token the current tag, of that name and without
// attributes.
func (s *scanner) setTag(name []byte) {
	s.tag.forget()
	s.nameTag(name)
}

// nameTag makes the current token the current tag, of that name and with the
// attributes that were read.
func (s *scanner) nameTag(name []byte) { s.tag.name, s.tag.start, s.tag.end = name, s.start, s.end }

// forget forgets the attributes.
func (t *tag) forget() {
	t.more = false
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
