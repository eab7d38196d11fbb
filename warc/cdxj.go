package warc

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// entry is a record in a CDXJ: a line of key, time in 14 digits, and JSON with the
// fields and the form of warcio's.
type entry struct {
	URL      string `json:"url"`
	Media    string `json:"mime,omitempty"`
	Status   string `json:"status,omitempty"`
	Digest   string `json:"digest"` // without its label
	Length   string `json:"length"`
	Offset   string `json:"offset"`
	Filename string `json:"filename"`

	date string // as in WARC-Date
}

// mediaRevisit stands in the place of a revisit's media type.
const mediaRevisit = "warc/revisit"

// newEntry returns the entry of a record with a payload, but for where the record is.
func newEntry(r *record, media string, status int, digest string) *entry {
	e := &entry{URL: r.uri, Media: media, date: formatDate(r.date)}
	if status != 0 {
		e.Status = strconv.Itoa(status)
	}
	_, e.Digest, _ = strings.Cut(digest, ":")
	return e
}

// line returns the entry as a line, given where the record is.
func (e entry) line(file string, offset, length int64) (string, error) {
	e.Filename, e.Offset, e.Length = file, strconv.FormatInt(offset, 10), strconv.FormatInt(length, 10)
	fields, err := encodeJSON(e)
	return surt(e.URL) + " " + digits(e.date) + " " + fields, err
}

// digits returns the 14 digits of a date.
func digits(date string) string {
	return strings.NewReplacer("-", "", ":", "", "T", "", "Z", "").Replace(date)
}

// encodeJSON returns a value as a line of JSON.
func encodeJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.String(), err
}
