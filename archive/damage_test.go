package archive_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// seqKey is the key of a revision.
func seqKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, seq)[3:]
}

// Each kind of damage is found, told as what it is, and repaired; what is lost
// by it is not more than it must be.
func TestKindsOfDamage(t *testing.T) {
	const n = 200
	bucket := func(name string, fn func(b *bolt.Bucket) error) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error { return fn(tx.Bucket([]byte(name))) }
	}
	first := func(b *bolt.Bucket) ([]byte, []byte) {
		k, v := b.Cursor().First()
		return bytes.Clone(k), bytes.Clone(v)
	}
	spoil := func(b *bolt.Bucket) error {
		k, v := first(b)
		v[len(v)/2] ^= 0x55
		return b.Put(k, v)
	}
	remove := func(b *bolt.Bucket) error {
		k, _ := first(b)
		return b.Delete(k)
	}
	for _, c := range []struct {
		name string
		edit func(*bolt.Tx) error
		what string // the kind of finding
		done string // what repair says
		lost int    // articles
		gone int    // posts
	}{
		{"a block of captures", bucket("captures", spoil), archive.FoundBlock, "captures 1 to 32 cannot be read", 32, 0},
		{"a block of captures that is missing", bucket("captures", remove), archive.FoundBlock, "captures 1 to 32", 32, 0},
		{"a block of records", bucket("revisions", spoil), archive.FoundBlock, "made 64 records again from their pages, 0 of them", 0, 0},
		{"both", func(tx *bolt.Tx) error {
			return errors.Join(spoil(tx.Bucket([]byte("captures"))), spoil(tx.Bucket([]byte("revisions"))))
		}, archive.FoundBlock, "lost 32 revisions", 32, 32 - 5}, // of five there is a later revision
		{"a block under another number", bucket("captures", func(b *bolt.Bucket) error {
			k, v := first(b)
			return errors.Join(b.Delete(k), b.Put(seqKey(5), v))
		}), archive.FoundBlock, "moved the block of captures at 5 to 1", 0, 0},
		{"two blocks in each other's place", bucket("captures", func(b *bolt.Bucket) error {
			one, two := bytes.Clone(b.Get(seqKey(1))), bytes.Clone(b.Get(seqKey(33)))
			return errors.Join(b.Put(seqKey(1), two), b.Put(seqKey(33), one))
		}), archive.FoundCapture, "records again from their pages", 0, 0},
		{"the sequence of revisions", bucket("revisions", func(b *bolt.Bucket) error { return b.SetSequence(b.Sequence() + 7) }), archive.FoundCounter, "the last revision is", 0, 0},
		{"the sequence of terms", bucket("terms", func(b *bolt.Bucket) error { return b.SetSequence(b.Sequence() + 7) }), archive.FoundCounter, "the last number of a term is", 0, 0},
		{"the sequence of runs", bucket("runs", func(b *bolt.Bucket) error { return b.SetSequence(b.Sequence() + 7) }), archive.FoundCounter, "the next run is 2", 0, 0},
		{"a post's entry", bucket("posts", spoil), archive.FoundValue, "made the entries of 1 posts again", 0, 0},
		{"a post's entry that is missing", bucket("posts", remove), archive.FoundPost, "made the entries of 1 posts again", 0, 0},
		{"a page that posts were found on", bucket("terms", spoil), archive.FoundValue, "set aside 1 categories, tags, securities or pages", 0, 0},
		{"one that is missing", bucket("terms", remove), archive.FoundTerm, "made the entries of 1 pages that posts were found on again", 0, 0},
		{"a term", bucket("terms", func(b *bolt.Bucket) error {
			k, _ := b.Cursor().Seek([]byte("c"))
			return b.Put(bytes.Clone(k), []byte("no number"))
		}), archive.FoundValue, "made the indexes again", 0, 0},
		{"a term that is missing", bucket("terms", func(b *bolt.Bucket) error {
			k, _ := b.Cursor().Seek([]byte("c"))
			return b.Delete(bytes.Clone(k))
		}), archive.FoundTerm, "made the indexes again", 0, 0},
		{"an answer", bucket("revisits", spoil), archive.FoundValue, "set aside 1 answers", 0, 0},
		{"an answer of another revision", bucket("revisits", func(b *bolt.Bucket) error {
			k, v := first(b)
			return errors.Join(b.Delete(k), b.Put(seqKey(uint64(k[4])+1), v))
		}), archive.FoundValue, "set aside 1 answers", 0, 0},
		{"an answer of no revision", bucket("revisits", func(b *bolt.Bucket) error {
			_, v := first(b)
			return b.Put(seqKey(9999), v)
		}), archive.FoundValue, "set aside 1 answers", 0, 0},
		{"entries of no revision", bucket("revisions", func(b *bolt.Bucket) error {
			k, _ := b.Cursor().Last()
			return errors.Join(b.Delete(bytes.Clone(k)), b.Tx().Bucket([]byte("captures")).Delete(seqKey(225)), b.SetSequence(192))
		}), archive.FoundIndex, "made the indexes again", 37, 8},
		{"the entries of an hour", bucket("times", spoil), archive.FoundIndex, "made the indexes again", 0, 0},
		{"the entries of an hour that are missing", bucket("times", remove), archive.FoundIndex, "made the indexes again", 0, 0},
		{"the entries of a term", bucket("recent", spoil), archive.FoundIndex, "made the indexes again", 0, 0},
		{"the entries of a term that are missing", bucket("recent", remove), archive.FoundIndex, "made the indexes again", 0, 0},
		{"the entries of a term that stand twice", bucket("recent", func(b *bolt.Bucket) error {
			k, v := first(b)
			return b.Tx().Bucket([]byte("postings")).Put(slices.Concat(k[4:], k[:4]), v)
		}), archive.FoundIndex, "removed 1 that could not be read", 0, 0},
		{"entries under no key of an index", bucket("recent", func(b *bolt.Bucket) error {
			k, v := first(b)
			return b.Put(k[:5], v)
		}), archive.FoundIndex, "removed 1 that could not be read", 0, 0},
		{"the dictionary", bucket("dictionaries", spoil), archive.FoundValue, "took 1 broken dictionaries from their copies", 0, 0},
		{"the dictionary's copy", bucket("finarc", func(b *bolt.Bucket) error {
			k, v := b.Cursor().Seek([]byte("dictionary"))
			k, v = bytes.Clone(k), bytes.Clone(v)
			v[len(v)/2] ^= 0x55
			return b.Put(k, v)
		}), archive.FoundValue, "set 1 broken values aside", 0, 0},
		{"the counters", bucket("finarc", func(b *bolt.Bucket) error { return b.Put([]byte("counters"), []byte("x")) }), archive.FoundCounter, "counted again: 200 posts, 229 revisions", 0, 0},
		{"the identity", bucket("finarc", func(b *bolt.Bucket) error { return b.Put([]byte("identity"), []byte("x")) }), archive.FoundValue, "a new identity", 0, 0},
		{"an alias", bucket("aliases", spoil), archive.FoundValue, "set aside 1 aliases", 0, 0},
		{"an entry of the frontier", bucket("frontier", spoil), archive.FoundValue, "set aside 1 entries of frontier", 0, 0},
		{"a failure", bucket("failed", spoil), archive.FoundValue, "set aside 1 entries of failed", 0, 0},
		{"a page that was kept apart", bucket("unread", spoil), archive.FoundCapture, "pages that were kept apart", 0, 0},
		{"a list page", bucket("lists", spoil), archive.FoundValue, "list pages", 0, 0},
		{"a report", bucket("runs", spoil), archive.FoundValue, "reports of runs", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := everything(t, n)
			before, err := told(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			edit(t, a.Path(), c.edit)
			if a, err = archive.Open(t.Context(), a.Path()); err != nil && !strings.Contains(c.name, "identity") {
				t.Fatal(err)
			} else if err != nil {
				return // TestIdentity
			}
			r := verified(t, a)
			if r.Counts[c.what] == 0 {
				t.Errorf("no finding of kind %s: %+v", c.what, r.Findings)
			}
			r, err = a.Repair(t.Context(), readAgain, nil)
			if err != nil || !r.Clean() {
				t.Fatalf("%v: %+v, %q", err, r.Findings, r.Repaired)
			}
			if !slices.ContainsFunc(r.Repaired, func(line string) bool { return strings.Contains(line, c.done) }) {
				t.Errorf("repair does not say %q: %q", c.done, r.Repaired)
			}
			after, err := told(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			if len(after) != len(before)-c.gone {
				t.Errorf("%d posts, want %d", len(after), len(before)-c.gone)
			}
			changed := 0
			for id := range before {
				if after[id] != before[id] {
					changed++
				}
			}
			if changed > c.lost {
				t.Errorf("%d posts are not as they were, want at most %d: %q", changed, c.lost, r.Repaired)
			}
			commit(t, a, news.Batch{Posts: []news.Captured{post(n + 1)}, Found: []news.Wanted{{ID: post(n + 2).Post.ID, Mirror: "m"}}})
			clean(t, a)
		})
	}
}

