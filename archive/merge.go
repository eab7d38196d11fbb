package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// ErrSame: two archives that must be different files are one.
var ErrSame = errors.New("the same file")

// Merged is what became of the revisions of one source of a merge.
//
//	Revisions = New + Revised + Unchanged + Held + Restored + Lost
type Merged struct {
	Source    string `json:"source"`
	Revisions int    `json:"revisions"` // of the source, when the merge came to them
	New       int    `json:"new"`       // the first of their posts
	Revised   int    `json:"revised"`   // revisions beside others
	Unchanged int    `json:"unchanged"` // the same article as the revision before: only last_seen moved
	Held      int    `json:"held"`      // there already: same post, page and time
	Restored  int    `json:"restored"`  // there already, but for the page, which damage had taken and which is back
	Lost      int    `json:"lost"`      // of which damage of the source took the page, so that they cannot be taken in
}

// Bounds on one look into a source, and on one batch.
const (
	mergePosts = 512
	mergeBytes = 4 << 20 // of pages
)

// Merge takes all that the sources hold into the archive: runs, leads, failures
// and frontier, their revisions in the order in which they were captured,
// whichever source they are in, then aliases, captures kept apart, and list
// pages. It goes on by batches and does not repeat what is done, so that one
// that was interrupted is resumed by merging again; merging once more changes
// nothing. Sources are only read, and may be crawled meanwhile: what comes in
// then may be left to the next merge, but no link is taken for known that is
// not. Reports are of what was done, also where an error is returned.
func (a *Archive) Merge(ctx context.Context, sources ...*Archive) ([]Merged, error) {
	var feeds []*feed
	for _, s := range sources {
		if err := differentFiles(a.path, s.path); err != nil {
			return nil, err
		}
		feeds = append(feeds, &feed{from: s, report: Merged{Source: s.path}})
	}
	err := a.mergeAll(ctx, feeds)
	var reports []Merged
	for _, f := range feeds {
		reports = append(reports, f.report)
	}
	return reports, err
}

// differentFiles fails with ErrSame if two paths lead to one file.
func differentFiles(into, source string) error {
	a, err := os.Stat(into)
	if err != nil {
		return fmt.Errorf("open archive %s: %w", into, withoutPath(err))
	}
	b, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("open archive %s: %w", source, withoutPath(err))
	}
	if os.SameFile(a, b) {
		return fmt.Errorf("merge %s into %s: %w", source, into, ErrSame)
	}
	return nil
}

// mergeRevisions takes in the revisions that the sources hold by now.
func (a *Archive) mergeRevisions(ctx context.Context, feeds []*feed) error {
	for _, f := range feeds {
		if err := f.list(ctx); err != nil {
			return err
		}
	}
	for {
		batch, err := nextBatch(ctx, feeds)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		if err := a.mergeBatch(ctx, batch); err != nil {
			return err
		}
	}
	for _, f := range feeds {
		if left := len(f.order) + len(f.ready); left > 0 {
			return fmt.Errorf("merge %s: %d revisions were not reached", f.from.path, left)
		}
	}
	return nil
}

// feed yields the revisions of a source in the order in which they were
// captured.
type feed struct {
	from   *Archive
	lists  []pair // list pages, as they were when the merge began
	order  []captured
	ready  []*sourced // those that come next
	report Merged
}

// captured is when a revision was captured. Those of one moment are put in the
// order of what they are, so that it does not matter which source has them.
type captured struct {
	fetched int64 // milliseconds since 1970
	seq     uint64
	sum     uint64 // FNV-1a of the record
}

func (c captured) compare(d captured) int {
	return cmp.Or(cmp.Compare(c.fetched, d.fetched), cmp.Compare(c.sum, d.sum), cmp.Compare(c.seq, d.seq))
}

// sourced is a revision of a source.
type sourced struct {
	captured
	post news.Captured
	met  sighting
	of   *feed
}

