package mirror

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// planner makes entries.
type planner struct {
	options Options
	faults  *faultBook
	outlets []outlet
	shares  shares
	pcg     *rand.PCG
	dice    *rand.Rand
}

func newPlanner(o Options, faults *faultBook, outlets []outlet) *planner {
	pcg := rand.NewPCG(0, 0)
	return &planner{options: o, faults: faults, outlets: outlets, shares: newShares(len(outlets)), pcg: pcg, dice: rand.New(pcg)}
}

// first returns the posts that the mirror begins with, oldest first.
func (p *planner) first() []entry {
	n := p.options.Posts
	entries := make([]entry, 0, n)
	anchors := p.anchors(n)
	for i, at := range p.times(n) {
		e := p.entry(entries, at)
		if k, ok := anchors[i]; ok {
			e.outlet = k
			e.flags = p.anchorFlags(e.flags)
		}
		e.fault = p.faults.choose(&e, &p.outlets[e.outlet])
		entries = append(entries, e)
	}
	return entries
}

// anchors spreads one post of every outlet over the mirror, so that none is
// without and every category page can be found from a post's page.
func (p *planner) anchors(posts int) map[int]uint16 {
	anchors := make(map[int]uint16, len(p.outlets))
	if posts < len(p.outlets) {
		return anchors
	}
	for k := range p.outlets {
		anchors[k*posts/len(p.outlets)] = uint16(k)
	}
	return anchors
}

// anchorFlags gives a post its page back, unless no post is to have one.
func (p *planner) anchorFlags(flags entryFlags) entryFlags {
	if p.options.ShareOnly >= 1 {
		return flags
	}
	return flags &^ shareOnly
}

// later returns the post that follows the given ones, about as long after them
// as they are apart.
func (p *planner) later(entries []entry) entry {
	p.pcg.Seed(p.options.Seed, stream(streamLater, len(entries)))
	mean := p.options.Window.Seconds() / float64(p.options.Posts)
	last := entries[len(entries)-1].published
	e := p.entry(entries, last+1+int64(2*mean*p.dice.Float64()))
	e.fault = p.faults.choose(&e, &p.outlets[e.outlet])
	return e
}

// entry draws the entry that follows the given ones.
func (p *planner) entry(before []entry, published int64) entry {
	e := p.draw(len(before), published)
	if n := len(before); n > 0 {
		e.serial = max(e.serial, before[n-1].serial+1)
	}
	return e
}

// draw draws the entry with a number, all but its fault.
func (p *planner) draw(number int, published int64) entry {
	p.pcg.Seed(p.options.Seed, stream(streamEntry, number))
	e := entry{published: published, number: uint32(number), serial: serialAt(published) + p.dice.Int64N(serialStep)}
	e.outlet = uint16(p.shares.draw(p.dice))
	shell := 0.8
	if p.dice.Float64() < p.options.ShareOnly {
		e.flags |= shareOnly
		shell = 0.5
	}
	if p.dice.Float64() < shell {
		e.flags |= shareShell
	}
	if p.dice.Float64() < 0.3 {
		e.flags |= otherNames
	}
	return e
}

// hours weighs the hours of the day in Shanghai: most news comes while the
// exchanges are open, and after they close.
var hours = [24]float64{.2, .1, .1, .1, .1, .2, .4, .7, 1, 1, 1, .9, .6, .8, .9, 1, 1, .9, .8, .8, .7, .6, .5, .3}

// times draws when n posts were published, in order. The newest is exactly
// when the options say.
func (p *planner) times(n int) []int64 {
	p.pcg.Seed(p.options.Seed, stream(streamTimes, 0))
	newest, span := p.options.Newest.Unix(), int64(p.options.Window/time.Second)
	times := make([]int64, n)
	for i := range times {
		times[i] = p.moment(newest-span, span)
	}
	slices.Sort(times)
	times[n-1] = newest
	return times
}

// moment draws one, by the weights of the hours.
func (p *planner) moment(from, span int64) int64 {
	const tries = 20 // a window may lie wholly in the night
	t := from
	for range tries {
		t = from + p.dice.Int64N(span)
		if p.dice.Float64() < hours[time.Unix(t, 0).In(news.Shanghai).Hour()] {
			break
		}
	}
	return t
}
