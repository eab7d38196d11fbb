package web

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// Store is the archive as the server reads it. *archive.Archive has these methods.
type Store interface {
	Posts
	Counts
	// RunsUpTo returns the reports of the newest runs whose number is at most last,
	// newest first; all for a limit of 0.
	RunsUpTo(ctx context.Context, last uint64, limit int) ([]news.Run, error)
}

// Posts are the store's posts. An error that wraps [archive.ErrNoPost] says that
// there is none, one that wraps [archive.ErrBusy] that another process holds the
// file.
type Posts interface {
	Select(ctx context.Context, s archive.Selection) iter.Seq2[news.Revision, error]
	// Revisions returns all revisions of a post, with their bodies, the first
	// captured first.
	Revisions(ctx context.Context, id news.ID) ([]news.Revision, error)
	// Briefly returns the newest revisions of those of the posts that are held,
	// without their bodies.
	Briefly(ctx context.Context, ids []news.ID) ([]news.Revision, error)
	// Posts returns them with their bodies.
	Posts(ctx context.Context, ids []news.ID) ([]news.Revision, error)
	// Story returns the posts of a post's story, the earliest first.
	Story(ctx context.Context, id news.ID) ([]news.Revision, error)
	// Capture returns a revision's page as it was served.
	Capture(ctx context.Context, seq uint64) (*news.Capture, error)
}

// Counts are the store's counts.
type Counts interface {
	Tally(ctx context.Context, by archive.Part, from, to news.Day) ([]news.Tally, error)
	Days(ctx context.Context, from, to news.Day) ([]news.DayStanding, error)
	Stats(ctx context.Context, asOf time.Time) (archive.Stats, error)
	// Latency tells how long after their publication posts came in.
	Latency(ctx context.Context, s archive.Selection) (archive.Latency, error)
}

// Searcher finds posts by words. Its errors wrap [ErrQuery] or [ErrNoIndex] where
// they are of these.
type Searcher interface {
	Search(ctx context.Context, q Query) (Hits, error)
}

// What can be wrong with a search, beside what can be with the archive.
var (
	// ErrQuery: the query, or its cursor, cannot be meant so.
	ErrQuery = errors.New("bad query")
	// ErrNoIndex: there is no index that could be searched.
	ErrNoIndex = errors.New("no search index")
)

// Query is what is searched for.
type Query struct {
	Words  string
	ByTime bool   // the newest first; otherwise the best
	After  string // a cursor, see [Hits]; empty: from the first
	Limit  int    // at most this many, above 0
}

// Hits is a page of what was found.
type Hits struct {
	Hits []Hit
	// Next is a cursor to the next page; empty: this is the last. A page can have no
	// hits and yet a next one.
	Next string
	// Behind is how many revisions of the archive are not in the index yet.
	Behind uint64
}

// Hit is a post that was found.
type Hit struct {
	Post    news.Revision // without body
	Title   []Passage
	Passage []Passage // of the text, where the words stand; may be empty
}

// Passage is a stretch of a text.
type Passage struct {
	Text   string
	Marked bool // it is what was searched for
}
