package news

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Revisit is an answer by which a page was found to be as it was captured: 304 (Not
// Modified), or the very same bytes again. The zero Revisit is one of which nothing is
// known.
type Revisit struct {
	URL    string // the address that was answered, after redirects
	Status int    // 304, or that of an answer with the bytes
	Proto  string
	Header http.Header // as of a [Capture]
	Time   time.Time   // when the answer was complete
}

// RevisitOf returns the answer that a capture was, without its body.
func RevisitOf(c *Capture) Revisit {
	return Revisit{URL: c.URL, Status: c.Status, Proto: c.Proto, Header: c.Header, Time: c.Fetched}
}

// NotModified reports whether the server said that nothing changed, and sent no body.
func (r *Revisit) NotModified() bool { return r.Status == http.StatusNotModified }

// Compare puts revisits in order of time, and those of one moment in the order of what
// they tell.
func (r *Revisit) Compare(other *Revisit) int {
	return cmp.Or(
		r.Time.Compare(other.Time), cmp.Compare(r.Status, other.Status), strings.Compare(r.URL, other.URL),
		strings.Compare(r.Proto, other.Proto), strings.Compare(fmt.Sprint(r.Header), fmt.Sprint(other.Header)),
	)
}
