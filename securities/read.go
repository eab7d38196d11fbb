package securities

import (
	"context"
	"iter"
	"runtime"

	"github.com/finarc/finarc/news"
	"golang.org/x/sync/errgroup"
)

// LearnAll takes in what all of the posts mark. Bodies are not needed.
func (g *Gazetteer) LearnAll(posts iter.Seq2[news.Revision, error]) error {
	for rev, err := range posts {
		if err != nil {
			return err
		}
		g.Learn(&rev)
	}
	return nil
}

// In returns what finds places in posts that have their bodies, which read takes
// apart.
func (f *Finder) In(read func(html string) news.Article) func(*news.Revision) []news.Place {
	return func(rev *news.Revision) []news.Place { return f.Find(rev, read(rev.Body)) }
}

// atOnce is how many posts a processor is given at a time.
const atOnce = 32

// Read counts what posts name, on all processors: what they mark, and what find
// finds in them. Without find, which must bear being called from several goroutines,
// only marks count.
func Read(ctx context.Context, posts iter.Seq2[news.Revision, error], find func(*news.Revision) []news.Place) (*Survey, error) {
	if find == nil {
		find = func(*news.Revision) []news.Place { return nil }
	}
	parts := make([]Survey, runtime.GOMAXPROCS(0))
	batches := make(chan []news.Revision)
	group, ctx := errgroup.WithContext(ctx)
	for i := range parts {
		group.Go(func() error {
			for batch := range batches {
				for j := range batch {
					parts[i].Add(&batch[j], find(&batch[j]))
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(batches)
		return hand(ctx, posts, batches)
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	whole := new(Survey)
	for i := range parts {
		whole.merge(&parts[i])
	}
	return whole, nil
}

// hand hands out posts in batches.
func hand(ctx context.Context, posts iter.Seq2[news.Revision, error], to chan<- []news.Revision) error {
	var batch []news.Revision
	send := func() error {
		select {
		case to <- batch:
			batch = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for rev, err := range posts {
		if err != nil {
			return err
		}
		if batch = append(batch, rev); len(batch) == atOnce {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// merge takes in what another survey counted of other posts.
func (s *Survey) merge(o *Survey) {
	if s.counts == nil {
		s.counts = make(map[news.Security]*Count)
	}
	s.Posts += o.Posts
	for of, c := range o.counts {
		if s.counts[of] == nil {
			s.counts[of] = &Count{Security: of}
		}
		s.counts[of].add(*c)
	}
}
