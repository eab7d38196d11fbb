package crawler

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/finarc/finarc/news"
)

// Plan says what a backfill would ask for, as far as the archive knows: lists and
// posts may name more.
type Plan struct {
	From  news.Day      `json:"from"`
	To    news.Day      `json:"to"`
	Days  []PlannedDay  `json:"days"`  // of which anything is known, in the order in which they would be gone through
	Lists int           `json:"lists"` // list pages
	Posts int           `json:"posts"`
	Least int           `json:"requests_at_least"` // where the first source of each post has it
	Most  int           `json:"requests_at_most"`  // where none does; without retries
	Short time.Duration `json:"-"`                 // how long Least takes at the configured pace, or a host's own
	Long  time.Duration `json:"-"`                 // likewise Most
	// Seconds are Short and Long.
	Seconds [2]int64 `json:"seconds"`
}

// PlannedDay is a day of a plan.
type PlannedDay struct {
	news.DayStanding
	Ask int `json:"ask"` // how many of the posts that were never seen would be asked for
}

// planner adds up what would be asked of each host.
type planner struct {
	r           *run
	plan        Plan
	named       map[news.Day][]news.Wanted // what somebody named
	least, most map[string]int             // requests by origin
}

// PlanBackfill tells what [Run] would ask for with the same options. It asks
// nobody but the archive.
func PlanBackfill(ctx context.Context, o Options) (*Plan, error) {
	o.fillDefaults()
	sites, err := newSites(o.Mirrors)
	if err != nil {
		return nil, err
	}
	p := planner{
		r: newRun(&o, sites), plan: Plan{From: o.Backfill.From, To: o.Backfill.To, Days: []PlannedDay{}},
		named: make(map[news.Day][]news.Wanted), least: make(map[string]int), most: make(map[string]int),
	}
	for _, w := range o.Backfill.Leads {
		p.named[w.ID.Day()] = append(p.named[w.ID.Day()], w)
	}
	hosts, err := o.Store.Hosts(ctx)
	if err != nil {
		return nil, fmt.Errorf("hosts: %w", err)
	}
	p.r.memory = newMemory(hosts)
	if err := p.lists(ctx); err != nil {
		return nil, err
	}
	if err := p.days(ctx); err != nil {
		return nil, err
	}
	p.plan.Short, p.plan.Long = p.lasts(p.least), p.lasts(p.most)
	p.plan.Seconds = [2]int64{int64(p.plan.Short.Seconds()), int64(p.plan.Long.Seconds())}
	return &p.plan, nil
}

// lists plans the list pages.
func (p *planner) lists(ctx context.Context) error {
	if err := p.r.findEntrances(ctx); err != nil {
		return err
	}
	for _, s := range p.r.sites {
		for _, l := range s.entrances {
			p.r.queueList(l)
		}
	}
	for _, l := range p.r.queue.lanes {
		for _, t := range l.lists {
			p.plan.Lists++
			p.ask(t.list.URL, 1, 1)
		}
	}
	return nil
}

// ask plans requests for an address.
func (p *planner) ask(address string, least, most int) {
	origin := address
	if u, err := url.Parse(address); err == nil {
		origin = originOf(u)
	}
	p.least[origin] += least
	p.most[origin] += most
	p.plan.Least += least
	p.plan.Most += most
}

// days plans the posts.
func (p *planner) days(ctx context.Context) error {
	d := p.r.days
	standings, err := d.Store.Days(ctx, d.From, d.To)
	if err != nil {
		return fmt.Errorf("how the days stand: %w", err)
	}
	known := make(map[news.Day]news.DayStanding)
	for _, s := range standings {
		known[s.Day] = s
	}
	for ; !d.over; d.next() {
		planned := PlannedDay{DayStanding: known[d.day]}
		planned.Day = d.day
		if err := p.day(ctx, &planned); err != nil {
			return err
		}
		if planned.Known()+planned.Ask > 0 {
			p.plan.Days = append(p.plan.Days, planned)
			p.plan.Posts += planned.Ask
		}
	}
	return nil
}

// day plans the posts of a day: those that somebody named and the archive does
// not know, and those that it knows.
func (p *planner) day(ctx context.Context, planned *PlannedDay) error {
	d := p.r.days
	named, err := d.Store.Unknown(ctx, p.named[d.day])
	if err != nil {
		return fmt.Errorf("posts of %s: %w", d.day, err)
	}
	for i := range named {
		p.post(&named[i], planned)
	}
	for {
		wanted, err := d.some(ctx, queueHigh)
		if err != nil {
			return err
		}
		for _, w := range wanted {
			p.post(&w, planned)
		}
		if len(wanted) == 0 && !d.onToGone() {
			return nil
		}
	}
}

// post plans a post, unless no mirror serves it or it waits.
func (p *planner) post(w *news.Wanted, planned *PlannedDay) {
	if !p.r.days.wants(w.ID) || !p.r.knows(w) || p.r.isPutOff(w) {
		return
	}
	orders, _ := p.r.sources(w)
	for i, o := range orders {
		p.ask(o.url, count(i == 0), 1)
	}
	planned.Ask += count(len(orders) > 0)
}

// lasts returns how long requests take at the configured rate, or at the delay
// that a host's robots.txt asks for: hosts are asked at the same time.
func (p *planner) lasts(requests map[string]int) (longest time.Duration) {
	for origin, n := range requests {
		apart := time.Duration(0)
		if l := p.r.o.Limits; l.Rate > 0 {
			apart = time.Duration(float64(time.Second) / l.Rate)
		}
		if p.r.o.Limits.Robots {
			apart = max(apart, delayOf(p.r.memory.robots(origin)))
		}
		longest = max(longest, time.Duration(n)*apart)
	}
	return longest
}
