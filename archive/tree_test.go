package archive_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	bolt "go.etcd.io/bbolt"
)

// forest makes a bbolt file of buckets that are empty, inline, of one page and
// of several levels, with values that take several pages, and returns its path.
func forest(t testing.TB, seed uint64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "forest.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: 4096, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for round := range 3 {
		err = errors.Join(err, db.Update(func(tx *bolt.Tx) error {
			for i, keys := range []int{0, 5, 60, 3000, 300} {
				b, err := tx.CreateBucketIfNotExists(fmt.Append(nil, "bucket", i))
				if err != nil {
					return err
				}
				for range keys {
					key, size := fmt.Append(nil, rng.IntN(10*keys)), rng.IntN(20)
					if i == 4 { // long keys make many branches
						key, size = append(key, make([]byte, 900)...), rng.IntN(6000)
					}
					change := func() error { return b.Put(key, make([]byte, size)) }
					if rng.IntN(3) == 0 && round > 0 {
						change = func() error { return b.Delete(key) }
					}
					if err := change(); err != nil {
						return err
					}
				}
				if err := b.SetSequence(rng.Uint64()); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is read without bbolt is what bbolt reads, wherever a cursor goes.
func TestTreesAreReadAsBboltDoes(t *testing.T) {
	for seed := range uint64(10) {
		archive.Trees(t, forest(t, seed), func(name []byte, b *bolt.Bucket, tree archive.Tree) {
			if tree.Sequence() != b.Sequence() {
				t.Errorf("%s: sequence %d, want %d", name, tree.Sequence(), b.Sequence())
			}
			keys, bytes, inuse := tree.Usage()
			if s := b.Stats(); keys != s.KeyN || bytes != int64(s.LeafAlloc+s.BranchAlloc) || inuse != int64(s.LeafInuse) {
				t.Errorf("%s: %d keys, %d bytes, %d in use; bbolt has %+v", name, keys, bytes, inuse, s)
			}
			sameWalks(t, name, b, tree, rand.New(rand.NewPCG(seed, 2)))
		})
	}
}

func sameWalks(t *testing.T, name []byte, b *bolt.Bucket, tree archive.Tree, rng *rand.Rand) {
	t.Helper()
	want, got := b.Cursor(), tree.Cursor()
	var keys [][]byte
	for k, _ := want.First(); k != nil; k, _ = want.Next() {
		keys = append(keys, k)
	}
	want = b.Cursor()
	positioned := false
	for i := range 5000 {
		op := rng.IntN(20)
		if !positioned || len(keys) == 0 {
			op %= 3
		}
		var wk, wv, gk, gv []byte
		switch {
		case op == 0:
			wk, wv = want.First()
			gk, gv = got.First()
		case op == 1:
			wk, wv = want.Last()
			gk, gv = got.Last()
		case op == 2:
			key := fmt.Append(nil, rng.IntN(40_000))
			if len(keys) > 0 && rng.IntN(2) == 0 {
				key = keys[rng.IntN(len(keys))]
			}
			if w, g := b.Get(key), tree.Get(key); !bytes.Equal(w, g) || (w == nil) != (g == nil) {
				t.Fatalf("%s: get %.20q: %d bytes, want %d", name, key, len(g), len(w))
			}
			wk, wv = want.Seek(key)
			gk, gv = got.Seek(key)
		case op < 11:
			wk, wv = want.Next()
			gk, gv = got.Next()
		default:
			wk, wv = want.Prev()
			gk, gv = got.Prev()
		}
		if !bytes.Equal(wk, gk) || !bytes.Equal(wv, gv) {
			t.Fatalf("%s: step %d (%d): %.20q, want %.20q", name, i, op, gk, wk)
		}
		positioned = wk != nil // beyond the end the two need not agree
	}
}

// However the pages of a file lead to each other, a walk through them ends, and
// with an error at most.
func TestAnyPagesAreWalkedToAnEnd(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
	data, err := os.ReadFile(forest(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	var branches []int
	for at := 2 * 4096; at < len(data); at += 4096 {
		if binary.LittleEndian.Uint16(data[at+8:]) == 1 {
			branches = append(branches, at)
		}
	}
	if len(branches) < 10 {
		t.Fatalf("%d branches", len(branches))
	}
	damages := 0
	for range 100 {
		path := damaged(t, data, func(b []byte) []byte {
			for range 1 + rng.IntN(4) { // pages that lead elsewhere, or are of another kind
				at := branches[rng.IntN(len(branches))]
				i, to := rng.IntN(int(binary.LittleEndian.Uint16(b[at+10:]))), branches[rng.IntN(len(branches))]
				switch rng.IntN(3) {
				case 0:
					binary.LittleEndian.PutUint64(b[at+16+16*i+8:], uint64(to/4096))
				case 1:
					b[at+rng.IntN(4096)] ^= byte(1 + rng.IntN(255))
				default:
					b[2*4096+4096*rng.IntN(len(b)/4096-2)+8] ^= 3 // a leaf is a branch
				}
			}
			return b
		})
		began := time.Now()
		err := archive.Walk(t.Context(), path)
		if err != nil && !errors.Is(err, archive.ErrCorrupt) {
			t.Error(err)
		}
		if err != nil {
			damages++
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("a walk took %v", took)
		}
	}
	if damages < 30 {
		t.Errorf("%d of 100 were told", damages)
	}
}
