package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// Reread is what a reread did, since it was begun.
//
//	Revisions = Unchanged + Changed + Unreadable + Lost
type Reread struct {
	Began      time.Time      `json:"began" cbor:"1,keyasint"`
	Resumed    uint64         `json:"resumed_at,omitempty" cbor:"-"` // the revision with which it went on, of one that was interrupted
	Anew       bool           `json:"begun_anew,omitempty" cbor:"-"` // one that was interrupted was of another version, so that this one began at the first revision
	Revisions  int            `json:"revisions" cbor:"2,keyasint"`
	Unchanged  int            `json:"unchanged" cbor:"3,keyasint"`
	Changed    int            `json:"changed" cbor:"4,keyasint"`
	Unreadable int            `json:"unreadable" cbor:"5,keyasint"`
	Lost       int            `json:"lost" cbor:"11,keyasint,omitempty"` // of which damage of the archive took the page
	Fields     map[string]int `json:"fields" cbor:"6,keyasint"`          // of the revisions changed, by field; one can have several
	Reasons    map[string]int `json:"reasons" cbor:"7,keyasint"`         // of those unreadable
	Apart      int            `json:"apart" cbor:"8,keyasint"`           // captures that were kept apart
	Recovered  int            `json:"recovered" cbor:"9,keyasint"`       // of them, those that are posts now
}

// RereadOptions say how posts are read again.
type RereadOptions struct {
	FromStart bool // do not go on where one was that was interrupted
	DryRun    bool // count what would change, from the first revision on, and write nothing
	// Version is the reader's. A reread that was interrupted goes on only where
	// it was of the same version: else a part would be read by the old one.
	Version string
}

// maxReasons bounds how many different reasons are counted one by one.
const maxReasons = 100

// Bounds on one batch.
const (
	rereadPosts = 256
	rereadBytes = 4 << 20 // of pages
)

// checkpoint is how far a reread has come.
type checkpoint struct {
	Next    uint64 `cbor:"1,keyasint"`
	Done    Reread `cbor:"2,keyasint"`
	Version string `cbor:"3,keyasint,omitempty"` // of the reader
}

// Reread reads every revision again from its capture. Where the reader now
// tells otherwise of a post, the revision's record is replaced, under the same
// number; captures never change. One that it cannot read keeps its record.
// Then captures kept apart that can be read by now become posts.
//
// It works in batches, in each of which what it did so far is kept too: one
// that is interrupted goes on from there, if the reader is still of the same
// version. Revisions that come in meanwhile are not read again. The report is of
// what was done, also where an error is returned.
func (a *Archive) Reread(ctx context.Context, read Reader, o RereadOptions) (Reread, error) {
	w := &rereading{archive: a, read: read, dry: o.DryRun}
	if err := w.begin(ctx, o); err != nil {
		return w.Done, err
	}
	for w.Next <= w.last {
		if err := w.batch(ctx); err != nil {
			return w.Done, err
		}
	}
	if err := w.apart(ctx); err != nil || w.dry {
		return w.Done, err
	}
	return w.Done, a.update(ctx, func(t *tx) error { return t.delete(bucketMeta, keyReread) })
}

// rereading is a reread under way.
type rereading struct {
	checkpoint
	archive *Archive
	read    Reader
	dry     bool
	last    uint64 // the last revision to be read
}

// begin finds out where to begin.
func (w *rereading) begin(ctx context.Context, o RereadOptions) error {
	anew := false
	err := w.archive.view(ctx, func(t *tx) error {
		w.last = t.Bucket(bucketRevisions).Sequence()
		v, err := t.get(bucketMeta, keyReread)
		if v == nil || err != nil || o.FromStart || o.DryRun {
			return err
		}
		if err := t.a.codec.decode(v, &w.checkpoint); err != nil {
			return err
		}
		if anew = w.Version != o.Version; anew {
			w.checkpoint = checkpoint{}
		}
		return nil
	})
	if w.Next == 0 {
		w.checkpoint = checkpoint{Next: 1, Version: o.Version, Done: Reread{Began: time.Now().Truncate(time.Millisecond), Anew: anew}}
	} else {
		w.Done.Resumed = w.Next
	}
	w.Done.Began = w.Done.Began.In(news.Shanghai) // as all times of an archive are
	for _, m := range []*map[string]int{&w.Done.Fields, &w.Done.Reasons} {
		if *m == nil {
			*m = make(map[string]int)
		}
	}
	return err
}

