package archive

import (
	"context"
	"time"

	"github.com/finarc/finarc/news"
)

// Latency says how long after their publication posts came into the archive: of
// each post its first revision, when that was captured, and when it said that it
// was published.
type Latency struct {
	From  news.Day `json:"from,omitzero"` // the days of the posts that were looked at
	To    news.Day `json:"to,omitzero"`
	Posts int      `json:"posts"` // that the percentiles are of: crawled live, and their time known
	// Ahead counts those of them that were seen before the time at which they say
	// that they were published. Their latency counts as none.
	Ahead   int `json:"ahead"`
	NotLive int `json:"not_live"` // posts of other modes, which tell nothing of it
	NoTime  int `json:"no_time"`  // posts of which at most the day is known
	// Seconds is absent where there are no such posts.
	Seconds *Percentiles `json:"seconds,omitempty"`
}

// Percentiles are in whole seconds, rounded down: of the posts, at least so many
// in a hundred took no longer. They are by nearest rank, and exact below
// [MaxLatency], which stands for itself and all above.
type Percentiles struct {
	P50 int `json:"p50"`
	P90 int `json:"p90"`
	P99 int `json:"p99"`
}

// MaxLatency is where latencies are no longer told apart.
const MaxLatency = 7 * 24 * time.Hour

// Latency looks at the first revisions of the selected posts.
func (a *Archive) Latency(ctx context.Context, s Selection) (Latency, error) {
	s.First = true
	var l Latency
	took := make(histogram, MaxLatency/time.Second+1)
	for rev, err := range a.Select(ctx, s) {
		if err != nil {
			return Latency{}, err
		}
		l.add(&rev, took)
	}
	if l.Posts > 0 {
		l.Seconds = &Percentiles{took.percentile(50, l.Posts), took.percentile(90, l.Posts), took.percentile(99, l.Posts)}
	}
	return l, nil
}

func (l *Latency) add(rev *news.Revision, took histogram) {
	if day := rev.PlaceDay(); day != 0 {
		if l.From == 0 {
			l.From = day
		}
		l.From, l.To = min(l.From, day), max(l.To, day)
	}
	switch {
	case rev.Mode != news.ModeLive:
		l.NotLive++
		return
	case !rev.TimeKnown():
		l.NoTime++
		return
	}
	l.Posts++
	late := rev.Fetched.Sub(rev.Published)
	if late < 0 {
		l.Ahead++
	}
	took[min(max(late, 0), MaxLatency)/time.Second]++
}

// histogram counts posts by the seconds that they took.
type histogram []uint32

// percentile returns the least number of seconds which at least p in a hundred
// of n posts did not exceed.
func (h histogram) percentile(p, n int) int {
	rank := (p*n + 99) / 100
	for seconds, posts := range h {
		if rank -= int(posts); rank <= 0 {
			return seconds
		}
	}
	return len(h) - 1
}
