package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Kinds of findings.
const (
	FoundPage       = "page"       // a page of the file: none of its own can be trusted
	FoundMeta       = "meta"       // one of the two pages that tell where all others are
	FoundValue      = "value"      // a value does not match its checksum, or does not decode
	FoundDictionary = "dictionary" // a dictionary cannot be used
	FoundBlock      = "block"      // a block of captures or records cannot be unpacked, or is not where it should be
	FoundRecord     = "record"     // a revision's front matter
	FoundCapture    = "capture"    // a revision's page
	FoundPost       = "post"       // a post's list of its revisions
	FoundIndex      = "index"      // what posts are selected by
	FoundTerm       = "term"       // a category, tag, security or page and its number
	FoundCounter    = "counter"    // a total, or a sequence
	FoundWanted     = "wanted"     // an entry of the frontier, the leads or the failures
	FoundAlias      = "alias"      // another identity of a post
	FoundStory      = "story"      // what is known of stories
)

// Finding is something that is wrong with an archive.
type Finding struct {
	What  string `json:"what"`  // one of the kinds
	Where string `json:"where"` // page, bucket and key, revision or post
	Why   string `json:"why"`
}

// maxFindings bounds [VerifyReport.Findings]; the counts tell of all.
const maxFindings = 100

// VerifyReport tells what was checked and what is wrong.
type VerifyReport struct {
	Archive   string         `json:"archive"`
	Complete  bool           `json:"complete"` // everything was looked at: neither an error nor damage ended the check
	Posts     int64          `json:"posts"`
	Revisions int64          `json:"revisions"`
	Pages     int            `json:"pages"`     // of the file, in use
	Entries   int64          `json:"entries"`   // of the indexes
	Values    int64          `json:"values"`    // all others, under a checksum or in a frame of their own
	Lost      int64          `json:"lost"`      // revisions of which an earlier repair could not save the page
	SetAside  int64          `json:"set_aside"` // values that repairs set aside
	Findings  []Finding      `json:"findings"`  // the first of them
	Counts    map[string]int `json:"counts"`    // of findings, by kind
	Repaired  []string       `json:"repaired"`  // what was done, a line each
}

// Clean reports whether nothing is wrong.
func (r *VerifyReport) Clean() bool { return len(r.Counts) == 0 }

// Damaged returns how many things are wrong.
func (r *VerifyReport) Damaged() int {
	n := 0
	for _, count := range r.Counts {
		n += count
	}
	return n
}

func (r *VerifyReport) find(what, where string, why any) {
	r.Counts[what]++
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, Finding{what, where, fmt.Sprint(why)})
	}
}

// Progress is told how many of how many revisions have been gone through.
type Progress func(done, total uint64)

// verifyTime bounds one look into the file while verifying.
const verifyTime = 80 * time.Millisecond

// Verify checks everything in the archive: pages, checksums, and that
// everything that is told twice is told alike. It takes many short looks into
// the file, between which others may write; what they write meanwhile is not
// looked at. Damage is in the report; the error is of a file that cannot be
// read as an archive at all.
func (a *Archive) Verify(ctx context.Context, progress Progress) (VerifyReport, error) {
	v, err := newVerifier(a, progress)
	if err != nil {
		return VerifyReport{}, err
	}
	err = v.all(ctx)
	return v.report, err
}

// Verify is as [Archive.Verify], of a file that may be too damaged to be
// opened.
func Verify(ctx context.Context, path string, progress Progress, options ...Option) (VerifyReport, error) {
	a, err := handle(path)
	if err != nil {
		return VerifyReport{}, err
	}
	for _, set := range options {
		set(a)
	}
	return a.Verify(ctx, progress)
}

// verifier is a check under way.
type verifier struct {
	a        *Archive
	report   VerifyReport
	progress Progress

	begun   bool
	last    uint64 // the revisions after it are not looked at
	totals  counters
	termSeq uint64            // the terms' sequence
	terms   map[string]uint64 // the number of each term
	sources map[uint64]string // the page of each number
	known   []bool            // by seq: the record could be read
	ids     []uint64          // by seq: of which post it is, see shortID
	fetched []int64           // by seq
	hours   []uint32          // by seq: since 1970, of its place in time
	index   *indexCheck
	raw     int64 // bytes of the captures
	posts   int64
	missing int64 // captures that are lost
}

