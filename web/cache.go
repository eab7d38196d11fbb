package web

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// staleTime is for how long after its time a value is given to those who ask while
// one of them makes it anew.
const staleTime = 30 * time.Second

// cache keeps values that take time to make, up to a bound in bytes; those that
// were asked for last are kept. A value is made once, however many ask for it at a
// time.
//
// Where a crawl commits, whoever reads the archive waits for the disk. So those
// who ask for a value whose time is over do not all wait: the first makes it anew,
// the others get it as it was.
type cache[V any] struct {
	now    func() time.Time
	limit  int64
	flight singleflight.Group
	hits   atomic.Uint64 // values that were given as they were
	misses atomic.Uint64

	mu    sync.Mutex
	bytes int64
	byKey map[string]*list.Element
	used  *list.List // of *cached[V], the last used first
}

type cached[V any] struct {
	key    string
	value  V
	bytes  int64
	until  time.Time // it is fresh
	making bool      // somebody makes it anew
}

func newCache[V any](limit int64, now func() time.Time) *cache[V] {
	return &cache[V]{now: now, limit: limit, byKey: make(map[string]*list.Element), used: list.New()}
}

// get returns the value of a key: as it was made less than fresh ago, or as fill
// makes it, which also tells how many bytes it takes.
func (c *cache[V]) get(key string, fresh time.Duration, fill func() (V, int64, error)) (V, error) {
	if v, ok := c.look(key); ok {
		c.hits.Add(1)
		return v, nil
	}
	c.misses.Add(1)
	v, err, _ := c.flight.Do(key, func() (any, error) {
		v, bytes, err := fill()
		if err != nil {
			c.give(key)
			return nil, err
		}
		c.put(key, &cached[V]{key: key, value: v, bytes: bytes + int64(len(key)), until: c.now().Add(fresh)})
		return v, nil
	})
	if err != nil {
		var none V
		return none, err
	}
	return v.(V), nil
}

// look returns the value that is kept, unless the caller is to make it.
func (c *cache[V]) look(key string) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.byKey[key]
	if at == nil {
		return v, false
	}
	c.used.MoveToFront(at)
	e := at.Value.(*cached[V])
	over := c.now().Sub(e.until)
	if over < 0 || over < staleTime && e.making {
		return e.value, true
	}
	e.making = true
	return v, false
}

// give lets another make a value.
func (c *cache[V]) give(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.byKey[key]; at != nil {
		at.Value.(*cached[V]).making = false
	}
}

// put keeps a value, and lets go what was not used for longest.
func (c *cache[V]) put(key string, e *cached[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.byKey[key]; at != nil {
		c.remove(at)
	}
	if e.bytes > c.limit {
		return
	}
	c.byKey[key] = c.used.PushFront(e)
	for c.bytes += e.bytes; c.bytes > c.limit; {
		c.remove(c.used.Back())
	}
}

// size returns how many bytes the values take.
func (c *cache[V]) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

func (c *cache[V]) remove(at *list.Element) {
	e := c.used.Remove(at).(*cached[V])
	delete(c.byKey, e.key)
	c.bytes -= e.bytes
}
