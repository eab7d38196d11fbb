package jekyll

import (
	"strings"

	"golang.org/x/net/html"
)

// isPlain reports whether HTML comes out of kramdown as it is: comments and
// blocks, one after the other, with nothing but line breaks between them, and
// with tags that match. What is inside such a block kramdown leaves alone.
//
// It knows the common elements, written as the wire writes them. Everything
// else is not plain, though kramdown may keep some of it too.
func isPlain(s string) bool {
	r := reader{rest: s, plain: true}
	for r.plain && r.rest != "" {
		r.step()
	}
	return r.plain && len(r.open) == 0
}

// maxDepth is how deep elements may nest in plain HTML: kramdown recurses.
const maxDepth = 100

// A reader goes through HTML until it meets something that is not plain.
type reader struct {
	rest  string
	open  []string // the names of the elements around
	plain bool
}

// step reads the next comment, tag or text.
func (r *reader) step() {
	switch {
	case strings.HasPrefix(r.rest, "<!--"):
		r.comment()
	case strings.HasPrefix(r.rest, "</"):
		r.endTag()
	case len(r.rest) > 1 && r.rest[0] == '<' && isTagByte(r.rest[1]):
		r.startTag()
	default:
		r.text()
	}
}

// comment reads a comment that all parsers end at the same place.
func (r *reader) comment() {
	text, rest, ok := strings.Cut(r.rest[len("<!--"):], "-->")
	r.plain = ok && !strings.Contains(text, "--") && !strings.HasPrefix(text, ">") &&
		!strings.HasPrefix(text, "-") && !strings.HasSuffix(text, "-") && !hasControl(text)
	r.rest = rest
}

func (r *reader) endTag() {
	name, rest, ok := strings.Cut(r.rest[len("</"):], ">")
	n := len(r.open)
	if r.plain = ok && n > 0 && r.open[n-1] == name; r.plain {
		r.open, r.rest = r.open[:n-1], rest
	}
}

func (r *reader) startTag() {
	name := r.word()
	kind := kindOf(name)
	empty := kind == void || kind == rule
	top := len(r.open) == 0
	if r.plain = r.attributes() && kind != foreign && (!top || kind == block || kind == rule) && len(r.open) < maxDepth; !r.plain {
		return
	}
	rest, slash := strings.CutPrefix(r.rest, "/")
	r.rest, r.plain = strings.CutPrefix(rest, ">")
	if slash && !empty {
		r.plain = false // to a browser, such a tag is not closed
	}
	if !empty {
		r.open = append(r.open, name)
	}
}

// word takes the lower-case name at which the reader stands.
func (r *reader) word() string {
	r.rest = strings.TrimPrefix(r.rest, "<")
	n := 0
	for n < len(r.rest) && isNameByte(r.rest[n]) {
		n++
	}
	name := r.rest[:n]
	r.rest = r.rest[n:]
	return name
}

// attributes takes the attributes of a tag, and reports whether kramdown keeps
// them: each with its own lower-case name, after a space, and well quoted.
func (r *reader) attributes() bool {
	var names [16]string
	seen := names[:0]
	for {
		trimmed := strings.TrimLeft(r.rest, " ")
		spaced := len(trimmed) < len(r.rest)
		r.rest = trimmed
		if r.rest == "" || r.rest[0] == '>' || r.rest[0] == '/' {
			return r.rest != ""
		}
		name := r.word()
		if !spaced || name == "" || !isTagByte(name[0]) || name == "markdown" {
			return false
		}
		for _, other := range seen {
			if other == name {
				return false
			}
		}
		seen = append(seen, name)
		if strings.HasPrefix(r.rest, "=") && !r.value() {
			return false
		}
	}
}

// value takes = and an attribute's value.
func (r *reader) value() bool {
	r.rest = r.rest[1:]
	if r.rest == "" {
		return false
	}
	quote := r.rest[0]
	if quote != '"' && quote != '\'' {
		n := 0
		for n < len(r.rest) && isAlnum(rune(r.rest[n])) {
			n++
		}
		r.rest = r.rest[n:]
		return n > 0
	}
	end := strings.IndexByte(r.rest[1:], quote)
	if end < 0 {
		return false
	}
	value := r.rest[1 : end+1]
	r.rest = r.rest[end+2:]
	return !hasControl(value) && !strings.Contains(value, "\n") && ampersandsKept(value, true)
}

// text takes everything up to the next tag. A < that begins none is text to a
// browser, but not always to kramdown.
func (r *reader) text() {
	end := strings.IndexByte(r.rest, '<')
	if end < 0 {
		end = len(r.rest)
	}
	text := r.rest[:end]
	r.rest = r.rest[end:]
	between := len(r.open) == 0
	r.plain = text != "" && !hasControl(text) && (!between || strings.Trim(text, "\n") == "") && ampersandsKept(text, false)
}

// ampersandsKept reports whether every & in s means the same to kramdown, for
// which a reference ends with a semicolon, and to a browser, for which some
// need none.
func ampersandsKept(s string, attribute bool) bool {
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			return true
		}
		s = s[i+1:]
		if !ampersandKept(s, attribute) {
			return false
		}
	}
}

// ampersandKept judges one & by what follows it.
func ampersandKept(after string, attribute bool) bool {
	n := 0
	for n < len(after) && (isAlnum(rune(after[n])) || n == 0 && after[n] == '#') {
		n++
	}
	name, rest := after[:n], after[n:]
	switch {
	case strings.HasPrefix(rest, ";"):
		return n > 0
	case n == 0:
		return true
	case name[0] == '#':
		return n == 1
	case attribute && strings.HasPrefix(rest, "="):
		return true // no reference in an attribute (13.2.5.73 of the standard)
	default:
		return html.UnescapeString("&"+name) == "&"+name
	}
}

func isTagByte(c byte) bool  { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isNameByte(c byte) bool { return isTagByte(c) || isDigit(c) || c == '-' || c == '_' || c == ':' }

// hasControl reports whether s has a control character other than a tab or a
// line feed.
func hasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' || c == 0x7F {
			return true
		}
	}
	return false
}

// An elementKind is what an element is to kramdown and to a browser.
type elementKind int

const (
	foreign elementKind = iota // not known here: scripts, forms, embedded things, and where white space counts
	block                      // begins a block of its own
	rule                       // likewise, but is empty
	inner                      // stands inside others: text around it would become a paragraph, or it is ignored
	void                       // likewise, but is empty
)

func kindOf(name string) elementKind {
	switch name {
	case "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote",
		"section", "article", "aside", "header", "footer", "figure", "address", "center":
		return block
	case "hr":
		return rule
	case "li", "dt", "dd", "caption", "colgroup", "thead", "tbody", "tfoot", "tr", "td", "th", "figcaption",
		"a", "span", "strong", "b", "em", "i", "u", "s", "font", "sub", "sup", "small", "big",
		"strike", "del", "ins", "abbr", "cite", "q", "label", "mark":
		return inner
	case "br", "img", "wbr", "col":
		return void
	default:
		return foreign
	}
}
