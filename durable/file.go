package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotFile: something other than a file has the name that a file was to get.
var ErrNotFile = errors.New("there is something else than a file")

// filePrefix begins the names of files in the making.
const filePrefix = ".finarc-file-"

// fileBuffer is how much is written to a file at once, in bytes.
const fileBuffer = 64 << 10

// WriteFile gives a file what write writes, and returns its size. The file gets its
// name when all of it is on the disk, in place of a file that has the name: whoever
// opens it finds the one or the other, whole. After an error nothing is left, and
// a file that was there is as it was. Folders that lack are made.
func WriteFile(name string, write func(io.Writer) error) (size int64, err error) {
	if err := checkFile(name); err != nil {
		return 0, err
	}
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, fmt.Errorf("make folder: %w", err)
	}
	draft, err := NewFile(dir, filePrefix, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, draft.Discard()) }()
	if size, err = fill(draft.File, write); err != nil {
		return 0, fmt.Errorf("write %s: %w", name, withoutPath(err))
	}
	return size, draft.replace(name)
}

// fill writes an open file, forces it to the disk and closes it.
func fill(f *os.File, write func(io.Writer) error) (size int64, err error) {
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, fileBuffer)
	if err := write(out); err != nil {
		return 0, err
	}
	if err := errors.Join(out.Flush(), f.Sync()); err != nil {
		return 0, err
	}
	return f.Seek(0, io.SeekEnd)
}

// replace gives a draft, which is on the disk, its name.
func (d *Draft) replace(name string) error {
	if err := checkFile(name); err != nil {
		return err
	}
	if err := os.Rename(d.Path, name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncName(filepath.Dir(name))
}

// checkFile fails with [ErrNotFile] where something has a name that is no file: a
// folder, a device, a link.
func checkFile(name string) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular():
		return nil
	case err == nil:
		err = ErrNotFile
	}
	return fmt.Errorf("write %s: %w", name, withoutPath(err))
}
