package archive

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// within reports whether a revision can be one of the selected by its place in the
// change sequence.
func (q *query) within(seq uint64) bool {
	return (q.UpTo == 0 || seq <= q.UpTo) && (seq > q.After || q.older[seq])
}

// upTo returns the revisions of a post that came in up to a place in the change
// sequence; 0: all.
func (h head) upTo(seq uint64) head {
	if seq == 0 {
		return h
	}
	return slices.DeleteFunc(h, func(rev headRevision) bool { return rev.seq > seq })
}

// findOlder notes the newest revisions that came in before [Selection.After] of
// posts of which another did after it: a merge can bring what was captured
// earlier, which makes another number of the newest, and another first_seen.
func (q *query) findOlder(ctx context.Context, a *Archive) error {
	if q.After == 0 {
		return nil
	}
	q.older = make(map[uint64]bool)
	for next, last := q.After+1, uint64(0); last == 0 || next <= last; {
		err := a.view(ctx, func(t *tx) error {
			began := time.Now()
			if last = t.Bucket(bucketRevisions).Sequence(); q.UpTo > 0 {
				last = min(last, q.UpTo)
			}
			for from := next; next <= last && (next == from || time.Since(began) < selectTime); next++ {
				if err := q.noteOlder(t, next); err != nil {
					return fmt.Errorf("select what changed: %w", err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if last == 0 {
			return nil
		}
	}
	return nil
}

// noteOlder looks whether the newest revision of a revision's post came in before.
func (q *query) noteOlder(t *tx, seq uint64) error {
	r, err := t.recordIfThere(seq)
	if r == nil || err != nil {
		return err
	}
	h, err := t.head(idOf(r.ID))
	if err != nil {
		return err
	}
	for _, rev := range h.upTo(q.UpTo) {
		if rev.seq <= q.After {
			q.older[rev.seq] = true
		}
	}
	return nil
}
