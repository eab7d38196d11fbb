package warc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Record is one record of a WARC file.
type Record struct {
	Version string // as 1.1
	// Header holds the named fields (ISO 28500, 4), whose names know no letter case.
	Header textproto.MIMEHeader
	Length int64 // of the block, in bytes, as Content-Length tells (5.4)
	// Offset is where the record begins in the file, or the gzip member that it is in.
	Offset int64
	// Block is what the record holds. It ends with io.EOF only if it was as long as
	// told, and, where the file is compressed, its checksum fits: else with a
	// [DamageError]. It can be read until the next record is.
	Block io.Reader
}

// Type returns what the record is, as WARC-Type tells (5.5).
func (r *Record) Type() string {
	return strings.ToLower(strings.TrimSpace(r.Header.Get("WARC-Type")))
}

// TargetURI returns the address that the record is about (5.12). The grammar of
// WARC/1.0 has it in angle brackets, the examples beside it do not; wget writes them.
func (r *Record) TargetURI() string { return bare(r.Header.Get("WARC-Target-URI")) }

func bare(uri string) string {
	uri = strings.TrimSpace(uri)
	if inner, ok := strings.CutPrefix(uri, "<"); ok {
		uri = strings.TrimSuffix(inner, ">")
	}
	return uri
}

// Date returns when what the record holds was captured (5.3); see [parseDate].
func (r *Record) Date() (time.Time, error) { return parseDate(r.Header.Get("WARC-Date")) }

// parseDate reads a time as WARC writes it: in the forms of W3CDTF, in UTC, with
// up to nine decimals in WARC/1.1 (ISO 28500:2017, 5.3).
func parseDate(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("WARC-Date: %q is no time", s)
}

// DamageError tells of a place where a file is not what it should be. Reading can go
// on after it.
type DamageError struct {
	Offset int64 // in the file, of the record, or of its gzip member
	Err    error
}

func (e *DamageError) Error() string { return fmt.Sprintf("at byte %d: %v", e.Offset, e.Err) }

func (e *DamageError) Unwrap() error { return e.Err }

// What can be wrong with a file.
var (
	ErrCut        = errors.New("the file ends within a record")
	ErrNoRecord   = errors.New("no record where one should begin")
	ErrHeader     = errors.New("broken header of a record")
	ErrLength     = errors.New("block is not as long as its Content-Length tells")
	ErrCompressed = errors.New("compressed data is broken")
)

// maxHeader bounds the header of a record, and that of a response in it, in bytes.
const maxHeader = 64 << 10

// Reader reads the records of a WARC file (ISO 28500), of the versions 0.18, 1.0
// and 1.1, in order: plain, compressed with gzip, a member a record (Annex D) or
// otherwise, or with Zstandard, also by a dictionary in front
// (https://iipc.github.io/warc-specifications/specifications/warc-zstd/).
//
// It holds some 200 KiB, whatever the file holds, and of Zstandard up to three times
// [maxZstdWindow]. After damage it goes on with the next record that it finds.
type Reader struct {
	src   source
	b     *bufio.Reader // over src
	block *block        // of the last record
	sound bool          // there was a record since the last damage
}

// NewReader returns the reader of a file, which tells by its first bytes how it is
// compressed. If r can seek, that is used to look for records again where
// compressed data is broken.
func NewReader(r io.Reader) (*Reader, error) {
	src, err := newSource(r)
	if err != nil {
		return nil, err
	}
	return &Reader{src: src, b: bufio.NewReaderSize(src, 64<<10), sound: true}, nil
}

// Next returns the next record, or io.EOF. A [DamageError] tells what was wrong
// before the next one that can be read: there may be one. Any other error is of
// the underlying reader, and final.
func (r *Reader) Next() (*Record, error) {
	if err := r.finish(); err != nil {
		if err = r.damaged(err); err != nil {
			return nil, err
		}
	}
	for {
		rec, err := r.record()
		if err == nil {
			r.sound = true
			return rec, nil
		}
		if err = r.damaged(err); err != nil {
			return nil, err
		}
	}
}

// finish passes over what is left of the last record.
func (r *Reader) finish() error {
	if r.block == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, r.block)
	r.block = nil
	return err
}

