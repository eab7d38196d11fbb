package news

// Article is what an article's HTML is to a reader of it.
type Article struct {
	Text   string  // plain text, a line a paragraph
	Own    int     // where in Text, in bytes, related reports begin, which are not the article
	Marked []Place // the marked places within that, in order; pictures have none
}

// Place is a place in a post that names a security.
type Place struct {
	Security
	// Name is what the security was called then; empty where that is not known.
	Name string    `json:"name,omitempty"`
	Text string    `json:"text"`  // what stands there
	By   PlaceBy   `json:"by"`    // how it is known to name the security
	In   PlacePart `json:"in"`    // the part of the post
	From int       `json:"start"` // of its first character in that part: Unicode code points, from 0
	To   int       `json:"end"`   // after its last
}

// PlaceBy says how a place is known to name a security.
type PlaceBy string

// Ways in which a place names a security. The first is the mirror's word, the
// others are found in the text.
const (
	ByMark PlaceBy = "mark"
	ByName PlaceBy = "name"
	ByCode PlaceBy = "code"
)

// PlacePart is a part of a post.
type PlacePart string

// The parts of a post in which places are told.
const (
	InTitle PlacePart = "title"
	InText  PlacePart = "text" // the plain text of the body
)
