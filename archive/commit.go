package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/finarc/finarc/news"
	"golang.org/x/sync/errgroup"
)

// counters are the totals that would take a scan to count.
type counters struct {
	Posts     int64 `cbor:"1,keyasint"`
	Revisions int64 `cbor:"2,keyasint"`
	Raw       int64 `cbor:"3,keyasint"` // bytes of all captures' bodies
	Packed    int64 `cbor:"4,keyasint"` // bytes of the same as first stored
}

// packed is a capture made ready to be stored, outside of any transaction.
type packed struct {
	record  *record
	head    []byte // the record's frame
	capture []byte // the capture's frame
	dict    uint32 // the dictionary they were packed with
}

// Commit takes everything that a batch holds into the archive, in one
// transaction: posts with their index entries and changes, frontier, leads,
// list pages and the run's report. When it returns without an error the batch
// is on disk; when it returns an error the archive is as before.
func (a *Archive) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	if err := a.ensureDict(ctx); err != nil {
		return news.Committed{}, err
	}
	posts, err := a.pack(ctx, b.Posts)
	if err != nil {
		return news.Committed{}, err
	}
	unread, err := a.packUnread(b.Unread)
	if err != nil {
		return news.Committed{}, err
	}
	var done news.Committed
	err = a.update(ctx, func(t *tx) error {
		done = news.Committed{}
		return errors.Join(
			t.commitPosts(b.Posts, posts, &done),
			t.commitFound(b.Found, &done),
			t.commitFrontier(b, &done),
			t.commitUnread(b.Unread, unread),
			t.commitLists(b.Lists),
			t.commitRun(b.Run),
		)
	})
	if err != nil {
		return news.Committed{}, err
	}
	return done, nil
}

// pack makes posts ready to be stored: the costly part of a commit, done on
// several processors and before the file is locked.
func (a *Archive) pack(ctx context.Context, posts []news.Captured) ([]packed, error) {
	ready := make([]packed, len(posts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(a.compressors)
	const stride = 16
	for from := 0; from < len(posts); from += stride {
		g.Go(func() error {
			for i := from; i < min(from+stride, len(posts)); i++ {
				var err error
				if ready[i], err = a.packOne(&posts[i]); err != nil {
					return fmt.Errorf("pack %s: %w", posts[i].Post.ID, err)
				}
			}
			return ctx.Err()
		})
	}
	return ready, g.Wait()
}

func (a *Archive) packOne(p *news.Captured) (packed, error) {
	ready := packed{record: newRecord(&p.Post, &p.Capture), dict: a.codec.newest()}
	var err error
	if ready.head, err = a.codec.packRecord(ready.record); err != nil {
		return packed{}, err
	}
	ready.capture, err = a.codec.packCapture(p.Post.ID, &p.Capture, "")
	return ready, err
}

func (a *Archive) packUnread(unread []news.Captured) ([][]byte, error) {
	frames := make([][]byte, len(unread))
	for i := range unread {
		var err error
		u := &unread[i]
		if frames[i], err = a.codec.packCapture(u.Post.ID, &u.Capture, u.Wanted.Error); err != nil {
			return nil, fmt.Errorf("pack %s: %w", u.Capture.URL, err)
		}
	}
	return frames, nil
}

func (t *tx) commitPosts(posts []news.Captured, ready []packed, done *news.Committed) error {
	totals, err := t.counters()
	if err != nil {
		return err
	}
	for i := range posts {
		change, err := t.putPost(&ready[i], &totals)
		if err != nil {
			return fmt.Errorf("put %s: %w", posts[i].Post.ID, err)
		}
		if err := t.answer(&posts[i]); err != nil {
			return err
		}
		done.Posts = append(done.Posts, change)
	}
	return t.putCounters(totals)
}

// putPost stores a capture: as the first of its post, as a revision beside the
// others, or, where the article is the same as in the last one, as the moment
// when it was last seen.
func (t *tx) putPost(p *packed, totals *counters) (news.Change, error) {
	id := idOf(p.record.ID)
	h, err := t.head(id)
	if err != nil {
		return "", err
	}
	if len(h) == 0 {
		totals.Posts++
		return news.ChangeNew, t.putRevision(p, id, h, totals)
	}
	last, err := t.record(h.last().seq)
	if err != nil {
		return "", err
	}
	if bytes.Equal(last.Content, p.record.Content) {
		lasted := max(0, p.record.Fetched-last.Fetched)
		h[len(h)-1].lasted = max(h.last().lasted, uint64(lasted))
		return news.ChangeUnchanged, t.put(bucketPosts, p.record.ID, h.encode())
	}
	if err := t.unindex(last); err != nil {
		return "", err
	}
	return news.ChangeRevised, t.putRevision(p, id, h, totals)
}

// putRevision stores a revision under the next number of the change sequence.
func (t *tx) putRevision(p *packed, id news.ID, h head, totals *counters) error {
	if p.dict != 0 && t.get(bucketDicts, dictKey(p.dict)) == nil {
		return fmt.Errorf("%w: dictionary %d is not in the file; was it replaced by another archive?", ErrCorrupt, p.dict)
	}
	seq, err := t.Bucket(bucketRevisions).NextSequence()
	if err != nil {
		return err
	}
	totals.Revisions++
	totals.Packed += int64(len(p.capture))
	totals.Raw += p.record.rawSize
	return errors.Join(
		t.put(bucketCaptures, seqKey(seq), p.capture),
		t.put(bucketRevisions, seqKey(seq), p.head),
		t.put(bucketPosts, idKey(id), append(h, headRevision{seq: seq}).encode()),
		t.index(p.record),
	)
}

// answer takes a post out of the frontier, and remembers under which other
// identity its link had it, so that the link is known next time.
func (t *tx) answer(p *news.Captured) error {
	for _, id := range []news.ID{p.Post.ID, p.Wanted.ID} {
		if id == "" {
			continue
		}
		if err := t.forget(idKey(id)); err != nil {
			return err
		}
	}
	if p.Wanted.ID == "" || p.Wanted.ID == p.Post.ID {
		return nil
	}
	return t.put(bucketAliases, idKey(p.Wanted.ID), idKey(p.Post.ID))
}

// forget takes an identity out of the frontier, the leads and the failures.
func (t *tx) forget(key []byte) error {
	for _, bucket := range [][]byte{bucketFrontier, bucketLeads, bucketFailed, bucketUnread} {
		if err := t.Bucket(bucket).Delete(key); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) commitUnread(unread []news.Captured, frames [][]byte) error {
	for i := range unread {
		if err := t.put(bucketUnread, idKey(unread[i].Post.ID), frames[i]); err != nil {
			return fmt.Errorf("keep %s apart: %w", unread[i].Capture.URL, err)
		}
	}
	return nil
}

func (t *tx) counters() (counters, error) {
	var n counters
	v := t.get(bucketMeta, keyCounters)
	if v == nil {
		return n, nil
	}
	return n, t.a.codec.decode(v, &n)
}

func (t *tx) putCounters(n counters) error {
	v, err := t.a.codec.encode(n)
	if err != nil {
		return err
	}
	return t.put(bucketMeta, keyCounters, v)
}
