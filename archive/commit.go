package archive

import (
	"context"
	"fmt"
	"slices"

	"github.com/finarc/finarc/news"
)

// counters are the totals that would take a scan to count.
type counters struct {
	Posts     int64 `cbor:"1,keyasint"`
	Revisions int64 `cbor:"2,keyasint"`
	Raw       int64 `cbor:"3,keyasint"` // bytes of all captures' bodies
}

// Commit takes everything that a batch holds into the archive, in one
// transaction: posts with their index entries and changes, frontier, leads,
// list pages and the run's report. When it returns without an error the batch
// is on disk; when it returns an error the archive is as before.
func (a *Archive) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	if err := a.ensureDict(ctx); err != nil {
		return news.Committed{}, err
	}
	var done news.Committed
	err := a.update(ctx, func(t *tx) error {
		done = news.Committed{}
		for _, step := range []func() error{
			func() error { return t.commitPosts(b.Posts, &done) },
			func() error { return t.commitFound(b.Found, &done) },
			func() error { return t.commitFrontier(b, &done) },
			func() error { return t.commitUnread(b.Unread) },
			func() error { return t.commitLists(b.Lists) },
			func() error { return t.commitRun(b.Run) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return news.Committed{}, err
	}
	return done, nil
}

func (t *tx) commitPosts(posts []news.Captured, done *news.Committed) error {
	if len(posts) == 0 {
		return nil
	}
	totals, err := t.counters()
	if err != nil {
		return err
	}
	fresh := &revisions{first: t.Bucket(bucketRevisions).Sequence() + 1}
	changes := make(indexChanges)
	for i := range posts {
		change, err := t.putPost(&posts[i], fresh, changes)
		if err != nil {
			return fmt.Errorf("put %s: %w", posts[i].Post.ID, err)
		}
		if change == news.ChangeNew {
			totals.Posts++
		}
		if err := t.answer(&posts[i]); err != nil {
			return err
		}
		done.Posts = append(done.Posts, change)
	}
	if err := t.store(fresh); err != nil {
		return err
	}
	totals.Revisions += int64(len(fresh.records))
	for _, p := range fresh.posts {
		totals.Raw += int64(len(p.Capture.Body))
	}
	if err := t.Bucket(bucketRevisions).SetSequence(fresh.first + uint64(len(fresh.records)) - 1); err != nil {
		return err
	}
	if err := t.apply(changes); err != nil {
		return err
	}
	return t.putCounters(totals)
}

// putPost takes a capture: as the first of its post, as a revision beside the
// others, or, where the article is the same as in the last one, as the moment
// when it was last seen.
func (t *tx) putPost(p *news.Captured, fresh *revisions, changes indexChanges) (news.Change, error) {
	h, err := t.head(p.Post.ID)
	if err != nil {
		return "", err
	}
	r := newRecord(&p.Post, &p.Capture)
	change := news.ChangeNew
	if len(h) > 0 {
		last, post, err := t.lastOf(h, fresh)
		if err != nil {
			return "", err
		}
		if sameArticle(post, &p.Post) {
			h.seen(r.Fetched - last.Fetched)
			return news.ChangeUnchanged, t.put(bucketPosts, r.ID, h.encode())
		}
		change = news.ChangeRevised
		changes.remove(last, h.last().seq)
	}
	seq := fresh.add(r, p)
	changes.add(r, seq)
	return change, t.put(bucketPosts, r.ID, append(h, headRevision{seq: seq}).encode())
}

// lastOf returns the record of a post's last revision, and the post with its
// body.
func (t *tx) lastOf(h head, fresh *revisions) (*record, *news.Post, error) {
	seq := h.last().seq
	if seq >= fresh.first {
		at := seq - fresh.first
		return fresh.records[at], &fresh.posts[at].Post, nil
	}
	r, err := t.record(seq)
	if err != nil {
		return nil, nil, err
	}
	rev, err := t.revision(h, len(h)-1, r, true)
	return r, &rev.Post, err
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

// commitUnread keeps captures apart that could not be read as their posts.
func (t *tx) commitUnread(unread []news.Captured) error {
	for i := range unread {
		u := &unread[i]
		key := idKey(u.Post.ID)
		head, err := t.a.codec.encodeEnvelope(key, &u.Capture, u.Wanted.Error)
		if err != nil {
			return fmt.Errorf("keep %s apart: %w", u.Capture.URL, err)
		}
		if err := t.put(bucketUnread, key, t.a.codec.pack(slices.Concat(head, u.Capture.Body))); err != nil {
			return fmt.Errorf("keep %s apart: %w", u.Capture.URL, err)
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
