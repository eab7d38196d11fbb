package warc

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Stdin is the name that stands for standard input.
const Stdin = "-"

// File is a WARC file, or what should be one.
type File struct {
	Name string // of a part of a WACZ, that and its own
	r    io.Reader
}

// Files returns the WARC files that are named, and of folders those in and below
// them that are called *.warc, *.warc.gz, *.warc.zst or *.wacz, in order of their
// names. Of a WACZ (https://specs.webrecorder.net/wacz/1.1.1/, 5.2.1) they are what
// is in its archive folder. [Stdin] stands for stdin. A file can be read until the
// next one is asked for.
func Files(paths []string, stdin io.Reader) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		w := walker{yield: yield}
		for _, path := range paths {
			err := w.path(path, stdin)
			switch {
			case errors.Is(err, errEnough):
				return
			case err != nil:
				yield(File{}, fmt.Errorf("import: %w", err))
				return
			}
		}
	}
}

// errEnough ends a walk.
var errEnough = errors.New("enough")

type walker struct {
	yield func(File, error) bool
}

func (w *walker) give(f File) error {
	if !w.yield(f, nil) {
		return errEnough
	}
	return nil
}

// path gives a file, or those below a folder.
func (w *walker) path(name string, stdin io.Reader) error {
	if name == Stdin {
		return w.give(File{"standard input", stdin})
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return w.file(name)
	}
	return filepath.WalkDir(name, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isWARC(name) && filepath.Ext(name) != ".wacz" {
			return err
		}
		return w.file(name)
	})
}

func isWARC(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(name), ".gz"), ".zst")
	return strings.HasSuffix(name, ".warc")
}

// zipMagic is how a zip file begins.
var zipMagic = []byte("PK\x03\x04")

// file gives a WARC, or those in a WACZ.
func (w *walker) file(name string) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, len(zipMagic))
	n, err := f.Read(head)
	if err != nil && err != io.EOF {
		return err
	}
	if bytes.Equal(head[:n], zipMagic) {
		return w.wacz(f)
	}
	var in io.Reader = io.MultiReader(bytes.NewReader(head[:n]), f) // of a pipe
	if _, err := f.Seek(0, io.SeekStart); err == nil {
		in = f
	}
	return w.give(File{name, in})
}

// wacz gives the WARC files of a WACZ.
func (w *walker) wacz(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	for _, part := range z.File {
		if path.Dir(part.Name) == "archive" && isWARC(part.Name) {
			if err := w.part(f.Name(), part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) part(wacz string, part *zip.File) error {
	r, err := part.Open()
	if err != nil {
		return fmt.Errorf("%s: %s: %w", wacz, part.Name, err)
	}
	err = w.give(File{wacz + ":" + part.Name, r})
	return errors.Join(err, r.Close())
}
