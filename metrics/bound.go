package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// most is how many values a label has beside "other".
const most = 50

// rest is the label's value under which all others are summed up.
const rest = "other"

// maxLabel bounds a label's value, in bytes.
const maxLabel = 128

// An entry is a value of a map by what it is called in a label.
type entry[V any] struct {
	key   string
	value V
}

// bounded returns the entries of m in order of their keys: the greatest by size,
// and the sum of all others as "other". Keys that look alike once they are fit to
// stand in a label are summed up too, so that no two samples are the same.
func bounded[K comparable, V any](m map[K]V, size func(V) int, add func(a, b V) V) []entry[V] {
	sums := make(map[string]V, len(m))
	put := func(key string, v V) {
		if sum, ok := sums[key]; ok {
			v = add(sum, v)
		}
		sums[key] = v
	}
	for k, v := range m {
		put(clean(k), v)
	}
	for _, e := range beyond(sums, size) {
		delete(sums, e.key)
		put(rest, e.value)
	}
	return sorted(sums)
}

// beyond returns the entries that have no room among the greatest.
func beyond[V any](sums map[string]V, size func(V) int) []entry[V] {
	all := sorted(sums)
	all = slices.DeleteFunc(all, func(e entry[V]) bool { return e.key == rest })
	if len(all) <= most {
		return nil
	}
	slices.SortStableFunc(all, func(a, b entry[V]) int { return size(b.value) - size(a.value) })
	return all[most:]
}

func sorted[V any](m map[string]V) []entry[V] {
	all := make([]entry[V], 0, len(m))
	for k, v := range m {
		all = append(all, entry[V]{k, v})
	}
	slices.SortFunc(all, func(a, b entry[V]) int { return strings.Compare(a.key, b.key) })
	return all
}

// clean makes of k what may stand in a label: UTF-8, and not too long.
func clean[K comparable](k K) string {
	s := strings.ToValidUTF8(fmt.Sprint(k), "�")
	if len(s) > maxLabel {
		s = strings.ToValidUTF8(s[:maxLabel-len("…")], "") + "…"
	}
	return s
}

// hostSize orders hosts: those that are down or want a pause before all others.
func hostSize(u news.HostUse) int {
	if u.Down || !u.Paused.IsZero() {
		return u.Requests + 1<<40
	}
	return u.Requests
}

// addHosts sums up what several hosts were asked.
func addHosts(a, b news.HostUse) news.HostUse {
	a.Requests += b.Requests
	a.Retries += b.Retries
	a.Statuses = addCounts(a.Statuses, b.Statuses)
	a.Bytes += b.Bytes
	a.WaitedMS += b.WaitedMS
	a.Down = a.Down || b.Down
	a.DelayMS = max(a.DelayMS, b.DelayMS)
	if b.Rate > 0 && (a.Rate == 0 || b.Rate < a.Rate) {
		a.Rate = b.Rate
	}
	if b.Paused.After(a.Paused) {
		a.Paused = b.Paused
	}
	return a
}

// addCounts returns the sums of the counts of two maps, which stay as they are.
func addCounts(a, b map[int]int) map[int]int {
	sums := make(map[int]int, len(a)+len(b))
	maps.Copy(sums, a)
	for k, n := range b {
		sums[k] += n
	}
	return sums
}
