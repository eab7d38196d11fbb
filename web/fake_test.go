package web_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/web"
)

// plainSearch finds the posts in whose titles the words stand.
type plainSearch struct{ posts []news.Post }

func (p plainSearch) Search(_ context.Context, q web.Query) (web.Hits, error) {
	if strings.Count(q.Words, `"`)%2 == 1 {
		return web.Hits{}, fmt.Errorf("%w: a quote is not closed", web.ErrQuery)
	}
	var found web.Hits
	total := 0
	skip, err := strconv.Atoi("0" + q.After)
	if err != nil {
		return found, err
	}
	for _, post := range p.posts {
		before, after, ok := strings.Cut(post.Title, q.Words)
		if !ok {
			continue
		}
		if total++; total <= skip || len(found.Hits) == q.Limit {
			continue
		}
		found.Hits = append(found.Hits, web.Hit{
			Post:  news.Revision{Post: post},
			Title: []web.Passage{{Text: before}, {Text: q.Words, Marked: true}, {Text: after}},
		})
	}
	if skip+len(found.Hits) < total {
		found.Next = strconv.Itoa(skip + len(found.Hits))
	}
	return found, nil
}
