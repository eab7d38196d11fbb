// Package epub writes posts as a book for reading offline: EPUB 3.3
// (https://www.w3.org/TR/epub-33/), with contents by outlet, and a table of contents
// that readers of EPUB 2 know too. Posts in, bytes out, the same for the same posts.
// What it holds in memory of a post is its title.
package epub

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/article"
	"github.com/finarc/finarc/news"
)

// Book is what a book tells beside its posts. All of it may be empty.
type Book struct {
	Title string
	// Selection tells in words which posts these are; books of one selection have
	// one identity.
	Selection string
	Version   string // of the program
	// Share is the address of shared pages, with {infoCode} in the infoCode's place:
	// where posts can be read that are from no page of the web.
	Share string
}

// Report tells what a book holds.
type Report struct {
	Posts   int `json:"posts"`
	Outlets int `json:"outlets"`
}

// language is that of the posts (BCP 47).
const language = "zh-CN"

// Write writes a book of posts, which must be read with their bodies. Those of an
// outlet come in the order that they have. It stops at the first error of posts or
// of w.
func Write(w io.Writer, b Book, posts iter.Seq2[news.Revision, error]) (Report, error) {
	p := &press{Book: b, zip: zip.NewWriter(w), outlets: make(map[string]*outlet)}
	if err := p.mimetype(); err != nil {
		return Report{}, err
	}
	for rev, err := range posts {
		if err == nil {
			err = p.post(&rev)
		}
		if err != nil {
			return p.report(), err
		}
	}
	if err := p.rest(); err != nil {
		return p.report(), err
	}
	return p.report(), p.zip.Close()
}

// press makes one book.
type press struct {
	Book
	zip     *zip.Writer
	buffer  bytes.Buffer // the file in the making
	posts   int
	outlets map[string]*outlet
	from    time.Time // when the first post was published
	to      time.Time // and the last
	changed time.Time // when the newest of the revisions was captured
}

// outlet is one with its chapters, which are posts.
type outlet struct {
	name     string
	chapters []chapter
}

type chapter struct {
	number int
	title  string
}

func (c chapter) id() string   { return fmt.Sprintf("p%05d", c.number) }
func (c chapter) file() string { return c.id() + ".xhtml" }

func (p *press) report() Report { return Report{Posts: p.posts, Outlets: len(p.outlets)} }

// folder is where all files are but those that OCF wants elsewhere.
const folder = "EPUB/"

// mimetype writes the file by which a book is known: the first, as it is, without
// extra field (OCF, 4.2.4).
func (p *press) mimetype() error {
	const text = "application/epub+zip"
	w, err := p.zip.CreateRaw(&zip.FileHeader{
		Name: "mimetype", Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(text)),
		CompressedSize64: uint64(len(text)), UncompressedSize64: uint64(len(text)),
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// file writes a file, deflated, which OCF allows beside stored (4.2.2).
func (p *press) file(name string, data []byte) error {
	w, err := p.zip.Create(name)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// post writes a post as a chapter.
func (p *press) post(rev *news.Revision) error {
	p.posts++
	c := chapter{number: p.posts, title: strings.Clone(article.Title(&rev.Post))}
	o := p.outletOf(rev)
	o.chapters = append(o.chapters, c)
	if when := rev.When(); rev.Day() != 0 {
		if p.from.IsZero() || when.Before(p.from) {
			p.from = when
		}
		if when.After(p.to) {
			p.to = when
		}
	}
	if rev.Fetched.After(p.changed) {
		p.changed = rev.Fetched
	}
	p.buffer.Reset()
	p.chapter(&p.buffer, rev, c.title)
	return p.file(folder+c.file(), p.buffer.Bytes())
}

// outletOf returns the outlet that a post is listed under.
func (p *press) outletOf(rev *news.Revision) *outlet {
	name := article.Outlet(&rev.Post)
	if name == "" {
		name = "其他"
	}
	o := p.outlets[name]
	if o == nil {
		name = strings.Clone(name)
		o = &outlet{name: name}
		p.outlets[name] = o
	}
	return o
}

// byLength returns the outlets, those with the most posts first.
func (p *press) byLength() []*outlet {
	list := make([]*outlet, 0, len(p.outlets))
	for _, o := range p.outlets {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b *outlet) int {
		if n := len(b.chapters) - len(a.chapters); n != 0 {
			return n
		}
		return strings.Compare(a.name, b.name)
	})
	return list
}

// rest writes what is known when all posts are: title page, contents, and what tells
// of the files.
func (p *press) rest() error {
	outlets := p.byLength()
	for _, f := range []struct {
		name  string
		write func(*bytes.Buffer, []*outlet)
	}{
		{folder + "style.css", writeStyle},
		{folder + "title.xhtml", p.titlePage},
		{folder + "nav.xhtml", p.contents},
		{folder + "toc.ncx", p.oldContents},
		{folder + "package.opf", p.packageDocument},
		{"META-INF/container.xml", writeContainer},
	} {
		p.buffer.Reset()
		f.write(&p.buffer, outlets)
		if err := p.file(f.name, p.buffer.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// title returns the title of the book; where it has none, one with its days.
func (p *press) title() string {
	if title := strings.Join(strings.Fields(article.Clean(p.Title)), " "); title != "" {
		return title
	}
	return strings.TrimSpace("金融消息 " + p.days())
}

// days returns the days of the posts: of the first, and of the last if that is
// another.
func (p *press) days() string {
	if p.from.IsZero() {
		return ""
	}
	from, to := news.DayOf(p.from).String(), news.DayOf(p.to).String()
	if from == to {
		return from
	}
	return from + " – " + to
}

// identifier returns the book's: a UUID made of a hash (RFC 9562, 5.8).
func (p *press) identifier() string {
	sum := sha256.Sum256([]byte("finarc\n" + p.Title + "\n" + p.Selection))
	sum[6] = sum[6]&0x0F | 0x80
	sum[8] = sum[8]&0x3F | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// modified returns when the book last changed, as the package document tells it
// (EPUB 3.3, 5.5.4): when its newest revision was captured. A book of no posts never
// did.
func (p *press) modified() string {
	at := p.changed
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}
