// Package diff tells in words what differs between two texts, for people who
// read Chinese. Numbers keep their units, a word that was replaced is one
// change and not one for each of its characters, and a paragraph that moved is
// taken out in one place and put in at another.
//
// It knows nothing of posts: a text is a string, and paragraphs end with a line
// feed.
package diff

import "fmt"

// Kind tells in which of two texts a segment stands.
type Kind byte

// The kinds of segments.
const (
	Same    Kind = iota // in both
	Deleted             // in the old text alone
	Added               // in the new text alone
)

var kindNames = [...]string{Same: "same", Deleted: "deleted", Added: "added"}

// String returns the kind's name: same, deleted or added.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Segment is a stretch of text that stands in both texts or in one of them.
type Segment struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"` // never empty
}

// Texts returns the difference between two texts. Its segments that are Same or
// Deleted are together the old text, those that are Same or Added the new one,
// byte for byte. Between two stretches that are Same there is at most one that
// was Deleted, and after it at most one that was Added.
//
// It takes a second at most, however long the texts are: where they differ too
// much to be compared word by word, whole sentences, lines, or all that lies
// between what begins and ends alike, are told as replaced.
func Texts(old, new string) []Segment {
	c := comparison{budget: maxWork}
	c.compare(old, new, lines)
	return bridge(c.found)
}

// Changed reports whether any segment stands in one text alone.
func Changed(list []Segment) bool {
	for _, s := range list {
		if s.Kind != Same {
			return true
		}
	}
	return false
}
