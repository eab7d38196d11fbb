package archive

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"iter"
	"time"

	"github.com/finarc/finarc/news"
)

// Mark returns what tells whether the archive is, up to a place in its change
// sequence, still the one that somebody followed that far, and the last place that
// there is now. The mark is another one where another archive or an older copy was
// put in its place and went on otherwise, where revisions were read again, and
// after a repair. It is empty where the sequence has not come so far.
func (a *Archive) Mark(ctx context.Context, seq uint64) (mark string, last uint64, err error) {
	err = a.view(ctx, func(t *tx) error {
		if last = t.Bucket(bucketRevisions).Sequence(); seq > last {
			return nil
		}
		identity, err := t.get(bucketMeta, keyIdentity)
		if err != nil {
			return err
		}
		rewrites, err := t.rewrites()
		if err != nil {
			return err
		}
		sum, err := t.sumOf(seq)
		if err != nil {
			return err
		}
		b := binary.BigEndian.AppendUint64(append([]byte(nil), identity...), rewrites)
		mark = hex.EncodeToString(binary.BigEndian.AppendUint32(b, sum))
		return nil
	})
	return mark, last, err
}

// sumOf returns a checksum of what makes a revision that one and no other; 0 where
// it is none, or was lost.
func (t *tx) sumOf(seq uint64) (uint32, error) {
	if seq == 0 {
		return 0, nil
	}
	r, err := t.recordIfThere(seq)
	if r == nil || err != nil {
		return 0, err
	}
	b := binary.BigEndian.AppendUint64([]byte(r.ID), uint64(r.Fetched))
	return crc32.Checksum(append(b, r.Raw...), castagnoli), nil
}

// All yields the newest revisions of all posts, with their bodies, in the order in
// which they were published, as if no revision had come in after a place in the
// change sequence.
func (a *Archive) All(ctx context.Context, upTo uint64) iter.Seq2[news.Revision, error] {
	if upTo == 0 {
		return func(func(news.Revision, error) bool) {}
	}
	return a.Select(ctx, Selection{Oldest: true, Body: true, UpTo: upTo})
}

// Changes yields, in the order of the change sequence, the revisions after a place
// in it, and up to another, that are the newest of their posts, with their bodies.
func (a *Archive) Changes(ctx context.Context, after, upTo uint64) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		for after < upTo {
			var page []news.Revision
			err := a.view(ctx, func(t *tx) (err error) {
				upTo = min(upTo, t.Bucket(bucketRevisions).Sequence())
				page, after, err = t.changes(after, upTo)
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

// changes returns, as one look, the next of the revisions that Changes yields, and
// how far that is.
func (t *tx) changes(after, upTo uint64) (page []news.Revision, at uint64, err error) {
	began := time.Now()
	for at = after; at < upTo && len(page) < selectRows && (at == after || time.Since(began) < selectTime); {
		at++
		rev, ok, err := t.newest(at)
		if err != nil {
			return nil, at, fmt.Errorf("change %d: %w", at, err)
		}
		if ok {
			page = append(page, rev)
		}
	}
	return page, at, nil
}

// newest returns a revision with its body if it is the newest of its post.
func (t *tx) newest(seq uint64) (rev news.Revision, ok bool, err error) {
	r, err := t.recordIfThere(seq)
	if r == nil || err != nil {
		return rev, false, err
	}
	h, err := t.head(idOf(r.ID))
	if err != nil || len(h) == 0 || h[len(h)-1].seq != seq {
		return rev, false, err
	}
	rev, err = t.revision(h, len(h)-1, r, true)
	return rev, true, err
}

// Posts returns the newest revisions, with their bodies, of those of the posts that
// the archive holds, in the order in which they are named.
func (a *Archive) Posts(ctx context.Context, ids []news.ID) ([]news.Revision, error) {
	var revs []news.Revision
	err := a.view(ctx, func(t *tx) error {
		revs = make([]news.Revision, 0, len(ids))
		for _, id := range ids {
			h, err := t.head(id)
			if err != nil {
				return err
			}
			if len(h) == 0 {
				continue
			}
			rev, ok, err := t.newest(h[len(h)-1].seq)
			if err != nil {
				return fmt.Errorf("post %s: %w", id, err)
			}
			if ok {
				revs = append(revs, rev)
			}
		}
		return nil
	})
	return revs, err
}
