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
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/klauspost/compress/zstd"
	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sync/semaphore"
)

// Version is the format that this program writes. Newer ones are refused, and so
// are those before the oldest. One in between is read as it is, and becomes this
// when it is written to.
const (
	Version       = 3
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

	bucketSignatures = []byte("signatures")
	bucketStories    = []byte("stories")
)

func buckets() [][]byte {
	return [][]byte{
		bucketMeta, bucketDicts, bucketCaptures, bucketRevisions, bucketPosts, bucketAliases,
		bucketTimes, bucketTerms, bucketPostings, bucketFrontier, bucketLeads, bucketFailed,
		bucketUnread, bucketLists, bucketRuns, bucketBroken, bucketHosts, bucketRecent,
		bucketSignatures, bucketStories,
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

func options(readOnly bool) *bolt.Options {
	return &bolt.Options{
		ReadOnly: readOnly, Timeout: lockOnce, PageSize: pageSize,
		FreelistType: bolt.FreelistArrayType, NoStatistics: true,
	}
}

// view runs fn in a read transaction. Values that it takes out must be copied.
func (a *Archive) view(ctx context.Context, fn func(*tx) error) error {
	return a.through(ctx, 1, func() error { return a.run(ctx, true, fn) })
}

// update runs fn in a write transaction and makes its changes durable, all or
// none.
func (a *Archive) update(ctx context.Context, fn func(*tx) error) error {
	return a.through(ctx, gatePlaces, func() error { return a.run(ctx, false, fn) })
}

// through runs fn with so many places of the gate, which come in the order in
// which they are asked for.
func (a *Archive) through(ctx context.Context, places int64, fn func() error) error {
	if err := a.gate.Acquire(ctx, places); err != nil {
		return err
	}
	defer a.gate.Release(places)
	return fn()
}

// alone runs fn in a read transaction while nobody else reads or writes, in
// this process or another.
func (a *Archive) alone(ctx context.Context, fn func(*tx) error) error {
	return a.through(ctx, gatePlaces, func() error {
		return a.locked(ctx, false, func(db *bolt.DB) error { return a.transact(db, true, fn) })
	})
}

func (a *Archive) run(ctx context.Context, readOnly bool, fn func(*tx) error) error {
	return a.locked(ctx, readOnly, func(db *bolt.DB) error { return a.transact(db, readOnly, fn) })
}

// locked runs fn with the file open, and so locked: for this process alone, or
// for those that read. A panic, or a fault, is damage of the file.
func (a *Archive) locked(ctx context.Context, readOnly bool, fn func(*bolt.DB) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer a.recoverDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	db, err := a.open(ctx, readOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return fn(db)
}

func (a *Archive) transact(db *bolt.DB, readOnly bool, fn func(*tx) error) error {
	inTx := func(btx *bolt.Tx) error {
		t, err := a.begin(btx)
		if err != nil {
			return err
		}
		return a.damaged(fn(t))
	}
	if readOnly {
		return db.View(inTx)
	}
	if err := a.guard(); err != nil {
		return err
	}
	db.AllocSize = allocSize
	return a.unwritten(db.Update(inTx))
}

// unwritten adds to an error of writing which file it is about, unless the
// error tells.
func (a *Archive) unwritten(err error) error {
	for _, told := range []error{nil, ErrCorrupt, ErrNotArchive, ErrNewer} {
		if errors.Is(err, told) {
			return err
		}
	}
	return fmt.Errorf("archive %s: %w", a.path, withoutPath(grown(err)))
}

// damaged adds to an error that tells of damage which file it is in.
func (a *Archive) damaged(err error) error {
	if errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	return err
}

// open opens the file, waiting for whoever holds it.
func (a *Archive) open(ctx context.Context, readOnly bool) (*bolt.DB, error) {
	if err := checkFile(a.path); err != nil {
		return nil, err
	}
	db, err := a.acquire(ctx, readOnly)
	switch {
	case err == nil:
		return db, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, berrors.ErrTimeout):
		return nil, a.busy()
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, fmt.Errorf("%s: %w: %w", a.path, ErrNotArchive, err)
	default:
		return nil, fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
	}
}

// busy says who holds the file for longer than was to be waited, where that can
// be told.
func (a *Archive) busy() error {
	wait := max(0, a.wait)
	if who := heldBy(holders(a.path)); who != "" {
		return fmt.Errorf("%s: %w: held by %s, for longer than %v", a.path, ErrBusy, who, wait)
	}
	return fmt.Errorf("%s: %w: another process holds it, for longer than %v", a.path, ErrBusy, wait)
}

// acquire opens the file, trying its lock until the wait or ctx is over.
func (a *Archive) acquire(ctx context.Context, readOnly bool) (*bolt.DB, error) {
	deadline := time.Now().Add(a.wait)
	leave, err := a.enter(ctx, readOnly, deadline)
	if err != nil {
		return nil, err
	}
	defer leave()
	for {
		db, err := openNamed(a.path, readOnly)
		left := time.Until(deadline)
		switch {
		case errors.Is(err, errReplaced) && ctx.Err() == nil:
			continue
		case !errors.Is(err, berrors.ErrTimeout) || left <= 0:
			return db, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(min(2*doorPoll, left)):
		}
	}
}

// errReplaced: while the file's lock was waited for, another file was put in
// its place.
var errReplaced = errors.New("another file was put in its place")

// openNamed opens the file at path. The lock is the file's and not the path's,
// so that whoever waits for it may get that of a file which a compaction has
// replaced meanwhile: what is written there would be lost, so the path is asked
// once more when the lock is held. It fails with errReplaced where it names
// another file by then.
func openNamed(path string, readOnly bool) (*bolt.DB, error) {
	var file *os.File
	o := options(readOnly)
	o.OpenFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		f, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
		file = f
		return f, err
	}
	if !readOnly {
		o.InitialMmapSize = roomToGrow(path)
	}
	db, err := bolt.Open(path, fileMode, o)
	if err != nil {
		return nil, err
	}
	if err := stillNamed(path, file); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// roomToGrow returns how large a map of the file has room for what a commit adds.
// Where bbolt must map the file anew in the middle of one, it copies all that the
// transaction has touched.
func roomToGrow(path string) int {
	info, err := os.Stat(path)
	if err != nil || mapAhead == 0 {
		return 0 // which stands for the file's length
	}
	return int(info.Size()) + mapAhead
}

// stillNamed fails with errReplaced unless a path names a file that was opened.
func stillNamed(path string, file *os.File) error {
	opened, err := file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(opened, named) {
		return errReplaced
	}
	return nil
}

// recoverDamage turns a panic of bbolt, which it takes to when a page makes no
// sense, and a fault on a page that is not there, into an error.
func (a *Archive) recoverDamage(err *error) {
	switch p := recover().(type) {
	case nil:
	case runtime.Error:
		*err = fmt.Errorf("%s: %w: a page makes no sense (%w)", a.path, ErrCorrupt, p)
	default:
		*err = fmt.Errorf("%s: %w: %v", a.path, ErrCorrupt, p)
	}
}

var (
	keyVersion  = []byte("format")
	keyCounters = []byte("counters")
	keyIdentity = []byte("identity") // random: two files are one archive if they have the same
	keyRewrites = []byte("rewrites") // how often a block that is not its bucket's last was replaced, see tx.put
	keyReread   = []byte("reread")   // how far a reread has come, see Archive.Reread
)

const identitySize = 16 // bytes

// begin wraps a transaction, after checking that the file is an archive of a
// format that this program knows and loading the dictionaries that another
// process may have added.
func (a *Archive) begin(btx *bolt.Tx) (*tx, error) {
	t := &tx{a: a, Tx: btx}
	if !btx.Writable() {
		t.readTrees()
	}
	if !t.hasBucket(bucketMeta) {
		return nil, fmt.Errorf("%s: %w: a bbolt file of another program", a.path, ErrNotArchive)
	}
	v := t.Bucket(bucketMeta).Get(keyVersion)
	if len(v) != seqSize {
		return nil, fmt.Errorf("%s: %w: no format version", a.path, ErrCorrupt)
	}
	switch version := uint40(v); {
	case version > Version:
		return nil, fmt.Errorf("%s: %w: %d, and this finarc reads up to %d; use a newer finarc", a.path, ErrNewer, version, Version)
	case version < oldestVersion:
		return nil, fmt.Errorf("%s: %w: format %d, of before the first release", a.path, ErrNotArchive, version)
	}
	for _, name := range buckets() {
		if err := t.require(name); err != nil {
			return nil, err
		}
	}
	if t.Writable() {
		if err := t.raiseVersion(); err != nil {
			return nil, err
		}
	}
	return t, a.damaged(t.identify())
}

// raiseVersion makes an archive of an older format one of this, which is what it
// is once it has all buckets: a finarc of before them would not find what is put
// there, and so must not open it.
func (t *tx) raiseVersion() error {
	b, now := t.Bucket(bucketMeta), appendUint40(nil, Version)
	if bytes.Equal(b.Get(keyVersion), now) {
		return nil
	}
	return b.Put(keyVersion, now)
}

// require checks that there is a bucket, or makes it, where the archive is of
// before there was such a one and is written to.
func (t *tx) require(bucket []byte) error {
	switch {
	case t.hasBucket(bucket), added(bucket) && !t.Writable():
		return nil
	case added(bucket):
		_, err := t.CreateBucket(bucket)
		return err
	}
	return fmt.Errorf("%s: %w: bucket %s is missing", t.a.path, ErrCorrupt, bucket)
}

// added reports whether a bucket came to the format after others had written
// archives without it: there it is as good as empty, and made when the archive
// is first written to.
func added(bucket []byte) bool {
	switch string(bucket) {
	case string(bucketHosts), string(bucketRecent), string(bucketSignatures), string(bucketStories):
		return true
	}
	return false
}

// since returns the first format that has a bucket.
func since(bucket []byte) uint64 {
	switch string(bucket) {
	case string(bucketRecent), string(bucketSignatures), string(bucketStories):
		return 3
	}
	return oldestVersion
}

// identify checks that the file is the archive that it was when it was opened:
// another may have been put in its place.
func (t *tx) identify() error {
	identity, err := t.get(bucketMeta, keyIdentity)
	if err != nil {
		return err
	}
	t.a.mu.Lock()
	defer t.a.mu.Unlock()
	switch {
	case len(identity) != identitySize:
		return fmt.Errorf("%w: no identity", ErrCorrupt)
	case t.a.identity == nil:
		t.a.identity = bytes.Clone(identity)
	case !bytes.Equal(t.a.identity, identity):
		return fmt.Errorf("%s: %w: another archive was put in its place meanwhile", t.a.path, ErrNotArchive)
	}
	return nil
}

// tx is a transaction: of bbolt, on this archive.
type tx struct {
	*bolt.Tx
	a *Archive

	file  mapped             // where it only reads, see tx.readTrees
	trees map[string]*bucket // likewise, by name; nil where it writes

	encoder *zstd.Encoder      // see tx.packer
	terms   map[string]uint64  // terms looked up in this transaction
	sources map[uint64]string  // likewise, see tx.source
	blocks  map[string][]block // by bucket, the last ones read in this transaction
	rewrote bool               // see countRewrite
	wrote   int                // bytes that were put, a page for each value at least
}

// fill returns how full bbolt is to leave the pages that it splits. Captures
// and revisions only ever grow at their end, so their pages can be full; the
// others take keys in between and keep some room.
func fill(bucket []byte) float64 {
	switch string(bucket) {
	case string(bucketCaptures), string(bucketRevisions):
		return 1
	}
	return 0.9
}

func (t *tx) head(id news.ID) (head, error) {
	v, err := t.get(bucketPosts, idKey(id))
	if v == nil || err != nil {
		return nil, err
	}
	h, err := decodeHead(v)
	if err != nil {
		return nil, fmt.Errorf("post %s: %w", id, err)
	}
	return h, nil
}

func (t *tx) record(seq uint64) (*record, error) {
	plain, err := t.value(bucketRevisions, seq)
	if err != nil {
		return nil, err
	}
	if len(plain) == 0 {
		return nil, fmt.Errorf("revision %d: %w", seq, ErrLost)
	}
	r, err := t.a.codec.decodeRecord(plain)
	if err != nil {
		return nil, fmt.Errorf("revision %d: %w", seq, err)
	}
	return r, nil
}

func (t *tx) capture(seq uint64) (*news.Capture, error) {
	plain, err := t.value(bucketCaptures, seq)
	if err != nil {
		return nil, err
	}
	if len(plain) == 0 {
		return nil, fmt.Errorf("capture %d: %w", seq, ErrLost)
	}
	_, c, err := t.a.codec.decodeCapture(plain)
	if err != nil {
		return nil, fmt.Errorf("capture %d: %w", seq, err)
	}
	return c, nil
}
