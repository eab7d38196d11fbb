package archive

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// draft is a file in the making, under a name that nobody opens, beside where it
// is to be in the end. A process that is killed leaves it behind; the next one
// that makes one there removes it.
type draft struct {
	path  string
	file  *os.File // as it was made: open, and empty
	guard *os.File // see guardDraft
}

// newDraft makes an empty file in a folder, after removing what was left behind
// there. It must be discarded in the end.
func newDraft(dir, prefix string, mode os.FileMode) (*draft, error) {
	if err := removeLeftovers(dir, prefix); err != nil {
		return nil, err
	}
	guard, err := guardDraft(dir, prefix)
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, withoutPath(err))
	}
	d := &draft{path: strings.TrimSuffix(guard.Name(), guardSuffix), guard: guard}
	if d.file, err = os.OpenFile(d.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode); err != nil {
		return nil, errors.Join(fmt.Errorf("folder %s: %w", dir, withoutPath(err)), d.unguard())
	}
	return d, nil
}

// discard removes the draft, unless it has got another name by now.
func (d *draft) discard() error { return errors.Join(removeIfThere(d.path), d.unguard()) }

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
		free, err := tryLock(f)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return f, nil
		case err != nil:
			return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
		case free && stillNamed(f.Name(), f) == nil:
			return f, nil
		}
		// Another took it for a leftover before it was locked.
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

// unguard ends what guardDraft began, after the draft is gone.
func (d *draft) unguard() error {
	if d.guard == nil {
		return nil
	}
	err := errors.Join(d.guard.Close(), removeIfThere(d.guard.Name())) // not every system removes a file that is open
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
	free, err := tryLock(f)
	if err != nil || !free {
		return f.Close()
	}
	if made != guard {
		err = removeIfThere(made)
	}
	// While it is locked, so that nobody takes it for theirs; and once more where
	// a file that is open is not removed.
	early := os.Remove(guard)
	err = errors.Join(err, f.Close())
	if early != nil {
		err = errors.Join(err, removeIfThere(guard))
	}
	if errors.Is(err, os.ErrPermission) {
		return nil
	}
	return err
}

// removeIfThere removes a file, which may be gone already.
func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
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
