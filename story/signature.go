package story

import "math/bits"

const (
	slots = 32 // MinHash values of a signature, eight bits each
	// SignatureSize is the size of a signature in bytes.
	SignatureSize = slots + 8
	// minBands is in how many bands two signatures must agree to be candidates.
	// Texts that share half of their n-grams do so in all but one case of 4,000,
	// those that share a third, the one being a third of the other, with 95 %.
	minBands = 7
)

// Signature is a text in 40 bytes: a one-permutation MinHash of its n-grams (Li,
// Owen and Zhang, 2012; empty places filled as Shrivastava does it, 2017), of
// which each value keeps eight bits (Li and König, 2010); and a Bloom filter of
// its figures with one hash.
type Signature [SignatureSize]byte

// Signature returns the text's signature. A text that is [Text.Short] has none
// that says anything.
func (t *Text) Signature() Signature {
	var least [slots]uint64
	var taken [slots]bool
	any := false
	for _, g := range t.grams() {
		at := g.hash >> (64 - 5)
		if rest := g.hash << 5; !taken[at] || rest < least[at] {
			least[at], taken[at], any = rest, true, true
		}
	}
	var s Signature
	if !any {
		return s
	}
	for i := range s[:slots] {
		from := uint64(i)
		for try := uint64(1); !taken[from]; try++ {
			from = mix(uint64(i)<<32|try) % slots
		}
		s[i] = byte(mix(least[from]))
	}
	figures := uint64(0)
	for _, tok := range t.tokens {
		if tok&figure != 0 {
			figures |= 1 << (mix(uint64(tok)) % 64)
		}
	}
	for i := range 8 {
		s[slots+i] = byte(figures >> (8 * i))
	}
	return s
}

func (s *Signature) figures() uint64 {
	n := uint64(0)
	for i := range 8 {
		n |= uint64(s[slots+i]) << (8 * i)
	}
	return n
}

// Near reports whether two texts are to be compared: their signatures agree in
// enough bands, and at least half of the figures of the one that has fewer may be
// the other's.
func Near(a, b *Signature) bool {
	agree := 0
	for i := range slots {
		if a[i] == b[i] {
			agree++
		}
	}
	return agree >= minBands && sharesFigures(a.figures(), b.figures())
}

func sharesFigures(a, b uint64) bool {
	return 2*bits.OnesCount64(a&b) >= min(bits.OnesCount64(a), bits.OnesCount64(b))
}

// Index finds the candidates for a signature. It has a band a value of the
// signature, so that two signatures are compared only if they agree somewhere. The
// zero value is ready to be used. It is not safe for concurrent use.
type Index struct {
	signatures []Signature
	bands      [slots][256][]int32
	counts     []uint8
}

// Len returns how many signatures there are.
func (x *Index) Len() int { return len(x.signatures) }

// Add adds a signature. They are numbered from 0 in the order in which they come.
func (x *Index) Add(s Signature) {
	n := int32(len(x.signatures))
	x.signatures = append(x.signatures, s)
	for band := range x.bands {
		list := &x.bands[band][s[band]]
		*list = append(*list, n)
	}
}

// Near returns the numbers of the signatures that are [Near] to one, in order.
func (x *Index) Near(s Signature) []int {
	if len(x.counts) < len(x.signatures) {
		x.counts = make([]uint8, len(x.signatures)+len(x.signatures)/2)
	}
	var near []int
	figures := s.figures()
	for band := range x.bands {
		for _, n := range x.bands[band][s[band]] {
			if x.counts[n]++; x.counts[n] == minBands && sharesFigures(figures, x.signatures[n].figures()) {
				near = append(near, int(n))
			}
		}
	}
	clear(x.counts)
	return near
}
