package warc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// Why a record of a post's page is refused, beside what can be wrong with an answer
// of HTTP and with a page.
var (
	errDamaged   = errors.New("damaged record")
	errNoDate    = errors.New("no date")
	errFuture    = errors.New("date in the future")
	errTruncated = errors.New("cut short by its crawler") // WARC-Truncated
	errSegment   = errors.New("segmented record")
	errDigest    = errors.New("digest does not fit")
	errUnmet     = errors.New("revisit of what is not there")
)

// passedShell: a shared page that has only the script which would fetch the text, or
// a text page without text.
const passedShell = "page without text"

// What can be wrong with records that are taken all the same.
const (
	faultNoDigest = "no digest"
	// The digest of the whole record fits, so that its bytes are what was written.
	faultPayloadDigest = "payload digest of something else"
)

// item is what a file tells at one place: a record, or damage, or that it is a
// file. It is of no post where it has no site.
type item struct {
	file   string
	opened bool // the file begins
	damage *DamageError

	offset  int64
	passed  string // why the record is of no post
	refused error
	faults  []string

	site    *page.Site
	wanted  news.Wanted
	capture news.Capture
	revisit *revisit // if the record is one; the capture has no body then
}

func (it *item) size() int64 { return int64(len(it.capture.Body)) }

// items returns what files tell.
func (im *importer) items(files iter.Seq2[File, error]) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for f, err := range files {
			if err != nil {
				yield(item{}, err)
				return
			}
			if !yield(item{file: f.Name, opened: true}, nil) || !im.itemsOf(f, yield) {
				return
			}
		}
	}
}

// itemsOf yields what a file tells, and reports whether more is wanted.
func (im *importer) itemsOf(f File, yield func(item, error) bool) bool {
	r, err := NewReader(f.r)
	if err != nil {
		it := item{file: f.Name}
		err = it.blame(err)
		return yield(it, err) && err == nil
	}
	for {
		it, err := im.next(f.Name, r)
		switch {
		case err == io.EOF:
			return true
		case !yield(it, err) || err != nil:
			return false
		}
	}
}

// next returns what a file tells next, or io.EOF.
func (im *importer) next(file string, r *Reader) (item, error) {
	it := item{file: file}
	rec, err := r.Next()
	if err == nil {
		it.offset = rec.Offset
		err = im.take(&it, rec)
	}
	return it, it.blame(err)
}

// blame takes note of damage, which ends nothing, and returns any other error.
func (it *item) blame(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.As(err, &it.damage):
		return nil
	}
	return fmt.Errorf("%s: %w", it.file, err)
}

// take reads a record, as far as it is of a post's page.
func (im *importer) take(it *item, rec *Record) error {
	kind := rec.Type()
	if it.passed = im.passes(it, rec, kind); it.passed != "" {
		it.site = nil
		return nil
	}
	it.capture.Mirror, it.capture.Mode = it.site.Name(), news.ModeImport
	if it.refused = im.judge(it, rec); it.refused != nil {
		return nil
	}
	block, err := readBlock(rec)
	switch damage := new(DamageError); {
	case errors.As(err, &damage):
		it.refused = errDamaged // which the reader tells next
		return nil
	case err != nil:
		return err
	}
	switch kind {
	case typeResponse:
		it.refused = im.response(it, rec, block)
	case typeResource:
		it.refused = im.resource(it, rec, block)
	case typeRevisit:
		it.revisit = newRevisit(rec, block, it.capture.Fetched)
	}
	if it.passed != "" {
		it.site = nil
	}
	return nil
}

// maxURI is the length in bytes above which no address is a mirror's.
const maxURI = 4 << 10

// passes tells why a record is of no post: by its type and its address. Of all others
// it notes what is asked for.
func (im *importer) passes(it *item, rec *Record, kind string) string {
	switch kind {
	case typeResponse, typeResource, typeRevisit:
	case "warcinfo", "request", "metadata", "conversion", "continuation":
		return kind + " record"
	default:
		return "record of another type"
	}
	u, err := url.Parse(rec.TargetURI())
	if err != nil || len(rec.TargetURI()) > maxURI {
		return "no page of a mirror"
	}
	u.Fragment = ""
	it.capture.URL = u.String()
	for _, site := range im.Sites {
		asked, wanted := site.Asked(u)
		switch {
		case asked == news.KindPost, asked == news.KindShare, asked == news.KindText:
			it.site, it.wanted, it.capture.Kind = site, wanted, asked
			return ""
		case asked.List():
			return "list page"
		case asked == news.KindRobots:
			return "robots.txt"
		}
	}
	return "no page of a mirror"
}

