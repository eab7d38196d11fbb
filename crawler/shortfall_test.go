package crawler_test

import (
	"testing"
	"time"

	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// TestShortfall: where a mirror goes on answering and publishes nothing any more,
// the run says so once; where it publishes as usual, or the run knows of something
// else that went wrong, it does not.
func TestShortfall(t *testing.T) {
	start := time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)
	for _, c := range []struct {
		name   string
		mirror time.Duration // by how much its clock goes on between the runs
		change func(*crawler.Options)
		short  bool
	}{
		{"as usual", 8 * time.Hour, nil, false},
		{"silence", 0, nil, true},
		{"silence of which something is known", 0, func(o *crawler.Options) { o.Mirrors[0].Categories = []string{"none"} }, false},
		{"a backfill", 0, func(o *crawler.Options) {
			o.Backfill = &crawler.Backfill{From: 20211222, To: 20211222, Store: o.Store.(crawler.DayStore)}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := start
			_, base := newMirror(t, mirror.Options{
				Posts: 3000, Categories: 5, Seed: 4, Window: 10 * 24 * time.Hour, Newest: start,
				Living: &mirror.Living{Now: func() time.Time { return clock }},
			})
			o := options(base, newArchive(t))
			o.Now = at(start)
			if r := crawl(t, o); r.Shortfall != nil {
				t.Errorf("the first run: %+v", r.Shortfall)
			}
			clock = start.Add(c.mirror)
			if c.change != nil {
				c.change(&o)
			}
			o.Now = at(start.Add(8 * time.Hour))
			r := crawl(t, o)
			if short := r.Shortfall != nil; short != c.short {
				t.Fatalf("shortfall %+v", r.Shortfall)
			}
			if s := r.Shortfall; s != nil && (s.Usual < 50 || s.Posts > s.Usual/4 || !s.From.Equal(start.Add(-time.Hour)) || !s.To.Equal(start.Add(7*time.Hour))) {
				t.Errorf("shortfall %+v", s)
			}
			if r := crawl(t, o); r.Shortfall != nil {
				t.Errorf("told again: %+v", r.Shortfall)
			}
		})
	}
}
