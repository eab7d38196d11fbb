package epub

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// contents writes the navigation document (EPUB 3.3, 7): outlets, and below each its
// posts, in the order of the spine (7.4.1).
func (p *press) contents(b *bytes.Buffer, outlets []*outlet) {
	beginPage(b, "目录")
	b.WriteString(`<nav epub:type="toc" id="toc">` + "\n<h1>目录</h1>\n<ol>\n")
	b.WriteString(`<li><a href="title.xhtml">` + escaped(p.title()) + "</a></li>\n")
	for _, o := range outlets {
		fmt.Fprintf(b, "<li><span>%s（%d）</span>\n<ol>\n", escaped(o.name), len(o.chapters))
		for _, c := range o.chapters {
			b.WriteString(`<li><a href="` + c.file() + `">` + escaped(c.title) + "</a></li>\n")
		}
		b.WriteString("</ol>\n</li>\n")
	}
	b.WriteString("</ol>\n</nav>\n")
	endPage(b)
}

// oldContents writes the same for readers of EPUB 2 (OPF 2.0.1, 2.4.1).
func (p *press) oldContents(b *bytes.Buffer, outlets []*outlet) {
	b.WriteString(xml.Header + `<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1" xml:lang="` + language + `">` + "\n")
	b.WriteString(`<head><meta name="dtb:uid" content="` + p.identifier() + `"/></head>` + "\n")
	b.WriteString("<docTitle><text>" + escaped(p.title()) + "</text></docTitle>\n<navMap>\n")
	point := func(id, label, to string) {
		b.WriteString(`<navPoint id="` + id + `"><navLabel><text>` + escaped(label) + `</text></navLabel><content src="` + to + `"/>`)
	}
	point("title", p.title(), "title.xhtml")
	b.WriteString("</navPoint>\n")
	for i, o := range outlets {
		point(fmt.Sprintf("o%d", i+1), o.name, o.chapters[0].file())
		b.WriteByte('\n')
		for _, c := range o.chapters {
			point(c.id(), c.title, c.file())
			b.WriteString("</navPoint>\n")
		}
		b.WriteString("</navPoint>\n")
	}
	b.WriteString("</navMap>\n</ncx>\n")
}

// packageDocument writes what tells of the book and its files (EPUB 3.3, 5).
func (p *press) packageDocument(b *bytes.Buffer, outlets []*outlet) {
	b.WriteString(xml.Header + `<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="` + language + `">` + "\n")
	b.WriteString(`<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">` + "\n")
	b.WriteString(`<dc:identifier id="id">` + p.identifier() + "</dc:identifier>\n")
	b.WriteString("<dc:title>" + escaped(p.title()) + "</dc:title>\n")
	b.WriteString("<dc:language>" + language + "</dc:language>\n")
	if p.Selection != "" {
		b.WriteString("<dc:description>" + escaped(p.Selection) + "</dc:description>\n")
	}
	b.WriteString(`<meta property="dcterms:modified">` + p.modified() + "</meta>\n</metadata>\n<manifest>\n")
	const item = `<item id="%s" href="%s" media-type="%s"/>` + "\n"
	const xhtml = "application/xhtml+xml"
	b.WriteString(`<item id="nav" href="nav.xhtml" media-type="` + xhtml + `" properties="nav"/>` + "\n")
	fmt.Fprintf(b, item, "ncx", "toc.ncx", "application/x-dtbncx+xml")
	fmt.Fprintf(b, item, "style", "style.css", "text/css")
	fmt.Fprintf(b, item, "title", "title.xhtml", xhtml)
	for _, o := range outlets {
		for _, c := range o.chapters {
			fmt.Fprintf(b, item, c.id(), c.file(), xhtml)
		}
	}
	b.WriteString("</manifest>\n" + `<spine toc="ncx">` + "\n" + `<itemref idref="title"/>` + "\n" + `<itemref idref="nav"/>` + "\n")
	for _, o := range outlets {
		for _, c := range o.chapters {
			b.WriteString(`<itemref idref="` + c.id() + `"/>` + "\n")
		}
	}
	b.WriteString("</spine>\n</package>\n")
}

// writeContainer writes where the package document is (OCF, 4.2.6.3.1).
func writeContainer(b *bytes.Buffer, _ []*outlet) {
	b.WriteString(xml.Header + `<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="` + folder + `package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
`)
}
