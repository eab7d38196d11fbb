package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// everything returns an archive of n posts that has something in every bucket.
func everything(t testing.TB, n int) *archive.Archive {
	t.Helper()
	a := open(t)
	run := &news.Run{Command: "crawl", Mirrors: []string{"m"}, Started: noon}
	if err := a.StartRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	list := posts(n)
	list[3].Wanted.ID = "20211222-0123456789abcdef" // an alias
	for at := 0; at < n; at += 50 {
		commit(t, a, news.Batch{Posts: list[at:min(n, at+50)], Run: run})
	}
	var revised []news.Captured
	for i := 0; i < n; i += 7 {
		p := post(i)
		p.Capture.Fetched = p.Capture.Fetched.Add(time.Hour)
		p.Post.Title = "更正：" + p.Post.Title
		p.Capture.Body = append(p.Capture.Body, "<!-- 更正 -->"...)
		again := p
		again.Capture.Fetched = again.Capture.Fetched.Add(time.Hour) // seen again
		revised = append(revised, p, again)
	}
	commit(t, a, news.Batch{Posts: revised})
	wanted := func(i int) news.Wanted {
		p := post(10_000 + i)
		return news.Wanted{ID: p.Post.ID, InfoCode: p.Post.InfoCode, Mirror: "m", Pages: []string{p.Capture.URL},
			FoundOn: "https://mirror.example/21caijing.html", Found: noon, Category: "21caijing"}
	}
	var b news.Batch
	for i := range 40 {
		b.Found = append(b.Found, wanted(i))
	}
	for i := range 10 {
		failed := wanted(100 + i)
		failed.Attempts, failed.Error = 3, "gone"
		b.Leads, b.Failed = append(b.Leads, wanted(50+i)), append(b.Failed, failed)
		apart := post(200_000 + i)
		apart.Wanted.Error = "block page"
		b.Unread = append(b.Unread, apart)
	}
	for i := range 5 {
		b.Lists = append(b.Lists, news.ListPage{URL: fmt.Sprintf("https://mirror.example/%d.html", i), Mirror: "m", Kind: news.KindCategory, ETag: `"x"`, Read: noon, Checked: noon})
	}
	b.Hosts = someHosts(3, noon)
	b.Seen = someSeen(n)
	commit(t, a, b)
	return a
}

// someSeen returns answers of 304 for every third of n posts.
func someSeen(n int) []news.Seen {
	var list []news.Seen
	for i := 0; i < n; i += 3 {
		p := post(i)
		list = append(list, news.Seen{ID: p.Post.ID, Mirror: p.Capture.Mirror, Answer: news.Revisit{
			URL: p.Capture.URL, Status: http.StatusNotModified, Proto: "HTTP/1.1",
			Header: http.Header{"Etag": {fmt.Sprintf(`"%d"`, i)}}, Time: p.Capture.Fetched.Add(24 * time.Hour),
		}})
	}
	return list
}

