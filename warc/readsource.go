package warc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// source is a file without its compression.
type source interface {
	io.Reader
	// offset returns where in the file is what was read last, and of which so many
	// bytes are not used yet.
	offset(unused int) int64
	// recover goes on behind data that is broken. It returns io.EOF where there is
	// no more.
	recover() error
}

// startError tells that nothing of a member could be read. What came before it was
// whole.
type startError struct{ error }

func (e *startError) Unwrap() error { return e.error }

// newSource tells by the first bytes how a file is compressed.
func newSource(r io.Reader) (source, error) {
	f := newRaw(r)
	head, err := f.b.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		return &memberSource{f: f, magic: gzipMagic, next: new(gzipMembers).next}, nil
	case bytes.Equal(head, zstdMagic), bytes.Equal(head, zstdDictMagic):
		frames, err := newZstdFrames(f.b)
		if err != nil {
			return nil, &DamageError{0, fmt.Errorf("dictionary: %w", err)}
		}
		return &memberSource{f: f, magic: zstdMagic, next: frames.next}, nil
	}
	return &plainSource{f}, nil
}

// raw is a file as it is.
type raw struct {
	b    *bufio.Reader
	in   io.Reader
	read int64 // by b
}

func newRaw(in io.Reader) *raw {
	f := &raw{in: in}
	f.b = bufio.NewReaderSize(f, 64<<10)
	return f
}

// Read is what b reads of the file.
func (f *raw) Read(p []byte) (int, error) {
	n, err := f.in.Read(p)
	f.read += int64(n)
	return n, err
}

// at returns how many bytes of the file are used.
func (f *raw) at() int64 { return f.read - int64(f.b.Buffered()) }

// find goes to the next place where a magic number stands, from a place on that lies
// before, if the file can seek, or else from here. It returns io.EOF where there is
// none.
func (f *raw) find(from int64, magic []byte) error {
	if s, ok := f.in.(io.Seeker); ok {
		if _, err := s.Seek(from, io.SeekStart); err == nil {
			f.read = from
			f.b.Reset(f)
		}
	}
	for {
		window, err := f.b.Peek(4 << 10)
		if i := bytes.Index(window, magic); i >= 0 {
			_, err := f.b.Discard(i)
			return err
		}
		if err != nil {
			return err
		}
		if _, err := f.b.Discard(len(window) - len(magic) + 1); err != nil {
			return err
		}
	}
}

// plainSource is a file that is not compressed.
type plainSource struct{ *raw }

func (s *plainSource) Read(p []byte) (int, error) { return s.b.Read(p) }

func (s *plainSource) offset(unused int) int64 { return s.at() - int64(unused) }

func (s *plainSource) recover() error { return nil }

// memberSource is a file of compressed members, one after the other, each with a
// checksum of its own.
type memberSource struct {
	f     *raw
	magic []byte // with which members begin
	// next opens the member at which the file stands; io.EOF: there is none.
	next func(*bufio.Reader) (io.Reader, error)

	member io.Reader // that is open; nil: none
	start  int64     // where in the file it began, or should have
	began  bool      // something of it was read
	err    error     // with which reading ended
}

func (s *memberSource) Read(p []byte) (int, error) {
	for s.err == nil {
		if s.member == nil {
			s.open()
			continue
		}
		n, err := s.member.Read(p)
		s.began = s.began || n > 0
		switch {
		case err == io.EOF:
			s.member = nil
		case err != nil && !s.began:
			s.err = &startError{broken(err, s.start)}
		case err != nil:
			s.err = broken(err, s.start)
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, s.err
}

// open opens the next member.
func (s *memberSource) open() {
	s.start = s.f.at()
	member, err := s.next(s.f.b)
	switch {
	case err == io.EOF:
		s.err = io.EOF
	case err != nil:
		s.err = &startError{broken(err, s.start)}
	default:
		s.member, s.began = member, false
	}
}

func (s *memberSource) offset(int) int64 { return s.start }

func (s *memberSource) recover() error {
	s.member = nil
	s.err = s.f.find(s.start+1, s.magic)
	return s.err
}

// broken tells what an error of decompressing means.
func broken(err error, start int64) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return &DamageError{start, fmt.Errorf("%w: %w", ErrCompressed, ErrCut)}
	}
	return &DamageError{start, fmt.Errorf("%w: %w", ErrCompressed, err)}
}

// gzipMagic is how a gzip member begins that is deflated (RFC 1952, 2.3.1).
var gzipMagic = []byte{0x1f, 0x8b, 8}

// gzipMembers opens gzip members (RFC 1952, 2.2).
type gzipMembers struct{ z *gzip.Reader }

func (m *gzipMembers) next(b *bufio.Reader) (_ io.Reader, err error) {
	if m.z == nil {
		m.z, err = gzip.NewReader(b)
	} else {
		err = m.z.Reset(b)
	}
	if err != nil {
		return nil, err
	}
	m.z.Multistream(false)
	return m.z, nil
}
