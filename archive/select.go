package archive

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// Selection says which posts are meant. Its zero value means all.
type Selection struct {
	From, To news.Day // days of publication, inclusive, in Shanghai; zero: open
	Category string   // a category, whole or one of its parts; case does not matter
	Tag      string   // likewise
	Security string   // market and code (1.600160) or the code alone
	Mirror   string   // the mirror that served the newest revision
	Limit    int      // at most this many; 0: all
	// Oldest puts the oldest first; otherwise the newest come first.
	Oldest bool
	// Body also reads the body and foot, which takes the capture.
	Body bool
}

// Bounds on one look into the file while selecting: afterwards the lock is let
// go, so that a crawl need not wait for an export.
const (
	selectRows = 512
	selectTime = 50 * time.Millisecond
)

// Select yields the newest revisions of the selected posts, in order of
// [news.Post.When]. Between its looks into the file others may write; a post
// that comes in behind the place reached is not met.
func (a *Archive) Select(ctx context.Context, s Selection) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		q, err := newQuery(s)
		if err != nil {
			yield(news.Revision{}, err)
			return
		}
		for !q.done {
			var page []news.Revision
			err := a.view(ctx, func(t *tx) error {
				var err error
				page, err = q.page(t)
				return err
			})
			if err != nil {
				yield(news.Revision{}, err)
				return
			}
			for i := range page {
				if !yield(page[i], nil) {
					return
				}
			}
		}
	}
}

// query is a selection in the course of being answered.
type query struct {
	Selection
	security news.Security
	market   bool   // the security's market matters
	last     []byte // the time key reached so far
	found    int
	done     bool
}

func newQuery(s Selection) (*query, error) {
	q := &query{Selection: s}
	if s.From != 0 && s.To != 0 && s.From > s.To {
		return nil, fmt.Errorf("select posts: from %s is after to %s", s.From, s.To)
	}
	if s.Security == "" {
		return q, nil
	}
	q.security.Code = s.Security
	if sec, err := news.ParseSecurity(s.Security); err == nil {
		q.security, q.market = sec, true
	}
	return q, nil
}

// page answers the next part of the query.
func (q *query) page(t *tx) ([]news.Revision, error) {
	prefix, bucket, ok := q.source(t)
	if !ok {
		q.done = true
		return nil, nil
	}
	var page []news.Revision
	deadline := time.Now().Add(selectTime)
	w := q.walk(t.Bucket(bucket).Cursor(), prefix)
	for key := w.first(); key != nil; key = w.next() {
		q.last = bytes.Clone(key[len(prefix):])
		rev, ok, err := q.revision(t, q.last)
		if err != nil {
			return nil, err
		}
		if ok {
			page = append(page, rev)
			q.found++
		}
		if q.Limit > 0 && q.found >= q.Limit {
			q.done = true
			return page, nil
		}
		if len(page) >= selectRows || time.Now().After(deadline) {
			return page, nil
		}
	}
	q.done = true
	return page, nil
}

// source returns the index to walk: that of the criterion which is likely to
// have the fewest posts. It returns false where one has none at all.
func (q *query) source(t *tx) (prefix, bucket []byte, ok bool) {
	for _, c := range q.criteria() {
		n, ok := t.findTerm(c)
		if !ok {
			return nil, nil, false
		}
		if prefix == nil {
			prefix = appendTerm(nil, n)
		}
	}
	if prefix != nil {
		return prefix, bucketPostings, true
	}
	return nil, bucketTimes, true
}

// criteria returns the terms that a post must have, the rarest kind first.
func (q *query) criteria() []string {
	var terms []string
	for _, c := range []struct {
		kind termKind
		text string
	}{
		{termSecurity, q.security.Code}, {termTag, q.Tag}, {termCategory, q.Category}, {termMirror, q.Mirror},
	} {
		if c.text != "" {
			terms = append(terms, term(c.kind, c.text))
		}
	}
	return terms
}

// revision returns the post at a time key, if it is one of the selected.
func (q *query) revision(t *tx, key []byte) (news.Revision, bool, error) {
	id := idOf(key[timeSize:])
	h, err := t.head(id)
	if err != nil {
		return news.Revision{}, false, err
	}
	if len(h) == 0 {
		return news.Revision{}, false, fmt.Errorf("%w: index names post %s, which is missing", ErrCorrupt, id)
	}
	r, err := t.record(h.last().seq)
	if err != nil || !q.matches(r) {
		return news.Revision{}, false, err
	}
	rev, err := t.revision(h, len(h)-1, r, q.Body)
	return rev, true, err
}

// matches reports whether a revision has what the selection asks for.
func (q *query) matches(r *record) bool {
	terms := termsOf(r)
	for _, c := range q.criteria() {
		if !slices.Contains(terms, c) {
			return false
		}
	}
	return !q.market || slices.ContainsFunc(r.Mentions, func(m mention) bool {
		return m.Market == q.security.Market && strings.EqualFold(m.Code, q.security.Code)
	})
}

// walk goes through the keys of one prefix between two moments, in the
// selection's direction and from where the query stands.
type walk struct {
	cursor *bolt.Cursor
	prefix []byte
	// The keys walked are those from low (inclusive) to high (exclusive),
	// prefix included; nil: open.
	low, high []byte
	oldest    bool
}

func (q *query) walk(c *bolt.Cursor, prefix []byte) *walk {
	w := &walk{cursor: c, prefix: prefix, low: slices.Clone(prefix), high: successor(prefix), oldest: q.Oldest}
	if q.From != 0 {
		w.low = appendTime(slices.Clone(prefix), q.From.Time())
	}
	if q.To != 0 {
		w.high = appendTime(slices.Clone(prefix), q.To.Add(1).Time())
	}
	switch here := slices.Concat(prefix, q.last); {
	case q.last == nil:
	case q.Oldest:
		w.low = append(here, 0) // the first key after the one reached
	default:
		w.high = here
	}
	return w
}

func (w *walk) first() []byte {
	if w.oldest {
		k, _ := w.cursor.Seek(w.low)
		return w.within(k)
	}
	if w.high == nil {
		k, _ := w.cursor.Last()
		return w.within(k)
	}
	if k, _ := w.cursor.Seek(w.high); k == nil {
		k, _ = w.cursor.Last()
		return w.within(k)
	}
	k, _ := w.cursor.Prev()
	return w.within(k)
}

func (w *walk) next() []byte {
	step := w.cursor.Prev
	if w.oldest {
		step = w.cursor.Next
	}
	k, _ := step()
	return w.within(k)
}

// within returns the key if it is one of those to be walked, else nil.
func (w *walk) within(k []byte) []byte {
	if k == nil || bytes.Compare(k, w.low) < 0 || w.high != nil && bytes.Compare(k, w.high) >= 0 {
		return nil
	}
	return k
}

// successor returns the least key that is greater than all with the prefix, or
// nil where there is none.
func successor(prefix []byte) []byte {
	next := slices.Clone(prefix)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil
}