// maxAhead is how far ahead of us a crawler's clock may be.
const maxAhead = 24 * time.Hour

// judge tells why a record is refused without being read.
func (im *importer) judge(it *item, rec *Record) error {
	date, err := rec.Date()
	switch {
	case err != nil:
		return errNoDate
	case date.After(im.Now().Add(maxAhead)):
		return errFuture
	case rec.Header.Get("WARC-Truncated") != "" && rec.Type() != typeRevisit: // ISO 28500:2017, 5.13; that has no payload, as wget says
		return errTruncated
	case rec.Header.Get("WARC-Segment-Number") != "": // 5.20
		return errSegment
	case rec.Length > im.MaxBody+im.MaxBody/8+maxHeader: // room for a head, and for the sizes of chunks
		return errLarge
	}
	it.capture.Fetched = date.Truncate(time.Millisecond) // as archives keep times
	return nil
}

// trusted is how many bytes are made room for at a file's word.
const trusted = 256 << 10

// readBlock reads what a record holds.
func readBlock(rec *Record) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(rec.Length, trusted)) + bytes.MinRead)
	_, err := b.ReadFrom(rec.Block)
	return b.Bytes(), err
}

// response reads what a server sent (ISO 28500:2017, 6.3). An answer with another
// status than 200 is no post's.
func (im *importer) response(it *item, rec *Record, block []byte) error {
	a, err := readAnswer(block)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		it.passed = fmt.Sprintf("status %d", a.status)
		return nil
	}
	if err := a.open(im.MaxBody); err != nil {
		return err
	}
	it.capture.Status, it.capture.Proto, it.capture.Header, it.capture.Body = a.status, a.proto, a.header, a.body
	return it.check(rec, block, a.sent, a.plain, a.body)
}

// resource reads what was got without HTTP, or of which only the body was kept
// (ISO 28500:2017, 6.4).
func (im *importer) resource(it *item, rec *Record, block []byte) error {
	if int64(len(block)) > im.MaxBody {
		return errLarge
	}
	it.capture.Header, it.capture.Body = make(http.Header), block
	if kind := rec.Header.Get("Content-Type"); kind != "" {
		it.capture.Header.Set("Content-Type", kind)
	}
	return it.check(rec, block, block)
}

// check holds a record against its digests (ISO 28500:2017, 5.8 and 5.9). That of the
// block, where there is one, decides. That of the payload may be of any of some
// forms: WARC/1.1 has it without transfer coding, wget and warcio take it as it was
// sent, and a recorder behind a browser as that got it.
func (it *item) check(rec *Record, block []byte, payloads ...[]byte) error {
	whole, blockKnown := fits(rec.Header.Get("WARC-Block-Digest"), block)
	if blockKnown && !whole {
		return errDigest
	}
	right, payloadKnown := false, false
	for _, payload := range payloads {
		fit, known := fits(rec.Header.Get("WARC-Payload-Digest"), payload)
		right, payloadKnown = right || fit, known
		if fit || !known {
			break
		}
	}
	switch {
	case payloadKnown && !right && !blockKnown:
		return errDigest
	case payloadKnown && !right:
		it.faults = append(it.faults, faultPayloadDigest)
	case !payloadKnown && !blockKnown:
		it.faults = append(it.faults, faultNoDigest)
	}
	return nil
}

// revisit is what a record tells that holds no body, since the server sent the same
// as before (ISO 28500:2017, 6.7).
type revisit struct {
	date       time.Time         // when
	of         time.Time         // of the capture that it is of (5.15); zero: not told
	at         string            // the address of that (5.14); empty: its own
	digest     string            // of the payload
	validators map[string]string // of the answer, by their headers' names
	answer     news.Revisit      // of a server; the zero Revisit where the record does not tell it
}

