package news

import (
	"net/http"
	"time"
)

// PageKind tells what a page of a mirror is.
type PageKind string

// The kinds of pages.
const (
	KindHome     PageKind = "home"
	KindCategory PageKind = "category"
	KindFeed     PageKind = "feed"
	KindSitemap  PageKind = "sitemap"
	KindPost     PageKind = "post"  // a post's page on the mirror's site
	KindShare    PageKind = "share" // a NewsShare page
	KindText     PageKind = "text"  // the JSON behind a NewsShare page
	KindRobots   PageKind = "robots"
	KindJekyll   PageKind = "jekyll" // no page, but the file that Jekyll makes a post's page of
	KindOther    PageKind = "other"  // none of the mirror's
)

// List reports whether pages of the kind list posts.
func (k PageKind) List() bool {
	return k == KindHome || k == KindCategory || k == KindFeed || k == KindSitemap
}

// Mode tells how a capture came into the archive.
type Mode string

// The modes. A study of the past must know them apart: what a backfill or an
// import brought was not known when it was published.
const (
	ModeLive     Mode = "live"
	ModeBackfill Mode = "backfill"
	ModeImport   Mode = "import"
)

// Capture is what a server sent for one request: the raw material from which
// everything else can be made again. One of [ModeImport] was captured by another
// crawler, at its own time, or is a file's bytes; then URL is a file: address (RFC
// 8089) with the file's name and no folder, Fetched is when it was imported, and
// Status, Proto and Header are empty.
type Capture struct {
	URL    string // the address that was answered, after redirects
	Status int
	Proto  string // HTTP/1.1, HTTP/2.0
	// Header is the response's. Transfer-Encoding, Content-Encoding and
	// Content-Length are absent where they no longer hold for Body.
	Header  http.Header
	Fetched time.Time // when the answer was complete
	Mode    Mode
	Mirror  string // the mirror's name in the configuration
	Kind    PageKind
	Body    []byte // after transfer and content decoding, in the server's own charset
}

// Revision is one state of a post as the archive holds it.
type Revision struct {
	Post
	Number int    `json:"revision"` // 1 for the first of this post
	Seq    uint64 `json:"seq"`      // its place in the archive's change sequence, from 1
	// FirstSeen and LastSeen are when the archive first and last saw the post
	// with any, and with this, content.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Fetched   time.Time `json:"fetched"` // when this revision was captured
	Mode      Mode      `json:"mode"`
	Mirror    string    `json:"mirror,omitempty"`
	URL       string    `json:"url"`
	// Story names the story that more than one post runs: by the infoCode, or the
	// ID, of the one that was published first. Empty where none is known.
	Story string `json:"story_id,omitempty"`
	// SHA256 is that of the capture's body, in hexadecimal; empty where the
	// revision was read without its body.
	SHA256 string `json:"sha256,omitempty"`
	// File is the capture's body where that is a Jekyll file ([KindJekyll]) and
	// the revision was read with its body.
	File []byte `json:"-"`
	// Capture is what the revision was read from, where it was read with that, and
	// Revisit then the last answer by which the page was found to be as it was; nil
	// where there was none. LastSeen may be later: the page can be another and the
	// article the same, and of archives written by older programs the answers are not
	// known.
	Capture *Capture `json:"-"`
	Revisit *Revisit `json:"-"`
	// Lost: the page was damaged in the archive and could not be saved, so that
	// body, foot and SHA256 are missing, and not empty.
	Lost bool `json:"lost,omitempty"`
}

// maxAhead is how far ahead of its capture a post can say that it was published
// without its clock being wrong.
const maxAhead = time.Hour

// Place returns the moment by which revisions are put in order: [Post.When],
// but of a post that claims to be from the future the moment of its capture.
// So what was known at a moment stands no later than an hour after it.
func (r *Revision) Place() time.Time {
	when := r.When()
	if !r.Fetched.IsZero() && when.After(r.Fetched.Add(maxAhead)) {
		return r.Fetched
	}
	return when
}

// PlaceDay returns the day of [Revision.Place]; 0 where no day is known.
func (r *Revision) PlaceDay() Day {
	if place := r.Place(); !place.Equal(r.When()) {
		return DayOf(place)
	}
	return r.Day()
}
