package archive_test

import (
	"context"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
)

var _ storetest.Store = (*archive.Archive)(nil)

func TestArchiveConforms(t *testing.T) {
	t.Parallel()
	storetest.Conform(t, func(t *testing.T) storetest.Store { return open(t) })
}

func TestReopenedArchiveConforms(t *testing.T) {
	storetest.Conform(t, func(t *testing.T) storetest.Store { return reopened(open(t).Path()) })
}

func TestFaultyArchiveWithoutFaultsConforms(t *testing.T) {
	storetest.Conform(t, func(t *testing.T) storetest.Store { return storetest.NewFaulty(open(t), 1) })
}

// reopened is the path of an archive that is opened anew for each call, as by
// processes that make one call each.
type reopened string

// in makes a call to the archive, opened for it alone.
func in[T any](ctx context.Context, path reopened, call func(*archive.Archive) (T, error)) (T, error) {
	a, err := archive.OpenOrCreate(ctx, filepath.Clean(string(path)))
	if err != nil {
		var none T
		return none, err
	}
	return call(a)
}

func (r reopened) StartRun(ctx context.Context, run *news.Run) error {
	_, err := in(ctx, r, func(a *archive.Archive) (struct{}, error) { return struct{}{}, a.StartRun(ctx, run) })
	return err
}

func (r reopened) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	return in(ctx, r, func(a *archive.Archive) (news.Committed, error) { return a.Commit(ctx, b) })
}

func (r reopened) Wanted(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Wanted, error) { return a.Wanted(ctx, after, n) })
}

func (r reopened) Leads(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Wanted, error) { return a.Leads(ctx, after, n) })
}

func (r reopened) Failures(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Wanted, error) { return a.Failures(ctx, after, n) })
}

func (r reopened) Lists(ctx context.Context, mirror string) ([]news.ListPage, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.ListPage, error) { return a.Lists(ctx, mirror) })
}

func (r reopened) Post(ctx context.Context, id news.ID) (news.Revision, error) {
	return in(ctx, r, func(a *archive.Archive) (news.Revision, error) { return a.Post(ctx, id) })
}

func (r reopened) Revisions(ctx context.Context, id news.ID) ([]news.Revision, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Revision, error) { return a.Revisions(ctx, id) })
}

func (r reopened) Capture(ctx context.Context, seq uint64) (*news.Capture, error) {
	return in(ctx, r, func(a *archive.Archive) (*news.Capture, error) { return a.Capture(ctx, seq) })
}

func (r reopened) Unread(ctx context.Context, id news.ID) (archive.Apart, error) {
	return in(ctx, r, func(a *archive.Archive) (archive.Apart, error) { return a.Unread(ctx, id) })
}

func (r reopened) Runs(ctx context.Context, limit int) ([]news.Run, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Run, error) { return a.Runs(ctx, limit) })
}

func (r reopened) Hosts(ctx context.Context) ([]news.Host, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Host, error) { return a.Hosts(ctx) })
}

func (r reopened) Held(ctx context.Context, since time.Time, after news.ID, n int) ([]news.Held, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Held, error) { return a.Held(ctx, since, after, n) })
}

func (r reopened) Hourly(ctx context.Context, since time.Time) ([]news.HourCount, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.HourCount, error) { return a.Hourly(ctx, since) })
}

func (r reopened) PageHistory(ctx context.Context) ([]news.PageCounts, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.PageCounts, error) { return a.PageHistory(ctx) })
}

func (r reopened) Select(ctx context.Context, s archive.Selection) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		a, err := archive.Open(ctx, string(r))
		if err != nil {
			yield(news.Revision{}, err)
			return
		}
		a.Select(ctx, s)(yield)
	}
}

func (r reopened) KnownOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Wanted, error) { return a.KnownOn(ctx, d, after, n) })
}

func (r reopened) GoneOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Wanted, error) { return a.GoneOn(ctx, d, after, n) })
}

func (r reopened) Unknown(ctx context.Context, posts []news.Wanted) ([]news.Wanted, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.Wanted, error) { return a.Unknown(ctx, posts) })
}

func (r reopened) Days(ctx context.Context, from, to news.Day) ([]news.DayStanding, error) {
	return in(ctx, r, func(a *archive.Archive) ([]news.DayStanding, error) { return a.Days(ctx, from, to) })
}
