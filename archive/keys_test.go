package archive

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/finarc/finarc/news"
)

func TestIDKeysComeBackAndSortAsIDsDo(t *testing.T) {
	ids := []news.ID{
		"00000000-ffffffffffffffff", "20211222-0000000000000000", "20211222-ffffffffffffffff",
		"202112222222306968", "202112229999999999", "202112220000000000", "199001010000000001", "209912319999999999",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		day := 20000101 + rng.IntN(30)*10000 + rng.IntN(12)*100 + rng.IntN(28)
		ids = append(ids, news.ID(fmt.Sprintf("%08d%010d", day, rng.Int64N(1e10))), news.ID(fmt.Sprintf("%08d-%016x", day, rng.Uint64())))
	}
	for _, id := range ids {
		if got := idOf(idKey(id)); got != id {
			t.Errorf("%s comes back as %s", id, got)
		}
	}
	// Within a day, posts with infoCode come before pages without.
	order := func(a, b news.ID) int {
		if a[:8] != b[:8] || a.HasCode() == b.HasCode() {
			return bytes.Compare([]byte(a), []byte(b))
		}
		if a.HasCode() {
			return -1
		}
		return 1
	}
	slices.SortFunc(ids, order)
	if !slices.IsSortedFunc(ids, func(a, b news.ID) int { return bytes.Compare(idKey(a), idKey(b)) }) {
		t.Error("keys do not sort as identities do")
	}
}

func FuzzHead(f *testing.F) {
	f.Add(head{{1, 0}, {5, 1 << 40}}.encode())
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := decodeHead(b)
		if err != nil {
			return
		}
		again, err := decodeHead(h.encode())
		if err != nil || !slices.Equal(h, again) {
			t.Errorf("%v comes back as %v, %v", h, again, err)
		}
	})
}
