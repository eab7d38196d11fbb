package storetest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// selected returns the revisions that a selection means, in its order.
func (s *state) selected(q *archive.Selection) []news.Revision {
	var found []news.Revision
	for _, list := range s.posts {
		if list = cameIn(list, q); list == nil {
			continue
		}
		if rev, ok := counting(list, q); ok && matches(&rev, q) {
			found = append(found, rev)
		}
	}
	slices.SortFunc(found, func(a, b news.Revision) int {
		return cmp.Or(a.Place().Compare(b.Place()), cmp.Compare(a.Seq, b.Seq))
	})
	if !q.Oldest {
		slices.Reverse(found)
	}
	if q.Limit > 0 && len(found) > q.Limit {
		found = found[:q.Limit]
	}
	var whole []news.Revision
	for _, rev := range found {
		whole = append(whole, s.taken(&rev, q)...)
	}
	return whole
}

// taken returns what is taken of a post whose revision is the one that counts.
func (s *state) taken(rev *news.Revision, q *archive.Selection) []news.Revision {
	list := cameIn(s.posts[rev.ID], q)
	var revs []news.Revision
	for i := range list[:rev.Number] {
		if i == rev.Number-1 || q.All {
			revs = append(revs, s.readSelected(list, i, q))
		}
	}
	return slices.DeleteFunc(revs, func(rev news.Revision) bool { return q.All && rev.Seq <= q.After })
}

// readSelected is read as a selection reads.
func (s *state) readSelected(list []news.Revision, i int, q *archive.Selection) news.Revision {
	rev := read(list, i, q.Body)
	if !q.AsOf.IsZero() && rev.LastSeen.After(q.AsOf) {
		rev.LastSeen = rev.Fetched
	}
	if !q.Captures {
		return rev
	}
	rev.Capture = keptCapture(&s.captures[rev.Seq-1])
	if last := list[i].Revisit; last != nil && (q.AsOf.IsZero() || !last.Time.After(q.AsOf)) {
		rev.Revisit = last
	}
	return rev
}

// cameIn returns the revisions of a post that came in as early as the selection
// wants, and none of one of which none came in late enough.
func cameIn(list []news.Revision, q *archive.Selection) []news.Revision {
	var known []news.Revision
	late := false
	for _, rev := range list {
		if q.UpTo == 0 || rev.Seq <= q.UpTo {
			known = append(known, rev)
			late = late || rev.Seq > q.After
		}
	}
	if !late {
		return nil
	}
	return known
}

// counting returns the revision of a post that counts: the newest that is known,
// or the first.
func counting(list []news.Revision, q *archive.Selection) (news.Revision, bool) {
	if q.First {
		list = list[:1]
	}
	for i := len(list) - 1; i >= 0; i-- {
		if !q.AsOf.IsZero() && list[i].Fetched.After(q.AsOf) {
			continue
		}
		return read(list, i, false), true
	}
	return news.Revision{}, false
}

// matches reports whether a revision has what the selection asks for.
func matches(rev *news.Revision, q *archive.Selection) bool {
	day := rev.PlaceDay()
	return (q.From == 0 || day >= q.From) &&
		(q.To == 0 || day != 0 && day <= q.To) &&
		named(q.Category, rev.Category, rev.Categories()) &&
		named(q.Tag, rev.Tag, rev.Tags()) &&
		named(q.Mirror, rev.Mirror, nil) &&
		mentions(rev, q.Security)
}

// named reports whether a name is the one asked for, whole or in one of its
// parts, in whatever case.
func named(want, whole string, parts []string) bool {
	if want == "" {
		return true
	}
	return slices.ContainsFunc(append(parts, whole), func(have string) bool { return alike(have, want) })
}

// alike reports whether two names differ in case alone.
func alike(a, b string) bool {
	lower := strings.ToLower(a)
	return lower == strings.ToLower(b)
}

// mentions reports whether a post mentions a security, named by market and
// code or by the code alone.
func mentions(rev *news.Revision, want string) bool {
	if want == "" {
		return true
	}
	sec, err := news.ParseSecurity(want)
	return slices.ContainsFunc(slices.Concat(rev.Securities, rev.Boards), func(m news.Mention) bool {
		if err != nil {
			return alike(m.Code, want)
		}
		return m.Market == sec.Market && alike(m.Code, sec.Code)
	})
}
