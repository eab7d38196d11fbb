package mirror

import (
	"io"
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
	more     flow // what follows the body, if anything
}

// flow writes what is too long to be held. It ends with the first error.
type flow func(io.Writer) error

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
	rec := &recorder{ResponseWriter: w, traffic: m.traffic, visit: m.traffic.begin(&q, r)}
	defer rec.done()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(rec, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if s := m.play.next(&q); s != nil {
		m.perform(rec, r, &q, s)
		return
	}
	m.serve(rec, r, m.site.find(q))
}

// serve gives the site's own answer, with whatever is wrong with it.
func (m *Mirror) serve(w http.ResponseWriter, r *http.Request, a answer) {
	fault := m.passing(r, a.fault)
	if status := refusals[fault]; status != 0 {
		a = bare(status)
	}
	m.deliver(w, r, &a, fault.manner(), nil)
}

// bare is an answer that says no more than its status.
func bare(status int) answer {
	return answer{status: status, media: mediaText, body: func(dst []byte) ([]byte, error) {
		return append(append(dst, strings.ToLower(http.StatusText(status))...), '\n'), nil
	}}
}

// deliver writes the answer in its manner. Marks in the header are filled in.
func (m *Mirror) deliver(w http.ResponseWriter, r *http.Request, a *answer, how *manner, marks *strings.Replacer) {
	if how.mute != endingNone {
		if !end(w, r, how.mute) {
			http.Error(w, "bad gateway", http.StatusBadGateway) // as bad as none
		}
		return
	}
	if !how.slow(r) {
		return
	}
	if a.setValidators(w.Header()); a.notModified(r) {
		how.set(w.Header(), marks)
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
	m.write(w, r, a, how, marks, how.alter(buf))
}

// write writes headers and body.
func (m *Mirror) write(w http.ResponseWriter, r *http.Request, a *answer, how *manner, marks *strings.Replacer, body []byte) {
	h := w.Header()
	h.Set("Content-Type", how.media(a.media))
	streams := a.more != nil || how.streams()
	switch {
	case how.bomb.size > 0:
		h.Set("Content-Encoding", how.bomb.coding)
	case m.gzip && compressible(a.media) && !streams:
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			if a.etag != "" {
				h.Set("ETag", "W/"+a.etag)
			}
			body = compress(body)
		}
	}
	if !streams {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	how.set(h, marks)
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		how.send(w, r, body, a.more)
	}
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
	date := r.Header.Get("If-Modified-Since")
	if date == "" || a.modified.IsZero() {
		return false
	}
	since, err := http.ParseTime(date)
	return err == nil && !a.modified.Truncate(time.Second).After(since)
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