func newVerifier(of *Archive, progress Progress) (*verifier, error) {
	a, err := handle(of.path) // with a codec that has no dictionary yet, so that the file's are tried
	if err != nil {
		return nil, err
	}
	a.gate, a.wait = of.gate, of.wait
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	return &verifier{
		a: a, progress: progress, terms: make(map[string]uint64), sources: make(map[uint64]string), index: new(indexCheck),
		report: VerifyReport{Archive: of.path, Findings: []Finding{}, Counts: make(map[string]int), Repaired: []string{}},
	}, nil
}

// all takes all the steps. Where the pages are damaged it goes no further: bbolt
// must not walk through them.
func (v *verifier) all(ctx context.Context) error {
	if err := v.pages(ctx); err != nil {
		return err
	}
	if v.report.Counts[FoundPage] > 0 {
		return v.newer(ctx)
	}
	if err := v.damage(v.begin(ctx)); err != nil || !v.begun {
		return err
	}
	return v.rest(ctx)
}

// newer fails where an archive is of a newer format, which has buckets that this
// program does not know: what it found wrong is not wrong then.
func (v *verifier) newer(ctx context.Context) error {
	err := v.a.view(ctx, func(*tx) error { return nil })
	if !errors.Is(err, ErrNewer) {
		return nil
	}
	v.report.Findings, v.report.Counts = []Finding{}, make(map[string]int)
	return err
}

// rest takes the steps that follow when it is fixed how far the check goes.
func (v *verifier) rest(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		v.values, v.records, v.captures, v.ends, v.heads, v.indexes, v.stories, v.count,
	} {
		if err := v.damage(step(ctx)); err != nil {
			return err
		}
	}
	v.report.Complete = true
	return nil
}

// damage takes an error that tells of damage into the report.
func (v *verifier) damage(err error) error {
	if errors.Is(err, ErrCorrupt) {
		v.report.find(FoundValue, "archive", err)
		return nil
	}
	return err
}

// pages checks the pages of the file, first without the lock: that brings them
// into memory, so that the look that counts is short. In that look bbolt checks
// them too. Of a million posts in 329,000 pages (1.3 GiB) it took 0.25 to 0.35 s,
// and bbolt's part 0.18 s more and 18 MiB; of 10,000 posts 3 ms, and 1.5 ms more.
// It cannot be divided, since no page may be used twice in the whole file.
func (v *verifier) pages(ctx context.Context) error {
	if err := checkFile(v.a.path); err != nil {
		return err
	}
	if _, err := v.checkPages(func(uint64, string) {}); err != nil {
		return err
	}
	err := v.a.through(ctx, 1, func() error {
		return v.a.locked(ctx, true, func(db *bolt.DB) (err error) {
			if v.report.Pages, err = v.checkPages(v.foundPage); err != nil || !v.report.Clean() {
				return err
			}
			return v.checkBolt(ctx, db)
		})
	})
	if errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNotArchive) || err != nil && v.short() {
		return v.unopened(err)
	}
	return err
}

// short reports whether the file ends within the two meta pages, of which bbolt
// makes an error of its own, and has the beginning of the first.
func (v *verifier) short() bool {
	f, err := os.Open(v.a.path)
	if err != nil {
		return false
	}
	defer f.Close() // it was only read
	info, err := f.Stat()
	return err == nil && info.Size() < 2*pageSize && newPager(f, info.Size(), func(uint64, string) {}).root != 0
}

// checkBolt takes what bbolt's own check finds into the report. That check trusts
// the pages that it is to judge, and runs in a goroutine of its own, where a
// fault or a stack that is full would end the process. So it is run only on
// pages that were found whole, in the same look.
func (v *verifier) checkBolt(ctx context.Context, db *bolt.DB) error {
	return db.View(func(tx *bolt.Tx) error {
		for found := range tx.Check() {
			if ctx.Err() == nil {
				v.report.find(FoundPage, "bbolt", found)
			}
		}
		return ctx.Err()
	})
}

