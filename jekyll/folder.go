package jekyll

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

// A folder is a place for whole files. No name and no symbolic link leads out
// of the directory under which it was opened.
type folder struct {
	root *os.Root
	path string // for errors
	temp string // the name of a file that is being written
}

// Temporary files are hidden, so that Jekyll passes them over, and carry a mark
// by which the next run knows what a killed one left.
const (
	tempPrefix = ".finarc-"
	tempSuffix = ".tmp"
)

// openTop opens the directory itself, and makes it where there is none.
func openTop(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return newFolder(root, dir)
}

// sub opens a folder in f, and makes it where there is none.
func (f *folder) sub(name string) (*folder, error) {
	path := filepath.Join(f.path, name)
	if err := f.root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make folder %s: %w", path, err)
	}
	root, err := f.root.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", path, err)
	}
	return newFolder(root, path)
}

func newFolder(root *os.Root, path string) (*folder, error) {
	f := &folder{root: root, path: path, temp: tempPrefix + strconv.Itoa(os.Getpid()) + tempSuffix}
	if err := f.clean(); err != nil {
		return nil, errors.Join(fmt.Errorf("clean folder %s: %w", path, err), root.Close())
	}
	return f, nil
}

func (f *folder) close() error { return f.root.Close() }

// clean removes the temporary files of killed runs.
func (f *folder) clean() error {
	return f.names(func(name string) error {
		if strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix) {
			return f.root.Remove(name)
		}
		return nil
	})
}

// names calls visit with the name of each file, in no order.
func (f *folder) names(visit func(string) error) error {
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

// exists reports whether anything has the name.
func (f *folder) exists(name string) (bool, error) {
	_, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// put makes data the content of a file, and reports whether it was not so
// before. The file is replaced whole or, after an error, not at all. It is not
// forced to the disk: after a power cut a file may be torn, and the next run
// puts it right.
func (f *folder) put(name string, data []byte) (changed bool, err error) {
	same, err := f.holds(name, data)
	if err == nil && !same {
		err = f.replace(name, data)
	}
	if err != nil {
		return false, fmt.Errorf("write %s: %w", filepath.Join(f.path, name), err)
	}
	return !same, nil
}

// holds reports whether the file is there with the content data.
func (f *folder) holds(name string, data []byte) (bool, error) {
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

func (f *folder) replace(name string, data []byte) error {
	if err := f.writeTemp(data); err != nil {
		return errors.Join(err, f.dropTemp())
	}
	if err := f.root.Rename(f.temp, name); err != nil {
		return errors.Join(err, f.dropTemp())
	}
	return nil
}

func (f *folder) writeTemp(data []byte) error {
	file, err := f.root.OpenFile(f.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

func (f *folder) dropTemp() error {
	if err := f.root.Remove(f.temp); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
