package storetest

import (
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// titled returns w with the titles that from, which is newer, tells of: its own
// mirror's, and others beside it.
func titled(w, from news.Wanted) news.Wanted {
	others := make(map[string]news.OtherTitle)
	for _, o := range w.Others {
		others[o.Mirror] = o
	}
	switch {
	case from.TitleSum == 0 || from.TitleSum == w.TitleSum:
	case w.TitleSum == 0 || from.Mirror == w.Mirror:
		w.TitleSum = from.TitleSum
	case len(from.Pages) > 0:
		others[from.Mirror] = news.OtherTitle{Mirror: from.Mirror, Page: from.Pages[0], TitleSum: from.TitleSum}
	}
	for _, o := range from.Others {
		others[o.Mirror] = o
	}
	w.Others = nil
	for _, o := range others {
		w.Others = append(w.Others, o)
	}
	slices.SortFunc(w.Others, func(a, b news.OtherTitle) int { return strings.Compare(a.Mirror, b.Mirror) })
	return w
}

// titleOn returns the sum of the title that a mirror's list shows for a post.
func titleOn(w news.Wanted, mirror string) uint32 {
	sums := map[string]uint32{w.Mirror: w.TitleSum}
	for _, also := range w.Also {
		sums[also] = w.TitleSum
	}
	for _, o := range w.Others {
		sums[o.Mirror] = o.TitleSum
	}
	return sums[mirror]
}

// sameTitle reports whether a held title and the one that a list shows do not
// differ.
func sameTitle(title string, sum uint32) bool {
	held := news.TitleSum(title)
	return held == 0 || sum == 0 || held == sum
}

// otherLinks returns an entry once for each mirror's title that it knows, if there
// is more than one.
func otherLinks(w news.Wanted) []news.Wanted {
	if len(w.Others) == 0 {
		return nil
	}
	var links []news.Wanted
	for _, o := range w.Others {
		link := w
		link.Mirror, link.Pages, link.TitleSum = o.Mirror, []string{o.Page}, o.TitleSum
		links = append(links, link)
	}
	if len(w.Pages) > 0 && siteOf(w.Pages[0]) == siteOf(w.FoundOn) {
		w.Pages = w.Pages[:1]
		links = append(links, w)
	}
	return links
}

// siteOf returns scheme and host of an address.
func siteOf(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// other enters the page to which a link leads, if a post is held from another
// mirror and never under the link's title, and reports whether it was not known.
func (s *state) other(held []news.Revision, link news.Wanted, attempts int) bool {
	elsewhere := false
	for _, rev := range held {
		if sameTitle(rev.Title, link.TitleSum) {
			return false
		}
		elsewhere = elsewhere || rev.Mirror != "" && rev.Mirror != link.Mirror
	}
	if !elsewhere {
		return false
	}
	of := held[0].ID
	return s.link(news.Wanted{
		ID: news.OtherID(of, link.TitleSum), Of: of, Mirror: link.Mirror, Pages: link.Pages, Category: link.Category,
		FoundOn: link.FoundOn, Found: link.Found, TitleSum: link.TitleSum,
	}, attempts) == news.StandingNew
}
