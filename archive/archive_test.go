package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

// The samples are those of all tests of stores.
var (
	noon  = storetest.Noon
	post  = storetest.Sample
	posts = storetest.Samples
)

func open(t testing.TB) *archive.Archive {
	t.Helper()
	a, err := archive.OpenOrCreate(t.Context(), filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func commit(t testing.TB, a *archive.Archive, b news.Batch) news.Committed {
	t.Helper()
	done, err := a.Commit(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func selected(t testing.TB, a *archive.Archive, s archive.Selection) []news.Revision {
	t.Helper()
	var list []news.Revision
	for rev, err := range a.Select(t.Context(), s) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rev)
	}
	return list
}

func TestPostAndCaptureComeBackWhole(t *testing.T) {
	a := open(t)
	want := post(1)
	done := commit(t, a, news.Batch{Posts: []news.Captured{want}})
	if diff := cmp.Diff([]news.Change{news.ChangeNew}, done.Posts); diff != "" {
		t.Error(diff)
	}
	rev, err := a.Post(t.Context(), want.Post.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Post, rev.Post); diff != "" {
		t.Errorf("post (-want +got):\n%s", diff)
	}
	if rev.Number != 1 || rev.Seq != 1 || !rev.Fetched.Equal(want.Capture.Fetched) || rev.URL != want.Capture.URL || rev.Mirror != "m" {
		t.Errorf("revision: %+v", rev)
	}
	c, err := a.Capture(t.Context(), rev.Seq)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want.Capture, c, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("capture (-want +got):\n%s", diff)
	}
}

// A body that does not stand in the capture, because the page was in another
// charset or JSON, is kept all the same.
func TestBodyThatIsNoPartOfTheCapture(t *testing.T) {
	a := open(t)
	p := post(1)
	p.Capture.Body = []byte(`{"text":"\u003cp\u003e"}`)
	commit(t, a, news.Batch{Posts: []news.Captured{p}})
	rev, err := a.Post(t.Context(), p.Post.ID)
	if err != nil {
		t.Fatal(err)
	}
	if rev.Body != p.Post.Body || rev.Foot != p.Post.Foot {
		t.Errorf("body %q, foot %q", rev.Body, rev.Foot)
	}
}

func TestPostsThatLackThings(t *testing.T) {
	a := open(t)
	for _, want := range []news.Post{
		{ID: "20211101-0123456789abcdef", Title: "开站大吉"},
		{ID: "00000000-0123456789abcdef", Body: "<p>无日期</p>"},
		{ID: "202112222222306968", InfoCode: "202112222222306968"},
		{ID: "202112222222306969", InfoCode: "AN202112222222306969", Tag: "某新闻"},
		{ID: "202112222222306970", InfoCode: "NW202112222222306970", Tag: "某新闻", Outlet: "某", Source: "某"},
	} {
		c := post(0).Capture
		commit(t, a, news.Batch{Posts: []news.Captured{{Post: want, Capture: c, Wanted: news.Wanted{ID: want.ID}}}})
		rev, err := a.Post(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, rev.Post); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.ID, diff)
		}
	}
}

func TestSameContentIsNoRevisionAndOtherContentIs(t *testing.T) {
	a := open(t)
	first, again, other := post(1), post(1), post(1)
	again.Capture.Fetched = first.Capture.Fetched.Add(time.Hour)
	again.Capture.Body = append(again.Capture.Body, "<!-- another advert -->"...)
	other.Capture.Fetched = first.Capture.Fetched.Add(2 * time.Hour)
	other.Post.Title, other.Post.Published = "更正："+other.Post.Title, other.Post.Published.Add(time.Minute)
	other.Post.Category = "guanchawang"

	for _, step := range []struct {
		p      news.Captured
		change news.Change
		number int
	}{
		{first, news.ChangeNew, 1}, {again, news.ChangeUnchanged, 1}, {other, news.ChangeRevised, 2},
	} {
		done := commit(t, a, news.Batch{Posts: []news.Captured{step.p}})
		rev, err := a.Post(t.Context(), step.p.Post.ID)
		if err != nil {
			t.Fatal(err)
		}
		if done.Posts[0] != step.change || rev.Number != step.number {
			t.Errorf("got %s, revision %d; want %s, %d", done.Posts[0], rev.Number, step.change, step.number)
		}
		if !rev.FirstSeen.Equal(first.Capture.Fetched) || !rev.LastSeen.Equal(step.p.Capture.Fetched) {
			t.Errorf("first seen %v, last seen %v", rev.FirstSeen, rev.LastSeen)
		}
	}
	for category, want := range map[string]int{"Career In  touxingPEVC": 0, "guanchawang": 1} {
		if got := len(selected(t, a, archive.Selection{Category: category})); got != want {
			t.Errorf("category %s: %d posts, want %d", category, got, want)
		}
	}
	if s, err := a.Stats(t.Context(), time.Time{}); err != nil || s.Posts != 1 || s.Revisions != 2 {
		t.Errorf("stats %+v, %v", s, err)
	}
}

