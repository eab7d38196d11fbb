package page

// element is an element whose text is wanted.
type element struct {
	open bool
	at   int
	text []byte
}

// begin opens the element that starts at offset at.
func (e *element) begin(at int) { *e = element{open: true, at: at, text: e.text[:0]} }

// rawTextName returns the name if the element's content is text up to its end
// tag, whatever stands in it, and "" otherwise.
func rawTextName(name []byte) string {
	switch string(name) {
	case "script":
		return "script"
	case "style":
		return "style"
	case "title":
		return "title"
	case "iframe":
		return "iframe"
	case "textarea":
		return "textarea"
	case "noscript":
		return "noscript"
	case "noembed":
		return "noembed"
	case "noframes":
		return "noframes"
	case "xmp":
		return "xmp"
	}
	return ""
}

// IsBlock reports whether an element, by its name in lower case, stands apart from
// the text around it.
func IsBlock(name string) bool { return isBlock([]byte(name)) }

// IsCode reports whether an element's content is not meant to be read.
func IsCode(name string) bool { return isCode([]byte(name)) }

// isBlock reports whether an element begins a line of its own.
func isBlock(name []byte) bool {
	switch string(name) {
	case "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details",
		"dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
		"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "legend", "li", "main", "nav",
		"ol", "option", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul":
		return true
	}
	return false
}

// isVoid reports whether an element has no content and no end tag.
func isVoid(name []byte) bool {
	switch string(name) {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr":
		return true
	}
	return false
}

// isPicture reports whether an element shows something that is no text.
func isPicture(name []byte) bool {
	switch string(name) {
	case "img", "video", "audio", "embed", "object", "iframe", "svg", "canvas", "picture":
		return true
	}
	return false
}

// isCode reports whether an element's content is not meant to be read.
func isCode(name []byte) bool {
	switch string(name) {
	case "script", "style", "iframe", "noembed", "noframes", "noscript", "template", "textarea", "select", "title":
		return true
	}
	return false
}
