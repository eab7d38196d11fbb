package warc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/finarc/finarc/durable"
	"github.com/finarc/finarc/news"
	"github.com/klauspost/compress/gzip"
)

// draftPrefix begins the names of folders in the making.
const draftPrefix = ".finarc-export-"

// fileSuffix ends the names of WARC files (Annex D.3), indexSuffix those of the CDXJ
// beside them.
const (
	fileSuffix  = ".warc.gz"
	indexSuffix = ".cdxj"
)

// newExporter returns an exporter to a place.
func newExporter(o *Options, to place) *exporter {
	return &exporter{o: o, to: to, zip: gzip.NewWriter(io.Discard), group: new(group), report: Report{Files: []FileReport{}}}
}

// newDraft makes the draft of what is to have a name, in the folder where it is to be.
func newDraft(name string) (*durable.Draft, error) {
	if err := durable.CheckFree(name); err != nil {
		return nil, err
	}
	parent := filepath.Dir(name)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	return durable.NewFolder(parent, draftPrefix)
}

// Export writes the captures of revisions to a folder that must not exist, as WARC
// files with a sorted CDXJ beside each. The revisions must come with their captures,
// and with their bodies where texts are wanted; those of a post one after the other,
// in the order in which they were captured. The folder gets its name only when all of
// it was written and forced to the disk, so it is whole or not there: it fails with
// [durable.ErrExists] where there is something already, and after an error nothing is
// left.
func Export(ctx context.Context, dir string, revs iter.Seq2[news.Revision, error], o Options) (report Report, err error) {
	draft, err := newDraft(dir)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, draft.Discard()) }()
	to := &folder{path: draft.Path, lines: sorter{dir: draft.Path, room: sortRoom}}
	e := newExporter(&o, to)
	if err := e.export(ctx, revs); err != nil {
		return report, errors.Join(err, to.abandon())
	}
	if err := draft.Place(dir); err != nil {
		return report, err
	}
	e.report.Out = dir
	return e.report, nil
}

// folder is one in the making.
type folder struct {
	path  string
	name  string // of the file that is open
	open  *file
	lines sorter // of its index
}

func (f *folder) begin(name string) (io.Writer, error) {
	var err error
	f.name = name
	f.open, err = newFile(filepath.Join(f.path, name))
	return f.open, err
}

func (f *folder) index(line string) error { return f.lines.add(line) }

func (f *folder) end(FileReport) error {
	open := f.open
	f.open = nil
	if err := open.close(); err != nil {
		return err
	}
	index, err := newFile(filepath.Join(f.path, strings.TrimSuffix(f.name, fileSuffix)+indexSuffix))
	if err != nil {
		return err
	}
	return errors.Join(f.lines.writeTo(index), index.close())
}

// abandon closes what is open, as it is.
func (f *folder) abandon() error {
	err := f.lines.close()
	if f.open != nil {
		err = errors.Join(err, f.open.on.Close())
	}
	return err
}

// file is one that is written.
type file struct {
	*bufio.Writer
	on *os.File
}

func newFile(name string) (*file, error) {
	on, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &file{bufio.NewWriterSize(on, bufferSize), on}, nil
}

// close ends the file, and forces it to the disk where that is not done for all
// together.
func (f *file) close() error {
	return errors.Join(f.Flush(), durable.SyncFile(f.on), f.on.Close())
}
