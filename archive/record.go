package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unsafe"

	"github.com/finarc/finarc/news"
)

// record is the front matter of one revision: what lists and searches need
// without unpacking the capture. Its numbers are part of the format: a number
// is never used again for another field.
type record struct {
	ID        []byte    `cbor:"1,keyasint"` // packed, see keys.go
	Kind      string    `cbor:"2,keyasint,omitempty"`
	Title     string    `cbor:"3,keyasint,omitempty"`
	Published int64     `cbor:"4,keyasint,omitempty"` // seconds since 1970
	Category  string    `cbor:"5,keyasint,omitempty"`
	Tag       string    `cbor:"6,keyasint,omitempty"`
	Outlet    string    `cbor:"7,keyasint,omitempty"` // absent where the tag says it
	Source    string    `cbor:"8,keyasint,omitempty"` // absent where it is the outlet
	Digest    string    `cbor:"9,keyasint,omitempty"`
	Body      part      `cbor:"10,keyasint,omitzero"`
	Foot      part      `cbor:"11,keyasint,omitzero"`
	Related   [][]byte  `cbor:"12,keyasint,omitempty"`
	Mentions  []mention `cbor:"13,keyasint,omitempty"` // boards too
	URL       string    `cbor:"14,keyasint,omitempty"`
	Fetched   int64     `cbor:"15,keyasint"` // milliseconds since 1970
	Mode      news.Mode `cbor:"16,keyasint,omitempty"`
	Mirror    string    `cbor:"17,keyasint,omitempty"`
	Raw       []byte    `cbor:"18,keyasint"` // see rawDigest
	Flags     uint64    `cbor:"19,keyasint,omitempty"`
	Derived   []string  `cbor:"20,keyasint,omitempty"`
}

// digestSize is the size of the digest that a record holds: half a SHA-256,
// which no two of any number of captures have in common by chance.
const digestSize = 16

// Flags of a record that say which empty fields are truly empty.
const (
	flagNoOutlet  = 1 << iota // the outlet is empty although there is a tag
	flagNoSource              // the source is empty although there is an outlet
	flagPermalink             // the URL goes on with the permalink
)

// mention is a news.Mention as stored.
type mention struct {
	_      struct{} `cbor:",toarray"`
	Market int
	Code   string
	Name   string
	Count  int
}

// part is a piece of the page: where it stands in the capture's body, or, if
// it does not stand there (another charset, JSON), the text itself.
type part struct {
	_      struct{} `cbor:",toarray"`
	Offset int
	Length int
	Text   string
}

// IsZero reports whether the piece is empty.
func (p part) IsZero() bool { return p.Length == 0 && p.Text == "" }

func partOf(text string, page []byte) part {
	if text == "" {
		return part{}
	}
	plain := unsafe.Slice(unsafe.StringData(text), len(text)) // which is only read, and so need not be copied
	at := bytes.Index(page, plain[:min(len(plain), shortBytes)])
	if at >= 0 && !bytes.HasPrefix(page[at:], plain) {
		at = bytes.Index(page, plain)
	}
	if at < 0 {
		return part{Text: text}
	}
	return part{Offset: at, Length: len(text)}
}

// shortBytes is up to how many bytes [bytes.Index] finds by instructions of the
// processor's own.
const shortBytes = 63

// in returns the piece's text, given the capture's body.
func (p part) in(body []byte) (string, error) {
	if p.Length == 0 {
		return p.Text, nil
	}
	if p.Offset < 0 || p.Length < 0 || p.Offset > len(body)-p.Length {
		return "", fmt.Errorf("%w: bytes %d+%d of a capture of %d", ErrCorrupt, p.Offset, p.Length, len(body))
	}
	return string(body[p.Offset : p.Offset+p.Length]), nil
}

