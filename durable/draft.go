package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Draft is a file or folder in the making, under a name that nobody opens, beside
// where it is to be in the end. A process that is killed leaves it behind; the
// next one that makes one there removes it.
type Draft struct {
	Path  string
	File  *os.File // as it was made: open, and empty; nil of a folder
	guard *os.File // see guardDraft
}

// NewFile makes an empty file in a folder, after removing what was left behind
// there of drafts with the prefix. It must be discarded in the end.
func NewFile(dir, prefix string, mode os.FileMode) (*Draft, error) {
	return newDraft(dir, prefix, func(d *Draft) (err error) {
		d.File, err = os.OpenFile(d.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		return err
	})
}

// NewFolder is as [NewFile], for an empty folder.
func NewFolder(dir, prefix string) (*Draft, error) {
	return newDraft(dir, prefix, func(d *Draft) error { return os.Mkdir(d.Path, 0o755) })
}

func newDraft(dir, prefix string, make func(*Draft) error) (*Draft, error) {
	if err := removeLeftovers(dir, prefix); err != nil {
		return nil, err
	}
	guard, err := guardDraft(dir, prefix)
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, withoutPath(err))
	}
	d := &Draft{Path: strings.TrimSuffix(guard.Name(), guardSuffix), guard: guard}
	if err := make(d); err != nil {
		return nil, errors.Join(fmt.Errorf("folder %s: %w", dir, withoutPath(err)), d.unguard())
	}
	return d, nil
}

// Discard removes the draft, unless it has got another name by now.
func (d *Draft) Discard() error { return errors.Join(os.RemoveAll(d.Path), d.unguard()) }

// guardSuffix ends the name of the file that guards a draft: a file beside it
// that is locked for as long as the draft is in the making, since the draft
// itself is closed now and then.
const guardSuffix = ".guard"

// guardDraft makes a guard, before there is the draft. Where the system has no
// such locks it guards nothing, and nothing is removed.
func guardDraft(dir, prefix string) (*os.File, error) {
	for {
		f, err := os.CreateTemp(dir, prefix+"*"+guardSuffix)
		if err != nil {
			return nil, err
		}
		free, err := TryLock(f)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return f, nil
		case err != nil:
			return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
		case free && stillNamed(f):
			return f, nil
		}
		// Another took it for a leftover before it was locked.
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

// unguard ends what guardDraft began, after the draft is gone.
func (d *Draft) unguard() error {
	if d.guard == nil {
		return nil
	}
	err := errors.Join(d.guard.Close(), os.RemoveAll(d.guard.Name())) // not every system removes a file that is open
	d.guard = nil
	return err
}

// removeLeftovers removes the drafts of a prefix, with their guards, that no
// process is making any more.
func removeLeftovers(dir, prefix string) error {
	left, err := filepath.Glob(filepath.Join(escapeGlob(dir), prefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if made, is := strings.CutSuffix(path, guardSuffix); is {
			err = removeLeftover(path, made)
		} else if _, guarded := os.Lstat(path + guardSuffix); errors.Is(guarded, os.ErrNotExist) {
			err = removeLeftover(path, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// removeLeftover removes a draft and what guards it, unless that is locked. What
// may not be opened, or not removed, is another user's.
func removeLeftover(guard, made string) error {
	f, err := os.Open(guard)
	if err != nil {
		return nil
	}
	free, err := TryLock(f)
	if err != nil || !free {
		return f.Close()
	}
	if made != guard {
		err = os.RemoveAll(made)
	}
	// While it is locked, so that nobody takes it for theirs; and once more where
	// a file that is open is not removed.
	early := os.RemoveAll(guard)
	err = errors.Join(err, f.Close())
	if early != nil {
		err = errors.Join(err, os.RemoveAll(guard))
	}
	if errors.Is(err, os.ErrPermission) {
		return nil
	}
	return err
}

// escapeGlob returns the pattern that matches a folder's name only.
func escapeGlob(dir string) string {
	var b []byte
	for _, c := range []byte(dir) {
		if bytes.IndexByte([]byte(`*?[`), c) >= 0 {
			b = append(b, '[', c, ']')
			continue
		}
		b = append(b, c)
	}
	return string(b)
}

// stillNamed reports whether an open file has its name still.
func stillNamed(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(opened, named)
}

// withoutPath returns what is wrong with a file, without operation and path,
// for a message that names them already.
func withoutPath(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		return p.Err
	}
	return err
}
