package crawler

import "testing"

// TestDrifts: what chance explains is no drift, what it does not is one.
func TestDrifts(t *testing.T) {
	for _, c := range []struct {
		n, from, usual, history int
		want                    bool
	}{
		{0, 50, 0, 1000, false},
		{1, 50, 0, 1000, false}, // the first of its kind
		{3, 50, 10, 1000, false},
		{3, 3, 9, 1000, true},
		{2, 2, 9, 1000, false},
		{15, 15, 0, 1000, true},
		{50, 1000, 50, 1000, false},
		{120, 1000, 50, 1000, true},
		{5, 5, 0, 99, false}, // nothing is usual yet
		{8, 10, 800, 1000, false},
		{1000, 1000, 1000, 1000, false},
		{20_000, 100_000, 1, 1_000_000, true},
	} {
		if got := drifts(lacking{n: c.n, from: c.from}, lacking{n: c.usual, from: c.history}); got != c.want {
			t.Errorf("%d of %d where %d of %d is usual: %v", c.n, c.from, c.usual, c.history, got)
		}
	}
}
