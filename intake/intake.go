// Package intake is what all imports have in common: they read posts on several
// processors, commit a portion at a time, and count what each was to the archive.
package intake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// Store takes what an import brings. [archive.Archive] is one.
type Store interface {
	// Commit takes a batch, whole or not at all, and tells what it was to the store.
	Commit(context.Context, *news.Batch) (news.Committed, error)
}

// Post is what a source was read as: a post, or why it is none.
type Post struct {
	news.Captured
	Leads   []news.Wanted
	Refused error
}

// Intake takes in posts from sources of the type S: files, or records of one.
type Intake[S any] struct {
	Store Store
	// Size returns how many bytes a source takes; 0 for one that is only to be
	// counted. Read reads it; it is called by several goroutines at a time.
	Size func(*S) int64
	Read func(*S) Post
	// Count is told of each source, in order, once its portion is committed: what it
	// was read as, and what that was to the store. There is no change where it was
	// refused.
	Count func(*S, *Post, news.Change)
	// Committed is called after each portion, with the number of leads that were not
	// known.
	Committed func(leads int)
	// Trial, if set, says that Store only tells what it would make of a batch.
	Trial *Trial
}

// Run takes in all sources. It stops at the first error, of the sources, of the
// store or of ctx; what was counted by then was committed.
func (in *Intake[S]) Run(ctx context.Context, sources iter.Seq2[S, error]) error {
	for list, err := range Ahead(in.readAll(ctx, sources), 1) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if err := in.commit(ctx, list); err != nil {
			return err
		}
	}
	return nil
}

// Bounds on one portion of sources.
const (
	PortionPosts   = 256 // those that are only to be counted excepted
	portionBytes   = 4 << 20
	portionSources = 4096
)

// portions gathers sources into lists.
func (in *Intake[S]) portions(sources iter.Seq2[S, error]) iter.Seq2[[]S, error] {
	return func(yield func([]S, error) bool) {
		var list []S
		posts, bytes := 0, int64(0)
		for s, err := range sources {
			if err != nil {
				yield(nil, err)
				return
			}
			size := in.Size(&s)
			if len(list) > 0 && (posts == PortionPosts || bytes+size > portionBytes || len(list) == portionSources) {
				if !yield(list, nil) {
					return
				}
				list, posts, bytes = nil, 0, 0
			}
			list = append(list, s)
			bytes += size
			if size > 0 {
				posts++
			}
		}
		if len(list) > 0 {
			yield(list, nil)
		}
	}
}

// source is one that was read.
type source[S any] struct {
	from S
	post Post
}

// readAll reads the sources of each portion, on several processors.
func (in *Intake[S]) readAll(ctx context.Context, sources iter.Seq2[S, error]) iter.Seq2[[]source[S], error] {
	return func(yield func([]source[S], error) bool) {
		for list, err := range in.portions(sources) {
			if err = cmp.Or(err, ctx.Err()); err != nil {
				yield(nil, err)
				return
			}
			if !yield(in.readList(list), nil) {
				return
			}
		}
	}
}

func (in *Intake[S]) readList(list []S) []source[S] {
	const chunk = 32
	done := make([]source[S], len(list))
	var work sync.WaitGroup
	for from := 0; from < len(list); from += chunk {
		work.Go(func() {
			for i := from; i < min(from+chunk, len(list)); i++ {
				post := in.Read(&list[i])
				done[i] = source[S]{list[i], post}
			}
		})
	}
	work.Wait()
	return done
}

// commit commits a portion, and has it counted.
func (in *Intake[S]) commit(ctx context.Context, list []source[S]) error {
	var b news.Batch
	for i := range list {
		if p := &list[i].post; p.Refused == nil {
			b.Posts = append(b.Posts, p.Captured)
			b.Leads = append(b.Leads, p.Leads...)
		}
	}
	var done news.Committed
	if len(b.Posts) > 0 {
		var err error
		if done, err = in.Store.Commit(ctx, &b); err != nil {
			return err
		}
	}
	changes := done.Posts
	for i := range list {
		p, change := &list[i].post, news.Change("")
		if p.Refused == nil {
			change, changes = changes[0], changes[1:]
			if in.Trial != nil {
				change = in.Trial.told(change, &p.Captured)
			}
		}
		in.Count(&list[i].from, p, change)
	}
	in.Committed(done.Leads)
	return nil
}

// Tally is what became of posts.
type Tally struct {
	New     int            `json:"new"`     // the first of their posts
	Same    int            `json:"same"`    // their text was held already
	Revised int            `json:"revised"` // another text of a post that was held
	Refused map[string]int `json:"refused"` // no posts, by reason
}

// Count counts a post by what it was to the store.
func (t *Tally) Count(change news.Change) {
	switch change {
	case news.ChangeNew:
		t.New++
	case news.ChangeUnchanged:
		t.Same++
	default:
		t.Revised++
	}
}

// Total returns how many sources were counted.
func (t *Tally) Total() int { return t.New + t.Same + t.Revised + news.Total(t.Refused) }

// Trial remembers the posts of a dry run: a store that only tries a batch does not
// know those of earlier ones.
type Trial struct {
	tried map[news.ID][]tried
}

// tried is a capture that would be held.
type tried struct {
	at  time.Time
	sum [sha256.Size]byte // of the article
}

// NewTrial returns the memory of a dry run.
func NewTrial() *Trial { return &Trial{tried: make(map[news.ID][]tried)} }

// Has reports whether a post would be held that was captured by a moment.
func (t *Trial) Has(id news.ID, by time.Time) bool {
	return slices.ContainsFunc(t.tried[id], func(e tried) bool { return !e.at.After(by) })
}

// told corrects what the store of a dry run tells of a capture.
func (t *Trial) told(change news.Change, c *news.Captured) news.Change {
	p := &c.Post
	if change == news.ChangeUnchanged {
		return change
	}
	now := tried{c.Capture.Fetched, sha256.Sum256([]byte(p.Title + "\n" + p.Published.String() + "\n" + page.Text(p.Body)))}
	earlier := t.tried[p.ID]
	t.tried[p.ID] = append(earlier, now)
	switch {
	case now.in(earlier, c.Capture.Kind):
		return news.ChangeUnchanged
	case len(earlier) > 0 && change == news.ChangeNew:
		return news.ChangeRevised
	}
	return change
}

// in reports whether a capture says what one of some others did: of a file any of
// them, since it does not tell when it was true; of a page the last before it.
func (e tried) in(others []tried, kind news.PageKind) bool {
	var last *tried
	for i := range others {
		o := &others[i]
		switch {
		case o.sum == e.sum && (kind == news.KindJekyll || o.at.Equal(e.at)):
			return true
		case !o.at.After(e.at) && (last == nil || o.at.After(last.at)):
			last = o
		}
	}
	return last != nil && last.sum == e.sum
}
