package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// Repair verifies the archive, sets aside what is broken, makes again what can
// be made from the rest, and verifies once more; the report is that of the last
// look, with what was done. All is done in one transaction, or nothing. Nothing
// is thrown away: what is broken goes to a bucket of its own, as it is.
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
	v, err := newVerifier(a, nil) // for a codec that has no dictionary yet
	if err != nil {
		return before, err
	}
	r := &repair{read: read, found: before.Counts}
	err = v.a.through(ctx, gatePlaces, func() error {
		return v.a.locked(ctx, false, func(db *bolt.DB) error {
			db.AllocSize = allocSize
			err := db.Update(func(btx *bolt.Tx) error {
				r.t = &tx{a: v.a, Tx: btx}
				return r.all(ctx)
			})
			if err == nil && before.Counts[FoundMeta] > 0 {
				// The first transaction wrote one of the two meta pages.
				err = db.Update(func(*bolt.Tx) error { return nil })
			}
			return v.a.unwritten(err)
		})
	})
	if err != nil {
		return before, err
	}
	a.forgetIdentity()
	after, err := a.Verify(ctx, progress)
	after.Repaired = append(after.Repaired, r.done...)
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

// forgetIdentity takes the archive as it is when it is opened next.
func (a *Archive) forgetIdentity() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.identity = nil
}

// repair is a repair under way.
type repair struct {
	t       *tx
	read    Reader
	found   map[string]int
	done    []string
	reindex bool // records or terms have changed
	aside   int  // values set aside
	remade  int  // records made again
	bare    int  // of which without front matter
	links   int  // entries of the frontier set aside
	lost    int  // revisions of which nothing is left, and something was before
	unpaged int  // revisions of which the page alone is lost, and was there before

	pageless []uint64 // revisions whose page is lost, since whenever
	filled   []gap    // of blocks, that this repair filled with values of no bytes
}

func (r *repair) tell(format string, args ...any) {
	r.done = append(r.done, fmt.Sprintf(format, args...))
}

// all takes all steps: first what others need.
func (r *repair) all(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		short(r.meta), short(r.dictionaries), short(r.values), short(r.terms), r.chains, r.revisions, r.heads, r.indexes,
		short(r.unheld), short(r.again), short(r.runs), r.totals,
	} {
		err := ctx.Err()
		if err == nil {
			err = step(ctx)
		}
		if err != nil {
			return fmt.Errorf("repair: %w", err)
		}
	}
	if r.found[FoundMeta] > 0 {
		r.tell("wrote the damaged meta page again; if it was the newer one, the last transaction is lost")
	}
	if r.aside > 0 {
		r.tell("set %d broken values aside, in bucket %s", r.aside, bucketBroken)
	}
	return nil
}

// short makes a step of one that takes so little that it looks at no context.
func short(step func() error) func(context.Context) error {
	return func(context.Context) error { return step() }
}

// setAside moves a value to the broken ones. A block that goes so is replaced,
// and was the last one perhaps, after which none counts as such: who copies the
// archive meanwhile must look at all of them again.
func (r *repair) setAside(bucket, key []byte) error {
	if blocks(bucket) {
		if err := r.t.rewriting(); err != nil {
			return err
		}
	}
	key = bytes.Clone(key)
	stored := bytes.Clone(r.t.Bucket(bucket).Get(key))
	r.aside++
	name := slices.Concat(bucket, []byte{0}, key)
	for r.t.has(bucketBroken, name) { // it is not the first there
		name = append(name, '+')
	}
	if err := r.t.delete(bucket, key); err != nil {
		return err
	}
	return r.t.put(bucketBroken, name, stored)
}

// bad returns the keys of a bucket whose values a check refuses. A nil check
// refuses none.
func (r *repair) bad(bucket []byte, check func(k, plain []byte) error) ([][]byte, error) {
	var keys [][]byte
	err := r.t.Bucket(bucket).ForEach(func(k, stored []byte) error {
		plain, err := stored, error(nil)
		if sealed(bucket) {
			plain, err = unseal(bucket, k, stored)
		}
		if err == nil && check != nil {
			err = check(k, plain)
		}
		if err != nil {
			keys = append(keys, bytes.Clone(k))
		}
		return nil
	})
	return keys, err
}

// discard sets aside the values of a bucket that a check refuses.
func (r *repair) discard(bucket []byte, check func(k, plain []byte) error) (int, error) {
	keys, err := r.bad(bucket, check)
	for _, k := range keys {
		err = errors.Join(err, r.setAside(bucket, k))
	}
	return len(keys), err
}

