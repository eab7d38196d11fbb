package mirror

import (
	"net"
	"net/http"
)

// steady resolves the fault of pages that fail at the first answer only, each
// in a way of its own.
func (m *Mirror) steady(r *http.Request, f faultID) faultID {
	if f != faultUnsteady {
		return f
	}
	ways := [...]faultID{fault503, fault500, fault429, faultReset, faultCut, faultSilent}
	path := r.URL.RequestURI()
	if !m.flaky.first(path) {
		return faultNone
	}
	return ways[hashOf(path)%uint64(len(ways))]
}

// breakDown answers that there is no answer now, or nothing at all.
func breakDown(w http.ResponseWriter, f faultID) {
	switch f {
	case fault503:
		http.Error(w, "service unavailable", http.StatusServiceUnavailable)
	case fault429:
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	default:
		hangUp(w, f == faultReset)
	}
}

// hangUp ends the connection, with a reset or just so.
func hangUp(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// HTTP/2 has no connection to end: an answer as bad as none.
		http.Error(w, "bad gateway", http.StatusBadGateway)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // then closing sends RST
	}
	_ = conn.Close() // nobody is left to be told
}