func newRevisit(rec *Record, block []byte, date time.Time) *revisit {
	r := &revisit{
		date: date, at: brief(bare(rec.Header.Get("WARC-Refers-To-Target-URI"))), digest: brief(rec.Header.Get("WARC-Payload-Digest")),
		validators: make(map[string]string),
	}
	if of, err := parseDate(rec.Header.Get("WARC-Refers-To-Date")); err == nil {
		r.of = of
	}
	if a, err := readAnswer(block); err == nil { // of some writers it is empty
		r.answer = a.revisit(len(block))
		for _, name := range []string{"ETag", "Last-Modified"} {
			if v := brief(a.header.Get(name)); v != "" {
				r.validators[name] = v
			}
		}
	}
	return r
}

// maxAnswer is how many bytes a record may have of an answer that is to be kept: many
// wait together for what they are of.
const maxAnswer = 4 << 10

// revisit returns what is kept of an answer by which a page is as it was, given the
// size of its record. Of one that is too long only the time is taken.
func (a *answer) revisit(size int) news.Revisit {
	if size > maxAnswer || a.status != http.StatusOK && a.status != http.StatusNotModified {
		return news.Revisit{}
	}
	for _, name := range []string{"Transfer-Encoding", "Trailer", "Content-Encoding"} {
		a.header.Del(name)
	}
	return news.Revisit{Status: a.status, Proto: a.proto, Header: a.header}
}

// brief returns a value, or nothing in place of one that is too long to be kept.
func brief(s string) string {
	if len(s) > maxURI {
		return ""
	}
	return s
}

// by returns the moment by which the capture was there that it is of: dates may tell
// no more than the second.
func (r *revisit) by() time.Time {
	by := r.date
	if !r.of.IsZero() {
		by = r.of
	}
	return by.Truncate(time.Second).Add(time.Second - time.Millisecond)
}

// meet finds what a revisit is of, and makes that its capture. What is held of the
// post may have been read from another of its pages.
func (im *importer) meet(ctx context.Context, it *item) error {
	r, id := it.revisit, it.wanted.ID
	if u, err := url.Parse(r.at); err == nil && r.at != "" {
		if _, other := it.site.Asked(u); other.ID != "" {
			id = other.ID
		}
	}
	held, seen, err := im.Store.CaptureAt(ctx, id, it.site.Name(), r.by())
	if err != nil {
		return err
	}
	it.refused = nil
	switch {
	case held != nil && r.isOf(held, seen):
		r.settle(it.capture.URL, held)
		it.capture = *held
	case im.shells[it.capture.URL]:
		it.passed = passedShell
	case held != nil && held.URL != it.capture.URL:
		it.passed = "revisit of another page of what is held"
	default:
		it.refused = errUnmet
	}
	return nil
}

// settle makes what is held the capture of the revisit, and the revisit's answer one
// that was got from an address. An answer that had the same bytes is a capture with its
// own headers.
func (r *revisit) settle(address string, held *news.Capture) {
	held.Fetched, held.Mode = r.date, news.ModeImport
	if r.answer.Status == 0 {
		return
	}
	r.answer.URL, r.answer.Time = address, r.date
	if r.answer.Header.Get("Content-Length") != strconv.Itoa(len(held.Body)) {
		r.answer.Header.Del("Content-Length")
	}
	if r.answer.Status == http.StatusOK && r.answer.Header.Get("Content-Type") != "" { // or the page may be read otherwise
		held.Proto, held.Header = r.answer.Proto, r.answer.Header
	}
}

// isOf reports whether a capture, which was seen until a moment, is what the revisit
// is of: it was there when the revisit says, has the digest, or the validators by
// which a server said that nothing changed.
func (r *revisit) isOf(held *news.Capture, seen time.Time) bool {
	if !r.of.IsZero() && !seen.Before(r.of.Truncate(time.Second)) {
		return true
	}
	if fit, _ := fits(r.digest, held.Body); fit {
		return true
	}
	for name, v := range r.validators {
		if v == held.Header.Get(name) {
			return true
		}
	}
	return false
}
