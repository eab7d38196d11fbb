package storetest

import (
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

// linkOn returns a link to sample 1 on a mirror, under a title.
func linkOn(mirror, title string) news.Wanted {
	w := with(WantedOf(1), "https://"+mirror+".example/1.html")
	w.Mirror, w.TitleSum, w.FoundOn = mirror, news.TitleSum(title), "https://"+mirror+".example/"
	return w
}

// capturedOn returns a capture of sample 1 on a mirror, under a title.
func capturedOn(mirror, title string) news.Captured {
	p := Sample(1)
	p.Capture.Mirror, p.Capture.URL, p.Post.Title = mirror, "https://"+mirror+".example/1.html", title
	return p
}

// otherPage returns the entry of what a link leads to, where its title is none
// that is held.
func otherPage(link news.Wanted) news.Wanted {
	link.Of, link.ID, link.InfoCode = link.ID, news.OtherID(link.ID, link.TitleSum), ""
	return link
}

// others commits a batch and returns how many other mirrors' pages came of it.
func others(t *testing.T, s Store, b news.Batch) int { return commit(t, s, b).Others }

func testOtherTitle(t *testing.T, s Store) {
	m, n := linkOn("m", "甲"), linkOn("n", "乙")
	found(t, s, m, n)
	want := m
	want.Pages, want.Also = []string{m.Pages[0], n.Pages[0]}, []string{"n"}
	want.Others = []news.OtherTitle{{Mirror: "n", Page: n.Pages[0], TitleSum: n.TitleSum}}
	wantSame(t, "waiting", []news.Wanted{want}, waitingIn(t, s).Frontier)
	n.TitleSum, m.TitleSum = news.TitleSum("丙"), news.TitleSum("丁")
	found(t, s, n, m)
	want.TitleSum, want.Others[0].TitleSum = m.TitleSum, n.TitleSum
	wantSame(t, "after corrections", []news.Wanted{want}, waitingIn(t, s).Frontier)
	wantSame(t, "pages", 1, others(t, s, news.Batch{Posts: []news.Captured{capturedOn("n", "丙")}}))
	wantSame(t, "the first one's is wanted", []news.Wanted{otherPage(m)}, waitingIn(t, s).Frontier)
}

func testOtherWanted(t *testing.T, s Store) {
	put(t, s, capturedOn("m", "甲"), Sample(2))
	wantSame(t, "its own mirror's titles", 0, others(t, s, news.Batch{Found: []news.Wanted{linkOn("m", "甲"), linkOn("m", "乙")}}))
	wantSame(t, "the same title", 0, others(t, s, news.Batch{Found: []news.Wanted{linkOn("n", "甲"), linkOn("n", "")}}))
	link := linkOn("n", "乙")
	wantSame(t, "another title", 1, others(t, s, news.Batch{Found: []news.Wanted{link, link}}))
	wantSame(t, "wanted", []news.Wanted{otherPage(link)}, waitingIn(t, s).Frontier)
	p := capturedOn("n", "甲") // as it is held, whatever the list says
	p.Wanted = otherPage(link)
	commit(t, s, news.Batch{Posts: []news.Captured{p}})
	wantSame(t, "the title that was asked about", 0, others(t, s, news.Batch{Found: []news.Wanted{link}}))
	third := linkOn("n", "丙")
	wantSame(t, "a third title", 1, others(t, s, news.Batch{Found: []news.Wanted{third}}))
	failed := otherPage(third)
	failed.Attempts, failed.Next = 1, third.Found.Add(time.Hour)
	commit(t, s, news.Batch{Failed: []news.Wanted{failed}})
	wantSame(t, "one that was in vain", 0, others(t, s, news.Batch{Found: []news.Wanted{third}}))
	wantSame(t, "waiting", waiting{Failed: []news.Wanted{failed}}, waitingIn(t, s))
}

func testListTitle(t *testing.T, s Store) {
	found(t, s, linkOn("m", "乙"), linkOn("n", "乙"))
	put(t, s, capturedOn("m", "甲"))
	wantSame(t, "what both lists show", 0, others(t, s, news.Batch{Found: []news.Wanted{linkOn("n", "乙")}}))
	wantSame(t, "waiting", waiting{}, waitingIn(t, s))
}
