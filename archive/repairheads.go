package archive

import (
	"bytes"
	"cmp"
	"context"
	"slices"
)

// heads makes the entries of posts again that are not as the records tell.
func (r *repair) heads(ctx context.Context) error {
	list, last, err := r.owners(ctx)
	if err != nil {
		return err
	}
	wrong, err := r.wrongHeads(ctx, list, last)
	if err != nil {
		return err
	}
	made, gone, broken := 0, 0, 0
	err = portions(ctx, r.a, wrong, func(t *tx, h *headOf) error {
		was := r.aside
		put, err := r.putHead(t, h, last)
		switch {
		case put:
			made++
			broken += r.aside - was
		case r.aside > was:
			gone++
		}
		return err
	})
	for _, what := range []struct {
		n    int
		told string
	}{
		{broken, "set aside %d entries of posts: when they were last seen is lost"},
		{made, "made the entries of %d posts again"},
		{gone, "set aside the entries of %d posts of which no revision is left"},
	} {
		if what.n > 0 {
			r.tell(what.told, what.n)
		}
	}
	return err
}

// owners returns all revisions up to the last one, by post, in the order in
// which they were captured.
func (r *repair) owners(ctx context.Context) (list []owned, last uint64, err error) {
	err = r.a.view(ctx, func(t *tx) error {
		last = t.Bucket(bucketRevisions).Sequence()
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	err = r.each(ctx, bucketRevisions, func(t *tx, k, stored []byte) error {
		return t.recordsOf(k, stored, func(seq uint64, rec *record) error {
			if seq <= last {
				list = append(list, newOwned(seq, rec))
			}
			return nil
		})
	})
	slices.SortFunc(list, owned.compare)
	return list, last, err
}

// headOf is what should be a post's entry: its revisions up to the last one.
type headOf struct {
	key  []byte
	revs []owned // in order; none: there should be no such post
}

// wrongHeads returns what should be the entries that are otherwise.
func (r *repair) wrongHeads(ctx context.Context, list []owned, last uint64) ([]*headOf, error) {
	var wrong []*headOf
	missing := func(before []byte) {
		for len(list) > 0 && (before == nil || bytes.Compare(list[0].key(), before) < 0) {
			h := firstPost(list)
			wrong, list = append(wrong, h), list[len(h.revs):]
		}
	}
	err := r.each(ctx, bucketPosts, func(t *tx, k, stored []byte) error {
		missing(k)
		h := &headOf{key: bytes.Clone(k)}
		if len(list) > 0 && bytes.Equal(list[0].key(), k) {
			h = firstPost(list)
			list = list[len(h.revs):]
		}
		if !h.is(stored, last, t.Bucket(bucketRevisions).Sequence()) {
			wrong = append(wrong, h)
		}
		return nil
	})
	missing(nil)
	return wrong, err
}

// firstPost returns the revisions of the first post of a list.
func firstPost(list []owned) *headOf {
	n := 1
	for n < len(list) && bytes.Equal(list[n].key(), list[0].key()) {
		n++
	}
	return &headOf{key: list[0].key(), revs: list[:n]}
}

// is reports whether a stored entry names the revisions, in their order, and
// otherwise only newer ones, given the last one by now.
func (h *headOf) is(stored []byte, last, sequence uint64) bool {
	plain, err := unseal(bucketPosts, h.key, stored)
	if err != nil {
		return false
	}
	now, err := decodeHead(plain)
	if err != nil || len(now) == 0 {
		return false
	}
	now = slices.DeleteFunc(now, func(rev headRevision) bool { return last < rev.seq && rev.seq <= sequence })
	return slices.EqualFunc(now, h.revs, func(a headRevision, b owned) bool { return a.seq == b.seq })
}

// putHead writes the entry of a post as it should be, or sets aside one of which
// no revision is left. It reports whether it wrote one.
func (r *repair) putHead(t *tx, h *headOf, last uint64) (put bool, err error) {
	stored := t.Bucket(bucketPosts).Get(h.key)
	var now head
	if plain, err := unseal(bucketPosts, h.key, stored); err == nil {
		now, _ = decodeHead(plain) // as far as it makes sense
	} else if stored != nil {
		if err := r.setAside(t, bucketPosts, h.key); err != nil {
			return false, err
		}
		stored = nil
	}
	revs := slices.Clone(h.revs)
	for _, rev := range now { // those that came since
		if rec, err := t.record(rev.seq); rev.seq > last && err == nil && bytes.Equal(rec.ID, h.key) {
			revs = append(revs, newOwned(rev.seq, rec))
		}
	}
	slices.SortFunc(revs, owned.compare)
	if len(revs) == 0 {
		if stored != nil {
			err = r.setAside(t, bucketPosts, h.key)
		}
		return false, cmp.Or(err, r.listsAgain(t))
	}
	is := make(head, len(revs))
	for i := range revs {
		is[i].seq = revs[i].seq
		if at := now.place(revs[i].seq); at >= 0 {
			is[i].lasted = now[at].lasted
		}
	}
	return true, t.put(bucketPosts, h.key, is.encode())
}
