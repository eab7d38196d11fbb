package archive

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
)

// Held returns up to n posts whose newest revision's [news.Revision.Place] is
// not before a moment and whose identity is after the given one, in order of
// identity, and none where there are no more. Of each it has the newest capture
// of every mirror, the newest first, but for those that damage took and for
// files that were imported, which cannot be asked for; Pages are
// the addresses of those that are pages of mirrors' sites.
//
// Each call goes through the index of times from that moment on, in many short
// looks, and remembers n posts.
func (a *Archive) Held(ctx context.Context, since time.Time, after news.ID, n int) ([]news.Held, error) {
	if n <= 0 {
		return nil, ctx.Err()
	}
	g := &gathering{query: newestSince(since), since: since, most: n}
	if after != "" {
		g.after = idKey(after)
	}
	for !g.done {
		if err := a.view(ctx, g.look); err != nil {
			return nil, err
		}
	}
	var list []news.Held
	for len(list) < len(g.keys) {
		err := a.view(ctx, func(t *tx) error {
			for began := time.Now(); len(list) < len(g.keys) && time.Since(began) < selectTime; {
				h, err := t.heldPost(g.keys[len(list)])
				if err != nil {
					return err
				}
				list = append(list, h)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// newestSince is the query of all revisions from a moment on.
func newestSince(since time.Time) *query {
	return &query{
		Selection: Selection{Oldest: true},
		low:       uint64(max(0, since.Unix())), high: math.MaxUint32 * hour,
	}
}

// gathering looks for the first posts, by identity, of those that a query finds.
type gathering struct {
	*query
	since time.Time
	after []byte // the key before all others; nil: any
	most  int
	keys  [][]byte // of the first posts that were met, in order
}

// look goes on through the index for a while.
func (g *gathering) look(t *tx) error {
	w, err := g.walk(t)
	if err != nil {
		return err
	}
	began := time.Now()
	for at, err := range w.all() {
		if err != nil {
			return err
		}
		g.last = &at
		if err := g.meet(t, at.seq); err != nil {
			return err
		}
		if time.Since(began) > selectTime {
			return nil
		}
	}
	g.done = true
	return nil
}

// meet takes in the post of a revision, if it is one of the first and the
// revision its newest.
func (g *gathering) meet(t *tx, seq uint64) error {
	r, err := t.record(seq)
	if err != nil {
		return err
	}
	if g.after != nil && bytes.Compare(r.ID, g.after) <= 0 {
		return nil
	}
	place, met := slices.BinarySearchFunc(g.keys, r.ID, bytes.Compare)
	if met || place >= g.most {
		return nil
	}
	rev := r.revision(seq)
	if rev.Place().Before(g.since) {
		return nil // of the same second
	}
	h, err := t.head(idOf(r.ID))
	if err != nil || len(h) == 0 || h[len(h)-1].seq != seq {
		return err
	}
	g.keys = slices.Insert(g.keys, place, r.ID)
	g.keys = g.keys[:min(len(g.keys), g.most)]
	return nil
}

// heldPost tells of a post what it takes to look at it again.
func (t *tx) heldPost(key []byte) (news.Held, error) {
	h, err := t.head(idOf(key))
	if err != nil {
		return news.Held{}, err
	}
	var held news.Held
	var mirrors []string
	for i, known := range slices.Backward(h) {
		r, err := t.record(known.seq)
		if err != nil {
			return held, err
		}
		if i == len(h)-1 {
			p := r.post()
			held.Wanted = news.Wanted{
				ID: p.ID, InfoCode: p.InfoCode, Category: p.Category, Mirror: r.Mirror, TitleSum: news.TitleSum(p.Title),
			}
		}
		if slices.Contains(mirrors, r.Mirror) || r.isFile() {
			continue
		}
		mirrors = append(mirrors, r.Mirror)
		c, err := t.capture(known.seq)
		if errors.Is(err, ErrLost) {
			continue
		}
		if err != nil {
			return held, err
		}
		held.Copies = append(held.Copies, news.Copy{
			Mirror: c.Mirror, URL: c.URL, Kind: c.Kind, ETag: c.Header.Get("ETag"), LastModified: c.Header.Get("Last-Modified"),
		})
		if c.Kind == news.KindPost && !slices.Contains(held.Pages, c.URL) {
			held.Pages = append(held.Pages, c.URL)
		}
	}
	return held, nil
}
