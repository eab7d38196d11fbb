package archive_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// dayPost is a post of a day, counted from that of all samples.
func dayPost(i, day int) news.Captured {
	p := post(i)
	p.Post.Published = p.Post.Published.AddDate(0, 0, day)
	p.Capture.Fetched = p.Post.Published.Add(time.Minute)
	return p
}

// indexLists returns the keys of the lists of terms, each as in postings: those
// that have been put away, and those that have not.
func indexLists(t *testing.T, a *archive.Archive) (away, recent [][]byte) {
	t.Helper()
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		return errors.Join(
			tx.Bucket([]byte("postings")).ForEach(func(k, _ []byte) error {
				away = append(away, bytes.Clone(k))
				return nil
			}),
			tx.Bucket([]byte("recent")).ForEach(func(k, _ []byte) error {
				recent = append(recent, slices.Concat(k[4:], k[:4]))
				return nil
			}))
	})
	return away, recent
}

// days returns the different days of keys of postings.
func days(keys [][]byte) []uint32 {
	var list []uint32
	for _, k := range keys {
		list = append(list, binary.BigEndian.Uint32(k[3:]))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// The lists of a day lie together until it is over, each list is in one place,
// and a selection finds all of them in order, wherever they are.
func TestListsArePutAway(t *testing.T) {
	const perDay = 20
	a := open(t)
	for day := range 12 {
		var b news.Batch
		for i := range perDay {
			b.Posts = append(b.Posts, dayPost(day*perDay+i, day))
		}
		commit(t, a, b)
		clean(t, a)
		away, recent := indexLists(t, a)
		if open := days(recent); len(open) > 3 {
			t.Errorf("day %d: lists of %d days are not put away", day, len(open))
		}
		for _, k := range away {
			if slices.ContainsFunc(recent, func(r []byte) bool { return bytes.Equal(r, k) }) {
				t.Errorf("day %d: list %x is in both places", day, k)
			}
		}
	}
	commit(t, a, news.Batch{Posts: []news.Captured{dayPost(1000, 3), dayPost(1001, 11)}}) // of a day that is over, and of the last
	clean(t, a)
	if away, recent := indexLists(t, a); len(days(recent)) > 2 || len(days(away)) < 10 {
		t.Errorf("days %v are put away, and %v are not", days(away), days(recent))
	}
	all := selected(t, a, archive.Selection{Oldest: true})
	if len(all) != 12*perDay+2 {
		t.Fatalf("%d posts, want %d", len(all), 12*perDay+2)
	}
	category := all[0].Category
	var want []news.ID
	for _, rev := range all {
		if rev.Category == category {
			want = append(want, rev.ID)
		}
	}
	for _, oldest := range []bool{true, false} {
		for limit := range len(want) + 2 {
			var got []news.ID
			for _, rev := range selected(t, a, archive.Selection{Category: category, Oldest: oldest, Limit: limit}) {
				got = append(got, rev.ID)
			}
			some := slices.Clone(want)
			if !oldest {
				slices.Reverse(some)
			}
			if limit > 0 {
				some = some[:min(limit, len(some))]
			}
			if !slices.Equal(got, some) {
				t.Fatalf("oldest %v, limit %d: %v, want %v", oldest, limit, got, some)
			}
		}
	}
	from, to := news.DayOf(dayPost(0, 9).Post.Published), news.DayOf(dayPost(0, 10).Post.Published)
	count := 0
	for _, rev := range all {
		if day := news.DayOf(rev.Published); rev.Category == category && from <= day && day <= to {
			count++
		}
	}
	if got := selected(t, a, archive.Selection{Category: category, From: from, To: to}); len(got) != count || count == 0 {
		t.Errorf("%d posts of two days, want %d", len(got), count)
	}
}

// An archive of before there was the bucket is read as it is, and gets it when it
// is written to.
func TestArchiveWithoutRecent(t *testing.T) {
	a := everything(t, 40)
	before, err := told(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		err := tx.Bucket([]byte("recent")).ForEach(func(k, v []byte) error {
			return tx.Bucket([]byte("postings")).Put(slices.Concat(k[4:], k[:4]), v)
		})
		return errors.Join(err, tx.DeleteBucket([]byte("recent")))
	})
	clean(t, a)
	category := post(1).Post.Category
	if got := selected(t, a, archive.Selection{Category: category}); len(got) == 0 {
		t.Errorf("no post of category %s", category)
	}
	commit(t, a, news.Batch{Posts: []news.Captured{post(500), dayPost(501, 1)}})
	clean(t, a)
	if _, recent := indexLists(t, a); len(days(recent)) != 1 {
		t.Errorf("the lists of %v are in the new bucket", days(recent))
	}
	after, err := told(t.Context(), a)
	if err != nil || len(after) != len(before)+2 {
		t.Errorf("%d posts, want %d, %v", len(after), len(before)+2, err)
	}
}
