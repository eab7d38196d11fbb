package archive_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// TestDriftingCorpus lets a mirror get another layout: the archive makes itself
// another dictionary, with which the new pages take less, and old and new stay
// readable.
func TestDriftingCorpus(t *testing.T) {
	t.Parallel()
	const (
		drift = 15_000 // posts of the old layout
		total = 23_000
		batch = 1000
	)
	layouts := [2]string{layout(1), layout(2)}
	page := func(i int) news.Captured {
		p := post(i)
		p.Capture.Body = append(p.Capture.Body, layouts[min(1, i/drift)]...)
		return p
	}
	a := open(t)
	var grown []int64 // bytes of captures, by batch
	var before int64
	for from := 0; from < total; from += batch {
		var b news.Batch
		for i := from; i < from+batch; i++ {
			b.Posts = append(b.Posts, page(i))
		}
		commit(t, a, b)
		now := stats(t, a)
		grown = append(grown, now.PackedSize-before)
		before = now.PackedSize
	}
	s := stats(t, a)
	if n := s.Buckets["dictionaries"].Keys; n != 2 {
		t.Fatalf("%d dictionaries, want the first and the one of the new layout", n)
	}
	old, fresh := grown[drift/batch+1], grown[len(grown)-1]
	t.Logf("1,000 pages of the new layout: %d bytes with the old dictionary, %d with the new one", old, fresh)
	if fresh*100 > old*95 {
		t.Errorf("the new dictionary saves less than 5 %%: %d bytes, then %d", old, fresh)
	}
	for i := range 200 {
		at := i * (total / 200)
		c, err := a.Capture(context.WithoutCancel(t.Context()), uint64(at+1))
		if err != nil || string(c.Body) != string(page(at).Capture.Body) {
			t.Fatalf("capture %d: %v", at+1, err)
		}
	}
	clean(t, a)
}

func stats(t *testing.T, a *archive.Archive) archive.Stats {
	t.Helper()
	s, err := a.Stats(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// layout returns what every page of a layout has.
func layout(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 0))
	var b strings.Builder
	for range 60 {
		fmt.Fprintf(&b, "<div class=\"c%x\" data-x=\"%x\">%x</div>\n", r.Uint32(), r.Uint64(), r.Uint64())
	}
	return b.String()
}
