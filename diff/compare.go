package diff

import (
	"strings"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// maxWork bounds the steps of one comparison. Comparing m tokens with n takes
// at most about (m+n)² of them, of which a processor does some 400 million a
// second.
const maxWork = 300_000_000

// level says how finely a text is cut for comparing. What differs at one level
// is compared again at the next, until it is cut into words.
type level int

const (
	lines level = iota
	sentences
	words
)

func (l level) cut(text string) []string {
	switch l {
	case lines:
		return cutLines(text)
	case sentences:
		return cutSentences(text)
	}
	return cutWords(text)
}

// comparison gathers the difference between two texts.
type comparison struct {
	found  []Segment
	budget int // steps that may still be taken
}

// add appends a stretch to what was found, joined to the last where it is of
// the same kind.
func (c *comparison) add(kind Kind, text string) {
	if text == "" {
		return
	}
	if last := len(c.found) - 1; last >= 0 && c.found[last].Kind == kind {
		c.found[last].Text += text
		return
	}
	c.found = append(c.found, Segment{kind, text})
}

// compare adds the difference between two stretches, cut as finely as the level
// says, and more finely where they differ.
func (c *comparison) compare(old, new string, l level) {
	if old == new {
		c.add(Same, old)
		return
	}
	a, b := l.cut(old), l.cut(new)
	head := commonStart(a, b)
	tail := commonEnd(a[head:], b[head:])
	c.add(Same, strings.Join(a[:head], ""))
	c.align(a[head:len(a)-tail], b[head:len(b)-tail], l)
	c.add(Same, strings.Join(a[len(a)-tail:], ""))
}

// align adds the difference between two lists of tokens of a level.
func (c *comparison) align(a, b []string, l level) {
	work := (len(a) + len(b)) * (len(a) + len(b))
	if len(a) == 0 || len(b) == 0 || work > c.budget {
		c.add(Deleted, strings.Join(a, ""))
		c.add(Added, strings.Join(b, ""))
		return
	}
	c.budget -= work
	var gone, come string
	for _, step := range script(a, b) {
		switch step.kind {
		case Deleted:
			gone += strings.Join(a[:step.tokens], "")
			a = a[step.tokens:]
		case Added:
			come += strings.Join(b[:step.tokens], "")
			b = b[step.tokens:]
		default:
			c.replace(gone, come, l)
			gone, come = "", ""
			c.add(Same, strings.Join(a[:step.tokens], ""))
			a, b = a[step.tokens:], b[step.tokens:]
		}
	}
	c.replace(gone, come, l)
}

// replace adds that one stretch stands where another stood.
func (c *comparison) replace(gone, come string, l level) {
	if l < words && gone != "" && come != "" {
		c.compare(gone, come, l+1)
		return
	}
	c.add(Deleted, gone)
	c.add(Added, come)
}

// step is so many tokens of one kind.
type step struct {
	kind   Kind
	tokens int
}

// script returns how one list of tokens becomes another. The library compares
// texts, so each different token is made a character.
func script(a, b []string) []step {
	names := make(map[string]rune)
	// No timeout: the same texts have the same difference on every machine.
	dmp := &diffmatchpatch.DiffMatchPatch{}
	var steps []step
	for _, d := range dmp.DiffMainRunes(named(names, a), named(names, b), false) {
		s := step{Same, utf8.RuneCountInString(d.Text)}
		switch d.Type {
		case diffmatchpatch.DiffDelete:
			s.kind = Deleted
		case diffmatchpatch.DiffInsert:
			s.kind = Added
		}
		steps = append(steps, s)
	}
	return steps
}

// Surrogates are no characters: a text that holds one would not come back.
const (
	firstSurrogate = 0xD800
	surrogates     = 0x800
)

// named returns for each token the character that stands for it. There are
// enough: maxWork leaves room for some 17,000 tokens.
func named(names map[string]rune, tokens []string) []rune {
	list := make([]rune, len(tokens))
	for i, t := range tokens {
		r, known := names[t]
		if !known {
			if r = rune(len(names) + 1); r >= firstSurrogate {
				r += surrogates
			}
			names[t] = r
		}
		list[i] = r
	}
	return list
}

func commonStart(a, b []string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func commonEnd(a, b []string) int {
	n := 0
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
