package web

import (
	"bytes"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/feed"
	"github.com/finarc/finarc/news"
)

// feedRoutes are the newest posts as Atom, for programs that follow them.
func (s *Server) feedRoutes() []route {
	return []route{
		{pattern: "/feed", answer: s.atom(s.feedOfAll)},
		{pattern: "/category/{name}/feed", answer: s.atom(s.feedOfCategory)},
		{pattern: "/security/{code}/feed", answer: s.atom(s.feedOfSecurity)},
		{pattern: "/search/feed", answer: s.atom(s.feedOfSearch)},
	}
}

// followed is what a feed is of.
type followed struct {
	title string // before that of the site; empty: that alone
	page  string // the address of the page that shows the same
	posts []news.Revision
}

const msgSite message = "site"

// atom returns what answers with a feed.
func (s *Server) atom(of func(*http.Request) (*followed, error)) answer {
	return s.kept(feed.MediaType+"; charset=utf-8", func(r *http.Request) ([]byte, error) {
		f, err := of(r)
		if err != nil {
			return nil, err
		}
		base := baseOf(r)
		return s.writeFeed(r, f, func(rev *news.Revision) string { return base + postHref(rev.ID) })
	})
}

// writeFeed writes a feed, whose entries lead to where page says.
func (s *Server) writeFeed(r *http.Request, f *followed, page func(*news.Revision) string) ([]byte, error) {
	base, self := baseOf(r), here(r.URL.Path, r.URL.Query())
	title := chinese.say(msgSite)
	if f.title != "" {
		title = f.title + " · " + title
	}
	updated, err := feed.Updated(each(f.posts))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = feed.Write(&out, feed.Feed{
		Authority: s.authority(r), Name: strings.TrimPrefix(self, "/"), Title: title, Updated: updated, Page: page,
		Links: []feed.Link{
			{Rel: "self", Type: feed.MediaType, Href: base + self},
			{Rel: "alternate", Type: "text/html", Href: base + f.page},
		},
	}, each(f.posts))
	return out.Bytes(), err
}

// authority returns in whose name entries have their identities: that of the first
// mirror, as of feeds that are exported, so that they are the same in both.
func (s *Server) authority(r *http.Request) string {
	for _, site := range s.sites {
		if u, err := url.Parse(site.Home()); err == nil {
			return u.Hostname()
		}
	}
	return (&url.URL{Host: r.Host}).Hostname()
}

// each yields posts that are at hand.
func each(posts []news.Revision) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		for i := range posts {
			if !yield(posts[i], nil) {
				return
			}
		}
	}
}

// newest returns the newest posts of a selection, with their bodies.
func (s *Server) newest(r *http.Request, sel archive.Selection, limit int) ([]news.Revision, error) {
	sel.Limit, sel.Body = limit, true
	var posts []news.Revision
	for rev, err := range s.Store.Select(r.Context(), sel) {
		if err != nil {
			return nil, err
		}
		posts = append(posts, rev)
	}
	return posts, nil
}

func (s *Server) feedOfAll(r *http.Request) (*followed, error) {
	posts, err := s.newest(r, archive.Selection{}, s.Limits.Page)
	return &followed{page: "/", posts: posts}, err
}

func (s *Server) feedOfCategory(r *http.Request) (*followed, error) {
	name := r.PathValue("name")
	posts, err := s.newest(r, archive.Selection{Category: name}, s.Limits.Page)
	if err != nil {
		return nil, err
	}
	if len(posts) == 0 {
		return nil, &failure{status: http.StatusNotFound, about: msgNoCategory}
	}
	f := &followed{title: posts[0].Outlet, page: categoryHref(name), posts: posts}
	if f.title == "" {
		f.title = name
	}
	return f, nil
}

func (s *Server) feedOfSecurity(r *http.Request) (*followed, error) {
	code := r.PathValue("code")
	m, err := s.mentions(r.Context(), code)
	if err != nil {
		return nil, err
	}
	if m.Posts == 0 {
		return nil, &failure{status: http.StatusNotFound, about: msgNoSecurity}
	}
	f := &followed{title: m.market.Code, page: securityHref(m.market)}
	if len(m.Names) > 0 {
		f.title = m.Names[0].Name + " " + f.title
	}
	f.posts, err = s.newest(r, archive.Selection{Security: code}, s.Limits.Page)
	return f, err
}

func (s *Server) feedOfSearch(r *http.Request) (*followed, error) {
	words := strings.TrimSpace(r.URL.Query().Get("q"))
	found, err := s.lookFor(r.Context(), Query{Words: words, ByTime: true, Limit: maxHits})
	if err != nil {
		return nil, err
	}
	f := &followed{title: chinese.say(msgSearchFor, words), page: here("/search", r.URL.Query())}
	for _, hit := range found.Hits {
		all, err := s.Store.Revisions(r.Context(), hit.Post.ID)
		if errors.Is(err, archive.ErrNoPost) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.posts = append(f.posts, all[len(all)-1])
	}
	return f, nil
}
