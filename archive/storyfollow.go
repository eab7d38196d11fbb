package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/finarc/finarc/story"
)

// Bounds of following.
const (
	storyPosts = 512
	storyBytes = 4 << 20 // of articles
	// storySpan is how many hours apart two posts of one story are published at
	// most: the next reprint of a story may be as late again.
	storySpan = 72
	// storyHours bounds the hours around the posts of one batch, whose signatures
	// are in memory: at 300 posts an hour some 25 MB.
	storyHours = 512
	// storyAnew is how many posts a story has at most of which the others are held
	// against each other anew where one changes. Out of a larger one, as of a notice
	// that runs in the same words every day, that one alone is taken.
	storyAnew = 256
)

// StoriesFound is what was done to find stories.
type StoriesFound struct {
	Revisions int          `json:"revisions"` // that were gone through
	Posts     int          `json:"posts"`     // of which these are the newest and have text enough
	Compared  int          `json:"compared"`  // pairs of texts
	Same      int          `json:"same"`      // of them, those that are one story
	Known     StoriesKnown `json:"known"`     // what there is now
}

// FindOptions say how stories are looked for.
type FindOptions struct {
	FromStart bool // begin anew at the first revision
	IfKept    bool // do nothing where they were never looked for
}

// FindStories goes through the revisions that came since it was last done, and
// finds which posts run one story. It works in batches, each of which is kept: it
// can be interrupted at any time, and goes on from there. What it finds depends
// on what the archive holds, not on the order in which that came.
//
// Texts are compared as [PlainText] reads them. The report is of what was done,
// also where an error is returned.
func (a *Archive) FindStories(ctx context.Context, o FindOptions) (StoriesFound, error) {
	f := &follower{a: a}
	f.forget()
	if begin, err := f.begin(ctx, o); !begin || err != nil {
		return f.done, err
	}
	for more := true; more; {
		var err error
		if more, err = f.batch(ctx); err != nil {
			return f.done, err
		}
	}
	var err error
	f.done.Known, err = a.StoriesKnown(ctx)
	return f.done, err
}

// follower finds stories.
type follower struct {
	a      *Archive
	at     followed // the bookmark as it was left: what is remembered is of then
	window *window
	texts  *texts
	done   StoriesFound
}

// forget lets signatures and texts be read anew.
func (f *follower) forget() { f.window, f.texts = newWindow(), newTexts() }

// begin sets the bookmark to the first revision where that is to be, and reports
// whether there is anything to be done.
func (f *follower) begin(ctx context.Context, o FindOptions) (bool, error) {
	var at followed
	err := f.a.view(ctx, func(t *tx) (err error) {
		at, err = t.followed()
		return err
	})
	switch {
	case err != nil:
		return false, err
	case at.Next == 0 && o.IfKept:
		return false, nil
	case at.Next > 0 && at.Version == story.Version && !o.FromStart:
		return true, nil
	}
	return true, f.a.update(ctx, (*tx).beginStories)
}

// errFollowed: another process found stories meanwhile, or they were forgotten.
var errFollowed = errors.New("stories were found by another process meanwhile")

// batch follows the next revisions, and reports whether there may be more.
func (f *follower) batch(ctx context.Context) (more bool, err error) {
	b, err := f.load(ctx)
	if err != nil || b.next == b.at.Next {
		return false, err
	}
	if b.at != f.at { // another process was at it
		f.forget()
	}
	f.prepare(b)
	if err = f.window.cover(ctx, f.a, b); err == nil {
		if err = f.compare(ctx, b); err == nil {
			err = f.store(ctx, b)
		}
	}
	if errors.Is(err, errFollowed) {
		f.forget()
		return true, nil
	}
	if err != nil {
		return false, err
	}
	f.done.Revisions += int(b.next - b.at.Next)
	f.done.Posts += b.fresh()
	f.done.Compared += b.compared
	f.done.Same += len(b.same)
	return true, nil
}

// following is a batch under way.
type following struct {
	at       followed // the bookmark when it began
	next     uint64   // and where it will be
	posts    []*told
	bySeq    map[uint64]*told
	replaced map[uint64]uint64 // revisions that are the newest no more, with their hours
	leaving  map[uint64]bool   // of these, those whose story is not looked for again
	hours    map[uint64]bool   // whose signatures are needed
	size     int               // of the articles
	compared int
	same     [][2]uint64
}

