package web

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// filling counts how often a value is made, and makes the count.
type filling struct{ times atomic.Int64 }

func (f *filling) fill() (int64, int64, error) { return f.times.Add(1), 100, nil }

func mustGet[V any](t *testing.T, c *cache[V], key string, fill func() (V, int64, error)) V {
	t.Helper()
	v, err := c.get(key, time.Second, fill)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestCacheKeeps: a value is made when there is none and when its time is over.
func TestCacheKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := newCache[int64](1000, time.Now), new(filling)
		for _, want := range []int64{1, 1, 2, 2} {
			if got := mustGet(t, c, "a", f.fill); got != want {
				t.Errorf("got value %d, want %d", got, want)
			}
			time.Sleep(600 * time.Millisecond)
		}
	})
}

// TestCacheAtOnce: however many ask for what is not there, it is made once; for what
// is over, the others get it as it was.
func TestCacheAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := newCache[int64](1000, time.Now), new(filling)
		slow := func() (int64, int64, error) {
			time.Sleep(time.Second)
			return f.fill()
		}
		ask := func(want ...int64) {
			t.Helper()
			var all sync.WaitGroup
			var got [3]atomic.Int64
			for range 30 {
				all.Go(func() { got[mustGet(t, c, "a", slow)].Add(1) })
			}
			all.Wait()
			for i, n := range want {
				if got[i].Load() != n {
					t.Errorf("%d got value %d, want %d", got[i].Load(), i, n)
				}
			}
		}
		ask(0, 30)
		time.Sleep(2 * time.Second)
		ask(0, 29, 1)
		time.Sleep(time.Hour) // too old to be given to anybody
		if got := mustGet(t, c, "a", f.fill); got != 3 {
			t.Errorf("an hour later, got value %d", got)
		}
	})
}

// TestCacheIsBounded: what was not asked for longest goes, and what is too large does
// not stay.
func TestCacheIsBounded(t *testing.T) {
	c, f := newCache[int64](350, time.Now), new(filling)
	for i := range 3 {
		mustGet(t, c, fmt.Sprint(i), f.fill)
	}
	mustGet(t, c, "0", f.fill)
	mustGet(t, c, "3", f.fill) // in place of 1
	for key, want := range map[string]int64{"0": 1, "2": 3, "3": 4} {
		if got := mustGet(t, c, key, f.fill); got != want {
			t.Errorf("%s is made anew: got %d, want %d", key, got, want)
		}
	}
	if c.bytes > c.limit || c.used.Len() != 3 {
		t.Errorf("%d bytes in %d values, want at most %d in 3", c.bytes, c.used.Len(), c.limit)
	}
	large := func() (int64, int64, error) { return 7, 351, nil }
	if got := mustGet(t, c, "large", large); got != 7 || c.used.Len() != 3 {
		t.Errorf("a value that is too large: got %d, and %d are kept", got, c.used.Len())
	}
}

// TestCacheForgetsFailures: the next who asks tries again.
func TestCacheForgetsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f, failed := newCache[int64](1000, time.Now), new(filling), errors.New("busy")
		failing := func() (int64, int64, error) { return 0, 0, failed }
		for range 2 {
			if _, err := c.get("a", time.Second, failing); !errors.Is(err, failed) {
				t.Errorf("got %v", err)
			}
			mustGet(t, c, "a", f.fill)
			time.Sleep(2 * time.Second)
		}
		if n := f.times.Load(); n != 2 {
			t.Errorf("the value was made %d times, want 2", n)
		}
	})
}
