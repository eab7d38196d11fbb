// Package page reads the pages of a mirror: list pages to the posts and lists
// that they link, and post, share and text pages to a [news.Post]. It is pure
// functions over bytes: no network, no clock, no store.
//
// Every page is read in one pass over its tokens, and what is kept of its HTML
// is cut out of the page as it was sent, never written anew.
package page

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/finarc/finarc/news"
)

// What can be wrong with a page. Errors of [Site.Read] wrap one of them, with
// the reason and the page's address.
var (
	// ErrUnreadable: nothing on the page makes it what was asked for, as with
	// broken JSON, or a note that there is no such page. A post's page has at
	// least one of the marks that the mirror adds to every post (its date, foot
	// or tags).
	ErrUnreadable = errors.New("unreadable page")
	// ErrShell: a share page without text, only the script that would fetch
	// it. The text page behind it may have it.
	ErrShell = errors.New("share page is a shell without text")
	// ErrEmpty: a text page in good form that has no text: the article is gone
	// there.
	ErrEmpty = errors.New("text page has no text")
)

// What stands in a page's place under a good status. All are
// [ErrUnreadable] as well.
var (
	// ErrBlank: nothing, or white space.
	ErrBlank = fmt.Errorf("%w: empty body", ErrUnreadable)
	// ErrBlocked: a page that turns the crawler away: too many requests, a
	// captcha or a challenge for browsers, a firewall, maintenance.
	ErrBlocked = fmt.Errorf("%w: block page", ErrUnreadable)
	// ErrLogin: a login.
	ErrLogin = fmt.Errorf("%w: login", ErrUnreadable)
	// ErrHome: a post was asked for, and this is the mirror's home page or
	// another list.
	ErrHome = fmt.Errorf("%w: a list in place of the post", ErrUnreadable)
)

// MaxLinks bounds each of [Page.Found], [Page.Leads] and [Page.Lists], far
// above what a mirror shows of three days, so that a hostile page cannot fill
// the memory. [Page.Dropped] counts what is beyond.
const MaxLinks = 100_000

// Page is what a page tells.
type Page struct {
	// Post is the article of a post, share or text page.
	Post *news.Post
	// Named tells that the page itself names the infoCode of Post, and that it
	// was not known by the page's address alone.
	Named bool
	// Found holds the posts of this mirror that the page links and that a
	// crawl should fetch, each once, in the order of their first links. Every
	// entry has an ID, and an InfoCode or an address in Pages.
	Found []news.Wanted
	// Leads holds the related posts that an article's body links, each once:
	// to be recorded, never followed.
	Leads []news.Wanted
	// Lists holds the list pages of this mirror that the page links, itself
	// excepted, each once.
	Lists []news.ListPage
	// Dropped is the number of links and marked securities that were left out
	// because of MaxLinks, or because their addresses take too much room.
	Dropped int
}

// Read reads a capture. c.Kind tells what was asked for, c.URL the address
// that answered, and the Content-Type of c.Header may tell the charset.
//
// What a post's page lacks is left empty, see [news.Post.Lacks]. The post's ID
// is that of the article which the page itself names, which need not be the
// one that was asked for.
func (s *Site) Read(c *news.Capture) (Page, error) { return s.ReadList(c, nil) }

// Portion is how many posts [Site.ReadList] hands over at a time.
const Portion = 1024

// ReadList is [Site.Read] for a page that may link more posts than should be
// held at once: it hands over each [Portion] of them as soon as it is read, and
// returns the rest. A post that is linked again later on comes again. The first
// error of portion ends the handing over and is returned.
func (s *Site) ReadList(c *news.Capture, portion func([]news.Wanted) error) (Page, error) {
	p, err := s.read(c, portion)
	if err != nil {
		return Page{}, fmt.Errorf("read %s page %s: %w", c.Kind, c.URL, err)
	}
	return p, nil
}

func (s *Site) read(c *news.Capture, portion func([]news.Wanted) error) (Page, error) {
	base, err := url.Parse(c.URL)
	if err != nil {
		return Page{}, fmt.Errorf("%w: bad address: %w", ErrUnreadable, err)
	}
	body, _ := Decode(c.Body, c.Header.Get("Content-Type"))
	if isBlank(body) {
		return Page{}, ErrBlank
	}
	g := newGather(s, c, base, portion)
	switch c.Kind {
	case news.KindPost:
		err = readPost(g, body)
	case news.KindShare:
		err = readShare(g, body)
	case news.KindText:
		err = readText(g, body)
	case news.KindHome, news.KindCategory:
		err = readList(g, body)
	case news.KindFeed, news.KindSitemap:
		err = readFeed(g, body)
	default:
		err = fmt.Errorf("%w: no reader for this kind", ErrUnreadable)
	}
	g.page.Dropped += g.lost
	return g.page, errors.Join(err, g.err)
}
