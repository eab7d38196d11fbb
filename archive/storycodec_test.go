package archive

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/finarc/finarc/story"
)

func FuzzDecodeSigned(f *testing.F) {
	f.Add(encodeSigned([]signed{{seq: 1}, {1<<40 - 1, story.New("营业收入12.5亿元，同比增长30%，环比下降5%，毛利率41%。").Signature()}}))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{7}, 2*signedSize))
	f.Add(encodeSeqs([]uint64{5, 1, 7}))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decodeSigned(b)
		switch {
		case err != nil && !errors.Is(err, ErrCorrupt):
			t.Errorf("not told as damage: %v", err)
		case err == nil && !bytes.Equal(encodeSigned(list), b):
			t.Errorf("%x is written as %x", b, encodeSigned(list))
		case err == nil && !slices.IsSortedFunc(list, func(a, b signed) int { return int(a.seq) - int(b.seq) }):
			t.Errorf("out of order: %v", list)
		}
		seqs, err := decodeSeqs(b)
		switch {
		case err != nil && !errors.Is(err, ErrCorrupt):
			t.Errorf("not told as damage: %v", err)
		case err == nil && !bytes.Equal(encodeSeqs(seqs), b):
			t.Errorf("%x is written as %x", b, encodeSeqs(seqs))
		}
	})
}

// A forest of groups says the same, whoever is joined to whom.
func TestGroups(t *testing.T) {
	g := make(groups)
	for _, pair := range [][2]uint64{{1, 2}, {3, 4}, {2, 4}, {5, 5}, {4, 1}} {
		g.join(pair[0], pair[1])
	}
	for seq, want := range map[uint64]bool{1: true, 2: true, 3: true, 4: true, 5: false, 6: false} {
		if got := g.of(seq) == g.of(1); got != want {
			t.Errorf("%d with 1: %v", seq, got)
		}
	}
	if g.has(6) || !g.has(5) || !g.has(3) {
		t.Errorf("known: %v", g)
	}
}
