package archive_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// readAgain reads the captures that post makes.
func readAgain(c *news.Capture) (*news.Post, error) {
	for i := range 1000 {
		if p := post(i); p.Capture.URL == c.URL {
			if strings.Contains(string(c.Body), "更正") {
				p.Post.Title = "更正：" + p.Post.Title
			}
			return &p.Post, nil
		}
	}
	return nil, errors.New("not a post of the test")
}

// watched calls fn whenever it is asked whether it has ended: at least once before
// each look into an archive, and each transaction.
type watched struct {
	context.Context
	fn func() error
}

func (w *watched) Err() error { return cmp.Or(w.fn(), w.Context.Err()) }

// spoilt returns an archive in which something of many kinds is damaged.
func spoilt(t *testing.T, n int) *archive.Archive {
	t.Helper()
	a := everything(t, n)
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		var errs []error
		for name, from := range map[string][]byte{
			"captures": seqKey(33), "revisions": seqKey(1), "posts": nil, "terms": []byte("c"), "times": nil, "frontier": nil, "lists": nil,
		} {
			k, v := tx.Bucket([]byte(name)).Cursor().Seek(from)
			k, v = bytes.Clone(k), bytes.Clone(v)
			v[len(v)/2] ^= 0x55
			errs = append(errs, tx.Bucket([]byte(name)).Put(k, v))
		}
		return errors.Join(append(errs, tx.Bucket([]byte("finarc")).Put([]byte("counters"), []byte("x")))...)
	})
	return a
}

// repaired is what there is after a repair.
type repaired struct {
	posts  map[news.ID]string
	wanted []news.Wanted
	lists  []news.ListPage
	stats  archive.Stats
}

