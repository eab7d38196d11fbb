package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// health is how the crawl and the archive are.
type health struct {
	Run   *news.Run // the last one; nil: there was none
	Ago   time.Duration
	Stats archive.Stats
}

// healthFresh is for how long that is as good as new: counting the file's pages
// takes a while in a large one.
const healthFresh = 10 * time.Second

// health returns how the crawl and the archive are.
func (s *Server) health(ctx context.Context) (*health, error) {
	return part(s, "health", healthFresh, func() (*health, int64, error) {
		h := new(health)
		runs, err := s.Store.RunsUpTo(ctx, math.MaxUint64, 1)
		if err != nil {
			return nil, 0, err
		}
		if len(runs) > 0 {
			h.Run = &runs[0]
			h.Ago = s.Now().Sub(cmp.Or(h.Run.Ended, h.Run.Started))
		}
		h.Stats, err = s.Store.Stats(ctx, time.Time{})
		return h, 16 << 10, err
	})
}

// Good reports whether the last run tells of nothing that somebody should look at.
func (h *health) Good() bool { return h.Run == nil || !troubled(h.Run) }

// troubled reports whether a run tells of something that somebody should look at.
func troubled(run *news.Run) bool {
	return run.Ending == news.EndingFailed || run.FailedPosts() > 0 || len(run.Drift) > 0 || len(run.Gaps) > 0 || run.Shortfall != nil
}

// runsPage is a page of runs, the newest first.
type runsPage struct {
	Runs []runRow
	Next string // the address of the next page; empty: this is the last
}

// Paging leads to the pages beside this one.
func (p *runsPage) Paging() *postList { return &postList{Next: p.Next} }

// runRow is a run in the list of runs.
type runRow struct {
	*news.Run
	Took     time.Duration // 0: it has not ended
	Troubled bool
}

// runsAtOnce is how many runs a page has.
const runsAtOnce = 50

func (s *Server) runs(r *request) (*document, error) {
	last := uint64(math.MaxUint64)
	if text := r.URL.Query().Get("after"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n == 0 {
			return nil, bad(fmt.Errorf("after=%q is no run's number", text))
		}
		last = n - 1
	}
	runs, err := s.Store.RunsUpTo(r.Context(), last, runsAtOnce+1)
	if err != nil {
		return nil, err
	}
	p := new(runsPage)
	for i := range firstOf(runs, runsAtOnce) {
		p.Runs = append(p.Runs, rowOf(&runs[i]))
	}
	if len(runs) > runsAtOnce {
		p.Next = r.with("after", strconv.FormatUint(runs[runsAtOnce-1].ID, 10))
	}
	return &document{template: "runs", title: r.say(msgRuns), data: p}, nil
}

func rowOf(run *news.Run) runRow {
	row := runRow{Run: run, Troubled: troubled(run)}
	if !run.Ended.IsZero() {
		row.Took = run.Ended.Sub(run.Started).Round(time.Second)
	}
	return row
}

// runPage is the report of a run.
type runPage struct {
	runRow
	Posts []line // how it met them; they add up to Discovered
	Lists []line
	// Requests are those that were sent, by kind of page.
	Requests []line
	Hosts    []hostRow
}

// line is a number of a report.
type line struct {
	Name  message
	About string // a further part of the name, in the program's own words
	Count int
}

// hostRow is what was asked of a host.
type hostRow struct {
	Host string
	news.HostUse
}

func (s *Server) run(r *request) (*document, error) {
	run, err := s.runNumbered(r.Context(), r.PathValue("number"))
	if err != nil {
		return nil, err
	}
	p := &runPage{runRow: rowOf(run), Posts: postLines(run), Lists: listLines(&run.Lists)}
	for _, kind := range slices.Sorted(maps.Keys(run.Requests)) {
		p.Requests = append(p.Requests, line{About: string(kind), Count: run.Requests[kind]})
	}
	for _, host := range slices.Sorted(maps.Keys(run.Hosts)) {
		p.Hosts = append(p.Hosts, hostRow{host, run.Hosts[host]})
	}
	return &document{template: "run", title: r.say(msgRun, run.ID), data: p}, nil
}

// runNumbered returns the run with a number.
func (s *Server) runNumbered(ctx context.Context, text string) (*news.Run, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, bad(fmt.Errorf("%q is no run's number", text))
	}
	runs, err := s.Store.RunsUpTo(ctx, n, 1)
	switch {
	case err != nil:
		return nil, err
	case len(runs) == 0 || runs[0].ID != n:
		return nil, &failure{status: http.StatusNotFound, about: msgNoRun, cause: errors.New("no such run")}
	}
	return &runs[0], nil
}

// postLines tells how a run's posts were met.
func postLines(run *news.Run) []line {
	lines := []line{{Name: msgNew, Count: run.New}, {Name: msgRevised, Count: run.Revised}, {Name: msgUnchanged, Count: run.Unchanged}}
	for _, of := range []struct {
		name   message
		counts map[string]int
	}{{msgSkipped, run.Skipped}, {msgFailed, run.Failed}} {
		for _, why := range slices.Sorted(maps.Keys(of.counts)) {
			lines = append(lines, line{of.name, why, of.counts[why]})
		}
	}
	return append(lines, line{Name: msgPending, Count: run.Pending})
}

// listLines tells how a run's list pages were met.
func listLines(l *news.Lists) []line {
	return []line{
		{Name: msgRead, Count: l.Read}, {Name: msgNotModified, Count: l.NotModified}, {Name: msgGone, Count: l.Gone},
		{Name: msgDisallowed, Count: l.Disallowed}, {Name: msgFailed, Count: l.Failed}, {Name: msgPending, Count: l.Pending},
		{Name: msgNotDue, Count: l.NotDue},
	}
}
