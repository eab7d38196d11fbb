package web

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/diff"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// infoCodeMark is what stands for the infoCode in [Mirror.Share] and [Mirror.Text].
const infoCodeMark = "{infoCode}"

// postPage is a post as it is read.
type postPage struct {
	news.Revision
	All      []news.Revision // all of the post's
	Body     template.HTML
	TextOnly bool // the markup is too much to be shown
	Tradable time.Time
	Story    []news.Revision // the posts that run it, if there are others
	Related  []related
	Places   []place // where the post is on its mirrors
}

// related is a post that the article links.
type related struct {
	Code news.InfoCode
	Post *news.Revision // nil: the archive does not hold it
}

// place is an address of the post on another host.
type place struct {
	About message
	Href  string
}

// ModeName names how the revision came into the archive.
func (p *postPage) ModeName() message { return message(p.Mode) }

// Newest reports whether there is no newer revision than the one that is shown.
func (p *postPage) Newest() bool { return p.Number == len(p.All) }

// relatedAtMost bounds how many related posts are looked up.
const relatedAtMost = 50

func (s *Server) post(r *request) (*document, error) {
	all, rev, err := s.revision(r.Request)
	if err != nil {
		return nil, err
	}
	p := &postPage{Revision: *rev, All: all, Places: s.places(rev)}
	p.Body, p.TextOnly = s.reader.read(&rev.Post)
	if at, known := s.Calendar.Tradable(&rev.Post); known {
		p.Tradable = at
	}
	if rev.Story != "" {
		if p.Story, err = s.Store.Story(r.Context(), rev.ID); err != nil {
			return nil, err
		}
	}
	if p.Related, err = s.related(r, rev.Post.Related); err != nil {
		return nil, err
	}
	return &document{template: "post", title: rev.Title, data: p}, nil
}

// revision returns the revisions of the post that the request names, and the one of
// them that it is for.
func (s *Server) revision(r *http.Request) ([]news.Revision, *news.Revision, error) {
	id, err := news.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, nil, bad(err)
	}
	all, err := s.Store.Revisions(r.Context(), id)
	if err != nil {
		return nil, nil, err
	}
	number := len(all)
	if text := r.URL.Query().Get("revision"); text != "" {
		if number, err = revisionNumber(text, all); err != nil {
			return nil, nil, err
		}
	}
	return all, &all[number-1], nil
}

// revisionNumber reads the number of one of a post's revisions.
func revisionNumber(text string, all []news.Revision) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, bad(fmt.Errorf("%q is no revision's number", text))
	}
	if n < 1 || n > len(all) {
		return 0, missing(msgNoRevision, fmt.Errorf("%s has no revision %d", all[0].ID, n))
	}
	return n, nil
}

// related looks up the posts that an article links.
func (s *Server) related(r *request, codes []news.InfoCode) ([]related, error) {
	codes = firstOf(codes, relatedAtMost)
	if len(codes) == 0 {
		return nil, nil
	}
	var ids []news.ID
	for _, code := range codes {
		ids = append(ids, code.ID())
	}
	held, err := s.Store.Briefly(r.Context(), ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[news.ID]*news.Revision)
	for i := range held {
		byID[held[i].ID] = &held[i]
	}
	var list []related
	for _, code := range codes {
		list = append(list, related{code, byID[code.ID()]})
	}
	return list, nil
}

// places returns where a post is on its mirrors: the address that it was got from,
// and those that its mirror has for its infoCode.
func (s *Server) places(rev *news.Revision) []place {
	var list []place
	if href, ok := outside(rev.URL); ok {
		list = append(list, place{msgFetchedFrom, href})
	}
	if rev.InfoCode == "" {
		return list
	}
	for _, m := range s.Mirrors {
		for _, p := range []place{{msgSharePage, m.Share}, {msgTextPage, m.Text}} {
			href, ok := outside(strings.ReplaceAll(p.Href, infoCodeMark, string(rev.InfoCode.News())))
			if ok && m.Name == rev.Mirror && href != rev.URL {
				list = append(list, place{p.About, href})
			}
		}
	}
	return list
}

// elsewhere returns where a post that was asked for in vain may still be; "" where
// nothing tells.
func (s *Server) elsewhere(r *http.Request) string {
	code, err := news.ParseInfoCode(r.PathValue("id"))
	if err != nil {
		return ""
	}
	for _, m := range s.Mirrors {
		if href, ok := outside(strings.ReplaceAll(m.Share, infoCodeMark, string(code.News()))); ok {
			return href
		}
	}
	return ""
}

// diffPage is what differs between two revisions of a post.
type diffPage struct {
	ID       news.ID
	Old, New news.Revision
	All      []news.Revision
	Title    []diff.Segment
	Text     []diff.Segment
	Whole    string // the address of the whole text with its changes; empty: this is it
	Changed  bool
}

// diffContext is how many characters stand beside each change.
const diffContext = 60

func (s *Server) difference(r *request) (*document, error) {
	all, rev, err := s.revision(r.Request)
	if err != nil {
		return nil, err
	}
	a, b := max(1, len(all)-1), len(all)
	query := r.URL.Query()
	for _, of := range []struct {
		key    string
		number *int
	}{{"a", &a}, {"b", &b}} {
		if text := query.Get(of.key); text != "" {
			if *of.number, err = revisionNumber(text, all); err != nil {
				return nil, err
			}
		}
	}
	p := &diffPage{ID: rev.ID, Old: all[a-1], New: all[b-1], All: all}
	p.Title = diff.Texts(p.Old.Title, p.New.Title)
	p.Text = diff.Texts(page.Text(p.Old.Body), page.Text(p.New.Body))
	p.Changed = diff.Changed(p.Title) || diff.Changed(p.Text)
	if query.Get("all") == "" {
		p.Text = diff.Shorten(p.Text, diffContext)
		p.Whole = r.with("all", "1")
	}
	return &document{template: "diff", title: r.say(msgDiffOf, p.New.Title), data: p}, nil
}

// originalPage shows the page as it was in a frame.
type originalPage struct {
	news.Revision
	Frame string
}

func (s *Server) original(r *request) (*document, error) {
	_, rev, err := s.revision(r.Request)
	if err != nil {
		return nil, err
	}
	return &document{template: "original", title: r.say(msgOriginalOf, rev.Title), data: &originalPage{*rev, rawHref(rev)}}, nil
}

// rawPolicy is the Content-Security-Policy of pages as they were: they run nothing,
// ask nobody, and have an origin of their own, which is nobody's.
const rawPolicy = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; " +
	"base-uri 'none'; frame-ancestors 'self'"

// raw answers with a revision's page as it was served, in UTF-8.
func (s *Server) raw(w http.ResponseWriter, r *http.Request) error {
	all, rev, err := s.revision(r)
	if err != nil {
		return err
	}
	c, err := s.Store.Capture(r.Context(), rev.Seq)
	if err != nil {
		return err
	}
	text, _ := page.Decode(c.Body, c.Header.Get("Content-Type"))
	h := w.Header()
	h.Set("Content-Security-Policy", rawPolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Type", rawKind(c.Kind))
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+rev.SHA256+`"`)
	markMemento(w, r, all, rev)
	if hasTag(r.Header.Get("If-None-Match"), h.Get("ETag")) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return ignoreGone(w.Write(text))
}

// rawKind returns the media type to serve a page as: what is no HTML is text.
func rawKind(kind news.PageKind) string {
	if kind == news.KindText || kind == news.KindJekyll {
		return "text/plain; charset=utf-8"
	}
	return "text/html; charset=utf-8"
}
