package crawler

import (
	"context"
	"fmt"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
)

// Backfill says of which days a run fetches the posts: all that lists link, that
// archived posts name as related reports, and those that these name in turn. It
// goes through the days one after the other; a post that is named for a day that
// was gone through already is fetched in another round.
type Backfill struct {
	From, To news.Day // inclusive, in Shanghai
	Newest   bool     // the newest day first; otherwise the oldest
	// Since, if set, is when an interrupted backfill of the same days began: the
	// list pages that were asked for since then are not asked for again.
	Since time.Time
	// Leads are posts that somebody named.
	Leads []news.Wanted
	// LeadsOnly: no list page is asked for, and no post but those.
	LeadsOnly bool
	// Again: posts that no source had are asked for again.
	Again bool
	Store DayStore
}

// DayStore is what a backfill takes its posts from.
type DayStore interface {
	// KnownOn returns up to n posts of a day that are known and not held, by a
	// link or a related report, after the given identity, in order of identity.
	KnownOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error)
	// GoneOn is as KnownOn, for the posts that no source had.
	GoneOn(ctx context.Context, d news.Day, after news.ID, n int) ([]news.Wanted, error)
	// Unknown returns those of some posts that nothing is known of.
	Unknown(ctx context.Context, posts []news.Wanted) ([]news.Wanted, error)
	// Days tells how the known posts of some days stand, in order.
	Days(ctx context.Context, from, to news.Day) ([]news.DayStanding, error)
}

// report returns the report of a backfill that begins now.
func (b *Backfill) report(now time.Time) *news.Backfill {
	began := b.Since
	if began.IsZero() {
		began = now
	}
	return &news.Backfill{From: b.From, To: b.To, Newest: b.Newest, Began: began.In(news.Shanghai)}
}

// covers reports whether a day is one of the backfill's.
func (b *Backfill) covers(d news.Day) bool { return b.From <= d && d <= b.To }

// days is a backfill's way through its days.
type days struct {
	*Backfill
	leads  map[news.ID]bool // that somebody named
	day    news.Day         // that is gone through
	cursor news.ID          // up to which it was
	gone   bool             // its posts that no source had are gone through
	asked  bool             // a post of it was queued in this round
	left   bool             // one of it could not be asked for now
	named  bool             // one of it was named since
	missed bool             // one of a day that was gone through before
	begun  bool             // the leads that somebody named were entered
	over   bool
}

func newDays(b *Backfill) *days {
	d := &days{Backfill: b, leads: make(map[news.ID]bool)}
	for i := range b.Leads {
		d.leads[b.Leads[i].ID] = true
	}
	d.rewind()
	return d
}

// some returns the next known posts of the day. Those that are asked for again do
// not wait.
func (d *days) some(ctx context.Context, n int) ([]news.Wanted, error) {
	find := d.Store.KnownOn
	if d.gone {
		find = d.Store.GoneOn
	}
	wanted, err := find(ctx, d.day, d.cursor, n)
	if err != nil {
		return nil, fmt.Errorf("posts of %s: %w", d.day, err)
	}
	for i := range wanted {
		d.cursor = wanted[i].ID
		if d.gone {
			wanted[i].Next = time.Time{}
		}
	}
	return wanted, nil
}

// onToGone goes on to the posts of the day that no source had, if they are wanted
// and were not gone through yet, and reports whether it did.
func (d *days) onToGone() bool {
	if !d.Again || d.gone {
		return false
	}
	d.gone, d.cursor = true, ""
	return true
}

// wants reports whether a known post of the days is to be fetched.
func (d *days) wants(id news.ID) bool { return !d.LeadsOnly || d.leads[id] }

// rewind begins a round.
func (d *days) rewind() {
	d.day, d.cursor, d.missed = d.From, "", false
	if d.Newest {
		d.day = d.To
	}
}

// next goes on to the next day, or to another round where one is wanted.
func (d *days) next() {
	d.cursor, d.gone, d.asked, d.left = "", false, false, false
	switch last := d.last(); {
	case d.day != last && d.Newest:
		d.day = d.day.Add(-1)
	case d.day != last:
		d.day = d.day.Add(1)
	case d.missed:
		d.rewind()
	default:
		d.over = true
	}
}

