package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
	"golang.org/x/sync/errgroup"
)

// From a file that is whole everything is saved.
func TestSalvageOfAWholeArchive(t *testing.T) {
	a := everything(t, 400)
	want, err := told(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "new.db")
	r, err := archive.Salvage(t.Context(), a.Path(), to, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Posts != 400 || r.Revisions != 400+58 || r.NoPage+r.Remade+r.Missing != 0 || r.Damaged != 0 || !r.Complete {
		t.Errorf("%+v", r)
	}
	for bucket, n := range map[string]int{"frontier": 40, "leads": 10, "failed": 10, "unread": 10, "lists": 5, "hosts": 3, "runs": 1, "aliases": 1, "revisits": 172} {
		if r.Kept[bucket] != n {
			t.Errorf("%s: %d kept, want %d", bucket, r.Kept[bucket], n)
		}
	}
	b, err := archive.Open(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	clean(t, b)
	got, err := told(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for id, post := range want {
		if got[id] != post {
			t.Errorf("%s:\n%s\nwant\n%s", id, got[id], post)
		}
	}
	if diff := storetest.Diff(revisits(t, a), revisits(t, b)); diff != "" {
		t.Errorf("answers (-in the old +in the new):\n%s", diff)
	}
	for id := range want {
		old, err := a.Revisions(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		now, err := b.Revisions(t.Context(), id)
		if err != nil || len(now) != len(old) {
			t.Fatalf("%s: %d revisions, want %d, %v", id, len(now), len(old), err)
		}
		for i := range now {
			if !now[i].Fetched.Equal(old[i].Fetched) || !now[i].LastSeen.Equal(old[i].LastSeen) || !now[i].FirstSeen.Equal(old[i].FirstSeen) || now[i].Mode != old[i].Mode || now[i].Mirror != old[i].Mirror {
				t.Fatalf("%s: %+v, want %+v", id, now[i], old[i])
			}
		}
	}
	if _, err := archive.Salvage(t.Context(), a.Path(), to, nil); err == nil {
		t.Error("a file that is there is written over")
	}
	left, err := os.ReadDir(filepath.Dir(to))
	if err != nil || len(left) != 1 {
		t.Errorf("there is more than the new archive: %v, %v", left, err)
	}
}

// revisits returns the last answers by which pages were found to be as they were, by
// post and number of the revision.
func revisits(t testing.TB, a *archive.Archive) map[string]news.Revisit {
	t.Helper()
	all := make(map[string]news.Revisit)
	for rev := range each(t, a.Select(t.Context(), archive.Selection{All: true, Captures: true})) {
		if rev.Revisit != nil {
			all[fmt.Sprint(rev.ID, " ", rev.Number)] = *rev.Revisit
		}
	}
	return all
}

// Answers are found too where nothing tells which bucket they are of.
func TestSalvageOfAnswersWithoutBuckets(t *testing.T) {
	a := everything(t, 100)
	data, err := os.ReadFile(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	path := damaged(t, data, func(b []byte) []byte {
		clear(b[:8<<10]) // both meta pages, which lead to all others
		return b
	})
	to := filepath.Join(t.TempDir(), "new.db")
	if _, err := archive.Salvage(t.Context(), path, to, nil); err != nil {
		t.Fatal(err)
	}
	if diff := storetest.Diff(revisits(t, a), revisits(t, opened(t, to))); diff != "" {
		t.Errorf("(-in the old +in the new):\n%s", diff)
	}
}

// What a salvage left that was killed is removed by the next one.
func TestSalvageRemovesLeftovers(t *testing.T) {
	a := everything(t, 10)
	dir := t.TempDir()
	left := filepath.Join(dir, ".finarc-salvaged-1")
	if err := os.WriteFile(left, []byte("left"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Salvage(t.Context(), a.Path(), filepath.Join(dir, "new.db"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", left, err)
	}
}

// Salvages into one folder do not take each other's files for leftovers.
func TestSalvagesAtOnce(t *testing.T) {
	a := everything(t, 40)
	dir := t.TempDir()
	var all errgroup.Group
	for i := range 12 {
		all.Go(func() error {
			_, err := archive.Salvage(t.Context(), a.Path(), filepath.Join(dir, fmt.Sprintf("%d.db", i)), nil)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 12 {
		t.Errorf("there is something else than the new archives: %v, %v", left, err)
	}
}

// From a file that is damaged in any way every post is saved whose own pages
// were not hit.
func TestSalvageOfDamagedFiles(t *testing.T) {
	const n = 400
	a := everything(t, n)
	data, err := os.ReadFile(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	want, err := told(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	places, err := archive.Places(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	saved, hitAll := 0, 0
	for i := range flips(t) / 5 {
		from := rng.IntN(len(data))
		to := from + 1
		path := damaged(t, data, func(b []byte) []byte {
			switch i % 4 {
			case 0: // a byte
				b[from] ^= byte(1 + rng.IntN(255))
			case 1: // a stretch of zeros
				to = min(len(b), from+1+rng.IntN(40_000))
				clear(b[from:to])
			case 2: // the end
				to = len(b)
				return b[:max(from, 1)]
			case 3: // the beginning, and a byte
				b[from] ^= byte(1 + rng.IntN(255))
				clear(b[:8192])
			}
			return b
		})
		whole := func(p archive.Placed) bool { return p.To <= int64(from) || p.From >= int64(to) }
		dictionary := false
		blocks := make(map[uint64]bool)
		for _, p := range places {
			switch {
			case p.Bucket == "captures":
				blocks[p.First] = whole(p)
			case p.Bucket == "dictionaries" || p.Bucket == "finarc":
				dictionary = dictionary || whole(p)
			}
		}
		if !dictionary {
			hitAll++
			continue
		}
		dir := t.TempDir()
		r, err := archive.Salvage(t.Context(), path, filepath.Join(dir, "new.db"), readAgain)
		if err != nil {
			t.Errorf("%d, bytes %d to %d: %v", i%4, from, to, err)
			continue
		}
		if after, _ := os.ReadFile(path); i%4 != 2 && len(after) != len(data) {
			t.Error("the damaged file was changed")
		}
		b, err := archive.Open(t.Context(), filepath.Join(dir, "new.db"))
		if err != nil {
			t.Fatal(err)
		}
		clean(t, b)
		got, err := told(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		for seq := uint64(1); seq <= n; seq++ { // the posts come in order
			first := seq
			for {
				if _, ok := blocks[first]; ok {
					break
				}
				first--
			}
			if id := post(int(seq - 1)).Post.ID; blocks[first] && got[id] == "" {
				t.Errorf("%d, bytes %d to %d: post %s is lost, though nothing of it was hit: %+v", i%4, from, to, id, r)
				break
			}
		}
		if len(got) < len(want) && r.Complete && r.Missing+r.NoPage == 0 {
			t.Errorf("%d, bytes %d to %d: %d posts of %d are saved, and nothing is said to be lost: %+v", i%4, from, to, len(got), len(want), r)
		}
		saved++
		for id, p := range got {
			if want[id] == "" {
				t.Errorf("%d, bytes %d to %d: post %s comes from nowhere: %s", i%4, from, to, id, p)
			}
		}
		commit(t, b, news.Batch{Posts: posts(3)})
		clean(t, b)
	}
	t.Logf("%d files salvaged, %d without any dictionary left", saved, hitAll)
}

// Of blocks that are lost at the end no gap tells; the entries of posts do.
func TestSalvageTellsOfALostEnd(t *testing.T) {
	a := everything(t, 400)
	dense := filepath.Join(t.TempDir(), "dense.db") // no page of it has an older one's blocks
	if _, err := a.Backup(t.Context(), dense, false); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(dense)
	if err != nil {
		t.Fatal(err)
	}
	places, err := archive.Places(dense)
	if err != nil {
		t.Fatal(err)
	}
	last := make(map[string]archive.Placed)
	for _, p := range places {
		last[p.Bucket] = p
	}
	path := damaged(t, data, func(b []byte) []byte {
		for _, bucket := range []string{"captures", "revisions"} {
			b[last[bucket].To-20] ^= 0x55
		}
		return b
	})
	r, err := archive.Salvage(t.Context(), path, filepath.Join(t.TempDir(), "new.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Revisions+r.Missing != 458 || r.Missing == 0 {
		t.Errorf("%d revisions and %d missing, of 458: %v", r.Revisions, r.Missing, r.Ranges)
	}
}

// The reader of pages takes anything, and ends.
func FuzzPages(f *testing.F) {
	a := everything(f, 5)
	data, err := os.ReadFile(a.Path())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, uint32(4096*3+16), []byte{1})
	f.Add(data, uint32(0), bytes.Repeat([]byte{0xff}, 100))
	f.Add(data[:5000], uint32(4096), []byte{})
	f.Fuzz(func(t *testing.T, data []byte, at uint32, patch []byte) {
		if int(at) < len(data) {
			data = bytes.Clone(data)
			copy(data[at:], patch)
		}
		archive.CheckPages(data, func(uint64, string) {})
	})
}

// A dictionary that is damaged is not used where its copy is whole, even if it
// is met first.
func TestSalvageWithADamagedDictionary(t *testing.T) {
	a := everything(t, 400)
	data, err := os.ReadFile(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	places, err := archive.Places(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range places {
		if p.Bucket != "dictionaries" && p.Bucket != "finarc" {
			continue
		}
		for at := p.From + 200; at < p.To; at += 701 {
			path := damaged(t, data, func(b []byte) []byte {
				clear(b[:8192])
				b[at] ^= 1
				return b
			})
			r, err := archive.Salvage(t.Context(), path, filepath.Join(t.TempDir(), "new.db"), nil)
			if err != nil || r.Posts != 400 || r.Remade+r.NoPage+r.Missing > 0 {
				t.Fatalf("byte %d of %s: %v, %+v", at, p.Bucket, err, r)
			}
		}
	}
}
