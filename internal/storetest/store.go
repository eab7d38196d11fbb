// Package storetest holds what tests of the store share: what a store is to
// them ([Store]), one made of maps that stands in for the file ([Memory]), one
// that fails where it is told to ([Faulty]), and the suite that says of any
// store whether it keeps the contract ([Conform]). Tests alone import it.
package storetest

import (
	"context"
	"iter"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
)

// Store is an archive as a crawl writes it and as tests read it. Its methods
// mean what those of [archive.Archive] mean.
type Store interface {
	crawler.Store
	crawler.DayStore

	Leads(ctx context.Context, after news.ID, n int) ([]news.Wanted, error)
	Failures(ctx context.Context, after news.ID, n int) ([]news.Wanted, error)
	Post(ctx context.Context, id news.ID) (news.Revision, error)
	Revisions(ctx context.Context, id news.ID) ([]news.Revision, error)
	Capture(ctx context.Context, seq uint64) (*news.Capture, error)
	Unread(ctx context.Context, id news.ID) (archive.Apart, error)
	Select(ctx context.Context, s archive.Selection) iter.Seq2[news.Revision, error]
	Runs(ctx context.Context, limit int) ([]news.Run, error)
	Hosts(ctx context.Context) ([]news.Host, error)
	Held(ctx context.Context, since time.Time, after news.ID, n int) ([]news.Held, error)
	PageHistory(ctx context.Context) ([]news.PageCounts, error)
	Hourly(ctx context.Context, since time.Time) ([]news.HourCount, error)
}

var (
	_ Store = (*Memory)(nil)
	_ Store = (*Faulty)(nil)
)

// Counts are the numbers of [archive.Stats] that make sense without a file.
type Counts struct {
	Posts, Revisions                             int64
	RawBytes                                     int64
	First, Last                                  news.Day
	Frontier, Leads, Failed, Unread, Lists, Runs int
}