// An archive without a valid identity is not opened, but verified and repaired.
func TestIdentityIsLost(t *testing.T) {
	a := everything(t, 10)
	edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("finarc")).Delete([]byte("identity")) })
	if _, err := archive.Open(t.Context(), a.Path()); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("open: %v", err)
	}
	r, err := archive.Repair(t.Context(), a.Path(), nil, nil)
	if err != nil || !r.Clean() || r.Posts != 10 {
		t.Errorf("%v: %+v", err, r)
	}
}

// A page that was lost comes back when it is fetched again.
func TestLostPageComesBack(t *testing.T) {
	a := everything(t, 40)
	edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("captures")).Delete(seqKey(1)) })
	if r, err := a.Repair(t.Context(), nil, nil); err != nil || !r.Clean() || r.Lost != 32 {
		t.Fatalf("%v: %+v", err, r)
	}
	p := post(1)
	rev, err := a.Post(t.Context(), p.Post.ID)
	if err != nil || rev.Title != p.Post.Title || rev.Body != "" || rev.SHA256 != "" {
		t.Errorf("%+v, %v", rev, err)
	}
	if _, err := a.Capture(t.Context(), rev.Seq); !errors.Is(err, archive.ErrLost) {
		t.Errorf("capture: %v", err)
	}
	w, err := a.Wanted(t.Context(), "", 100)
	at := slices.IndexFunc(w, func(w news.Wanted) bool { return w.ID == p.Post.ID })
	if err != nil || at < 0 || !slices.Equal(w[at].Pages, []string{p.Capture.URL}) {
		t.Errorf("wanted: %+v, %v", w, err)
	}
	if done := commit(t, a, news.Batch{Found: w[at : at+1], Tried: w[at : at+1]}); done.Found[0] != news.StandingPending {
		t.Errorf("a link to it is %s", done.Found[0])
	}
	clean(t, a)
	p.Capture.Fetched = p.Capture.Fetched.AddDate(0, 0, 1)
	if done := commit(t, a, news.Batch{Posts: []news.Captured{p}}); done.Posts[0] != news.ChangeRevised {
		t.Errorf("the page is taken as %s", done.Posts[0])
	}
	if rev, err := a.Post(t.Context(), p.Post.ID); err != nil || rev.Body != p.Post.Body {
		t.Errorf("%+v, %v", rev, err)
	}
	clean(t, a)
	again, err := a.Wanted(t.Context(), "", 100)
	if err != nil || len(again) != len(w)-1 {
		t.Errorf("%d posts are wanted, want %d, %v", len(again), len(w)-1, err)
	}
	// A page that is not to be had is asked for no more.
	gone := again[slices.IndexFunc(again, func(w news.Wanted) bool { return w.ID == post(2).Post.ID })]
	gone.Error = "gone"
	commit(t, a, news.Batch{Failed: []news.Wanted{gone}})
	if done := commit(t, a, news.Batch{Found: []news.Wanted{gone}}); done.Found[0] != news.StandingArchived {
		t.Errorf("a link to it is %s", done.Found[0])
	}
	clean(t, a)
}

