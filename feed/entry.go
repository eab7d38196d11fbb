package feed

import (
	"encoding/xml"

	"github.com/finarc/finarc/article"
	"github.com/finarc/finarc/news"
)

// entry is an atom:entry (RFC 4287, 4.1.2).
type entry struct {
	XMLName    xml.Name   `xml:"entry"`
	ID         string     `xml:"id"`
	Title      text       `xml:"title"`
	Published  string     `xml:"published,omitempty"`
	Updated    string     `xml:"updated"`
	Author     string     `xml:"author>name"`
	Links      []Link     `xml:"link"`
	Categories []category `xml:"category"`
	Summary    *text      `xml:"summary"`
	Content    *text      `xml:"content"`
}

// text is a text construct (3.1).
type text struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

func plain(s string) text { return text{"text", article.Clean(s)} }

type category struct {
	Term   string `xml:"term,attr"`
	Scheme string `xml:"scheme,attr,omitempty"`
	Label  string `xml:"label,attr,omitempty"`
}

// entry returns the entry of a post. It is updated when the revision was captured,
// that is, when its text was first seen so.
func (f *Feed) entry(rev *news.Revision) (*entry, error) {
	e := &entry{
		ID: f.entryID(rev), Title: plain(article.Title(&rev.Post)), Updated: moment(rev.Fetched),
		Author: author(&rev.Post), Categories: categories(&rev.Post),
	}
	if !rev.Published.IsZero() {
		e.Published = moment(rev.Published)
	}
	if link := f.page(rev); link != "" {
		e.Links = []Link{{Rel: "alternate", Type: "text/html", Href: link}}
	}
	if rev.Digest != "" {
		summary := plain(rev.Digest)
		e.Summary = &summary
	}
	// An entry without an alternate link must have content (4.1.2).
	if f.Summaries && len(e.Links) > 0 {
		return e, nil
	}
	html, err := article.HTML(rev.Body, article.Options{Base: rev.URL})
	e.Content = &text{"html", html}
	return e, err
}

// page returns the address at which a post is to be read; "" where there is none.
func (f *Feed) page(rev *news.Revision) string {
	if f.Page != nil {
		return f.Page(rev)
	}
	return article.Link(&rev.Post, rev.URL, f.Share)
}

// entryID returns the identity of a post's entry: the same for all of its revisions
// and in all feeds of the authority.
func (f *Feed) entryID(rev *news.Revision) string {
	day := firstDay
	if d := rev.ID.Day(); d != 0 {
		day = d.String()
	}
	return "tag:" + f.authority() + "," + day + ":" + escape(string(rev.ID))
}

// author returns who an entry is by, which must be told (4.1.1).
func author(p *news.Post) string {
	if name := article.Outlet(p); name != "" {
		return name
	}
	return "未知"
}

// categories returns the post's categories, of which one alone is labelled with its
// tag, and its securities.
func categories(p *news.Post) []category {
	var list []category
	terms := p.Categories()
	for _, term := range terms {
		c := category{Term: article.Clean(term)}
		if len(terms) == 1 {
			c.Label = article.Clean(p.Tag)
		}
		if c.Term != "" {
			list = append(list, c)
		}
	}
	for _, m := range p.Securities {
		list = append(list, category{Term: article.Clean(m.String()), Scheme: securityScheme, Label: article.Clean(m.Name)})
	}
	return list
}
