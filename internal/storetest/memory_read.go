package storetest

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// read returns a revision of a post as a reader gets it.
func read(list []news.Revision, i int, withBody bool) news.Revision {
	rev := list[i]
	rev.Number, rev.FirstSeen = i+1, list[0].Fetched
	rev.Post, rev.Revisit = keptPost(&rev.Post), nil
	if !withBody {
		rev.Body, rev.Foot, rev.SHA256 = "", "", ""
	}
	return rev
}

// revisionsOf returns the revisions of a post, following an alias.
func (s *state) revisionsOf(id news.ID) []news.Revision {
	if list := s.posts[id]; len(list) > 0 {
		return list
	}
	return s.posts[s.aliases[id]]
}

// resolve is revisionsOf for a post that must be there.
func (s *state) resolve(id news.ID) ([]news.Revision, error) {
	list := s.revisionsOf(id)
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: %w", id, archive.ErrNoPost)
	}
	return list, nil
}

// Post implements [Store].
func (m *Memory) Post(ctx context.Context, id news.ID) (news.Revision, error) {
	list, err := m.Revisions(ctx, id)
	if err != nil {
		return news.Revision{}, err
	}
	return list[len(list)-1], nil
}

// Revisions implements [Store].
func (m *Memory) Revisions(ctx context.Context, id news.ID) ([]news.Revision, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list, err := m.look().resolve(id)
	if err != nil {
		return nil, err
	}
	whole := make([]news.Revision, len(list))
	for i := range list {
		whole[i] = read(list, i, true)
	}
	return whole, nil
}

// Capture implements [Store].
func (m *Memory) Capture(ctx context.Context, seq uint64) (*news.Capture, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	captures := m.look().captures
	if seq == 0 || seq > uint64(len(captures)) {
		return nil, fmt.Errorf("capture %d: %w", seq, archive.ErrNoPost)
	}
	return keptCapture(&captures[seq-1]), nil
}

// Unread implements [Store].
func (m *Memory) Unread(ctx context.Context, id news.ID) (archive.Apart, error) {
	if err := ctx.Err(); err != nil {
		return archive.Apart{}, err
	}
	apart, ok := m.look().unread[id]
	if !ok {
		return archive.Apart{}, fmt.Errorf("%s: %w", id, archive.ErrNoPost)
	}
	apart.Capture = keptCapture(apart.Capture)
	return apart, nil
}

// Lists implements [crawler.Store].
func (m *Memory) Lists(ctx context.Context, mirror string) ([]news.ListPage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var list []news.ListPage
	all := m.look().lists
	for _, address := range slices.Sorted(maps.Keys(all)) {
		if all[address].Mirror == mirror {
			list = append(list, all[address])
		}
	}
	return list, nil
}

// Runs implements [Store].
func (m *Memory) Runs(ctx context.Context, limit int) ([]news.Run, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var list []news.Run
	all := m.look().runs
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(all))) {
		if limit <= 0 || len(list) < limit {
			list = append(list, *all[id].Clone())
		}
	}
	return list, nil
}

// Counts counts what the store holds.
func (m *Memory) Counts() Counts {
	s := m.look()
	n := Counts{
		Posts: int64(len(s.posts)), Revisions: int64(len(s.captures)),
		Frontier: len(s.frontier), Leads: len(s.leads), Failed: len(s.failed),
		Unread: len(s.unread), Lists: len(s.lists), Runs: len(s.runs),
	}
	for i := range s.captures {
		n.RawBytes += int64(len(s.captures[i].Body))
	}
	if order := s.selected(&archive.Selection{Oldest: true}); len(order) > 0 {
		n.First, n.Last = order[0].PlaceDay(), order[len(order)-1].PlaceDay()
	}
	return n
}

// Select implements [Store]. It yields what is held when it begins.
func (m *Memory) Select(ctx context.Context, s archive.Selection) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		err := ctx.Err()
		if s.From != 0 && s.To != 0 && s.From > s.To {
			err = fmt.Errorf("select posts: from %s is after to %s", s.From, s.To)
		}
		if err != nil {
			yield(news.Revision{}, err)
			return
		}
		if s.Origins {
			return // nobody looks for stories here
		}
		for _, rev := range m.look().selected(&s) {
			if !yield(rev, nil) {
				return
			}
		}
	}
}
