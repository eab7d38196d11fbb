package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// revision returns revision i of a post, given its record.
func (t *tx) revision(h head, i int, r *record, withBody bool) (news.Revision, error) {
	rev := r.revision(h[i].seq)
	rev.Number = i + 1
	rev.LastSeen = fromMillis(r.Fetched + int64(h[i].lasted))
	rev.FirstSeen = rev.Fetched
	if i > 0 {
		first, err := t.record(h[0].seq)
		if err != nil {
			return news.Revision{}, err
		}
		rev.FirstSeen = fromMillis(first.Fetched)
	}
	var err error
	if rev.Story, err = t.storyID(h); err != nil || !withBody {
		return rev, err
	}
	return rev, t.fillBody(&rev, r)
}

// fillBody reads from the revision's capture what is not in its record: body,
// foot, and the SHA-256 of the page. Where the page was lost it says so.
func (t *tx) fillBody(rev *news.Revision, r *record) error {
	c, err := t.capture(rev.Seq)
	switch {
	case errors.Is(err, ErrLost):
		rev.Lost = true
		return nil
	case err != nil:
		return err
	}
	sum := sha256.Sum256(c.Body)
	if !bytes.Equal(sum[:digestSize], r.Raw) {
		return fmt.Errorf("%w: capture %d is not the one that its record names", ErrCorrupt, rev.Seq)
	}
	rev.SHA256 = hex.EncodeToString(sum[:])
	if c.Kind == news.KindJekyll {
		rev.File = bytes.Clone(c.Body)
	}
	if rev.Body, err = r.Body.in(c.Body); err != nil {
		return fmt.Errorf("body of revision %d: %w", rev.Seq, err)
	}
	if rev.Foot, err = r.Foot.in(c.Body); err != nil {
		return fmt.Errorf("foot of revision %d: %w", rev.Seq, err)
	}
	return nil
}

// resolve returns the revisions of a post, following an alias.
func (t *tx) resolve(id news.ID) (head, error) {
	h, err := t.head(id)
	if err != nil || len(h) > 0 {
		return h, err
	}
	alias, err := t.get(bucketAliases, idKey(id))
	if alias == nil || err != nil {
		return nil, err
	}
	return t.head(idOf(alias))
}

// Post returns the newest revision of a post, with its body. It fails with
// [ErrNoPost] where the archive does not hold the post.
func (a *Archive) Post(ctx context.Context, id news.ID) (news.Revision, error) {
	revs, err := a.revisions(ctx, id, func(h head) head { return h[len(h)-1:] })
	if err != nil {
		return news.Revision{}, err
	}
	return revs[0], nil
}

// Briefly returns the newest revisions of some posts, without their bodies, as of
// one moment and in the given order. Those that the archive does not hold are left
// out.
func (a *Archive) Briefly(ctx context.Context, ids []news.ID) ([]news.Revision, error) {
	var revs []news.Revision
	err := a.view(ctx, func(t *tx) error {
		revs = nil
		for _, id := range ids {
			h, err := t.resolve(id)
			if err != nil {
				return err
			}
			if len(h) == 0 {
				continue
			}
			i := len(h) - 1
			r, err := t.record(h[i].seq)
			if err != nil {
				return err
			}
			rev, err := t.revision(h, i, r, false)
			if err != nil {
				return err
			}
			revs = append(revs, rev)
		}
		return nil
	})
	return revs, err
}

// Revisions returns all revisions of a post, with their bodies, in the order in
// which they were captured. It fails with [ErrNoPost] where the archive does
// not hold the post.
func (a *Archive) Revisions(ctx context.Context, id news.ID) ([]news.Revision, error) {
	return a.revisions(ctx, id, func(h head) head { return h })
}

// revisions returns those revisions of a post that are chosen, the last ones of
// it.
func (a *Archive) revisions(ctx context.Context, id news.ID, choose func(head) head) ([]news.Revision, error) {
	var revs []news.Revision
	err := a.view(ctx, func(t *tx) error {
		revs = nil
		h, err := t.resolve(id)
		if err != nil {
			return err
		}
		if len(h) == 0 {
			return fmt.Errorf("%s: %w", id, ErrNoPost)
		}
		for i := len(h) - len(choose(h)); i < len(h); i++ {
			r, err := t.record(h[i].seq)
			if err != nil {
				return err
			}
			rev, err := t.revision(h, i, r, true)
			if err != nil {
				return err
			}
			revs = append(revs, rev)
		}
		return nil
	})
	return revs, err
}

// Capture returns the raw capture of a revision, named by its place in the
// change sequence, or [ErrNoPost] where the sequence has not come so far.
func (a *Archive) Capture(ctx context.Context, seq uint64) (*news.Capture, error) {
	var c *news.Capture
	err := a.view(ctx, func(t *tx) (err error) {
		if seq == 0 || seq > t.Bucket(bucketRevisions).Sequence() {
			return fmt.Errorf("change %d: %w", seq, ErrNoPost)
		}
		c, err = t.capture(seq)
		return err
	})
	return c, err
}