// damaged goes to where the next record may begin, and returns an error if the
// damage is to be told: once for what lies between two records.
func (r *Reader) damaged(err error) error {
	damage := new(DamageError)
	if !errors.As(err, &damage) {
		return err
	}
	told := !r.sound
	r.sound = false
	if err := r.goOn(damage); err != nil {
		return err
	}
	if told {
		return nil
	}
	return damage
}

// goOn goes to where the next record may begin. That no more can be read is told by
// the next call.
func (r *Reader) goOn(damage *DamageError) error {
	if errors.Is(damage, ErrCompressed) {
		if err := r.src.recover(); err != nil && err != io.EOF {
			return err
		}
		r.b.Reset(r.src)
		return nil
	}
	for {
		line, err := r.b.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return nil
		}
		head, err := r.b.Peek(len(magic))
		if len(line) > 0 && line[len(line)-1] == '\n' && string(head) == magic || err != nil {
			return nil
		}
	}
}

// magic is how the first line of a record begins.
const magic = "WARC/"

var versionLine = regexp.MustCompile(`^WARC/(\d\.\d{1,2})[ \t]*$`)

// record reads the header of the next record (ISO 28500, 4).
func (r *Reader) record() (*Record, error) {
	if err := r.skipBlank(); err != nil {
		return nil, err
	}
	offset := r.src.offset(r.b.Buffered())
	head, err := r.b.Peek(len(magic))
	if err != nil && err != io.EOF {
		return nil, r.explain(err, offset)
	}
	if string(head) != magic {
		return nil, &DamageError{offset, ErrNoRecord}
	}
	room := maxHeader
	line, err := readLine(r.b, &room)
	if err != nil {
		return nil, r.explain(err, offset)
	}
	version := versionLine.FindSubmatch(line)
	if version == nil {
		return nil, &DamageError{offset, ErrNoRecord}
	}
	rec := &Record{Version: string(version[1]), Offset: offset}
	if rec.Header, err = readFields(r.b, &room); err != nil {
		return nil, r.explain(err, offset)
	}
	if rec.Length, err = strconv.ParseInt(strings.TrimSpace(rec.Header.Get("Content-Length")), 10, 64); err != nil || rec.Length < 0 {
		return nil, &DamageError{offset, fmt.Errorf("%w: Content-Length %q", ErrHeader, rec.Header.Get("Content-Length"))}
	}
	r.block = &block{r: r, left: rec.Length, offset: offset}
	rec.Block = r.block
	return rec, nil
}

// skipBlank passes over the two empty lines after a record (4), however many there
// are.
func (r *Reader) skipBlank() error {
	for {
		c, err := r.b.ReadByte()
		switch {
		case err != nil:
			return r.explain(err, r.src.offset(0))
		case c != '\r' && c != '\n':
			return r.b.UnreadByte()
		}
	}
}

// explain makes of an error of reading what is wrong with the file. The end of the
// file between two records is io.EOF.
func (r *Reader) explain(err error, offset int64) error {
	switch {
	case err == io.ErrUnexpectedEOF:
		return &DamageError{offset, ErrCut}
	case errors.Is(err, ErrHeader):
		return &DamageError{offset, err}
	case errors.Is(err, ErrCompressed):
		damage := new(DamageError)
		if errors.As(err, &damage) {
			return damage
		}
		return &DamageError{offset, err}
	}
	return err
}

// block is what a record holds.
type block struct {
	r      *Reader
	left   int64
	offset int64
	err    error // with which it ended
}

func (b *block) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left == 0 {
		b.err = b.end()
		return 0, b.err
	}
	n, err := b.r.b.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		b.err = b.r.explain(err, b.offset)
	}
	return n, b.err
}

// end looks at what follows a block: two empty lines, or the next record where a
// writer left them out. To look so far makes a compressed member's checksum be
// compared.
func (b *block) end() error {
	in := b.r.b
	next, err := in.Peek(len("\r\n\r\n"))
	if err == nil || err == io.EOF || isStart(err) {
		rest := bytes.TrimLeft(next, "\r\n")
		if !bytes.HasPrefix([]byte(magic), rest) {
			return &DamageError{b.offset, ErrLength}
		}
		if _, err = in.Discard(len(next) - len(rest)); err != nil {
			return err
		}
		_, err = in.Peek(1)
	}
	if err != nil && err != io.EOF && !isStart(err) {
		return b.r.explain(err, b.offset)
	}
	return io.EOF
}

// isStart reports whether an error is of the member behind the one that was read.
func isStart(err error) bool { return errors.As(err, new(*startError)) }
