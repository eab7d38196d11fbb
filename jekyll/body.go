package jekyll

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxTags bounds the bodies that are parsed: an article has some hundreds of
// tags, and of unclosed ones the parser's time grows with the square.
const maxTags = 20_000

// protect returns HTML as it has to stand in a Markdown file to come out with
// the same DOM.
func protect(s string) (string, error) {
	s = strings.ToValidUTF8(s, "\uFFFD") // kramdown stops at anything else
	if isPlain(s) {
		return s, nil
	}
	if strings.Count(s, "<") > maxTags {
		return "", fmt.Errorf("the body has more than %d tags", maxTags)
	}
	nodes, err := parseFragment(s)
	if err != nil {
		return "", err
	}
	if !isContained(s, nodes) {
		s, err = render(nodes)
	}
	return withoutMarkdown(s), err
}

// withoutMarkdown puts s where kramdown copies it.
func withoutMarkdown(s string) string {
	start := "{::nomarkdown}\n"
	if first := strings.TrimLeft(s, " "); strings.HasPrefix(first, "-") || strings.HasPrefix(first, "=") {
		start += "\n" // else the line above might be a heading, underlined by this one
	}
	return start + guardStop(s) + "\n{:/nomarkdown}"
}

// isContained reports whether s, set into a page, is just the nodes that it is
// by itself: it leaves nothing open, and closes nothing around it.
func isContained(s string, nodes []*html.Node) bool {
	const before, after = "<main><section><article><div>", "<small></small>"
	doc, err := html.Parse(strings.NewReader("<!DOCTYPE html><body>" + before + s + after))
	if err != nil {
		return false
	}
	var want strings.Builder
	want.WriteString("<html><head></head><body>" + before)
	for _, n := range nodes {
		want.WriteString(treeOf(n))
	}
	want.WriteString(after + "</div></article></section></main></body></html>")
	return treeOf(doc.LastChild) == want.String()
}

// treeOf returns a text by which trees can be compared.
func treeOf(n *html.Node) string {
	var b strings.Builder
	if html.Render(&b, n) != nil {
		return "" // cannot be written, hence is no tree like any other
	}
	return b.String()
}

// render returns nodes as HTML in which every element is closed.
func render(nodes []*html.Node) (string, error) {
	var b strings.Builder
	for _, n := range nodes {
		tame(n)
		if err := html.Render(&b, n); err != nil {
			return "", fmt.Errorf("write HTML: %w", err)
		}
	}
	return b.String(), nil
}

func parseFragment(s string) ([]*html.Node, error) {
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(s), body)
	if err != nil {
		return nil, fmt.Errorf("parse HTML: %w", err)
	}
	return nodes, nil
}

// tame changes what would reach beyond its end tag: a plaintext element has
// none, and in a script <!-- and <script make it need two
// (https://html.spec.whatwg.org/#restrictions-for-contents-of-script-elements).
func tame(root *html.Node) {
	switch root.DataAtom {
	case atom.Plaintext:
		root.Data, root.DataAtom = "pre", atom.Pre
	case atom.Script:
		if text := root.FirstChild; text != nil {
			text.Data = strings.ReplaceAll(text.Data, "<!--", `<\!--`)
		}
	}
	for n := range root.ChildNodes() {
		tame(n)
	}
}

// stopLine finds lines that kramdown takes for the end of a nomarkdown block.
var stopLine = regexp.MustCompile(`(?m)^( {0,3})\{:/`)

// guardStop changes the writing, not the meaning, of lines in HTML that would
// end a nomarkdown block: the brace becomes a reference, or, where none is read,
// as in scripts and comments, the line is indented.
func guardStop(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n") // as kramdown does, and HTML
	if !stopLine.MatchString(s) {
		return s
	}
	var b strings.Builder
	verbatim := false // whether a reference would be left as it is written
	z := html.NewTokenizer(strings.NewReader(s))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		token := string(z.Raw())
		if kind == html.CommentToken || kind == html.DoctypeToken || kind == html.TextToken && verbatim {
			b.WriteString(stopLine.ReplaceAllString(token, "$1    {:/")) // indented, it stops nothing
			continue
		}
		if kind != html.TextToken {
			name, _ := z.TagName()
			verbatim = kind == html.StartTagToken && isVerbatim(string(name))
		}
		b.WriteString(stopLine.ReplaceAllString(token, "$1&#123;:/"))
	}
	return b.String()
}

// isVerbatim reports whether the text of an element is not read for references
// (13.2.5.3 of the standard).
func isVerbatim(name string) bool {
	switch name {
	case "script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext":
		return true
	default:
		return false
	}
}
