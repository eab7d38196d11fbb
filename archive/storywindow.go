package archive

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/finarc/finarc/story"
)

// window is the index of the signatures of the hours around those posts that are
// looked at. It grows with the hours that are needed, and is made anew when most
// of what it holds is not.
type window struct {
	index story.Index
	posts []windowed     // by their number in the index
	at    map[uint64]int // by seq
	hours map[uint64]int // that are loaded, and how many posts they had
}

// windowed is a post in a window. Its seq is 0 when it was replaced.
type windowed struct{ seq, hours uint64 }

func newWindow() *window { return &window{at: make(map[uint64]int), hours: make(map[uint64]int)} }

// cover loads the signatures that a batch needs, and adds its own.
func (w *window) cover(ctx context.Context, a *Archive, b *following) error {
	needed := 0
	for hours := range b.hours {
		needed += w.hours[hours]
	}
	if len(w.posts) > 2*needed+storyPosts {
		*w = *newWindow()
	}
	var missing []uint64
	for hours := range b.hours {
		if _, loaded := w.hours[hours]; !loaded {
			missing = append(missing, hours)
		}
	}
	err := a.view(ctx, func(t *tx) error {
		for _, hours := range missing {
			list, err := t.signatures(hours)
			if err != nil {
				return fmt.Errorf("look for stories: %w", err)
			}
			for i := range list {
				w.add(list[i].seq, hours, list[i].signature)
			}
			w.hours[hours] = len(list)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for old := range b.replaced {
		if n, ok := w.at[old]; ok {
			w.posts[n].seq = 0
			delete(w.at, old)
		}
	}
	for _, p := range b.posts {
		if !p.text.Short() {
			w.add(p.seq, p.hours, p.signature)
		}
	}
	return nil
}

// add adds a post, unless it is there.
func (w *window) add(seq, hours uint64, s story.Signature) {
	if _, ok := w.at[seq]; ok {
		return
	}
	w.at[seq] = len(w.posts)
	w.posts = append(w.posts, windowed{seq, hours})
	w.hours[hours]++
	w.index.Add(s)
}

// near returns the posts that are to be compared with one.
func (w *window) near(p *told) []uint64 {
	var seqs []uint64
	for _, n := range w.index.Near(p.signature) {
		other := w.posts[n]
		if other.seq != 0 && max(other.hours, p.hours)-min(other.hours, p.hours) <= storySpan {
			seqs = append(seqs, other.seq)
		}
	}
	return seqs
}

// textsKept bounds the texts that are remembered, twice over.
const textsKept = 1024

// texts remembers the texts that were used last: reprints come soon.
type texts struct{ fresh, old map[uint64]*story.Text }

func newTexts() *texts { return &texts{fresh: make(map[uint64]*story.Text)} }

// get returns the text of a revision, or nil.
func (c *texts) get(seq uint64) *story.Text {
	if text := c.fresh[seq]; text != nil {
		return text
	}
	text := c.old[seq]
	if text != nil {
		c.put(seq, text)
	}
	return text
}

func (c *texts) put(seq uint64, text *story.Text) {
	if len(c.fresh) >= textsKept {
		c.old, c.fresh = c.fresh, make(map[uint64]*story.Text)
	}
	c.fresh[seq] = text
}

// groups says which revisions are known to be one story (a disjoint-set forest).
type groups map[uint64]uint64

// has reports whether anything was said of a revision.
func (g groups) has(seq uint64) bool {
	_, ok := g[seq]
	return ok
}

// of returns the revision that stands for the group that one is in.
func (g groups) of(seq uint64) uint64 {
	above, ok := g[seq]
	if !ok || above == seq {
		return seq
	}
	g[seq] = g.of(above)
	return g[seq]
}

// join puts two revisions into one group; one and itself, to say that it is known.
func (g groups) join(a, b uint64) {
	root := g.of(b)
	g[root] = root
	g[g.of(a)] = root
}

// all returns the groups, each in order, the one with the lowest revision first.
func (g groups) all() [][]uint64 {
	list := make(map[uint64][]uint64)
	for _, seq := range slices.Sorted(maps.Keys(g)) {
		root := g.of(seq)
		list[root] = append(list[root], seq)
	}
	return slices.SortedFunc(maps.Values(list), slices.Compare)
}
