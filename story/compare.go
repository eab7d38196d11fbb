package story

import (
	"slices"
	"strings"
)

// thresholds say when two texts are one story.
type thresholds struct {
	cover    float64 // how much of the shorter text the longer one must have too
	part     float64 // how much of the longer text the shorter one must have: less is a quotation, or one report of many
	replaced float64 // how much may be in other words within what they share
	reworded float64 // the same of long texts, in which a name would be replaced twice
	// told is how many tokens tell a story, and figures how many figures, where
	// they are not most of a text: less may be true of any company.
	told, figures int
}

// long is how many tokens long texts share.
const long = 256

// chosen are the thresholds that are used, as TestThresholds shows.
var chosen = thresholds{cover: 0.7, part: 0.3, replaced: 0.005, reworded: 0.03, told: 64, figures: 2}

// Likeness is what two texts have in common, in tokens.
type Likeness struct {
	Shared          int // of a text that the other has too, in the same order
	Figures         int // of these
	Shorter, Longer int // of the texts
	// Replaced is what stands otherwise between what they share, in the one or
	// the other, whichever is more. What only one of them has does not count.
	Replaced int
	// Contradicts says that the texts differ in what makes another story: in a
	// figure, in a word of number or direction, or in names, as both mark
	// securities and none is the same, or as words are replaced by the same ones
	// again and again.
	Contradicts bool
}

// Cover returns how much of the shorter text the longer one has, from 0 to 1.
func (l Likeness) Cover() float64 { return ratio(l.Shared, l.Shorter) }

// Part returns how much of the longer text the shorter one has.
func (l Likeness) Part() float64 { return ratio(l.Shared, l.Longer) }

// Same reports whether the texts are one story.
func (l Likeness) Same() bool { return l.within(chosen) }

