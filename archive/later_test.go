package archive

import (
	"context"
	"fmt"

	"github.com/finarc/finarc/news"
)

// Revisions stands in for the method that the archive is to have, so that the
// conformance suite and the simulation can look at every revision. Delete this
// file when it has.
func (a *Archive) Revisions(ctx context.Context, id news.ID) ([]news.Revision, error) {
	var list []news.Revision
	err := a.view(ctx, func(t *tx) error {
		list = nil
		h, err := t.resolve(id)
		if err != nil {
			return err
		}
		if len(h) == 0 {
			return fmt.Errorf("%s: %w", id, ErrNoPost)
		}
		for i := range h {
			r, err := t.record(h[i].seq)
			if err != nil {
				return err
			}
			rev, err := t.revision(h, i, r, true)
			if err != nil {
				return err
			}
			list = append(list, rev)
		}
		return nil
	})
	return list, err
}
