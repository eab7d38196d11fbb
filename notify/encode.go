package notify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/finarc/finarc/news"
)

// maxBody bounds what is posted, in bytes: hooks commonly refuse more.
const maxBody = 1 << 20

// encode returns the message as JSON of at most maxBody bytes. A report that is
// too long loses, first, all but the greatest of its days, categories and hosts
// and the first of its problems, and then all of it; Cut says so.
func (m *Message) encode() ([]byte, error) {
	text, err := encodeJSON(m)
	for _, n := range []int{100, 10} {
		if err != nil || len(text) <= maxBody || m.Run == nil {
			return text, err
		}
		short := *m
		short.Run = shortened(m.Run, n)
		short.Cut = fmt.Sprintf("the report was longer than %d bytes: only the %d greatest of each of its maps, and the first %d of each of its lists, are here", maxBody, n, n)
		text, err = encodeJSON(&short)
	}
	if err == nil && len(text) > maxBody {
		none := *m
		none.Run, none.Cut = nil, fmt.Sprintf("the report was longer than %d bytes, and is not here", maxBody)
		text, err = encodeJSON(&none)
	}
	return text, err
}

func encodeJSON(m *Message) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(m)
	return b.Bytes(), err
}

// shortened returns a copy of r with at most n entries of what a mirror can make
// long.
func shortened(r *news.Run, n int) *news.Run {
	c := r.Clone()
	number := func(v int) int { return v }
	c.Failed, c.Incomplete = greatest(c.Failed, n, number), greatest(c.Incomplete, n, number)
	c.Statuses, c.Transport = greatest(c.Statuses, n, number), greatest(c.Transport, n, number)
	c.Days, c.Categories = greatest(c.Days, n, number), greatest(c.Categories, n, number)
	c.Hosts = greatest(c.Hosts, n, func(u news.HostUse) int { return u.Requests })
	c.Problems = c.Problems[:min(n, len(c.Problems))]
	c.Drift = c.Drift[:min(n, len(c.Drift))]
	return c
}

// greatest returns the n entries of m that are greatest by size.
func greatest[K cmp.Ordered, V any](m map[K]V, n int, size func(V) int) map[K]V {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		return cmp.Or(cmp.Compare(size(m[b]), size(m[a])), cmp.Compare(a, b))
	})
	kept := make(map[K]V, n)
	for _, k := range keys[:min(n, len(keys))] {
		kept[k] = m[k]
	}
	return kept
}
