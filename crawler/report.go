package crawler

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// problemOf records why a post could not be had, at the address that tells most.
func (r *run) problemOf(id news.ID, fail *failure, outcome string, attempts int) {
	kind := news.KindOther
	if u, err := url.Parse(fail.url); err == nil {
		kind = kindOf(r.sites, u)
	}
	r.problem(news.Problem{URL: fail.url, ID: id, What: kind, For: outcome, Attempts: attempts}, fail)
}

// problem records p, which fail tells the reason of.
func (r *run) problem(p news.Problem, fail *failure) {
	r.o.Log.Warn("page failed", "url", p.URL, "kind", p.What, "outcome", p.For, "reason", fail.reason, "error", brief(fmt.Sprint(fail.err)))
	p.Why = string(fail.reason)
	if fail.err != nil {
		p.Why += ": " + fail.err.Error()
	}
	p.Why = brief(p.Why)
	r.report.AddProblem(p)
}

// maxWhy bounds what is told of an error, in bytes: some of them quote a server.
const maxWhy = 600

// brief cuts a text that is too long to be told.
func brief(s string) string {
	if len(s) <= maxWhy {
		return s
	}
	return strings.ToValidUTF8(s[:maxWhy], "") + "…"
}

// countChange counts what a captured post was to the archive.
func (r *run) countChange(p *news.Captured, change news.Change) {
	switch change {
	case news.ChangeNew:
		r.report.New++
	case news.ChangeRevised, news.ChangeDiffers:
		r.report.Revised++
	case news.ChangeUnchanged:
		r.report.Unchanged++
		return
	}
	if day := p.Post.Day(); day != 0 {
		r.report.Days[day.String()]++
	}
	r.report.Categories[p.Post.Category]++
}

// snapshot returns a copy of the report as it stands.
func (r *run) snapshot() *news.Run {
	if r.transport != nil {
		r.transport.report(r.report)
	}
	r.report.Pending = r.open
	return r.report.Clone()
}

// finish completes the report and commits it. stopped is why the run was told to
// end early, if it was.
func (r *run) finish(ctx context.Context, stopped error) error {
	if err := r.findDrift(ctx); err != nil {
		return err
	}
	r.dropRefreshes()
	r.skipUnlisted()
	if err := r.findStandings(ctx); err != nil {
		return err
	}
	r.report.Lists.Pending += r.listsLeft()
	r.report.Ended = r.o.Now().In(news.Shanghai)
	err := r.mirrorErrors()
	if err == nil && stopped == nil {
		if err := r.findShortfall(ctx); err != nil {
			return err
		}
	}
	switch {
	case stopped != nil:
		r.report.Ending, err = endingOf(stopped), nil
	case err != nil:
		r.report.Ending = news.EndingFailed
	case r.allRested():
		r.report.Ending = news.EndingPaused
	default:
		r.report.Ending = news.EndingDone
	}
	final := &news.Batch{Run: r.snapshot(), Hosts: r.memory.news(), Lists: r.learned()}
	if final.Run.Pending+final.Run.Lists.Pending > 0 {
		r.report.GoOn, final.Run.GoOn = r.o.GoOn, r.o.GoOn
	}
	if _, commitErr := r.o.Store.Commit(ctx, final); commitErr != nil {
		r.report.Ending = news.EndingFailed
		return fmt.Errorf("commit report of run %d: %w", r.report.ID, commitErr)
	}
	return err
}

// listsLeft returns how many list pages the run did not come to.
func (r *run) listsLeft() int {
	n := r.queue.lists() + r.heldLists()
	for _, s := range r.sites {
		n += len(s.entrances)
	}
	return n
}

// allRested reports whether no mirror could be asked for anything.
func (r *run) allRested() bool {
	return !slices.ContainsFunc(r.sites, func(s *site) bool { return !s.rested })
}

// endingOf tells why a run was told to end.
func endingOf(cause error) string {
	switch {
	case errors.Is(cause, errDuration):
		return news.EndingDuration
	case errors.Is(cause, errRequests):
		return news.EndingRequests
	}
	return news.EndingInterrupted
}

// abandon completes the report of a run that could not go on. What was not
// committed is pending.
func (r *run) abandon() {
	r.report = r.snapshot()
	r.report.Lists.Pending += r.listsLeft() + r.reading
	r.report.Ended = r.o.Now().In(news.Shanghai)
	r.report.Ending = news.EndingFailed
}

// mirrorErrors returns why mirrors could not be read, if none could.
func (r *run) mirrorErrors() error {
	var errs []error
	for _, s := range r.sites {
		err := s.failure()
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// failure returns why nothing was learned of the mirror, or nil.
func (s *site) failure() error {
	switch {
	case s.read == 0 && s.err != nil:
		return fmt.Errorf("%w: %s: %w", ErrUnreachable, s.Name(), s.err)
	case s.read > 0 && !s.linked:
		return fmt.Errorf("%w: %s: %s links no category page and no post; is it a mirror's home page?", ErrUnreachable, s.Name(), s.Home())
	}
	return nil
}
