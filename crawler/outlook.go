package crawler

import (
	"context"
	"fmt"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/revisit"
)

// A mirror with more category pages than limits.lists is not asked for all of
// them in every run. Home page, feed and sitemap are, and pages that are new; what
// they tell of the others is awaited, and then package revisit chooses.

// rhythmSpan is from how far back the rhythm of publication is learned: four
// weeks have eight days without trading.
const rhythmSpan = 4 * 7 * 24 * time.Hour

// visit is what a run learns of a category page.
type visit struct {
	page   news.ListPage
	before time.Time // when it was asked for before this run; zero: never
	asked  bool      // it has answered in this run
	heard  bool      // the sitemap tells that it changed
	listed int       // posts on it of the days that lie within the window
	told   int       // posts of it that other pages were the first to tell of
	alone  int       // posts that it was the first to tell of, or to tell the category of
}

// outlook is what a run knows of a mirror's category pages.
type outlook struct {
	window   time.Duration // for how long the mirror shows a post
	visits   map[string]*visit
	byOutlet map[string]*visit // see page.Site.Outlet
	last     time.Time         // when the mirror was last asked for a list page before this run
	asking   int               // list pages that are queued or in flight

	planning bool            // not every category page is asked for
	held     []string        // addresses that wait for the plan
	left     bool            // some of them were left to a later run
	unlisted map[uint64]bool // posts that no category page has listed: only one can tell whose they are
}

func newOutlook(window time.Duration) outlook {
	if window == 0 {
		window = config.DefaultWindow
	}
	return outlook{window: window, visits: make(map[string]*visit), byOutlet: make(map[string]*visit), unlisted: make(map[uint64]bool)}
}

// learnRhythm reads how many posts were published when.
func (r *run) learnRhythm(ctx context.Context) error {
	now := r.o.Now()
	counts, err := r.o.Store.Hourly(ctx, now.Add(-rhythmSpan))
	if err != nil {
		return fmt.Errorf("posts by the hour: %w", err)
	}
	r.rhythm = revisit.NewRhythm(counts, now, r.o.TradingDay)
	return nil
}

// decide tells whether the mirror's category pages are too many to be asked for
// all of them. Where the budget covers them all, nothing is gained by a guess.
func (s *site) decide(budget int) {
	known := make(map[string]bool)
	for i := range s.entrances {
		if l := &s.entrances[i]; l.Kind == news.KindCategory && !l.Checked.IsZero() && s.wants(l.URL) {
			known[l.URL] = true
		}
	}
	s.planning = budget > 0 && len(known) > budget
}

// follow takes a category page into the outlook. It returns true if the page waits
// for the plan.
func (s *site) follow(l *news.ListPage) bool {
	if l.Kind != news.KindCategory {
		return false
	}
	v := &visit{page: *l, before: l.Checked}
	s.visits[l.URL] = v
	if outlet := s.Outlet(l.URL); outlet != "" {
		s.byOutlet[outlet] = v
	}
	if !s.planning || l.Checked.IsZero() {
		return false
	}
	s.held = append(s.held, l.URL)
	return true
}

// hear takes note of when a page changed, as a sitemap tells.
func (s *site) hear(l *news.ListPage) {
	if v := s.visits[l.URL]; v != nil && l.Moved.After(v.page.Moved) {
		v.page.Moved, v.heard = l.Moved, true
	}
}

// answered takes note of a category page's new state.
func (s *site) answered(l *news.ListPage, listed int) {
	if v := s.visits[l.URL]; v != nil {
		moved := v.page.Moved
		v.page, v.asked, v.listed = *l, true, listed
		if moved.After(l.Moved) {
			v.page.Moved = moved
		}
	}
}

// choose lets those of a mirror's held pages be asked for that are due, once its
// other list pages were read and what they link is settled.
func (r *run) choose() {
	for _, s := range r.sites {
		if len(s.held) == 0 || s.asking > 0 || len(r.backlog)+len(r.batch.Found)+r.entering > 0 {
			continue
		}
		pages := make([]news.ListPage, len(s.held))
		for i, at := range s.held {
			pages[i] = s.visits[at].known()
		}
		s.held = nil
		p := revisit.Planner{Now: r.o.Now(), Last: s.last, Window: s.window, Rhythm: r.rhythm}
		due, left := p.Choose(pages, r.o.Limits.Lists)
		for i := range due {
			r.askFor(s, due[i])
		}
		s.left = len(left) > 0
		r.report.Lists.NotDue += len(left)
		r.o.Log.Debug("list pages chosen", "mirror", s.Name(), "due", len(due), "not due", len(left))
	}
}