// again is a revision that is read again.
type again struct {
	seq     uint64
	lost    bool   // there is no page, and nothing of what follows
	stored  []byte // its record, as it is stored
	record  *record
	post    news.Post // as it is stored
	capture *news.Capture
	now     *news.Post // as it is read now; nil: as stored
}

// batch reads the next revisions again, and writes what changed.
func (w *rereading) batch(ctx context.Context) error {
	began := time.Now()
	list, err := w.load(ctx)
	if err != nil {
		return err
	}
	done := w.Done.clone()
	var changed []*again
	for _, r := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if done.count(r, w.read) {
			changed = append(changed, r)
		}
	}
	next := checkpoint{Next: list[len(list)-1].seq + 1, Version: w.Version, Done: done}
	if w.dry {
		w.checkpoint = next
		return rest(ctx, time.Since(began))
	}
	err = w.archive.update(ctx, func(t *tx) error {
		if err := t.rewrite(changed); err != nil {
			return err
		}
		return t.putCheckpoint(next)
	})
	if err == nil {
		w.checkpoint = next
	}
	return err
}

// load reads the next revisions, at least one.
func (w *rereading) load(ctx context.Context) (list []*again, err error) {
	err = w.archive.view(ctx, func(t *tx) error {
		began := time.Now()
		list = nil
		for seq, size := w.Next, 0; seq <= w.last; seq++ {
			r, err := t.again(seq)
			switch {
			case errors.Is(err, ErrLost):
				r = &again{seq: seq, lost: true}
			case err != nil:
				return err
			default:
				size += len(r.capture.Body)
			}
			list = append(list, r)
			if len(list) >= rereadPosts || size >= rereadBytes || time.Since(began) >= selectTime {
				break
			}
		}
		return nil
	})
	return list, err
}

// again returns what is stored of a revision.
func (t *tx) again(seq uint64) (*again, error) {
	stored, err := t.value(bucketRevisions, seq)
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		return nil, fmt.Errorf("revision %d: %w", seq, ErrLost)
	}
	r := &again{seq: seq, stored: bytes.Clone(stored)}
	if r.record, err = t.a.codec.decodeRecord(stored); err != nil {
		return nil, fmt.Errorf("revision %d: %w", seq, err)
	}
	if r.capture, err = t.capture(seq); err != nil {
		return nil, err
	}
	r.post = r.record.post()
	if r.post.Body, err = r.record.Body.in(r.capture.Body); err != nil {
		return nil, fmt.Errorf("body of revision %d: %w", seq, err)
	}
	if r.post.Foot, err = r.record.Foot.in(r.capture.Body); err != nil {
		return nil, fmt.Errorf("foot of revision %d: %w", seq, err)
	}
	return r, nil
}

// count reads a revision again and counts what came of it. It reports whether
// something changed.
func (d *Reread) count(r *again, read Reader) bool {
	d.Revisions++
	if r.lost {
		d.Lost++
		return false
	}
	now, err := promised{r.post.ID, r.post.InfoCode, r.post.Category}.read(read, r.capture, false)
	if err != nil {
		d.Unreadable++
		d.reason(err)
		return false
	}
	fields := differing(&r.post, now)
	if len(fields) == 0 {
		d.Unchanged++
		return false
	}
	d.Changed++
	for _, f := range fields {
		d.Fields[f]++
	}
	r.now = now
	return true
}

// reason counts why a capture cannot be read, without what only that one has,
// such as its address, as long as the error is one of a closed set.
func (d *Reread) reason(err error) {
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(err) {
		err = cause
	}
	why := err.Error()
	if _, known := d.Reasons[why]; !known && len(d.Reasons) >= maxReasons {
		why = "other"
	}
	d.Reasons[why]++
}

func (d Reread) clone() Reread {
	fields, reasons := make(map[string]int), make(map[string]int)
	for k, n := range d.Fields {
		fields[k] = n
	}
	for k, n := range d.Reasons {
		reasons[k] = n
	}
	d.Fields, d.Reasons = fields, reasons
	return d
}

