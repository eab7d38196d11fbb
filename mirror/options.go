package mirror

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// DefaultShareOnly is the share of posts that [DefaultOptions] lets the site
// link by their NewsShare address only.
const DefaultShareOnly = 0.05

// Bounds of what a generated mirror can be. The day must lie where the serial
// of an infoCode, which rises with time, has ten digits.
const (
	MaxCategories = 2000
	MaxPosts      = 5_000_000

	defaultPosts      = 300
	defaultCategories = 12
	defaultWindow     = 72 * time.Hour
	defaultCacheBytes = 64 << 20
	firstYear         = 2020
	lastYear          = 2035
)

// Options describe a mirror. The zero Options are a small, well-behaved one in
// which every post has a page.
type Options struct {
	Posts      int           // default 300
	Categories int           // outlets, up to [MaxCategories]; default 12
	Seed       uint64        // two mirrors of the same options are the same mirror
	Newest     time.Time     // when the newest post was published; default 2021-12-22 10:37:15 in Shanghai
	Window     time.Duration // the span before Newest over which the posts are spread; default 72h

	// Base is the absolute base that pages put into their links, as
	// http://127.0.0.1:8080; empty takes it from each request. ShareBase is the
	// same for NewsShare links, where these are on another host; empty is Base.
	// The mirror itself answers on any host.
	Base      string
	ShareBase string

	// ShareOnly is the share of posts, 0 to 1, that the site links only by
	// their NewsShare address and has no page for. Half of them have a share
	// page with text, half a script shell whose text JSON has it.
	ShareOnly float64

	// Lastmod lets the sitemap tell when category pages last changed, as it does
	// of posts.
	Lastmod bool

	Faults []Fault // what goes wrong, see [Faults]

	// Living, if set, lets posts come and go by a clock.
	Living *Living

	// Gzip lets the mirror compress for clients that accept it.
	Gzip bool
	// Prerender writes every post once when the mirror is made and keeps it,
	// some 4 KB each, so that serving costs next to nothing.
	Prerender bool
	// CacheBytes bounds the memory for rendered list pages; default 64 MiB,
	// negative for none.
	CacheBytes int

	// Now is the clock by which requests a second are counted; default
	// [time.Now]. Nothing that the mirror serves depends on it, unless it is
	// living and has no other clock.
	Now func() time.Time
}

// DefaultOptions are those of `finarc mirror`: 300 posts of 12 outlets, some of
// which only NewsShare has.
func DefaultOptions() Options {
	return Options{ShareOnly: DefaultShareOnly}.withDefaults()
}

func (o Options) withDefaults() Options {
	setDefault(&o.Posts, defaultPosts)
	setDefault(&o.Categories, defaultCategories)
	setDefault(&o.Window, defaultWindow)
	setDefault(&o.CacheBytes, defaultCacheBytes)
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Living = o.Living.withDefaults(o.Now)
	if o.Newest.IsZero() && o.Living != nil {
		o.Newest = o.Living.Now()
	}
	if o.Newest.IsZero() {
		o.Newest = time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai)
	}
	o.Base = strings.TrimSuffix(o.Base, "/")
	o.ShareBase = strings.TrimSuffix(o.ShareBase, "/")
	if o.ShareBase == "" {
		o.ShareBase = o.Base
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check tells what no mirror can be made of.
func (o Options) check() error {
	oldest, newest := o.Newest.Add(-o.Window).In(news.Shanghai), o.Newest.In(news.Shanghai)
	switch {
	case o.Posts < 0 || o.Posts > MaxPosts:
		return fmt.Errorf("posts: %d is not between 1 and %d", o.Posts, MaxPosts)
	case o.Categories < 0 || o.Categories > MaxCategories:
		return fmt.Errorf("categories: %d is not between 1 and %d", o.Categories, MaxCategories)
	case o.Window < time.Minute:
		return fmt.Errorf("window: %v is shorter than a minute", o.Window)
	case oldest.Year() < firstYear || newest.Year() > lastYear:
		return fmt.Errorf("window: %s to %s is not within %d to %d", oldest.Format(time.DateOnly), newest.Format(time.DateOnly), firstYear, lastYear)
	case o.ShareOnly < 0 || o.ShareOnly > 1:
		return fmt.Errorf("share only: %v is not between 0 and 1", o.ShareOnly)
	}
	for _, base := range []string{o.Base, o.ShareBase} {
		if err := checkBase(base); err != nil {
			return err
		}
	}
	return o.Living.check(&o)
}

func checkBase(base string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("base: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" {
		return fmt.Errorf("base: %q is not an address without path, as http://127.0.0.1:8080", base)
	}
	return nil
}
