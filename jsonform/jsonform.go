// Package jsonform tells in JSON what an archive holds: the forms that the
// commands print with --json and that the server's API answers with, so that both
// have the same fields. Pure functions over what was read: no store, no clock.
package jsonform

import (
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/diff"
	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// Revision is a revision: the fields of [news.Post] and [news.Revision], when it
// could first be traded on, and what Jekyll makes of category and tag.
type Revision struct {
	news.Revision
	TradableAt time.Time `json:"tradable_at,omitzero"` // see [exchange.Calendar.Tradable]; zero where it is not known
	Categories []string  `json:"categories"`
	Tags       []string  `json:"tags"`
	Lacks      []string  `json:"lacks,omitempty"` // only where the body was read
}

// NewRevision returns the form of a revision. known is false where the calendar
// does not know when it could first be traded on.
func NewRevision(rev news.Revision, calendar *exchange.Calendar) (r Revision, known bool) {
	at, known := calendar.Tradable(&rev.Post)
	return Revision{
		Revision: rev, TradableAt: at, Categories: List(rev.Categories()), Tags: List(rev.Tags()),
	}, known
}

// List returns a list that JSON writes as one even where it is empty.
func List(list []string) []string { return append([]string{}, list...) }

// Listed is a revision in the list of a post's revisions: without its body.
type Listed struct {
	Revision
	TextSHA256 string `json:"text_sha256"` // see [TextDigest]
}

// NewListed returns the form of a revision that was read with its body.
func NewListed(rev news.Revision, calendar *exchange.Calendar) (l Listed, known bool) {
	digest := TextDigest(&rev)
	rev.Body, rev.Foot = "", ""
	r, known := NewRevision(rev, calendar)
	return Listed{r, digest}, known
}

// TextDigest returns [page.TextDigest], or "" of a revision whose page was lost.
func TextDigest(rev *news.Revision) string {
	if rev.Lost {
		return ""
	}
	return page.TextDigest(&rev.Post)
}

// Difference is what differs between two revisions of a post. Of a post with one
// revision there are no old and new.
type Difference struct {
	ID        news.ID        `json:"id"`
	InfoCode  news.InfoCode  `json:"info_code,omitempty"`
	Revisions int            `json:"revisions"` // how many the post has
	Old       *Side          `json:"old,omitempty"`
	New       *Side          `json:"new,omitempty"`
	Title     []diff.Segment `json:"title,omitempty"`
	Text      []diff.Segment `json:"text,omitempty"` // plain text, whole
}

// Side is one of the revisions that are compared.
type Side struct {
	Number     int       `json:"revision"`
	Seq        uint64    `json:"seq"`
	Published  time.Time `json:"published,omitzero"`
	Fetched    time.Time `json:"fetched"`
	SHA256     string    `json:"sha256"`
	TextSHA256 string    `json:"text_sha256"`
}

// NewDifference compares two revisions of a post that has so many.
func NewDifference(old, new *news.Revision, revisions int) Difference {
	side := func(r *news.Revision) *Side {
		return &Side{r.Number, r.Seq, r.Published, r.Fetched, r.SHA256, page.TextDigest(&r.Post)}
	}
	return Difference{
		ID: new.ID, InfoCode: new.InfoCode, Revisions: revisions, Old: side(old), New: side(new),
		Title: diff.Texts(old.Title, new.Title),
		Text:  diff.Texts(page.Text(old.Body), page.Text(new.Body)),
	}
}

// Alone returns the difference of a post with one revision.
func Alone(rev *news.Revision) Difference {
	return Difference{ID: rev.ID, InfoCode: rev.InfoCode, Revisions: 1}
}

// Story is the posts that run one story.
type Story struct {
	Story   string      `json:"story_id"` // the origin's infoCode, or ID; empty: of a post that nobody else runs
	Posts   []StoryPost `json:"posts"`    // the origin first
	LastLag int64       `json:"last_lag_seconds"`
}

// StoryPost is a post of a story.
type StoryPost struct {
	ID        news.ID       `json:"id"`
	InfoCode  news.InfoCode `json:"info_code,omitempty"`
	Published time.Time     `json:"published,omitzero"`
	Lag       int64         `json:"lag_seconds"` // after the origin
	FirstSeen time.Time     `json:"first_seen"`
	Outlet    string        `json:"outlet,omitempty"`
	Source    string        `json:"source,omitempty"`
	Title     string        `json:"title,omitempty"`
	Mirror    string        `json:"mirror,omitempty"`
	URL       string        `json:"url"`
}

// NewStory returns the form of a story, whose posts begin with the origin.
func NewStory(posts []news.Revision) Story {
	s := Story{Story: posts[0].Story}
	for i := range posts {
		p := &posts[i]
		s.LastLag = int64(p.Place().Sub(posts[0].Place()) / time.Second)
		s.Posts = append(s.Posts, StoryPost{
			ID: p.ID, InfoCode: p.InfoCode, Published: p.Published, Lag: s.LastLag, FirstSeen: p.FirstSeen,
			Outlet: p.Outlet, Source: p.Source, Title: p.Title, Mirror: p.Mirror, URL: p.URL,
		})
	}
	return s
}

// Stats is how much an archive holds, and how long after their publication posts
// came in.
type Stats struct {
	archive.Stats
	Latency archive.Latency `json:"latency"`
}

// LatencyPosts is of how many posts the latency is told where no days are named: a
// tenth of a second's work, and some days' posts.
const LatencyPosts = 10_000
