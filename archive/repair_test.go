package archive_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// A repair that is interrupted has done nothing.
func TestRepairIsInterrupted(t *testing.T) {
	a := everything(t, 40)
	edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("revisions")).Delete(seqKey(1)) })
	before := verified(t, a)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read := func(c *news.Capture) (*news.Post, error) {
		stop()
		return readAgain(c)
	}
	if _, err := a.Repair(ctx, read, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("repair: %v", err)
	}
	if after := verified(t, a); after.Damaged() != before.Damaged() || after.SetAside != 0 {
		t.Errorf("%+v, want %+v", after, before)
	}
	if r, err := a.Repair(t.Context(), readAgain, nil); err != nil || !r.Clean() {
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
