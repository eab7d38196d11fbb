package intake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/intake"
	"github.com/finarc/finarc/news"
)

// store tells that every post is new, and remembers how many came at a time.
type store struct {
	batches []int
	fail    error
}

func (s *store) Commit(_ context.Context, b *news.Batch) (done news.Committed, err error) {
	s.batches = append(s.batches, len(b.Posts))
	for range b.Posts {
		done.Posts = append(done.Posts, news.ChangeNew)
	}
	return done, s.fail
}

var errOdd = errors.New("odd")

// numbers yields numbers, and then an error.
func numbers(n int, err error) func(func(int, error) bool) {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		if err != nil {
			yield(0, err)
		}
	}
}

// newIntake returns an intake of numbers: odd ones are refused, those above 5,000
// count for nothing. It notes what is counted.
func newIntake(s *store, counted *[]string) *intake.Intake[int] {
	return &intake.Intake[int]{
		Store: s,
		Size: func(n *int) int64 {
			if *n > 5000 {
				return 0
			}
			return 1000
		},
		Read: func(n *int) intake.Post {
			if *n%2 == 1 || *n > 5000 {
				return intake.Post{Refused: errOdd}
			}
			return intake.Post{Captured: news.Captured{Post: news.Post{Title: fmt.Sprint(*n)}}}
		},
		Count: func(n *int, p *intake.Post, change news.Change) {
			*counted = append(*counted, fmt.Sprint(*n, " ", p.Post.Title, change, p.Refused))
		},
		Committed: func(int) {},
	}
}

// TestRun: every source is counted once, in order, with what became of it, and
// portions are bounded.
func TestRun(t *testing.T) {
	var s store
	var counted []string
	if err := newIntake(&s, &counted).Run(t.Context(), numbers(20_000, nil)); err != nil {
		t.Fatal(err)
	}
	for i, got := range counted {
		want := fmt.Sprint(i, " ", i, "new<nil>")
		if i%2 == 1 || i > 5000 {
			want = fmt.Sprint(i, " odd")
		}
		if got != want {
			t.Fatalf("source %d: got %q, want %q", i, got, want)
		}
	}
	if len(counted) != 20_000 || len(s.batches) != 20 || slices.Max(s.batches) > intake.PortionPosts {
		t.Errorf("%d sources in batches of %v", len(counted), s.batches)
	}
}

// TestRunStops: at an error of the sources or of the store, and when it is told to;
// nothing is counted that was not committed.
func TestRunStops(t *testing.T) {
	var counted []string
	broken := errors.New("broken")
	if err := newIntake(new(store), &counted).Run(t.Context(), numbers(300, broken)); !errors.Is(err, broken) || len(counted) != intake.PortionPosts {
		t.Errorf("%v, %d counted", err, len(counted))
	}
	counted = nil
	if err := newIntake(&store{fail: broken}, &counted).Run(t.Context(), numbers(300, nil)); !errors.Is(err, broken) || len(counted) > 0 {
		t.Errorf("%v, %d counted", err, len(counted))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newIntake(new(store), &counted).Run(ctx, numbers(300, nil)); !errors.Is(err, context.Canceled) || len(counted) > 0 {
		t.Errorf("%v, %d counted", err, len(counted))
	}
}

// TestTrial: what a dry run remembers of earlier portions. Files say what any before
// them said; pages what the last before them did.
func TestTrial(t *testing.T) {
	at := time.Date(2021, 12, 22, 3, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		kind news.PageKind
		want []news.Change
	}{
		{news.KindPost, []news.Change{"new", "revised", "revised", "unchanged"}},
		{news.KindJekyll, []news.Change{"new", "revised", "unchanged", "unchanged"}},
	} {
		var got []news.Change
		in := intake.Intake[int]{
			Store: new(store), Trial: intake.NewTrial(),
			Size: func(*int) int64 { return 8 << 20 }, // a portion each
			Read: func(n *int) intake.Post {
				var p intake.Post
				p.Post.ID, p.Post.Title = "202112220000000001", []string{"甲", "乙", "甲", "甲"}[*n]
				p.Capture.Kind, p.Capture.Fetched = test.kind, at.Add(time.Duration(*n)*time.Hour)
				return p
			},
			Count:     func(_ *int, _ *intake.Post, change news.Change) { got = append(got, change) },
			Committed: func(int) {},
		}
		if err := in.Run(t.Context(), numbers(4, nil)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.kind, got, test.want)
		}
		if has := in.Trial.Has("202112220000000001", at); !has || in.Trial.Has("202112220000000001", at.Add(-1)) {
			t.Errorf("%s: the time is not told apart", test.kind)
		}
	}
}
