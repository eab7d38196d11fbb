package mirror

import (
	"bytes"
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

// filler is what a page is made longer with: a comment, which no reader minds.
var filler = []byte("<!-- " + strings.Repeat("·", 500) + " -->\n")

// manners tell the faults that are in how a page is served.
var manners = map[faultID]*manner{
	faultNone:     {},
	faultCut:      {broken: broken{how: endingCut, at: 50, percent: true}},
	faultHuge:     {spoil: []spoiler{inflate}},
	faultMislabel: {charset: "gbk"},
	faultGBK:      {charset: "gbk", says: "gbk"},
	faultEmpty:    {spoil: []spoiler{empty}},
	faultSlow:     {wait: slowDelay},
	faultReset:    {mute: endingReset},
	faultClose:    {mute: endingCut},
}

// manner returns how a page with the fault is served.
func (id faultID) manner() *manner {
	if how := manners[id]; how != nil {
		return how
	}
	return manners[faultNone]
}

// refusals tell the faults that are a status in a page's place.
var refusals = map[faultID]int{
	fault429: http.StatusTooManyRequests,
	fault500: http.StatusInternalServerError,
	fault503: http.StatusServiceUnavailable,
}

// passings tell the faults that only the first answer to an address has: which
// others they can be there.
var passings = map[faultID][]faultID{
	faultFlaky:    {fault503},
	faultUnsteady: {fault503, fault500, fault429, faultReset, faultCut, faultClose},
}

// passing returns what a fault amounts to at a request.
func (m *Mirror) passing(r *http.Request, f faultID) faultID {
	ways := passings[f]
	if len(ways) == 0 {
		return f
	}
	address := r.URL.RequestURI()
	if !m.flaky.first(address) {
		return faultNone
	}
	return ways[hashOf(address)%uint64(len(ways))]
}

// empty leaves nothing of a body.
func empty(body []byte) []byte { return body[:0] }

// inflate appends comments until the page is huge.
func inflate(body []byte) []byte {
	return append(body, bytes.Repeat(filler, hugeBytes/len(filler)+1)...)
}

// encode encodes a page in a charset. Characters that the charset lacks become
// references, as HTML forms send them.
func encode(label string, body []byte) []byte {
	set, _ := charset.Lookup(label)
	if set == nil {
		return body
	}
	out, err := set.NewEncoder().Bytes(body)
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
