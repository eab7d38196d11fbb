package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/finarc/finarc/durable"
)

// Repair verifies the archive, sets aside what is broken, makes again what can
// be made from the rest, and verifies once more; the report is that of the last
// look, with what was done. Nothing is thrown away: what is broken goes to a
// bucket of its own, as it is.
//
// It looks in short looks, and writes in short transactions, between which
// others may read and write. Each looks again at what it is about to change, and
// leaves the archive no worse than it was: after one that was interrupted, the
// next repair finds what is left to do. The error is [ErrBusy] where another
// repair is under way.
//
// A page that is lost takes the article with it, and leaves the front matter;
// a record that is lost is read again from the page by read, or, where read is
// nil or cannot, made of what the capture itself tells. Where the pages of the
// file are damaged, or a dictionary and its copy, nothing is done: the error is
// [ErrSalvage].
func (a *Archive) Repair(ctx context.Context, read Reader, progress Progress) (VerifyReport, error) {
	before, err := a.Verify(ctx, progress)
	if err != nil || before.Clean() {
		return before, err
	}
	if before.Counts[FoundPage] > 0 {
		return before, fmt.Errorf("%s: %w: %d of its pages are damaged", a.path, ErrSalvage, before.Counts[FoundPage])
	}
	release, err := a.lockRepair()
	if err != nil {
		return before, err
	}
	v, err := newVerifier(a, nil) // for a codec that has no dictionary yet
	if err == nil {
		r := &repair{a: v.a, read: read, found: before.Counts}
		err = r.all(ctx)
		before.Repaired = r.done
	}
	a.forgetIdentity()
	if err = errors.Join(err, release()); err != nil {
		return before, err
	}
	after, err := a.Verify(ctx, progress)
	after.Repaired = append(after.Repaired, before.Repaired...)
	return after, err
}

// Repair is as [Archive.Repair], of a file that may be too damaged to be
// opened.
func Repair(ctx context.Context, path string, read Reader, progress Progress, options ...Option) (VerifyReport, error) {
	a, err := handle(path)
	if err != nil {
		return VerifyReport{}, err
	}
	for _, set := range options {
		set(a)
	}
	return a.Repair(ctx, read, progress)
}

// repairLock is the file of the lock that a repair holds, in the folder of the
// locks. No lock of a mirror has such a name.
const repairLock = "repair"

// lockRepair keeps other repairs away until release is called: two at a time
// would count the totals against each other. Where the system has no such locks
// it does without.
func (a *Archive) lockRepair() (release func() error, err error) {
	dir, err := a.lockDir()
	if err != nil {
		return nil, fmt.Errorf("repair %s: %w", a.path, err)
	}
	f, err := openLock(dir, repairLock)
	if err != nil {
		return nil, fmt.Errorf("repair %s: %w", a.path, err)
	}
	free, err := durable.TryLock(f)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		err = nil
	case err == nil && !free:
		err = fmt.Errorf("%s: %w: another repair is under way", a.path, ErrBusy)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// forgetIdentity takes the archive as it is when it is opened next.
func (a *Archive) forgetIdentity() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.identity = nil
}

// repair is a repair under way.
type repair struct {
	a       *Archive
	read    Reader
	found   map[string]int
	done    []string
	reindex bool // records or terms have changed
	renamed bool // terms were set aside, and need new numbers
	aside   int  // values set aside
	remade  int  // records made again
	bare    int  // of which without front matter
	lost    int  // revisions of which nothing is left, and something was before
	unpaged int  // revisions of which the page alone is lost, and was there before
	lists   int  // list pages whose validators are gone

	relisted int // lists of the indexes that were not right, and were made again
	unlisted int // lists of the indexes that could not be read, and were removed

	pageless []uint64 // revisions whose page is lost, since whenever
	filled   []gap    // of blocks, that this repair filled with values of no bytes
}

func (r *repair) tell(format string, args ...any) {
	r.done = append(r.done, fmt.Sprintf(format, args...))
}