func (d *days) last() news.Day {
	if d.Newest {
		return d.From
	}
	return d.To
}

// passed reports whether a day was gone through in this round.
func (d *days) passed(day news.Day) bool {
	if d.Newest {
		return day > d.day
	}
	return day < d.day
}

// daysOn queues the next posts of a backfill, once no list is left that could
// tell more of them. A day is done when all its posts are committed, and so are
// those of the same day that they named.
func (r *run) daysOn(ctx context.Context) error {
	d := r.days
	if !d.begun {
		d.begun = true
		r.batch.Leads = append(r.batch.Leads, d.Leads...)
	}
	for !d.over && r.listsRead() && r.queue.posts() < queueLow {
		wanted, err := d.some(ctx, queueHigh-r.queue.posts())
		if err != nil {
			return err
		}
		for _, w := range wanted {
			if d.wants(w.ID) {
				r.queuePost(w)
			}
		}
		d.asked = d.asked || r.queue.posts() > 0
		switch {
		case len(wanted) > 0, d.onToGone():
		case !r.quiet():
			return nil
		case d.named:
			d.named, d.gone, d.cursor = false, false, ""
		default:
			r.dayDone()
			d.next()
		}
	}
	return nil
}

// dayDone notes a day of which posts were asked for, and all of them: the next
// commit makes that durable.
func (r *run) dayDone() {
	if r.days.asked && !r.days.left {
		r.report.Backfill.Done = append(r.report.Backfill.Done, r.days.day)
		r.o.Log.Debug("day done", "run", r.report.ID, "day", r.days.day)
	}
}

// learnLeads takes note of posts that were named for the days of a backfill.
func (r *run) learnLeads(leads []news.Wanted) {
	if r.days == nil {
		return
	}
	for i := range leads {
		switch day := leads[i].ID.Day(); {
		case !r.days.covers(day):
		case day == r.days.day:
			r.days.named = true
		case r.days.passed(day):
			r.days.missed = true
		}
	}
}

// elsewhere reports whether a post is of another day than a backfill's: crawls
// will see to it.
func (r *run) elsewhere(id news.ID) bool { return r.days != nil && !r.days.covers(id.Day()) }

// leadsOnly reports whether the run asks for posts that somebody named alone.
func (r *run) leadsOnly() bool { return r.days != nil && r.days.LeadsOnly }

// readBefore reports whether a list page was asked for by the interrupted
// backfill that the run goes on with.
func (r *run) readBefore(l *news.ListPage) bool {
	return r.days != nil && !r.days.Since.IsZero() && !l.Checked.Before(r.days.Since)
}

// mode tells how a post comes into the archive.
func (r *run) mode() news.Mode {
	if r.days != nil {
		return news.ModeBackfill
	}
	return news.ModeLive
}

// findStandings tells at the end of a backfill how the posts of its days stand.
func (r *run) findStandings(ctx context.Context) (err error) {
	if r.days == nil {
		return nil
	}
	r.report.Backfill.Days, err = r.days.Store.Days(ctx, r.days.From, r.days.To)
	if err != nil {
		return fmt.Errorf("how the days stand: %w", err)
	}
	return nil
}

// serves reports whether the mirror has an address for the infoCode of a post.
func (s *site) serves(code news.InfoCode) bool { return s.Share(code) != "" || s.Text(code) != "" }

// Lead reads what somebody names a post by: its infoCode, or an address that has
// one, of any site. An address on one of the mirrors is asked for too.
func Lead(mirrors []config.Mirror, text string, now time.Time) (news.Wanted, error) {
	code, ok := news.FindInfoCode(text)
	if !ok {
		return news.Wanted{}, fmt.Errorf("%.80q holds no infoCode: want two letters and 18 digits, as NW202112222222306968, or an address with such", text)
	}
	w := news.Wanted{ID: code.ID(), InfoCode: code, Found: now}
	sites, err := newSites(mirrors)
	if err != nil {
		return w, err
	}
	for _, s := range sites {
		if s.owns(text) {
			w.Mirror, w.Pages, w.FoundOn = s.Name(), []string{text}, text
		}
	}
	return w, nil
}
