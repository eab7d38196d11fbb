package warc

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"

	"github.com/finarc/finarc/news"
	"github.com/klauspost/compress/gzip"
)

// bufferSize is that of what is written to files, in bytes.
const bufferSize = 64 << 10

// place is where WARC files are made, one after the other.
type place interface {
	begin(name string) (io.Writer, error)
	index(line string) error // of the CDXJ, for the file begun last
	end(FileReport) error    // the file begun last is whole
}

// exporter makes records of revisions, which come post by post, and puts them into
// files.
type exporter struct {
	o      *Options
	to     place
	page   func(*pageLine) error // takes a post's page; nil: pages are not wanted
	report Report
	zip    *gzip.Writer
	file   *volume // that is open
	group  *group
	post   post // whose revisions come
}

// post is what is remembered of the post whose revisions come.
type post struct {
	id      news.ID
	earlier map[string]origin // its responses, by their payload digests
	page    *pageLine         // of its newest response
}

// origin is what a revisit says of the record that it refers to.
type origin struct{ id, uri, date string }

// volume is a WARC file in the making.
type volume struct {
	FileReport
	to     io.Writer
	digest hash.Hash
}

// group is the records of one capture, which are not parted.
type group struct {
	members bytes.Buffer
	records int
	indexed []member
}

// member is a record of a group that stands in the CDXJ.
type member struct {
	*entry
	offset, length int64 // in the group
}

// export writes all captures of revisions.
func (e *exporter) export(ctx context.Context, revs iter.Seq2[news.Revision, error]) error {
	for rev, err := range revs {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if err := e.add(&rev); err != nil {
			return fmt.Errorf("revision %d of %s: %w", rev.Number, rev.ID, err)
		}
	}
	if err := e.endPost(); err != nil {
		return err
	}
	if e.file == nil { // there is one file at least
		if err := e.turn(); err != nil {
			return err
		}
	}
	return e.end()
}

// add writes a revision's capture.
func (e *exporter) add(rev *news.Revision) error {
	if rev.ID != e.post.id || e.report.Posts == 0 {
		if err := e.endPost(); err != nil {
			return err
		}
		e.post = post{id: rev.ID, earlier: make(map[string]origin)}
		e.report.Posts++
	}
	if rev.Capture == nil {
		e.report.Lost++
		return nil
	}
	text := ""
	if e.o.Text != nil {
		text = strings.ToValidUTF8(e.o.Text(rev.Body), "\uFFFD")
	}
	id, of, err := e.addCapture(rev, text)
	if err != nil {
		return err
	}
	if err := e.addAgain(rev, id, of); err != nil {
		return err
	}
	if text != "" {
		if err := e.addText(rev, id, text); err != nil {
			return err
		}
	}
	return e.flush()
}

// endPost tells the page of the post whose revisions came.
func (e *exporter) endPost() error {
	if e.page == nil || e.post.page == nil {
		return nil
	}
	return e.page(e.post.page)
}

// addCapture adds the record of a capture, and returns its ID and the record that has
// the payload.
func (e *exporter) addCapture(rev *news.Revision, text string) (id string, of origin, err error) {
	c := rev.Capture
	r := &record{kind: typeResponse, uri: targetURI(c.URL), date: c.Fetched, about: string(rev.ID), media: mediaResponse, body: c.Body}
	digest := digestOf(c.Body)
	media := mediaOf(c)
	of, again := e.post.earlier[digest]
	switch {
	case c.Status == 0:
		media = mediaOfFile(r.uri)
		r.kind, r.media = typeResource, media
		e.report.Resources++
	case again && len(c.Body) > 0:
		r.kind, r.head, r.body, r.fields = typeRevisit, responseHead(c), nil, identicalFields(of)
		media = mediaRevisit
		e.report.Revisits++
	default:
		r.head = responseHead(c)
		e.report.Responses++
	}
	r.fields = append(append(r.fields, protocol(c)...), field{"WARC-Payload-Digest", digest})
	id, err = e.put(r, newEntry(r, media, c.Status, digest))
	if r.kind != typeRevisit {
		of = origin{id, r.uri, formatDate(r.date)}
	}
	if r.kind == typeResponse {
		e.post.earlier[digest] = of
	}
	if r.kind != typeResource && e.page != nil {
		e.post.page = newPage(rev, r, text)
	}
	return id, of, err
}

// identicalFields returns the fields of a revisit with the payload of an earlier record
// (6.7.2). What its block leaves off is that payload.
func identicalFields(of origin) []field {
	return append(refersTo("identical-payload-digest", of), field{"WARC-Truncated", "length"})
}

// refersTo returns the fields by which a revisit of a profile refers to the record that
// has its payload.
func refersTo(profile string, of origin) []field {
	return []field{
		{"WARC-Profile", "http://netpreserve.org/warc/1.1/revisit/" + profile},
		{"WARC-Refers-To", of.id},
		{"WARC-Refers-To-Target-URI", of.uri},
		{"WARC-Refers-To-Date", of.date},
	}
}