// all takes all steps: first what others need. The totals come last: as long as
// they are not right, an archive whose repair was interrupted is not taken for
// whole.
func (r *repair) all(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		r.openable, r.values, r.terms, r.chains, r.revisions, r.heads, r.revisits, r.indexes, r.stories, r.unheld, r.again, r.runs, r.exports, r.totals,
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("repair: %w", err)
		}
	}
	if r.found[FoundMeta] > 0 { // each transaction writes one of the two in turn
		r.tell("wrote the damaged meta page again; if it was the newer one, the last transaction is lost")
	}
	if r.lists > 0 {
		r.tell("%d list pages are read again even if they have not changed", r.lists)
	}
	if r.aside > 0 {
		r.tell("set %d broken values aside, in bucket %s", r.aside, bucketBroken)
	}
	return nil
}

// Bounds on what a repair changes in one transaction, for which others wait.
const (
	portionTime  = 50 * time.Millisecond
	portionBytes = 4 << 20
)

// portions calls fn with each of a list, as many in one transaction as there is
// time for.
func portions[T any](ctx context.Context, a *Archive, list []T, fn func(t *tx, one T) error) error {
	for len(list) > 0 {
		err := a.update(ctx, func(t *tx) error {
			began := time.Now()
			for first := true; len(list) > 0 && (first || time.Since(began) < portionTime && t.wrote < portionBytes); list = list[1:] {
				if err := fn(t, list[0]); err != nil {
					return err
				}
				first = false
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// setAside moves a value to the broken ones. A block that goes so is replaced,
// and was the last one perhaps, after which none counts as such: who copies the
// archive meanwhile must look at all of them again.
func (r *repair) setAside(t *tx, bucket, key []byte) error {
	if blocks(bucket) {
		if err := t.rewriting(); err != nil {
			return err
		}
	}
	key = bytes.Clone(key)
	stored := bytes.Clone(t.Bucket(bucket).Get(key))
	r.aside++
	name := slices.Concat(bucket, []byte{0}, key)
	for t.has(bucketBroken, name) { // it is not the first there
		name = append(name, '+')
	}
	if err := t.delete(bucket, key); err != nil {
		return err
	}
	return t.put(bucketBroken, name, stored)
}

// checker tells what is wrong with a value.
type checker func(t *tx, k, plain []byte) error

// refuses reports whether a stored value does not match its checksum, or the
// check, which may be nil, finds something wrong with it.
func (t *tx) refuses(bucket, k, stored []byte, check checker) bool {
	plain, err := stored, error(nil)
	if sealed(bucket) {
		plain, err = unseal(bucket, k, stored)
	}
	if err == nil && check != nil {
		err = check(t, k, plain)
	}
	return err != nil
}

// discard sets aside the values of a bucket that a check refuses, and does what
// is to be done besides, if anything, in the same transactions.
func (r *repair) discard(ctx context.Context, bucket []byte, check checker, besides func(*tx) error) (int, error) {
	var keys [][]byte
	err := r.a.scan(ctx, bucket, nil, func(t *tx, k, stored []byte) bool {
		if t.refuses(bucket, k, stored, check) {
			keys = append(keys, bytes.Clone(k))
		}
		return true
	})
	if err != nil {
		return 0, err
	}
	n := 0
	err = portions(ctx, r.a, keys, func(t *tx, k []byte) error {
		stored := t.Bucket(bucket).Get(k)
		if stored == nil || !t.refuses(bucket, k, stored, check) {
			return nil
		}
		n++
		if besides != nil {
			if err := besides(t); err != nil {
				return err
			}
		}
		return r.setAside(t, bucket, k)
	})
	return n, err
}

// values sets aside what is broken where nothing else depends on it.
func (r *repair) values(ctx context.Context) error {
	for _, of := range []struct {
		bucket []byte
		check  checker
		told   string
	}{
		{bucketLists, func(t *tx, _, plain []byte) error { return t.a.codec.decode(plain, new(listPage)) }, "list pages: they are read anew when they are found again"},
		{bucketRuns, func(_ *tx, k, plain []byte) error { return checkRun(k, plain) }, "reports of runs"},
		{bucketHosts, (*tx).checkHost, "hosts: their robots.txt is asked for anew"},
		{bucketUnread, (*tx).checkUnread, "pages that were kept apart"},
		{bucketTerms, nil, "categories, tags, securities or pages: they get other numbers"},
		{bucketBroken, nil, "values that had been set aside before: they have new checksums"},
	} {
		n, err := r.discard(ctx, of.bucket, of.check, nil)
		if err != nil {
			return err
		}
		if n > 0 {
			r.tell("set aside %d %s", n, of.told)
			r.renamed = r.renamed || bytes.Equal(of.bucket, bucketTerms)
		}
	}
	return nil
}

func checkRun(k, plain []byte) error {
	_, err := decodeRun(k, plain)
	return err
}

// unheld sets aside aliases that lead nowhere, and wanted posts that cannot be
// read or that are archived.
func (r *repair) unheld(ctx context.Context) error {
	n, err := r.discard(ctx, bucketAliases, func(t *tx, k, plain []byte) error {
		if !t.has(bucketPosts, plain) {
			return fmt.Errorf("%w: alias %x", ErrCorrupt, k)
		}
		return nil
	}, nil)
	if err != nil {
		return err
	}
	if n > 0 {
		r.tell("set aside %d aliases", n)
	}
	for _, bucket := range [][]byte{bucketFrontier, bucketLeads, bucketFailed} {
		n, err := r.discard(ctx, bucket, func(t *tx, k, plain []byte) error {
			if t.held(k) && !t.pageLost(k) {
				return fmt.Errorf("%w: it is archived", ErrCorrupt)
			}
			_, err := t.decodeWanted(k, plain)
			return err
		}, r.listsAgain)
		if err != nil {
			return err
		}
		if n > 0 {
			r.tell("set aside %d entries of %s", n, bucket)
		}
	}
	return nil
}

// listsAgain lets the crawl read all lists again, in the transaction in which a
// post or a link is lost: one that has not changed would never tell of it again.
func (r *repair) listsAgain(t *tx) error {
	pages := make(map[string][]byte)
	err := t.each(bucketLists, func(k, plain []byte) error {
		page, err := t.a.codec.unvalidated(plain)
		if err == nil && !bytes.Equal(page, plain) {
			pages[string(k)] = page
		}
		return err
	})
	for k, page := range pages {
		err = errors.Join(err, t.put(bucketLists, []byte(k), page))
	}
	r.lists += len(pages)
	return err
}

// againBatch is how many revisions are put into the frontier at a time.
const againBatch = 64

// again puts the posts whose page is lost into the frontier.
func (r *repair) again(ctx context.Context) error {
	all := 0
	err := portions(ctx, r.a, slices.Collect(slices.Chunk(r.pageless, againBatch)), func(t *tx, part []uint64) error {
		n, err := t.wantAgain(part)
		all += n
		return err
	})
	if all > 0 {
		r.tell("put %d posts whose page is lost into the frontier", all)
	}
	return err
}

// runs puts the runs' sequence right.
func (r *repair) runs(ctx context.Context) error {
	return r.a.update(ctx, func(t *tx) error {
		was, is, err := t.endOfRuns()
		if was != is {
			r.tell("the next run is %d; it would have been %d", is+1, was+1)
		}
		return err
	})
}

// endOfRuns puts the runs' sequence right, and tells what it was.
func (t *tx) endOfRuns() (was, is uint64, err error) {
	if k, _ := t.Bucket(bucketRuns).Cursor().Last(); len(k) == seqSize {
		is = uint40(k)
	}
	was = t.Bucket(bucketRuns).Sequence()
	return was, is, t.Bucket(bucketRuns).SetSequence(is)
}
