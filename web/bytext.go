package web

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/securities"
)

// byText is posts that name a security in title or text and do not mark it.
type byText struct {
	Posts    []inText // the newest first
	Searched bool     // there is an index that could be asked
	Whole    bool     // there are no others with its name or its code
}

// inText is a post, and where it names the security first.
type inText struct {
	news.Revision // without body
	Places        []news.Place
}

// Said are the words by which it names the security, each once.
func (p *inText) Said() []string {
	var words []string
	for _, at := range p.Places {
		if !slices.Contains(words, at.Text) {
			words = append(words, at.Text)
		}
	}
	return words
}

// How many posts are read of those with the security's name, and how many of those
// with its code; how many places are told of each; and for how long it is as good as
// new, as to search takes longer than all the rest of a page.
const (
	textPosts  = 5
	textPlaces = 20
	textFresh  = 30 * time.Minute
)

// byText returns the newest posts that name a security and do not mark it.
func (s *Server) byText(ctx context.Context, m *mentions) (*byText, error) {
	if s.Search == nil {
		return &byText{}, nil
	}
	found, err := part(s, "text "+m.market.String(), textFresh, func() (*byText, int64, error) {
		found, err := s.findByText(ctx, m)
		if err != nil {
			return nil, 0, err
		}
		return found, found.bytes(), nil
	})
	if errors.Is(err, ErrNoIndex) { // which is not kept: there may be one the next time
		return &byText{}, nil
	}
	return found, err
}

// findByText asks the index for the newest posts that have a security's name or code
// and not its mark, and keeps those that mean it, by what posts that mark it teach of
// names.
func (s *Server) findByText(ctx context.Context, m *mentions) (*byText, error) {
	security := m.market
	found := &byText{Searched: true, Whole: true}
	var ids []news.ID
	for _, words := range []string{m.Name(), security.Code} {
		if words == "" {
			continue
		}
		hits, err := s.find(ctx, Query{Words: quoted(words) + ` -security:` + security.String(), ByTime: true, Limit: textPosts})
		if errors.Is(err, ErrQuery) { // what a page calls a security need not be something to search for
			found.Whole = false
			continue
		}
		if err != nil {
			return nil, err
		}
		found.Whole = found.Whole && hits.Next == "" && hits.Behind == 0
		for i := range hits.Hits {
			ids = append(ids, hits.Hits[i].Post.ID)
		}
	}
	slices.Sort(ids)
	posts, err := s.Store.Posts(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	found.take(posts, security, m.taught.Finder())
	return found, nil
}

// quoted returns words as a phrase of a query. They are a page's, and what would end
// the phrase is taken out.
func quoted(words string) string {
	return `"` + strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"＂”", r) {
			return ' '
		}
		return r
	}, words) + `"`
}

// take keeps those of the posts that name the security.
func (b *byText) take(posts []news.Revision, security news.Security, finder *securities.Finder) {
	for i := range posts {
		rev := &posts[i]
		places := slices.DeleteFunc(finder.Find(rev, page.ReadArticle(rev.Body)), func(p news.Place) bool { return p.Security != security })
		if len(places) > 0 {
			rev.Body, rev.Foot = "", ""
			b.Posts = append(b.Posts, inText{*rev, slices.Clone(places[:min(len(places), textPlaces)])})
		}
	}
	slices.SortFunc(b.Posts, func(x, y inText) int {
		p, q := archive.PositionOf(&x.Revision), archive.PositionOf(&y.Revision)
		return cmp.Or(cmp.Compare(q.When, p.When), cmp.Compare(q.Seq, p.Seq))
	})
}

// bytes is about what the posts take.
func (b *byText) bytes() int64 {
	n := int64(128)
	for i := range b.Posts {
		n += int64(1024 + len(b.Posts[i].Title) + len(b.Posts[i].Digest) + 128*len(b.Posts[i].Places))
	}
	return n
}
