package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/finarc/finarc/coding"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	robotstxt "github.com/finarc/finarc/robots"
)

// transport is what Colly's client sends its requests through. Every single
// request, redirects and robots.txt included, waits here for its host's turn,
// is bounded in time and size, and is counted.
type transport struct {
	base    http.RoundTripper
	limits  config.Limits
	backoff time.Duration
	kind    func(*http.Request) news.PageKind
	stop    context.Context // done when no request may be begun any more
	counts  *traffic
	memory  *memory
	now     func() time.Time

	large chan struct{} // held by the worker, and then the batch, that has a large body

	allowance atomic.Int64 // requests that may still be sent
	spent     func()       // called when one more is wanted

	mu    sync.Mutex
	hosts map[string]*host

	// pair is held for reading by whoever counts something in two places, and for
	// writing by a report, of which both are to tell the same.
	pair sync.RWMutex
}

// answer is what a request got, when all of it has arrived. It goes around
// Colly, which keeps neither the protocol nor the bytes as they came, and grows
// a body's buffer a dozen times where the server says how much will come.
type answer struct {
	url     string // after redirects
	status  int
	proto   string
	header  http.Header
	body    []byte // with the content coding undone
	large   bool   // the worker holds the transport's room for a large body
	again   bool   // the request that is about to be sent is a retry
	patient bool   // as in the order
}

// answerKey is the key of a request's context under which the transport finds
// the *answer to fill.
type answerKey struct{}

// newTransport returns the transport of a run. spent is called when more
// requests are wanted than the run may send.
func newTransport(stop context.Context, r *run, spent func()) *transport {
	t := &transport{
		base: r.o.Transport, limits: r.o.Limits, backoff: r.o.Backoff, stop: stop,
		kind:   func(req *http.Request) news.PageKind { return kindOf(r.sites, req.URL) },
		counts: newTraffic(), memory: r.memory, now: r.o.Now, spent: spent, large: make(chan struct{}, 1), hosts: make(map[string]*host),
	}
	t.allowance.Store(math.MaxInt64)
	if n := r.o.MaxRequests; n > 0 {
		t.allowance.Store(int64(n))
	}
	return t
}

// host returns what the run knows of a host[:port].
func (t *transport) host(name string) *host {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[name]
	if h == nil {
		h = newHost(name, t.limits, t.backoff)
		if d := t.memory.pausedUntil(name).Sub(t.now()); d <= maxRetryAfter { // longer only where a clock was wrong
			h.retryAfter(d)
		}
		t.hosts[name] = h
	}
	return h
}

// report writes what was asked of each host into a run's report.
func (t *transport) report(run *news.Run) {
	t.pair.Lock()
	defer t.pair.Unlock()
	t.counts.report(run)
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, h := range t.hosts {
		run.Hosts[name] = h.report()
	}
}

// RoundTrip sends one request and takes in the whole answer, which goes to the
// request's [answerKey]; the response that it returns has no body.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	h := t.host(page.HostOf(req.URL))
	got := req.Context().Value(answerKey{}).(*answer)
	patient := got.patient || req.Response != nil // which is what redirected here
	if err := h.enter(t.stop, patient); err != nil {
		return nil, err
	}
	defer h.leave()
	if t.allowance.Add(-1) < 0 {
		t.spent()
		return nil, errStopped
	}
	return t.exchange(req, h, got)
}