// meta puts format and identity right, and sets aside what else is broken.
func (r *repair) meta() error {
	format := r.t.Bucket(bucketMeta).Get(keyVersion)
	if format != nil && !bytes.Equal(format, appendUint40(nil, Version)) {
		return fmt.Errorf("%w: format %x", ErrSalvage, format)
	}
	keys, err := r.bad(bucketMeta, nil)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if bytes.Equal(k, keyVersion) {
			continue // it has no checksum
		}
		if err := r.setAside(bucketMeta, k); err != nil {
			return err
		}
	}
	if identity, err := r.t.get(bucketMeta, keyIdentity); err != nil || len(identity) != identitySize {
		fresh := make([]byte, identitySize)
		if _, err := rand.Read(fresh); err != nil {
			return fmt.Errorf("make an identity: %w", err)
		}
		if err := r.t.put(bucketMeta, keyIdentity, fresh); err != nil {
			return err
		}
		r.tell("gave the archive a new identity: programs that follow it take it for another")
	}
	return r.t.Bucket(bucketMeta).Put(keyVersion, appendUint40(nil, Version))
}

// dictionaries puts copies in the place of broken dictionaries, and makes
// copies again. Without a dictionary everything that was packed with it would be
// set aside; Salvage does better with what is left of it.
func (r *repair) dictionaries() error {
	broken, err := r.bad(bucketDicts, func(k, plain []byte) error {
		c, err := newCodec()
		if err != nil {
			return err
		}
		return c.tryDict(k, plain)
	})
	if err != nil {
		return err
	}
	for _, k := range broken {
		if err := r.setAside(bucketDicts, k); err != nil {
			return err
		}
	}
	restored := 0
	for _, id := range r.t.copiedDicts() {
		if r.t.has(bucketDicts, dictKey(id)) {
			continue
		}
		d, err := r.t.dictCopy(id)
		if err != nil {
			continue
		}
		if err := r.t.put(bucketDicts, dictKey(id), d); err != nil {
			return err
		}
		restored++
	}
	for _, k := range broken {
		if !r.t.has(bucketDicts, k) {
			return fmt.Errorf("%w: a dictionary is damaged, and so is its copy", ErrSalvage)
		}
	}
	if restored > 0 {
		r.tell("took %d broken dictionaries from their copies", restored)
	}
	return r.copyDicts()
}