func TestSelect(t *testing.T) {
	const n = 2000 // more than one look into the file takes
	a := open(t)
	for list := range slices.Chunk(posts(n), 300) {
		commit(t, a, news.Batch{Posts: list})
	}
	day := func(d string) news.Day { v, _ := news.ParseDay(d); return v }
	every := func(p *news.Captured) bool { return true }
	for _, c := range []struct {
		name string
		s    archive.Selection
		has  func(*news.Captured) bool
	}{
		{"all", archive.Selection{}, every},
		{"from", archive.Selection{From: day("2021-12-23")}, func(p *news.Captured) bool { return p.Post.Day() >= 20211223 }},
		{"to", archive.Selection{To: day("2021-12-22")}, func(p *news.Captured) bool { return p.Post.Day() <= 20211222 }},
		{"one day", archive.Selection{From: day("2021-12-23"), To: day("2021-12-23")}, func(p *news.Captured) bool { return p.Post.Day() == 20211223 }},
		{"no day", archive.Selection{From: day("2031-12-23")}, func(*news.Captured) bool { return false }},
		{"category", archive.Selection{Category: "21caijing"}, func(p *news.Captured) bool { return p.Post.Category == "21caijing" }},
		{"whole category, other case", archive.Selection{Category: "career in  touxingpevc"}, func(p *news.Captured) bool { return strings.HasPrefix(p.Post.Category, "Career") }},
		{"part of a category", archive.Selection{Category: "touxingPEVC"}, func(p *news.Captured) bool { return strings.HasPrefix(p.Post.Category, "Career") }},
		{"unknown category", archive.Selection{Category: "x"}, func(*news.Captured) bool { return false }},
		{"tag", archive.Selection{Tag: "观察网新闻"}, func(p *news.Captured) bool { return p.Post.Tag == "观察网新闻" }},
		{"code", archive.Selection{Security: "600160"}, every},
		{"market and code", archive.Selection{Security: "1.600160"}, func(p *news.Captured) bool { return p.Post.Securities[0].Market == 1 }},
		{"board", archive.Selection{Security: "90.BK0493"}, every},
		{"mirror", archive.Selection{Mirror: "m"}, func(p *news.Captured) bool { return p.Capture.Mirror == "m" }},
		{"all together", archive.Selection{From: day("2021-12-23"), Category: "21caijing", Tag: "21财经新闻", Security: "1.600160", Mirror: "m"},
			func(p *news.Captured) bool {
				return p.Post.Day() >= 20211223 && p.Post.Category == "21caijing" && p.Post.Securities[0].Market == 1 && p.Capture.Mirror == "m"
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want []news.ID
			for _, p := range posts(n) {
				if c.has(&p) {
					want = append(want, p.Post.ID)
				}
			}
			check := func(s archive.Selection, want []news.ID) {
				t.Helper()
				var got []news.ID
				for _, rev := range selected(t, a, s) {
					got = append(got, rev.ID)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%+v: got %d posts, want %d, in order", s, len(got), len(want))
				}
			}
			oldest := c.s
			oldest.Oldest = true
			check(oldest, want)
			oldest.Limit = 7
			check(oldest, want[:min(7, len(want))])
			slices.Reverse(want)
			check(c.s, want)
		})
	}
}

