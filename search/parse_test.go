package search

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: whatever is typed is understood, or refused with a place within it;
// and what was understood, written out again, is understood as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"原油", "原油 -期货", `"Wall Street" title:茅台`, "－“上海　机场” ｔｉｔｌｅ：x", "category:21caijing from:2021-12-22", `a"b`, `-"`, "title:", "\x00\xff ",
	} {
		f.Add(seed)
	}
	fold := newFolder()
	f.Fuzz(func(t *testing.T, query string) {
		items, err := parse(query)
		if wrong := new(QueryError); errors.As(err, &wrong) {
			if wrong.At < 1 || wrong.At > utf8.RuneCountInString(query)+1 {
				t.Fatalf("%q: %v", query, err)
			}
			return
		}
		for i := range items {
			if items[i].text == "" || items[i].at < 1 {
				t.Fatalf("%q: %+v", query, items[i])
			}
			if word := fold.word(items[i].text); len(word) == 0 || slices.Contains(word, barrier) {
				t.Fatalf("%q: %q is no word", query, word)
			}
		}
		again, err := parse(written(items))
		if len(written(items)) <= MaxQuery && (err != nil || !slices.EqualFunc(items, again, same)) {
			t.Fatalf("%q: %+v, and again %+v, %v", query, items, again, err)
		}
		_, _ = fold.compile(&Query{Text: query}) // an error is an answer
	})
}

func same(a, b item) bool { return a.field == b.field && a.without == b.without && a.text == b.text }

// written writes items so that parse reads them as they are: what has no white space
// stands as it is, the rest in quotation marks.
func written(items []item) string {
	var b strings.Builder
	for _, it := range items {
		if it.without {
			b.WriteString("-")
		}
		if it.field != "" {
			b.WriteString(it.field + ":")
		}
		if strings.ContainsAny(it.text, closing) {
			b.WriteString(it.text + " ")
		} else {
			b.WriteString(`"` + it.text + `" `)
		}
	}
	return b.String()
}
