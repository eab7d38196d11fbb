package archive_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// dump returns everything that an archive's file holds, a line each: buckets
// with their sequences, keys and values.
func dump(t testing.TB, path string) []string {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var lines []string
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			lines = append(lines, fmt.Sprintf("%s: %d", name, b.Sequence()))
			return b.ForEach(func(k, v []byte) error {
				lines = append(lines, fmt.Sprintf("%s %x = %x", name, k, v))
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// sameDump wants two dumps to be the same.
func sameDump(t testing.TB, want, got []string) {
	t.Helper()
	if slices.Equal(want, got) {
		return
	}
	has := make(map[string]bool)
	for _, line := range want {
		has[line] = true
	}
	n := 0
	for _, line := range got {
		if !has[line] && n < 10 {
			t.Errorf("not wanted: %.200s", line)
			n++
		}
		delete(has, line)
	}
	for line := range has {
		if n < 20 {
			t.Errorf("lacking: %.200s", line)
			n++
		}
	}
	if n == 0 {
		t.Errorf("the same lines, but %d of them, want %d, or in another order", len(got), len(want))
	}
}

// wantedPost returns a frontier entry for post i, with its page.
func wantedPost(i int) news.Wanted {
	w := storetest.WantedOf(i)
	w.Pages = []string{post(i).Capture.URL}
	return w
}

// full returns an archive that has something of everything.
func full(t testing.TB, n int) *archive.Archive {
	t.Helper()
	a := open(t)
	for list := range slices.Chunk(posts(n), 37) {
		var b news.Batch
		b.Posts = list
		for i := range list {
			w := wantedPost(n + i)
			w.ID = news.ID(strings.Replace(string(w.ID), "2222", "3333", 1))
			b.Leads = append(b.Leads, w)
		}
		commit(t, a, b)
	}
	revised := post(n / 2)
	revised.Capture.Fetched = revised.Capture.Fetched.Add(time.Hour)
	revised.Post.Title += "（更新）"
	apart := news.Captured{Post: news.Post{ID: post(n + 1).Post.ID}, Capture: post(n + 1).Capture, Wanted: news.Wanted{Error: "a block page"}}
	alias := post(n + 2)
	alias.Wanted.ID = "20211222-0123456789abcdef"
	run := news.Run{Command: "crawl m", Mirrors: []string{"m"}, Started: noon}
	if err := a.StartRun(t.Context(), &run); err != nil {
		t.Fatal(err)
	}
	commit(t, a, news.Batch{
		Posts: []news.Captured{revised, alias}, Unread: []news.Captured{apart},
		Found: []news.Wanted{wantedPost(n + 3), wantedPost(n + 4)}, Failed: []news.Wanted{wantedPost(n + 5)},
		Lists: []news.ListPage{{URL: "https://mirror.example/", Mirror: "m", Kind: news.KindHome, ETag: "x", Checked: noon, Read: noon}},
		Hosts: someHosts(2, noon), Run: &run,
	})
	return a
}

// empty wants no file of the prefix in a folder.
func noLeftovers(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(dir, ".finarc-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}

func TestBackup(t *testing.T) {
	for _, n := range []int{1, 90, 700} {
		a := full(t, n)
		to := filepath.Join(t.TempDir(), "backup [1].db")
		c, err := a.Backup(t.Context(), to, false)
		if err != nil {
			t.Fatal(err)
		}
		sameDump(t, dump(t, a.Path()), dump(t, to))
		if info, err := os.Stat(to); err != nil || info.Size() != c.After || c.Posts != int64(n+1) || c.Revisions != int64(n+2) || c.File != to {
			t.Errorf("%+v, %v, %v", c, info, err)
		}
		if _, err := a.Backup(t.Context(), to, false); !errors.Is(err, archive.ErrExists) {
			t.Errorf("backup to a file that exists: %v", err)
		}
		if _, err := a.Backup(t.Context(), to, true); err != nil {
			t.Errorf("backup in place of another: %v", err)
		}
		sameDump(t, dump(t, a.Path()), dump(t, to))
		noLeftovers(t, filepath.Dir(to))
		restored, err := archive.Open(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		commit(t, restored, news.Batch{Posts: []news.Captured{post(5000)}})
	}
}

func TestBackupRefuses(t *testing.T) {
	a := full(t, 3)
	dir := t.TempDir()
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(a.Path(), link); err != nil {
		t.Skip(err)
	}
	before := dump(t, a.Path())
	for _, to := range []string{a.Path(), link, dir} {
		if _, err := a.Backup(t.Context(), to, true); !errors.Is(err, archive.ErrTarget) {
			t.Errorf("backup to %s: %v", to, err)
		}
	}
	if _, err := a.Backup(t.Context(), filepath.Join(dir, "no", "b.db"), false); !errors.Is(err, os.ErrNotExist) && (err == nil || !strings.Contains(err.Error(), "no such file")) {
		t.Errorf("backup to a missing folder: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Backup(ctx, filepath.Join(dir, "b.db"), false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	sameDump(t, before, dump(t, a.Path()))
	noLeftovers(t, dir)
}

// A copy of what is damaged is no backup.
func TestBackupOfDamage(t *testing.T) {
	for _, bucket := range []string{"captures", "revisions", "posts"} {
		a := full(t, 50)
		edit(t, a.Path(), func(tx *bolt.Tx) error {
			k, v := tx.Bucket([]byte(bucket)).Cursor().First()
			v = bytes.Clone(v)
			v[len(v)/2] ^= 0x40
			return tx.Bucket([]byte(bucket)).Put(bytes.Clone(k), v)
		})
		to := filepath.Join(t.TempDir(), "b.db")
		if _, err := a.Backup(t.Context(), to, false); !errors.Is(err, archive.ErrCorrupt) {
			t.Errorf("%s: %v", bucket, err)
		}
		before := dump(t, a.Path())
		if _, err := a.Compact(t.Context()); !errors.Is(err, archive.ErrCorrupt) {
			t.Errorf("%s: %v", bucket, err)
		}
		sameDump(t, before, dump(t, a.Path()))
		for _, dir := range []string{filepath.Dir(to), filepath.Dir(a.Path())} {
			noLeftovers(t, dir)
		}
	}
}

func TestCompact(t *testing.T) {
	a := full(t, 700)
	for i := range 200 { // so that there is something to win
		commit(t, a, news.Batch{Found: []news.Wanted{wantedPost(2000 + i*37%400)}})
	}
	if err := os.Chmod(a.Path(), 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(a.Path(), link); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{"123", "45", "45.guard", "6.guard"} {
		left := filepath.Join(filepath.Dir(a.Path()), ".finarc-compact-"+name)
		if err := os.WriteFile(left, []byte("of one that was killed"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := dump(t, a.Path())
	linked, err := archive.Open(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	c, err := linked.Compact(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sameDump(t, want, dump(t, a.Path()))
	if c.After >= c.Before {
		t.Errorf("%d bytes, and %d before", c.After, c.Before)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	if info, err := os.Stat(a.Path()); err != nil || info.Mode().Perm() != 0o640 || info.Size() != c.After {
		t.Errorf("the file is %v, %v", info, err)
	}
	noLeftovers(t, filepath.Dir(a.Path()))
	noLeftovers(t, filepath.Dir(link))
	commit(t, a, news.Batch{Posts: []news.Captured{post(5000)}})
	if again, err := a.Compact(t.Context()); err != nil || again.After > c.After+64<<10 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// writer commits batches to an archive until it is told to stop. Each batch
// tells in its run's report how many posts there are with it.
type writer struct {
	sync.WaitGroup
	stop    chan struct{}
	once    sync.Once
	batches int
}

const perBatch = 7

func startWriter(t *testing.T, path string, first int) *writer {
	t.Helper()
	w := &writer{stop: make(chan struct{})}
	w.Go(func() {
		a, err := archive.Open(t.Context(), path)
		if err != nil {
			t.Error(err)
			return
		}
		// As a crawl's, its commits leave room for others.
		pace := time.NewTicker(15 * time.Millisecond)
		defer pace.Stop()
		for ; ; w.batches++ {
			select {
			case <-w.stop:
				return
			case <-pace.C:
			}
			b := news.Batch{Run: &news.Run{ID: 99, New: first + (w.batches+1)*perBatch}}
			for i := range perBatch {
				b.Posts = append(b.Posts, post(first+w.batches*perBatch+i))
				b.Found = append(b.Found, wantedPost(first+(w.batches+1)*perBatch+i))
			}
			if _, err := a.Commit(t.Context(), &b); err != nil {
				t.Error(err)
				return
			}
		}
	})
	return w
}

// end stops the writer; it may be called again.
func (w *writer) end() {
	w.once.Do(func() { close(w.stop) })
	w.Wait()
}

// existed wants an archive to be as it was after one of the writer's batches.
func existed(t *testing.T, path string) int {
	t.Helper()
	a, err := archive.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := a.Runs(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	list := selected(t, a, archive.Selection{Body: true})
	if len(runs) > 0 && runs[0].New != len(list) {
		t.Errorf("%s holds %d posts, and its run tells of %d", path, len(list), runs[0].New)
	}
	frontier, err := a.Wanted(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) > 0 && len(frontier) != perBatch {
		t.Errorf("%s has %d posts in its frontier, want %d", path, len(frontier), perBatch)
	}
	return len(list)
}

func TestBackupWhileOthersWrite(t *testing.T) {
	a := open(t)
	const first = 95 // the dictionary, with which all is packed again, comes while it is copied
	commit(t, a, news.Batch{Posts: posts(first)})
	w := startWriter(t, a.Path(), first)
	t.Cleanup(w.end)
	dir := t.TempDir()
	for i := range 12 {
		to := filepath.Join(dir, fmt.Sprintf("%d.db", i))
		if _, err := a.Backup(t.Context(), to, false); err != nil {
			t.Error(err)
		}
		existed(t, to)
	}
	w.end()
	if got := existed(t, a.Path()); got != first+w.batches*perBatch {
		t.Errorf("%d posts, want %d", got, first+w.batches*perBatch)
	}
}

// Nothing that was committed is lost when the file is replaced, whichever
// moment a writer waits for its lock at.
func TestCompactWhileOthersWrite(t *testing.T) {
	a := open(t)
	const writers = 2
	want := make(map[news.ID]bool)
	var lock sync.Mutex
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			mine, err := archive.Open(t.Context(), a.Path())
			if err != nil {
				t.Error(err)
				return
			}
			pace := time.NewTicker(15 * time.Millisecond)
			defer pace.Stop()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-pace.C:
				}
				p := post(n*100_000 + i)
				if _, err := mine.Commit(t.Context(), &news.Batch{Posts: []news.Captured{p}}); err != nil {
					t.Error(err)
					return
				}
				lock.Lock()
				want[p.Post.ID] = true
				lock.Unlock()
			}
		})
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		seen := 0
		pace := time.NewTicker(15 * time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-stop:
				return
			case <-pace.C:
			}
			s, err := a.Stats(t.Context(), time.Time{})
			if err != nil || int(s.Posts) < seen {
				t.Errorf("%d posts, and there were %d: %v", s.Posts, seen, err)
				return
			}
			seen = int(s.Posts)
		}
	})
	for range 50 {
		compacting, err := archive.Open(t.Context(), a.Path())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := compacting.Compact(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	reader.Wait()
	got := make(map[news.ID]bool)
	for _, rev := range selected(t, a, archive.Selection{Body: true}) {
		got[rev.ID] = true
	}
	if !maps.Equal(want, got) {
		t.Errorf("%d posts were committed, and %d are there", len(want), len(got))
	}
	noLeftovers(t, filepath.Dir(a.Path()))
}

// BenchmarkCompact tells how long a compaction holds the archive: at a time, at
// most, and in its last look, in which nobody else may read or write.
func BenchmarkCompact(b *testing.B) {
	for _, n := range []int{20_000, 200_000} {
		b.Run(fmt.Sprintf("posts=%d", n), func(b *testing.B) {
			a := open(b)
			for first := 0; first < n; first += 1000 {
				var batch news.Batch
				for i := range 1000 {
					batch.Posts = append(batch.Posts, post(first+i))
				}
				commit(b, a, batch)
			}
			var held, last time.Duration
			for b.Loop() {
				c, err := a.Compact(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				held, last = max(held, c.Held), max(last, c.Last)
			}
			b.ReportMetric(float64(held.Microseconds())/1000, "held-ms")
			b.ReportMetric(float64(last.Microseconds())/1000, "last-ms")
		})
	}
}

// Copies that are made in one folder at a time leave one another alone.
func TestBackupsIntoOneFolder(t *testing.T) {
	a, b := full(t, 300), full(t, 200)
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 6 {
				from := []*archive.Archive{a, b}[i%2]
				if _, err := from.Backup(t.Context(), filepath.Join(dir, fmt.Sprintf("%d-%d.db", i, n)), false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	noLeftovers(t, dir)
}

// The last look of a copy takes blocks that were replaced meanwhile.
func TestCopySettlesAfterRewrites(t *testing.T) {
	a := full(t, 600)
	read := asStored(t, a, better)
	err := archive.CopyAround(t.Context(), a, filepath.Join(t.TempDir(), "copy.db"), func() error {
		_, err := a.Reread(t.Context(), read, archive.RereadOptions{})
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A block that is replaced after the copy was checked is checked before the copy
// takes the archive's place, also where it is not among the last.
func TestCopyChecksReplacedBlocks(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: posts(400)})
	for _, block := range []uint64{1, 65, 385} {
		checked, err := archive.CheckAfter(t.Context(), a, filepath.Join(t.TempDir(), "copy.db"), func() error {
			edit(t, a.Path(), func(tx *bolt.Tx) error {
				b, meta := tx.Bucket([]byte("captures")), tx.Bucket([]byte("finarc"))
				frame := bytes.Clone(b.Get(seqKey(block)))
				frame[len(frame)/2] ^= 0x55
				count := sealed("rewrites", []byte{byte(block)}) // as whoever replaces a block counts it
				return errors.Join(b.Put(seqKey(block), frame), meta.Put([]byte("rewrites"), count))
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(checked, archive.ErrCorrupt) {
			t.Errorf("block %d: %v", block, checked)
		}
		edit(t, a.Path(), func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte("captures"))
			frame := bytes.Clone(b.Get(seqKey(block)))
			frame[len(frame)/2] ^= 0x55
			return b.Put(seqKey(block), frame)
		})
	}
}

// sealed returns a value with its checksum.
func sealed(key string, value []byte) []byte {
	sum := crc32.Checksum(append([]byte(key), value...), crc32.MakeTable(crc32.Castagnoli))
	return binary.BigEndian.AppendUint32(bytes.Clone(value), sum)
}