// differing names the fields in which two posts differ, as JSON calls them.
func differing(was, is *news.Post) []string {
	var fields []string
	for _, f := range []struct {
		name    string
		was, is any
	}{
		{"info_code", was.InfoCode, is.InfoCode}, {"title", was.Title, is.Title},
		{"published", seconds(was.Published), seconds(is.Published)},
		{"category", was.Category, is.Category}, {"tag", was.Tag, is.Tag}, {"outlet", was.Outlet, is.Outlet},
		{"source", was.Source, is.Source}, {"digest", was.Digest, is.Digest},
		{"derived", names(was.Derived), names(is.Derived)},
		{"body", was.Body, is.Body}, {"foot", was.Foot, is.Foot},
		{"related", codes(was.Related), codes(is.Related)},
		{"securities", mentioned(was.Securities), mentioned(is.Securities)},
		{"boards", mentioned(was.Boards), mentioned(is.Boards)},
	} {
		if !reflect.DeepEqual(f.was, f.is) {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// seconds returns a time as records hold it.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// codes, mentioned and names return a list that is never nil.
func codes(list []news.InfoCode) []news.InfoCode   { return append([]news.InfoCode{}, list...) }
func mentioned(list []news.Mention) []news.Mention { return append([]news.Mention{}, list...) }
func names(list []string) []string                 { return append([]string{}, list...) }

// rewrite replaces the records of revisions. One that another process replaced
// since it was read is left as it is.
func (t *tx) rewrite(list []*again) error {
	if len(list) == 0 {
		return nil
	}
	if err := t.rewriting(); err != nil { // also of the last block: see Mark
		return err
	}
	if slices.ContainsFunc(list, (*again).retold) {
		if err := t.forgetStories(); err != nil {
			return err
		}
	}
	changes := make(indexChanges)
	values := make(map[uint64][][]byte) // by the number of a block's first
	for _, r := range list {
		blk, err := t.block(bucketRevisions, r.seq)
		if err != nil {
			return fmt.Errorf("revision %d: %w", r.seq, err)
		}
		if values[blk.first] == nil {
			values[blk.first] = slices.Clone(blk.values)
		}
		if !bytes.Equal(values[blk.first][r.seq-blk.first], r.stored) {
			continue
		}
		now := newRecord(r.now, r.capture)
		v, err := t.a.codec.encode(now.elided())
		if err != nil {
			return fmt.Errorf("revision %d: %w", r.seq, err)
		}
		values[blk.first][r.seq-blk.first] = v
		changes.remove(r.record, r.seq)
		changes.add(now, r.seq)
	}
	for first, list := range values {
		if err := t.putBlock(bucketRevisions, block{first, list}); err != nil {
			return err
		}
	}
	return t.apply(changes)
}

// retold reports whether a post is read otherwise in what its story goes by.
func (r *again) retold() bool {
	return r.post.Body != r.now.Body || !r.post.Published.Equal(r.now.Published) || !slices.Equal(r.post.Securities, r.now.Securities)
}

func (t *tx) putCheckpoint(c checkpoint) error {
	v, err := t.a.codec.encode(c)
	if err != nil {
		return err
	}
	return t.put(bucketMeta, keyReread, v)
}

// apart reads again what is kept apart.
func (w *rereading) apart(ctx context.Context) error {
	var next []byte
	for {
		began := time.Now()
		var portion []pair
		var posts []news.Captured
		err := w.archive.view(ctx, func(t *tx) (err error) {
			if portion, next, err = t.portion(bucketUnread, next); err != nil {
				return err
			}
			for i := range portion {
				p, err := t.link(&portion[i])
				if err != nil {
					return err
				}
				posts = append(posts, p)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := w.recover(ctx, posts); err != nil || next == nil {
			return err
		}
		if err := rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
}

// link returns a capture kept apart with what a link told of its post, if that
// is known still.
func (t *tx) link(e *pair) (news.Captured, error) {
	p := news.Captured{Capture: *e.apart.Capture, Wanted: news.Wanted{ID: e.apart.ID}}
	_, w, err := t.standing(e.key)
	if w.ID != "" {
		p.Wanted = w
	}
	return p, err
}

// recover takes those of the captures into the archive that can be read.
func (w *rereading) recover(ctx context.Context, list []news.Captured) error {
	var b news.Batch
	for i := range list {
		p := &list[i]
		post, err := promised{p.Wanted.ID, p.Wanted.InfoCode, p.Wanted.Category}.read(w.read, &p.Capture, true)
		if err != nil {
			continue
		}
		p.Post = *post
		b.Posts = append(b.Posts, *p)
	}
	posts := len(b.Posts) > 0 && !w.dry
	if posts {
		if _, err := w.archive.Commit(ctx, &b); err != nil {
			return err
		}
	}
	w.Done.Apart += len(list)
	w.Done.Recovered += len(b.Posts)
	if !posts {
		return nil
	}
	kept := w.checkpoint
	kept.Done.Apart = kept.Done.Recovered // the others are kept apart still, and met again
	return w.archive.update(ctx, func(t *tx) error { return t.putCheckpoint(kept) })
}
