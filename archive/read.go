package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"

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
	if !withBody {
		return rev, nil
	}
	return rev, t.fillBody(&rev, r)
}

// fillBody reads from the revision's capture what is not in its record: body,
// foot, and the SHA-256 of the page.
func (t *tx) fillBody(rev *news.Revision, r *record) error {
	c, err := t.capture(rev.Seq)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(c.Body)
	if !bytes.Equal(sum[:digestSize], r.Raw) {
		return fmt.Errorf("%w: capture %d is not the one that its record names", ErrCorrupt, rev.Seq)
	}
	rev.SHA256 = hex.EncodeToString(sum[:])
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
	if alias := t.get(bucketAliases, idKey(id)); alias != nil {
		return t.head(idOf(alias))
	}
	return nil, nil
}

// Post returns the newest revision of a post, with its body. It fails with
// [ErrNoPost] where the archive does not hold the post.
func (a *Archive) Post(ctx context.Context, id news.ID) (news.Revision, error) {
	var rev news.Revision
	err := a.view(ctx, func(t *tx) error {
		h, err := t.resolve(id)
		if err != nil {
			return err
		}
		if len(h) == 0 {
			return fmt.Errorf("%s: %w", id, ErrNoPost)
		}
		r, err := t.record(h.last().seq)
		if err != nil {
			return err
		}
		rev, err = t.revision(h, len(h)-1, r, true)
		return err
	})
	return rev, err
}

// Capture returns the raw capture of a revision, named by its place in the
// change sequence.
func (a *Archive) Capture(ctx context.Context, seq uint64) (*news.Capture, error) {
	var c *news.Capture
	err := a.view(ctx, func(t *tx) (err error) {
		c, err = t.capture(seq)
		return err
	})
	return c, err
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
		frame := t.get(bucketUnread, idKey(id))
		if frame == nil {
			return fmt.Errorf("%s: %w", id, ErrNoPost)
		}
		plain, err := a.codec.unpack(frame)
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

// Stats counts what the archive holds. Posts, revisions and bytes come from
// counters; the rest from bbolt's pages.
func (a *Archive) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := a.view(ctx, func(t *tx) error {
		n, err := t.counters()
		if err != nil {
			return err
		}
		s = Stats{Posts: n.Posts, Revisions: n.Revisions, RawBytes: n.Raw}
		if s.First, s.Last, err = t.span(); err != nil {
			return err
		}
		s.Buckets = make(map[string]Usage)
		for _, name := range buckets() {
			b := t.Bucket(name).Stats()
			s.Buckets[string(name)] = Usage{Keys: b.KeyN, Bytes: int64(b.BranchAlloc + b.LeafAlloc)}
			if bytes.Equal(name, bucketCaptures) {
				s.PackedSize = int64(b.LeafInuse)
			}
		}
		_, d := t.Bucket(bucketDicts).Cursor().Last()
		s.Dictionary = len(d)
		return nil
	})
	if err != nil {
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
func (t *tx) span() (first, last news.Day, err error) {
	c := t.Bucket(bucketTimes).Cursor()
	oldest, early := c.First()
	newest, late := c.Last()
	if first, err = dayOf(oldest, early, true); err != nil {
		return 0, 0, err
	}
	last, err = dayOf(newest, late, false)
	return first, last, err
}

// dayOf returns the day of the first or last of an hour's entries.
func dayOf(key, value []byte, first bool) (news.Day, error) {
	entries, err := decodeEntries(value)
	if err != nil || len(key) != chunkSize || len(entries) == 0 {
		return 0, err
	}
	e := entries[len(entries)-1]
	if first {
		e = entries[0]
	}
	seconds := uint64(binary.BigEndian.Uint32(key))*hour + e.offset()
	if seconds == 0 {
		return 0, nil
	}
	return news.DayOf(unix(int64(seconds))), nil
}
