package archive

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// check verifies a copy of an archive, and that it has as many posts and
// revisions as were copied.
func check(ctx context.Context, path string, want Copied) error {
	report, err := Verify(ctx, path, nil)
	if err != nil {
		return err
	}
	if !report.Clean() {
		first := report.Findings[0]
		return fmt.Errorf("%w: %s: %s (and %d more)", ErrCorrupt, first.Where, first.Why, report.Damaged()-1)
	}
	if report.Posts != want.Posts || report.Revisions != want.Revisions {
		return fmt.Errorf("%w: %d posts and %d revisions, of %d and %d", ErrCorrupt, report.Posts, report.Revisions, want.Posts, want.Revisions)
	}
	return nil
}

// checkFresh unpacks the blocks of a copy that were written since it was checked,
// wherever they stand: a reread replaces old ones.
func (r *replica) checkFresh() error {
	if len(r.fresh) == 0 {
		return nil
	}
	c, err := newCodec()
	if err != nil {
		return err
	}
	return r.db.View(func(btx *bolt.Tx) error {
		t := newTx(&Archive{codec: c}, btx)
		for _, p := range r.fresh {
			frame := t.Bucket(p.bucket).Get(p.key)
			if frame == nil {
				continue // it was taken away again
			}
			if _, err := t.unpackBlock(frame); err != nil {
				return fmt.Errorf("%s %x: %w", p.bucket, p.key, err)
			}
		}
		r.fresh = nil
		return nil
	})
}
