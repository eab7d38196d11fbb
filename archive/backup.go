package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What can be in the way of a backup.
var (
	// ErrExists: there is a file already, which may be replaced.
	ErrExists = errors.New("there is a file already")
	// ErrTarget: there is something that a backup never replaces.
	ErrTarget = errors.New("no place for a backup")
)

// Backup writes the archive, as it stands at one moment, to a file that must
// not exist, or, if replace is set, in place of the one that is there. Others
// may read and write meanwhile. The file gets its name only when it was written,
// checked and forced to the disk, so that it is whole or not there.
func (a *Archive) Backup(ctx context.Context, to string, replace bool) (Copied, error) {
	if err := a.checkTarget(to, replace); err != nil {
		return Copied{}, err
	}
	c, err := a.backup(ctx, to, replace)
	if err != nil {
		return Copied{}, fmt.Errorf("back %s up to %s: %w", a.path, to, err)
	}
	return c, nil
}

func (a *Archive) backup(ctx context.Context, to string, replace bool) (c Copied, err error) {
	r, err := a.checkedCopy(ctx, ".finarc-backup-", to)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, r.discard()) }()
	info, err := os.Stat(r.path)
	if err != nil {
		return c, err
	}
	r.copied.File, r.copied.After = to, info.Size()
	if err := name(r.path, to, replace); err != nil {
		return c, err
	}
	return r.copied, syncDir(filepath.Dir(to))
}

// checkTarget tells whether a backup may be written to a path, before anything
// is done.
func (a *Archive) checkTarget(to string, replace bool) error {
	own, err := os.Stat(a.path)
	if err != nil {
		return fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
	}
	info, err := os.Stat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("back up to %s: %w", to, withoutPath(err))
	case os.SameFile(own, info):
		return fmt.Errorf("back up to %s: %w: the archive itself", to, ErrTarget)
	case info.IsDir():
		return fmt.Errorf("back up to %s: %w: a folder", to, ErrTarget)
	case !info.Mode().IsRegular():
		return fmt.Errorf("back up to %s: %w: no regular file", to, ErrTarget)
	case !replace:
		return fmt.Errorf("back up to %s: %w", to, ErrExists)
	}
	return nil
}