func whatIs(t *testing.T, a *archive.Archive) repaired {
	t.Helper()
	posts, err := told(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := a.Wanted(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	lists, err := a.Lists(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	stats, err := a.Stats(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return repaired{posts, wanted, lists, archive.Stats{Posts: stats.Posts, Revisions: stats.Revisions, RawBytes: stats.RawBytes}}
}

// Wherever a repair ends, the file holds together and has what was set aside, and
// the next repair ends as one that was left alone.
func TestRepairIsInterrupted(t *testing.T) {
	t.Parallel()
	a := spoilt(t, 80)
	data, err := os.ReadFile(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	left := &watched{t.Context(), func() error { asked++; return nil }}
	r, err := a.Repair(left, readAgain, nil)
	if err != nil || !r.Clean() {
		t.Fatalf("%v: %+v", err, r)
	}
	want := whatIs(t, a)
	interrupted := 0
	for stop := 0; stop < asked; stop += 1 + asked/50 {
		path := damaged(t, data, func(b []byte) []byte { return b })
		n := 0
		_, err := archive.Repair(&watched{t.Context(), func() error {
			if n++; n > stop {
				return context.Canceled
			}
			return nil
		}}, path, readAgain, nil)
		if err == nil {
			continue
		}
		interrupted++
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stop %d: %v", stop, err)
		}
		if found, err := archive.BoltFindings(t.Context(), path); err != nil || len(found) > 0 {
			t.Fatalf("stop %d: %+v, %v", stop, found, err)
		}
		between, err := archive.Verify(t.Context(), path, nil)
		if err != nil {
			t.Fatalf("stop %d: %v", stop, err)
		}
		after, err := archive.Repair(t.Context(), path, readAgain, nil)
		if err != nil || !after.Clean() || after.SetAside < max(between.SetAside, r.SetAside) {
			t.Fatalf("stop %d: %v: %d values set aside, want %d, %+v", stop, err, after.SetAside, r.SetAside, after)
		}
		b, err := archive.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if got := whatIs(t, b); !reflect.DeepEqual(got, want) {
			t.Fatalf("stop %d of %d:\n%+v\nwant\n%+v", stop, asked, got, want)
		}
	}
	t.Logf("interrupted %d times", interrupted)
}

// Others write between any two steps of a repair, and nothing of what they
// committed is lost or counted twice.
func TestRepairWhileOthersWrite(t *testing.T) {
	a := spoilt(t, 200)
	impatient, err := archive.Open(t.Context(), a.Path(), archive.Wait(0))
	if err != nil {
		t.Fatal(err)
	}
	tried, next := 0, 5000
	done := make(map[news.ID]bool)
	ctx := &watched{t.Context(), func() error {
		tried++
		found := post(100_000 + tried)
		b := &news.Batch{
			Posts: []news.Captured{post(next), post(tried % 200)}, // a new one, and one that is held
			Found: []news.Wanted{{ID: found.Post.ID, InfoCode: found.Post.InfoCode, Mirror: "m", Found: noon}},
		}
		b.Posts[1].Capture.Fetched = b.Posts[1].Capture.Fetched.AddDate(0, 0, tried)
		if _, err := impatient.Commit(t.Context(), b); err == nil {
			done[post(next).Post.ID] = true
			next++
		} else if !errors.Is(err, archive.ErrBusy) && !errors.Is(err, archive.ErrCorrupt) && !errors.Is(err, archive.ErrLost) {
			t.Error(err)
		}
		return nil
	}}
	r, err := a.Repair(ctx, readAgain, nil)
	if err != nil || !r.Clean() {
		t.Fatalf("%v: %+v, %q", err, r.Findings, r.Repaired)
	}
	clean(t, a)
	if len(done) < 20 {
		t.Errorf("only %d commits of %d were taken", len(done), tried)
	}
	t.Logf("%d commits of %d were taken meanwhile", len(done), tried)
	now, err := told(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	for id := range done {
		if now[id] == "" {
			t.Errorf("post %s was committed and is lost", id)
		}
	}
}

// Two repairs of one archive do not go on at a time.
func TestOneRepairAtATime(t *testing.T) {
	a := everything(t, 40)
	edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("revisions")).Delete(seqKey(1)) })
	met := 0
	read := func(c *news.Capture) (*news.Post, error) {
		if met++; met == 1 {
			if _, err := archive.Repair(t.Context(), a.Path(), nil, nil); !errors.Is(err, archive.ErrBusy) {
				t.Errorf("another repair: %v", err)
			}
		}
		return readAgain(c)
	}
	if r, err := a.Repair(t.Context(), read, nil); err != nil || !r.Clean() || met == 0 {
		t.Errorf("%v: %+v", err, r)
	}
}

// A page that does not tell its infoCode is read as the post it was archived as;
// one that tells another's is not.
func TestRecordsAreMadeAgainUnderTheirIdentity(t *testing.T) {
	a := everything(t, 40)
	edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("revisions")).Delete(seqKey(1)) })
	read := func(c *news.Capture) (*news.Post, error) {
		p, err := readAgain(c)
		switch {
		case err != nil:
			return nil, err
		case p.ID == post(1).Post.ID:
			p.ID, p.InfoCode = "20211222-0123456789abcdef", ""
		case p.ID == post(2).Post.ID:
			p.ID, p.InfoCode = post(3).Post.ID, post(3).Post.InfoCode
		}
		return p, nil
	}
	if r, err := a.Repair(t.Context(), read, nil); err != nil || !r.Clean() {
		t.Fatalf("%v: %+v", err, r)
	}
	for i, want := range map[int]string{1: post(1).Post.Title, 2: ""} {
		if rev, err := a.Post(t.Context(), post(i).Post.ID); err != nil || rev.Title != want {
			t.Errorf("post %d: %q, want %q, %v", i, rev.Title, want, err)
		}
	}
}

