package mirror

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
)

// catalogue knows which posts there are and which of them the site still
// shows. It is safe for concurrent use: entries never change, and only the
// slices' headers are read under the lock.
type catalogue struct {
	mu       sync.RWMutex
	posts    []entry   // by time, oldest first; only ever appended to
	byOutlet [][]int32 // indices into posts, rising
	first    int       // the oldest post that the site shows
	revised  map[int]revision
	changes  []change // by outlet: of its category page
	site     change   // of home, feed and sitemap
	clock    int64    // the latest moment that the mirror knows of, in Unix seconds
}

// revision is how often a post was revised, and when last, which is when it was
// published where it was not.
type revision struct {
	number int // of its text
	at     int64
	titled int64 // when its title was changed, 0 for never
	relaid int64 // when its page got another advert
}

// change is a list page's state: how often it changed, and when last.
type change struct {
	number int
	at     int64
}

func (c *change) touch(at int64) { c.number, c.at = c.number+1, max(c.at, at) }

func newCatalogue(outlets int, posts []entry) *catalogue {
	c := &catalogue{
		byOutlet: make([][]int32, outlets),
		revised:  map[int]revision{},
		changes:  make([]change, outlets),
	}
	for _, e := range posts {
		c.add(e)
	}
	return c
}

// add appends a post, published after all others. The caller holds the lock.
func (c *catalogue) add(e entry) {
	c.byOutlet[e.outlet] = append(c.byOutlet[e.outlet], int32(len(c.posts)))
	c.posts = append(c.posts, e)
	c.clock = max(c.clock, e.published)
	c.changes[e.outlet].touch(c.clock)
	c.site.touch(c.clock)
}

// extend appends n posts, each made from those before it.
func (c *catalogue) extend(n int, next func([]entry) entry) (from int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from = len(c.posts)
	for range n {
		c.add(next(c.posts))
	}
	return from
}

// amend marks the i-th post as revised.
func (c *catalogue) amend(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	c.revised[i] = revision{number: c.revised[i].number + 1, at: c.clock}
	c.site.touch(c.clock)
}

// drop takes the posts before a moment off the site and returns how many.
func (c *catalogue) drop(before int64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := sort.Search(len(c.posts), func(i int) bool { return c.posts[i].published >= before })
	gone := max(0, first-c.first)
	if gone == 0 {
		return 0
	}
	c.clock++
	for _, e := range c.posts[c.first:first] {
		if change := &c.changes[e.outlet]; change.at < c.clock {
			change.touch(c.clock)
		}
	}
	c.site.touch(c.clock)
	c.first = first
	return gone
}

// all returns every post, shown or not.
func (c *catalogue) all() []entry {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.posts
}

// byID returns the index of the post with an identity, -1 if there is none.
func (c *catalogue) byID(id news.ID) int {
	if !id.HasCode() {
		return -1
	}
	serial, err := strconv.ParseInt(string(id[len("20211222"):]), 10, 64)
	if err != nil {
		return -1
	}
	i := c.bySerial(serial)
	if i < 0 || news.DayOf(c.all()[i].time()) != id.Day() {
		return -1
	}
	return i
}

// bySerial returns the index of the post with a serial, -1 if there is none.
func (c *catalogue) bySerial(serial int64) int {
	i, ok := slices.BinarySearchFunc(c.all(), serial, func(e entry, serial int64) int { return cmp.Compare(e.serial, serial) })
	if !ok {
		return -1
	}
	return i
}

// state returns a post, its revision, and whether the site shows it.
func (c *catalogue) state(i int) (entry, revision, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e := c.posts[i]
	r, revised := c.revised[i]
	if !revised {
		r.at = e.published
	}
	return e, r, i >= c.first
}

// newest returns up to n shown posts of the given outlets, newest first; all
// of them where n is negative.
func (c *catalogue) newest(n int, outlets ...int) []int32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var found []int32
	for _, o := range outlets {
		posts := c.byOutlet[o]
		from := sort.Search(len(posts), func(i int) bool { return int(posts[i]) >= c.first })
		if n >= 0 {
			from = max(from, len(posts)-n)
		}
		found = append(found, posts[from:]...)
	}
	slices.SortFunc(found, func(a, b int32) int { return int(b - a) })
	if n >= 0 && len(found) > n {
		found = found[:n]
	}
	return found
}

// shown returns the indices of the posts that the site shows: from, to.
func (c *catalogue) shown() (from, to int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.first, len(c.posts)
}

func (c *catalogue) siteChange() change {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.site
}

func (c *catalogue) outletChange(o int) change {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.changes[o]
}

func (c change) time() time.Time { return time.Unix(c.at, 0) }