// unopened tells of a file that bbolt cannot open: it is a damaged archive if
// there are pages of one in it.
func (v *verifier) unopened(err error) error {
	if errors.Is(err, ErrNotArchive) && !looksLikeArchive(v.a.path) {
		return err
	}
	_, readErr := v.checkPages(v.foundPage)
	if v.report.Counts[FoundPage] == 0 {
		v.report.find(FoundPage, "file", err)
	}
	return readErr
}

func (v *verifier) foundPage(page uint64, why string) {
	what := FoundPage
	if page < 2 {
		what = FoundMeta
	}
	v.report.find(what, fmt.Sprintf("page %d", page), why)
}

// checkPages goes through all pages of the file as it is now.
func (v *verifier) checkPages(fault func(page uint64, why string)) (used int, err error) {
	f, err := os.Open(v.a.path)
	if err != nil {
		return 0, fmt.Errorf("open archive %s: %w", v.a.path, withoutPath(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	p := newPager(f, info.Size(), fault)
	if p.root == 0 {
		fault(2, "there is no root")
		return 0, nil
	}
	return p.check(), nil
}

// begin fixes how far the check goes.
func (v *verifier) begin(ctx context.Context) error {
	return v.a.view(ctx, func(t *tx) error {
		v.last = t.Bucket(bucketRevisions).Sequence()
		v.termSeq = t.Bucket(bucketTerms).Sequence()
		n, err := t.counters()
		if err != nil {
			v.report.find(FoundCounter, "finarc counters", err)
		}
		v.totals, v.begun = n, true
		return nil
	})
}

// scan calls fn with every key of a bucket that is not before from, and its
// stored value, until fn reports that it is enough. It takes as many looks as it
// must.
func (a *Archive) scan(ctx context.Context, bucket, from []byte, fn func(t *tx, k, stored []byte) bool) error {
	for done := false; !done; {
		err := a.view(ctx, func(t *tx) error {
			began := time.Now()
			c := t.Bucket(bucket).Cursor()
			for k, stored := c.Seek(from); k != nil; k, stored = c.Next() {
				if !fn(t, k, stored) {
					break
				}
				if time.Since(began) > verifyTime {
					from = append(bytes.Clone(k), 0) // the next key that can be
					return nil
				}
			}
			done = true
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// shortID is an identity in eight bytes: that of a post with infoCode as it is,
// of another a hash.
func shortID(key []byte) uint64 {
	if len(key) == 8 {
		return binary.BigEndian.Uint64(key)
	}
	h := uint64(len(key))
	for _, b := range key {
		h = mixed(h ^ uint64(b))
	}
	return h
}

// mixed scrambles 64 bits (the finalizer of splitmix64).
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// count compares the totals. Where pages that were lost came back meanwhile, or
// others were lost, it cannot be told how many bytes there should be.
func (v *verifier) count(ctx context.Context) error {
	v.report.Posts, v.report.Revisions, v.report.Lost = v.posts, v.readable(), v.missing
	if v.report.Counts[FoundBlock]+v.report.Counts[FoundRecord]+v.report.Counts[FoundPost]+v.report.Counts[FoundCapture] > 0 {
		return nil // they cannot be right
	}
	var now counters
	err := v.a.view(ctx, func(t *tx) (err error) {
		now, err = t.counters()
		return err
	})
	if errors.Is(err, ErrCorrupt) {
		return nil // told of
	}
	if err != nil {
		return err
	}
	v.total("posts", v.totals.Posts, v.posts)
	v.total("revisions", v.totals.Revisions, v.report.Revisions)
	if now.Lost == v.totals.Lost {
		v.total("bytes of pages", v.totals.Raw, v.raw)
		v.total("lost pages", v.totals.Lost, v.missing)
	}
	return nil
}

func (v *verifier) total(name string, told, is int64) {
	if told != is {
		v.report.find(FoundCounter, name, fmt.Sprintf("%d are told, and %d are there", told, is))
	}
}

// readable returns how many records there are.
func (v *verifier) readable() int64 {
	n := int64(0)
	for _, known := range v.known {
		if known {
			n++
		}
	}
	return n
}
