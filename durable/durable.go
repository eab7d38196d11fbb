// Package durable holds how files and folders are made that are whole or not
// there: they are made under a name that nobody opens, forced to the disk, and
// only then get their own. It knows nothing of what is in them.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrExists: something has the name that a draft was to get.
var ErrExists = errors.New("it is there already")

// Place forces a draft folder, with all that is in it, to the disk, and then
// gives it its name, for good. Its files must be closed, after [SyncFile] of
// each. It fails with [ErrExists] where something has that name.
func (d *Draft) Place(name string) error {
	if err := syncTree(d.Path); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := CheckFree(name); err != nil {
		return err
	}
	if err := os.Rename(d.Path, name); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = ErrExists
		}
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncName(filepath.Dir(name))
}

// PlaceFile is as [Draft.Place], for one file of a draft folder; the rest of the
// folder is not kept. Where the file system knows no links, what gets that name at
// the same instant is replaced.
func (d *Draft) PlaceFile(file, name string) error {
	if err := syncTree(d.Path); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Link(file, name); err != nil {
		if err := CheckFree(name); err != nil {
			return err
		}
		if err := os.Rename(file, name); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return syncName(filepath.Dir(name))
}

// CheckFree fails with [ErrExists] where something has a name.
func CheckFree(name string) error {
	_, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil:
		err = ErrExists
	}
	return fmt.Errorf("write %s: %w", name, withoutPath(err))
}

// syncTree forces a folder and what is in it to the disk.
func syncTree(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(SyncFolder(d), d.Close()); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return syncName(path)
	})
}

// syncName makes the names in a folder durable. Not every system lets a folder be
// synced; where it does not, they are as durable as the system makes them.
func syncName(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}
