package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// Universe names what a store is asked for to get a whole [Picture] of it.
type Universe struct {
	IDs        []news.ID
	Mirrors    []string
	Selections []archive.Selection
}

// Picture is everything that a store tells.
type Picture struct {
	Posts    map[news.ID][]news.Revision // under every identity that leads to one
	Captures map[uint64]*news.Capture
	Unread   map[news.ID]archive.Apart
	Frontier []news.Wanted
	Leads    []news.Wanted
	Failed   []news.Wanted
	Lists    map[string][]news.ListPage // by mirror
	Runs     []news.Run
	Hosts    []news.Host
	Held     []news.Held
	History  []news.PageCounts
	Hourly   []news.HourCount
	Selected map[string][]news.Revision // by selection
}

// Look takes a picture of a store.
func Look(ctx context.Context, s Store, u Universe) (*Picture, error) {
	p := &Picture{
		Posts: make(map[news.ID][]news.Revision), Captures: make(map[uint64]*news.Capture),
		Unread: make(map[news.ID]archive.Apart), Lists: make(map[string][]news.ListPage),
		Selected: make(map[string][]news.Revision),
	}
	for _, id := range u.IDs {
		if err := p.lookAt(ctx, s, id); err != nil {
			return nil, err
		}
	}
	var errs [9]error
	p.Frontier, errs[0] = s.Wanted(ctx, "", 1<<20)
	p.Leads, errs[1] = s.Leads(ctx, "", 1<<20)
	p.Failed, errs[2] = s.Failures(ctx, "", 1<<20)
	p.Runs, errs[3] = s.Runs(ctx, 0)
	p.Hosts, errs[5] = s.Hosts(ctx)
	p.Held, errs[6] = s.Held(ctx, Noon.AddDate(0, 0, 1), "", 1<<20)
	p.History, errs[7] = s.PageHistory(ctx)
	p.Hourly, errs[8] = s.Hourly(ctx, Noon)
	for _, name := range u.Mirrors {
		var err error
		p.Lists[name], err = s.Lists(ctx, name)
		errs[4] = errors.Join(errs[4], err)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	for i, run := range p.Runs { // of one form, for comparing quickly
		p.Runs[i] = *run.Clone()
		p.Runs[i].Started, p.Runs[i].Ended = run.Started.In(news.Shanghai), run.Ended.In(news.Shanghai)
	}
	return p, p.lookThrough(ctx, s, u.Selections)
}

// lookAt takes in what the store has under an identity.
func (p *Picture) lookAt(ctx context.Context, s Store, id news.ID) error {
	list, err := s.Revisions(ctx, id)
	if err != nil && !errors.Is(err, archive.ErrNoPost) {
		return fmt.Errorf("revisions of %s: %w", id, err)
	}
	if len(list) > 0 {
		p.Posts[id] = list
	}
	for _, rev := range list {
		if p.Captures[rev.Seq], err = s.Capture(ctx, rev.Seq); err != nil {
			return fmt.Errorf("capture %d: %w", rev.Seq, err)
		}
	}
	apart, err := s.Unread(ctx, id)
	switch {
	case err == nil:
		p.Unread[id] = apart
	case !errors.Is(err, archive.ErrNoPost):
		return fmt.Errorf("unread %s: %w", id, err)
	}
	return nil
}

// lookThrough takes in what selections mean.
func (p *Picture) lookThrough(ctx context.Context, s Store, selections []archive.Selection) error {
	for _, q := range selections {
		name := fmt.Sprintf("%+v", q)
		for rev, err := range s.Select(ctx, q) {
			if err != nil {
				return fmt.Errorf("select %s: %w", name, err)
			}
			p.Selected[name] = append(p.Selected[name], rev)
		}
	}
	return nil
}

// lastError returns the error with which a sequence ends, if any.
func lastError(seq iter.Seq2[news.Revision, error]) (err error) {
	for _, err = range seq {
	}
	return err
}