// askFor queues a list page.
func (r *run) askFor(s *site, l news.ListPage) {
	s.asking++
	r.queue.addList(l)
}

// heldLists returns how many list pages wait for a plan.
func (r *run) heldLists() (n int) {
	for _, s := range r.sites {
		n += len(s.held)
	}
	return n
}

// known returns the page with what was told of it in this run.
func (v *visit) known() news.ListPage {
	l := v.page
	l.Visits.Since += v.told
	return l
}

// learned returns the page with what this run's visit taught.
func (v *visit) learned(r *revisit.Rhythm, window time.Duration) news.ListPage {
	l := v.known()
	if !v.asked {
		return l
	}
	since := l.Checked.Sub(v.before)
	switch {
	case v.before.IsZero():
		l.Visits = revisit.First(v.listed, r.Hours(wholeDays(l.Checked, window).Time(), l.Checked))
	case since > 0:
		l.Visits = revisit.Visited(l.Visits, since, r.Hours(l.Checked.Add(-min(since, window)), l.Checked), v.alone)
	}
	return l
}

// wholeDays returns the first day that a mirror's window holds whole.
func wholeDays(now time.Time, window time.Duration) news.Day {
	return news.DayOf(now.Add(-window)).Add(1)
}

// learned returns the category pages of which this run learned something, as they
// are to be remembered. A backfill learns nothing: it meets the posts of its days
// alone.
func (r *run) learned() (lists []news.ListPage) {
	if r.o.Backfill != nil {
		return nil
	}
	for _, s := range r.sites {
		for _, v := range s.visits {
			if v.asked || v.heard || v.told > 0 {
				lists = append(lists, v.learned(r.rhythm, s.window))
			}
		}
	}
	return lists
}

// credit takes note of which page was the first to tell of a post.
func (r *run) credit(w *news.Wanted, standing news.Standing) {
	s, key := r.siteNamed(w.Mirror), compact(w.ID)
	if s == nil {
		return
	}
	if v := s.visits[w.FoundOn]; v != nil {
		if standing == news.StandingNew || s.unlisted[key] {
			v.alone++
		}
		delete(s.unlisted, key)
		return
	}
	if standing != news.StandingNew {
		return
	}
	for _, address := range w.Pages {
		if v := s.byOutlet[s.Outlet(address)]; v != nil {
			v.told++
			return
		}
	}
	s.await(w)
}

// await takes note of a post of which only a category page can tell whose it is.
func (s *site) await(w *news.Wanted) {
	if w.Category == "" && len(w.Pages) == 0 {
		s.unlisted[compact(w.ID)] = true
	}
}

// waits reports whether a post is left alone until a category page lists it, of
// those that the plan left to a later run. By the time that none of them may be
// left alone any longer, none lists it.
func (r *run) waits(w *news.Wanted) bool {
	s := r.siteNamed(w.Mirror)
	if s == nil || w.Category != "" || len(w.Pages) > 0 {
		return false
	}
	s.await(w)
	return s.left && r.o.Now().Sub(w.Found) < revisit.Bound(s.window)
}

// skipUnlisted counts the posts that wait for their category page to be asked
// for: that is no reason to worry about them.
func (r *run) skipUnlisted() {
	for _, s := range r.sites {
		if !s.left {
			continue
		}
		for key := range s.unlisted {
			if r.seen[key] == standingPending {
				r.seen[key] = standingDone
				r.open--
				add(r.report.Skipped, news.SkippedUnlisted, 1)
			}
		}
	}
}

// findGap notes that a category page was left alone for longer than the mirror
// shows a post: what came and went meanwhile, nobody saw.
func (r *run) findGap(s *site, l *news.ListPage) {
	v := s.visits[l.URL]
	if v == nil || v.before.IsZero() || l.Checked.Sub(v.before) <= s.window {
		return
	}
	r.report.AddGap(s.Name(), v.before.In(news.Shanghai), l.Checked.Add(-s.window).In(news.Shanghai))
}

// dated returns how many of the posts are of a day or a later one.
func dated(posts []news.Wanted, since news.Day) (n int) {
	for i := range posts {
		if posts[i].ID.Day() >= since {
			n++
		}
	}
	return n
}