// newRecord returns the stored form of a post and its capture.
func newRecord(p *news.Post, c *news.Capture) *record {
	r := &record{
		ID: idKey(p.ID), Kind: p.InfoCode.Kind(), Title: p.Title,
		Category: p.Category, Tag: p.Tag, Outlet: p.Outlet, Source: p.Source, Digest: p.Digest,
		Body: partOf(p.Body, c.Body), Foot: partOf(p.Foot, c.Body),
		URL: c.URL, Fetched: c.Fetched.UnixMilli(), Mode: c.Mode, Mirror: c.Mirror,
		Raw: rawDigest(c.Body), Derived: p.Derived,
	}
	if !p.Published.IsZero() {
		r.Published = p.Published.Unix()
	}
	for _, code := range p.Related {
		r.Related = append(r.Related, append([]byte(code.Kind()), idKey(code.ID())...))
	}
	for _, m := range slices.Concat(p.Securities, p.Boards) {
		r.Mentions = append(r.Mentions, mention{Market: m.Market, Code: m.Code, Name: m.Name, Count: m.Count})
	}
	return r
}

// elided returns the record without what its other fields tell: the form that
// is stored.
func (r record) elided() *record {
	outlet := news.OutletOfTag(r.Tag)
	switch {
	case r.Source == "" && r.Outlet != "":
		r.Flags |= flagNoSource
	case r.Source == r.Outlet:
		r.Source = ""
	}
	switch {
	case r.Outlet == "" && outlet != "":
		r.Flags |= flagNoOutlet
	case r.Outlet == outlet:
		r.Outlet = ""
	}
	if path := r.permalink(); path != "" && strings.HasSuffix(r.URL, path) {
		r.URL = strings.TrimSuffix(r.URL, path)
		r.Flags |= flagPermalink
	}
	return &r
}

// permalink returns the end of the post's address on a site that Jekyll built:
// categories in lower case, day, infoCode. It is empty where the post has none.
func (r *record) permalink() string {
	id := idOf(r.ID)
	if r.Category == "" || r.Published == 0 || !id.HasCode() {
		return ""
	}
	categories := strings.ToLower(strings.Join(strings.Fields(r.Category), "/"))
	return "/" + categories + unix(r.Published).Format("/2006/01/02/") + r.Kind + string(id) + ".html"
}

// restore undoes elided.
func (r *record) restore() {
	if r.Outlet == "" && r.Flags&flagNoOutlet == 0 {
		r.Outlet = news.OutletOfTag(r.Tag)
	}
	if r.Source == "" && r.Flags&flagNoSource == 0 {
		r.Source = r.Outlet
	}
	if r.Flags&flagPermalink != 0 {
		r.URL += r.permalink()
	}
	r.Flags = 0
}

// told returns the title if the page tells it.
func (r *record) told() string {
	if slices.Contains(r.Derived, news.LacksTitle) {
		return ""
	}
	return r.Title
}

// isFile reports whether the capture is a file, and no answer of the mirror's.
func (r *record) isFile() bool { return strings.HasPrefix(r.URL, "file:") }

// post returns the post without its body and foot.
func (r *record) post() news.Post {
	p := news.Post{
		ID: idOf(r.ID), Title: r.Title, Category: r.Category, Tag: r.Tag,
		Outlet: r.Outlet, Source: r.Source, Digest: r.Digest, Derived: r.Derived,
	}
	if p.ID.HasCode() {
		p.InfoCode = news.InfoCode(r.Kind + string(p.ID))
	}
	if r.Published != 0 {
		p.Published = unix(r.Published)
	}
	for _, s := range r.Related {
		at := max(0, len(s)-8)
		p.Related = append(p.Related, news.InfoCode(s[:at])+news.InfoCode(idOf(s[at:])))
	}
	for _, m := range r.Mentions {
		s := news.Mention{Security: news.Security{Market: m.Market, Code: m.Code}, Name: m.Name, Count: m.Count}
		if s.Board() {
			p.Boards = append(p.Boards, s)
		} else {
			p.Securities = append(p.Securities, s)
		}
	}
	return p
}

