// Package coding undoes the content codings of HTTP (RFC 9110, 8.4): pure readers
// over bytes, that know nothing of requests.
package coding

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Accept names the codings to ask a server for. [NewReader] undoes deflate too, of
// which servers and clients have two notions.
const Accept = "gzip, br, zstd"

// maxCodings is how many codings a body may be in at a time: servers use one.
const maxCodings = 4

// maxWindow is how far back a Zstandard body may refer: RFC 8878 asks every decoder
// for so much, and none for more.
const maxWindow = 8 << 20

// ErrUnknown: a body is in a coding that nobody here can undo.
var ErrUnknown = errors.New("unknown coding")

// Is reports whether the value of a Content-Encoding names a coding at all.
func Is(codings string) bool { return len(names(codings)) > 0 }

// names returns the codings of a Content-Encoding, as they were applied.
func names(codings string) []string {
	var list []string
	for name := range strings.SplitSeq(strings.ToLower(codings), ",") {
		if name = strings.TrimSpace(name); name != "" && name != "identity" {
			list = append(list, name)
		}
	}
	return list
}

// NewReader returns what r holds without its codings, as a Content-Encoding names
// them. An empty body stays empty, since servers call that compressed too. The
// error may also be one of r.
func NewReader(codings string, r io.Reader) (io.Reader, error) {
	list := names(codings)
	if len(list) > maxCodings {
		return nil, fmt.Errorf("%w: %d, one upon the other", ErrUnknown, len(list))
	}
	for _, name := range slices.Backward(list) {
		var err error
		r, err = decoder(name, r)
		switch {
		case err == io.EOF:
			return strings.NewReader(""), nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return r, nil
}

func decoder(name string, r io.Reader) (io.Reader, error) {
	switch name {
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "deflate":
		return inflate(r)
	case "br":
		return brotli.NewReader(r), nil
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, ErrUnknown
}

// inflate undoes deflate: the zlib format (RFC 9110, 8.4.1.2), or what some servers
// send in its place, the same without zlib's head. That begins with a method of 8,
// and is as a whole a multiple of 31 (RFC 1950, 2.2).
func inflate(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(2)
	switch {
	case len(head) < 2:
		return nil, err
	case head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0:
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
}
