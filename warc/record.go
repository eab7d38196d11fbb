package warc

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Types of records (5.5 and clause 6). Others may come: readers pass over those that
// they do not know.
const (
	typeInfo       = "warcinfo"
	typeResponse   = "response"
	typeResource   = "resource"
	typeMetadata   = "metadata"
	typeRevisit    = "revisit"
	typeConversion = "conversion"
)

// Media types of blocks (5.6).
const (
	mediaFields   = "application/warc-fields" // clause 8
	mediaResponse = "application/http;msgtype=response"
	mediaText     = "text/plain; charset=UTF-8"
)

// record is a record to be written (clause 4). Its block is head and body, of which
// the body is the payload where it has one.
type record struct {
	kind   string
	uri    string // see targetURI; empty of warcinfo, which has none (5.14)
	date   time.Time
	about  string // what tells it from a record that is alike otherwise
	fields []field
	media  string
	head   []byte
	body   []byte
}

// field is a named field.
type field struct{ name, value string }

// dateLayout is that of WARC-Date (5.4), to the second: the archive has when an answer
// was complete, not when it began, and players that follow a revisit look for the very
// time that a CDXJ has, which has no fractions.
const dateLayout = "2006-01-02T15:04:05Z"

func formatDate(t time.Time) string { return t.UTC().Format(dateLayout) }

// digestOf returns a labelled digest (5.8): SHA-256, which warcio takes for
// granted, in lower case hexadecimal, since in Base32 it would end in "=", which
// the grammar does not allow.
func digestOf(parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return labelled(h)
}

func labelled(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

// appendField appends a named field (clause 4). No value ends its line: what
// cannot be seen is a space.
func appendField(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, printable(value)...), "\r\n"...)
}

// printable returns text with spaces for control characters.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// sealed is a record's header, and the ID that it has.
type sealed struct {
	id     string
	header []byte // with the blank line
}

// seal makes a record's header.
func (r *record) seal() sealed {
	var b []byte
	for _, f := range r.allFields() {
		b = appendField(b, f.name, f.value)
	}
	s := sealed{id: recordID(r.about, b)}
	s.header = append(s.header, "WARC/1.1\r\n"...)
	s.header = appendField(s.header, "WARC-Record-ID", s.id)
	s.header = append(append(s.header, b...), "\r\n"...)
	return s
}

// allFields returns the fields but for the record's ID.
func (r *record) allFields() []field {
	list := []field{{"WARC-Type", r.kind}, {"WARC-Date", formatDate(r.date)}}
	if r.uri != "" {
		list = append(list, field{"WARC-Target-URI", r.uri})
	}
	list = append(list, r.fields...)
	return append(list,
		field{"WARC-Block-Digest", digestOf(r.head, r.body)},
		field{"Content-Type", r.media},
		field{"Content-Length", strconv.Itoa(len(r.head) + len(r.body))},
	)
}

// recordID returns a WARC-Record-ID (5.2): a UUID of version 8 made of a SHA-256, as
// RFC 9562 shows in B.2.
func recordID(about string, fields []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s ", len(about), about)
	h.Write(fields)
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("<urn:uuid:%x-%x-%x-%x-%x>", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// writeMember writes a record as one gzip member (Annex D.2).
func (r *record) writeMember(z *gzip.Writer, to io.Writer, s sealed) error {
	z.Reset(to)
	for _, part := range [][]byte{s.header, r.head, r.body, []byte("\r\n\r\n")} {
		if _, err := z.Write(part); err != nil {
			return err
		}
	}
	return z.Close()
}
