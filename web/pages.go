package web

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// postList is a page of posts, and where the next one begins.
type postList struct {
	Posts []news.Revision
	First string // the address of the first page; empty: this is it
	Next  string // the address of the next page; empty: this is the last
	// Clock says that all posts are of one day, so that the time of day tells when.
	Clock bool
}

// list returns the page of a selection that the request asks for.
func (s *Server) list(r *request, sel archive.Selection) (*postList, error) {
	after, err := parseCursor(r.URL.Query().Get("after"))
	if err != nil {
		return nil, bad(err)
	}
	sel.Beyond, sel.Limit = after, s.Limits.Page+1
	list := new(postList)
	for rev, err := range s.Store.Select(r.Context(), sel) {
		if err != nil {
			return nil, err
		}
		list.Posts = append(list.Posts, rev)
	}
	if len(list.Posts) > s.Limits.Page {
		list.Posts = list.Posts[:s.Limits.Page]
		list.Next = r.with("after", cursorOf(&list.Posts[s.Limits.Page-1]))
	}
	if after != (archive.Position{}) {
		list.First = r.with("after", "")
	}
	return list, nil
}

// with returns the address of the page that is asked for, but for one value.
func (r *request) with(key, value string) string {
	query := r.URL.Query()
	query.Del(key)
	if value != "" {
		query.Set(key, value)
	}
	return here(r.URL.Path, query)
}

// cursorOf returns where the page behind a post begins. It stays the same whatever
// is archived meanwhile.
func cursorOf(rev *news.Revision) string {
	at := archive.PositionOf(rev)
	return fmt.Sprintf("%d-%d", at.When, at.Seq)
}

// parseCursor reads what cursorOf wrote. The empty cursor is that of a first page.
func parseCursor(s string) (at archive.Position, err error) {
	if s == "" {
		return at, nil
	}
	when, seq, _ := strings.Cut(s, "-")
	if at.When, err = strconv.ParseInt(when, 10, 64); err == nil {
		at.Seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil {
		return at, fmt.Errorf("after=%q is no place in a list", s)
	}
	return at, nil
}

// part returns something that pages are made of, as it was made less than fresh
// ago; it takes so many bytes.
func part[T any](s *Server, name string, fresh time.Duration, fill func() (T, int64, error)) (T, error) {
	v, err := s.parts.get(name, fresh, func() (any, int64, error) { return fill() })
	if err != nil {
		var none T
		return none, err
	}
	return v.(T), nil
}

// newestDay returns the day of the newest post; today, where there is none.
func (s *Server) newestDay(ctx context.Context) (news.Day, error) {
	for rev, err := range s.Store.Select(ctx, archive.Selection{Limit: 1}) {
		if err != nil {
			return 0, err
		}
		if d := rev.PlaceDay(); d.Valid() {
			return d, nil
		}
	}
	return news.DayOf(s.Now()), nil
}

// parseDay reads a day of an address.
func parseDay(text string) (news.Day, error) {
	d, err := news.ParseDay(text)
	if err != nil {
		return 0, bad(err)
	}
	if !d.Valid() {
		return 0, bad(errors.New("no post can be of that day"))
	}
	return d, nil
}
