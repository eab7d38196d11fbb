package mirror

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// manner is what goes wrong with an answer on its way. The zero manner gives it
// as it stands. Faults and scenarios are both told in manners.
type manner struct {
	mute    ending        // how the request ends without an answer, if it does
	wait    time.Duration // before anything is said
	header  []field       // beside and instead of the answer's own
	head    int64         // bytes of a field more
	spoil   []spoiler     // what is done to the body, in order
	charset string        // in which the body is sent; empty: UTF-8
	says    string        // the charset that header and page claim; empty: as they do

	endless bool    // the body goes on for ever
	bomb    bomb    // the body is packed with very much behind it
	trickle trickle // how slowly it comes
	broken  broken  // where it breaks off
	chunked bool    // its length is not announced
}

// field is a field of a header.
type field struct{ name, value string }

// spoiler changes a body.
type spoiler func(body []byte) []byte

// trickle sends so many bytes at a time, with pauses between.
type trickle struct {
	bytes int
	every time.Duration
}

// bomb is a body that unpacks to size bytes.
type bomb struct {
	coding string
	size   int64
}

// broken is where a body breaks off, and how.
type broken struct {
	how     ending
	at      int64 // bytes, or hundredths of the body
	percent bool
}

// ending is how an answer ends before its end.
type ending string

const (
	endingNone  ending = ""
	endingCut   ending = "cut"   // the connection is closed
	endingReset ending = "reset" // it is reset
	endingStall ending = "stall" // it stays open, and nothing comes any more
)

// streams reports whether the body's length is not known before its end.
func (how *manner) streams() bool { return how.chunked || how.endless || how.bomb.size > 0 }

