package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Compact writes the archive anew, dense, and puts the new file in place of the
// old one by one renaming, when it was written, checked and forced to the disk.
// Others may read and write meanwhile, but for the last look, in which the new
// file takes in what was written since it was checked and gets the old one's
// name. Killed at any moment, the archive is the old file or the new one, whole.
func (a *Archive) Compact(ctx context.Context) (Copied, error) {
	if !replaceable {
		return Copied{}, fmt.Errorf("compact %s: %w: this system does not let a file be replaced that is open; "+
			"make a backup, which is as dense, and put it in the archive's place while nothing uses either", a.path, errors.ErrUnsupported)
	}
	c, err := a.compact(ctx)
	if err != nil {
		return Copied{}, fmt.Errorf("compact %s: %w", a.path, err)
	}
	return c, nil
}

func (a *Archive) compact(ctx context.Context) (c Copied, err error) {
	// The file itself is replaced, not a link to it.
	target, err := filepath.EvalSymlinks(a.path)
	if err != nil {
		return c, withoutPath(err)
	}
	// One that may not be written may not be replaced either.
	if err := a.alone(ctx, func(*tx) error { return nil }); err != nil {
		return c, err
	}
	r, err := a.checkedCopy(ctx, ".finarc-compact-", target)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, r.discard()) }()
	if err := r.open(); err != nil {
		return c, err
	}
	err = r.settled(ctx, a.alone, func(*tx) error { return r.replace(target) })
	if err != nil {
		return c, err
	}
	return r.copied, nil
}

// replace puts the copy in place of the archive, which must be held until the
// new name is on the disk: whoever writes next writes into the new file. What
// was written since the copy was checked is checked before.
func (r *replica) replace(target string) error {
	if err := r.checkFresh(); err != nil {
		return err
	}
	if err := r.unwritten(r.db.Sync()); err != nil {
		return err
	}
	info, err := os.Stat(r.Path)
	if err != nil {
		return err
	}
	r.copied.File, r.copied.After = r.from.path, info.Size()
	if err := os.Rename(r.Path, target); err != nil {
		return err
	}
	return syncDir(filepath.Dir(target))
}