// revision returns the revision without body and foot, and without what only
// the post's head knows.
func (r *record) revision(seq uint64) news.Revision {
	return news.Revision{
		Post: r.post(), Seq: seq, Fetched: fromMillis(r.Fetched), Mode: r.Mode,
		Mirror: r.Mirror, URL: r.URL,
	}
}

// rawDigest identifies a capture's body: the first half of its SHA-256.
func rawDigest(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:digestSize]
}

// envelope is what is stored of a capture beside its body. It tells enough to
// make the record again from the capture alone.
type envelope struct {
	ID      []byte        `cbor:"1,keyasint"`
	URL     string        `cbor:"2,keyasint"`
	Status  int           `cbor:"3,keyasint"`
	Proto   string        `cbor:"4,keyasint,omitempty"`
	Header  http.Header   `cbor:"5,keyasint,omitempty"`
	Fetched int64         `cbor:"6,keyasint"` // milliseconds since 1970
	Mode    news.Mode     `cbor:"7,keyasint,omitempty"`
	Mirror  string        `cbor:"8,keyasint,omitempty"`
	Kind    news.PageKind `cbor:"9,keyasint,omitempty"`
	Why     string        `cbor:"10,keyasint,omitempty"` // of a capture kept apart: what is wrong with it
}

// encodeEnvelope returns what stands before a capture's body in its plain
// form: the envelope's length, and the envelope. The plain form is that and
// the body.
func (c *codec) encodeEnvelope(id []byte, capture *news.Capture, why string) ([]byte, error) {
	head, err := c.encode(envelope{
		ID: id, URL: capture.URL, Status: capture.Status, Proto: capture.Proto, Header: capture.Header,
		Fetched: capture.Fetched.UnixMilli(), Mode: capture.Mode, Mirror: capture.Mirror, Kind: capture.Kind, Why: why,
	})
	if err != nil {
		return nil, err
	}
	return append(binary.AppendUvarint(nil, uint64(len(head))), head...), nil
}

func (c *codec) decodeCapture(plain []byte) (envelope, *news.Capture, error) {
	var e envelope
	n, size := binary.Uvarint(plain)
	if size <= 0 || n > uint64(len(plain)-size) {
		return e, nil, fmt.Errorf("%w: capture of %d bytes without its envelope", ErrCorrupt, len(plain))
	}
	head, body := plain[size:size+int(n)], plain[size+int(n):]
	if err := c.decode(head, &e); err != nil {
		return e, nil, err
	}
	return e, &news.Capture{
		URL: e.URL, Status: e.Status, Proto: e.Proto, Header: e.Header, Fetched: fromMillis(e.Fetched),
		Mode: e.Mode, Mirror: e.Mirror, Kind: e.Kind, Body: body,
	}, nil
}

func (c *codec) decodeRecord(plain []byte) (*record, error) {
	r := new(record)
	if err := c.decode(plain, r); err != nil {
		return nil, err
	}
	r.restore()
	return r, nil
}

// head is a post's entry by ID: its revisions, in the order in which they were
// captured.
type head []headRevision

type headRevision struct {
	seq    uint64
	lasted uint64 // milliseconds from the revision's capture to the last identical one
}

// seen records that revision i was met again, so many milliseconds after it was
// captured.
func (h head) seen(i int, after int64) {
	h[i].lasted = max(h[i].lasted, uint64(max(0, after)))
}

func (h head) encode() []byte {
	b := make([]byte, 0, len(h)*8)
	for _, r := range h {
		b = binary.AppendUvarint(binary.AppendUvarint(b, r.seq), r.lasted)
	}
	return b
}

func decodeHead(b []byte) (head, error) {
	var h head
	for len(b) > 0 {
		seq, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("%w: post entry", ErrCorrupt)
		}
		lasted, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return nil, fmt.Errorf("%w: post entry", ErrCorrupt)
		}
		h, b = append(h, headRevision{seq, lasted}), b[n+m:]
	}
	if len(h) == 0 {
		return nil, fmt.Errorf("%w: post entry is empty", ErrCorrupt)
	}
	return h, nil
}
