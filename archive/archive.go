// Package archive keeps posts in one bbolt file: for each revision of a post
// the raw capture and the front matter read from it, indexes for selecting,
// the change sequence, the crawl's frontier, the list pages' validators and
// the reports of runs.
//
// The file is opened for each batch and let go at once, so that several
// processes can work on one archive: bbolt locks a file for one writer, or for
// readers only. Nothing here holds the lock while it waits for anything but
// the disk.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Version is the format that this program writes. Newer ones are refused, and so
// are those before the oldest. One in between is read as it is, and becomes this
// when it is written to.
const (
	Version       = 4
	oldestVersion = 2
)

// The buckets of the file. ARCHITECTURE.md tells what each holds.
var (
	bucketMeta      = []byte("finarc")
	bucketDicts     = []byte("dictionaries")
	bucketCaptures  = []byte("captures")
	bucketRevisions = []byte("revisions")
	bucketPosts     = []byte("posts")
	bucketAliases   = []byte("aliases")
	bucketTimes     = []byte("times")
	bucketTerms     = []byte("terms")
	bucketPostings  = []byte("postings")
	bucketRecent    = []byte("recent")
	bucketFrontier  = []byte("frontier")
	bucketLeads     = []byte("leads")
	bucketFailed    = []byte("failed")
	bucketUnread    = []byte("unread")
	bucketLists     = []byte("lists")
	bucketRuns      = []byte("runs")
	bucketBroken    = []byte("broken")
	bucketHosts     = []byte("hosts")
	bucketRevisits  = []byte("revisits")

	bucketSignatures = []byte("signatures")
	bucketStories    = []byte("stories")
)

func buckets() [][]byte {
	return [][]byte{
		bucketMeta, bucketDicts, bucketCaptures, bucketRevisions, bucketPosts, bucketAliases,
		bucketTimes, bucketTerms, bucketPostings, bucketFrontier, bucketLeads, bucketFailed,
		bucketUnread, bucketLists, bucketRuns, bucketBroken, bucketHosts, bucketRecent,
		bucketSignatures, bucketStories, bucketRevisits,
	}
}

const (
	pageSize  = 4 << 10
	allocSize = 64 << 10 // the file grows by this much, where bbolt would take 16 MiB
	fileMode  = 0o644

	// lockOnce lets bbolt try the file's lock once: it looks at the time after
	// that. 0 would be for it to wait without end, and it knows no context.
	lockOnce = time.Nanosecond
	// lockPoll is how long a lock that another process holds is left alone
	// before it is tried again: the kernel's own wait heeds no context either.
	lockPoll = 50 * time.Millisecond

	// gatePlaces is more than there will ever be readers in one process.
	gatePlaces = 1 << 30
)

// DefaultWait is how long an archive that another process holds is waited for,
// unless [Wait] says otherwise.
const DefaultWait = 30 * time.Second

// Archive is an archive file. It is safe for concurrent use, by several
// goroutines and by several processes.
type Archive struct {
	path  string
	codec *codec
	// gate orders this process's own goroutines, for whom the file's lock,
	// which bbolt polls, would be a slow way to wait for each other: a reader
	// takes one place of it, a writer all.
	gate *semaphore.Weighted
	// compressors bounds how many captures are packed at a time.
	compressors int
	wait        time.Duration
	text        func(html string) string            // nil: articles are compared as HTML
	titles      func(title string, sum uint32) bool // nil: titles are compared to the letter

	mu       sync.Mutex
	guarded  bool   // its pages were seen to lead in no circle, see guard
	identity []byte // of the file; nil until it was opened
	dicts    dictWatch
}

// Option changes how an archive is used.
type Option func(*Archive)

// Wait sets how long each look into the file waits for a process that holds
// it before it fails with [ErrBusy]; 30 seconds unless set. With 0, or less,
// it tries once.
func Wait(d time.Duration) Option { return func(a *Archive) { a.wait = d } }

// PlainText lets articles be compared by their plain text: one whose markup
// alone changed, such as an advert in it, is no other article. Unless it is set
// the HTML counts.
func PlainText(text func(html string) string) Option { return func(a *Archive) { a.text = text } }

// Titles sets how the title of a held post is compared with the one that a list
// shows, of which there is a [news.TitleSum]. Unless it is set they are compared
// to the letter.
func Titles(same func(title string, sum uint32) bool) Option {
	return func(a *Archive) { a.titles = same }
}

// Open opens an existing archive. It fails with [ErrMissing], [ErrNotArchive],
// [ErrNewer], [ErrCorrupt] or [ErrBusy].
func Open(ctx context.Context, path string, options ...Option) (*Archive, error) {
	a, err := handle(path)
	if err != nil {
		return nil, err
	}
	for _, set := range options {
		set(a)
	}
	if err := checkFile(path); err != nil {
		return nil, err
	}
	return a, a.view(ctx, func(*tx) error { return nil })
}

// OpenOrCreate opens an archive, making a new one where there is no file.
func OpenOrCreate(ctx context.Context, path string, options ...Option) (*Archive, error) {
	a, err := Open(ctx, path, options...)
	if !errors.Is(err, ErrMissing) {
		return a, err
	}
	if err := create(path); err != nil && !errors.Is(err, ErrExists) {
		return nil, fmt.Errorf("create archive %s: %w", path, err)
	}
	return Open(ctx, path, options...)
}

func handle(path string) (*Archive, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	return &Archive{path: path, codec: c, gate: semaphore.NewWeighted(gatePlaces), compressors: 2, wait: DefaultWait}, nil
}

// Path returns the archive's file.
func (a *Archive) Path() string { return a.path }

// checkFile tells what is wrong with a path before bbolt touches it: bbolt
// would make an empty file into a database of its own.
func checkFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", path, ErrMissing)
	case err != nil:
		return fmt.Errorf("open archive %s: %w", path, withoutPath(err))
	case info.IsDir():
		return fmt.Errorf("%s: %w: it is a directory", path, ErrNotArchive)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: %w: it is no regular file", path, ErrNotArchive)
	case info.Size() == 0:
		return fmt.Errorf("%s: %w: the file is empty", path, ErrNotArchive)
	}
	return nil
}

// withoutPath returns what is wrong with a file, without operation and path,
// for a message that names them already.
func withoutPath(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		return p.Err
	}
	return err
}

var (
	keyVersion  = []byte("format")
	keyCounters = []byte("counters")
	keyIdentity = []byte("identity") // random: two files are one archive if they have the same
	keyRewrites = []byte("rewrites") // how often a block that is not its bucket's last was replaced, see tx.put
	keyReread   = []byte("reread")   // how far a reread has come, see Archive.Reread
)

const identitySize = 16 // bytes
