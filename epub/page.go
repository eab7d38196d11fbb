package epub

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/finarc/finarc/article"
	"github.com/finarc/finarc/news"
)

// escaped returns text as XML has it.
func escaped(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(article.Clean(s))); err != nil {
		return "" // a Builder takes everything
	}
	return b.String()
}

// beginPage writes a content document (EPUB 3.3, 6.1) up to its body.
func beginPage(b *bytes.Buffer, title string) {
	b.WriteString(xml.Header + "<!DOCTYPE html>\n" +
		`<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="` + language + `" xml:lang="` + language + `">` +
		"\n<head>\n<title>" + escaped(title) + "</title>\n" + `<link rel="stylesheet" type="text/css" href="style.css"/>` + "\n</head>\n<body>\n")
}

func endPage(b *bytes.Buffer) { b.WriteString("</body>\n</html>\n") }

func writeStyle(b *bytes.Buffer, _ []*outlet) {
	b.WriteString(`body { line-height: 1.6; }
h1 { font-size: 1.4em; }
p { margin: 0.5em 0; text-indent: 2em; }
p.of, td p, th p, li p { text-indent: 0; }
p.of { color: #666; font-size: 0.85em; }
table { border-collapse: collapse; }
td, th { border: 1px solid #999; padding: 0.2em 0.5em; }
pre { white-space: pre-wrap; }
`)
}

// chapter writes the page of a post: title, time, outlet and source, text, and a link to
// where it is from.
func (p *press) chapter(b *bytes.Buffer, rev *news.Revision, title string) {
	beginPage(b, title)
	b.WriteString("<h1>" + escaped(title) + "</h1>\n")
	var of []string
	for _, s := range []string{published(&rev.Post), article.Outlet(&rev.Post), rev.Source} {
		if s != "" && (len(of) == 0 || s != of[len(of)-1]) {
			of = append(of, s)
		}
	}
	if len(of) > 0 {
		b.WriteString(`<p class="of">` + escaped(strings.Join(of, " · ")) + "</p>\n")
	}
	if rev.Lost {
		b.WriteString("<p>（归档受损，正文已失。）</p>\n")
	}
	root := article.Parse(rev.Body, article.Options{Base: rev.URL, NoPictures: true})
	for block := range root.ChildNodes() {
		writeNode(b, block)
		b.WriteByte('\n')
	}
	if link := article.Link(&rev.Post, rev.URL, p.Share); link != "" {
		b.WriteString(`<p class="of"><a href="` + escaped(link) + `">原文</a></p>` + "\n")
	}
	endPage(b)
}

// published tells when a post was published, as far as that is known.
func published(post *news.Post) string {
	switch {
	case !post.Published.IsZero():
		return post.Published.In(news.Shanghai).Format(time.DateTime)
	case post.Day() != 0:
		return post.Day().String()
	}
	return ""
}

// writeNode writes a node of an article as XML.
func writeNode(b *bytes.Buffer, n *html.Node) {
	if n.Type == html.TextNode {
		b.WriteString(escaped(n.Data))
		return
	}
	b.WriteString("<" + n.Data)
	for _, a := range n.Attr {
		b.WriteString(" " + a.Key + `="` + escaped(a.Val) + `"`)
	}
	if n.DataAtom == atom.Br || n.DataAtom == atom.Hr {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	for child := range n.ChildNodes() {
		writeNode(b, child)
	}
	b.WriteString("</" + n.Data + ">")
}

// titlePage writes what the book is.
func (p *press) titlePage(b *bytes.Buffer, outlets []*outlet) {
	beginPage(b, p.title())
	b.WriteString("<h1>" + escaped(p.title()) + "</h1>\n")
	if days := p.days(); days != "" {
		b.WriteString(`<p class="of">` + days + "</p>\n")
	}
	fmt.Fprintf(b, "<p class=\"of\">%d 家媒体，%d 篇文章</p>\n", len(outlets), p.posts)
	if p.Selection != "" {
		b.WriteString(`<p class="of">` + escaped(p.Selection) + "</p>\n")
	}
	b.WriteString(`<p class="of">` + escaped(strings.TrimSpace("finarc "+p.Version)) + "</p>\n")
	endPage(b)
}
