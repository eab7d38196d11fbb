package dataset

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"

	"github.com/finarc/finarc/durable"
	"github.com/finarc/finarc/news"
)

// Report tells what an export wrote.
type Report struct {
	Out   string `json:"out"`
	Rows  int    `json:"rows"`
	Bytes int64  `json:"bytes"` // of all files with rows
	Files []File `json:"files"`
}

// File is a file with rows.
type File struct {
	Path   string `json:"path"` // within the folder, with slashes
	Rows   int    `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`

	name string // of the resource in the descriptor
}

// draftPrefix begins the names of folders in the making.
const draftPrefix = ".finarc-export-"

// Export writes the rows of posts, which must come with their bodies, to a folder
// that must not exist, with a descriptor beside them. The folder gets its name
// only when all of it was written and forced to the disk, so it is whole or not
// there: it fails with [durable.ErrExists] where there is something already, and
// after an error nothing is left.
//
// By months, posts must come in order of [news.Revision.Place], the earliest
// first. Those of which no day is known are of the month that Hive calls
// __HIVE_DEFAULT_PARTITION__.
func Export(ctx context.Context, dir string, posts iter.Seq2[news.Revision, error], o Options) (report Report, err error) {
	if err := durable.CheckFree(dir); err != nil {
		return report, err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return report, fmt.Errorf("make folder: %w", err)
	}
	draft, err := durable.NewFolder(parent, draftPrefix)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, draft.Discard()) }()
	f := &folder{options: &o, path: draft.Path}
	if err := f.all(ctx, posts); err != nil {
		return report, errors.Join(err, f.abandon())
	}
	if err := f.describe(); err != nil {
		return report, err
	}
	report = Report{Out: dir, Files: f.files}
	for _, file := range f.files {
		report.Rows += file.Rows
		report.Bytes += file.Bytes
	}
	return report, draft.Place(dir)
}

// folder is one in the making.
type folder struct {
	options *Options
	path    string
	month   news.Day // of the file that is open: its first day; see monthOf
	open    *rowFile
	files   []File
}

func (f *folder) all(ctx context.Context, posts iter.Seq2[news.Revision, error]) error {
	for rev, err := range posts {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if err := f.turn(monthOf(&rev)); err != nil {
			return err
		}
		row := f.options.newRow(&rev)
		if err := f.open.add(&row); err != nil {
			return err
		}
	}
	if f.open == nil { // a data package has one file at least
		if err := f.turn(0); err != nil {
			return err
		}
	}
	return f.end()
}

// monthOf returns the first day of the month in whose file a revision is, 0 where
// none is known.
func monthOf(rev *news.Revision) news.Day {
	if day := rev.PlaceDay(); day != 0 {
		return day - day%100 + 1
	}
	return 0
}

// turn sees to it that the file is open that a month's rows are written to.
func (f *folder) turn(month news.Day) error {
	if f.open != nil && (month == f.month || !f.options.Months) {
		return nil
	}
	if err := f.end(); err != nil {
		return err
	}
	file := File{Path: "posts." + string(f.options.Format), name: "posts"}
	if f.options.Months {
		name, value := "unknown", "__HIVE_DEFAULT_PARTITION__"
		if month != 0 {
			name = month.String()[:len("2021-12")]
			value = name
		}
		file.Path, file.name = path.Join("month="+value, file.Path), "posts-"+name
	}
	f.month = month
	var err error
	f.open, err = newRowFile(f.path, file, f.options)
	return err
}

// end ends the file that is open, if any.
func (f *folder) end() error {
	if f.open == nil {
		return nil
	}
	file, err := f.open.close()
	f.open = nil
	f.files = append(f.files, file)
	return err
}

// abandon closes the file that is open, if any, as it is.
func (f *folder) abandon() error {
	if f.open == nil {
		return nil
	}
	return f.open.on.Close()
}

// rowFile is a file that rows are written to.
type rowFile struct {
	File
	writer
	out    *bufio.Writer
	digest hash.Hash
	on     *os.File
}

// newRowFile makes a file, and the folder that it is in.
func newRowFile(dir string, file File, o *Options) (*rowFile, error) {
	name := filepath.Join(dir, filepath.FromSlash(file.Path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	on, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	f := &rowFile{File: file, digest: sha256.New(), on: on}
	f.out = bufio.NewWriterSize(io.MultiWriter(f.digest, on), bufferSize)
	if f.writer, err = o.newWriter(f.out); err != nil {
		return nil, errors.Join(err, on.Close())
	}
	return f, nil
}

func (f *rowFile) add(r *Row) error {
	f.Rows++
	return f.write(r)
}

// close ends the file, and forces it to the disk where that is not done for all
// together.
func (f *rowFile) close() (File, error) {
	err := f.writer.close()
	if err == nil {
		err = f.out.Flush()
	}
	info, statErr := f.on.Stat()
	if statErr == nil {
		f.Bytes = info.Size()
	}
	f.SHA256 = hex.EncodeToString(f.digest.Sum(nil))
	return f.File, errors.Join(err, statErr, durable.SyncFile(f.on), f.on.Close())
}

// write writes a file that is made at once.
func write(name string, data []byte) error {
	on, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = on.Write(data)
	return errors.Join(err, durable.SyncFile(on), on.Close())
}
