package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/finarc/finarc/news"
)

// counters are the totals that would take a scan to count.
type counters struct {
	Posts     int64 `cbor:"1,keyasint"`
	Revisions int64 `cbor:"2,keyasint"`
	Raw       int64 `cbor:"3,keyasint"` // bytes of all captures' bodies
	// DictDue is the capture after which the next dictionary is tried; 0: the
	// first one, as soon as there are captures enough.
	DictDue uint64 `cbor:"4,keyasint,omitempty"`
	Lost    int64  `cbor:"5,keyasint,omitempty"` // captures that damage took
}

// Commit takes everything that a batch holds into the archive, in one
// transaction: posts with their index entries and changes, frontier, leads,
// list pages and the run's report. When it returns without an error the batch
// is on disk; when it returns an error the archive is as before.
func (a *Archive) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	if err := a.ensureDict(ctx); err != nil {
		return news.Committed{}, err
	}
	return a.commit(ctx, b, nil)
}

// errTried undoes a transaction that was only to be tried.
var errTried = errors.New("only tried")

// Try tells what [Archive.Commit] would make of a batch, and leaves the archive
// as it is. Other writers wait meanwhile as for a commit.
func (a *Archive) Try(ctx context.Context, b *news.Batch) (news.Committed, error) {
	return a.commit(ctx, b, errTried)
}

