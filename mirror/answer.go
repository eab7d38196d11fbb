package mirror

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// answer is what a site has at an address, not yet written.
type answer struct {
	status   int
	media    string // the media type
	etag     string // with its quotes; empty for none
	modified time.Time
	location string // of a redirect
	fault    faultID
	body     renderer
}

// renderer appends a body.
type renderer func(dst []byte) ([]byte, error)

// Media types.
const (
	mediaHTML = "text/html; charset=utf-8"
	mediaText = "text/plain; charset=utf-8"
	mediaJSON = "application/json; charset=utf-8"
)

// ServeHTTP implements [http.Handler].
func (m *Mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		m.control(w, r)
		return
	}
	q := m.asked(r)
	rec := &recorder{ResponseWriter: w, traffic: m.traffic}
	m.traffic.begin(q.kind, r.URL.RequestURI())
	defer rec.done()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(rec, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	m.deliver(rec, r, m.site.find(q))
}

// deliver writes the answer, with whatever goes wrong with it.
func (m *Mirror) deliver(w http.ResponseWriter, r *http.Request, a answer) {
	a.fault = m.steady(r, a.fault)
	if !m.fail(w, r, a.fault) {
		return
	}
	if a.setValidators(w.Header()); a.notModified(r) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	buf := m.buffers.get()
	defer func() { m.buffers.put(buf) }()
	if a.body != nil {
		var err error
		if buf, err = a.body(buf); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	m.write(w, r, &a, a.spoil(buf))
}

// write writes headers and body.
func (m *Mirror) write(w http.ResponseWriter, r *http.Request, a *answer, body []byte) {
	h := w.Header()
	h.Set("Content-Type", a.mediaType())
	if m.gzip && compressible(a.media) {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			if a.etag != "" {
				h.Set("ETag", "W/"+a.etag)
			}
			body = compress(body)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	if a.fault == faultCut {
		body = body[:len(body)/2] // net/http closes the connection on what is missing
	}
	// A client that went away is its own affair.
	_, _ = w.Write(body)
}

func (a *answer) setValidators(h http.Header) {
	if a.etag != "" {
		h.Set("ETag", a.etag)
	}
	if !a.modified.IsZero() {
		h.Set("Last-Modified", a.modified.UTC().Format(http.TimeFormat))
	}
}

// notModified reports whether the client holds the answer already: by its
// entity tag or, where it names none, by date (RFC 9110, section 13).
func (a *answer) notModified(r *http.Request) bool {
	if a.status != http.StatusOK {
		return false
	}
	if tags := r.Header.Get("If-None-Match"); tags != "" {
		return matches(tags, a.etag)
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !a.modified.IsZero() && !a.modified.Truncate(time.Second).After(since)
}

// matches compares entity tags weakly.
func matches(tags, etag string) bool {
	if etag == "" {
		return false
	}
	for tag := range strings.SplitSeq(tags, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// buffers lends memory for bodies.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() []byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return (*buf)[:0]
	}
	return make([]byte, 0, 16<<10)
}

func (b *buffers) put(buf []byte) {
	const most = 1 << 20 // do not keep the few that are huge
	if cap(buf) <= most {
		b.pool.Put(&buf)
	}
}
