package archive

import (
	"bytes"
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// check checks a copy of an archive: that bbolt's pages are whole, every value
// unpacks or has its checksum, every capture is the one that its record names,
// and the numbers of posts, revisions and bytes are those that the archive
// counted.
func check(ctx context.Context, path string, want Copied) error {
	a, err := handle(path)
	if err != nil {
		return err
	}
	return a.view(ctx, func(t *tx) error {
		for _, step := range []func(context.Context) error{
			t.checkPages, t.checkSeals, t.checkRevisions, t.checkUnread, t.checkPosts,
		} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		n, err := t.counters()
		if err != nil {
			return err
		}
		if n.Posts != want.Posts || n.Revisions != want.Revisions {
			return fmt.Errorf("%w: it counts %d posts and %d revisions, and the archive %d and %d", ErrCorrupt, n.Posts, n.Revisions, want.Posts, want.Revisions)
		}
		return nil
	})
}

// checkPages lets bbolt check that every page is used once or free.
func (t *tx) checkPages(context.Context) error {
	var first error
	for err := range t.Check() {
		if first == nil {
			first = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	return first
}

// checkSeals reads every value that has a checksum, and the lists of entries: by
// time, each revision stands in one of them.
func (t *tx) checkSeals(ctx context.Context) error {
	n, err := t.counters()
	if err != nil {
		return err
	}
	times := int64(0)
	for _, bucket := range buckets()[1:] { // the first one's are read by name, and that of the format has none
		err := t.each(bucket, func(k, v []byte) error {
			switch string(bucket) {
			case string(bucketTimes), string(bucketPostings):
				entries, err := decodeEntries(v)
				if err != nil {
					return fmt.Errorf("%s %x: %w", bucket, k, err)
				}
				if bytes.Equal(bucket, bucketTimes) {
					times += int64(len(entries))
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	if times != n.Revisions {
		return fmt.Errorf("%w: %d revisions stand in the order of time, and %d are counted", ErrCorrupt, times, n.Revisions)
	}
	return nil
}

// checkRevisions unpacks every block and compares captures with records.
func (t *tx) checkRevisions(ctx context.Context) error {
	n, err := t.counters()
	if err != nil {
		return err
	}
	last := t.Bucket(bucketRevisions).Sequence()
	if int64(last) != n.Revisions {
		return fmt.Errorf("%w: %d revisions are numbered, and %d counted", ErrCorrupt, last, n.Revisions)
	}
	raw := int64(0)
	for seq := uint64(1); seq <= last; seq++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		size, err := t.checkRevision(seq)
		if err != nil {
			return err
		}
		raw += size
	}
	if raw != n.Raw {
		return fmt.Errorf("%w: the captures have %d bytes, and %d are counted", ErrCorrupt, raw, n.Raw)
	}
	return nil
}

// checkRevision returns the size of a revision's capture, in bytes.
func (t *tx) checkRevision(seq uint64) (int64, error) {
	r, err := t.record(seq)
	if err != nil {
		return 0, err
	}
	c, err := t.capture(seq)
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(rawDigest(c.Body), r.Raw) {
		return 0, fmt.Errorf("%w: capture %d is not the one that its record names", ErrCorrupt, seq)
	}
	return int64(len(c.Body)), nil
}

func (t *tx) checkUnread(ctx context.Context) error {
	return t.each(bucketUnread, func(k, v []byte) error {
		plain, err := t.unpack(v)
		if err != nil {
			return fmt.Errorf("%s %x: %w", bucketUnread, k, err)
		}
		if _, _, err := t.a.codec.decodeCapture(plain); err != nil {
			return fmt.Errorf("%s %x: %w", bucketUnread, k, err)
		}
		return ctx.Err()
	})
}

// checkPosts counts posts and their revisions.
func (t *tx) checkPosts(ctx context.Context) error {
	n, err := t.counters()
	if err != nil {
		return err
	}
	var posts, revisions int64
	err = t.each(bucketPosts, func(k, v []byte) error {
		h, err := decodeHead(v)
		if err != nil {
			return fmt.Errorf("post %s: %w", idOf(k), err)
		}
		posts, revisions = posts+1, revisions+int64(len(h))
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if posts != n.Posts || revisions != n.Revisions {
		return fmt.Errorf("%w: there are %d posts with %d revisions, and %d with %d are counted", ErrCorrupt, posts, revisions, n.Posts, n.Revisions)
	}
	return nil
}

// checkNewest unpacks the blocks of a copy that were written since it was
// checked.
func (r *replica) checkNewest(since map[string][]byte) error {
	c, err := newCodec()
	if err != nil {
		return err
	}
	return r.db.View(func(btx *bolt.Tx) error {
		t := &tx{Tx: btx, a: &Archive{codec: c}}
		for name, from := range since {
			cursor := t.Bucket([]byte(name)).Cursor()
			for k, frame := cursor.Seek(from); k != nil; k, frame = cursor.Next() {
				plain, err := t.unpack(frame)
				if err == nil {
					_, err = decodeBlock(plain)
				}
				if err != nil {
					return fmt.Errorf("%s %x: %w", name, k, err)
				}
			}
		}
		return nil
	})
}