func TestFrontier(t *testing.T) {
	a := open(t)
	w := func(i int) news.Wanted {
		p := post(i)
		return news.Wanted{ID: p.Post.ID, InfoCode: p.Post.InfoCode, Mirror: "m", FoundOn: "https://mirror.example/", Found: noon}
	}
	one := w(1)
	one.Pages = []string{"https://mirror.example/1.html"}

	done := commit(t, a, news.Batch{
		Posts: []news.Captured{post(3)},
		Found: []news.Wanted{w(1), w(2), one, w(3)},
		Leads: []news.Wanted{w(2), w(3), w(4), w(4)},
	})
	want := news.Committed{
		Posts: []news.Change{news.ChangeNew},
		Found: []news.Standing{news.StandingNew, news.StandingNew, news.StandingPending, news.StandingArchived},
		Leads: 1,
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("committed (-want +got):\n%s", diff)
	}
	frontier := func(f func(context.Context, news.ID, int) ([]news.Wanted, error)) []news.Wanted {
		t.Helper()
		list, err := f(t.Context(), "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if diff := cmp.Diff([]news.Wanted{one, w(2)}, frontier(a.Wanted)); diff != "" {
		t.Errorf("frontier (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]news.Wanted{w(4)}, frontier(a.Leads)); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	if list, err := a.Wanted(t.Context(), w(1).ID, 10); err != nil || len(list) != 1 || list[0].ID != w(2).ID {
		t.Errorf("after %s: %v, %v", w(1).ID, list, err)
	}

	tried, lost := w(1), w(2)
	tried.Attempts, tried.Run, tried.Error = 1, 7, "timeout"
	lost.Attempts, lost.Error = 8, "gone"
	commit(t, a, news.Batch{Tried: []news.Wanted{tried}, Failed: []news.Wanted{lost}})
	tried.Pages = one.Pages // what was learned of it since it was taken out to be tried
	if diff := cmp.Diff([]news.Wanted{tried}, frontier(a.Wanted)); diff != "" {
		t.Errorf("frontier (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]news.Wanted{lost}, frontier(a.Failures)); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	done = commit(t, a, news.Batch{Found: []news.Wanted{w(1), w(2), w(4)}, Attempts: 8})
	if want := []news.Standing{news.StandingPending, news.StandingFailed, news.StandingNew}; !slices.Equal(done.Found, want) {
		t.Errorf("found again: %v, want %v", done.Found, want)
	}
	elsewhere := w(2)
	elsewhere.Pages = []string{"https://mirror.example/2.html"}
	if done := commit(t, a, news.Batch{Found: []news.Wanted{elsewhere}}); done.Found[0] != news.StandingNew {
		t.Errorf("a failed post with a page that was not tried stands as %s", done.Found[0])
	}
	again := w(5)
	again.Attempts = 1
	commit(t, a, news.Batch{Failed: []news.Wanted{again}})
	if done := commit(t, a, news.Batch{Found: []news.Wanted{w(5)}, Attempts: 2}); done.Found[0] != news.StandingNew {
		t.Errorf("a post that failed once and is linked again stands as %s", done.Found[0])
	}
	commit(t, a, news.Batch{Posts: []news.Captured{post(1), post(2), post(4), post(5)}})
	commit(t, a, news.Batch{Tried: []news.Wanted{tried}, Failed: []news.Wanted{lost}}) // of another run, too late
	for name, f := range map[string]func(context.Context, news.ID, int) ([]news.Wanted, error){"frontier": a.Wanted, "leads": a.Leads, "failures": a.Failures} {
		if list := frontier(f); len(list) > 0 {
			t.Errorf("%s holds what is archived: %v", name, list)
		}
	}
}

// A page without infoCode in its address may turn out to have one in its text:
// the link is then known under both.
func TestAlias(t *testing.T) {
	a := open(t)
	p := post(1)
	p.Wanted.ID = "20211222-0123456789abcdef"
	commit(t, a, news.Batch{Found: []news.Wanted{p.Wanted}})
	commit(t, a, news.Batch{Posts: []news.Captured{p}})
	done := commit(t, a, news.Batch{Found: []news.Wanted{p.Wanted}})
	if done.Found[0] != news.StandingArchived {
		t.Errorf("the link stands as %s", done.Found[0])
	}
	if rev, err := a.Post(t.Context(), p.Wanted.ID); err != nil || rev.ID != p.Post.ID {
		t.Errorf("post by alias: %s, %v", rev.ID, err)
	}
}

func TestUnreadIsKeptUntilThePostIsRead(t *testing.T) {
	a := open(t)
	p := post(1)
	blocked := p
	blocked.Wanted.Error = "block page"
	blocked.Capture.Body = []byte("<h1>请稍候</h1>")
	commit(t, a, news.Batch{Unread: []news.Captured{blocked}})
	apart, err := a.Unread(t.Context(), p.Post.ID)
	if err != nil || apart.Why != "block page" || string(apart.Capture.Body) != "<h1>请稍候</h1>" {
		t.Errorf("apart: %+v, %v", apart, err)
	}
	if _, err := a.Post(t.Context(), p.Post.ID); !errors.Is(err, archive.ErrNoPost) {
		t.Errorf("an unread page counts as the post: %v", err)
	}
	commit(t, a, news.Batch{Posts: []news.Captured{p}})
	if _, err := a.Unread(t.Context(), p.Post.ID); !errors.Is(err, archive.ErrNoPost) {
		t.Errorf("still apart after the post was read: %v", err)
	}
}

func TestListsAndRuns(t *testing.T) {
	a := open(t)
	l := news.ListPage{URL: "https://mirror.example/category/a%20b.html", Mirror: "m", Kind: news.KindCategory, ETag: `"x"`, Read: noon, Checked: noon}
	other := news.ListPage{URL: "https://other.example/", Mirror: "other", Kind: news.KindHome}
	commit(t, a, news.Batch{Lists: []news.ListPage{l, other}})
	commit(t, a, news.Batch{Lists: []news.ListPage{{URL: l.URL, Mirror: "m", Kind: l.Kind}}}) // found again: keeps its validators
	lists, err := a.Lists(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]news.ListPage{l}, lists); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	for i := range 3 {
		run := &news.Run{Command: "crawl"}
		if err := a.StartRun(t.Context(), run); err != nil || run.ID != uint64(i+1) {
			t.Fatalf("run %d, %v", run.ID, err)
		}
		run.New = 10 * i
		commit(t, a, news.Batch{Run: run})
	}
	runs, err := a.Runs(t.Context(), 2)
	if err != nil || len(runs) != 2 || runs[0].ID != 3 || runs[0].New != 20 || runs[1].ID != 2 {
		t.Errorf("runs %+v, %v", runs, err)
	}
}

// The dictionary comes after a while; what was written before it must still be
// read, and by a process that knew the archive without it.
func TestDictionary(t *testing.T) {
	a := open(t)
	list := posts(700)
	commit(t, a, news.Batch{Posts: list[:1]})
	reader, err := archive.Open(t.Context(), a.Path())
	if err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(list[1:], 100) {
		commit(t, a, news.Batch{Posts: part})
	}
	s, err := a.Stats(t.Context(), time.Time{})
	if err != nil || s.Dictionary == 0 {
		t.Fatalf("no dictionary after %d posts: %v", s.Posts, err)
	}
	for _, from := range []*archive.Archive{a, reader} {
		got := selected(t, from, archive.Selection{Oldest: true, Body: true})
		if len(got) != len(list) {
			t.Fatalf("%d posts, want %d", len(got), len(list))
		}
		for i := range got {
			c, err := from.Capture(t.Context(), got[i].Seq)
			if err != nil {
				t.Fatal(err)
			}
			if got[i].Body != list[i].Post.Body || !bytes.Equal(c.Body, list[i].Capture.Body) {
				t.Fatalf("post %d does not come back", i)
			}
		}
	}
}

// Pages that no dictionary can be made of, or that are huge, are kept all the
// same, and so is what comes after them.
func TestHugeAndOddPages(t *testing.T) {
	t.Parallel()
	a := open(t)
	list := posts(150)
	for i := range list {
		switch i % 10 {
		case 0: // larger than a dictionary's sample
			list[i].Capture.Body = append(list[i].Capture.Body, bytes.Repeat([]byte("长"), 400_000)...)
		case 1: // a body that is no part of the capture, as of JSON
			list[i].Post.Body = strings.Repeat("正文", 200_000)
		case 2:
			list[i].Post.Tag, list[i].Post.Category = strings.Repeat("标", 40_000), strings.Repeat("a ", 100_000)
		case 3:
			for n := range 50_000 {
				m := news.Mention{Security: news.Security{Market: 1, Code: fmt.Sprint(n)}, Count: 1}
				list[i].Post.Securities = append(list[i].Post.Securities, m)
			}
		}
	}
	for part := range slices.Chunk(list, 25) {
		commit(t, a, news.Batch{Posts: part})
	}
	for i, rev := range selected(t, a, archive.Selection{Oldest: true, Body: true}) {
		if rev.Body != list[i].Post.Body || rev.Tag != list[i].Post.Tag || len(rev.Securities) != len(list[i].Post.Securities) {
			t.Fatalf("post %d does not come back", i)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "foreign.db")
	edit(t, foreign, func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("x")); return err })
	newer := open(t).Path()
	edit(t, newer, func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("finarc")).Put([]byte("format"), []byte{0, 0, 0, 0, archive.Version + 1})
	})
	short := open(t).Path()
	edit(t, short, func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("postings")) })

	for _, c := range []struct {
		path string
		want error
	}{
		{filepath.Join(dir, "nothing.db"), archive.ErrMissing},
		{filepath.Join(dir, "no", "folder.db"), archive.ErrMissing},
		{dir, archive.ErrNotArchive},
		{file("empty.db", nil), archive.ErrNotArchive},
		{file("text.db", bytes.Repeat([]byte("no archive"), 2000)), archive.ErrNotArchive},
		{foreign, archive.ErrNotArchive},
		{newer, archive.ErrNewer},
		{short, archive.ErrCorrupt},
	} {
		before, _ := os.ReadFile(c.path)
		_, err := archive.Open(t.Context(), c.path)
		if !errors.Is(err, c.want) {
			t.Errorf("open %s: %v, want %v", c.path, err, c.want)
		}
		if err != nil && (!strings.Contains(err.Error(), c.path) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("the message should be one line that names the path: %q", err)
		}
		if after, _ := os.ReadFile(c.path); !bytes.Equal(before, after) {
			t.Errorf("open touched %s", c.path)
		}
	}
	if _, err := archive.OpenOrCreate(t.Context(), filepath.Join(dir, "no", "folder.db")); err == nil {
		t.Error("an archive in a missing folder was made")
	}
}

