package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/finarc/finarc/durable"
	"github.com/finarc/finarc/news"
)

// Bounds of indexing.
const (
	chunkPosts  = 128  // that one goroutine makes terms of at a time
	aheadOf     = 8    // chunks that are made ready while one is written
	txPosts     = 4096 // in one transaction beside others, who wait for it
	blockBits   = 10   // 1,024 posts with following numbers are a block
	draftPrefix = "draft-"
)

// Updated tells what an update did.
type Updated struct {
	Posts   int    `json:"posts"`   // that were indexed
	Rebuilt string `json:"rebuilt"` // why the index was made anew; empty: it was not
	Behind  uint64 `json:"behind"`  // changes of the archive that are not in the index
}

// Options of an update.
type Options struct {
	Rebuild bool // make the index anew in any case
	// NoRebuild leaves an index that is missing, damaged, or of another archive as
	// it is, and fails with what is wrong with it.
	NoRebuild bool
}

// Update brings the index to where the archive is. Each portion of it is kept: it
// can be interrupted at any time, and goes on from there; an index that is made
// anew is so as a whole, and until then the one before it is used. Two processes
// may be at it at one time.
func (x *Index) Update(ctx context.Context, src Source, o Options) (Updated, error) {
	why := "as told"
	if !o.Rebuild {
		u, err := x.follow(ctx, src)
		switch {
		case errors.Is(err, ErrNoIndex):
			why = "there was none"
		case errors.Is(err, ErrStale), errors.Is(err, ErrDamaged):
			why = err.Error()
		default:
			return u, err
		}
		if o.NoRebuild {
			return u, err
		}
	}
	posts, err := x.rebuild(ctx, src)
	if err != nil {
		return Updated{}, fmt.Errorf("make the search index: %w", x.damage(err))
	}
	u, err := x.follow(ctx, src)
	u.Posts, u.Rebuilt = u.Posts+posts, why
	return u, err
}

// Behind returns how many changes of the archive are not in the index. It fails with
// [ErrStale] where the index is not of this archive as it is.
func (x *Index) Behind(ctx context.Context, a interface {
	Mark(ctx context.Context, seq uint64) (mark string, last uint64, err error)
}) (behind uint64, err error) {
	err = x.use(ctx, func(db *sql.DB) error {
		s, err := standingOf(ctx, db)
		if err != nil {
			return err
		}
		mark, last, err := a.Mark(ctx, s.seq)
		if err != nil {
			return err
		}
		if mark != s.mark {
			return fmt.Errorf("%s: %w", x.dir, ErrStale)
		}
		behind = last - s.seq
		return nil
	})
	return behind, err
}

// follow adds what came in since, a transaction at a time.
func (x *Index) follow(ctx context.Context, src Source) (u Updated, err error) {
	for {
		if u.Behind, err = x.Behind(ctx, src); err != nil || u.Behind == 0 {
			return u, err
		}
		err = x.use(ctx, func(db *sql.DB) error {
			posts, err := x.step(ctx, db, src)
			u.Posts += posts
			return err
		})
		if err != nil {
			return u, err
		}
	}
}

// step adds the next portion of what came in.
func (x *Index) step(ctx context.Context, db *sql.DB, src Source) (posts int, err error) {
	was, err := standingOf(ctx, db)
	if err != nil {
		return 0, err
	}
	_, last, err := src.Mark(ctx, was.seq)
	if err != nil {
		return 0, err
	}
	var list []*document
	reached := last
	for rev, err := range src.Changes(ctx, was.seq, last) {
		if err != nil {
			return 0, err
		}
		if list = append(list, x.document(&rev)); len(list) >= txPosts {
			reached = rev.Seq
			break
		}
	}
	mark, _, err := src.Mark(ctx, reached)
	if err != nil {
		return 0, err
	}
	if still, _, err := src.Mark(ctx, was.seq); err != nil || still != was.mark {
		return 0, errors.Join(err, ErrStale) // perhaps only while the changes were read
	}
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		now, err := standingOf(ctx, tx)
		if err != nil || now != was {
			return err // another process was here first: the next step goes on from there
		}
		posts = len(list)
		now.seq, now.mark = reached, mark
		return write(ctx, tx, &now, inOrder(list))
	})
	return posts, err
}

// inTx calls fn within a transaction that writes.
func inTx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// document is a post as it is indexed.
type document struct {
	id    news.ID
	at    int64
	terms string
}

func (x *Index) document(rev *news.Revision) *document {
	return &document{id: rev.ID, at: placeOf(rev), terms: x.fold.terms(rev, x.text(rev.Body))}
}

// placeOf returns when a post stands among others, in seconds since 1970; 0 where no
// day is known.
func placeOf(rev *news.Revision) int64 { return max(0, rev.Place().Unix()) }

