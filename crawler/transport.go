package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/time/rate"
)

// transport is what Colly's client sends its requests through. Every single
// request, redirects and robots.txt included, waits here for its host's turn,
// is bounded in time and size, and is counted.
type transport struct {
	base   http.RoundTripper
	limits config.Limits
	kind   func(*http.Request) news.PageKind
	stop   context.Context // done when no request may be begun any more
	counts *traffic

	mu    sync.Mutex
	hosts map[string]*turnstile
}

// turnstile lets requests to one host through at its pace.
type turnstile struct {
	slots chan struct{} // one for each request in flight
	turn  chan struct{} // held by the request that is next
	pace  *rate.Limiter
}

// answer is what a request got, when all of it has arrived. It goes around
// Colly, which keeps neither the protocol nor the bytes as they came, and grows
// a body's buffer a dozen times where the server says how much will come.
type answer struct {
	url    string // after redirects
	status int
	proto  string
	header http.Header
	body   []byte // with the content coding undone
}

// answerKey is the key of a request's context under which the transport finds
// the *answer to fill.
type answerKey struct{}

// acceptEncoding names the codings that decode undoes.
const acceptEncoding = "gzip, br, zstd"

func newTransport(stop context.Context, limits config.Limits, base http.RoundTripper, kind func(*http.Request) news.PageKind) *transport {
	return &transport{
		base: base, limits: limits, kind: kind, stop: stop,
		counts: newTraffic(), hosts: make(map[string]*turnstile),
	}
}

// turnstile returns the one for a host.
func (t *transport) turnstile(host string) *turnstile {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.hosts[host]
	if s == nil {
		pace := rate.NewLimiter(rate.Inf, 0)
		if t.limits.Rate > 0 {
			pace = rate.NewLimiter(rate.Limit(t.limits.Rate), max(1, t.limits.Burst))
		}
		s = &turnstile{pace: pace, slots: make(chan struct{}, t.limits.Parallel), turn: make(chan struct{}, 1)}
		t.hosts[host] = s
	}
	return s
}

// slow makes a host's pace no faster than one request in delay, as its
// robots.txt asks.
func (t *transport) slow(host string, delay time.Duration) {
	s := t.turnstile(host)
	if limit := rate.Every(delay); delay > 0 && limit < s.pace.Limit() {
		s.pace.SetLimit(limit)
		s.pace.SetBurst(1)
	}
}

// enter waits until a request may be sent.
func (s *turnstile) enter(ctx context.Context) error {
	if ctx.Err() != nil || !acquire(ctx, s.slots) {
		return errStopped
	}
	if !acquire(ctx, s.turn) {
		s.leave()
		return errStopped
	}
	defer func() { <-s.turn }()
	if !s.wait(ctx) {
		s.leave()
		return errStopped
	}
	return nil
}

func acquire(ctx context.Context, room chan<- struct{}) bool {
	select {
	case room <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// wait takes a token at the moment when it is used. One reserved for later
// would be used late where the process is held up, and then too soon before
// the next.
func (s *turnstile) wait(ctx context.Context) bool {
	for ctx.Err() == nil {
		now := time.Now()
		token := s.pace.ReserveN(now, 1)
		d := token.DelayFrom(now)
		if d == 0 {
			return true
		}
		token.CancelAt(now)
		pause(ctx, d)
	}
	return false
}

// pause waits, and returns false if ctx ends meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *turnstile) leave() { <-s.slots }

// RoundTrip sends one request and takes in the whole answer, which goes to the
// request's [answerKey]; the response that it returns has no body.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	s := t.turnstile(page.HostOf(req.URL))
	if err := s.enter(t.stop); err != nil {
		return nil, err
	}
	defer s.leave()
	ctx, cancel := context.WithTimeout(req.Context(), t.limits.Timeout)
	defer cancel()
	req = req.WithContext(ctx)
	req.Header.Set("Accept-Encoding", acceptEncoding)
	t.counts.sent(t.kind(req))
	res, err := t.base.RoundTrip(req)
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %v: %w", t.limits.Timeout, context.DeadlineExceeded)
		}
		return nil, err
	}
	defer res.Body.Close()
	t.counts.answered(res.StatusCode)
	body, err := t.readBody(res)
	if err != nil {
		return nil, err
	}
	*ctx.Value(answerKey{}).(*answer) = answer{
		url: req.URL.String(), status: res.StatusCode, proto: res.Proto, header: res.Header, body: body,
	}
	res.Body, res.Uncompressed = http.NoBody, true
	return res, nil
}

// trustedLength is how many bytes are made room for at a server's word. For
// more, so many must have come.
const trustedLength = 256 << 10

// readBody reads all of an answer's body, decoded. It fails with [errTooLarge]
// beyond the limit.
func (t *transport) readBody(res *http.Response) ([]byte, error) {
	if res.ContentLength > t.limits.MaxBody {
		return nil, errTooLarge
	}
	decoded, err := decode(res)
	if err != nil {
		return nil, err
	}
	r := &bounded{r: decoded, left: t.limits.MaxBody}
	defer func() { t.counts.bytes.Add(t.limits.MaxBody - r.left) }()
	var b bytes.Buffer
	if n := int(res.ContentLength); n > 0 {
		first := min(n, trustedLength)
		b.Grow(first + bytes.MinRead)
		if _, err := b.ReadFrom(io.LimitReader(r, int64(first))); err != nil {
			return nil, err
		}
		b.Grow(n - first + bytes.MinRead)
	}
	if _, err := b.ReadFrom(r); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// bounded fails with [errTooLarge] when more than left bytes come.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// errDecode: the body is not in the coding that the server says it is in.
var errDecode = errors.New("content coding is broken")

// decode undoes the answer's Content-Encoding (RFC 9110, 8.4) and takes the
// headers off that no longer hold.
func decode(res *http.Response) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding")))
	if coding == "" || coding == "identity" || res.StatusCode == http.StatusNotModified {
		return res.Body, nil
	}
	r, err := decoder(coding, res.Body)
	switch {
	case err == io.EOF: // servers call an empty body compressed too
		r = http.NoBody
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", errDecode, coding, err)
	}
	res.Header.Del("Content-Encoding")
	res.Header.Del("Content-Length")
	res.ContentLength = -1
	res.Uncompressed = true
	return &decoding{r: r, coding: coding}, nil
}

func decoder(coding string, r io.Reader) (io.Reader, error) {
	switch coding {
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "br":
		return brotli.NewReader(r), nil
	case "zstd":
		// RFC 8878 asks of every decoder for 8 MiB of window, and of none for more.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, errors.New("unknown coding")
}

// decoding marks a decoder's errors as such, so that they are told apart from
// a connection's.
type decoding struct {
	r      io.Reader
	coding string
}

func (d *decoding) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && err != io.EOF && !isTimeout(err) {
		err = fmt.Errorf("%w: %s: %w", errDecode, d.coding, err)
	}
	return n, err
}
