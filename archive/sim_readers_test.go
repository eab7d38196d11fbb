package archive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
)

// commitAmongReaders commits while others read, on the same handle and on one
// of their own. Each must find the archive as it was before the commit or as it
// is after.
func (s *simulation) commitAmongReaders() {
	b := s.batch()
	before := s.twin.Snapshot()
	want, err := s.twin.Commit(s.Context(), &b)
	s.must(err)
	other, err := archive.Open(s.Context(), s.path)
	s.must(err)

	var wg sync.WaitGroup
	committed := make(chan struct{})
	for _, r := range []reader{
		{file: s.file, looks: 50, dice: s.child()}, {file: s.file, looks: 50, dice: s.child()},
		{file: other, looks: 3, dice: s.child()}, // the lock of another process is polled: not too often
	} {
		r.before, r.after = before, s.twin
		wg.Go(func() {
			if err := r.read(s.Context(), committed); err != nil {
				s.Errorf("while a batch is committed: %v", err)
			}
		})
	}
	got, err := s.file.Commit(s.Context(), &b)
	close(committed)
	wg.Wait()
	s.must(err)
	s.same("committed among readers", want, got)
}

// child returns a source of its own, for another goroutine.
func (s *simulation) child() *rand.Rand { return rand.New(rand.NewPCG(s.Uint64(), 2)) }

// reader reads while a batch is committed.
type reader struct {
	file          *archive.Archive
	before, after *storetest.Memory
	looks         int // at most so many
	dice          *rand.Rand
}

// read looks at the archive until the batch is committed, and once more.
func (r *reader) read(ctx context.Context, committed <-chan struct{}) error {
	looks := []func(context.Context) error{r.readPost, r.readFrontier, r.readRuns, r.readLists, r.readSelection}
	for range r.looks {
		if err := looks[r.dice.IntN(len(looks))](ctx); err != nil {
			return err
		}
		select {
		case <-committed:
			return r.readSelection(ctx)
		default:
		}
	}
	return nil
}

// either checks that what the file tells is what one of its states tells.
func either[T any](r *reader, what string, tell func(storetest.Store) (T, error)) error {
	got, err := tell(r.file)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	before, err := tell(r.before)
	if err != nil {
		return err
	}
	after, err := tell(r.after)
	if err != nil {
		return err
	}
	if storetest.Diff(before, got) != "" && storetest.Diff(after, got) != "" {
		return fmt.Errorf("%s was never so: %+v; before (-) it was\n%s", what, got, storetest.Diff(before, got))
	}
	return nil
}

func (r *reader) readPost(ctx context.Context) error {
	id := storetest.Sample(r.dice.IntN(simPosts)).Post.ID
	return either(r, "post "+string(id), func(s storetest.Store) ([]news.Revision, error) {
		list, err := s.Revisions(ctx, id)
		if errors.Is(err, archive.ErrNoPost) {
			return nil, nil
		}
		return list, err
	})
}

func (r *reader) readFrontier(ctx context.Context) error {
	return either(r, "the frontier", func(s storetest.Store) ([]news.Wanted, error) { return s.Wanted(ctx, "", 1000) })
}

func (r *reader) readRuns(ctx context.Context) error {
	return either(r, "the log of runs", func(s storetest.Store) ([]news.Run, error) { return s.Runs(ctx, 0) })
}

func (r *reader) readLists(ctx context.Context) error {
	name := mirrorName(r.dice.IntN(simMirrors))
	return either(r, "the lists of "+name, func(s storetest.Store) ([]news.ListPage, error) { return s.Lists(ctx, name) })
}

// readSelection checks each selected revision by itself: a selection lets
// others write between its looks.
func (r *reader) readSelection(ctx context.Context) error {
	q := archive.Selection{Body: r.dice.IntN(2) == 0, Limit: 1 + r.dice.IntN(30), Oldest: r.dice.IntN(2) == 0}
	for rev, err := range r.file.Select(ctx, q) {
		if err != nil {
			return fmt.Errorf("select: %w", err)
		}
		if !was(ctx, r.before, rev, q.Body) && !was(ctx, r.after, rev, q.Body) {
			return fmt.Errorf("selected what never was: %+v", rev)
		}
	}
	return nil
}

// was reports whether a revision is the newest of its post in a state.
func was(ctx context.Context, m *storetest.Memory, rev news.Revision, withBody bool) bool {
	have, err := m.Post(ctx, rev.ID)
	if !withBody {
		have.Body, have.Foot, have.SHA256 = "", "", ""
	}
	return err == nil && storetest.Diff(have, rev) == ""
}
