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
//   - each two of them that stand next to each other,
//   - from each place in a run of Latin letters and digits on, what follows there,
//     up to six characters, if that is three or more: a term that begins with 016 is
//     in each text with 600160. A point or the like within a number or name is of
//     the run, so that 5.12% is one term.
//
// So a word of one or two characters is one term, and so is, as the beginning of
// one, what of a run has up to six. Of longer words all terms must be
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

// inRun reports whether a character begins, goes on with and ends runs.
func inRun(r rune) bool { return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || r == percent }

const percent = '%'

// joins reports whether a run goes on behind a character, if one of a run is next.
func joins(r rune) bool { return strings.ContainsRune(".,-/:&", r) }

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

// runAt returns what of a run stands from i on, at most so many characters: none,
// where no run is.
func runAt(runes []rune, i, most int) []rune {
	end := i
	if !inRun(runes[i]) {
		return nil
	}
	for ; end < min(len(runes), i+most); end++ {
		r := runes[end]
		if !inRun(r) && (!joins(r) || end+1 == len(runes) || !inRun(runes[end+1])) {
			break
		}
	}
	return runes[i:end]
}

// count adds the terms of a text to those that are counted.
func (f *folder) count(t folded, counts map[gram]int) {
	last := -2 // the last character that terms are made of
	for i, r := range t.runes {
		if f.classOf(r) != classIndexed {
			continue
		}
		counts[unigram(r)]++
		if last == i-1 {
			counts[bigram(t.runes[last], r)]++
		}
		last = i
		if run := runAt(t.runes, i, runMax); len(run) >= runMin {
			counts[runGram(run)]++
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
	last, alone := -2, false // the last character that terms are made of, and whether none has it yet
	settle := func() {
		if alone {
			terms = append(terms, lookup{term: string(word[last])})
		}
	}
	for i := 0; i < len(word); i++ {
		if f.classOf(word[i]) != classIndexed {
			continue
		}
		if last == i-1 {
			terms = append(terms, lookup{term: bigram(word[last], word[i]).String()})
			alone = false
		} else {
			settle()
			alone = true
		}
		last = i
		if run := runAt(word, i, len(word)); len(run) >= runMin {
			terms = append(terms, runLookups(run)...)
			alone = false
			last += len(run) - 1
			i = last
		}
	}
	settle()
	return terms, len(terms) == 1 && utf8.RuneCountInString(terms[0].term) == len(word)
}

// runLookups returns the terms of a run of three or more characters.
func runLookups(run []rune) []lookup {
	if len(run) < runMax {
		return []lookup{{term: string(run), prefix: true}}
	}
	var terms []lookup
	for i := 0; i+runMax <= len(run); i++ {
		if inRun(run[i]) {
			terms = append(terms, lookup{term: string(run[i : i+runMax])})
		}
	}
	return terms
}