// slow waits as long as the answer is to take, and reports false where the
// client went away meanwhile.
func (how *manner) slow(r *http.Request) bool {
	if how.wait == 0 {
		return true
	}
	t := time.NewTimer(how.wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// alter does what goes wrong with a page's bytes.
func (how *manner) alter(body []byte) []byte {
	for _, spoil := range how.spoil {
		body = spoil(body)
	}
	if how.says != "" {
		body = []byte(strings.Replace(string(body), `<meta charset="utf-8">`, `<meta charset="`+how.says+`">`, 1))
	}
	if how.charset != "" {
		body = encode(how.charset, body)
	}
	return body
}

// media returns the media type that the answer claims.
func (how *manner) media(media string) string {
	if how.says != "" {
		return strings.Replace(media, "utf-8", how.says, 1)
	}
	return media
}

// set sets the header's fields; one without a value is taken off. The first of
// a name replaces what was there, so that there can be several.
func (how *manner) set(h http.Header, marks *strings.Replacer) {
	if how.head > 0 {
		h.Set("X-Filler", strings.Repeat("x", int(how.head)))
	}
	for i, f := range how.header {
		switch {
		case f.value == "":
			h[f.name] = nil // or net/http would fill it in
		case slices.ContainsFunc(how.header[:i], func(before field) bool { return before.name == f.name }):
			h.Add(f.name, marks.Replace(f.value))
		default:
			h.Set(f.name, marks.Replace(f.value))
		}
	}
}

// send sends a body whose header is sent already. A client that went away is
// its own affair.
func (how *manner) send(w http.ResponseWriter, r *http.Request, body []byte, more flow) {
	out := io.Writer(w)
	if how.trickle.bytes > 0 {
		out = &trickling{out: w, r: r, trickle: how.trickle}
	}
	if how.broken.how != endingNone {
		out = &breaking{out: out, left: how.broken.after(len(body))}
	}
	if err := how.pour(out, body, more); errors.Is(err, errBroken) {
		_ = http.NewResponseController(w).Flush()
		end(w, r, how.broken.how)
	}
}

// pour writes the whole body.
func (how *manner) pour(out io.Writer, body []byte, more flow) error {
	if how.bomb.size > 0 {
		return how.bomb.write(out, body)
	}
	if _, err := out.Write(body); err != nil {
		return err
	}
	if more != nil {
		if err := more(out); err != nil {
			return err
		}
	}
	for how.endless {
		if _, err := out.Write(filler); err != nil {
			return err
		}
	}
	return nil
}

// after returns how many bytes are sent.
func (b *broken) after(length int) int64 {
	if b.percent {
		return int64(length) * b.at / 100
	}
	return b.at
}

// errBroken: here the answer breaks off.
var errBroken = errors.New("the answer breaks off")

// breaking lets so many bytes through.
type breaking struct {
	out  io.Writer
	left int64
}

func (b *breaking) Write(p []byte) (int, error) {
	if int64(len(p)) < b.left {
		n, err := b.out.Write(p)
		b.left -= int64(n)
		return n, err
	}
	n, err := b.out.Write(p[:b.left])
	b.left -= int64(n)
	if err == nil {
		err = errBroken
	}
	return n, err
}

// trickling writes a little at a time.
type trickling struct {
	out http.ResponseWriter
	r   *http.Request
	trickle
}

func (t *trickling) Write(p []byte) (int, error) {
	sent := 0
	for piece := range slices.Chunk(p, t.bytes) {
		n, err := t.out.Write(piece)
		sent += n
		if err == nil {
			err = http.NewResponseController(t.out).Flush()
		}
		if err != nil {
			return sent, err
		}
		if pause := (manner{wait: t.every}); !pause.slow(t.r) {
			return sent, t.r.Context().Err()
		}
	}
	return sent, nil
}

// end ends an answer before its end, or a request without any. It reports false
// where there is no connection to end, as in HTTP/2: there the server ends the
// answer in its own way.
func end(w http.ResponseWriter, r *http.Request, how ending) bool {
	if how == endingStall {
		<-r.Context().Done()
		return true
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	if tcp, ok := conn.(*net.TCPConn); ok && how == endingReset {
		_ = tcp.SetLinger(0) // what is not delivered yet is lost, too
	}
	_ = conn.Close() // nobody is left to be told
	return true
}

// write writes the packed body with filler behind it until it is as large as
// it is to be. What gzip and zstd packed can be repeated, as their forms let one
// piece follow another (RFC 1952, 2.2; RFC 8878, 3.1).
func (b *bomb) write(out io.Writer, body []byte) error {
	left := b.size - int64(len(body))
	piece := bytes.Repeat(filler, 1<<20/len(filler))
	piece = piece[:max(0, min(int64(len(piece)), left))]
	if b.coding == "br" {
		return pack(b.coding, out, body, piece, left)
	}
	if err := pack(b.coding, out, body, nil, 0); err != nil {
		return err
	}
	var packed bytes.Buffer
	err := pack(b.coding, &packed, piece, nil, 0)
	for ; err == nil && left > 0; left -= int64(len(piece)) {
		_, err = out.Write(packed.Bytes())
	}
	return err
}

// pack writes a body in a content coding, and a piece behind it as often as it
// takes to have so many bytes more.
func pack(coding string, out io.Writer, body, piece []byte, more int64) error {
	z, err := newPacker(coding, out)
	if err != nil {
		return err
	}
	_, err = z.Write(body)
	for ; err == nil && more > 0; more -= int64(len(piece)) {
		_, err = z.Write(piece)
	}
	return errors.Join(err, z.Close())
}

// codings are the content codings in which there are bombs.
var codings = []string{"gzip", "br", "zstd"}

// newPacker returns a writer that packs in a content coding.
func newPacker(coding string, out io.Writer) (io.WriteCloser, error) {
	switch coding {
	case "gzip":
		return gzip.NewWriterLevel(out, gzip.BestSpeed)
	case "br":
		return brotli.NewWriterLevel(out, brotli.BestSpeed), nil
	case "zstd":
		return zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	}
	return nil, fmt.Errorf("content coding %q is not known", coding)
}
