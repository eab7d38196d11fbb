package search

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/finarc/finarc/news"
)

// Sort is an order of hits.
type Sort string

// The orders. By relevance, posts come first that have all words in their titles;
// then those that have all of them often; then the rest; of each the newest first.
const (
	ByTime      Sort = "time" // the newest first
	ByRelevance Sort = "relevance"
)

// Query is what is looked for.
type Query struct {
	// Text has the words, phrases and conditions, as a person types them.
	Text     string
	From, To news.Day // days of publication, inclusive; zero: open
	Category string   // conditions beside those in Text, as in archive.Selection
	Tag      string
	Security string
	Mirror   string
	Sort     Sort // empty: by relevance
	// Fold leaves out of each story all posts but, of those that the query finds,
	// the one that was published first.
	Fold  bool
	Limit int    // hits on a page, at most MaxLimit; 0: 20
	After string // the Next of the page before; empty: the first page
}

// Bounds of a page.
const (
	DefaultLimit = 20
	MaxLimit     = 100
	// maxVain is how many texts are read for one page beside its hits: one that has
	// fewer hits than wanted, and a Next, goes on there.
	maxVain = 40
)

// Hit is a post that was found.
type Hit struct {
	Post    news.Revision // without body
	Title   Passage
	Passage Passage // of the text; empty where only the title has a word
	Others  int     // other posts of its story, where the query folds stories
}

// Page is a part of what was found.
type Page struct {
	Hits []Hit
	Next string // the cursor of the page after; empty: this is the last
}

// ErrCursor: a cursor is none that a page gave.
var ErrCursor = errors.New("the cursor is none of a page")

// position is a candidate's place in the order of hits.
type position struct {
	tier int
	at   int64 // seconds since 1970
	id   news.ID
}

// compare puts lower tiers first, and of each the newest.
func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(p.tier, o.tier), cmp.Compare(o.at, p.at), cmp.Compare(o.id, p.id))
}

func (p position) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d.%s", p.tier, p.at, p.id))
}

func parsePosition(s string) (p position, err error) {
	if s == "" {
		return position{at: math.MaxInt64}, nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(s)
	parts := strings.SplitN(string(plain), ".", 3)
	if err != nil || len(parts) != 3 {
		return p, fmt.Errorf("%q: %w", s, ErrCursor)
	}
	tier, err := strconv.Atoi(parts[0])
	if err == nil {
		p.at, err = strconv.ParseInt(parts[1], 10, 64)
	}
	if err != nil || tier < 0 || tier > tiers {
		return p, fmt.Errorf("%q: %w", s, ErrCursor)
	}
	p.tier, p.id = tier, news.ID(parts[2])
	return p, nil
}

// Check returns what is wrong with a query, a [*QueryError] or [ErrCursor]. It needs
// no index.
func (x *Index) Check(q Query) error {
	if _, err := x.fold.compile(&q); err != nil {
		return err
	}
	_, err := parsePosition(q.After)
	return err
}

// Search returns a page of what a query finds. It fails with a [*QueryError],
// [ErrCursor], [ErrNoIndex], [ErrStale] or [ErrDamaged]. Its work is bounded: a page
// can have fewer hits than wanted, or none, and yet a Next.
func (x *Index) Search(ctx context.Context, posts Posts, q Query) (Page, error) {
	c, err := x.fold.compile(&q)
	if err != nil {
		return Page{}, err
	}
	after, err := parsePosition(q.After)
	if err != nil {
		return Page{}, err
	}
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	s := &searching{Index: x, conditions: c, posts: posts, query: q, limit: min(q.Limit, MaxLimit), last: after}
	err = x.use(ctx, func(db *sql.DB) error {
		s.db = db
		return s.run(ctx)
	})
	return s.page, err
}

// searching is a query in the course of being answered.
type searching struct {
	*Index
	*conditions
	db    *sql.DB
	posts Posts
	query Query
	limit int
	last  position // of the last candidate that was looked at
	vain  int      // texts that were read beside those of hits
	page  Page
}

func (s *searching) run(ctx context.Context) error {
	matches := s.matches(s.fold)
	if s.query.Sort == ByTime || !s.wanted() {
		matches = matches[:1]
	} else {
		matches = matches[1:]
	}
	for tier, match := range matches {
		if tier < s.last.tier {
			continue
		}
		if tier > s.last.tier {
			s.last = position{tier: tier, at: math.MaxInt64}
		}
		if full, err := s.tier(ctx, match); full || err != nil {
			return err
		}
	}
	return nil
}

// look reads candidates, in order, and takes those that are hits onto the page. It
// reports whether that is full.
func (s *searching) look(ctx context.Context, list []position) (full bool, err error) {
	for len(list) > 0 {
		portion := list[:min(len(list), s.limit+1-len(s.page.Hits), maxVain-s.vain)]
		list = list[len(portion):]
		ids := make([]news.ID, len(portion))
		for i := range portion {
			ids[i] = portion[i].id
		}
		revs, err := s.posts.Posts(ctx, ids)
		if err != nil {
			return false, err
		}
		for _, p := range portion {
			hits := len(s.page.Hits)
			i := slices.IndexFunc(revs, func(rev news.Revision) bool { return rev.ID == p.id })
			if i >= 0 {
				if full, err := s.take(ctx, &revs[i]); full || err != nil {
					return full, err
				}
			}
			s.last = p
			if len(s.page.Hits) == hits {
				s.vain++
			}
			if s.vain >= maxVain {
				s.page.Next = s.last.String()
				return true, nil
			}
		}
	}
	return false, nil
}

// take puts a post on the page if it is a hit; if there is no room for it, the page
// is full and has another after it.
func (s *searching) take(ctx context.Context, rev *news.Revision) (full bool, err error) {
	m := s.match(rev)
	if m == nil || !s.selects(rev) {
		return false, nil
	}
	others := 0
	if s.query.Fold && rev.Story != "" {
		var first bool
		if first, others, err = s.firstOfStory(ctx, rev); err != nil || !first {
			return false, err
		}
	}
	if len(s.page.Hits) == s.limit {
		s.page.Next = s.last.String()
		return true, nil
	}
	s.page.Hits = append(s.page.Hits, m.hit(rev, others))
	return false, nil
}

// firstOfStory reports whether no post of its story that was published before a hit
// is one too, and how many others the story has.
func (s *searching) firstOfStory(ctx context.Context, rev *news.Revision) (first bool, others int, err error) {
	story, err := s.posts.Story(ctx, rev.ID)
	if err != nil {
		return false, 0, err
	}
	var before []news.ID
	mine := position{at: placeOf(rev), id: rev.ID}
	for i := range story {
		if (position{at: placeOf(&story[i]), id: story[i].ID}).compare(mine) > 0 {
			before = append(before, story[i].ID)
		}
	}
	for n := 1; len(before) > 0; n *= 2 { // a reprint most often has the same words
		portion := before[:min(n, len(before))]
		before = before[len(portion):]
		revs, err := s.posts.Posts(ctx, portion)
		if err != nil {
			return false, 0, err
		}
		s.vain += len(revs)
		for i := range revs {
			if s.selects(&revs[i]) && s.match(&revs[i]) != nil {
				return false, 0, nil
			}
		}
	}
	return true, len(story) - 1, nil
}
