// Package feed writes posts as Atom feeds (RFC 4287). Posts in, XML out: it has no
// store, no network and no clock.
package feed

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/finarc/finarc/article"
	"github.com/finarc/finarc/news"
)

// Feed is what a feed tells beside its entries. All but Authority may be empty.
type Feed struct {
	// Authority is the name of a host or a mail address, in whose name feed and
	// entries have their identities: tag URIs (RFC 4151).
	Authority string
	// Name tells the feed from others of the authority, and never changes.
	Name     string
	Title    string
	Subtitle string
	// Updated is when the feed last changed, as [Updated] tells; zero: never.
	Updated time.Time
	Links   []Link
	Version string // of the program
	// Share is the address of shared pages, with {infoCode} in the infoCode's place:
	// where posts can be read that are from no page of the web.
	Share string
	// Page returns the address at which a post is to be read; nil: at that of the
	// page that it was got from.
	Page func(*news.Revision) string
	// Summaries leaves the articles out; what is left is their digests.
	Summaries bool
}

// Link is a link of the feed as a whole. Rel is self, alternate or another of RFC
// 4287, 4.2.7.2; or first, previous, next or last, where the feed is one page of
// several (RFC 5005, 3).
type Link struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

// MediaType is that of a feed, as a link to one tells it (RFC 4287, 7).
const MediaType = "application/atom+xml"

// securityScheme is that of categories which are securities: their addresses begin
// with it.
const securityScheme = "http://quote.eastmoney.com/unify/r/"

// Updated returns when the newest of the revisions was captured: when a feed of them
// last changed. Of no revisions it is the zero time.
func Updated(posts iter.Seq2[news.Revision, error]) (time.Time, error) {
	var newest time.Time
	for rev, err := range posts {
		if err != nil {
			return newest, err
		}
		if rev.Fetched.After(newest) {
			newest = rev.Fetched
		}
	}
	return newest, nil
}

// Write writes the feed with an entry for each post, in their order, and returns how
// many these were. Articles take posts that were read with their bodies. It stops at
// the first error of posts or of w.
func Write(w io.Writer, f Feed, posts iter.Seq2[news.Revision, error]) (int, error) {
	out := bufio.NewWriter(w)
	enc := xml.NewEncoder(out)
	enc.Indent("", " ")
	if err := f.begin(out, enc); err != nil {
		return 0, err
	}
	n := 0
	for rev, err := range posts {
		if err != nil {
			return n, err
		}
		e, err := f.entry(&rev)
		if err != nil {
			return n, fmt.Errorf("post %s: %w", rev.ID, err)
		}
		if err := enc.Encode(e); err != nil {
			return n, err
		}
		n++
	}
	if _, err := io.WriteString(out, "\n</feed>\n"); err != nil {
		return n, err
	}
	return n, out.Flush()
}

// begin writes what stands before the entries (RFC 4287, 4.1.1).
func (f *Feed) begin(out io.Writer, enc *xml.Encoder) error {
	const start = xml.Header + `<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">` + "\n"
	if _, err := io.WriteString(out, start); err != nil {
		return err
	}
	type element struct {
		XMLName xml.Name
		Text    string `xml:",chardata"`
	}
	type program struct {
		XMLName xml.Name `xml:"generator"`
		URI     string   `xml:"uri,attr"`
		Version string   `xml:"version,attr,omitempty"`
		Name    string   `xml:",chardata"`
	}
	type link struct {
		XMLName xml.Name `xml:"link"`
		Link
	}
	named := func(name, text string) element { return element{xml.Name{Local: name}, article.Clean(text)} }
	parts := []any{named("id", f.id()), named("title", f.Title), named("updated", moment(f.Updated))}
	if f.Subtitle != "" {
		parts = append(parts, named("subtitle", f.Subtitle))
	}
	for _, l := range f.Links {
		parts = append(parts, link{Link: l})
	}
	parts = append(parts, program{URI: "https://github.com/finarc/finarc", Version: article.Clean(f.Version), Name: "finarc"})
	for _, part := range parts {
		if err := enc.Encode(part); err != nil {
			return err
		}
	}
	return nil
}

// moment formats a time as RFC 3339 has it (RFC 4287, 3.3), in Shanghai.
func moment(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.In(news.Shanghai).Format(time.RFC3339)
}

// firstDay stands in the identities of feeds, which have no day of their own.
const firstDay = "2021-12-08"

func (f *Feed) id() string {
	return "tag:" + f.authority() + "," + firstDay + ":feed/" + escape(f.Name)
}

// authority returns the authority with what RFC 4151, 2.1, allows.
func (f *Feed) authority() string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (isAlnum(r) || strings.ContainsRune("-._@", r)) {
			return r
		}
		return '-'
	}, strings.ToLower(f.Authority))
}

func isAlnum(r rune) bool { return '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z' }

// escape returns text as the last part of a tag URI.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
