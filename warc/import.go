package warc

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/finarc/finarc/intake"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// Store is what an import brings its posts to, and finds those in that revisits are
// of.
type Store interface {
	intake.Store
	// CaptureAt returns the newest capture of a post on a mirror that was there by a
	// moment, and until when its content was seen; nil where there is none.
	CaptureAt(ctx context.Context, id news.ID, mirror string, by time.Time) (c *news.Capture, seen time.Time, err error)
}

// ImportOptions tell which mirrors' posts are looked for, and where they go.
type ImportOptions struct {
	Sites   []*page.Site // an address is of the first whose it is
	Store   Store
	Dry     bool  // Store only tells what it would make of a batch
	MaxBody int64 // bytes of one body after decoding
	Now     func() time.Time
	// Progress is called after each portion; may be nil.
	Progress func(*Imported)
}

// Imported is the report of an import. Each record is one of these:
//
//	Records = New + Same + Revised + Σ Refused + Σ Passed
type Imported struct {
	Files   int `json:"files"`
	Records int `json:"records"`
	intake.Tally
	// Passed counts the records that are of no post, by what they are.
	Passed map[string]int `json:"passed"`
	// Refusals names the first records that were refused, and Damage the first places
	// where files were not what they should be, of which there were Damaged.
	Refusals []Refusal `json:"refusals"`
	Damaged  int       `json:"damaged"`
	Damage   []Damage  `json:"damage"`
	// Faults counts what was wrong with records that were taken all the same.
	Faults   map[string]int `json:"faults"`
	Revisits int            `json:"revisits"` // records of posts that told by another one what a server sent
	Leads    int            `json:"leads"`    // related posts that were not known
	Bytes    int64          `json:"bytes"`    // of the pages that are posts
	Dry      bool           `json:"dry_run,omitempty"`
}

// Refusal is a record of a post's page that is no post.
type Refusal struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"` // in the file, see [Record.Offset]
	URL    string `json:"url"`
	Reason string `json:"reason"`
}

// Damage is a place where a file is not what it should be.
type Damage struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Why    string `json:"why"`
}

// AddsUp reports whether every record is counted, and once.
func (r *Imported) AddsUp() bool { return r.Records == r.Total()+news.Total(r.Passed) }

// maxNamed is how many refusals, and how many places of damage, a report names.
const maxNamed = 1000

// Import reads the records of WARC files, and commits what servers sent for the
// posts of the mirrors, a portion at a time: as captures of [news.ModeImport],
// fetched when the record says (WARC-Date). What is held already is the same again,
// so that an import which was interrupted is gone on with by another.
//
// A record is read as a crawl reads an answer, with the same doubts. List pages are
// passed over. Revisits are read when all that came before them is committed: as
// what is held of the post, at their own time.
//
// It stops at the first error, of files, of the store or of ctx; the report is of
// what was committed.
func Import(ctx context.Context, files iter.Seq2[File, error], o ImportOptions) (Imported, error) {
	im := &importer{
		ImportOptions: o, shells: make(map[string]bool),
		report: Imported{
			Tally: intake.Tally{Refused: make(map[string]int)}, Passed: make(map[string]int), Faults: make(map[string]int),
			Refusals: []Refusal{}, Damage: []Damage{}, Dry: o.Dry,
		},
	}
	im.in = intake.Intake[item]{Store: o.Store, Size: (*item).size, Read: im.read, Count: im.count, Committed: im.committed}
	if o.Dry {
		im.in.Trial = intake.NewTrial()
	}
	err := im.run(ctx, files)
	return im.report, err
}

type importer struct {
	ImportOptions
	in     intake.Intake[item]
	report Imported

	unmet  []item          // revisits, until what they are of is there
	shells map[string]bool // addresses of pages without text, of which there may be revisits
}

// maxUnmet is how many revisits wait for what they are of.
const maxUnmet = 10_000