// addAgain adds what tells that a capture, of which there is the record's ID, was met
// again as it was: the last answer that said so, and when it was met after that by one
// of which nothing was kept.
func (e *exporter) addAgain(rev *news.Revision, id string, of origin) error {
	told := rev.Fetched
	if rev.Revisit != nil {
		told = rev.Revisit.Time
		if err := e.addRevisit(rev, of); err != nil {
			return err
		}
	}
	if !rev.LastSeen.After(told) {
		return nil
	}
	return e.addSighting(rev, id)
}

// addRevisit adds the revisit of an answer by which a page was found to be as it was:
// 304 (6.7.3), or the same bytes (6.7.2). Its payload is that of the capture (5.9),
// which is what a Content-Length is held against, also in a 304 (RFC 9110, 8.6). Where
// there are pages, for players, a 304 is in no index: at its time ReplayWeb.page would
// show an empty page.
func (e *exporter) addRevisit(rev *news.Revision, of origin) error {
	v := rev.Revisit
	answer := &news.Capture{URL: v.URL, Status: v.Status, Proto: v.Proto, Header: v.Header, Fetched: v.Time, Body: rev.Capture.Body}
	digest := digestOf(answer.Body)
	fields := identicalFields(of)
	if v.NotModified() {
		fields = refersTo("server-not-modified", of)
	}
	r := &record{
		kind: typeRevisit, uri: targetURI(v.URL), date: v.Time, about: string(rev.ID), media: mediaResponse, head: responseHead(answer),
		fields: append(append(fields, protocol(answer)...), field{"WARC-Payload-Digest", digest}),
	}
	e.report.Revisits++
	e.report.Rechecks++
	in := newEntry(r, mediaRevisit, v.Status, digest)
	if v.NotModified() && e.page != nil {
		in = nil
	}
	_, err := e.put(r, in)
	return err
}

// addSighting adds the metadata record (6.6) that tells when a capture was last met
// again.
func (e *exporter) addSighting(rev *news.Revision, id string) error {
	e.report.Metadata++
	_, err := e.put(&record{
		kind: typeMetadata, uri: targetURI(rev.Capture.URL), date: rev.LastSeen, about: string(rev.ID), media: mediaFields,
		fields: []field{{"WARC-Refers-To", id}}, body: appendField(nil, "last-seen", formatDate(rev.LastSeen)),
	}, nil)
	return err
}

// addText adds the conversion record (6.8) of a capture's plain text.
func (e *exporter) addText(rev *news.Revision, id, text string) error {
	e.report.Conversions++
	_, err := e.put(&record{
		kind: typeConversion, uri: targetURI(rev.Capture.URL), date: e.o.Created, about: string(rev.ID), media: mediaText,
		fields: []field{{"WARC-Refers-To", id}, {"WARC-Payload-Digest", digestOf([]byte(text))}}, body: []byte(text),
	}, nil)
	return err
}

// put adds a record to the group, with its entry in the CDXJ if it has one, and
// returns its ID.
func (e *exporter) put(r *record, in *entry) (string, error) {
	s := r.seal()
	begin := int64(e.group.members.Len())
	if err := r.writeMember(e.zip, &e.group.members, s); err != nil {
		return "", err
	}
	e.group.records++
	if in != nil {
		e.group.indexed = append(e.group.indexed, member{in, begin, int64(e.group.members.Len()) - begin})
	}
	return s.id, nil
}

// flush writes the group to the file, or to the next one where there is no room.
func (e *exporter) flush() error {
	size := int64(e.group.members.Len())
	if f := e.file; f == nil || f.Records > 1 && f.Bytes+size > e.o.MaxSize {
		if err := e.turn(); err != nil {
			return err
		}
	}
	for _, m := range e.group.indexed {
		line, err := m.line(e.file.Path, e.file.Bytes+m.offset, m.length)
		if err != nil {
			return err
		}
		if err := e.to.index(line); err != nil {
			return err
		}
	}
	return e.write()
}

// write writes the group to the file that is open.
func (e *exporter) write() error {
	n, err := e.file.to.Write(e.group.members.Bytes())
	e.file.Bytes += int64(n)
	e.file.Records += e.group.records
	e.group.members.Reset()
	e.group.records, e.group.indexed = 0, e.group.indexed[:0]
	return err
}

// turn ends the file that is open, and begins the next one with a warcinfo record.
// What waits in the group comes after it.
func (e *exporter) turn() error {
	if err := e.end(); err != nil {
		return err
	}
	name := fileName(e.o.Created, len(e.report.Files))
	to, err := e.to.begin(name)
	if err != nil {
		return err
	}
	v := &volume{FileReport: FileReport{Path: name}, digest: sha256.New()}
	v.to = io.MultiWriter(v.digest, to)
	e.file = v
	waiting := e.group
	e.group = new(group)
	if _, err := e.put(e.o.info(name), nil); err != nil {
		return err
	}
	if err := e.write(); err != nil {
		return err
	}
	e.group = waiting
	return nil
}

// end ends the file that is open, if any.
func (e *exporter) end() error {
	v := e.file
	if v == nil {
		return nil
	}
	e.file = nil
	v.SHA256 = hex.EncodeToString(v.digest.Sum(nil))
	e.report.Files = append(e.report.Files, v.FileReport)
	e.report.Bytes += v.Bytes
	return e.to.end(v.FileReport)
}
