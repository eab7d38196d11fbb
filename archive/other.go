package archive

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/finarc/finarc/news"
)

// Mirrors may disagree about a post, and one that is held is not asked for again.
// But their lists show titles: where that of another mirror's list is none that is
// held, the post's page there comes into the frontier, as an entry of its own. When
// it is had, its identity becomes an alias of the post, so that this title is known
// from then on, whatever the page had.

// learnTitles adds to w the titles that from, which is newer, tells of, and
// reports whether there was one. Of two titles on one mirror the newer counts: a
// post that was corrected has it by now. Another mirror's stands beside it.
func learnTitles(w, from *news.Wanted) bool {
	changed := false
	switch {
	case from.TitleSum == 0 || from.TitleSum == w.TitleSum:
	case w.TitleSum == 0 || from.Mirror == w.Mirror:
		w.TitleSum, changed = from.TitleSum, true
	case len(from.Pages) > 0:
		changed = learnOther(w, news.OtherTitle{Mirror: from.Mirror, Page: from.Pages[0], TitleSum: from.TitleSum})
	}
	for _, o := range from.Others {
		changed = learnOther(w, o) || changed
	}
	return changed
}

// learnOther adds the title on another mirror, in place of an older one.
func learnOther(w *news.Wanted, o news.OtherTitle) bool {
	at, known := slices.BinarySearchFunc(w.Others, o.Mirror, func(have news.OtherTitle, mirror string) int {
		return cmp.Compare(have.Mirror, mirror)
	})
	switch {
	case !known:
		w.Others = slices.Insert(slices.Clone(w.Others), at, o)
	case w.Others[at] == o:
		return false
	default:
		w.Others = slices.Clone(w.Others)
		w.Others[at] = o
	}
	return true
}

// several reports whether a batch may be of a run of several mirrors. In one of a
// single mirror, lists have no other's titles to compare.
func several(b *news.Batch) bool { return b.Run == nil || len(b.Run.Mirrors) != 1 }

// answerTitles does what the titles ask for that lists show for a post, as its
// entry in the frontier tells, once it is captured. It returns how many other
// mirrors' pages are wanted now.
func (t *tx) answerTitles(p *news.Captured, attempts int, fresh *revisions) (int, error) {
	key := idKey(cmp.Or(p.Wanted.ID, p.Post.ID))
	if !t.has(bucketFrontier, key) {
		return 0, nil
	}
	w, err := t.wanted(bucketFrontier, key)
	if err != nil {
		return 0, err
	}
	if sum := titleOn(&w, p.Capture.Mirror); !t.a.titled(p.Post.Title, sum) {
		// Lists call it otherwise than its page does, which is no disagreement.
		if err := t.put(bucketAliases, idKey(news.OtherID(p.Post.ID, sum)), idKey(p.Post.ID)); err != nil {
			return 0, err
		}
	}
	if len(w.Others) == 0 {
		return 0, nil
	}
	return t.wantOthers(&w, p.Post.ID, attempts, fresh)
}

// titleOn returns the sum of the title that a mirror's list shows for a post; 0
// where none is known.
func titleOn(w *news.Wanted, mirror string) uint32 {
	for _, o := range w.Others {
		if o.Mirror == mirror {
			return o.TitleSum
		}
	}
	if w.Mirror == mirror || slices.Contains(w.Also, mirror) {
		return w.TitleSum
	}
	return 0
}

// wantOthers puts the pages of a post into the frontier that its entry knows
// under titles that are not held, and returns how many.
func (t *tx) wantOthers(w *news.Wanted, id news.ID, attempts int, fresh *revisions) (int, error) {
	h, err := t.head(id)
	if err != nil {
		return 0, err
	}
	titles := w.Others
	if len(w.Pages) > 0 && origin(w.Pages[0]) == origin(w.FoundOn) { // where the first link led
		titles = append(slices.Clip(titles), news.OtherTitle{Mirror: w.Mirror, Page: w.Pages[0], TitleSum: w.TitleSum})
	}
	n := 0
	for _, o := range titles {
		link := *w
		link.Mirror, link.Pages, link.TitleSum = o.Mirror, []string{o.Page}, o.TitleSum
		entered, err := t.wantOther(h, &link, attempts, fresh)
		if err != nil {
			return n, err
		}
		if entered {
			n++
		}
	}
	return n, nil
}

