package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/finarc/finarc/news"
)

// WriteFile writes the metrics of a run to a file that all may read, whole or not
// at all: whoever collects it finds the old text or the new one.
func WriteFile(path string, r *news.Run) error {
	text, err := encode(r)
	if err != nil {
		return err
	}
	if path, err = regular(path); err != nil {
		return err
	}
	// A name that the textfile collector does not look at: it takes *.prom.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return syncFolder(filepath.Dir(path))
}

// regular returns the file that a path leads to, and fails where there is something
// that is no file that may be replaced. The system is asked, and not only where
// links lead by name: /dev/stdout leads to a pipe by none, or to whatever file
// the output goes to.
func regular(path string) (string, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	if !info.Mode().IsRegular() || strings.HasPrefix(filepath.Clean(path), "/dev/") {
		return "", fmt.Errorf("write %s: it is no regular file", path)
	}
	at, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return at, nil
}

// syncFolder makes a new name in a folder durable. Not every system lets a folder
// be synced; the file is whole in any case.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}
