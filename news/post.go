// Package news holds what finarc speaks of: posts, their infoCodes, days and
// securities, the captures that they were read from, and the wanted posts,
// list pages and runs of a crawl. It is the floor of the house: it imports
// nothing of the program, reads no clock and touches no disk or network.
package news

import (
	"strings"
	"time"
)

// Post is one article as a page tells it. What the page lacks is left empty,
// see [Post.Lacks].
type Post struct {
	ID       ID       `json:"id"`
	InfoCode InfoCode `json:"info_code,omitempty"` // as fully spelled as the page has it
	Title    string   `json:"title,omitempty"`     // plain text
	// Published is the page's own time, to the second, in [Shanghai]; zero
	// where the page tells none.
	Published time.Time `json:"published,omitzero"`
	// Category is the front matter's categories value, which is also the name
	// of the mirror's category page. It may hold spaces: see [Post.Categories].
	Category string `json:"category,omitempty"`
	Tag      string `json:"tag,omitempty"`    // the front matter's tags value; see [Post.Tags]
	Outlet   string `json:"outlet,omitempty"` // the outlet that carries the post: 21财经
	Source   string `json:"source,omitempty"` // 文章来源: whom the article itself names as its source
	Digest   string `json:"digest,omitempty"` // plain text, where the page has one

	// Derived names what the page does not tell and was made of the rest:
	// [LacksTitle], of the digest or the first sentence.
	Derived []string `json:"derived,omitempty"`

	// Body is the article's HTML as the site sent it, in UTF-8.
	Body string `json:"body,omitempty"`
	// Foot is what the mirror adds below the body: the link to the shared page
	// and those back to the category and home, as HTML. Share and text pages
	// have none.
	Foot string `json:"foot,omitempty"`

	Related    []InfoCode `json:"related,omitempty"`    // posts that the body links, in order, each once
	Securities []Mention  `json:"securities,omitempty"` // in order of their first mention
	Boards     []Mention  `json:"boards,omitempty"`     // sector and concept boards, likewise
}

// Names of what a post can lack, see [Post.Lacks].
const (
	LacksTitle     = "title"
	LacksPublished = "published"
	LacksBody      = "body"
	LacksInfoCode  = "info_code"
)

// Lacks names what the page did not tell though every post should.
func (p *Post) Lacks() []string {
	var lacks []string
	for _, part := range []struct {
		name   string
		absent bool
	}{
		{LacksTitle, p.Title == ""},
		{LacksPublished, p.Published.IsZero()},
		{LacksBody, p.Body == ""},
		{LacksInfoCode, p.InfoCode == ""},
	} {
		if part.absent {
			lacks = append(lacks, part.name)
		}
	}
	return lacks
}

// TimeKnown reports whether the time of day is known at which the post was
// published. Midnight counts as not known: that is how a day without a time is
// written where a time must stand.
func (p *Post) TimeKnown() bool {
	return !p.Published.IsZero() && !p.Published.Equal(DayOf(p.Published).Time())
}

// Day returns the day on which the post was published: by its own time, or
// else by what its identity proves.
func (p *Post) Day() Day {
	if !p.Published.IsZero() {
		return DayOf(p.Published)
	}
	return p.ID.Day()
}

// When returns the moment by which posts are put in order: when it was
// published, or the first moment of the day that its identity proves.
func (p *Post) When() time.Time {
	if !p.Published.IsZero() {
		return p.Published
	}
	return p.ID.Day().Time()
}

// Name returns what the post is called by: its infoCode, or else its ID.
func (p *Post) Name() string {
	if p.InfoCode != "" {
		return string(p.InfoCode)
	}
	return string(p.ID)
}

// Categories returns the category as Jekyll splits it: at spaces.
func (p *Post) Categories() []string { return strings.Fields(p.Category) }

// Tags returns the tag as Jekyll splits it: at spaces.
func (p *Post) Tags() []string { return strings.Fields(p.Tag) }

// OutletOfTag returns the outlet's name that a tag carries: a mirror's tag is
// the outlet's name and 新闻.
func OutletOfTag(tag string) string { return strings.TrimSuffix(tag, "新闻") }
