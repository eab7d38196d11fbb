package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Folder is a place for whole files. No name and no symbolic link leads out of the
// directory under which it was opened. Only one may be open of a directory at a
// time. It must be closed in the end.
//
// Files are written under temporary names first. When a number of them are,
// all are forced to the disk at once, and then given their names: neither a
// killed process nor a power cut leaves half a file, and one wait for the disk
// serves many files.
type Folder struct {
	root    *os.Root
	path    string         // for errors
	staged  map[string]int // the names of files that stand under temporary names, and their numbers
	size    int            // of these files
	changed int            // see Changed
}

// So many files, or bytes of them, wait at most to be given their names.
const (
	maxStaged     = 2048
	maxStagedSize = 32 << 20
)

// Temporary files are hidden, so that others pass them over, and carry a mark by
// which the next run knows what a killed one left.
const (
	tempPrefix = ".finarc-"
	tempSuffix = ".tmp"
)

// OpenFolder opens a directory, and makes it where there is none.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return openRoot(root, dir)
}

// Sub opens a folder in f, likewise.
func (f *Folder) Sub(name string) (*Folder, error) {
	path := filepath.Join(f.path, name)
	if err := f.root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make folder %s: %w", path, err)
	}
	root, err := f.root.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", path, err)
	}
	return openRoot(root, path)
}

func openRoot(root *os.Root, path string) (*Folder, error) {
	f := &Folder{root: root, path: path, staged: make(map[string]int)}
	if err := f.clean(); err != nil {
		return nil, errors.Join(fmt.Errorf("clean folder %s: %w", path, err), root.Close())
	}
	return f, nil
}

// Changed returns how many files were given their names by now.
func (f *Folder) Changed() int { return f.changed }

// Close gives all files their names, for good, and lets the folder go.
func (f *Folder) Close() error {
	err := f.commit()
	if f.changed > 0 {
		err = errors.Join(err, f.sync())
	}
	return errors.Join(err, f.root.Close())
}

// clean removes the temporary files of killed runs.
func (f *Folder) clean() error {
	return f.eachName(func(name string) error {
		if strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix) {
			return f.root.Remove(name)
		}
		return nil
	})
}

// Names calls visit with the name of each file, in no order.
func (f *Folder) Names(visit func(string) error) error {
	if err := f.eachName(visit); err != nil {
		return fmt.Errorf("read folder %s: %w", f.path, err)
	}
	return nil
}

func (f *Folder) eachName(visit func(string) error) error {
	d, err := f.root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(1024)
		for _, name := range names {
			if err := visit(name); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Exists reports whether anything has the name.
func (f *Folder) Exists(name string) (bool, error) {
	if _, staged := f.staged[name]; staged {
		return true, nil
	}
	_, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Read returns what a file holds.
func (f *Folder) Read(name string) ([]byte, error) {
	if _, staged := f.staged[name]; staged {
		if err := f.commit(); err != nil {
			return nil, err
		}
	}
	return f.root.ReadFile(name)
}

// Put makes data the content of a file, whole or, after an error, not at all,
// when the folder is closed or earlier. It reports whether it was so before.
func (f *Folder) Put(name string, data []byte) (same bool, err error) {
	if _, staged := f.staged[name]; staged {
		if err := f.commit(); err != nil {
			return false, err
		}
	}
	same, err = f.holds(name, data)
	if err == nil && !same {
		err = f.stage(name, data)
	}
	if err != nil {
		return false, fmt.Errorf("write %s: %w", filepath.Join(f.path, name), err)
	}
	if len(f.staged) == maxStaged || f.size >= maxStagedSize {
		return same, f.commit()
	}
	return same, nil
}

// holds reports whether the file is there with the content data.
func (f *Folder) holds(name string, data []byte) (bool, error) {
	info, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(data)) {
		return false, err
	}
	old, err := f.root.ReadFile(name)
	return bytes.Equal(old, data), err
}

// temp returns the i-th temporary name.
func temp(i int) string {
	return tempPrefix + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(i) + tempSuffix
}

// stage writes a file under a temporary name.
func (f *Folder) stage(name string, data []byte) error {
	i := len(f.staged)
	if err := f.write(temp(i), data); err != nil {
		return errors.Join(err, f.drop(i))
	}
	f.staged[name] = i
	f.size += len(data)
	return nil
}

func (f *Folder) write(name string, data []byte) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = SyncFile(file)
	}
	return errors.Join(err, file.Close())
}

// commit gives the files that are staged their names. Of those that it cannot
// name nothing is left, and the first error is told.
func (f *Folder) commit() (err error) {
	if len(f.staged) > 0 {
		err = f.sync()
	}
	whole := err == nil
	for name, i := range f.staged {
		if whole {
			renamed := f.root.Rename(temp(i), name)
			if renamed == nil {
				f.changed++
				continue
			}
			if err == nil {
				err = fmt.Errorf("write %s: %w", filepath.Join(f.path, name), renamed)
			}
		}
		err = errors.Join(err, f.drop(i))
	}
	clear(f.staged)
	f.size = 0
	return err
}

// sync forces all that was written to the disk.
func (f *Folder) sync() error {
	d, err := f.root.Open(".")
	if err == nil {
		err = errors.Join(SyncFolder(d), d.Close())
	}
	if err != nil {
		return fmt.Errorf("write folder %s: %w", f.path, err)
	}
	return nil
}

func (f *Folder) drop(i int) error {
	if err := f.root.Remove(temp(i)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
