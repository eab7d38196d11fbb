package archive

import (
	"bytes"
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
	target, err := a.checkTarget(to, replace)
	if err != nil {
		return Copied{}, err
	}
	c, err := a.backup(ctx, target, replace)
	c.File = to
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
	info, err := os.Stat(r.Path)
	if err != nil {
		return c, err
	}
	r.copied.After = info.Size()
	if _, err := a.checkTarget(to, replace); err != nil { // what came there meanwhile
		return c, err
	}
	if err := name(r.Path, to, replace); err != nil {
		return c, err
	}
	return r.copied, syncDir(filepath.Dir(to))
}

// checkTarget tells whether a backup may be written to a path, before anything
// is done, and returns the file that it leads to: a link stays, and where it
// leads the backup is written. Only an archive is replaced, damaged or not, or a
// file that holds nothing.
func (a *Archive) checkTarget(to string, replace bool) (target string, err error) {
	own, err := os.Stat(a.path)
	if err != nil {
		return "", fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
	}
	target, err = filepath.EvalSymlinks(to)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(to); err == nil {
			return "", fmt.Errorf("back up to %s: %w: a link that leads nowhere", to, ErrTarget)
		}
		return to, nil
	}
	if err != nil {
		return "", fmt.Errorf("back up to %s: %w", to, withoutPath(err))
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
		return "", fmt.Errorf("back up to %s: %w", to, withoutPath(err))
	case os.SameFile(own, info):
		return "", fmt.Errorf("back up to %s: %w: the archive itself", to, ErrTarget)
	case info.IsDir():
		return "", fmt.Errorf("back up to %s: %w: a folder", to, ErrTarget)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("back up to %s: %w: no regular file", to, ErrTarget)
	}
	if is, err := wasArchive(target, info.Size()); err != nil {
		return "", fmt.Errorf("back up to %s: %w", to, withoutPath(err))
	} else if !is && info.Size() > 0 {
		return "", fmt.Errorf("back up to %s: %w: a file that is no finarc archive", to, ErrTarget)
	}
	if !replace {
		return "", fmt.Errorf("back up to %s: %w", to, ErrExists)
	}
	return target, nil
}

// wasPages bounds how many pages are looked at to tell whether a file was an
// archive: 256 MiB.
const wasPages = 1 << 16

// wasArchive reports whether a file is an archive of whatever format, or was one
// before damage: a page of it names the bucket that every archive has. Where the
// way to that page is damaged, the beginning of the file is gone through.
func wasArchive(path string, size int64) (is bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close() // it was only read
	p := newPager(f, size, func(uint64, string) {})
	names := func(id uint64) bool {
		p.leaf(int64(id)*p.pageSize, func(e element) {
			is = is || e.flags&flagBucket != 0 && bytes.Equal(e.key, bucketMeta)
		})
		return is
	}
	if p.root != 0 && names(p.root) {
		return true, nil
	}
	for id := uint64(2); int64(id)*p.pageSize < size && id < wasPages; id++ {
		if names(id) {
			return true, nil
		}
	}
	return false, nil
}
