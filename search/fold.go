package search

import (
	_ "embed"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// hanVariants lists, a line each, Chinese characters that are one character in
// simplified or traditional form, the one with the lowest number first. It is made
// of kSimplifiedVariant and kTraditionalVariant in Unihan_Variants.txt, Unicode
// 15.0.0, © Unicode, Inc., under the Unicode licence (see han.LICENSE); TestHan
// makes it anew.
//
//go:embed han.txt
var hanVariants string

// folder brings characters into the one form in which they are compared: narrow,
// in lower case, and of a character's simplified and traditional forms one.
type folder struct {
	plane [1 << 16]uint16 // of the basic multilingual plane: 0 where a character is left as it is, or elsewhere
	class [1 << 16]class  // likewise
	rest  map[rune]rune   // what is, or becomes, of another plane
}

// elsewhere, which is no character, stands for one that becomes one of another plane.
const elsewhere = 0xFFFF

// class tells what a character counts for.
type class uint8

const (
	classMark    class = iota // it is compared
	classSkipped              // it does not count: white space, and what is not seen
	classIndexed              // it is compared, and terms are made of it
)

func classOf(r rune) class {
	switch {
	case unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.S), r == percent:
		return classIndexed
	case skipped(r):
		return classSkipped
	}
	return classMark
}

func newFolder() *folder {
	f := &folder{rest: make(map[rune]rune)}
	han := make(map[rune]rune)
	for line := range strings.Lines(hanVariants) {
		variants := []rune(strings.TrimSpace(line))
		for _, r := range variants {
			han[r] = variants[0]
		}
	}
	for r := range rune(1 << 16) {
		f.set(r, foldOnce(r, han))
		f.class[r] = classOf(r)
	}
	for r := range han {
		f.set(r, han[r])
	}
	return f
}

func (f *folder) set(from, to rune) {
	switch {
	case from == to:
	case from < 1<<16 && to < 1<<16:
		f.plane[from] = uint16(to)
	default:
		f.rest[from] = to
		if from < 1<<16 {
			f.plane[from] = elsewhere
		}
	}
}

func foldOnce(r rune, han map[rune]rune) rune {
	if folded := width.LookupRune(r).Folded(); folded != 0 {
		r = folded
	}
	r = unicode.ToLower(r)
	if one, ok := han[r]; ok {
		return one
	}
	return r
}

// fold returns the one form of a character.
func (f *folder) fold(r rune) rune {
	if r < 1<<16 && r >= 0 {
		switch to := f.plane[r]; to {
		case 0:
			return r
		case elsewhere:
			return f.rest[r]
		default:
			return rune(to)
		}
	}
	if to, ok := f.rest[r]; ok {
		return to
	}
	return unicode.ToLower(r)
}

func (f *folder) classOf(r rune) class {
	if r < 1<<16 && r >= 0 {
		return f.class[r]
	}
	return classOf(r)
}

// barrier ends a paragraph: nothing that is looked for stands on both sides of it.
const barrier = '\n'

// skipped reports whether a character does not count, neither in a text nor in what
// is looked for: white space, and what is not seen.
func skipped(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// folded is a text as it is compared: without what does not count.
type folded struct {
	runes []rune
	at    []int // where each of them stands in the text, in bytes
}

// text folds a text, in which a line is a paragraph.
func (f *folder) text(s string) folded {
	t := folded{runes: make([]rune, 0, len(s)/2), at: make([]int, 0, len(s)/2)}
	for at, r := range s {
		if r != barrier && f.classOf(r) == classSkipped {
			continue
		}
		t.runes, t.at = append(t.runes, f.fold(r)), append(t.at, at)
	}
	return t
}

// word folds what is looked for.
func (f *folder) word(s string) []rune {
	var w []rune
	for _, r := range s {
		if f.classOf(r) != classSkipped {
			w = append(w, f.fold(r))
		}
	}
	return w
}

// index returns where a word stands first in a text, from a place on; -1 where it
// does not.
func (t folded) index(word []rune, from int) int {
	for i := from; i+len(word) <= len(t.runes); i++ {
		if t.runes[i] == word[0] && equal(t.runes[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

func equal(a, b []rune) bool {
	for i := range b {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
