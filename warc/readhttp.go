package warc

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"

	"github.com/finarc/finarc/coding"
)

// Why what a record holds is no answer that can be used.
var (
	errNoHTTP = errors.New("no answer of HTTP")
	errLarge  = errors.New("body over limit") // limits.max_body
	errShort  = errors.New("cut body")        // shorter than announced
	errCoding = errors.New("content coding is broken")
)

// answer is what a server sent (ISO 28500:2017, 6.3.2).
type answer struct {
	status int
	proto  string
	header http.Header
	sent   []byte // the body as the record holds it
	plain  []byte // without transfer coding
	body   []byte // without content coding
}

// readAnswer reads the head of an answer.
func readAnswer(block []byte) (*answer, error) {
	rest, room := bytes.NewReader(block), maxHeader
	b := bufio.NewReader(rest)
	line, err := readLine(b, &room)
	if err != nil {
		return nil, errNoHTTP
	}
	proto, status, _ := strings.Cut(string(line), " ")
	code, _, _ := strings.Cut(strings.TrimSpace(status), " ")
	a := &answer{proto: strings.ToUpper(proto)} // DevTools spell it http/1.1
	if a.status, err = strconv.Atoi(code); err != nil || len(code) != len("200") || !strings.HasPrefix(a.proto, "HTTP/") {
		return nil, errNoHTTP
	}
	fields, err := readFields(b, &room)
	if err != nil {
		return nil, errNoHTTP
	}
	a.header = http.Header(fields)
	a.sent = block[len(block)-rest.Len()-b.Buffered():]
	return a, nil
}

// open undoes the codings of the body, and takes the headers off that do not hold
// for it any more. Recorders that write what a browser got keep headers of codings
// that are undone already: a body that is no such thing is taken as it is.
func (a *answer) open(maxBody int64) error {
	if err := a.unchunk(maxBody); err != nil {
		return err
	}
	if err := a.decode(maxBody); err != nil {
		return err
	}
	if a.header.Get("Content-Length") != strconv.Itoa(len(a.body)) {
		a.header.Del("Content-Length")
	}
	return nil
}

// unchunk undoes the transfer coding (RFC 9112, 7.1), or, where there is none, holds
// the body against its length.
func (a *answer) unchunk(maxBody int64) (err error) {
	a.plain = a.sent
	chunked := strings.Contains(strings.ToLower(a.header.Get("Transfer-Encoding")), "chunked")
	for _, name := range []string{"Transfer-Encoding", "Trailer"} {
		a.header.Del(name)
	}
	switch {
	case chunked && beginsChunk(a.sent):
		a.plain, err = readBody(httputil.NewChunkedReader(bytes.NewReader(a.sent)), maxBody)
		if err != nil && err != errLarge {
			return errShort
		}
		return err
	case chunked || coding.Is(a.header.Get("Content-Encoding")):
		return nil // the length is not the body's, or told by its coding
	}
	if n, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64); err == nil && n > int64(len(a.sent)) {
		return errShort
	}
	return nil
}

// beginsChunk reports whether data begins with the size of a chunk.
func beginsChunk(data []byte) bool {
	line, _, ok := bytes.Cut(data[:min(len(data), 256)], []byte("\n"))
	size, _, _ := bytes.Cut(line, []byte(";"))
	_, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 63)
	return ok && err == nil
}

// decode undoes the content coding.
func (a *answer) decode(maxBody int64) error {
	a.body = a.plain
	codings := a.header.Get("Content-Encoding")
	a.header.Del("Content-Encoding")
	if !coding.Is(codings) {
		if int64(len(a.body)) > maxBody {
			return errLarge
		}
		return nil
	}
	r, err := coding.NewReader(codings, bytes.NewReader(a.plain))
	if err == nil {
		a.body, err = readBody(r, maxBody)
	}
	switch {
	case err == nil || err == errLarge:
		return err
	case looksPlain(a.plain):
		a.body = a.plain
		return nil
	}
	return errCoding
}

// looksPlain reports whether data begins as HTML, XML or JSON do. gzip, zlib and
// Zstandard begin otherwise, and of Brotli and bare deflate it is not likely.
func looksPlain(data []byte) bool {
	data = bytes.TrimLeft(data, "\xef\xbb\xbf \t\r\n")
	return len(data) > 0 && (data[0] == '<' || data[0] == '{' || data[0] == '[')
}

// readBody reads all of a body, up to a limit.
func readBody(r io.Reader, maxBody int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && int64(len(data)) > maxBody {
		return nil, errLarge
	}
	return data, err
}