// compareTitles compares the titles that links show with those of the posts that
// are held, where the archive has posts of other mirrors than the link's.
func (t *tx) compareTitles(b *news.Batch, done *news.Committed) error {
	links, err := t.linksToHeld(b.Found, done.Found)
	if err != nil {
		return err
	}
	stored := &revisions{first: math.MaxUint64}
	for _, l := range links {
		entered, err := t.wantOther(l.head, l.link, b.Attempts, stored)
		if err != nil {
			return err
		}
		if entered {
			done.Others++
		}
	}
	return nil
}

// heldLink is a link to a post that is held.
type heldLink struct {
	link *news.Wanted
	head head
}

// linksToHeld returns the links whose titles are to be compared, in the order of
// the posts' records, of which a block holds many.
func (t *tx) linksToHeld(found []news.Wanted, standings []news.Standing) ([]heldLink, error) {
	var links []heldLink
	several := make(map[string]bool)
	for i := range found {
		w := &found[i]
		if standings[i] != news.StandingArchived || w.TitleSum == 0 || len(w.Pages) == 0 {
			continue
		}
		if _, known := several[w.Mirror]; !known {
			several[w.Mirror] = t.hasOtherMirror(w.Mirror)
		}
		if !several[w.Mirror] {
			continue
		}
		h, err := t.resolve(w.ID)
		if err != nil {
			return nil, err
		}
		if len(h) > 0 {
			links = append(links, heldLink{w, h})
		}
	}
	slices.SortStableFunc(links, func(a, b heldLink) int { return cmp.Compare(a.head[0].seq, b.head[0].seq) })
	return links, nil
}

// wantOther puts the page that a link leads to into the frontier, if the link's
// title is none of the held post's and the post is held from another mirror, and
// reports whether it was not known.
func (t *tx) wantOther(h head, link *news.Wanted, attempts int, fresh *revisions) (bool, error) {
	var of news.ID
	elsewhere := false
	for _, known := range h {
		r, err := t.recordOf(known.seq, fresh)
		switch {
		case errors.Is(err, ErrLost) || errors.Is(err, ErrCorrupt):
			return false, nil // what is damaged is for verify to tell
		case err != nil:
			return false, err
		case t.a.titled(r.Title, link.TitleSum):
			return false, nil
		}
		of = idOf(r.ID)
		elsewhere = elsewhere || r.Mirror != "" && r.Mirror != link.Mirror
	}
	if !elsewhere {
		return false, nil
	}
	standing, err := t.commitLink(&news.Wanted{
		ID: news.OtherID(of, link.TitleSum), Of: of, Mirror: link.Mirror, Pages: link.Pages, Category: link.Category,
		FoundOn: link.FoundOn, Found: link.Found, TitleSum: link.TitleSum,
	}, attempts)
	return standing == news.StandingNew, err
}

// hasOtherMirror reports whether the archive holds a post of another mirror.
func (t *tx) hasOtherMirror(mirror string) bool {
	own, c := term(termMirror, mirror), t.Bucket(bucketTerms).Cursor()
	for k, _ := c.Seek([]byte{byte(termMirror)}); len(k) > 0 && k[0] == byte(termMirror); k, _ = c.Next() {
		if string(k) != own {
			return true
		}
	}
	return false
}

// titled reports whether a held title can be the one with a sum. One that is
// missing can.
func (a *Archive) titled(title string, sum uint32) bool {
	if a.titles != nil {
		return a.titles(title, sum)
	}
	held := news.TitleSum(title)
	return sum == 0 || held == 0 || held == sum
}
