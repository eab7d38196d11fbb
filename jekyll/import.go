package jekyll

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/finarc/finarc/intake"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// ErrLarge: a file is larger than any post.
var ErrLarge = fmt.Errorf("larger than %d MiB", maxFile>>20)

const maxFile = 8 << 20

// ErrIrregular: something is no file, but a device or a pipe.
var ErrIrregular = errors.New("not a regular file")

// ImportOptions tell whose files are imported, and into what.
type ImportOptions struct {
	Site  *page.Site // the mirror that was, or is, built from them
	Store intake.Store
	Dry   bool // Store only tells what it would make of a batch
	Now   func() time.Time
	// Progress is called after each batch; may be nil.
	Progress func(Imported)
}

// Imported is the report of an import. Each file is one of these:
//
//	Files = New + Same + Revised + Σ Refused
type Imported struct {
	Files int `json:"files"`
	intake.Tally
	// Refusals names the files that were refused.
	Refusals []FileRefusal `json:"refusals"`
	// Faults counts what was wrong with files that are posts all the same: one
	// can have several. See the Fault constants.
	Faults map[string]int `json:"faults"`
	// Derived counts the posts whose title was made of their text, Daily those of
	// which only the day is known.
	Derived int   `json:"derived_titles"`
	Daily   int   `json:"only_day_known"`
	Leads   int   `json:"leads"` // related posts that were not known
	Bytes   int64 `json:"bytes"` // of the files that are posts
	Dry     bool  `json:"dry_run,omitempty"`
}

// FileRefusal is a file that is no post.
type FileRefusal struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// AddsUp reports whether every file is counted, and once.
func (r *Imported) AddsUp() bool {
	return r.Files == r.Total() && len(r.Refusals) == news.Total(r.Refused)
}

// Import reads posts' files and commits them, a portion at a time: the files'
// bytes as captures of [news.ModeImport], fetched when it began, whenever they were
// published. What is held already is the same again, so that an import which was
// interrupted is gone on with by another. A file that is no post is no error, but
// refused.
//
// It stops at the first error, of files, of the store or of ctx; the report is of
// what was committed.
func Import(ctx context.Context, files iter.Seq2[File, error], o ImportOptions) (Imported, error) {
	im := &importer{
		ImportOptions: o, reader: NewReader(o.Site), began: o.Now().Truncate(time.Millisecond), // as archives keep times
		report: Imported{Tally: intake.Tally{Refused: make(map[string]int)}, Refusals: []FileRefusal{}, Faults: make(map[string]int), Dry: o.Dry},
	}
	in := intake.Intake[File]{
		Store: o.Store, Size: func(f *File) int64 { return max(1, f.Size) }, Read: im.read, Count: im.count, Committed: im.committed,
	}
	if o.Dry {
		in.Trial = intake.NewTrial()
	}
	err := in.Run(ctx, files)
	return im.report, err
}

type importer struct {
	ImportOptions
	reader *Reader
	began  time.Time // when all files count as captured
	report Imported
}

// read reads one file.
func (im *importer) read(f *File) intake.Post {
	if f.Refused != nil {
		return intake.Post{Refused: f.Refused}
	}
	data, err := readFile(f)
	if err != nil {
		return intake.Post{Refused: err}
	}
	c := news.Capture{
		URL: FileURL(filepath.Base(f.Path)), Fetched: im.began, Mode: news.ModeImport,
		Mirror: im.Site.Name(), Kind: news.KindJekyll, Body: data,
	}
	p, s, err := im.reader.read(&c)
	if err != nil {
		return intake.Post{Refused: err}
	}
	f.faults = s.faults
	return intake.Post{Captured: news.Captured{Post: *p.Post, Capture: c, Wanted: news.Wanted{ID: p.Post.ID}}, Leads: p.Leads}
}

// readFile returns what a file holds, if that can be a post.
func readFile(file *File) (data []byte, err error) {
	f, err := os.Open(file.Path)
	if err != nil {
		return nil, cause(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var b bytes.Buffer
	b.Grow(int(min(file.Size, maxFile)) + bytes.MinRead)
	_, err = b.ReadFrom(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case b.Len() > maxFile:
		return nil, ErrLarge
	}
	return b.Bytes(), nil
}

// cause returns an error without the file's name, by which it can be counted.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// count counts what became of a file.
func (im *importer) count(f *File, p *intake.Post, change news.Change) {
	im.report.Files++
	if p.Refused != nil {
		reason := p.Refused.Error()
		im.report.Refused[reason]++
		im.report.Refusals = append(im.report.Refusals, FileRefusal{File: f.Path, Reason: reason})
		return
	}
	im.report.Count(change)
	if len(p.Post.Derived) > 0 {
		im.report.Derived++
	}
	if p.Post.Published.IsZero() {
		im.report.Daily++
	}
	for _, fault := range f.faults {
		im.report.Faults[fault]++
	}
	im.report.Bytes += int64(len(p.Capture.Body))
}

func (im *importer) committed(leads int) {
	im.report.Leads += leads
	if im.Progress != nil {
		im.Progress(im.report)
	}
}