// told is a post and what it tells.
type told struct {
	seq        uint64
	hours      uint64 // since 1970, of its place in time
	body       string
	securities []string
	again      bool // it has a signature, and its story is looked for again
	text       *story.Text
	signature  story.Signature
}

// fresh returns how many posts get a signature.
func (b *following) fresh() int {
	n := 0
	for _, p := range b.posts {
		if !p.again && !p.text.Short() {
			n++
		}
	}
	return n
}

// load reads the next revisions that are the newest of their posts, and those
// whose story was found by a text that is replaced.
func (f *follower) load(ctx context.Context) (*following, error) {
	var b *following
	err := f.a.view(ctx, func(t *tx) error {
		began := time.Now()
		at, err := t.followed()
		if err != nil {
			return err
		}
		b = &following{
			at: at, next: at.Next, bySeq: make(map[uint64]*told), hours: make(map[uint64]bool), replaced: make(map[uint64]uint64),
			leaving: make(map[uint64]bool),
		}
		last := t.Bucket(bucketRevisions).Sequence()
		for b.next <= last && !b.full(began) {
			if err := b.take(t, b.next); err != nil {
				return fmt.Errorf("find the story of revision %d: %w", b.next, err)
			}
			b.next++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.posts = slices.DeleteFunc(b.posts, func(p *told) bool { // those that were replaced after they were added
		_, gone := b.replaced[p.seq]
		return gone
	})
	return b, nil
}

// full reports whether a batch takes no more revisions.
func (b *following) full(began time.Time) bool {
	return len(b.posts) >= storyPosts || b.size >= storyBytes || len(b.hours) > storyHours ||
		b.next > b.at.Next && time.Since(began) >= selectTime
}

// take takes a revision if it is its post's newest.
func (b *following) take(t *tx, seq uint64) error {
	r, err := t.recordIfThere(seq)
	if r == nil || err != nil {
		return err
	}
	h, err := t.head(idOf(r.ID))
	if err != nil || len(h) == 0 || h[len(h)-1].seq != seq {
		return err
	}
	if err := b.add(t, seq, r, false); err != nil {
		return err
	}
	for _, old := range h[:len(h)-1] {
		if err := b.replace(t, old.seq); err != nil {
			return err
		}
	}
	return nil
}

// add adds a post with its text. One whose page was lost has none.
func (b *following) add(t *tx, seq uint64, r *record, again bool) error {
	p, err := t.told(seq, r)
	if p == nil || err != nil {
		return err
	}
	p.again = again
	b.posts, b.bySeq[seq] = append(b.posts, p), p
	b.size += len(p.body)
	for hours := p.hours - min(p.hours, storySpan); hours <= p.hours+storySpan; hours++ {
		b.hours[hours] = true
	}
	return nil
}

// told returns what a revision tells; nil where its page was lost.
func (t *tx) told(seq uint64, r *record) (*told, error) {
	c, err := t.capture(seq)
	if errors.Is(err, ErrLost) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &told{seq: seq, hours: r.when() / hour}
	for _, m := range r.post().Securities {
		p.securities = append(p.securities, m.Security.String())
	}
	p.body, err = r.Body.in(c.Body)
	return p, err
}

// replace notes that a revision is the newest no more. The others of its story
// were perhaps in it because of its text.
func (b *following) replace(t *tx, old uint64) error {
	r, err := t.recordIfThere(old)
	if r == nil || err != nil {
		return err
	}
	b.replaced[old] = r.when() / hour
	members, err := t.storyOf(old)
	if err != nil {
		return err
	}
	if len(members) > storyAnew {
		b.leaving[old] = true
		return nil
	}
	for _, seq := range members {
		if _, gone := b.replaced[seq]; gone || b.bySeq[seq] != nil {
			continue
		}
		r, err := t.record(seq)
		if err != nil {
			return err
		}
		if err := b.add(t, seq, r, true); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes texts and signatures, on several processors.
func (f *follower) prepare(b *following) {
	const chunk = 32
	g := new(errgroup.Group)
	g.SetLimit(f.a.compressors)
	for part := range slices.Chunk(b.posts, chunk) {
		g.Go(func() error {
			for _, p := range part {
				p.text = f.a.storyText(p.body, p.securities)
				p.signature = p.text.Signature()
				p.body = ""
			}
			return nil
		})
	}
	_ = g.Wait() // none fails
}

// storyText makes an article ready to be compared.
func (a *Archive) storyText(body string, securities []string) *story.Text {
	if a.text != nil {
		body = a.text(body)
	}
	return story.New(body, securities...)
}

// compare finds which posts of the batch run one story with which others.
func (f *follower) compare(ctx context.Context, b *following) error {
	groups := make(groups)
	compared := make(map[uint64]bool) // of the batch
	for _, p := range b.posts {
		if err := ctx.Err(); err != nil {
			return err
		}
		compared[p.seq] = true
		if p.text.Short() {
			continue
		}
		for _, seq := range f.window.near(p) {
			if other := b.bySeq[seq]; seq == p.seq || other != nil && compared[seq] {
				continue // with that one it was compared already
			}
			if err := f.hold(ctx, b, groups, p, seq); err != nil {
				return fmt.Errorf("compare revisions %d and %d: %w", p.seq, seq, err)
			}
		}
	}
	return nil
}

// hold holds a post against another, unless they are known to be one story.
func (f *follower) hold(ctx context.Context, b *following, groups groups, p *told, seq uint64) error {
	if groups.of(p.seq) == groups.of(seq) {
		return nil
	}
	text, err := f.other(ctx, b, groups, seq)
	if err != nil || text == nil || groups.of(p.seq) == groups.of(seq) {
		return err
	}
	b.compared++
	if story.Compare(p.text, text).Same() {
		b.same = append(b.same, [2]uint64{p.seq, seq})
		groups.join(p.seq, seq)
	}
	return nil
}

// other returns the text of another post, after it was put into the group of the
// story that it is in; nil where its page was lost.
func (f *follower) other(ctx context.Context, b *following, groups groups, seq uint64) (*story.Text, error) {
	if p := b.bySeq[seq]; p != nil {
		return p.text, nil
	}
	text := f.texts.get(seq)
	if text != nil && groups.has(seq) {
		return text, nil
	}
	var members []uint64
	var p *told
	err := f.a.view(ctx, func(t *tx) (err error) {
		if members, err = t.storyOf(seq); err != nil || text != nil {
			return err
		}
		r, err := t.record(seq)
		if err == nil {
			p, err = t.told(seq, r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, member := range append(members, seq) {
		groups.join(seq, member)
	}
	if p != nil {
		text = f.a.storyText(p.body, p.securities)
		f.texts.put(seq, text)
	}
	return text, nil
}

// store takes what was found into the archive. It fails with errFollowed if the
// bookmark is not what it was.
func (f *follower) store(ctx context.Context, b *following) error {
	var at followed
	err := f.a.update(ctx, func(t *tx) (err error) {
		if at, err = t.followed(); err != nil {
			return err
		}
		if at != b.at {
			return errFollowed
		}
		at.Next = b.next
		for _, step := range []func(*tx, *followed) error{b.unsign, b.sign, b.join} {
			if err := step(t, &at); err != nil {
				return err
			}
		}
		return t.putFollowed(at)
	})
	if err != nil {
		return err
	}
	f.at = at
	for _, p := range b.posts {
		if !p.text.Short() {
			f.texts.put(p.seq, p.text)
		}
	}
	return nil
}

// unsign removes the signatures of revisions that are the newest no more, and
// takes their stories apart.
func (b *following) unsign(t *tx, at *followed) error {
	for old, hours := range b.replaced {
		apart := t.dissolve
		if b.leaving[old] {
			apart = t.leave
		}
		if err := apart(old, at); err != nil {
			return err
		}
		list, err := t.signatures(hours)
		if err != nil {
			return err
		}
		kept := slices.DeleteFunc(slices.Clone(list), func(s signed) bool { return s.seq == old })
		if len(kept) == len(list) {
			continue // it was replaced before it was followed
		}
		at.Signed--
		if err := t.putSignatures(hours, kept); err != nil {
			return err
		}
	}
	return nil
}

// sign adds the signatures of the batch's posts.
func (b *following) sign(t *tx, at *followed) error {
	fresh := make(map[uint64][]signed) // by hour
	for _, p := range b.posts {
		if !p.again && !p.text.Short() {
			fresh[p.hours] = append(fresh[p.hours], signed{p.seq, p.signature})
			at.Signed++
		}
	}
	for hours, list := range fresh {
		known, err := t.signatures(hours)
		if err != nil {
			return err
		}
		if err := t.putSignatures(hours, append(known, list...)); err != nil {
			return err
		}
	}
	return nil
}

// join makes stories of the pairs that are the same.
func (b *following) join(t *tx, at *followed) error { return t.join(b.same, at) }