// run takes in all records, and, whenever so many have gathered as may wait, the
// revisits among them.
func (im *importer) run(ctx context.Context, files iter.Seq2[File, error]) error {
	next, stop := iter.Pull2(im.items(files))
	defer stop()
	for more := true; more; {
		err := im.in.Run(ctx, func(yield func(item, error) bool) {
			for len(im.unmet) < maxUnmet {
				it, err, ok := next()
				if more = ok; !ok {
					return
				}
				if it.revisit != nil {
					im.unmet = append(im.unmet, it)
				} else if !yield(it, err) {
					return
				}
			}
		})
		if err != nil {
			return err
		}
		if err := im.takeRevisits(ctx, more); err != nil {
			return err
		}
	}
	return nil
}

// takeRevisits takes in the revisits that wait. What some of them are of may come
// yet, if there is more: as many go on waiting as leave room for others.
func (im *importer) takeRevisits(ctx context.Context, more bool) error {
	waiting := im.unmet
	im.unmet = nil
	err := im.in.Run(ctx, func(yield func(item, error) bool) {
		for i := range waiting {
			err := im.meet(ctx, &waiting[i])
			if !yield(waiting[i], err) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	over := len(im.unmet)
	if more {
		over = max(0, over-maxUnmet/2)
	}
	for i := range over {
		im.refuse(&im.unmet[i], errUnmet)
	}
	im.unmet = im.unmet[over:]
	return nil
}

// read reads the page of a record as the post that its address names.
func (im *importer) read(it *item) intake.Post {
	switch {
	case it.refused != nil:
		return intake.Post{Refused: it.refused}
	case it.site == nil || it.passed != "":
		return intake.Post{Refused: errNoPost}
	}
	p, err := it.site.ReadAs(&it.capture, &it.wanted)
	switch why := page.Why(err); {
	case err == nil:
		c := news.Captured{Post: *p.Post, Capture: it.capture, Wanted: it.wanted}
		if it.revisit != nil {
			c.Revisit = &it.revisit.answer
		}
		return intake.Post{Captured: c, Leads: p.Leads}
	case why == page.WhyNoText:
		it.passed = passedShell
		return intake.Post{Refused: errNoPost}
	default:
		return intake.Post{Refused: errors.New(why)}
	}
}

// errNoPost: there is nothing to be read as a post.
var errNoPost = errors.New("no post")

// count counts what became of an item.
func (im *importer) count(it *item, p *intake.Post, change news.Change) {
	r := &im.report
	switch {
	case it.opened:
		r.Files++
	case it.damage != nil:
		r.Damaged++
		if len(r.Damage) < maxNamed {
			r.Damage = append(r.Damage, Damage{File: it.file, Offset: it.damage.Offset, Why: it.damage.Err.Error()})
		}
	case it.passed != "":
		r.Records++
		r.Passed[it.passed]++
		if it.passed == passedShell && it.revisit == nil && len(im.shells) < maxUnmet {
			im.shells[it.capture.URL] = true
		}
	case p.Refused == errUnmet:
		im.countUnmet(it)
	case p.Refused != nil:
		im.refuse(it, p.Refused)
	default:
		r.Records++
		r.Count(change)
		im.countTaken(it)
	}
}

// countTaken counts what is told of records that are posts.
func (im *importer) countTaken(it *item) {
	if it.revisit != nil {
		im.report.Revisits++
	} else {
		im.report.Bytes += int64(len(it.capture.Body))
	}
	for _, fault := range it.faults {
		im.report.Faults[fault]++
	}
}

// countUnmet lets a revisit wait on, or, in a dry run, counts it where an import
// would have brought what it is of.
func (im *importer) countUnmet(it *item) {
	if trial := im.in.Trial; trial != nil && trial.Has(it.wanted.ID, it.revisit.by()) {
		im.report.Records++
		im.report.Count(news.ChangeUnchanged)
		im.countTaken(it)
		return
	}
	im.unmet = append(im.unmet, *it)
}

func (im *importer) refuse(it *item, why error) {
	r := &im.report
	r.Records++
	r.Refused[why.Error()]++
	if len(r.Refusals) < maxNamed {
		r.Refusals = append(r.Refusals, Refusal{File: it.file, Offset: it.offset, URL: it.capture.URL, Reason: why.Error()})
	}
}

func (im *importer) committed(leads int) {
	im.report.Leads += leads
	if im.Progress != nil {
		im.Progress(&im.report)
	}
}
