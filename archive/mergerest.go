package archive

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// mergeAll takes in all that the sources hold. They may be crawled meanwhile,
// so what leads to posts is read before the posts that it leads to: list pages
// first, whose validators say that their links are known, then the links that
// are not followed, in the order in which they become other things, and then
// the revisions. So each link that a list page had is met, as whatever it is by
// then. The list pages are taken in last.
func (a *Archive) mergeAll(ctx context.Context, feeds []*feed) error {
	for _, f := range feeds {
		if err := f.readLists(ctx); err != nil {
			return err
		}
	}
	if err := a.mergeLinks(ctx, feeds); err != nil {
		return err
	}
	if err := a.mergeRevisions(ctx, feeds); err != nil {
		return err
	}
	for _, step := range []struct {
		bucket []byte
		merge  func(*tx, pair) error
	}{{bucketAliases, (*tx).mergeAlias}, {bucketUnread, (*tx).mergeUnread}, {bucketHosts, (*tx).mergeHost}} {
		for _, f := range feeds {
			if err := a.mergeBucket(ctx, f, step.bucket, step.merge); err != nil {
				return err
			}
		}
	}
	for _, f := range feeds {
		merge := func(t *tx, e pair) error { return t.mergeList(e, f.report.Lost > 0) }
		if err := a.mergePortion(ctx, f, bucketLists, f.lists, merge); err != nil {
			return err
		}
	}
	return nil
}

// readLists keeps the list pages that a source knows.
func (f *feed) readLists(ctx context.Context) error {
	for next := []byte(nil); ; {
		var portion []pair
		err := f.from.view(ctx, func(t *tx) (err error) {
			portion, next, err = t.portion(bucketLists, next)
			return err
		})
		if err != nil {
			return err
		}
		f.lists = append(f.lists, portion...)
		if next == nil {
			return nil
		}
	}
}

