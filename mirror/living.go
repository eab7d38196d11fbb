package mirror

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
)

// ErrLiving is why a living mirror is not told to publish, revise or forget:
// its clock does.
var ErrLiving = errors.New("a living mirror changes by its clock")

// Living lets a mirror live by a clock: posts appear at their time of
// publication, more by day than by night, and disappear when [Options.Window]
// has passed, from lists, feed, sitemap and their own pages. There are about
// [Options.Posts] at a time, the first of them a window before [Options.Newest].
// What is served depends on the options and the clock's time alone, and how
// much memory it takes on how many posts are shown.
type Living struct {
	// Now is the clock; nil is that of [Options.Now]. It may jump, also back.
	Now func() time.Time
	// Revised is the share of posts whose title or text is changed some time
	// after they were published, some of them twice.
	Revised float64
	// Relaid is the share of posts whose page gets another advert some time
	// after: its bytes change, and the article does not.
	Relaid float64
	// Weekends is by which share less is published on Saturdays and Sundays, from
	// 0 up to, not including, 1. It changes nothing of how many posts there are in
	// a week.
	Weekends float64
	// KeepShared lets share and text pages of posts that have disappeared stay.
	KeepShared bool
}

// DefaultLiving is the life of `finarc mirror --living`.
func DefaultLiving() *Living { return &Living{Revised: 0.1, Relaid: 0.2} }

func (l *Living) withDefaults(now func() time.Time) *Living {
	if l == nil {
		return nil
	}
	full := *l
	if full.Now == nil {
		full.Now = now
	}
	return &full
}

// mostADay bounds the posts of a day, so that no two are of one second.
const mostADay = 25_000

func (l *Living) check(o *Options) error {
	switch {
	case l == nil:
		for _, f := range o.Faults {
			if id, _, err := f.resolve(); err == nil && id.needsLife() {
				return fmt.Errorf("fault %s: only a living mirror can have it", f.Name)
			}
		}
	case !(l.Revised >= 0 && l.Revised <= 1):
		return fmt.Errorf("revised: %v is not between 0 and 1", l.Revised)
	case !(l.Relaid >= 0 && l.Relaid <= 1):
		return fmt.Errorf("relaid: %v is not between 0 and 1", l.Relaid)
	case !(l.Weekends >= 0 && l.Weekends < 1):
		return fmt.Errorf("weekends: %v is not from 0 up to 1", l.Weekends)
	case o.aDay() > mostADay:
		return fmt.Errorf("posts: %d in %v are more than %d a day", o.Posts, o.Window, mostADay)
	}
	return nil
}

// aDay returns how many posts a living mirror publishes on a day.
func (o *Options) aDay() float64 {
	return float64(o.Posts) / o.Window.Hours() * 24
}

// living is a site that lives by a clock. It holds the posts that are shown and
// those before them that their texts link; all others are drawn again when they
// are asked for.
type living struct {
	options  Living
	model    *generated // what does not change
	schedule *schedule
	window   int64 // in seconds

	mu    sync.Mutex
	drawn []drawn // the posts from number first on
	first int
	shown *moment // as last asked for
	block int     // which stretch of posts was last asked for
	posts []drawn // of it
	past  *moment // with them
}

// drawn is a post as it is drawn, before its life.
type drawn struct {
	entry
	fate
}

// moment is a living mirror at a moment, as far as its catalogue goes.
type moment struct {
	*generated
	posts       []drawn // of the catalogue
	since, next int64   // the seconds for which it holds: from since up to, not including, next
}

func newLiving(o Options) (*living, error) {
	l := &living{options: *o.Living, schedule: newSchedule(&o), window: int64(o.Window / time.Second)}
	o.Posts, o.Prerender = 1, false // the model's own posts are never shown
	var err error
	l.model, err = newGenerated(o)
	return l, err
}

// now returns the clock's time in Unix seconds.
func (l *living) now() int64 { return l.options.Now().Unix() }

// find implements site.
func (l *living) find(r request) answer {
	at := l.now()
	m := l.at(at)
	if f := l.outage(at); f != faultNone && (f != faultDownHome || r.kind == news.KindHome) {
		a := m.missing(r)
		if f != faultDownHome {
			a.fault = f
		}
		return a
	}
	i, ok := m.asked(r)
	if r.kind == news.KindShare || r.kind == news.KindText {
		if ok = ok && i >= m.first; !ok && !l.options.KeepShared {
			return m.missing(r)
		}
		if !ok {
			m = l.before(r.code("infoCode", "id"), at)
		}
	}
	a := m.find(r)
	if ok && m.posts[i].fault == faultAiling {
		a.fault = m.posts[i].failing(at, r.kind)
	}
	return a
}

// asked returns the post that a request is for.
func (m *moment) asked(r request) (i int, ok bool) {
	switch r.kind {
	case news.KindPost:
		return m.atPath(r.path)
	case news.KindShare, news.KindText:
		i = m.byID(r.code("infoCode", "id").ID())
		return i, i >= 0
	}
	return 0, false
}

