package page

import (
	"errors"
	"net/url"

	"github.com/finarc/finarc/news"
)

// Asked tells what an address asks the mirror for: a kind of page, as [Site.Kind]
// has it, and, of a post's, share or text page, the post.
func (s *Site) Asked(u *url.URL) (news.PageKind, news.Wanted) {
	l := s.look(u)
	return l.kind, news.Wanted{ID: l.id, InfoCode: l.code, Mirror: s.name}
}

// ReadAs reads a capture as the post that was asked for, and fails with [ErrOther]
// where it is another. What the link knew and the page does not tell is taken from
// the link: the infoCode's letters, and the category whose page listed the post.
func (s *Site) ReadAs(c *news.Capture, w *news.Wanted) (Page, error) {
	p, err := s.Read(c)
	if err == nil {
		err = p.Disagrees(w)
	}
	if err != nil {
		return Page{}, err
	}
	post := p.Post
	if !post.ID.HasCode() {
		post.ID = w.ID
	}
	if post.ID == w.ID && post.InfoCode.Kind() == "" {
		post.InfoCode = w.InfoCode
	}
	if post.Category == "" {
		post.Category = w.Category
	}
	return p, nil
}

// Why a page could not be read as what was asked for, in the words of reports.
const (
	WhyUnreadable = "unreadable"
	WhyNoText     = "no text" // a shell, or a text page without text
	WhyBlank      = "empty body"
	WhyBlocked    = "block page"
	WhyLogin      = "login page"
	WhyHome       = "list in its place" // the home page, mostly
	WhyOther      = "another post"      // a page that is not the post asked for
)

// Why returns which of these an error of [Site.ReadAs] is.
func Why(err error) string {
	for _, kind := range []struct {
		is  error
		why string
	}{
		{ErrShell, WhyNoText},
		{ErrEmpty, WhyNoText},
		{ErrBlank, WhyBlank},
		{ErrBlocked, WhyBlocked},
		{ErrLogin, WhyLogin},
		{ErrHome, WhyHome},
		{ErrOther, WhyOther},
	} {
		if errors.Is(err, kind.is) {
			return kind.why
		}
	}
	return WhyUnreadable
}
