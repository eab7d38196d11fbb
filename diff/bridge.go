package diff

import (
	"strings"
	"unicode/utf8"
)

// maxIsland is how many characters between two changes may be told as changed
// with them. A longer stretch is worth showing as the same.
const maxIsland = 8

// bridge returns a difference without its small islands: stretches that are the
// same only by chance, as 的 in two sentences that have nothing else in common.
// An island is a stretch within a line, no longer than either change beside it.
func bridge(list []Segment) []Segment {
	for {
		shorter := bridgeOnce(list)
		if len(shorter) == len(list) {
			return list
		}
		list = shorter
	}
}

// bridgeOnce takes out the islands that are small beside the changes as they
// are; a change that grows by that can make others small.
func bridgeOnce(list []Segment) []Segment {
	var c comparison
	var old, new string
	changed := 0 // characters of the change that is being gathered
	for i, s := range list {
		switch {
		case s.Kind == Deleted:
			old += s.Text
		case s.Kind == Added:
			new += s.Text
		case small(s.Text, changed, following(list[i+1:])):
			old, new = old+s.Text, new+s.Text
		default:
			c.change(old, new)
			old, new = "", ""
			c.add(Same, s.Text)
		}
		changed = max(utf8.RuneCountInString(old), utf8.RuneCountInString(new))
	}
	c.change(old, new)
	return c.found
}

// change adds what was deleted and what was added.
func (c *comparison) change(old, new string) {
	c.add(Deleted, old)
	c.add(Added, new)
}

// small reports whether a stretch between changes of so many characters is an
// island.
func small(island string, before, after int) bool {
	n := utf8.RuneCountInString(island)
	return n <= maxIsland && n <= before && n <= after && !strings.Contains(island, "\n")
}

// following returns how many characters the change has with which a list
// begins.
func following(list []Segment) int {
	n := 0
	for _, s := range list {
		if s.Kind == Same {
			break
		}
		n = max(n, utf8.RuneCountInString(s.Text))
	}
	return n
}
