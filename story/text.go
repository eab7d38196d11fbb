// Package story tells whether two posts are one story that two outlets run. It
// compares what is written, in Chinese above all: texts that are near-duplicates
// and agree in all figures of what they share. Pure functions over text: no
// store, no clock, no network.
//
// Candidates are found by signatures (MinHash over n-grams of characters, in a
// banded index), and are then compared word for word, see [Compare].
package story

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Version changes with whatever changes a signature or a verdict: what an older
// one found is to be found anew.
const Version = 1

// gramSize is how many tokens an n-gram has: some three words of Chinese, which
// strangers seldom share and a text that was edited still does.
const gramSize = 5

// minTokens is how many tokens a text must have to be compared: shorter ones are
// alike by chance.
const minTokens = 16

// token is a character, or a whole figure: the highest bit and a hash of its
// value.
type token uint32

const figure token = 1 << 31

// alike reports whether two tokens are the same but for the value of a figure.
func alike(a, b token) bool { return a == b || a&b&figure != 0 }

// gram is an n-gram, any figure the same, and where it begins.
type gram struct {
	hash uint64
	at   int
}

// Text is an article made ready to be compared. It does not change, and is safe
// for concurrent use.
type Text struct {
	tokens     []token
	securities []string
	// once returns the n-grams that the text has once, in order of their hash:
	// what other texts can be laid alongside by. Few texts are ever asked.
	once func() []gram
}

// New makes an article ready, given its plain text with a paragraph a line, and
// the securities that are marked in it, as they are called anywhere. What outlets
// add is left out, see [clean]; so are space and punctuation; letters of
// full width become those of half, and capitals small.
func New(text string, securities ...string) *Text {
	t := &Text{tokens: tokens(clean(text)), securities: securities}
	t.once = sync.OnceValue(func() []gram {
		grams := t.grams()
		slices.SortFunc(grams, func(a, b gram) int { return cmp.Compare(a.hash, b.hash) })
		return single(grams)
	})
	return t
}

// Short reports whether the text is too short to be compared.
func (t *Text) Short() bool { return len(t.tokens) < minTokens }

// grams returns the text's n-grams in their order.
func (t *Text) grams() []gram {
	var grams []gram
	if n := len(t.tokens) - gramSize + 1; n > 0 {
		grams = make([]gram, n)
	}
	for at := range grams {
		h := uint64(0)
		for _, tok := range t.tokens[at : at+gramSize] {
			if tok&figure != 0 {
				tok = figure
			}
			h = mix(h ^ uint64(tok))
		}
		grams[at] = gram{h, at}
	}
	return grams
}

// single keeps, in place, the grams that are there once.
func single(sorted []gram) []gram {
	kept := sorted[:0]
	for i := 0; i < len(sorted); {
		n := i + 1
		for n < len(sorted) && sorted[n].hash == sorted[i].hash {
			n++
		}
		if n == i+1 {
			kept = append(kept, sorted[i])
		}
		i = n
	}
	return kept
}

// mix scrambles 64 bits (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// tokens cuts a text into letters and figures.
func tokens(text string) []token {
	list := make([]token, 0, len(text)/utf8.UTFMax+8)
	last := rune(0) // as written, before what is looked at
	for i := 0; i < len(text); {
		r, size := folded(text[i:])
		switch {
		case isDigit(r):
			value, n := number(text[i:])
			if last == '-' && !follows(list) {
				value = "-" + value
			}
			list = append(list, figure|token(sum(value)))
			size, r = n, '0'
		case r == '%', unicode.IsLetter(r):
			list = append(list, token(unicode.ToLower(r)))
		}
		if r == '-' && (isDigit(last) || last < utf8.RuneSelf && unicode.IsLetter(last)) {
			r = ' ' // it joins, and makes nothing negative
		}
		last = r
		i += size
	}
	return list
}

// follows reports whether the list ends with a figure.
func follows(list []token) bool { return len(list) > 0 && list[len(list)-1]&figure != 0 }

// folded returns the first character of a text, of half width where it has one,
// and its size.
func folded(text string) (rune, int) {
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case '！' <= r && r <= '～':
		r -= '！' - '!'
	case r == '−' || r == '－':
		r = '-'
	}
	return r, size
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// number returns the figure at the beginning of a text, without the commas at
// its thousands and the zeros that say nothing, and how many bytes it takes.
func number(text string) (value string, size int) {
	var digits strings.Builder
	point := false
	for size < len(text) {
		r, n := folded(text[size:])
		next, _ := folded(text[size+n:])
		switch {
		case isDigit(r):
			digits.WriteRune(r)
		case r == '.' && !point && isDigit(next):
			point = true
			digits.WriteRune(r)
		case text[size] == ',' && thousands(text[size+n:]):
		default:
			return plain(digits.String(), point), size
		}
		size += n
	}
	return plain(digits.String(), point), size
}

// thousands reports whether a text begins with three digits and no fourth.
func thousands(text string) bool {
	for i := range 4 {
		if digit := i < len(text) && isDigit(rune(text[i])); digit != (i < 3) {
			return false
		}
	}
	return true
}

// plain returns a figure without zeros before or, behind a point, after it.
func plain(digits string, point bool) string {
	if point {
		digits = strings.TrimSuffix(strings.TrimRight(digits, "0"), ".")
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || digits[0] == '.' {
		digits = "0" + digits
	}
	return digits
}

func sum(value string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(value))
	return h.Sum32()
}
