package jekyll

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// ErrLarge: a file is larger than any post.
var ErrLarge = fmt.Errorf("larger than %d MiB", maxFile>>20)

const maxFile = 8 << 20

// ErrIrregular: something is no file, but a device or a pipe.
var ErrIrregular = errors.New("not a regular file")

// Store takes what an import brings. [archive.Archive] is one.
type Store interface {
	// Commit takes a batch, whole or not at all, and tells what it was to the store.
	Commit(context.Context, *news.Batch) (news.Committed, error)
}

// ImportOptions tell whose files are imported, and into what.
type ImportOptions struct {
	Site  *page.Site // the mirror that was, or is, built from them
	Store Store
	// Dry says that Store only tells what it would make of a batch, so that posts
	// of earlier batches are to be remembered here.
	Dry bool
	Now func() time.Time
	// Progress is called after each batch; may be nil.
	Progress func(Imported)
}

// Imported is the report of an import. Each file is one of these:
//
//	Files = New + Same + Revised + Σ Refused
type Imported struct {
	Files   int            `json:"files"`
	New     int            `json:"new"`     // the first of their posts
	Same    int            `json:"same"`    // their text was held already
	Revised int            `json:"revised"` // another text of a post that was held
	Refused map[string]int `json:"refused"` // no posts, by reason
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
	return r.Files == r.New+r.Same+r.Revised+news.Total(r.Refused) && len(r.Refusals) == news.Total(r.Refused)
}

// Import reads posts' files and commits them, a portion at a time: the files'
// bytes as captures of [news.ModeImport], fetched now, whenever they were
// published. What is held already is the same again, so that an import which was
// interrupted is gone on with by another. A file that is no post is no error, but
// refused.
//
// It stops at the first error, of files, of the store or of ctx; the report is of
// what was committed.
func Import(ctx context.Context, files iter.Seq2[File, error], o ImportOptions) (Imported, error) {
	im := &importer{
		ImportOptions: o, reader: NewReader(o.Site), tried: make(map[news.ID][]textSum),
		report: Imported{Refused: make(map[string]int), Refusals: []FileRefusal{}, Faults: make(map[string]int), Dry: o.Dry},
	}
	for list, err := range ahead(im.readAll(ctx, portions(files)), 1) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return im.report, err
		}
		if err := im.commit(ctx, list); err != nil {
			return im.report, err
		}
		if o.Progress != nil {
			o.Progress(im.report)
		}
	}
	return im.report, nil
}

type importer struct {
	ImportOptions
	reader *Reader
	report Imported
	tried  map[news.ID][]textSum // in a dry run: of the posts that would be new
}

// textSum tells the text of one post from another of the same.
type textSum [sha256.Size]byte

// Bounds on one portion of files.
const (
	portionFiles = 256
	portionBytes = 4 << 20
)

// portions gathers files into lists.
func portions(files iter.Seq2[File, error]) iter.Seq2[[]File, error] {
	return func(yield func([]File, error) bool) {
		var list []File
		size := int64(0)
		for f, err := range files {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(list) > 0 && (len(list) == portionFiles || size+f.Size > portionBytes) {
				if !yield(list, nil) {
					return
				}
				list, size = nil, 0
			}
			list = append(list, f)
			size += f.Size
		}
		if len(list) > 0 {
			yield(list, nil)
		}
	}
}

// fileRead is a file that was read: a post, or why it is none.
type fileRead struct {
	path     string
	captured news.Captured
	leads    []news.Wanted
	faults   []string
	refused  error
}

// readAll reads the files of each list, on several processors.
func (im *importer) readAll(ctx context.Context, lists iter.Seq2[[]File, error]) iter.Seq2[[]fileRead, error] {
	return func(yield func([]fileRead, error) bool) {
		for list, err := range lists {
			if err = cmp.Or(err, ctx.Err()); err != nil {
				yield(nil, err)
				return
			}
			if !yield(im.readList(list), nil) {
				return
			}
		}
	}
}

func (im *importer) readList(list []File) []fileRead {
	const chunk = 32
	done := make([]fileRead, len(list))
	now := im.Now().Truncate(time.Millisecond) // as archives keep times
	var work sync.WaitGroup
	for from := 0; from < len(list); from += chunk {
		work.Go(func() {
			for i := from; i < min(from+chunk, len(list)); i++ {
				done[i] = im.read(&list[i], now)
			}
		})
	}
	work.Wait()
	return done
}

// read reads one file.
func (im *importer) read(f *File, now time.Time) fileRead {
	done := fileRead{path: f.Path, refused: f.Refused}
	if done.refused != nil {
		return done
	}
	data, err := readFile(f)
	if err != nil {
		done.refused = err
		return done
	}
	done.captured.Capture = news.Capture{
		URL: FileURL(filepath.Base(f.Path)), Fetched: now, Mode: news.ModeImport,
		Mirror: im.Site.Name(), Kind: news.KindJekyll, Body: data,
	}
	p, s, err := im.reader.read(&done.captured.Capture)
	if err != nil {
		done.refused = err
		return done
	}
	done.captured.Post, done.captured.Wanted = *p.Post, news.Wanted{ID: p.Post.ID}
	done.leads, done.faults = p.Leads, s.faults
	return done
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

// commit commits what was read, and counts it.
func (im *importer) commit(ctx context.Context, list []fileRead) error {
	var b news.Batch
	for i := range list {
		if list[i].refused == nil {
			b.Posts = append(b.Posts, list[i].captured)
			b.Leads = append(b.Leads, list[i].leads...)
		}
	}
	var done news.Committed
	if len(b.Posts) > 0 {
		var err error
		if done, err = im.Store.Commit(ctx, &b); err != nil {
			return err
		}
	}
	im.report.Leads += done.Leads
	changes := done.Posts
	for i := range list {
		im.report.Files++
		if list[i].refused != nil {
			im.refuse(&list[i])
			continue
		}
		im.count(&list[i], im.told(changes[0], &list[i].captured.Post))
		changes = changes[1:]
	}
	return nil
}

func (im *importer) refuse(f *fileRead) {
	reason := f.refused.Error()
	im.report.Refused[reason]++
	im.report.Refusals = append(im.report.Refusals, FileRefusal{File: f.path, Reason: reason})
}

func (im *importer) count(f *fileRead, change news.Change) {
	switch change {
	case news.ChangeNew:
		im.report.New++
	case news.ChangeUnchanged:
		im.report.Same++
	default:
		im.report.Revised++
	}
	p := &f.captured.Post
	if len(p.Derived) > 0 {
		im.report.Derived++
	}
	if p.Published.IsZero() {
		im.report.Daily++
	}
	for _, fault := range f.faults {
		im.report.Faults[fault]++
	}
	im.report.Bytes += int64(len(f.captured.Capture.Body))
}

// told corrects what the store of a dry run tells of a post: it does not know
// those of earlier batches.
func (im *importer) told(change news.Change, p *news.Post) news.Change {
	if !im.Dry || change == news.ChangeUnchanged {
		return change
	}
	sum := textSum(sha256.Sum256([]byte(p.Title + "\n" + p.Published.String() + "\n" + page.Text(p.Body))))
	earlier := im.tried[p.ID]
	im.tried[p.ID] = append(earlier, sum)
	for _, other := range earlier {
		if other == sum {
			return news.ChangeUnchanged
		}
	}
	if len(earlier) > 0 && change == news.ChangeNew {
		return news.ChangeRevised
	}
	return change
}