// Where posts are lost the lists that linked them are read again.
func TestListsAreReadAgain(t *testing.T) {
	a := everything(t, 40)
	validators := func(of *archive.Archive) (n int) {
		lists, err := of.Lists(t.Context(), "m")
		if err != nil || len(lists) != 5 {
			t.Fatalf("%d lists, %v", len(lists), err)
		}
		for _, l := range lists {
			if l.ETag != "" {
				n++
			}
		}
		return n
	}
	edit(t, a.Path(), func(tx *bolt.Tx) error { // the page that the wanted posts were found on
		k, _ := tx.Bucket([]byte("terms")).Cursor().Seek([]byte{0})
		return tx.Bucket([]byte("terms")).Delete(bytes.Clone(k))
	})
	to := a.Path() + ".new"
	r, err := archive.Salvage(t.Context(), a.Path(), to, nil)
	if err != nil || r.Kept["frontier"] != 40 || r.Dropped["frontier"] != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	b, err := archive.Open(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	clean(t, b)
	if n := validators(b); n != 0 {
		t.Errorf("%d lists of the salvaged archive have validators", n)
	}
	if n := validators(a); n != 5 {
		t.Fatalf("%d lists have validators", n)
	}
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		k, v := tx.Bucket([]byte("frontier")).Cursor().First()
		v = bytes.Clone(v)
		v[0] ^= 1
		return tx.Bucket([]byte("frontier")).Put(bytes.Clone(k), v)
	})
	if r, err := a.Repair(t.Context(), nil, nil); err != nil || !r.Clean() {
		t.Fatalf("%v: %+v", err, r)
	}
	if n := validators(a); n != 0 {
		t.Errorf("%d lists of the repaired archive have validators", n)
	}
}

