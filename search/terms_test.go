package search

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// FuzzTerms: a text has all terms by which whatever stands in it is looked for; and
// where terms are said to be exact, what they are of stands in each text that has
// them.
func FuzzTerms(f *testing.F) {
	f.Add("巨化股份（600160）上涨5.12%，成交1,234.5万元", 6, 6, "5.12%")
	f.Add("Log4j2 was found 2021-12-22.\nS&P 500", 0, 12, "og4")
	f.Add("机场：12345.6／7 90.52%%", 3, 8, "12345.6")
	f.Add("…-1--2-", 1, 3, "-1-")
	fold := newFolder()
	f.Fuzz(func(t *testing.T, text string, from, n int, other string) {
		if len(text) > MaxQuery || !utf8.ValidString(text) || !utf8.ValidString(other) {
			t.Skip()
		}
		terms := strings.Fields(fold.terms(&news.Revision{}, text))
		folded := fold.text(text)
		if line := strings.Split(string(folded.runes), string(barrier)); len(line) > 0 {
			word := fold.word(line[uint(n)%uint(len(line))])
			from, n := uint(from)%uint(len(word)+1), uint(n)%uint(len(word)+1)
			holds(t, fold, folded, terms, word[from:max(from, n)])
		}
		holds(t, fold, folded, terms, fold.word(other))
	})
}

// holds holds what the terms of a text say of a word against the text.
func holds(t *testing.T, f *folder, text folded, terms []string, word []rune) {
	t.Helper()
	if len(word) == 0 {
		return
	}
	lookups, exact := f.lookups(word)
	all := true
	for _, l := range lookups {
		all = all && slices.ContainsFunc(terms, func(term string) bool {
			return term == l.term || l.prefix && strings.HasPrefix(term, l.term)
		})
	}
	there := text.index(word, 0) >= 0
	if there && !all {
		t.Errorf("%q stands in %q, and %v are not all in %q", string(word), string(text.runes), lookups, terms)
	}
	if exact && all && !there {
		t.Errorf("%q does not stand in %q, and %v are in %q", string(word), string(text.runes), lookups, terms)
	}
}

func TestLookups(t *testing.T) {
	f := newFolder()
	for _, c := range []struct {
		word, terms string
		exact       bool
	}{
		{"云", "云", true},
		{"公司", "公司", true},
		{"公，司", "公 司", false},
		{"5g", "5g", true},
		{"600160", "600160", true},
		{"0160", "0160*", true},
		{"5.12%", "5.12%*", true},
		{"82.17%，", "82.17%", false},
		{"12345.67", "12345. 2345.6 345.67", false},
		{"a.bcdefg", "a.bcde bcdefg", false},
		{"涨5.1", "涨5 5.1*", false},
		{"（5）与", "5 与", false},
		{"。", "", false},
	} {
		lookups, exact := f.lookups(f.word(c.word))
		var terms []string
		for _, l := range lookups {
			if l.prefix {
				l.term += "*"
			}
			terms = append(terms, l.term)
		}
		if got := strings.Join(terms, " "); got != c.terms || exact != c.exact {
			t.Errorf("%s: %s, %v, want %s, %v", c.word, got, exact, c.terms, c.exact)
		}
	}
}