func (l Likeness) within(t thresholds) bool {
	replaced := t.replaced
	if l.Shared >= long {
		replaced = t.reworded
	}
	switch {
	case l.Shorter < minTokens, l.Contradicts, l.Cover() < t.cover, ratio(l.Replaced, l.Shared) > replaced:
		return false
	case l.Part() >= t.cover:
		return true
	}
	return l.Part() >= t.part && (l.Shared >= t.told || l.Figures >= t.figures)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Compare lays two texts side by side. The order of the two does not matter.
func Compare(a, b *Text) Likeness {
	if order(a, b) > 0 {
		a, b = b, a
	}
	l := Likeness{Shorter: len(a.tokens), Longer: len(b.tokens), Contradicts: foreign(a.securities, b.securities)}
	runs := align(a, b)
	for _, r := range runs {
		l.Shared += r.size
		l.Figures += figures(a.tokens[r.a:r.endA()])
		l.Contradicts = l.Contradicts || r.figuresDiffer(a, b)
	}
	times := make(map[string]int)
	for _, g := range gaps(a, b, runs) {
		if says(g.was) && says(g.is) {
			continue
		}
		l.Replaced += max(len(g.was), len(g.is))
		words := key(g.was) + "\n" + key(g.is)
		times[words]++
		l.Contradicts = l.Contradicts || times[words] > 1 || g.contradict()
	}
	return l
}

// foreign reports whether there are securities in both lists, and none in both.
func foreign(a, b []string) bool {
	return len(a) > 0 && len(b) > 0 && !slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// gap is what stands in each other's place in two texts.
type gap struct{ was, is []token }

// maxEdge is how much may stand before or after all that two texts share to
// count as replaced: a name, or a time. More of it is a paragraph of one's own.
const maxEdge = 12

// gaps returns what stands in each other's place, given what the texts share,
// from where both begin to where both end.
func gaps(a, b *Text, runs []run) []gap {
	var list []gap
	for i := range len(runs) - 1 {
		last, next := runs[i], runs[i+1]
		g := gap{a.tokens[last.endA():next.a], b.tokens[last.endB():next.b]}
		switch {
		case i == 0 && last.size == 0:
			g = g.atBegin()
		case i == len(runs)-2 && next.size == 0 && max(len(g.was), len(g.is)) > maxEdge:
			continue
		}
		if len(g.was) > 0 && len(g.is) > 0 {
			list = append(list, g)
		}
	}
	return list
}

// atBegin returns what is replaced where the gap is all that stands before what
// two texts share. Where only one text begins with more than a name, that may be
// what is cut or added; but what the other begins with stands in place of its end:
// 研报认为甲公司 is not 研报认为乙公司.
func (g gap) atBegin() gap {
	n := min(len(g.was), len(g.is))
	if n > maxEdge {
		return gap{}
	}
	if max(len(g.was), len(g.is)) > maxEdge {
		g = gap{g.was[len(g.was)-n:], g.is[len(g.is)-n:]}
	}
	same := 0
	for same < n && alike(g.was[same], g.is[same]) {
		same++
	}
	return gap{g.was[same:], g.is[same:]}
}

func order(a, b *Text) int {
	if n := len(a.tokens) - len(b.tokens); n != 0 {
		return n
	}
	return slices.Compare(a.tokens, b.tokens)
}

// run is a stretch that two texts share: so many tokens from a place of each.
type run struct{ a, b, size int }

func (r run) endA() int { return r.a + r.size }
func (r run) endB() int { return r.b + r.size }

func (r run) figuresDiffer(a, b *Text) bool {
	return !slices.Equal(a.tokens[r.a:r.endA()], b.tokens[r.b:r.endB()])
}

func figures(words []token) int {
	n := 0
	for _, tok := range words {
		if tok&figure != 0 {
			n++
		}
	}
	return n
}

// align returns what two texts share, in the order of both. It goes by the
// n-grams that each has once (as patience diff goes by lines): of these the
// longest chain that rises in both texts, and what is alike around them.
func align(a, b *Text) []run {
	runs := []run{{}} // where both begin
	for _, at := range append(chain(common(a, b)), run{len(a.tokens), len(b.tokens), 0}) {
		last := &runs[len(runs)-1]
		for last.endA() < len(a.tokens) && last.endB() < len(b.tokens) && alike(a.tokens[last.endA()], b.tokens[last.endB()]) {
			last.size++
		}
		if at.a < last.endA() || at.b < last.endB() {
			continue // within the run before, or across it
		}
		for at.a > last.endA() && at.b > last.endB() && alike(a.tokens[at.a-1], b.tokens[at.b-1]) {
			at.a, at.b, at.size = at.a-1, at.b-1, at.size+1
		}
		runs = append(runs, at)
	}
	return runs
}

// common returns where the n-grams stand that both texts have once, in the order
// of the first.
func common(a, b *Text) []run {
	var list []run
	left, right := a.once(), b.once()
	for i, j := 0, 0; i < len(left) && j < len(right); {
		x, y := left[i], right[j]
		if x.hash == y.hash {
			list = append(list, run{x.at, y.at, gramSize})
		}
		if x.hash <= y.hash {
			i++
		}
		if y.hash <= x.hash {
			j++
		}
	}
	slices.SortFunc(list, func(x, y run) int { return x.a - y.a })
	return list
}

// chain returns the longest part of a list that rises in the second text as it
// does in the first (by patience sorting).
func chain(list []run) []run {
	var ends []int // by length, less one: the last of the chain that ends first
	before := make([]int, len(list))
	for i, at := range list {
		n, _ := slices.BinarySearchFunc(ends, at.b, func(end, b int) int { return list[end].b - b })
		before[i] = -1
		if n > 0 {
			before[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		} else {
			ends[n] = i
		}
	}
	rising := make([]run, len(ends))
	if len(ends) == 0 {
		return rising
	}
	at := ends[len(ends)-1]
	for n := len(ends) - 1; n >= 0; n-- {
		rising[n] = list[at]
		at = before[at]
	}
	return rising
}

func key(words []token) string {
	var s strings.Builder
	for _, tok := range words {
		s.WriteByte(byte(tok >> 24))
		s.WriteByte(byte(tok >> 16))
		s.WriteByte(byte(tok >> 8))
		s.WriteByte(byte(tok))
	}
	return s.String()
}

// telling are characters that another one in their place makes another story of.
const telling = "〇零一二两三四五六七八九十百千万亿半倍" + "涨跌升降增减盈亏买卖多空高低上下进出开停"

// contradict reports whether the words differ in figures, numbers or direction.
func (g gap) contradict() bool {
	a, b := told(g.was), told(g.is)
	return len(a) > 0 && len(b) > 0 && !slices.Equal(a, b)
}

// sayings are words of saying, which outlets replace by each other.
var sayings = []string{"公告", "公告称", "披露", "宣布", "发布", "发布公告", "发布公告称", "表示", "称", "透露", "公布", "指出"}

func says(words []token) bool {
	return slices.ContainsFunc(sayings, func(s string) bool { return slices.Equal(words, tokens(s)) })
}

// told returns the figures and telling characters of words, in order.
func told(words []token) []token {
	var list []token
	for _, tok := range words {
		if tok&figure != 0 || strings.ContainsRune(telling, rune(tok)) {
			list = append(list, tok)
		}
	}
	return list
}
