package mirror

import (
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
)

// Stats are what a mirror was asked for.
type Stats struct {
	Total        int                   `json:"total"` // requests begun
	Kinds        map[news.PageKind]int `json:"kinds"`
	Statuses     map[int]int           `json:"statuses"` // of answers
	Paths        map[string]int        `json:"paths"`    // by path and query, as asked; "*" beyond some 260,000 of them
	NotModified  int                   `json:"not_modified"`
	MaxInFlight  int                   `json:"max_in_flight"`  // begun and not yet answered
	MaxPerSecond int                   `json:"max_per_second"` // begun within any one second
	Bytes        int64                 `json:"bytes"`          // of bodies, as sent
}

// Requests returns what the mirror was asked for since it was made, or since
// the last reset. It is also served, as JSON, at /_mirror/requests.
func (m *Mirror) Requests() Stats { return m.traffic.stats() }

// ResetRequests forgets what the mirror was asked for, as a POST to
// /_mirror/reset does.
func (m *Mirror) ResetRequests() { m.traffic.reset() }

// control serves what is about the mirror rather than of it. It is not counted.
func (m *Mirror) control(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == controlPath+"requests" && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", mediaJSON)
		// A client that went away is its own affair.
		_ = json.NewEncoder(w).Encode(m.Requests())
	case r.URL.Path == controlPath+"reset" && r.Method == http.MethodPost:
		m.ResetRequests()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "want GET /_mirror/requests or POST /_mirror/reset", http.StatusNotFound)
	}
}

// traffic counts requests.
type traffic struct {
	now func() time.Time

	mu       sync.Mutex
	counts   Stats
	keep     bool     // each request, not only their numbers
	visits   []*visit // those begun, in order
	inFlight int
	recent   []time.Time // begins within the last second, oldest first
}

func newTraffic(now func() time.Time) *traffic {
	t := &traffic{now: now}
	t.counts = emptyStats()
	return t
}

func emptyStats() Stats {
	return Stats{Kinds: map[news.PageKind]int{}, Statuses: map[int]int{}, Paths: map[string]int{}}
}

// visit is one request.
type visit struct {
	target
	host     string
	secret   bool // it carries a cookie or a password
	begun    time.Time
	answered time.Time // when the answer began; zero: there is none
	status   int
}

// begin counts a request. Its visit is nil where they are not kept.
func (t *traffic) begin(q *request, r *http.Request) *visit {
	kind, path := q.kind, r.URL.RequestURI()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Total++
	t.counts.Kinds[kind]++
	t.counts.addPath(path)
	t.inFlight++
	t.counts.MaxInFlight = max(t.counts.MaxInFlight, t.inFlight)
	now := t.now()
	t.slide(now)
	if !t.keep {
		return nil
	}
	v := &visit{target: target{q.kind, q.path, q.query}, host: r.Host, begun: now,
		secret: r.Header.Get("Cookie")+r.Header.Get("Authorization") != ""}
	t.visits = append(t.visits, v)
	return v
}

// mostPaths is how many paths are counted apart.
const mostPaths = 1 << 18

func (s *Stats) addPath(path string) {
	if s.Paths[path] == 0 && len(s.Paths) >= mostPaths {
		path = "*"
	}
	s.Paths[path]++
}

// slide moves the window of one second so that it ends now.
func (t *traffic) slide(now time.Time) {
	old := 0
	for old < len(t.recent) && now.Sub(t.recent[old]) >= time.Second {
		old++
	}
	t.recent = append(t.recent[old:], now)
	t.counts.MaxPerSecond = max(t.counts.MaxPerSecond, len(t.recent))
}

// answered counts an answer. It is called before the answer can reach the
// client, whose next request must not seem to be beside this one.
func (t *traffic) answered(v *visit, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v != nil {
		v.answered, v.status = t.now(), status
	}
	t.inFlight--
	t.counts.Statuses[status]++
	if status == http.StatusNotModified {
		t.counts.NotModified++
	}
}

// abandoned notes that a request ended without an answer.
func (t *traffic) abandoned() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight--
}

func (t *traffic) sent(bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Bytes += int64(bytes)
}

func (t *traffic) stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.counts
	s.Kinds, s.Statuses, s.Paths = maps.Clone(s.Kinds), maps.Clone(s.Statuses), maps.Clone(s.Paths)
	return s
}

// log returns the requests that were kept, in the order in which they began.
func (t *traffic) log() []visit {
	t.mu.Lock()
	defer t.mu.Unlock()
	visits := make([]visit, len(t.visits))
	for i, v := range t.visits {
		visits[i] = *v
	}
	return visits
}

func (t *traffic) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts = emptyStats()
	t.counts.MaxInFlight = t.inFlight
	t.recent, t.visits = nil, nil
}

// recorder tells traffic what is answered.
type recorder struct {
	http.ResponseWriter
	traffic *traffic
	visit   *visit
	begun   bool // the answer
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	if !r.begun {
		r.begun = true
		r.traffic.answered(r.visit, status)
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *recorder) Write(p []byte) (int, error) {
	if !r.begun {
		r.WriteHeader(http.StatusOK)
	}
	r.traffic.sent(len(p))
	return r.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// done ends the request.
func (r *recorder) done() {
	if !r.begun {
		r.traffic.abandoned()
	}
}