// CaptureAt returns the newest capture of a post on a mirror that was there by a
// moment, and until when its content was seen. It is nil where there is none, and
// where it was lost. Files that were imported do not count.
func (a *Archive) CaptureAt(ctx context.Context, id news.ID, mirror string, by time.Time) (c *news.Capture, seen time.Time, err error) {
	err = a.view(ctx, func(t *tx) error {
		c = nil
		h, err := t.resolve(id)
		if err != nil {
			return err
		}
		for _, known := range slices.Backward(h) {
			r, err := t.record(known.seq)
			if err != nil {
				return err
			}
			if r.Mirror != mirror || r.isFile() || r.Fetched > by.UnixMilli() {
				continue
			}
			seen = fromMillis(r.Fetched + int64(known.lasted))
			if c, err = t.capture(known.seq); errors.Is(err, ErrLost) {
				return nil
			}
			return err
		}
		return nil
	})
	return c, seen, err
}

// Apart is a capture that is kept though it could not be read as the post that
// was asked for.
type Apart struct {
	ID      news.ID
	Why     string
	Capture *news.Capture
}

// Unread returns the capture that is kept apart for a post, or [ErrNoPost].
func (a *Archive) Unread(ctx context.Context, id news.ID) (Apart, error) {
	apart := Apart{ID: id}
	err := a.view(ctx, func(t *tx) error {
		frame, err := t.get(bucketUnread, idKey(id))
		if err != nil {
			return err
		}
		if frame == nil {
			return fmt.Errorf("%s: %w", id, ErrNoPost)
		}
		plain, err := t.unpack(frame)
		if err != nil {
			return err
		}
		e, c, err := a.codec.decodeCapture(plain)
		apart.Why, apart.Capture = e.Why, c
		return err
	})
	return apart, err
}

// Stats says how much the archive holds.
type Stats struct {
	// AsOf is the moment that posts, revisions and days are told of; zero: now.
	// All else is as it is now.
	AsOf       time.Time        `json:"as_of,omitzero"`
	Posts      int64            `json:"posts"`
	Revisions  int64            `json:"revisions"`
	First      news.Day         `json:"first_day"` // the day of the oldest post
	Last       news.Day         `json:"last_day"`
	Frontier   int              `json:"frontier"` // posts still to be fetched
	Leads      int              `json:"leads"`    // related posts that are not held
	Failed     int              `json:"failed"`   // posts that could not be had
	Unread     int              `json:"unread"`   // captures kept apart
	Lists      int              `json:"lists"`    // list pages known
	Runs       int              `json:"runs"`
	RawBytes   int64            `json:"raw_bytes"`    // of all captures' bodies, as served
	PackedSize int64            `json:"packed_bytes"` // of the same in the archive, headers included
	FileBytes  int64            `json:"file_bytes"`   // of the whole file
	Dictionary int              `json:"dictionary_bytes"`
	Buckets    map[string]Usage `json:"buckets"`
}

// Usage says what a bucket takes.
type Usage struct {
	Keys  int   `json:"keys"`
	Bytes int64 `json:"bytes"` // of its pages, unused room included
}

// Stats counts what the archive holds, or what it held at a moment; zero: now.
// Posts, revisions and bytes come from counters, the rest from the file's pages;
// those of an earlier moment are counted one by one.
func (a *Archive) Stats(ctx context.Context, asOf time.Time) (Stats, error) {
	s, err := a.statsNow(ctx)
	if err != nil || asOf.IsZero() {
		return s, err
	}
	s.AsOf, s.Posts, s.Revisions, s.First, s.Last = asOf, 0, 0, 0, 0
	for rev, err := range a.Select(ctx, Selection{AsOf: asOf}) {
		if err != nil {
			return Stats{}, err
		}
		s.Posts++
		s.Revisions += int64(rev.Number)
		day := rev.PlaceDay()
		if s.Last == 0 {
			s.Last = day
		}
		s.First = day
	}
	return s, nil
}

func (a *Archive) statsNow(ctx context.Context) (Stats, error) {
	var s Stats
	err := a.view(ctx, func(t *tx) error {
		n, err := t.counters()
		if err != nil {
			return err
		}
		s = Stats{Posts: n.Posts, Revisions: n.Revisions, RawBytes: n.Raw}
		s.Buckets = make(map[string]Usage)
		for _, name := range buckets() {
			if !t.hasBucket(name) {
				s.Buckets[string(name)] = Usage{}
				continue
			}
			usage, inuse := t.Bucket(name).tree.usage()
			s.Buckets[string(name)] = usage
			if bytes.Equal(name, bucketCaptures) {
				s.PackedSize = inuse
			}
		}
		_, d := t.Bucket(bucketDicts).Cursor().Last()
		s.Dictionary = len(d)
		return nil
	})
	if err != nil {
		return Stats{}, err
	}
	if s.First, s.Last, err = a.span(ctx); err != nil {
		return Stats{}, err
	}
	for name, to := range map[string]*int{
		string(bucketFrontier): &s.Frontier, string(bucketLeads): &s.Leads, string(bucketFailed): &s.Failed,
		string(bucketUnread): &s.Unread, string(bucketLists): &s.Lists, string(bucketRuns): &s.Runs,
	} {
		*to = s.Buckets[name].Keys
	}
	info, err := os.Stat(a.path)
	if err != nil {
		return Stats{}, fmt.Errorf("size of archive: %w", err)
	}
	s.FileBytes = info.Size()
	return s, nil
}

// span returns the days of the oldest and of the newest post.
func (a *Archive) span(ctx context.Context) (first, last news.Day, err error) {
	for day, oldest := range map[*news.Day]bool{&first: true, &last: false} {
		for rev, err := range a.Select(ctx, Selection{Limit: 1, Oldest: oldest}) {
			if err != nil {
				return 0, 0, err
			}
			*day = rev.PlaceDay()
		}
	}
	return first, last, nil
}
