package mirror

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/html/charset"
)

const (
	hugeBytes = 8<<20 + 1 // at least, in a huge answer
	slowDelay = 200 * time.Millisecond
)

// fail does what goes wrong before a page is written, and reports whether there
// is anything left to write.
func (m *Mirror) fail(w http.ResponseWriter, r *http.Request, f faultID) bool {
	switch f {
	case fault500:
		http.Error(w, "internal server error", http.StatusInternalServerError)
		return false
	case fault503, fault429, faultReset, faultSilent:
		breakDown(w, f)
		return false
	case faultFlaky:
		if m.flaky.first(r.URL.Path) {
			http.Error(w, "service unavailable", http.StatusServiceUnavailable)
			return false
		}
	case faultSlow:
		return wait(r, slowDelay)
	}
	return true
}

// wait reports false where the client went away meanwhile.
func wait(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// spoil does what goes wrong with a page's bytes.
func (a *answer) spoil(body []byte) []byte {
	switch a.fault {
	case faultEmpty:
		return body[:0]
	case faultHuge:
		return inflate(body)
	case faultMislabel:
		return toGBK(body)
	case faultGBK:
		return toGBK([]byte(strings.Replace(string(body), `<meta charset="utf-8">`, `<meta charset="gbk">`, 1)))
	}
	return body
}

// mediaType returns the media type that the answer claims.
func (a *answer) mediaType() string {
	if a.fault == faultGBK {
		return strings.Replace(a.media, "utf-8", "gbk", 1)
	}
	return a.media
}

// inflate appends comments until the page is huge.
func inflate(body []byte) []byte {
	filler := "<!-- " + strings.Repeat("·", 500) + " -->\n"
	return append(body, strings.Repeat(filler, hugeBytes/len(filler)+1)...)
}

// toGBK encodes a page as GBK. Characters that GBK lacks become references, as
// HTML forms send them.
func toGBK(body []byte) []byte {
	gbk, _ := charset.Lookup("gbk")
	out, err := gbk.NewEncoder().Bytes(body)
	if err != nil {
		return body // bytes that are no UTF-8 stay what they are
	}
	return out
}

// visited remembers paths: the last mostVisited of them, and up to as many more.
type visited struct {
	mu          sync.Mutex
	recent, old map[string]bool
}

const mostVisited = 1 << 17

// first reports whether the path is new.
func (v *visited) first(path string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.recent == nil || len(v.recent) >= mostVisited {
		v.recent, v.old = map[string]bool{}, v.recent
	}
	seen := v.recent[path] || v.old[path]
	v.recent[path] = true
	return !seen
}
