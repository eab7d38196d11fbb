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

// tier looks at the candidates of a tier, and reports whether the page is full. They
// come block by block, and are looked at as soon as no other block can have one that
// comes before them. Portions of blocks grow, so that those that do not follow each
// other take few statements.
func (s *searching) tier(ctx context.Context, match string) (full bool, err error) {
	list, err := s.spans(ctx)
	if err != nil {
		return false, err
	}
	w := &walk{unread: list, read: make(map[int64]bool, len(list))}
	for stretches := 1; len(list) > 0; stretches *= 2 {
		n := leading(list, stretches)
		for _, st := range joined(list[:n]) {
			if full, err := s.stretch(ctx, match, st, w); full || err != nil {
				return full, err
			}
		}
		list = list[n:]
	}
	return false, nil
}

// blockSpan is a block and from when to when its posts are.
type blockSpan struct {
	block int64
	span
}

// bounds returns the moments between which candidates are.
func (s *searching) bounds() (low, high int64) {
	high = s.last.at
	if s.from != 0 {
		low = max(0, s.from.Time().Unix())
	}
	if s.to != 0 {
		low = max(low, 1) // a post without any day is of none of the days
		high = min(high, s.to.Add(1).Time().Unix()-1)
	}
	return low, high
}

// spans returns the blocks that can have candidates, those first that have the
// newest.
func (s *searching) spans(ctx context.Context) ([]blockSpan, error) {
	low, high := s.bounds()
	rows, err := s.db.QueryContext(ctx, `SELECT block, low, high FROM blocks WHERE high >= ? AND low <= ?`, low, high)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []blockSpan
	for rows.Next() {
		var b blockSpan
		if err := rows.Scan(&b.block, &b.low, &b.high); err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b blockSpan) int {
		return cmp.Or(cmp.Compare(b.high, a.high), cmp.Compare(b.block, a.block))
	})
	return list, rows.Err()
}

// leading returns how many of the blocks a number of stretches has.
func leading(list []blockSpan, stretches int) int {
	for i := 1; i < len(list); i++ {
		if list[i].block != list[i-1].block-1 {
			if stretches--; stretches == 0 {
				return i
			}
		}
	}
	return len(list)
}

// stretch are blocks with following numbers.
type stretch struct{ first, last int64 }

// joined returns the stretches that blocks make, the highest numbers first.
func joined(blocks []blockSpan) []stretch {
	blocks = slices.SortedFunc(slices.Values(blocks), func(a, b blockSpan) int { return cmp.Compare(b.block, a.block) })
	var list []stretch
	for _, b := range blocks {
		if n := len(list); n > 0 && list[n-1].first == b.block+1 {
			list[n-1].first = b.block
			continue
		}
		list = append(list, stretch{b.block, b.block})
	}
	return list
}

// walk is how far the blocks have been gone through.
type walk struct {
	unread []blockSpan // the first of them is not read; of the rest some may be
	read   map[int64]bool
	found  []position // what was not yet looked at
}

// done notes that blocks were read, and returns the candidates that nothing unread
// can come before, in order.
func (w *walk) done(first, last int64) (ready []position) {
	for block := first; block <= last; block++ {
		w.read[block] = true
	}
	for len(w.unread) > 0 && w.read[w.unread[0].block] {
		w.unread = w.unread[1:]
	}
	slices.SortFunc(w.found, position.compare)
	n := len(w.found)
	if len(w.unread) > 0 {
		n, _ = slices.BinarySearchFunc(w.found, w.unread[0].high, func(p position, high int64) int {
			if p.at > high {
				return -1
			}
			return 1
		})
	}
	ready, w.found = w.found[:n:n], w.found[n:]
	return ready
}

// stretch goes through blocks with following numbers from the last one on, and looks
// at the candidates as they can be.
func (s *searching) stretch(ctx context.Context, match string, st stretch, w *walk) (full bool, err error) {
	low, high := s.bounds()
	query := `SELECT number, at, id FROM posts WHERE number BETWEEN ? AND ? AND at BETWEEN ? AND ? ORDER BY number DESC`
	args := []any{st.first << blockBits, (st.last+1)<<blockBits - 1, low, high}
	if match != "" {
		query = `SELECT number, at, id FROM terms CROSS JOIN posts ON number = terms.rowid
			WHERE terms MATCH ? AND terms.rowid BETWEEN ? AND ? AND at BETWEEN ? AND ? ORDER BY terms.rowid DESC`
		args = append([]any{match}, args...)
	}
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var id string // see keyOf
		p := position{tier: s.last.tier}
		if err := rows.Scan(&number, &p.at, &id); err != nil {
			return false, err
		}
		if block := number >> blockBits; block < st.last {
			if full, err := s.look(ctx, w.done(block+1, st.last)); full || err != nil {
				return full, err
			}
			st.last = block
		}
		if p.id = news.ID(id); p.compare(s.last) > 0 {
			w.found = append(w.found, p)
		}
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	return s.look(ctx, w.done(st.first, st.last))
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