// mergeLinks takes in runs, leads, failures and frontier. A lead becomes wanted,
// and what is wanted fails; failures come twice since they may be wanted again.
func (a *Archive) mergeLinks(ctx context.Context, feeds []*feed) error {
	numbers, err := a.mergeRuns(ctx, feeds)
	if err != nil {
		return err
	}
	for _, bucket := range [][]byte{bucketLeads, bucketFailed, bucketFrontier, bucketFailed} {
		for _, f := range feeds {
			err := a.mergeBucket(ctx, f, bucket, func(t *tx, e pair) error { return t.mergeWanted(bucket, e, numbers[f]) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// pair is a key of a source and what stands under it, decoded as far as it
// takes the source to do so.
type pair struct {
	key, value []byte
	wanted     news.Wanted
	apart      Apart
	host       *host
}

// mergeBucket goes through a bucket of a source, a portion at a time.
func (a *Archive) mergeBucket(ctx context.Context, f *feed, bucket []byte, merge func(*tx, pair) error) error {
	var next []byte
	for {
		var portion []pair
		err := f.from.view(ctx, func(t *tx) (err error) {
			portion, next, err = t.portion(bucket, next)
			return err
		})
		if err != nil {
			return err
		}
		if len(portion) == 0 {
			return nil
		}
		if err := a.mergePortion(ctx, f, bucket, portion, merge); err != nil || next == nil {
			return err
		}
	}
}

// mergePortion takes in a portion of a bucket of a source.
func (a *Archive) mergePortion(ctx context.Context, f *feed, bucket []byte, portion []pair, merge func(*tx, pair) error) error {
	return a.update(ctx, func(t *tx) error {
		if err := t.numberPages(portion); err != nil {
			return err
		}
		for _, e := range portion {
			if err := merge(t, e); err != nil {
				return fmt.Errorf("merge %s of %s: %w", bucket, f.from.path, err)
			}
		}
		return nil
	})
}

// numberPages gives the pages numbers on which many of a portion's posts were
// found.
func (t *tx) numberPages(portion []pair) error {
	var found []news.Wanted
	for i := range portion {
		if portion[i].wanted.ID != "" {
			found = append(found, portion[i].wanted)
		}
	}
	return t.numberSources(found)
}

// portion returns what a bucket holds from a key on, and the key after that;
// nil: there is no more.
func (t *tx) portion(bucket, from []byte) (list []pair, next []byte, err error) {
	c := t.Bucket(bucket).Cursor()
	size := 0
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if len(list) >= mergePosts || size >= mergeBytes {
			return list, bytes.Clone(k), nil
		}
		e := pair{key: bytes.Clone(k)}
		switch string(bucket) {
		case string(bucketFrontier), string(bucketFailed), string(bucketLeads):
			e.wanted, err = t.wanted(bucket, k)
		case string(bucketUnread):
			e.apart, err = t.apart(k, v)
		case string(bucketHosts):
			e.host, err = t.unpackHost(k, v)
		default:
			if v, err = t.get(bucket, k); err == nil {
				e.value = bytes.Clone(v)
			}
		}
		if err != nil {
			return nil, nil, err
		}
		list, size = append(list, e), size+len(v)
		if e.apart.Capture != nil {
			size += len(e.apart.Capture.Body)
		}
	}
	return list, nil, nil
}

// apart decodes a capture that is kept apart.
func (t *tx) apart(key, frame []byte) (Apart, error) {
	plain, err := t.unpack(frame)
	if err != nil {
		return Apart{}, err
	}
	e, c, err := t.a.codec.decodeCapture(plain)
	return Apart{ID: idOf(key), Why: e.Why, Capture: c}, err
}

// mergeAlias takes in under which other identity a post is known, unless that
// post came into the source after the revisions to be merged were noted.
func (t *tx) mergeAlias(e pair) error {
	if t.held(e.key) || !t.has(bucketPosts, e.value) {
		return nil
	}
	if err := t.forget(e.key, ""); err != nil {
		return err
	}
	if err := t.put(bucketAliases, e.key, e.value); err != nil {
		return err
	}
	return t.dropRead(e.key)
}

// dropRead lets go of what is kept apart for a post that was read at the same
// address.
func (t *tx) dropRead(key []byte) error {
	frame, err := t.get(bucketUnread, key)
	if frame == nil || err != nil {
		return err
	}
	kept, err := t.apart(key, frame)
	if err != nil {
		return err
	}
	if read, err := t.readAt(kept.ID, kept.Capture.URL); !read || err != nil {
		return err
	}
	return t.delete(bucketUnread, key)
}

// readAt reports whether a revision of a post was captured at an address.
func (t *tx) readAt(id news.ID, address string) (bool, error) {
	h, err := t.resolve(id)
	if err != nil {
		return false, err
	}
	for _, known := range h {
		if r, err := t.record(known.seq); err != nil || r.URL == address {
			return err == nil, err
		}
	}
	return false, nil
}

// mergeWanted takes in an entry of the frontier, the failures or the leads. A
// post that is archived is none of these; one that an archive failed to get
// stays failed unless another knows a page of it that was not tried; and a lead
// is one that is none of the others.
func (t *tx) mergeWanted(bucket []byte, e pair, numbers map[uint64]uint64) error {
	w := &e.wanted
	w.Run = numbers[w.Run]
	if t.held(e.key) {
		return nil
	}
	is, known, err := t.standing(e.key)
	if err != nil {
		return err
	}
	if is == nil {
		return t.putWanted(bucket, w)
	}
	if bytes.Equal(bucket, bucketLeads) && !bytes.Equal(is, bucketLeads) {
		return nil
	}
	before := known
	both := united(&known, w)
	to := is
	switch {
	case bytes.Equal(is, bucket):
	case bytes.Equal(is, bucketLeads):
		to = bucket
	default: // the one is wanted and the other failed
		failed := &known
		if bytes.Equal(bucket, bucketFailed) {
			failed = w
		}
		to = bucketFrontier
		if len(failed.Pages) == len(both.Pages) {
			to = bucketFailed
		}
	}
	if bytes.Equal(to, bucketFailed) {
		both.Next = time.Time{}
	}
	if bytes.Equal(is, to) && reflect.DeepEqual(both, before) {
		return nil
	}
	if !bytes.Equal(is, to) {
		if err := t.delete(is, e.key); err != nil {
			return err
		}
	}
	return t.putWanted(to, &both)
}

// standing returns the bucket in which a post is that is not archived, and its
// entry; nil where it is in none.
func (t *tx) standing(key []byte) (bucket []byte, w news.Wanted, err error) {
	for _, bucket := range [][]byte{bucketFrontier, bucketFailed, bucketLeads} {
		if t.has(bucket, key) {
			w, err := t.wanted(bucket, key)
			return bucket, w, err
		}
	}
	return nil, news.Wanted{}, nil
}

// united returns what two archives know of a post: it was found when and where
// the first of them found it, and tried as the one tells that tried more often.
// Which title was read last is not known. It is the same in either order.
func united(a, b *news.Wanted) news.Wanted {
	found := cmp.Or(a.Found.Compare(b.Found), strings.Compare(a.FoundOn, b.FoundOn), slices.Compare(a.Pages, b.Pages), strings.Compare(a.Mirror, b.Mirror))
	if found > 0 {
		a, b = b, a
	}
	w := *a
	learn(&w, b)
	w.TitleSum = max(a.TitleSum, b.TitleSum)
	if cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(b.Run, a.Run), strings.Compare(b.Error, a.Error), b.Next.Compare(a.Next)) > 0 {
		w.Attempts, w.Run, w.Error, w.Next = b.Attempts, b.Run, b.Error, b.Next
	}
	return w
}

// mergeUnread keeps the newest capture apart of those that no archive could
// read as their post at their address.
func (t *tx) mergeUnread(e pair) error {
	if t.held(e.key) {
		if read, err := t.readAt(e.apart.ID, e.apart.Capture.URL); read || err != nil {
			return err
		}
	}
	if frame, err := t.get(bucketUnread, e.key); err != nil {
		return err
	} else if frame != nil {
		known, err := t.apart(e.key, frame)
		if err != nil {
			return err
		}
		newer := cmp.Or(e.apart.Capture.Fetched.Compare(known.Capture.Fetched), bytes.Compare(e.apart.Capture.Body, known.Capture.Body))
		if newer <= 0 {
			return nil
		}
	}
	return t.commitUnread([]news.Captured{{
		Post: news.Post{ID: e.apart.ID}, Capture: *e.apart.Capture, Wanted: news.Wanted{Error: e.apart.Why},
	}})
}

// mergeList takes in a list page as the archive knows it that asked last:
// without its validators if the source lost posts, so that it is read again and
// their links are met.
func (t *tx) mergeList(e pair, again bool) error {
	var other listPage
	if err := t.a.codec.decode(e.value, &other); err != nil {
		return err
	}
	if again {
		other.ETag, other.LastModified = "", ""
	}
	value, err := t.a.codec.encode(other)
	if err != nil {
		return err
	}
	stored, err := t.get(bucketLists, e.key)
	if err != nil {
		return err
	}
	if stored != nil {
		var known listPage
		if err := t.a.codec.decode(stored, &known); err != nil {
			return err
		}
		if cmp.Or(cmp.Compare(other.Checked, known.Checked), cmp.Compare(other.Read, known.Read), bytes.Compare(value, stored)) <= 0 {
			return nil
		}
	}
	return t.put(bucketLists, e.key, value)
}

// mergeRuns takes in the reports of runs that the archive lacks, or has without
// their end, in the order in which they began, and returns for each source which number its runs have.
func (a *Archive) mergeRuns(ctx context.Context, feeds []*feed) (map[*feed]map[uint64]uint64, error) {
	type sourcedRun struct {
		news.Run
		of *feed
	}
	var all []sourcedRun
	numbers := make(map[*feed]map[uint64]uint64)
	for _, f := range feeds {
		numbers[f] = make(map[uint64]uint64)
		runs, err := f.from.Runs(ctx, 0)
		if err != nil {
			return nil, err
		}
		for _, r := range runs {
			all = append(all, sourcedRun{r, f})
		}
	}
	slices.SortStableFunc(all, func(x, y sourcedRun) int {
		return cmp.Or(x.Started.Compare(y.Started), strings.Compare(runKey(&x.Run), runKey(&y.Run)), y.Ended.Compare(x.Ended))
	})
	err := a.update(ctx, func(t *tx) error {
		known, err := t.knownRuns()
		if err != nil {
			return err
		}
		for _, r := range all {
			number := r.ID
			if err := t.mergeRun(&r.Run, known); err != nil {
				return err
			}
			numbers[r.of][number] = r.ID
		}
		return nil
	})
	return numbers, err
}

// mergeRun takes in the report of a run, given those that the archive has, and
// gives it its number.
func (t *tx) mergeRun(r *news.Run, known map[string]news.Run) error {
	key := runKey(r)
	is, ok := known[key]
	if ok {
		r.ID = is.ID
		if !is.Ended.IsZero() || r.Ended.IsZero() {
			return nil
		}
	} else {
		id, err := t.Bucket(bucketRuns).NextSequence()
		if err != nil {
			return err
		}
		r.ID = id
	}
	known[key] = *r
	return t.commitRun(r)
}

// runKey tells two runs apart.
func runKey(r *news.Run) string {
	return fmt.Sprintf("%d\x00%s\x00%q", r.Started.UnixNano(), r.Command, r.Mirrors)
}

// knownRuns returns the archive's runs by their keys.
func (t *tx) knownRuns() (map[string]news.Run, error) {
	known := make(map[string]news.Run)
	err := t.each(bucketRuns, func(k, v []byte) error {
		r, err := decodeRun(k, v)
		if err != nil {
			return fmt.Errorf("report of run %x: %w", k, err)
		}
		known[runKey(&r)] = r
		return nil
	})
	return known, err
}