// exchange sends a request whose turn has come, and takes in the whole answer.
func (t *transport) exchange(req *http.Request, h *host, got *answer) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	timer := time.AfterFunc(t.limits.Timeout, func() { cancel(errTimeout) })
	defer timer.Stop()
	req = req.WithContext(ctx)
	req.Header.Set("Accept-Encoding", coding.Accept)
	if req.URL.Scheme == "http" || h.speaksHTTP1() {
		// With a body, though it is empty, net/http does not send the request a second
		// time by itself when a kept connection breaks: out of turn, and uncounted. It
		// is to be sent as it is, or net/http would wait to see whether there is any.
		req.Body, req.GetBody = io.NopCloser(strings.NewReader("")), nil
		req.TransferEncoding = []string{"identity"}
	}
	t.space(h, req.URL)
	kind := t.kind(req)
	t.countSent(h, kind, got.again)
	got.again = false // nor are the redirects that follow
	began := time.Now()
	res, err := t.base.RoundTrip(req)
	t.space(h, req.URL) // from when the request had come there for certain
	if err != nil {
		h.failed()
		return nil, t.explain(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode < http.StatusOK { // as 101, the body of which ends with no request
		h.failed()
		return nil, fmt.Errorf("%w: status %d", errProtocol, res.StatusCode)
	}
	latency := time.Since(began)
	t.countAnswered(h, res)
	t.heed(h, req.URL, res)
	body, err := t.readBody(res, h, kind, func() error {
		timer.Stop() // waiting for room is not the server's fault
		defer timer.Reset(t.limits.Timeout)
		return t.makeRoom(ctx, got)
	})
	if err != nil {
		if !errors.Is(err, errTooLarge) {
			h.failed()
		}
		return nil, t.explain(ctx, err)
	}
	h.judge(res.StatusCode, latency)
	*got = answer{
		url: req.URL.String(), status: res.StatusCode, proto: res.Proto, header: res.Header, body: body, large: got.large,
	}
	res.Body, res.Uncompressed = http.NoBody, true
	return res, nil
}

// countSent counts a request, or a retry.
func (t *transport) countSent(h *host, kind news.PageKind, again bool) {
	t.pair.RLock()
	defer t.pair.RUnlock()
	t.counts.sent(kind, again)
	h.sent(again)
}

// countAnswered counts an answer.
func (t *transport) countAnswered(h *host, res *http.Response) {
	t.pair.RLock()
	defer t.pair.RUnlock()
	t.counts.answered(res.StatusCode)
	h.answered(res)
}

// countReceived counts the bytes of a body.
func (t *transport) countReceived(h *host, n int64) {
	t.pair.RLock()
	defer t.pair.RUnlock()
	t.counts.bytes.Add(n)
	h.received(n)
}

// space lets the host's Crawl-delay begin now, in later runs too.
func (t *transport) space(h *host, u *url.URL) {
	if d := h.askedNow(time.Now()); d > 0 {
		t.memory.setPaused(originOf(u), t.now().Add(d))
	}
}

// explain says in words that a request's time was over.
func (t *transport) explain(ctx context.Context, err error) error {
	if context.Cause(ctx) == errTimeout {
		return fmt.Errorf("no whole answer within %v: %w", t.limits.Timeout, errTimeout)
	}
	return err
}

// largeBody is the number of bytes from which on a body is large. Of these there
// is one at a time between the wire and the archive, since reading a page and
// storing it each take a multiple of its size.
const largeBody = 1 << 20

// makeRoom waits until there is no other large body.
func (t *transport) makeRoom(ctx context.Context, a *answer) error {
	if a.large {
		return nil
	}
	select {
	case t.large <- struct{}{}:
		a.large = true
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// letGo drops a worker's answer, and gives back the room for a large body if the
// worker has it.
func (t *transport) letGo(a *answer) {
	if a.large {
		t.freeRoom()
	}
	*a = answer{}
}

// freeRoom gives back the room for a large body.
func (t *transport) freeRoom() { <-t.large }

// heed takes note of how long an answer wants its host to be left alone
// (Retry-After).
func (t *transport) heed(h *host, u *url.URL, res *http.Response) {
	if !overloaded(res.StatusCode) {
		return
	}
	if d := retryAfter(res.Header, t.now()); d > 0 {
		h.retryAfter(d)
		t.memory.setPaused(originOf(u), t.now().Add(d))
	}
}

// trustedLength is how many bytes are made room for at a server's word. For
// more, so many must have come.
const trustedLength = 256 << 10

// readBody reads all of an answer's body, decoded. It fails with [errTooLarge]
// beyond the limit. Of a robots.txt it takes what is heeded of one, and a byte
// that tells that there is more. large is called before more than [largeBody]
// bytes are taken.
func (t *transport) readBody(res *http.Response, h *host, kind news.PageKind, large func() error) ([]byte, error) {
	whole := kind != news.KindRobots
	most := t.limits.MaxBody
	switch {
	case !whole:
		most = min(most, robotstxt.MaxBytes+1)
	case res.ContentLength > most:
		return nil, errTooLarge
	}
	decoded, err := decode(res)
	if err != nil {
		return nil, err
	}
	if !whole {
		decoded = io.LimitReader(decoded, most)
	}
	r := &bounded{r: decoded, left: t.limits.MaxBody, small: largeBody, large: large}
	defer func() { t.countReceived(h, t.limits.MaxBody-r.left) }()
	var b bytes.Buffer
	if n := int(min(res.ContentLength, most)); n > 0 {
		first := min(n, trustedLength)
		b.Grow(first + bytes.MinRead)
		if _, err := b.ReadFrom(io.LimitReader(r, int64(first))); err != nil {
			return nil, err
		}
		if n > largeBody {
			if err := r.ask(); err != nil {
				return nil, err
			}
		}
		b.Grow(n - first + bytes.MinRead)
	}
	if _, err := b.ReadFrom(r); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// bounded fails with [errTooLarge] when more than left bytes come, and asks large
// once before those after the first small.
type bounded struct {
	r     io.Reader
	left  int64
	small int64
	large func() error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.small <= 0 {
		if err := b.ask(); err != nil {
			return 0, err
		}
	}
	n, err := b.r.Read(p)
	b.small -= int64(n)
	if b.left -= int64(n); b.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// ask asks for room for a large body, once.
func (b *bounded) ask() error {
	if b.large == nil {
		return nil
	}
	ask := b.large
	b.large = nil
	return ask()
}

// errDecode: the body is not in the coding that the server says it is in.
var errDecode = errors.New("content coding is broken")

// decode undoes the answer's Content-Encoding and takes the headers off that no
// longer hold.
func decode(res *http.Response) (io.Reader, error) {
	codings := res.Header.Get("Content-Encoding")
	if !coding.Is(codings) || res.StatusCode == http.StatusNotModified {
		return res.Body, nil
	}
	r, err := coding.NewReader(codings, res.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDecode, err)
	}
	res.Header.Del("Content-Encoding")
	res.Header.Del("Content-Length")
	res.ContentLength = -1
	res.Uncompressed = true
	return &decoding{r: r, codings: codings}, nil
}

// decoding marks a decoder's errors as such, so that they are told apart from
// a connection's.
type decoding struct {
	r       io.Reader
	codings string
}

func (d *decoding) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && err != io.EOF && !isTimeout(err) {
		err = fmt.Errorf("%w: %s: %w", errDecode, d.codings, err)
	}
	return n, err
}
