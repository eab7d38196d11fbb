package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// held reports whether a link leads to a post that is held.
func (s *state) held(id news.ID) bool {
	_, alias := s.aliases[id]
	return alias || len(s.posts[id]) > 0
}

// link enters a found post into the frontier unless it is known, or failed in so
// many runs.
func (s *state) link(w news.Wanted, attempts int) news.Standing {
	if s.held(w.ID) {
		return news.StandingArchived
	}
	if failed, ok := s.failed[w.ID]; ok {
		return s.linkToFailed(failed, w, attempts)
	}
	if known, ok := s.frontier[w.ID]; ok {
		s.frontier[w.ID] = hurried(learned(known, w), known)
		return news.StandingPending
	}
	delete(s.leads, w.ID)
	s.frontier[w.ID] = w
	return news.StandingNew
}

// linkToFailed brings a failed post back that was tried in fewer runs than these, if
// its time has come, or that none has tried at the page that a link leads to.
func (s *state) linkToFailed(failed, w news.Wanted, attempts int) news.Standing {
	again := learned(failed, w)
	due := failed.Attempts < attempts && !w.Found.Before(failed.Next)
	if !due && len(again.Pages) == len(failed.Pages) {
		return news.StandingFailed
	}
	again.Next = time.Time{}
	delete(s.failed, w.ID)
	s.frontier[w.ID] = again
	return news.StandingNew
}

// hurried returns an entry that knows more than before: it does not wait where
// there is a page that was not tried yet.
func hurried(w, before news.Wanted) news.Wanted {
	if len(w.Pages) > len(before.Pages) {
		w.Next = time.Time{}
	}
	return w
}

// learned returns w with what it lacks and from, which is newer, tells.
func learned(w, from news.Wanted) news.Wanted {
	w.Pages = slices.Clone(w.Pages)
	for _, page := range from.Pages {
		if !slices.Contains(w.Pages, page) {
			w.Pages = append(w.Pages, page)
		}
	}
	if w.InfoCode.Kind() == "" {
		w.InfoCode = from.InfoCode
	}
	w = titled(w, from)
	w.Category = cmp.Or(w.Category, from.Category)
	mirrors := slices.Concat(w.Also, from.Also, []string{from.Mirror})
	slices.Sort(mirrors)
	w.Also = slices.DeleteFunc(slices.Compact(mirrors), func(m string) bool { return m == "" || m == w.Mirror })
	return w
}

// lead records a related post that is not known at all.
func (s *state) lead(w news.Wanted) bool {
	_, wanted := s.frontier[w.ID]
	_, failed := s.failed[w.ID]
	_, lead := s.leads[w.ID]
	if wanted || failed || lead || s.held(w.ID) {
		return false
	}
	s.leads[w.ID] = w
	return true
}

// tried keeps a post in the frontier, or a lead one, unless it is held by now.
func (s *state) tried(w news.Wanted) {
	if s.held(w.ID) {
		return
	}
	known, wanted := s.frontier[w.ID]
	_, lead := s.leads[w.ID]
	if _, failed := s.failed[w.ID]; (lead || failed) && !wanted {
		delete(s.failed, w.ID)
		s.leads[w.ID] = w
		return
	}
	if wanted {
		w = hurried(learned(w, known), w)
	}
	s.frontier[w.ID] = w
}

// fail takes a post out of the frontier for good, unless it is held by now or
// a link told of another page of it meanwhile.
func (s *state) fail(w news.Wanted) {
	if s.held(w.ID) {
		return
	}
	failed := w
	if known, ok := s.frontier[w.ID]; ok {
		failed = learned(w, known)
	}
	if len(failed.Pages) > len(w.Pages) {
		failed.Next = time.Time{}
		s.frontier[w.ID] = failed
		return
	}
	delete(s.frontier, w.ID)
	delete(s.leads, w.ID)
	s.failed[w.ID] = failed
}

// Wanted implements [crawler.Store].
func (m *Memory) Wanted(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return wantedIn(ctx, m.look().frontier, after, n)
}

// Leads implements [Store].
func (m *Memory) Leads(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return wantedIn(ctx, m.look().leads, after, n)
}

// Failures implements [Store].
func (m *Memory) Failures(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return wantedIn(ctx, m.look().failed, after, n)
}

func wantedIn(ctx context.Context, all map[news.ID]news.Wanted, after news.ID, n int) ([]news.Wanted, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var list []news.Wanted
	for _, id := range slices.SortedFunc(maps.Keys(all), byIdentity) {
		if len(list) < n && (after == "" || byIdentity(id, after) > 0) {
			list = append(list, kept(all[id]))
		}
	}
	return list, nil
}

// byIdentity compares identities: by day, those with an infoCode first.
func byIdentity(a, b news.ID) int {
	rank := func(id news.ID) int {
		if id.HasCode() {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a[:min(8, len(a))], b[:min(8, len(b))]), cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}
