package crawler

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
)

// memory is what runs remember of hosts, one of the other: it is taken from the
// store when a run begins, and what changes goes back with the next batch. It is
// safe for concurrent use.
type memory struct {
	mu      sync.Mutex
	hosts   map[string]news.Host // by origin
	changed map[string]bool
}

func newMemory(known []news.Host) *memory {
	m := &memory{hosts: make(map[string]news.Host), changed: make(map[string]bool)}
	for _, h := range known {
		m.hosts[h.Origin] = h
	}
	return m
}

// robots returns an origin's robots.txt as it was last had.
func (m *memory) robots(origin string) news.Robots {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hosts[origin].Robots
}

func (m *memory) setRobots(origin string, r news.Robots) {
	m.change(origin, func(h *news.Host) { h.Robots = r })
}

// pausedUntil returns until when a host[:port] wants to be left alone, by any
// scheme.
func (m *memory) pausedUntil(host string) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	var until time.Time
	for origin, h := range m.hosts {
		if _, name, _ := strings.Cut(origin, "://"); name == host {
			until = later(until, h.Paused)
		}
	}
	return until
}

// setPaused takes note of until when an origin wants to be left alone.
func (m *memory) setPaused(origin string, until time.Time) {
	until = until.Add(time.Millisecond) // of which the store keeps none but whole ones
	m.change(origin, func(h *news.Host) { h.Paused = later(h.Paused, until) })
}

// empty reports whether nothing has changed.
func (m *memory) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.changed) == 0
}

func (m *memory) change(origin string, change func(*news.Host)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.hosts[origin]
	h.Origin = origin
	change(&h)
	m.hosts[origin], m.changed[origin] = h, true
}

// news returns what has changed since it was last asked.
func (m *memory) news() []news.Host {
	m.mu.Lock()
	defer m.mu.Unlock()
	var hosts []news.Host
	for origin := range m.changed {
		hosts = append(hosts, m.hosts[origin])
	}
	clear(m.changed)
	slices.SortFunc(hosts, func(a, b news.Host) int { return strings.Compare(a.Origin, b.Origin) })
	return hosts
}
