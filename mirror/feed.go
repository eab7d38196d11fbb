package mirror

import (
	"fmt"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// feedLength is how many posts jekyll-feed writes.
const feedLength = 10

// feed appends the Atom feed of the newest posts that have a page.
func (g *generated) feed(dst []byte, r *request) []byte {
	updated := g.siteChange().time().In(time.FixedZone("", 8*60*60)).Format(time.RFC3339)
	dst = fmt.Appendf(dst, `<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" ><generator uri="https://jekyllrb.com/" version="4.2.1">Jekyll</generator>`+
		`<link href="%[1]s/feed.xml" rel="self" type="application/atom+xml" /><link href="%[1]s/" rel="alternate" type="text/html" />`+
		`<updated>%[2]s</updated><id>%[1]s/feed.xml</id><title type="html">%[3]s</title><subtitle>%[4]s</subtitle>`,
		r.base, updated, siteTitle, siteAbout)
	from, to := g.shown()
	posts := g.all() // after shown: there may only be more by now
	for i, n := to-1, 0; i >= from && n < feedLength; i-- {
		if e := &posts[i]; !e.is(shareOnly) {
			dst = g.feedEntry(dst, i, r)
			n++
		}
	}
	return append(dst, "</feed>"...)
}

func (g *generated) feedEntry(dst []byte, i int, r *request) []byte {
	e, rev, _ := g.state(i)
	o := &g.world.outlets[e.outlet]
	address := r.base + g.path(i)
	published := e.time().Format("2006-01-02T15:04:05-07:00")
	g.write(&e, rev.number, func(a *author) {
		title := escape(string(a.title))
		dst = fmt.Appendf(dst, `<entry><title type="html">%s</title><link href="%s" rel="alternate" type="text/html" title="%[1]s" />`+
			`<published>%[3]s</published><updated>%[3]s</updated><id>%[4]s</id>`,
			title, address, published, strings.TrimSuffix(address, ".html"))
		dst = fmt.Appendf(dst, `<content type="html" xml:base="%s">`, address)
		dst = appendEscaped(dst, a.body)
	})
	dst = append(dst, "</content><author><name></name></author>"...)
	for _, term := range append(strings.Fields(o.category), o.tags...) {
		dst = fmt.Appendf(dst, `<category term="%s" />`, escape(term))
	}
	return append(dst, "</entry>"...)
}

// sitemap appends the addresses of all pages that the site shows.
func (g *generated) sitemap(dst []byte, r *request) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.sitemaps.org/schemas/sitemap/0.9 http://www.sitemaps.org/schemas/sitemap/0.9/sitemap.xsd" xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
`...)
	from, to := g.shown()
	posts := g.all() // after shown: there may only be more by now
	for i := from; i < to; i++ {
		if e := &posts[i]; !e.is(shareOnly) {
			dst = append(append(dst, "<url>\n<loc>"...), r.base...)
			dst = e.appendPath(dst, &g.world.outlets[e.outlet])
			dst = append(dst, "</loc>\n<lastmod>"...)
			dst = e.time().AppendFormat(dst, "2006-01-02T15:04:05-07:00")
			dst = append(dst, "</lastmod>\n</url>\n"...)
		}
	}
	for i := range g.world.outlets {
		dst = append(append(dst, "<url>\n<loc>"...), r.base...)
		dst = append(append(dst, g.world.outlets[i].categoryURL()...), "</loc>\n"...)
		if c := g.outletChange(i); g.planner.options.Lastmod && c.at != 0 {
			dst = append(dst, "<lastmod>"...)
			dst = c.time().In(news.Shanghai).AppendFormat(dst, time.RFC3339)
			dst = append(dst, "</lastmod>\n"...)
		}
		dst = append(dst, "</url>\n"...)
	}
	return append(append(append(dst, "<url>\n<loc>"...), r.base...), "/</loc>\n</url>\n</urlset>\n"...)
}
