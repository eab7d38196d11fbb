package search

import (
	"cmp"
	"context"
	"slices"

	"github.com/finarc/finarc/news"
)

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
	before := len(w.unread)
	for len(w.unread) > 0 && w.read[w.unread[0].block] {
		w.unread = w.unread[1:]
	}
	if len(w.unread) == before && before > 0 {
		return nil // none of these blocks goes beyond the first that is unread
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
