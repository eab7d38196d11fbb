package mirror

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// Life is when and how a living mirror serves a post, as far as its clock has
// gone.
type Life struct {
	From, Until time.Time // shown from From up to, not including, Until
	// States are the states of its page, at least one, in order of time.
	States []State
	// Where the post has the fault ailing, its page fails from Fails up to, not
	// including, Heals, and where Everywhere its share and text pages do too.
	Fails, Heals time.Time
	Everywhere   bool
}

// State is the state of a post's page from some moment on.
type State struct {
	From     time.Time
	Revision int  // how often title or text had been changed
	Relaid   bool // it shows another advert
}

// Life tells the life of the i-th post of a living mirror.
func (m *Mirror) Life(i int) (Life, error) {
	l, now, err := m.life()
	if err == nil && (i < 0 || i >= l.schedule.count(now)) {
		err = fmt.Errorf("post %d is not published yet", i)
	}
	if err != nil {
		return Life{}, fmt.Errorf("life: %w", err)
	}
	d := l.lone(i)
	life := Life{From: unix(d.published), Until: unix(d.published + l.window), States: []State{{From: unix(d.published)}}}
	events := d.events()
	slices.Sort(events[:])
	for _, at := range events {
		if at == 0 || at > now {
			continue
		}
		s := State{From: unix(at), Relaid: d.relaid != 0 && d.relaid <= at}
		for _, change := range [...]int64{d.titled, d.amended[0], d.amended[1]} {
			if change != 0 && change <= at {
				s.Revision++
			}
		}
		life.States = append(life.States, s)
	}
	if d.fault == faultAiling {
		life.Fails, life.Heals, life.Everywhere = unix(d.fails), unix(d.heals), d.everywhere
	}
	return life, nil
}

// ShownAt returns the indices of the posts that a living mirror showed at a
// moment: from, to.
func (m *Mirror) ShownAt(at time.Time) (from, to int, err error) {
	l, now, err := m.life()
	if err == nil && at.Unix() > now {
		err = fmt.Errorf("%v is yet to come", at)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("shown: %w", err)
	}
	return l.schedule.count(at.Unix() - l.window), l.schedule.count(at.Unix()), nil
}

// PostAt returns what [Mirror.Post] would have returned at a moment for the
// i-th post, whether it was shown then or not.
func (m *Mirror) PostAt(i int, at time.Time) (news.Post, error) {
	l, now, err := m.life()
	if err == nil && (i < 0 || at.Unix() > now || i >= l.schedule.count(at.Unix())) {
		err = fmt.Errorf("no post %d is known at %v", i, at)
	}
	if err != nil {
		return news.Post{}, fmt.Errorf("post: %w", err)
	}
	state, k := l.around(i, at.Unix())
	return state.post(k), nil
}

// OutageAt tells how a living mirror's whole host failed at a moment, as the
// name of what it did: "" if it did not.
func (m *Mirror) OutageAt(at time.Time) (string, error) {
	l, _, err := m.life()
	if err != nil {
		return "", fmt.Errorf("outage: %w", err)
	}
	return l.outage(at.Unix()).name(), nil
}

// life returns the living mirror, and its time.
func (m *Mirror) life() (*living, int64, error) {
	l, ok := m.site.(*living)
	if !ok {
		return nil, 0, errors.New("the mirror does not live by a clock")
	}
	return l, l.now(), nil
}

// lone returns the post of a number.
func (l *living) lone(number int) drawn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stretch(number, number+1)[0]
}

func unix(at int64) time.Time { return time.Unix(at, 0).In(news.Shanghai) }