func verified(t testing.TB, a *archive.Archive) archive.VerifyReport {
	t.Helper()
	r, err := a.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func clean(t testing.TB, a *archive.Archive) archive.VerifyReport {
	t.Helper()
	r := verified(t, a)
	if !r.Clean() {
		t.Fatalf("%v: %+v", r.Counts, r.Findings)
	}
	return r
}

func TestVerifyCleanArchives(t *testing.T) {
	if r := clean(t, open(t)); r.Posts != 0 || r.Revisions != 0 {
		t.Errorf("an empty archive: %+v", r)
	}
	for _, n := range []int{1, 40, 400} {
		r := clean(t, everything(t, max(n, 4)))
		if r.Posts != int64(max(n, 4)) || r.Revisions <= r.Posts || r.Entries == 0 || r.Values == 0 || r.Pages == 0 {
			t.Errorf("%d posts: %+v", n, r)
		}
	}
}

// What others write while an archive is verified is no damage.
func TestVerifyWhileOthersWrite(t *testing.T) {
	a := everything(t, 300)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 1000; ctx.Err() == nil; i += 3 {
			again := post(i % 300)
			again.Capture.Fetched = again.Capture.Fetched.Add(time.Duration(i) * time.Hour)
			again.Post.Title = fmt.Sprint(i)
			b := news.Batch{Posts: []news.Captured{post(i), post(i + 1), again}, Found: []news.Wanted{{ID: post(100_000 + i).Post.ID, Mirror: "m", FoundOn: "https://mirror.example/"}}}
			if _, err := a.Commit(ctx, &b); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for range 10 {
		clean(t, a)
	}
	stop()
	wg.Wait()
	clean(t, a)
}

// What a reread and a crawl change while an archive is verified is no damage.
func TestVerifyBesideAReread(t *testing.T) {
	const n = 400
	a := open(t)
	commit(t, a, news.Batch{Posts: posts(n)})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	var round atomic.Int64
	read := asStored(t, a, func(p *news.Post) error {
		if round.Load()%2 == 0 {
			p.Tag, p.Category = fmt.Sprintf("tag %d of %s", round.Load(), p.ID), "yicai"
		}
		return nil
	})
	wg.Go(func() {
		for ; ctx.Err() == nil; round.Add(1) {
			if _, err := a.Reread(ctx, read, archive.RereadOptions{FromStart: true}); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	other, err := archive.Open(t.Context(), a.Path())
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			var b news.Batch
			for k := range 20 { // so many that their page gets a number
				b.Found = append(b.Found, news.Wanted{ID: post(100_000 + 20*i + k).Post.ID, Mirror: "m", FoundOn: fmt.Sprintf("https://mirror.example/%d", i)})
			}
			p := post(1000 + i)
			p.Post.Tag = fmt.Sprint("new tag ", i)
			b.Posts = []news.Captured{p}
			if _, err := other.Commit(ctx, &b); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for began := time.Now(); time.Since(began) < 2*time.Second; {
		if r := verified(t, a); !r.Clean() {
			t.Fatalf("%v: %+v", r.Counts, r.Findings[0])
		}
	}
}

// bboltFinds returns what bbolt's own check finds in a file.
func bboltFinds(t *testing.T, path string) []error {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var found []error
	_ = db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			found = append(found, err)
		}
		return nil
	})
	return found
}

// told returns everything that the archive tells of its posts.
func told(ctx context.Context, a *archive.Archive) (map[news.ID]string, error) {
	all := make(map[news.ID]string)
	for rev, err := range a.Select(ctx, archive.Selection{Body: true}) {
		if err != nil {
			return nil, err
		}
		all[rev.ID] = fmt.Sprintf("%+v", rev.Post)
	}
	return all, nil
}

// flips is how many bytes the test of flipped bytes flips.
func flips(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("FINARC_FLIPS"))
	if err != nil {
		n = 300
	}
	if testing.Short() {
		n = min(n, 50)
	}
	t.Logf("%d flips; FINARC_FLIPS sets how many", n)
	return n
}

// damaged returns a copy of an archive with other bytes in it.
func damaged(t testing.TB, data []byte, change func([]byte) []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	if err := os.WriteFile(path, change(bytes.Clone(data)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A flipped byte anywhere in the file is found, or changes nothing of what the
// archive holds.
func TestFlippedBytes(t *testing.T) {
	a := everything(t, 400)
	findStories(t, a, archive.FindOptions{})
	if _, err := a.Compact(t.Context()); err != nil { // free pages, which nobody reads, are no test
		t.Fatal(err)
	}
	clean(t, a)
	data, err := os.ReadFile(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	whole, err := archive.Dump(t.Context(), a.Path())
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 2))
	n, found, harmless, unnoticed := flips(t), 0, 0, 0
	path := filepath.Join(t.TempDir(), "flipped.db")
	for range n {
		at, x := rng.IntN(len(data)), byte(1+rng.IntN(255))
		data[at] ^= x
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		data[at] ^= x
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		r, err := archive.Verify(ctx, path, nil)
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			t.Errorf("byte %d ^ %#x: no end", at, x)
		case err != nil || !r.Clean():
			found++
		default:
			if sum, err := archive.Dump(t.Context(), path); err == nil && sum == whole && len(bboltFinds(t, path)) == 0 {
				harmless++
			} else {
				unnoticed++
				t.Errorf("byte %d (page %d, offset %d) ^ %#x is not noticed: %v", at, at/4096, at%4096, x, err)
			}
		}
	}
	t.Logf("seed %d, file of %d bytes: %d flips, %d found, %d harmless, %d unnoticed", seed, len(data), n, found, harmless, unnoticed)
}

// What bbolt's own check finds becomes findings.
func TestBoltsOwnCheck(t *testing.T) {
	a := everything(t, 100)
	found, err := archive.BoltFindings(t.Context(), a.Path())
	if err != nil || len(found) > 0 {
		t.Fatalf("of a file that is whole: %+v, %v", found, err)
	}
	if err := archive.FreeUsedPage(a.Path()); err != nil {
		t.Fatal(err)
	}
	found, err = archive.BoltFindings(t.Context(), a.Path())
	if err != nil || len(found) == 0 || found[0].What != archive.FoundPage || found[0].Where != "bbolt" {
		t.Errorf("of a page that is free and used: %+v, %v", found, err)
	}
	if r := verified(t, a); r.Counts[archive.FoundPage] == 0 {
		t.Errorf("verify: %+v", r)
	}
}

// Of a file that was cut off what is told is how it was cut, and not a line for
// all that is behind that.
func TestCutFiles(t *testing.T) {
	a := everything(t, 100)
	data, err := os.ReadFile(a.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{4096, 5000, 8191, 8192, 20_000, len(data) / 2} {
		path := damaged(t, data, func(b []byte) []byte { return b[:size] })
		r, err := archive.Verify(t.Context(), path, nil)
		if err != nil || r.Complete || r.Counts[archive.FoundPage] == 0 || r.Damaged() > 5 {
			t.Errorf("%d bytes: %v, %+v", size, err, r)
		}
		for _, f := range r.Findings {
			if strings.Contains(f.Why, "file size too small") || strings.Contains(f.Why, "is missing") {
				t.Errorf("%d bytes: %+v", size, f)
			}
		}
	}
}