// copyDicts makes the copies that there are not, or that are not right.
func (r *repair) copyDicts() error {
	all := make(map[uint32][]byte)
	err := r.t.each(bucketDicts, func(k, v []byte) error {
		all[binary.BigEndian.Uint32(k)] = bytes.Clone(v)
		return nil
	})
	if err != nil {
		return err
	}
	made := 0
	for id, d := range all {
		if copied, err := r.t.dictCopy(id); err == nil && bytes.Equal(copied, d) {
			continue
		}
		if err := r.t.putDict(id, d); err != nil {
			return err
		}
		made++
	}
	if made > 0 {
		r.tell("made the copies of %d dictionaries again", made)
	}
	for _, id := range r.t.copiedDicts() {
		if all[id] == nil {
			if err := r.setAside(bucketMeta, dictCopyKey(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// values sets aside what is broken where nothing else depends on it.
func (r *repair) values() error {
	if err := r.t.require(bucketHosts); err != nil {
		return err
	}
	for _, of := range []struct {
		bucket []byte
		check  func(k, plain []byte) error
		told   string
	}{
		{bucketLists, func(_, plain []byte) error { return r.t.a.codec.decode(plain, new(listPage)) }, "list pages: they are read anew when they are found again"},
		{bucketRuns, checkRun, "reports of runs"},
		{bucketHosts, r.t.checkHost, "hosts: their robots.txt is asked for anew"},
		{bucketUnread, r.t.checkUnread, "pages that were kept apart"},
		{bucketPosts, nil, "entries of posts: when they were last seen is lost"},
		{bucketTerms, nil, "categories, tags, securities or pages: they get other numbers"},
		{bucketBroken, nil, "values that had been set aside before: they have new checksums"},
	} {
		n, err := r.discard(of.bucket, of.check)
		if err != nil {
			return err
		}
		if n > 0 {
			r.tell("set aside %d %s", n, of.told)
			r.reindex = r.reindex || bytes.Equal(of.bucket, bucketTerms)
		}
	}
	return nil
}

// terms makes the two entries of a page fit, and sets aside terms whose number
// another has too.
func (r *repair) terms() error {
	owner := make(map[uint64][]byte)
	var wrong [][]byte
	last := uint64(0)
	sources := make(map[uint64]string)
	err := r.t.each(bucketTerms, func(k, v []byte) error {
		if len(k) == 1+seqSize && k[0] == 0 {
			sources[uint40(k[1:])] = string(v)
			last = max(last, uint40(k[1:]))
			return nil
		}
		n, size := binary.Uvarint(v)
		if size <= 0 || size != len(v) || n == 0 || n >= 1<<(8*termSize) || owner[n] != nil {
			wrong = append(wrong, bytes.Clone(k))
			return nil
		}
		owner[n], last = bytes.Clone(k), max(last, n)
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range wrong {
		r.reindex = true
		if err := r.setAside(bucketTerms, k); err != nil {
			return err
		}
	}
	for n, k := range owner {
		if k[0] == byte(termSource) && sources[n] == "" {
			sources[n] = string(k[1:])
			if err := r.t.put(bucketTerms, sourceKey(n), k[1:]); err != nil {
				return err
			}
		}
	}
	for n, address := range sources {
		text := sourceTerm(address)
		if string(owner[n]) == text {
			continue
		}
		if owner[n] != nil || r.t.has(bucketTerms, []byte(text)) { // another's number, or it has another
			if err := r.setAside(bucketTerms, sourceKey(n)); err != nil {
				return err
			}
			continue
		}
		if err := r.t.put(bucketTerms, []byte(text), binary.AppendUvarint(nil, n)); err != nil {
			return err
		}
	}
	r.t.terms, r.t.sources = nil, nil
	if was := r.t.Bucket(bucketTerms).Sequence(); was != last {
		r.tell("the last number of a term is %d; its sequence said %d", last, was)
	}
	return r.t.Bucket(bucketTerms).SetSequence(last)
}

// unheld sets aside aliases that lead nowhere, and wanted posts that cannot be
// read or that are archived.
func (r *repair) unheld() error {
	n, err := r.discard(bucketAliases, func(k, plain []byte) error {
		if !r.t.has(bucketPosts, plain) {
			return fmt.Errorf("%w: alias %x", ErrCorrupt, k)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n > 0 {
		r.tell("set aside %d aliases", n)
	}
	for _, bucket := range [][]byte{bucketFrontier, bucketLeads, bucketFailed} {
		n, err := r.discard(bucket, func(k, plain []byte) error {
			if r.t.held(k) && !r.t.pageLost(k) {
				return fmt.Errorf("%w: it is archived", ErrCorrupt)
			}
			_, err := r.t.decodeWanted(k, plain)
			return err
		})
		if err != nil {
			return err
		}
		if n > 0 {
			r.links += n
			r.tell("set aside %d entries of %s", n, bucket)
		}
	}
	return nil
}

// again lets the crawl get what was lost: posts whose page is lost from the
// frontier, and those of which nothing is left from the lists, which are all
// read again.
func (r *repair) again() error {
	n, err := r.t.wantAgain(r.pageless)
	if err != nil {
		return err
	}
	if n > 0 {
		r.tell("put %d posts whose page is lost into the frontier", n)
	}
	if r.links+r.lost == 0 {
		return nil
	}
	pages := make(map[string][]byte)
	err = r.t.each(bucketLists, func(k, plain []byte) error {
		page, err := r.t.a.codec.unvalidated(plain)
		if err == nil && !bytes.Equal(page, plain) {
			pages[string(k)] = page
		}
		return err
	})
	for k, page := range pages {
		err = errors.Join(err, r.t.put(bucketLists, []byte(k), page))
	}
	if len(pages) > 0 {
		r.tell("%d list pages are read again even if they have not changed", len(pages))
	}
	return err
}

// runs puts the runs' sequence right.
func (r *repair) runs() error {
	last := uint64(0)
	if k, _ := r.t.Bucket(bucketRuns).Cursor().Last(); len(k) == seqSize {
		last = uint40(k)
	}
	if was := r.t.Bucket(bucketRuns).Sequence(); was != last {
		r.tell("the next run is %d; it would have been %d", last+1, was+1)
	}
	return r.t.Bucket(bucketRuns).SetSequence(last)
}
