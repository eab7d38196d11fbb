package jekyll

import (
	"html"
	"strings"

	"github.com/finarc/finarc/news"
)

// backWord begins the texts of the links that lead back.
const backWord = "返回"

// footSource is the foot of a post's file.
type footSource struct {
	isShare bool          // there is a link to the shared page
	share   string        // its address; empty where the file has <>
	code    news.InfoCode // that it names
	at      int           // where it stands in the text
	back    string        // the paragraph of links that lead back, as HTML
}

// cutFoot cuts the text of a file into the article and the foot that the mirror
// adds below: the link to the shared page, and the links back.
func cutFoot(text string) (article string, f footSource) {
	article = strings.TrimRight(text, " \t\n")
	before, last := cutBlock(article)
	if back, ok := backLinks(last); ok {
		f.back = back
		article = strings.TrimRight(before, " \t\n")
		before, last = cutBlock(article)
	}
	share, ok := automatic(last)
	code, named := news.FindInfoCode(share)
	if !ok || !named && (share != "" || f.back == "") {
		return article, f
	}
	f.isShare, f.share, f.code, f.at = true, share, code, len(article)-len(last)
	return strings.TrimRight(before, " \t\n"), f
}

// cutBlock cuts off the last block of a Markdown text.
func cutBlock(text string) (before, last string) {
	at := strings.LastIndex(text, "\n\n")
	if at < 0 {
		return "", strings.TrimLeft(text, "\n")
	}
	return text[:at], strings.TrimLeft(text[at:], "\n")
}

// automatic returns the address of an automatic link, which may be empty.
func automatic(s string) (string, bool) {
	s, opened := strings.CutPrefix(s, "<")
	s, closed := strings.CutSuffix(s, ">")
	return s, opened && closed && !strings.ContainsAny(s, "<> \t\n\"") && (s == "" || strings.Contains(s, "://"))
}

// backLinks returns a block of Markdown links that all lead back, as HTML.
func backLinks(s string) (string, bool) {
	var b strings.Builder
	for {
		text, rest, ok := strings.Cut(strings.TrimPrefix(s, "["), "](")
		href, rest, closed := cutHref(rest)
		if !ok || !closed || !strings.HasPrefix(s, "["+backWord) || strings.ContainsAny(text, "[]<>\n") {
			return "", false
		}
		b.WriteString(link(href, text))
		if rest == "" {
			return "<p>" + b.String() + "</p>", true
		}
		separator, next, ok := cutSeparator(rest)
		if !ok {
			return "", false
		}
		b.WriteString(separator)
		s = next
	}
}

// cutHref cuts a link's address off, at the bracket that closes it.
func cutHref(s string) (href, rest string, ok bool) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '\n', '<', '>', '"':
			return "", "", false
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return s[:i], s[i+1:], true
			}
			depth--
		}
	}
	return "", "", false
}

// html returns the foot as the mirror's page has it.
func (f *footSource) html() string {
	var paragraphs []string
	switch {
	case f.share != "":
		paragraphs = append(paragraphs, "<p>"+link(f.share, f.share)+"</p>")
	case f.isShare:
		paragraphs = append(paragraphs, "<p>"+html.EscapeString("<>")+"</p>")
	}
	if f.back != "" {
		paragraphs = append(paragraphs, f.back)
	}
	return strings.Join(paragraphs, "\n\n")
}