// Pages that lead in a circle are damage, and not the end of the process.
func TestPagesInACircle(t *testing.T) {
	a := everything(t, 400)
	data, err := os.ReadFile(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	var circles [2]int
	for at := 2 * 4096; at < len(data); at += 4096 {
		if binary.LittleEndian.Uint16(data[at+8:]) != 1 { // a branch
			continue
		}
		for first := range 2 { // with 1 the first page below is a leaf still
			path := damaged(t, data, func(b []byte) []byte {
				for i := first; i < int(binary.LittleEndian.Uint16(b[at+10:])); i++ {
					copy(b[at+16+16*i+8:], b[at:at+8])
				}
				return b
			})
			b, err := archive.Open(t.Context(), path)
			if err == nil {
				_, err = told(t.Context(), b)
			}
			if err != nil && !errors.Is(err, archive.ErrCorrupt) {
				t.Errorf("page %d: %v", at/4096, err)
			}
			if err != nil {
				circles[first]++
				if r, err := archive.Verify(t.Context(), path, nil); err != nil || r.Counts[archive.FoundPage] == 0 {
					t.Errorf("page %d: %+v, %v", at/4096, r, err)
				}
			}
		}
	}
	if circles[0] == 0 || circles[1] == 0 {
		t.Error("no page could be made to lead in a circle")
	}
}

// A dictionary whose copy is missing is found, and gets one.
func TestDictionaryWithoutCopy(t *testing.T) {
	a := everything(t, 200)
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("finarc"))
		k, _ := b.Cursor().Seek([]byte("dictionary"))
		return b.Delete(bytes.Clone(k))
	})
	if r := verified(t, a); r.Counts[archive.FoundDictionary] != 1 || r.Damaged() != 1 {
		t.Errorf("%+v", r)
	}
	if r, err := a.Repair(t.Context(), nil, nil); err != nil || !r.Clean() || len(r.Repaired) != 1 {
		t.Errorf("%v: %+v", err, r)
	}
}

// The number of a dictionary that is lost is not given again.
func TestNumberOfALostDictionary(t *testing.T) {
	const lost = 40_000
	for name, frame := range map[string][]byte{
		"dictionaries\x00" + "\x00\x00\x9c\x40": []byte("what is left of it"),
		"finarc\x00dictionary\x00\x00\x9c\x40+": []byte("its copy"),
		"captures\x00\x00\x00\x00\x00\x01":      {0x28, 0xb5, 0x2f, 0xfd, 0x22, 0x40, 0x9c, 0, 0x01, 0, 0}, // a frame that names it
	} {
		a := open(t)
		edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("broken")).Put([]byte(name), frame) })
		commit(t, a, news.Batch{Posts: posts(200)})
		commit(t, a, news.Batch{Posts: posts(210)[200:]})
		edit(t, a.Path(), func(tx *bolt.Tx) error {
			if k, _ := tx.Bucket([]byte("dictionaries")).Cursor().Last(); len(k) != 4 || binary.BigEndian.Uint32(k) != lost+1 {
				t.Errorf("%q: the next dictionary is %x", name, k)
			}
			return nil
		})
	}
}

// Where a dictionary is lost with its copy, repair leaves the file to salvage.
func TestDictionaryIsLostWithItsCopy(t *testing.T) {
	a := everything(t, 200)
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		for _, name := range []string{"dictionaries", "finarc"} {
			k, v := tx.Bucket([]byte(name)).Cursor().First()
			if name == "finarc" {
				k, v = tx.Bucket([]byte(name)).Cursor().Seek([]byte("dictionary"))
			}
			k, v = bytes.Clone(k), bytes.Clone(v)
			v[len(v)/2] ^= 0x55
			if err := tx.Bucket([]byte(name)).Put(k, v); err != nil {
				return err
			}
		}
		return nil
	})
	if _, err := archive.Repair(t.Context(), a.Path(), readAgain, nil); !errors.Is(err, archive.ErrSalvage) {
		t.Errorf("repair: %v", err)
	}
	r, err := archive.Salvage(t.Context(), a.Path(), a.Path()+".new", readAgain)
	if err != nil || r.Posts < 100 {
		t.Errorf("salvage: %v, %+v", err, r)
	}
	b, err := archive.Open(t.Context(), a.Path()+".new")
	if err != nil {
		t.Fatal(err)
	}
	clean(t, b)
}