// commit takes a batch into the archive, in a transaction that then ends with
// the given error.
func (a *Archive) commit(ctx context.Context, b *news.Batch, ending error) (news.Committed, error) {
	records := a.newRecords(b.Posts)
	var done news.Committed
	err := a.update(ctx, func(t *tx) error {
		done = news.Committed{}
		for _, step := range []func() error{
			func() error { return t.commitPosts(b, records, &done) },
			func() error { return t.commitSeen(b.Seen) },
			func() error { return t.commitFound(b, &done) },
			func() error { return t.commitFrontier(b, &done) },
			func() error { return t.commitUnread(b.Unread) },
			func() error { return t.commitLists(b.Lists) },
			func() error { return t.commitHosts(b.Hosts) },
			func() error { return t.commitRun(b.Run) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return ending
	})
	if err != nil && (ending == nil || !errors.Is(err, ending)) {
		return news.Committed{}, err
	}
	return done, nil
}

// newRecords makes the records of posts, on several processors, before the file
// is held: their digests take as long as much that follows.
func (a *Archive) newRecords(posts []news.Captured) []*record {
	const chunk = 64
	records := make([]*record, len(posts))
	var work sync.WaitGroup
	for from := 0; from < len(posts); from += chunk {
		work.Go(func() {
			for i := from; i < min(from+chunk, len(posts)); i++ {
				records[i] = newRecord(&posts[i].Post, &posts[i].Capture)
			}
		})
	}
	work.Wait()
	return records
}

func (t *tx) commitPosts(b *news.Batch, records []*record, done *news.Committed) error {
	posts := b.Posts
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
		change, err := t.putPost(&posts[i], records[i], fresh, changes)
		if err != nil {
			return fmt.Errorf("put %s: %w", posts[i].Post.ID, err)
		}
		if change == news.ChangeNew {
			totals.Posts++
		}
		if several(b) || len(posts[i].Wanted.Others) > 0 {
			others, err := t.answerTitles(&posts[i], b.Attempts, fresh)
			if err != nil {
				return fmt.Errorf("titles of %s: %w", posts[i].Post.ID, err)
			}
			done.Others += others
		}
		if err := t.answer(&posts[i]); err != nil {
			return err
		}
		done.Posts = append(done.Posts, change)
	}
	return t.finishPosts(totals, fresh, changes)
}

// finishPosts stores the revisions that were gathered, with their index entries
// and what they add to the totals.
func (t *tx) finishPosts(totals counters, fresh *revisions, changes indexChanges) error {
	if err := t.store(fresh, &totals); err != nil {
		return err
	}
	totals.Revisions += int64(len(fresh.records))
	for _, p := range fresh.posts {
		totals.Raw += int64(len(p.Capture.Body))
	}
	last := fresh.first + uint64(len(fresh.records)) - 1
	if err := t.Bucket(bucketRevisions).SetSequence(last); err != nil {
		return err
	}
	t.a.watchDict(dictWatch{seq: last, due: max(totals.DictDue, firstTrial)})
	if err := t.apply(changes); err != nil {
		return err
	}
	if err := t.putAway(leastAway + len(fresh.records)/postsAway); err != nil {
		return err
	}
	return t.putCounters(totals)
}

// putPost takes a capture: as the first of its post, as a revision beside the
// others, or, where the article is the same as in one that it can be the same
// as, as the moment when that was last seen. It can be the same as
//
//   - the revision before it,
//   - the last one before it of its own mirror: mirrors that disagree, each of
//     which goes on serving what it served, do not make revisions by turns. A
//     file counts as another mirror's,
//   - of a file that is imported, any before it: files do not tell when they were
//     true, and importing them again must bring nothing new,
//   - one that was captured so little later that two crawls may have met the
//     post at a time, see skew.
//
// Revisions stand in the order in which they were captured, whenever they come
// into the archive. The newest that was captured by a moment is what was known
// then, also where another mirror was later seen to go on serving an older one.
//
// A revision is [news.ChangeDiffers] where the one before it is of another
// mirror, and [news.ChangeRevised] where it is of the same, or there is none.
func (t *tx) putPost(p *news.Captured, r *record, fresh *revisions, changes indexChanges) (news.Change, error) {
	h, err := t.head(p.Post.ID)
	if err != nil {
		return "", err
	}
	_, place, err := t.places(h, r.Fetched, fresh)
	if err != nil {
		return "", err
	}
	return t.putRecord(h, place, place, r, p, sighting{until: r.Fetched}, fresh, changes)
}

// putRecord is putPost for a capture of which met tells until when it was met again,
// and by which answers, given the post's revisions: so many of them are older than it,
// and so many not younger. It can be the same as any of those that are neither.
func (t *tx) putRecord(h head, older, place int, r *record, p *news.Captured, met sighting, fresh *revisions, changes indexChanges) (news.Change, error) {
	for _, find := range []func() (int, error){
		func() (int, error) { return t.sameFile(h[:older], r, p, fresh) },
		func() (int, error) { return t.sameBefore(h[:older], r, p, fresh) },
		func() (int, error) { return t.sameFrom(h[:place], older, r, p, fresh) },
		func() (int, error) { return t.sameFrom(h, place, r, p, fresh) },
	} {
		i, err := find()
		if err != nil {
			return "", err
		}
		if i < 0 {
			continue
		}
		old, err := t.recordOf(h[i].seq, fresh)
		if err != nil {
			return "", err
		}
		if bytes.Equal(old.Raw, r.Raw) {
			met.answers = append(met.answers, p.Answer())
		} else {
			met.answers = nil // they are of another page
		}
		return news.ChangeUnchanged, t.seen(h, i, old, met)
	}
	change, err := t.changeAt(h, place, r, fresh)
	if err != nil {
		return "", err
	}
	seq := fresh.add(r, p)
	changes.add(r, seq)
	if err := t.revisited(seq, r, met.answers); err != nil {
		return "", err
	}
	return change, t.put(bucketPosts, r.ID, slices.Insert(h, place, headRevision{seq, uint64(max(0, met.until-r.Fetched))}).encode())
}

// changeAt tells what a capture is that becomes a revision at a place.
func (t *tx) changeAt(h head, place int, r *record, fresh *revisions) (news.Change, error) {
	switch {
	case len(h) == 0:
		return news.ChangeNew, nil
	case place == 0:
		return news.ChangeRevised, nil
	}
	before, err := t.recordOf(h[place-1].seq, fresh)
	if err != nil {
		return "", err
	}
	if before.Mirror != r.Mirror {
		return news.ChangeDiffers, nil
	}
	return news.ChangeRevised, nil
}

// sameBefore returns which of the older revisions of its post a capture is the
// same as, or -1.
func (t *tx) sameBefore(older head, r *record, p *news.Captured, fresh *revisions) (int, error) {
	for i, known := range slices.Backward(older) {
		old, err := t.recordOf(known.seq, fresh)
		if err != nil {
			return -1, err
		}
		own := old.Mirror == r.Mirror && old.isFile() == r.isFile()
		if own || i == len(older)-1 {
			if is, err := t.same(&held{known.seq, old}, r, p, fresh); is || err != nil {
				return i, err
			}
		}
		if own {
			break
		}
	}
	return -1, nil
}

// sameFile returns which of the older revisions of its post a file that is
// imported is the same as, or -1.
func (t *tx) sameFile(older head, r *record, p *news.Captured, fresh *revisions) (int, error) {
	if !r.isFile() {
		return -1, nil
	}
	for i, known := range slices.Backward(older) {
		old, err := t.recordOf(known.seq, fresh)
		if err != nil {
			return -1, err
		}
		if is, err := t.same(&held{known.seq, old}, r, p, fresh); is || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// sameFrom returns which of the revisions from a place on that are little younger
// than a capture it is the same as, or -1.
func (t *tx) sameFrom(h head, place int, r *record, p *news.Captured, fresh *revisions) (int, error) {
	for i := place; i < len(h); i++ {
		old, err := t.recordOf(h[i].seq, fresh)
		if err != nil || old.Fetched-r.Fetched >= skew {
			return -1, err
		}
		if is, err := t.same(&held{h[i].seq, old}, r, p, fresh); is || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// commitSeen records that mirrors have what they had: the newest revision of the
// post that is of this mirror was met again. Of what is not held there is
// nothing to be seen again.
func (t *tx) commitSeen(seen []news.Seen) error {
	for i := range seen {
		if err := t.seeAgain(&seen[i]); err != nil {
			return fmt.Errorf("see %s again: %w", seen[i].ID, err)
		}
	}
	return nil
}

func (t *tx) seeAgain(s *news.Seen) error {
	h, err := t.resolve(s.ID)
	if err != nil {
		return err
	}
	for i, known := range slices.Backward(h) {
		r, err := t.record(known.seq)
		if err != nil {
			return err
		}
		if r.Mirror == s.Mirror && !r.isFile() {
			return t.seen(h, i, r, sighting{s.Answer.Time.UnixMilli(), []news.Revisit{s.Answer}})
		}
	}
	return nil
}

// skew is by how many milliseconds captures of two crawls that go on at a time
// may come in the wrong order.
const skew = 60_000

// held is a revision that the archive holds, or that this commit adds to it.
type held struct {
	seq    uint64
	record *record
}

// places tells how many of a post's revisions are older than what was captured
// at a time, in milliseconds since 1970, and how many are not younger.
func (t *tx) places(h head, captured int64, fresh *revisions) (older, place int, err error) {
	older = len(h)
	for place = len(h); older > 0; older-- {
		r, err := t.recordOf(h[older-1].seq, fresh)
		if err != nil || r.Fetched < captured {
			return older, place, err
		}
		if r.Fetched > captured {
			place = older - 1
		}
	}
	return older, place, nil
}

func (t *tx) recordOf(seq uint64, fresh *revisions) (*record, error) {
	if seq >= fresh.first {
		return fresh.records[seq-fresh.first], nil
	}
	return t.record(seq)
}

// same reports whether a capture has the article of a revision.
func (t *tx) same(old *held, r *record, p *news.Captured, fresh *revisions) (bool, error) {
	if old.record.told() != r.told() || old.record.Published != r.Published {
		return false, nil
	}
	if bytes.Equal(old.record.Raw, r.Raw) && old.record.Body == r.Body { // the same place in the same page
		lost, err := t.lost(old.seq, fresh)
		return !lost, err
	}
	body, err := t.bodyOf(old, fresh)
	if errors.Is(err, ErrLost) {
		return false, nil // the page has come back
	}
	if err != nil {
		return false, err
	}
	return body == p.Post.Body || t.a.text != nil && t.a.text(body) == t.a.text(p.Post.Body), nil
}

// lost reports whether a revision's page was lost to damage of the archive.
func (t *tx) lost(seq uint64, fresh *revisions) (bool, error) {
	if n, err := t.counters(); n.Lost == 0 || err != nil || seq >= fresh.first {
		return false, err
	}
	plain, err := t.value(bucketCaptures, seq)
	return len(plain) == 0, err
}

// bodyOf returns a revision's article.
func (t *tx) bodyOf(old *held, fresh *revisions) (string, error) {
	if old.seq >= fresh.first {
		return fresh.posts[old.seq-fresh.first].Post.Body, nil
	}
	c, err := t.capture(old.seq)
	if err != nil {
		return "", err
	}
	return old.record.Body.in(c.Body)
}

// answer takes a post out of the frontier, and remembers under which other
// identity its link had it, so that the link is known next time.
func (t *tx) answer(p *news.Captured) error {
	key := idKey(p.Post.ID)
	if err := t.forget(key, p.Capture.URL); err != nil {
		return err
	}
	if p.Wanted.ID == "" || p.Wanted.ID == p.Post.ID {
		return nil
	}
	alias := idKey(p.Wanted.ID)
	if err := t.forget(alias, p.Capture.URL); err != nil {
		return err
	}
	return t.put(bucketAliases, alias, key)
}

// forget takes an identity out of the frontier, the leads and the failures, now
// that its post was read at an address. What is kept apart of that address goes
// too; of another it stays for a better reader.
func (t *tx) forget(key []byte, address string) error {
	for _, bucket := range [][]byte{bucketFrontier, bucketLeads, bucketFailed} {
		if err := t.delete(bucket, key); err != nil {
			return err
		}
	}
	frame, err := t.get(bucketUnread, key)
	if frame == nil || err != nil {
		return err
	}
	if kept, err := t.apart(key, frame); err != nil || kept.Capture.URL != address {
		return err
	}
	return t.delete(bucketUnread, key)
}

// commitUnread keeps captures apart that could not be read as their posts.
func (t *tx) commitUnread(unread []news.Captured) error {
	if len(unread) == 0 {
		return nil
	}
	with, err := t.packer()
	if err != nil {
		return err
	}
	for i := range unread {
		u := &unread[i]
		key := idKey(u.Post.ID)
		head, err := t.a.codec.encodeEnvelope(key, &u.Capture, u.Wanted.Error)
		if err != nil {
			return fmt.Errorf("keep %s apart: %w", u.Capture.URL, err)
		}
		if err := t.put(bucketUnread, key, pack(with, slices.Concat(head, u.Capture.Body))); err != nil {
			return fmt.Errorf("keep %s apart: %w", u.Capture.URL, err)
		}
	}
	return nil
}

func (t *tx) counters() (counters, error) {
	var n counters
	v, err := t.get(bucketMeta, keyCounters)
	if v == nil || err != nil {
		return n, err
	}
	err = t.a.codec.decode(v, &n)
	return n, err
}

func (t *tx) putCounters(n counters) error {
	v, err := t.a.codec.encode(n)
	if err != nil {
		return err
	}
	return t.put(bucketMeta, keyCounters, v)
}
