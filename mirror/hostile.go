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
}

// manner returns how a page with the fault is served.
func (id faultID) manner() *manner {
	if how := manners[id]; how != nil {
		return how
	}
	return manners[faultNone]
}

// refused returns the answer that stands in a page's place because of its
// fault, if one does.
func (m *Mirror) refused(r *http.Request, f faultID) (answer, bool) {
	switch {
	case f == fault500:
		return bare(http.StatusInternalServerError), true
	case f == faultFlaky && m.flaky.first(r.URL.Path):
		return bare(http.StatusServiceUnavailable), true
	}
	return answer{}, false
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

// visited remembers paths.
type visited struct {
	mu    sync.Mutex
	paths map[string]bool
}

// first reports whether the path is new.
func (v *visited) first(path string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.paths == nil {
		v.paths = map[string]bool{}
	}
	seen := v.paths[path]
	v.paths[path] = true
	return !seen
}
