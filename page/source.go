package page

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSource is the length in runes above which a group in brackets is no
// outlet's name.
const maxSource = 20

// sourceOfMedia returns the outlet that an em_media paragraph names:
// （文章来源：21财经）.
func sourceOfMedia(text string) string {
	inner, ok := trimBrackets(text)
	if !ok {
		inner = text
	}
	if name, ok := cutSourceLabel(inner); ok {
		return name
	}
	if looksLikeOutlet(inner) && utf8.RuneCountInString(inner) <= maxSource {
		return inner
	}
	return ""
}

// sourceAtEnd returns the outlet named at the very end of an article's text:
// （来源：第一财经） always, and a plain (央视新闻) where it stands behind a
// whole sentence and looks like a name.
func sourceAtEnd(body []byte) string {
	before, inner, ok := cutLastGroup(lastLine(body))
	if !ok {
		return ""
	}
	if name, ok := cutSourceLabel(inner); ok {
		return name
	}
	if endsSentence(before) && looksLikeOutlet(inner) {
		return inner
	}
	return ""
}

// lastLine returns the last line of an article's plain text. It reads only the
// article's tail, a few paragraphs at most.
func lastLine(body []byte) string {
	const tail = 2048
	if cut := len(body) - tail; cut > 0 {
		open := bytes.IndexByte(body[cut:], '<')
		if open < 0 {
			return ""
		}
		body = body[cut+open:]
	}
	if !bytes.ContainsAny(body, ")）") {
		return ""
	}
	text := textOf(body)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// cutLastGroup splits a line that ends with a short group in brackets.
func cutLastGroup(line string) (before, inner string, ok bool) {
	open := lastOpening(line)
	inner, ok = trimBrackets(line[open:])
	return line[:open], inner, ok && utf8.RuneCountInString(inner) <= maxSource
}

// lastOpening returns where the group in brackets that ends a line begins: its
// name may have brackets of its own. It is the line's end if there is none.
func lastOpening(line string) int {
	depth := 0
	for i := len(line); i > 0; {
		r, size := utf8.DecodeLastRuneInString(line[:i])
		i -= size
		switch r {
		case ')', '）':
			depth++
		case '(', '（':
			if depth--; depth == 0 {
				return i
			}
		}
		if depth <= 0 {
			break // the line ends with no group
		}
	}
	return len(line)
}

// trimBrackets takes off the brackets, of either width, around s.
func trimBrackets(s string) (inner string, ok bool) {
	for _, open := range []string{"(", "（"} {
		for _, shut := range []string{")", "）"} {
			if len(s) >= len(open)+len(shut) && strings.HasPrefix(s, open) && strings.HasSuffix(s, shut) {
				return strings.TrimSpace(s[len(open) : len(s)-len(shut)]), true
			}
		}
	}
	return "", false
}

// cutSourceLabel takes 文章来源： or 来源： off the front.
func cutSourceLabel(s string) (name string, ok bool) {
	s = strings.TrimPrefix(s, "文章")
	s, ok = strings.CutPrefix(s, "来源")
	if !ok {
		return "", false
	}
	for _, colon := range []string{"：", ":"} {
		if name, ok := strings.CutPrefix(strings.TrimSpace(s), colon); ok {
			return strings.TrimSpace(name), true
		}
	}
	return "", false
}

// endsSentence reports whether a line ends with a whole sentence, or is empty.
func endsSentence(line string) bool {
	line = strings.TrimSpace(line)
	if line == "" {
		return true
	}
	r, _ := utf8.DecodeLastRuneInString(line)
	return strings.ContainsRune("。！？…”」』.!?", r)
}

// looksLikeOutlet reports whether a group in brackets can be an outlet's name:
// Chinese, without punctuation, and none of the usual notes to the reader.
func looksLikeOutlet(s string) bool {
	for _, note := range []string{"完", "记者", "编辑", "责编", "作者", "图", "注", "单位", "见习", "实习", "未经", "本文", "文中", "如有"} {
		if strings.HasPrefix(s, note) {
			return false
		}
	}
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) &&
		!strings.ContainsAny(s, "，。；：、！？“”,;:!?%《》/|<>")
}

// leadingDigest returns the digest that opens a body: a quotation, or a
// paragraph that begins with "> ". A hidden paragraph may stand before it.
func leadingDigest(body []byte) string {
	body = skipHidden(body)
	if quote, ok := cutElement(body, "blockquote"); ok {
		return strings.ReplaceAll(textOf(quote), "\n", " ")
	}
	p, ok := cutElement(body, "p")
	if !ok {
		return ""
	}
	inner := bytes.TrimSpace(p[bytes.IndexByte(p, '>')+1:])
	if !bytes.HasPrefix(inner, []byte("&gt;")) && !bytes.HasPrefix(inner, []byte(">")) {
		return ""
	}
	return strings.TrimSpace(strings.TrimPrefix(textOf(p), ">"))
}

// maxHidden bounds how many comments and hidden paragraphs are skipped.
const maxHidden = 64

// skipHidden returns what follows the comments and hidden paragraphs at the
// start of a body.
func skipHidden(body []byte) []byte {
	for range maxHidden {
		body = bytes.TrimSpace(body)
		if bytes.HasPrefix(body, []byte("<!--")) {
			end := bytes.Index(body, []byte("-->"))
			if end < 0 {
				return nil
			}
			body = body[end+len("-->"):]
			continue
		}
		p, ok := cutElement(body, "p")
		if !ok || !bytes.Contains(p[:bytes.IndexByte(p, '>')+1], []byte("display")) || textOf(p) != "" {
			return body
		}
		body = body[len(p):]
	}
	return nil
}

// cutElement returns the element called name at the start of body, up to its
// first end tag.
func cutElement(body []byte, name string) (element []byte, ok bool) {
	if len(body) <= len(name)+1 || body[0] != '<' || string(body[1:len(name)+1]) != name {
		return nil, false
	}
	if c := body[len(name)+1]; c != '>' && c != ' ' {
		return nil, false
	}
	shut := "</" + name + ">"
	end := bytes.Index(body, []byte(shut))
	if end < 0 {
		return nil, false
	}
	return body[:end+len(shut)], true
}
