package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// Selection says which posts are meant. Its zero value means all.
type Selection struct {
	From, To news.Day // days of publication, inclusive, in Shanghai; zero: open
	Category string   // a category, whole or one of its parts; case does not matter
	Tag      string   // likewise
	Security string   // market and code (1.600160) or the code alone
	Mirror   string   // the mirror that served the newest revision
	Limit    int      // at most this many; 0: all
	// AsOf is the moment whose knowledge counts: only what was captured by then,
	// and of each post the newest of that. Zero: now.
	AsOf time.Time
	// After leaves out all posts but those of which a revision came in after this
	// place in the change sequence. Zero: none is left out.
	After uint64
	// UpTo takes the archive as if no revision had come in after this place in the
	// change sequence. Zero: all count.
	UpTo uint64
	// First takes of each post the first revision, as which it came in, in place
	// of the newest.
	First bool
	// Oldest puts the oldest first; otherwise the newest come first.
	Oldest bool
	// Beyond goes on behind a position, which need not be one of the selected's.
	// Zero: it begins with the first.
	Beyond Position
	// Origins leaves all posts out but the first of each story that more than one
	// post runs, as far as stories are known.
	Origins bool
	// Body also reads the body and foot, which takes the capture.
	Body bool
	// Captures also reads the captures.
	Captures bool
	// All takes of each post all revisions up to the newest, in the order in which
	// they were captured, but those that came in by After. Limit counts posts.
	All bool
}

// Bounds on one look into the file while selecting: afterwards the lock is let
// go, so that a crawl need not wait for an export.
const (
	selectRows  = 512
	selectBytes = 8 << 20 // of bodies and captures
	selectTime  = 50 * time.Millisecond
)

// Select yields the newest (or first) revisions of the selected posts, in order of
// [news.Revision.Place], which is also what tells whether they are of the days.
// As of a moment, a revision that was met again after it was last seen when it
// was captured: the moment cannot have known more. Between its looks into the
// file others may write; a post that comes in behind the place reached is not
// met.
func (a *Archive) Select(ctx context.Context, s Selection) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		q, err := newQuery(s)
		if err != nil {
			yield(news.Revision{}, err)
			return
		}
		if err := q.findOlder(ctx, a); err != nil {
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
	market   bool // the security's market matters

	low, high uint64          // seconds since 1970, inclusive
	asOf      int64           // milliseconds since 1970; 0: now
	last      *position       // of the last entry looked at
	older     map[uint64]bool // see findOlder
	found     int
	done      bool
}

// Position is a place in the order of selections.
type Position struct {
	When int64  // of [news.Revision.Place], in seconds since 1970; 0 without a day
	Seq  uint64 // the revision's, from 1
}

// PositionOf returns where a revision stands.
func PositionOf(rev *news.Revision) Position {
	return Position{max(0, rev.Place().Unix()), rev.Seq}
}

// position is an entry's place in an index.
type position struct{ when, seq uint64 }

func newQuery(s Selection) (*query, error) {
	q := &query{Selection: s, high: math.MaxUint32 * hour}
	if s.From != 0 && s.To != 0 && s.From > s.To {
		return nil, fmt.Errorf("select posts: from %s is after to %s", s.From, s.To)
	}
	if s.From != 0 {
		q.low = uint64(max(0, s.From.Time().Unix()))
	}
	if s.To != 0 {
		q.low = max(q.low, 1) // a post without any day is of none of the days
		q.high = uint64(max(0, s.To.Add(1).Time().Unix()-1))
	}
	if !s.AsOf.IsZero() {
		q.asOf = s.AsOf.UnixMilli()
		q.high = min(q.high, uint64(max(0, s.AsOf.Unix()))+hour) // see news.Revision.Place
	}
	q.goOn()
	if s.Security == "" {
		return q, nil
	}
	q.security.Code = s.Security
	if sec, err := news.ParseSecurity(s.Security); err == nil {
		q.security, q.market = sec, true
	}
	return q, nil
}

// goOn lets the query go on behind where the selection says. What lies before its
// days is as good as their beginning, and what lies behind them is the end.
func (q *query) goOn() {
	if q.Beyond == (Position{}) {
		return
	}
	at := position{uint64(max(0, q.Beyond.When)), q.Beyond.Seq}
	switch {
	case at.when < q.low:
		q.done = !q.Oldest
	case at.when > q.high:
		q.done = q.Oldest
	default:
		q.last = &at
	}
}

