package archive_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
)

// TestLatency holds percentiles against sorted latencies: nearest rank, exact.
func TestLatency(t *testing.T) {
	const n = 700
	dice := rand.New(rand.NewPCG(1, 2))
	a := open(t)
	list := posts(n)
	var took []int
	for i := range list {
		d := time.Duration(dice.ExpFloat64() * float64(10*time.Minute))
		list[i].Capture.Fetched = list[i].Post.Published.Add(d.Truncate(time.Millisecond))
		took = append(took, int(d/time.Second))
	}
	commit(t, a, news.Batch{Posts: list})
	slices.Sort(took)
	got, err := a.Latency(t.Context(), archive.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	want := archive.Latency{
		From: 20211222, To: list[n-1].Post.Day(), Posts: n,
		Seconds: &archive.Percentiles{P50: took[n/2-1], P90: took[n*9/10-1], P99: took[n*99/100-1]},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestLatencyTellsApart: what is no latency of a live crawl is counted, and no
// more; and it is of the first revision, whatever came after.
func TestLatencyTellsApart(t *testing.T) {
	a := open(t)
	list := posts(7)
	after := func(i int, d time.Duration) { list[i].Capture.Fetched = list[i].Post.Published.Add(d) }
	after(0, 30*time.Second+999*time.Millisecond)
	after(1, -time.Second)
	after(2, 30*24*time.Hour)
	list[3].Capture.Mode = news.ModeBackfill
	list[4].Capture.Mode = news.ModeImport
	list[5].Post.Published = time.Time{}
	list[6].Post.Published = news.Day(20211222).Time()
	commit(t, a, news.Batch{Posts: list})
	commit(t, a, news.Batch{Posts: []news.Captured{
		storetest.Corrected(list[0], "更正", time.Hour), storetest.Corrected(list[3], "更正", time.Hour),
	}})
	look := func(s archive.Selection, want archive.Latency) {
		t.Helper()
		got, err := a.Latency(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%+v: -want +got\n%s", s, d)
		}
	}
	week := int(archive.MaxLatency / time.Second)
	look(archive.Selection{}, archive.Latency{
		From: 20211222, To: 20211222, Posts: 3, Ahead: 1, NotLive: 2, NoTime: 2,
		Seconds: &archive.Percentiles{P50: 30, P90: week, P99: week},
	})
	look(archive.Selection{Limit: 1, Oldest: true}, archive.Latency{From: 20211222, To: 20211222, NoTime: 1})
	look(archive.Selection{From: 20211223}, archive.Latency{})
}