// list notes the source's revisions.
func (f *feed) list(ctx context.Context) error {
	for seq, last := uint64(1), uint64(0); ; {
		var began time.Time
		err := f.from.view(ctx, func(t *tx) error {
			began = time.Now()
			if last == 0 {
				last = t.Bucket(bucketRevisions).Sequence()
			}
			for from := seq; seq <= last && (seq == from || time.Since(began) < selectTime); seq++ {
				plain, err := t.value(bucketRevisions, seq)
				if err != nil {
					return err
				}
				if len(plain) == 0 {
					f.report.Lost++
					continue
				}
				r, err := t.a.codec.decodeRecord(plain)
				if err != nil {
					return fmt.Errorf("revision %d: %w", seq, err)
				}
				sum := fnv.New64a()
				sum.Write(plain)
				f.order = append(f.order, captured{r.Fetched, seq, sum.Sum64()})
			}
			return nil
		})
		if err != nil {
			return err
		}
		if seq > last {
			break
		}
		if err := rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
	slices.SortFunc(f.order, captured.compare)
	f.report.Revisions = len(f.order) + f.report.Lost
	return nil
}

// next returns the source's next revision, or nil where none is left.
func (f *feed) next(ctx context.Context) (*sourced, error) {
	for len(f.ready) == 0 && len(f.order) > 0 {
		if err := f.load(ctx); err != nil {
			return nil, err
		}
	}
	return f.first(), nil
}

// load reads the next revisions, at least one, and passes over those that are
// lost.
func (f *feed) load(ctx context.Context) error {
	taken := 0
	err := f.from.view(ctx, func(t *tx) error {
		began := time.Now()
		for size := 0; taken < min(mergePosts, len(f.order)) && size < mergeBytes; taken++ {
			if taken > 0 && time.Since(began) >= selectTime {
				break
			}
			s, err := t.sourced(f.order[taken])
			if errors.Is(err, ErrLost) {
				f.report.Lost++
				continue
			}
			if err != nil {
				return err
			}
			s.of = f
			f.ready = append(f.ready, s)
			size += len(s.post.Capture.Body)
		}
		return nil
	})
	f.order = f.order[taken:]
	return err
}

func (f *feed) first() *sourced {
	if len(f.ready) == 0 {
		return nil
	}
	return f.ready[0]
}

// sourced returns a revision as it was taken into the archive.
func (t *tx) sourced(c captured) (*sourced, error) {
	r, err := t.record(c.seq)
	if err != nil {
		return nil, err
	}
	capture, err := t.capture(c.seq)
	if err != nil {
		return nil, err
	}
	p := r.post()
	if p.Body, err = r.Body.in(capture.Body); err != nil {
		return nil, fmt.Errorf("body of revision %d: %w", c.seq, err)
	}
	if p.Foot, err = r.Foot.in(capture.Body); err != nil {
		return nil, fmt.Errorf("foot of revision %d: %w", c.seq, err)
	}
	h, err := t.head(p.ID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(h, func(known headRevision) bool { return known.seq == c.seq })
	if i < 0 {
		return nil, fmt.Errorf("%w: post %s does not know its revision %d", ErrCorrupt, p.ID, c.seq)
	}
	one := &sourced{captured: c, post: news.Captured{Post: p, Capture: *capture}, met: sighting{until: r.Fetched + int64(h[i].lasted)}}
	known, err := t.revisit(c.seq, r)
	if known != nil {
		one.met.answers = []news.Revisit{*known}
	}
	return one, err
}

// nextBatch takes the revisions that come next from all sources.
func nextBatch(ctx context.Context, feeds []*feed) ([]*sourced, error) {
	var batch []*sourced
	for size := 0; len(batch) < mergePosts && size < 2*mergeBytes; {
		var next *sourced
		for _, f := range feeds {
			s, err := f.next(ctx)
			if err != nil {
				return nil, err
			}
			if s != nil && (next == nil || s.captured.compare(next.captured) < 0) {
				next = s
			}
		}
		if next == nil {
			break
		}
		next.of.ready = next.of.ready[1:]
		batch = append(batch, next)
		size += len(next.post.Capture.Body)
	}
	return batch, nil
}

// mergeBatch takes revisions in, in one transaction.
func (a *Archive) mergeBatch(ctx context.Context, batch []*sourced) error {
	if err := a.ensureDict(ctx); err != nil {
		return err
	}
	posts := make([]news.Captured, len(batch))
	for i, s := range batch {
		posts[i] = s.post
	}
	records := a.newRecords(posts)
	var done []news.Change
	err := a.update(ctx, func(t *tx) (err error) {
		done, err = t.mergePosts(batch, records)
		return err
	})
	if err != nil {
		return err
	}
	for i, s := range batch {
		switch report := &s.of.report; done[i] {
		case news.ChangeNew:
			report.New++
		case news.ChangeRevised, news.ChangeDiffers:
			report.Revised++
		case news.ChangeUnchanged:
			report.Unchanged++
		case changeRestored:
			report.Restored++
		default:
			report.Held++
		}
	}
	return nil
}

func (t *tx) mergePosts(batch []*sourced, records []*record) ([]news.Change, error) {
	totals, err := t.counters()
	if err != nil {
		return nil, err
	}
	fresh := &revisions{first: t.Bucket(bucketRevisions).Sequence() + 1}
	changes := make(indexChanges)
	var done []news.Change
	restored := false
	for i, s := range batch {
		change, err := t.mergePost(s, records[i], fresh, changes)
		if err != nil {
			return nil, fmt.Errorf("merge %s: %w", s.post.Post.ID, err)
		}
		switch change {
		case news.ChangeNew:
			totals.Posts++
		case changeRestored:
			totals.Lost--
			totals.Raw += int64(len(s.post.Capture.Body))
			restored = true
			if err := t.rewriting(); err != nil { // also of the last block: see Mark
				return nil, err
			}
		}
		if err := t.forget(idKey(s.post.Post.ID), s.post.Capture.URL); err != nil {
			return nil, err
		}
		done = append(done, change)
	}
	switch {
	case len(fresh.records) > 0:
	case restored:
		return done, errors.Join(t.putCounters(totals), t.forgetStories())
	default:
		return done, nil
	}
	if restored {
		if err := t.forgetStories(); err != nil {
			return nil, err
		}
	}
	return done, t.finishPosts(totals, fresh, changes)
}

// changeRestored: the page of a revision is there again.
const changeRestored news.Change = "restored"

// mergePost takes a revision in as putPost does, unless it is held; then it
// returns no change, or that its page, which was lost, is there again. Of
// revisions that were captured in the same millisecond each may be the one that
// it is the same as; so it does not matter in which order they come.
//
// Nor does it matter whether they came before. Revisions come in the order in
// which they were captured, so what is older is all there by then, and is looked
// through first. Of what is not older more may come in later, but none that has
// the same article as one of them: that would be the same as it in turn.
func (t *tx) mergePost(s *sourced, r *record, fresh *revisions, changes indexChanges) (news.Change, error) {
	p := &s.post
	h, err := t.head(p.Post.ID)
	if err != nil {
		return "", err
	}
	older, place, err := t.places(h, r.Fetched, fresh)
	if err != nil {
		return "", err
	}
	for i := older; i < place; i++ {
		old, err := t.recordOf(h[i].seq, fresh)
		if err != nil {
			return "", err
		}
		if bytes.Equal(old.Raw, r.Raw) {
			change, err := t.restoreCapture(h[i].seq, r.ID, &p.Capture, fresh)
			return change, errors.Join(err, t.seen(h, i, old, s.met))
		}
	}
	return t.putRecord(h, older, place, r, p, s.met, fresh, changes)
}

// restoreCapture puts the page of a revision that lost it back in its place.
func (t *tx) restoreCapture(seq uint64, id []byte, c *news.Capture, fresh *revisions) (news.Change, error) {
	if lost, err := t.lost(seq, fresh); !lost || err != nil {
		return "", err
	}
	head, err := t.a.codec.encodeEnvelope(id, c, "")
	if err != nil {
		return "", err
	}
	blk, err := t.block(bucketCaptures, seq)
	if err != nil {
		return "", err
	}
	values := slices.Clone(blk.values)
	values[seq-blk.first] = slices.Concat(head, c.Body)
	return changeRestored, t.putBlock(bucketCaptures, block{blk.first, values})
}
