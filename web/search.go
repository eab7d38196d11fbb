package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"
)

// searchPage is what was found, or the form alone.
type searchPage struct {
	Words   string
	ByTime  bool
	NoIndex bool
	Hits
	First string // the address of the first page; empty: this is it
	More  string // the address of the next page; empty: this is the last
}

// Empty reports whether nothing was found at all.
func (p *searchPage) Empty() bool { return len(p.Hits.Hits) == 0 && p.First == "" && p.More == "" }

// Paging leads to the pages beside this one.
func (p *searchPage) Paging() *postList { return &postList{First: p.First, Next: p.More} }

// Bounds of a search: characters of what is searched for, and hits on a page, of each
// of which the text is read.
const (
	maxWords = 200
	maxHits  = 10
)

func (s *Server) search(r *request) (*document, error) {
	query := r.URL.Query()
	p := &searchPage{Words: strings.TrimSpace(query.Get("q")), ByTime: query.Get("sort") == "time", NoIndex: s.Search == nil}
	d := &document{template: "search", title: r.say(msgSearch), data: p}
	if p.Words != "" {
		d.title = r.say(msgSearchFor, p.Words)
	}
	if p.Words == "" || p.NoIndex {
		return d, nil
	}
	if utf8.RuneCountInString(p.Words) > maxWords {
		return nil, &failure{status: http.StatusBadRequest, about: msgLongQuery}
	}
	after := query.Get("after")
	found, err := s.find(r.Context(), Query{Words: p.Words, ByTime: p.ByTime, After: after, Limit: min(s.Limits.Page, maxHits)})
	if errors.Is(err, ErrNoIndex) {
		p.NoIndex = true
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	p.Hits = found
	if found.Next != "" {
		p.More = r.with("after", found.Next)
	}
	if after != "" {
		p.First = r.with("after", "")
	}
	return d, nil
}

// find searches when its turn has come: a search takes a processor for as long as ten
// other pages, which are not to wait for many of them.
func (s *Server) find(ctx context.Context, q Query) (Hits, error) {
	select {
	case s.searching <- struct{}{}:
		defer func() { <-s.searching }()
		return s.Search.Search(ctx, q)
	case <-ctx.Done():
		return Hits{}, ctx.Err()
	}
}
