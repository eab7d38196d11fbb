package search_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/search"
)

// TestOrderOfBlocks: posts come in order of time whatever the order is in which they
// were indexed, of which an index knows no more than from when to when blocks of
// 1,024 are: by a rebuild in order, then a backfill and live posts by turns.
func TestOrderOfBlocks(t *testing.T) {
	const rebuilt, turn = 3000, 700
	m := &memory{mark: "one"}
	put := func(from, to int) {
		for n := from; n < to; n++ {
			m.commit(numbered(n))
		}
	}
	const backfilled = 5 * turn
	put(backfilled, backfilled+rebuilt)
	x := indexOf(t, m)
	for i := range 5 {
		live := backfilled + rebuilt + i*turn
		put(live, live+turn)
		update(t, x, m)
		put(backfilled-(i+1)*turn, backfilled-i*turn) // from the newest on
		update(t, x, m)
	}
	const all = 2*backfilled + rebuilt
	day := func(n int) news.Day { p := numbered(n); return p.Day() }
	for _, c := range []struct {
		q     search.Query
		holds func(n int) bool
	}{
		{search.Query{Text: "第"}, func(int) bool { return true }},
		{search.Query{Mirror: "local", Text: "-三的倍数"}, func(n int) bool { return n%3 != 0 }},
		{search.Query{Text: "百的倍数", Sort: search.ByTime}, func(n int) bool { return n%100 == 0 }},
		{search.Query{Text: "百的倍数"}, func(n int) bool { return n%100 == 0 }},
		{search.Query{Text: "三的倍数 百的倍数", From: day(2000), To: day(8000)}, func(n int) bool {
			return n%300 == 0 && day(n) >= day(2000) && day(n) <= day(8000)
		}},
	} {
		var want []news.ID
		for n := all - 1; n >= 0; n-- {
			if c.holds(n) {
				want = append(want, numbered(n).ID)
			}
		}
		c.q.Limit = search.MaxLimit
		var got []news.ID
		for _, h := range find(t, x, m, c.q) {
			got = append(got, h.Post.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d posts, want %d, or in another order", c.q, len(got), len(want))
		}
	}
}

// numbered is a post of an archive that has one each minute.
func numbered(n int) news.Post {
	at := time.Date(2021, 12, 1, 0, 0, 0, 0, news.Shanghai).Add(time.Duration(n) * time.Minute)
	code := news.InfoCode(fmt.Sprintf("NW%s%010d", at.Format("20060102"), n))
	body := fmt.Sprintf("第%d篇", n)
	if n%3 == 0 {
		body += "，三的倍数"
	}
	if n%100 == 0 {
		body += "，百的倍数"
	}
	return news.Post{ID: code.ID(), InfoCode: code, Published: at, Title: "编号", Body: "<p>" + body + "</p>"}
}
