package search_test

import (
	"strings"
	"testing"

	"github.com/finarc/finarc/search"
)

func TestPassages(t *testing.T) {
	m := &memory{}
	m.commit(post(0, "機場公告", strings.Repeat("前文。", 40)+"上海機場　ＥＴＦ上涨，"+strings.Repeat("后文。", 40)+"\n机场在末段"))
	x := indexOf(t, m)
	for _, c := range []struct{ query, title, passage string }{
		{"机场 etf", "a «機場»公告", "。前文。前文。前文。前文。上海«機場»　«ＥＴＦ»上涨，后文。后文。"},
		{"机场etf", "a 機場公告", "文。前文。前文。前文。上海«機場　ＥＴＦ»上涨，后文。"},
		{"末段", "a 機場公告", "机场在«末段»"},
		{"title:公告", "a 機場«公告»", ""},
		{"“文前文” -没有", "a 機場公告", ""},
	} {
		hits := find(t, x, m, search.Query{Text: c.query})
		if c.query == "“文前文” -没有" {
			if len(hits) != 0 {
				t.Errorf("%s: punctuation counts", c.query)
			}
			continue
		}
		if len(hits) != 1 {
			t.Fatalf("%s: %d hits", c.query, len(hits))
		}
		if got := marked(hits[0].Title); got != c.title {
			t.Errorf("%s: title %q, want %q", c.query, got, c.title)
		}
		if got := marked(hits[0].Passage); !strings.Contains(got, c.passage) || c.passage == "" && c.query != "title:公告" {
			t.Errorf("%s: passage %q, want %q in it", c.query, got, c.passage)
		}
	}
}

// TestPassagesCutNoWord: of a word that would stand in part at an end of the passage,
// nothing stands in it.
func TestPassagesCutNoWord(t *testing.T) {
	for _, c := range []struct{ query, text, passage string }{
		{"机场货运 甲", "机场货运" + strings.Repeat("前", 14) + "机场货运" + strings.Repeat("后", 59) + "甲",
			strings.Repeat("前", 14) + "«机场货运»" + strings.Repeat("后", 59) + "«甲»"},
		{"机场货运", "机场货运" + strings.Repeat("后", 74) + "机场货运", "«机场货运»" + strings.Repeat("后", 74)},
	} {
		m := &memory{}
		m.commit(post(0, "公告", c.text))
		hits := find(t, indexOf(t, m), m, search.Query{Text: c.query})
		if len(hits) != 1 {
			t.Fatalf("%s: %d hits", c.query, len(hits))
		}
		if got := marked(hits[0].Passage); got != c.passage {
			t.Errorf("%s: passage %q, want %q", c.query, got, c.passage)
		}
	}
}

func marked(p search.Passage) string {
	runes, at := []rune(p.Text), 0
	var b strings.Builder
	for _, m := range p.Marks {
		b.WriteString(string(runes[at:m[0]]) + "«" + string(runes[m[0]:m[1]]) + "»")
		at = m[1]
	}
	return b.String() + string(runes[at:])
}
