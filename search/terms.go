package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// The engine is given terms that are cut here, so that whatever stands in a text
// can be found by some of them:
//
//   - each character that is a letter, digit, mark or symbol,
//   - each two of them that follow each other, also where punctuation is between,
//   - from each place in a run of Latin letters and digits on, what follows there,
//     up to six of them, if that is three or more: a term that begins with 016 is
//     in each text with 600160.
//
// So a word of one or two characters is one term, and so is, as the beginning of
// one, what of letters and digits has up to six. Of longer words all terms must be
// there. Whether they stand next to each other the text itself tells.

// gram is a term as a number: one or two characters in 21 bits each, or up to six
// letters and digits in a byte each, below a bit that says so.
type gram uint64

const (
	runeBits = 21
	runBit   = gram(1) << 63
	runMin   = 3
	runMax   = 6
)

func unigram(r rune) gram   { return gram(r) }
func bigram(a, b rune) gram { return gram(a)<<runeBits | gram(b) }
func (g gram) isRun() bool  { return g&runBit != 0 }
func inRun(r rune) bool     { return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' }

func runGram(run []rune) (g gram) {
	for _, r := range run {
		g = g<<8 | gram(r)
	}
	return g | runBit
}

// single reports whether the term is one character.
func (g gram) single() bool { return g < 1<<runeBits }

// String returns the term as the engine gets it.
func (g gram) String() string {
	if !g.isRun() {
		second := rune(g & (1<<runeBits - 1))
		if first := rune(g >> runeBits); first != 0 {
			return string(first) + string(second)
		}
		return string(second)
	}
	var b []byte
	for shift := 8 * (runMax - 1); shift >= 0; shift -= 8 {
		if c := byte((g &^ runBit) >> shift); c != 0 {
			b = append(b, c)
		}
	}
	return string(b)
}

// runEnd returns where the run of letters and digits ends that goes on at i.
func runEnd(runes []rune, i int) int {
	for i < len(runes) && inRun(runes[i]) {
		i++
	}
	return i
}

// count adds the terms of a text to those that are counted.
func (f *folder) count(t folded, counts map[gram]int) {
	previous, end := rune(0), 0
	for i, r := range t.runes {
		if r == barrier {
			previous = 0
			continue
		}
		if f.classOf(r) != classIndexed {
			continue
		}
		counts[unigram(r)]++
		if previous != 0 {
			counts[bigram(previous, r)]++
		}
		previous = r
		if !inRun(r) {
			continue
		}
		if end <= i {
			end = runEnd(t.runes, i)
		}
		if end-i >= runMin {
			counts[runGram(t.runes[i:min(end, i+runMax)])]++
		}
	}
}

// Terms of what is not the text itself begin with a control character, which no
// term of a text does.
const (
	inTitle    = "\u0081"
	inText     = "\u0082" // often: see often
	inCategory = "\u0083"
	inTag      = "\u0084"
	inSecurity = "\u0085"
	inMirror   = "\u0086"
)

// often is how many times a term of two characters or more stands in a text that is
// about what it names.
const often = 3

// name makes one term of a name: what is not a letter or digit is written so that
// the engine does not cut there.
func (f *folder) name(kind, s string) string {
	return kind + strings.Map(func(r rune) rune {
		if r < 0x80 && !inRun(r) {
			return 0xE000 + r // of the private use area
		}
		return r
	}, string(f.word(s)))
}

// names returns the terms of a post beside those of its title and text, as a set.
func (f *folder) names(rev *news.Revision) map[string]bool {
	terms := make(map[string]bool)
	add := func(kind string, names ...string) {
		for _, s := range names {
			if s != "" {
				terms[f.name(kind, s)] = true
			}
		}
	}
	add(inCategory, append(rev.Categories(), rev.Category)...)
	add(inTag, append(rev.Tags(), rev.Tag)...)
	add(inMirror, rev.Mirror)
	for _, m := range slices.Concat(rev.Securities, rev.Boards) {
		add(inSecurity, m.Code, m.Security.String())
	}
	return terms
}

// terms returns all terms of a post, with spaces between, as the engine cuts them.
func (f *folder) terms(rev *news.Revision, text string) string {
	var b strings.Builder
	write := func(parts ...string) {
		for _, part := range parts {
			b.WriteString(part)
		}
		b.WriteByte(' ')
	}
	title := make(map[gram]int)
	f.count(f.text(rev.Title), title)
	all := make(map[gram]int, 1024)
	f.count(f.text(text), all)
	for g, n := range all {
		write(g.String())
		if n >= often && !g.single() {
			write(inText, g.String())
		}
	}
	for g := range title {
		write(inTitle, g.String())
		if all[g] == 0 {
			write(g.String())
		}
	}
	for term := range f.names(rev) {
		write(term)
	}
	return b.String()
}

// lookup is a term that is looked for.
type lookup struct {
	term   string
	prefix bool
}

func (l lookup) single() bool { return utf8.RuneCountInString(l.term) == 1 }

// lookups returns terms that each text has in which a word stands. exact reports
// whether the word stands in each text that has them.
func (f *folder) lookups(word []rune) (terms []lookup, exact bool) {
	previous, plain := -1, 0
	for i := 0; i < len(word); i++ {
		r := word[i]
		if f.classOf(r) != classIndexed {
			continue
		}
		if plain++; previous >= 0 {
			terms = append(terms, lookup{term: bigram(word[previous], r).String()})
		}
		if previous = i; !inRun(r) {
			continue
		}
		if end := runEnd(word, i); end-i >= runMin {
			terms = append(terms, runLookups(word[i:end])...)
			plain += end - i - 1
			i, previous = end-1, end-1
		}
	}
	if plain == 1 {
		for _, r := range word {
			if f.classOf(r) == classIndexed {
				terms = append(terms, lookup{term: string(r)})
			}
		}
	}
	return terms, plain == len(word) && len(terms) == 1 && (plain == 1 || terms[0].prefix)
}

// runLookups returns the terms of a run of three or more letters and digits.
func runLookups(run []rune) []lookup {
	if len(run) <= runMax {
		return []lookup{{term: string(run), prefix: true}}
	}
	var terms []lookup
	for i := 0; i+runMax <= len(run); i++ {
		terms = append(terms, lookup{term: string(run[i : i+runMax]), prefix: i+runMax < len(run)})
	}
	return terms
}