// page answers the next part of the query.
func (q *query) page(t *tx) ([]news.Revision, error) {
	w, err := q.walk(t)
	if w == nil || err != nil {
		q.done = true
		return nil, err
	}
	var page []news.Revision
	bytes := 0
	deadline := time.Now().Add(selectTime)
	for at, err := range w.all() {
		if err != nil {
			return nil, err
		}
		q.last = &at
		if q.within(at.seq) {
			revs, err := q.revisions(t, at.seq)
			if err != nil {
				return nil, err
			}
			if len(revs) > 0 {
				page = append(page, revs...)
				bytes += sizeOf(revs)
				q.found++
			}
		}
		if q.Limit > 0 && q.found >= q.Limit {
			q.done = true
			return page, nil
		}
		if len(page) >= selectRows || bytes >= selectBytes || time.Now().After(deadline) {
			return page, nil
		}
	}
	q.done = true
	return page, nil
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

// sizeOf returns how many bytes of text and pages revisions hold.
func sizeOf(revs []news.Revision) int {
	size := 0
	for i := range revs {
		size += len(revs[i].Body)
		if c := revs[i].Capture; c != nil {
			size += len(c.Body)
		}
	}
	return size
}

// revisions returns a revision if it is one of the selected, or all that are then
// taken of its post.
func (q *query) revisions(t *tx, seq uint64) ([]news.Revision, error) {
	r, err := t.record(seq)
	if err != nil || !q.matches(r) {
		return nil, err
	}
	id := idOf(r.ID)
	h, err := t.head(id)
	if err != nil {
		return nil, err
	}
	h = h.upTo(q.UpTo)
	i := slices.IndexFunc(h, func(known headRevision) bool { return known.seq == seq })
	if i < 0 {
		return nil, fmt.Errorf("%w: index names revision %d, which is none of post %s", ErrCorrupt, seq, id)
	}
	if other, err := q.otherCounts(t, h, i); other || err != nil {
		return nil, err
	}
	if q.Origins {
		if begins, err := t.beginsStory(h); !begins || err != nil {
			return nil, err
		}
	}
	if q.All {
		return q.allUpTo(t, h, i)
	}
	rev, err := q.read(t, h, i, r)
	return []news.Revision{rev}, err
}

// allUpTo returns the revisions of a post up to revision i that came in late
// enough.
func (q *query) allUpTo(t *tx, h head, i int) ([]news.Revision, error) {
	var revs []news.Revision
	for j := range h[:i+1] {
		if h[j].seq <= q.After {
			continue
		}
		r, err := t.record(h[j].seq)
		if err != nil {
			return nil, err
		}
		rev, err := q.read(t, h, j, r)
		if err != nil {
			return nil, err
		}
		revs = append(revs, rev)
	}
	return revs, nil
}

// read returns revision i of a post as the selection knows it.
func (q *query) read(t *tx, h head, i int, r *record) (news.Revision, error) {
	rev, err := t.revision(h, i, r, q.Body)
	if err != nil {
		return rev, err
	}
	if q.asOf != 0 && rev.LastSeen.UnixMilli() > q.asOf {
		rev.LastSeen = rev.Fetched
	}
	if q.asOf != 0 {
		rev.Story = "" // it is not known what was known of stories
	}
	if q.Captures {
		err = q.fillCapture(t, &rev, r)
	}
	return rev, err
}

// fillCapture reads a revision's capture, and how it was met again last as far as the
// selection knows.
func (q *query) fillCapture(t *tx, rev *news.Revision, r *record) (err error) {
	if rev.Capture, err = t.ownCapture(rev.Seq); err != nil {
		return err
	}
	rev.Revisit, err = t.revisit(rev.Seq, r)
	if q.asOf != 0 && rev.Revisit != nil && rev.Revisit.Time.UnixMilli() > q.asOf {
		rev.Revisit = nil
	}
	return err
}

// otherCounts reports whether another revision of the post is the one that
// counts: the first, or else the newest that the selection knows.
func (q *query) otherCounts(t *tx, h head, i int) (bool, error) {
	if q.First {
		return i > 0, nil
	}
	if i == len(h)-1 {
		return false, nil
	}
	if q.asOf == 0 {
		return true, nil
	}
	next, err := t.record(h[i+1].seq)
	return err == nil && next.Fetched <= q.asOf, err
}

// matches reports whether a revision has what the selection asks for.
func (q *query) matches(r *record) bool {
	if q.asOf != 0 && r.Fetched > q.asOf {
		return false
	}
	criteria := q.criteria()
	if len(criteria) == 0 {
		return true
	}
	terms := termsOf(r)
	for _, c := range criteria {
		if !slices.Contains(terms, c) {
			return false
		}
	}
	return !q.market || slices.ContainsFunc(r.Mentions, func(m mention) bool {
		return m.Market == q.security.Market && strings.EqualFold(m.Code, q.security.Code)
	})
}

// walk goes through an index between two moments, from where the query stands.
type walk struct {
	*query
	cursor cursor
	prefix []byte  // of the keys
	span   uint64  // seconds that one list of entries covers
	recent []dated // lists that have not been put away, in the order of the walk
}

// walk returns a walk through the index which is likely to have the fewest
// entries, or nil where a criterion has none at all.
func (q *query) walk(t *tx) (*walk, error) {
	of := uint64(0)
	for _, c := range q.criteria() {
		n, ok, err := t.findTerm(c)
		if !ok || err != nil {
			return nil, err
		}
		if of == 0 {
			of = n
		}
	}
	if of == 0 {
		return &walk{query: q, cursor: t.Bucket(bucketTimes).Cursor(), span: hour}, nil
	}
	recent := t.recentOf(of)
	if !q.Oldest {
		slices.Reverse(recent)
	}
	return &walk{query: q, cursor: t.Bucket(bucketPostings).Cursor(), prefix: appendTerm(nil, of), span: day, recent: recent}, nil
}

// lists yields the lists of the walk with the number of their hour or day.
func (w *walk) lists() iter.Seq2[uint64, []byte] {
	return func(yield func(uint64, []byte) bool) {
		recent := w.recent
		k, v := w.first()
		for k != nil || len(recent) > 0 {
			if k == nil || len(recent) > 0 && (recent[0].day < w.number(k)) == w.Oldest {
				if w.covers(recent[0].day) && !yield(recent[0].day, recent[0].stored) {
					return
				}
				recent = recent[1:]
				continue
			}
			if !yield(w.number(k), v) {
				return
			}
			k, v = w.next()
		}
	}
}

// number returns the hour or day of a key.
func (w *walk) number(k []byte) uint64 { return uint64(binary.BigEndian.Uint32(k[len(w.prefix):])) }

// covers reports whether an hour or day is one of the query's.
func (w *walk) covers(number uint64) bool {
	return w.low/w.span <= number && number <= w.high/w.span
}

// all yields the positions that the query has not looked at yet, in its order.
func (w *walk) all() iter.Seq2[position, error] {
	return func(yield func(position, error) bool) {
		for number, stored := range w.lists() {
			start := number * w.span
			entries, err := decodeEntries(stored)
			if err != nil {
				yield(position{}, fmt.Errorf("index %x, %d: %w", w.prefix, number, err))
				return
			}
			if !w.Oldest {
				slices.Reverse(entries)
			}
			for _, e := range entries {
				at := position{start + e.offset(), e.seq()}
				if w.wants(at) && !yield(at, nil) {
					return
				}
			}
		}
	}
}

// wants reports whether a position is within the query's days and beyond the
// last one looked at.
func (w *walk) wants(at position) bool {
	if at.when < w.low || at.when > w.high {
		return false
	}
	if w.last == nil {
		return true
	}
	order := cmp.Or(cmp.Compare(at.when, w.last.when), cmp.Compare(at.seq, w.last.seq))
	if w.Oldest {
		return order > 0
	}
	return order < 0
}

// first returns the list of entries with which the walk begins or goes on.
func (w *walk) first() (k, v []byte) {
	low, high := w.low, w.high
	if w.last != nil {
		low, high = w.last.when, w.last.when
	}
	if w.Oldest {
		return w.within(w.cursor.Seek(appendChunk(slices.Clone(w.prefix), low/w.span)))
	}
	return w.within(floor(w.cursor, appendChunk(slices.Clone(w.prefix), high/w.span)))
}

func (w *walk) next() (k, v []byte) {
	if w.Oldest {
		return w.within(w.cursor.Next())
	}
	return w.within(w.cursor.Prev())
}

// within returns the list if the walk is to go through it, else nil.
func (w *walk) within(k, v []byte) ([]byte, []byte) {
	if len(k) != len(w.prefix)+chunkSize || !bytes.HasPrefix(k, w.prefix) {
		return nil, nil
	}
	if !w.covers(w.number(k)) {
		return nil, nil
	}
	return k, v
}
