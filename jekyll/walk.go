package jekyll

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// File is a file that may be a post.
type File struct {
	Path    string
	Size    int64 // in bytes, when it was found
	Refused error // why it cannot be read, if that is known already

	faults []string // what is wrong with it, once it was read
}

// Files returns the files that are named, and of folders the Markdown files in
// and below their _posts, or, where they have none, in and below themselves. They
// come in order of their names. Folders whose names begin with a dot or an
// underscore are left out: Jekyll keeps drafts, layouts and the built site there.
//
// A path that is not there is an error; a folder that cannot be read is a File
// that is refused.
func Files(paths []string) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				yield(File{}, fmt.Errorf("import: %w", err))
				return
			}
			if !info.IsDir() {
				if !yield(fileOf(path, info), nil) {
					return
				}
				continue
			}
			if !walk(folderOfPosts(path), yield) {
				return
			}
		}
	}
}

func fileOf(path string, info fs.FileInfo) File {
	f := File{Path: path, Size: info.Size()}
	if !info.Mode().IsRegular() {
		f.Refused = ErrIrregular
	}
	return f
}

// folderOfPosts returns where a folder's posts are.
func folderOfPosts(dir string) string {
	posts := filepath.Join(dir, "_posts")
	if info, err := os.Stat(posts); err == nil && info.IsDir() {
		return posts
	}
	return dir
}

// walk yields the Markdown files below a folder, and reports whether all of them
// were wanted.
func walk(top string, yield func(File, error) bool) bool {
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		name := ""
		if d != nil {
			name = d.Name()
		}
		switch {
		case err != nil:
			return next(yield(File{Path: path, Refused: cause(err)}, nil))
		case d.IsDir() && path != top && strings.ContainsAny(name[:1], "._"):
			return filepath.SkipDir
		case d.IsDir(), !isMarkdownExt(filepath.Ext(name)), strings.HasPrefix(name, "."):
			return nil
		}
		info, err := os.Stat(path) // of what a link leads to
		if err != nil {
			return next(yield(File{Path: path, Refused: cause(err)}, nil))
		}
		return next(yield(fileOf(path, info), nil))
	})
	return err == nil
}

// errEnough ends a walk.
var errEnough = errors.New("enough")

func next(more bool) error {
	if more {
		return nil
	}
	return errEnough
}