// at returns the mirror with all that it shows.
func (l *living) at(at int64) *moment {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.shown.holds(at) {
		from, to := l.schedule.count(at-l.window), l.schedule.count(at)
		l.shown = l.moment(l.draw(max(0, from-reach), to), at)
		l.shown.next = min(l.shown.next, l.schedule.published(to))
	}
	return l.shown
}

// around returns the mirror at a moment with the post of a number, and the
// post's place in it.
func (l *living) around(number int, at int64) (*moment, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	block := number / reach
	from := max(0, block-1) * reach
	if l.block != block || l.posts == nil {
		l.block, l.posts, l.past = block, l.stretch(from, (block+1)*reach), nil
	}
	if !l.past.holds(at) {
		l.past = l.moment(l.posts, at)
	}
	return l.past, number - from
}

// before returns the mirror with the post of an infoCode, if there ever was
// one.
func (l *living) before(code news.InfoCode, at int64) *moment {
	number := l.schedule.count(min(at, timeOfSerial(code)+2))
	m, _ := l.around(max(0, number-1), at)
	return m
}

func (m *moment) holds(at int64) bool { return m != nil && at >= m.since && at < m.next }

// draw returns the posts with the numbers from up to, not including, to, and
// holds them, and those that follow, for the next time.
func (l *living) draw(from, to int) []drawn {
	if from < l.first || from > l.first+len(l.drawn) {
		l.drawn, l.first = nil, from
	}
	l.drawn, l.first = l.drawn[from-l.first:], from
	if more := l.first + len(l.drawn); more < to {
		l.drawn = append(l.drawn, l.stretch(more, to)...)
	}
	return l.drawn[:to-from]
}

// stretch draws posts by their numbers.
func (l *living) stretch(from, to int) []drawn {
	posts := make([]drawn, 0, to-from)
	p := l.model.planner
	for n := from; n < to; n++ {
		e := p.draw(n, l.schedule.published(n))
		e.fault = p.faults.choose(&e, &p.outlets[e.outlet])
		posts = append(posts, drawn{e, l.fateOf(&e)})
	}
	return posts
}

// moment returns the mirror as it is at a moment, in so far as it depends on
// the given posts. Those that are published later are left out.
func (l *living) moment(posts []drawn, at int64) *moment {
	outlets := len(l.model.world.outlets)
	c := &catalogue{byOutlet: make([][]int32, outlets), revised: map[int]revision{}, changes: make([]change, outlets), clock: at}
	m := &moment{since: l.schedule.epoch, next: l.schedule.end}
	for i := range posts {
		e, f := posts[i].entry, &posts[i].fate
		if e.published > at || e.published >= l.schedule.end {
			m.bound(e.published, at)
			break
		}
		until := e.published + l.window
		m.bound(e.published, at)
		m.bound(until, at)
		rev := f.apply(&e, min(at, until-1))
		for _, event := range f.events() {
			m.bound(event, at)
		}
		if rev.at != e.published || rev.relaid != 0 {
			c.revised[i] = rev
		}
		c.posts = append(c.posts, e)
		if until <= at {
			c.first = i + 1
			c.changes[e.outlet].at = max(c.changes[e.outlet].at, until)
			c.site.at = max(c.site.at, until)
			continue
		}
		c.list(i, &e, rev)
	}
	m.posts = posts[:len(c.posts)]
	g := *l.model
	g.catalogue = c
	m.generated = &g
	return m
}

// bound notes that something happens: the moment holds from what happened last
// until what happens next.
func (m *moment) bound(event, at int64) {
	if event <= at {
		m.since = max(m.since, event)
	} else {
		m.next = min(m.next, event)
	}
}

// list enters a post that is shown into the lists. The number of their changes
// stands for all that they tell.
func (c *catalogue) list(i int, e *entry, rev revision) {
	c.byOutlet[e.outlet] = append(c.byOutlet[e.outlet], int32(i))
	title := uint64(e.flags & retitled)
	c.changes[e.outlet].fold(uint64(e.serial)<<8|title, max(e.published, rev.titled))
	c.site.fold(uint64(e.serial)<<16|uint64(rev.number)<<8|title, rev.at)
}

// fold makes the change's number depend on one thing more.
func (c *change) fold(x uint64, at int64) {
	c.number, c.at = int(scatter(uint64(c.number)^scatter(x))), max(c.at, at)
}

// len implements site.
func (l *living) len() int { return l.schedule.count(l.now()) }

// post implements site.
func (l *living) post(i int) news.Post {
	m, k := l.around(i, l.now())
	return m.post(k)
}

// about implements site.
func (l *living) about(i int) Standing {
	m, k := l.around(i, l.now())
	s := m.about(k)
	if s.Forgotten && !l.options.KeepShared {
		s.Best = ""
	}
	return s
}