func inOrder(list []*document) iter.Seq2[*document, error] {
	return func(yield func(*document, error) bool) {
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// keyOf returns an identity as it is in the database: an infoCode's digits as a
// number, which takes half of the room.
func keyOf(id news.ID) any {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil && id.HasCode() {
		return n
	}
	return string(id)
}

// span is from when to when the posts of a block are published.
type span struct{ low, high int64 }

// write adds posts, each with the next number, and notes how far the index has come.
func write(ctx context.Context, tx *sql.Tx, s *standing, docs iter.Seq2[*document, error]) error {
	terms, err := tx.PrepareContext(ctx, `INSERT INTO terms (rowid, words) VALUES (?, ?)`)
	if err != nil {
		return err
	}
	// A post that was there before gets a new number: its old terms name nothing then.
	// It is not replaced in one statement, since for one that may have to be undone
	// the engine writes out what it has gathered.
	before, err := tx.PrepareContext(ctx, `DELETE FROM posts WHERE id = ?`)
	if err != nil {
		return err
	}
	posts, err := tx.PrepareContext(ctx, `INSERT INTO posts (number, at, id) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	spans := make(map[int64]span)
	for d, err := range docs {
		if err != nil {
			return err
		}
		s.number++
		if _, err := terms.ExecContext(ctx, s.number, d.terms); err != nil {
			return err
		}
		if _, err := before.ExecContext(ctx, keyOf(d.id)); err != nil {
			return err
		}
		if _, err := posts.ExecContext(ctx, s.number, d.at, keyOf(d.id)); err != nil {
			return err
		}
		block := s.number >> blockBits
		sp, known := spans[block]
		if !known {
			sp = span{d.at, d.at}
		}
		spans[block] = span{min(sp.low, d.at), max(sp.high, d.at)}
	}
	for block, sp := range spans {
		_, err := tx.ExecContext(ctx, `INSERT INTO blocks VALUES (?1, ?2, ?3)
			ON CONFLICT (block) DO UPDATE SET low = min(low, ?2), high = max(high, ?3)`, block, sp.low, sp.high)
		if err != nil {
			return err
		}
	}
	return s.keep(ctx, tx)
}

// rebuild makes a new generation of the index, and removes those before it.
func (x *Index) rebuild(ctx context.Context, src Source) (posts int, err error) {
	if err := os.MkdirAll(x.dir, 0o755); err != nil {
		return 0, err
	}
	draft, err := durable.NewFolder(x.dir, draftPrefix)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, draft.Discard()) }()
	if posts, err = x.make(ctx, filepath.Join(draft.Path, databaseFile), src); err != nil {
		return 0, err
	}
	names, err := x.generations()
	if err != nil {
		return 0, err
	}
	next := uint64(1)
	if len(names) > 0 {
		last, err := strconv.ParseUint(names[len(names)-1], 10, 32)
		if err != nil {
			return 0, err
		}
		next = last + 1
	}
	err = draft.Place(filepath.Join(x.dir, generationName(next)))
	if errors.Is(err, durable.ErrExists) {
		return 0, nil // another process was faster, with what is as good
	}
	if err != nil {
		return 0, err
	}
	return posts, x.removeOld(names)
}

// removeOld removes generations. Where the system does not remove what another
// process has open, the next rebuild does.
func (x *Index) removeOld(names []string) error {
	if err := x.Close(); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(x.dir, name)); err != nil && !errors.Is(err, os.ErrPermission) {
			return err
		}
	}
	return nil
}

// make makes a whole index in a file that is not there yet. The engine gathers terms
// in portions, and merges these once, in the end; what that leaves of unused room the
// copy does not have.
func (x *Index) make(ctx context.Context, file string, src Source) (posts int, err error) {
	parts := file + ".parts"
	db, err := connect(parts, private)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close(), os.Remove(parts)) }()
	db.SetMaxOpenConns(1)
	_, last, err := src.Mark(ctx, 0)
	if err != nil {
		return 0, err
	}
	mark, _, err := src.Mark(ctx, last)
	if err != nil {
		return 0, err
	}
	s := standing{seq: last, mark: mark}
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, schema+gather); err != nil {
			return err
		}
		return x.pour(ctx, src.All(ctx, last), func(docs iter.Seq2[*document, error]) error {
			return write(ctx, tx, &s, docs)
		})
	})
	if err == nil {
		_, err = db.ExecContext(ctx, finish+`VACUUM INTO ?`, file)
	}
	return int(s.number), err
}

// chunk is some posts of which one goroutine makes documents.
type chunk struct {
	revs []news.Revision
	docs []*document
	done chan struct{} // closed when docs are there
}

// pour makes documents of posts on all processors, and hands them on in order.
func (x *Index) pour(ctx context.Context, revs iter.Seq2[news.Revision, error], to func(iter.Seq2[*document, error]) error) error {
	g, ctx := errgroup.WithContext(ctx)
	chunks := make(chan *chunk, aheadOf)
	g.Go(func() error {
		defer close(chunks)
		for c, err := range chunked(revs) {
			if err != nil {
				return err
			}
			g.Go(func() error {
				defer close(c.done)
				for i := range c.revs {
					c.docs = append(c.docs, x.document(&c.revs[i]))
				}
				c.revs = nil
				return nil
			})
			select {
			case chunks <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	g.Go(func() error { return to(poured(ctx, chunks)) })
	return g.Wait()
}

// chunked yields posts in portions.
func chunked(revs iter.Seq2[news.Revision, error]) iter.Seq2[*chunk, error] {
	return func(yield func(*chunk, error) bool) {
		c := &chunk{done: make(chan struct{})}
		for rev, err := range revs {
			if err != nil {
				yield(nil, err)
				return
			}
			if c.revs = append(c.revs, rev); len(c.revs) < chunkPosts {
				continue
			}
			if !yield(c, nil) {
				return
			}
			c = &chunk{done: make(chan struct{})}
		}
		yield(c, nil)
	}
}

// poured yields the documents of chunks in their order. Where the chunks end early,
// the context tells why.
func poured(ctx context.Context, chunks <-chan *chunk) iter.Seq2[*document, error] {
	return func(yield func(*document, error) bool) {
		for c := range chunks {
			<-c.done
			for _, d := range c.docs {
				if !yield(d, nil) {
					return
				}
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}
