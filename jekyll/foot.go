package jekyll

import (
	"html"
	"net/url"
	"strings"
	"unicode"

	"github.com/finarc/finarc/news"
)

// infoCodeMark stands for the infoCode in [Options.Share].
const infoCodeMark = "{infoCode}"

// makeFoot returns the foot that the mirror would put below the post, as HTML,
// as far as it is known.
func makeFoot(rev *news.Revision, o Options) string {
	var paragraphs []string
	if share := shareAddress(rev, o); share != "" {
		paragraphs = append(paragraphs, "<p>"+link(share, share)+"</p>")
	}
	if site := withoutScheme(o.Site); site != "" {
		home := link(site, "返回首页")
		if rev.Category != "" && rev.Tag != "" {
			home = link(site+"category/"+url.PathEscape(rev.Category)+".html", "返回"+rev.Tag) + backSeparator + home
		}
		paragraphs = append(paragraphs, "<p>"+home+"</p>")
	}
	return strings.Join(paragraphs, "\n\n")
}

// backSeparator stands between the links back to the category and home.
const backSeparator = "｜"

// withoutScheme returns a site's address as the mirror writes it, //host/, or
// "" for none.
func withoutScheme(site string) string {
	_, rest, ok := strings.Cut(site, "://")
	if !ok {
		return ""
	}
	return "//" + strings.TrimSuffix(rest, "/") + "/"
}

func link(href, text string) string {
	return `<a href="` + html.EscapeString(href) + `">` + html.EscapeString(text) + "</a>"
}

// footText returns a foot, given as HTML, in the Markdown from which the mirror
// makes it, or else as protected HTML.
func footText(foot string) (string, error) {
	foot = strings.TrimSpace(strings.ToValidUTF8(foot, "\uFFFD"))
	if text, ok := footMarkdown(foot); ok {
		return text, nil
	}
	return protect(foot)
}

// footMarkdown turns paragraphs of plain links into Markdown, if all of the
// foot is that.
func footMarkdown(foot string) (string, bool) {
	var paragraphs []string
	for foot != "" {
		text, rest, ok := strings.Cut(foot, "</p>")
		text, opened := strings.CutPrefix(text, "<p>")
		links, plain := linksMarkdown(text)
		if !ok || !opened || !plain {
			return "", false
		}
		paragraphs = append(paragraphs, links)
		foot = strings.TrimSpace(rest)
	}
	return strings.Join(paragraphs, "\n\n"), true
}

// linksMarkdown turns links, with separators or line breaks between them, into
// Markdown.
func linksMarkdown(s string) (string, bool) {
	var b strings.Builder
	for {
		rest, ok := strings.CutPrefix(s, `<a href="`)
		href, rest, quoted := strings.Cut(rest, `">`)
		text, rest, closed := strings.Cut(rest, "</a>")
		written, plain := linkMarkdown(html.UnescapeString(href), html.UnescapeString(text))
		if !ok || !quoted || !closed || !plain {
			return "", false
		}
		b.WriteString(written)
		if rest == "" {
			return b.String(), true
		}
		separator, s2, ok := cutSeparator(rest)
		if !ok {
			return "", false
		}
		b.WriteString(separator)
		s = s2
	}
}

func cutSeparator(s string) (separator, rest string, ok bool) {
	for _, separator := range []string{backSeparator, "\n"} {
		if rest, ok := strings.CutPrefix(s, separator); ok {
			return separator, rest, true
		}
	}
	return "", s, false
}

// linkMarkdown writes a link if kramdown reads the same from it: as an
// automatic one where the text is the address.
func linkMarkdown(href, text string) (string, bool) {
	if href == text && isAutomatic(href) {
		return "<" + href + ">", true
	}
	return "[" + text + "](" + href + ")", isPlainHref(href) && isPlainText(text)
}

// isAutomatic reports whether kramdown makes a link of <href>.
func isAutomatic(href string) bool {
	return (strings.HasPrefix(href, "http://") || strings.HasPrefix(href, "https://")) &&
		isPlainHref(href) && !strings.Contains(href, " ")
}

// isPlainHref reports whether nothing in an address ends it early or means
// something to kramdown: brackets must match, and no reference may stand in it.
func isPlainHref(href string) bool {
	depth := 0
	for _, r := range href {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r > 0x7F && unicode.IsPrint(r), isAlnum(r), strings.ContainsRune("-._~:/?#@!$&*+,;=% ", r):
		default:
			return false
		}
		if depth < 0 {
			return false
		}
	}
	return href != "" && depth == 0 && href == strings.TrimSpace(href) && ampersandsKept(href, true) && !hasReference(href)
}

// hasReference reports whether s holds what HTML reads as a character
// reference.
func hasReference(s string) bool { return html.UnescapeString(s) != s }

// isPlainText reports whether the text of a link means nothing to kramdown,
// its typography (--, ...) included.
func isPlainText(text string) bool {
	for _, r := range text {
		if !isAlnum(r) && !strings.ContainsRune(" -.,()/+", r) && (r <= 0x7F || !unicode.IsPrint(r)) {
			return false
		}
	}
	return text != "" && text == strings.TrimSpace(text) && !strings.Contains(text, "--") && !strings.Contains(text, "..")
}
