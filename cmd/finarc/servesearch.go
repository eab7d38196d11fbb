package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/search"
	"github.com/finarc/finarc/web"
)

// searcher lets pages search the index of an archive. Crawls keep it up to date; a
// page only reads it.
type searcher struct {
	index *search.Index
	arc   *archive.Archive
}

func (s searcher) Search(ctx context.Context, q web.Query) (web.Hits, error) {
	order := search.ByRelevance
	if q.ByTime {
		order = search.ByTime
	}
	found, err := s.index.Search(ctx, s.arc, search.Query{
		Text: q.Words, Sort: order, After: q.After, Limit: min(q.Limit, search.MaxLimit),
	})
	if err != nil {
		return web.Hits{}, webError(err)
	}
	hits := web.Hits{Next: found.Next}
	for _, h := range found.Hits {
		hits.Hits = append(hits.Hits, web.Hit{Post: h.Post, Title: parted(h.Title), Passage: parted(h.Passage)})
	}
	hits.Behind, err = s.index.Behind(ctx, s.arc)
	return hits, webError(err)
}

// webError makes an error of a search one that pages tell as what it is.
func webError(err error) error {
	switch {
	case as[*search.QueryError](err) || errors.Is(err, search.ErrCursor):
		return fmt.Errorf("%w: %w", web.ErrQuery, err)
	case errors.Is(err, search.ErrNoIndex) || errors.Is(err, search.ErrStale) || errors.Is(err, search.ErrDamaged):
		return fmt.Errorf("%w: %w", web.ErrNoIndex, err)
	}
	return err
}

// parted parts a passage where its marks begin and end.
func parted(p search.Passage) []web.Passage {
	text, at := []rune(p.Text), 0
	var parts []web.Passage
	add := func(to int, mark bool) {
		if to > at {
			parts = append(parts, web.Passage{Text: string(text[at:to]), Marked: mark})
			at = to
		}
	}
	for _, m := range p.Marks {
		add(m[0], false)
		add(m[1], true)
	}
	add(len(text), false)
	return parts
}