func edit(t *testing.T, path string, fn func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fn), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// A polite crawl commits a few posts at a time. They fill the same blocks as
// posts that are committed together.
func TestSmallCommitsFillBlocks(t *testing.T) {
	const n = 200
	together, apart := open(t), open(t)
	list := posts(n)
	commit(t, together, news.Batch{Posts: list})
	for part := range slices.Chunk(list, 3) {
		commit(t, apart, news.Batch{Posts: part})
	}
	want, err := together.Stats(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := apart.Stats(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bucket := range []string{"captures", "revisions"} {
		if got.Buckets[bucket].Keys != want.Buckets[bucket].Keys {
			t.Errorf("%s: %d blocks, want %d", bucket, got.Buckets[bucket].Keys, want.Buckets[bucket].Keys)
		}
	}
	for i, rev := range selected(t, apart, archive.Selection{Oldest: true, Body: true}) {
		if rev.Body != list[i].Post.Body {
			t.Fatalf("post %d does not come back", i)
		}
	}
}

// A commit that fails leaves the archive as it was.
func TestFailedCommitChangesNothing(t *testing.T) {
	a := open(t)
	commit(t, a, news.Batch{Posts: posts(3)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Commit(ctx, &news.Batch{Posts: []news.Captured{post(9)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("commit with a cancelled context: %v", err)
	}
	if got := selected(t, a, archive.Selection{}); len(got) != 3 {
		t.Errorf("%d posts, want 3", len(got))
	}
}

// Several handles, as of several processes, write and read one archive.
func TestManyAtOnce(t *testing.T) {
	a := open(t)
	const writers, each = 4, 40
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			mine, err := archive.Open(t.Context(), a.Path())
			if err != nil {
				t.Error(err)
				return
			}
			for i := 0; i < each; i += 10 {
				batch := news.Batch{}
				for j := range 10 {
					batch.Posts = append(batch.Posts, post(n*each+i+j))
				}
				if _, err := mine.Commit(t.Context(), &batch); err != nil {
					t.Error(err)
				}
				for _, err := range mine.Select(t.Context(), archive.Selection{Limit: 5}) {
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if got := selected(t, a, archive.Selection{}); len(got) != writers*each {
		t.Errorf("%d posts, want %d", len(got), writers*each)
	}
}
