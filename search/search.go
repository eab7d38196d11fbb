// Package search finds posts by what stands in their titles and texts. It keeps an
// index in a folder beside the archive, which follows the archive's change sequence
// and can be made again at any time: nothing is lost with it.
//
// The index names candidates; the posts themselves, as the archive has them, tell
// which of them are hits. So what is found is exactly what a look through all
// texts would find, as far as the index has come.
package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/finarc/finarc/news"
)

// Source is what an index is made of.
type Source interface {
	// Mark returns what tells whether the archive is still the one that was
	// followed up to a place in its change sequence, and the last place.
	Mark(ctx context.Context, seq uint64) (mark string, last uint64, err error)
	// All yields the newest revisions of all posts in order of publication.
	All(ctx context.Context, upTo uint64) iter.Seq2[news.Revision, error]
	// Changes yields those that came in after a place, in order.
	Changes(ctx context.Context, after, upTo uint64) iter.Seq2[news.Revision, error]
}

// Posts is where the texts of candidates are read.
type Posts interface {
	Mark(ctx context.Context, seq uint64) (mark string, last uint64, err error)
	// Posts returns those of the posts that are held, in the order in which they
	// are named.
	Posts(ctx context.Context, ids []news.ID) ([]news.Revision, error)
	// Story returns the posts that run the same story, without bodies.
	Story(ctx context.Context, id news.ID) ([]news.Revision, error)
}

// Errors of an index.
var (
	ErrNoIndex = errors.New("there is no search index")
	ErrDamaged = errors.New("the search index is damaged")
	ErrStale   = errors.New("the search index is of another archive, or of an older form")
)

// Index is a search index. It is safe for concurrent use, by several goroutines and
// several processes.
type Index struct {
	dir  string
	text func(html string) string
	fold *folder

	mu  sync.RWMutex // held for reading while db is used
	now string       // the generation that db is of
	db  *sql.DB      // nil: none is open
}

// Open returns the index in a folder, which need not be there yet. text makes plain
// text of an article, a line a paragraph.
func Open(dir string, text func(html string) string) *Index {
	return &Index{dir: dir, text: text, fold: newFolder()}
}

// Close lets go of the index.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.db == nil {
		return nil
	}
	err := x.db.Close()
	x.db, x.now = nil, ""
	return err
}

// Size returns how many bytes the index takes.
func (x *Index) Size() (int64, error) {
	generation, err := x.newest()
	if err != nil {
		return 0, err
	}
	var size int64
	files, err := os.ReadDir(filepath.Join(x.dir, generation))
	for _, f := range files {
		info, failed := f.Info()
		if failed != nil {
			return 0, fmt.Errorf("size of the search index: %w", failed)
		}
		size += info.Size()
	}
	return size, err
}

// use calls fn with the newest generation of the index.
func (x *Index) use(ctx context.Context, fn func(db *sql.DB) error) error {
	for {
		generation, err := x.newest()
		if err != nil {
			return err
		}
		if done, err := x.useIf(generation, fn); done {
			return x.damage(err)
		}
		if err := x.change(ctx, generation); err != nil {
			if now, _ := x.newest(); now != "" && now != generation {
				continue // it was removed meanwhile, since there is a newer one
			}
			return x.damage(err)
		}
	}
}

// useIf calls fn if the open generation is the one that is wanted.
func (x *Index) useIf(generation string, fn func(db *sql.DB) error) (done bool, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.db == nil || x.now != generation {
		return false, nil
	}
	return true, fn(x.db)
}

// change opens another generation.
func (x *Index) change(ctx context.Context, generation string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.db != nil && x.now == generation {
		return nil
	}
	db, err := openDB(ctx, x.file(generation))
	if err != nil {
		return err
	}
	if x.db != nil {
		err = x.db.Close()
	}
	x.db, x.now = db, generation
	return err
}