// After a repair the archive is whole, and has every post but those whose own
// blocks were hit.
func TestFlippedBytesAreRepaired(t *testing.T) {
	a := everything(t, 400)
	findStories(t, a, archive.FindOptions{})
	data, err := os.ReadFile(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	before, err := told(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	tried, repaired, refused, lost := 0, 0, 0, 0
	path := filepath.Join(t.TempDir(), "flipped.db")
	for range flips(t) / 3 {
		at, x := rng.IntN(len(data)), byte(1+rng.IntN(255))
		data[at] ^= x
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		data[at] ^= x
		r, err := archive.Verify(t.Context(), path, nil)
		if err != nil || r.Clean() {
			continue
		}
		tried++
		after, err := archive.Repair(t.Context(), path, readAgain, nil)
		if errors.Is(err, archive.ErrSalvage) {
			refused++
			continue
		}
		if err != nil || !after.Clean() || len(after.Repaired) == 0 {
			t.Errorf("byte %d (page %d, offset %d) ^ %#x: %v: %+v, %+v, %q", at, at/4096, at%4096, x, err, r.Findings[0], after.Findings, after.Repaired)
			continue
		}
		repaired++
		b, err := archive.Open(t.Context(), path)
		if err != nil {
			t.Error(err)
			continue
		}
		now, err := told(t.Context(), b)
		if err != nil {
			t.Error(err)
			continue
		}
		gone := 0
		for id, post := range before {
			if now[id] != post {
				gone++
			}
		}
		lost += gone
		if block := 64; gone > block {
			t.Errorf("byte %d (page %d, offset %d) ^ %#x: %d posts are not as they were: %q", at, at/4096, at%4096, x, gone, after.Repaired)
		}
		commit(t, b, news.Batch{Posts: []news.Captured{post(5000), post(5)}})
		clean(t, b)
	}
	t.Logf("%d damaged files: %d repaired, %d refused for salvage; %d posts of %d×%d lost", tried, repaired, refused, lost, repaired, len(before))
}

// A copy that is in the making while the last two blocks are replaced by a
// repair learns of both.
func TestRepairWhileCopied(t *testing.T) {
	a := everything(t, 200)
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("captures"))
		var last [][]byte
		for k, _ := b.Cursor().First(); k != nil; k, _ = b.Cursor().Seek(append(bytes.Clone(k), 0)) {
			last = append(last, bytes.Clone(k))
		}
		var err error
		for _, k := range last[len(last)-2:] {
			frame := bytes.Clone(b.Get(k))
			frame[len(frame)/2] ^= 0x55
			err = errors.Join(err, b.Put(k, frame))
		}
		return err
	})
	err := archive.CopyAround(t.Context(), a, filepath.Join(t.TempDir(), "copy.db"), func() error {
		_, err := a.Repair(t.Context(), readAgain, nil)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A repair tells of what it did, and not of what an earlier one lost; and copies
// that are in the making learn that blocks were replaced.
func TestRepairTellsOfItself(t *testing.T) {
	a := everything(t, 200)
	spoil := func(name string) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(name))
			k, v := b.Cursor().First()
			k, v = bytes.Clone(k), bytes.Clone(v)
			v[len(v)/2] ^= 0x55
			return b.Put(k, v)
		}
	}
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		return errors.Join(spoil("captures")(tx), spoil("revisions")(tx))
	})
	r, err := a.Repair(t.Context(), readAgain, nil)
	if err != nil || !r.Clean() {
		t.Fatalf("%+v, %v", r, err)
	}
	told := func(r archive.VerifyReport, what string) bool {
		return slices.ContainsFunc(r.Repaired, func(line string) bool { return strings.Contains(line, what) })
	}
	if !told(r, "lost 32 revisions") || !told(r, "of the front matter is kept") && !told(r, "made 32 records again") {
		t.Errorf("the first: %q", r.Repaired)
	}
	edit(t, a.Path(), spoil("lists"))
	r, err = a.Repair(t.Context(), readAgain, nil)
	if err != nil || !r.Clean() {
		t.Fatalf("%+v, %v", r, err)
	}
	if told(r, "lost") || told(r, "are read again") {
		t.Errorf("the second: %q", r.Repaired)
	}
}
