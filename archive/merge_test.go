package archive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// contents returns what an archive holds as its users see it, a line each,
// however it is numbered and packed.
func contents(t testing.TB, a *archive.Archive) []string {
	t.Helper()
	var lines []string
	for rev := range each(t, a.Select(t.Context(), archive.Selection{})) {
		all, err := a.Revisions(t.Context(), rev.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			c, err := a.Capture(t.Context(), r.Seq)
			if err != nil {
				t.Fatal(err)
			}
			r.Seq = 0
			lines = append(lines, fmt.Sprintf("%+v %+v %v", r, c.Header, c.Status))
		}
		if apart, err := a.Unread(t.Context(), rev.ID); err == nil {
			lines = append(lines, fmt.Sprintf("unread, and held: %s %s %+v", apart.ID, apart.Why, *apart.Capture))
		}
	}
	for of, answer := range revisits(t, a) {
		lines = append(lines, fmt.Sprintf("%s: %+v", of, answer))
	}
	for name, f := range map[string]func(context.Context, news.ID, int) ([]news.Wanted, error){"frontier": a.Wanted, "leads": a.Leads, "failures": a.Failures} {
		list, err := f(t.Context(), "", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list {
			lines = append(lines, fmt.Sprintf("%s %+v", name, w))
		}
	}
	lists, err := a.Lists(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		lines = append(lines, fmt.Sprintf("%+v", l))
	}
	for _, h := range hosts(t, a) {
		lines = append(lines, fmt.Sprintf("%+v", h))
	}
	runs, err := a.Runs(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		lines = append(lines, fmt.Sprintf("%+v", r))
	}
	slices.Sort(lines)
	return lines
}

func each(t testing.TB, seq func(func(news.Revision, error) bool)) func(func(news.Revision) bool) {
	return func(yield func(news.Revision) bool) {
		for rev, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			if !yield(rev) {
				return
			}
		}
	}
}

// history returns an archive of a mirror that changes its posts, as a crawl saw
// it that met each of them now and then.
func history(t testing.TB, seed uint64, n int) *archive.Archive {
	t.Helper()
	a := open(t)
	r := rand.New(rand.NewPCG(seed, 1))
	run := news.Run{Command: "crawl m", Mirrors: []string{"m"}, Started: noon.Add(time.Duration(seed%2) * time.Hour)}
	if err := a.StartRun(t.Context(), &run); err != nil {
		t.Fatal(err)
	}
	clock := noon.Add(24 * time.Hour)
	for range n / 20 {
		b := news.Batch{Lists: []news.ListPage{{URL: "https://mirror.example/", Mirror: "m", Kind: news.KindHome, ETag: fmt.Sprint(clock.Unix()), Checked: clock, Read: clock}}}
		for range 20 {
			i := r.IntN(n / 3)
			clock = clock.Add(time.Duration(r.IntN(3)) * 10 * time.Minute) // now and then the same moment
			p := post(i)
			if state := int(clock.Sub(noon)/time.Hour) / 7 % 3; state > 0 {
				p.Post.Title += fmt.Sprintf("（更新%d）", state)
			}
			p.Capture.Body = append(p.Capture.Body, p.Post.Title...)
			p.Capture.Body = append(p.Capture.Body, fmt.Sprintf("<!-- advert %d -->", r.IntN(2))...)
			p.Capture.Fetched = clock
			if r.IntN(10) == 0 {
				p.Wanted.ID = news.ID(fmt.Sprintf("20211222-%016x", i))
			}
			b.Posts = append(b.Posts, p)
			w := wantedPost(n/3 + r.IntN(n))
			w.Found, w.Run = clock, run.ID
			switch r.IntN(4) {
			case 0:
				b.Leads = append(b.Leads, w)
			case 1:
				w.Attempts, w.Error, w.Next = 1+r.IntN(3), "gone", clock.Add(time.Hour)
				if r.IntN(2) == 0 {
					b.Tried = append(b.Tried, w)
					break
				}
				b.Failed = append(b.Failed, w)
			case 2:
				b.Unread = append(b.Unread, news.Captured{Post: news.Post{ID: w.ID}, Capture: p.Capture, Wanted: news.Wanted{Error: "no post"}})
			default:
				w.TitleSum = uint32(r.IntN(4))
				b.Found = append(b.Found, w)
			}
		}
		b.Hosts = someHosts(r.IntN(3), clock)
		commit(t, a, b)
	}
	return a
}

func merge(t testing.TB, into *archive.Archive, sources ...*archive.Archive) []archive.Merged {
	t.Helper()
	reports, err := into.Merge(t.Context(), sources...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reports {
		if r.Revisions != r.New+r.Revised+r.Unchanged+r.Held+r.Restored+r.Lost {
			t.Errorf("the numbers do not add up: %+v", r)
		}
	}
	return reports
}

func TestMerge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		x, y := history(t, 2*seed, 400), history(t, 2*seed+1, 400)
		before := [][]string{dump(t, x.Path()), dump(t, y.Path())}
		one, other := open(t), open(t)
		merge(t, one, x, y)
		merge(t, other, y, x)
		want := contents(t, one)
		sameDump(t, want, contents(t, other))
		if len(want) == 0 {
			t.Fatal("nothing was merged")
		}

		raw := dump(t, one.Path())
		for _, r := range merge(t, one, y, x) {
			if r.New > 0 || r.Revised > 0 {
				t.Errorf("again: %+v", r)
			}
		}
		sameDump(t, raw, dump(t, one.Path()))
		twice := open(t)
		merge(t, twice, x, x, y, y)
		sameDump(t, want, contents(t, twice))
		sameDump(t, before[0], dump(t, x.Path()))
		sameDump(t, before[1], dump(t, y.Path()))

		// A merge of what was backed up long ago brings nothing.
		old := filepath.Join(t.TempDir(), "old.db")
		if _, err := one.Backup(t.Context(), old, false); err != nil {
			t.Fatal(err)
		}
		backup, err := archive.Open(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		if r := merge(t, one, backup)[0]; r.Held != r.Revisions {
			t.Errorf("of a backup: %+v", r)
		}
		sameDump(t, raw, dump(t, one.Path()))
	}
}

// A merge that was interrupted and begun again ends as one that was not.
func TestMergeResumes(t *testing.T) {
	t.Parallel()
	x, y := full(t, 1100), history(t, 7, 300)
	whole := open(t)
	merge(t, whole, x, y)
	want := contents(t, whole)
	for n := range 3 {
		into := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { // once something is there
			defer cancel()
			for ctx.Err() == nil {
				if s, err := into.Stats(ctx, time.Time{}); err != nil || s.Posts > int64(400*n) {
					return
				}
			}
		}()
		if _, err := into.Merge(ctx, x, y); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		cancel()
		merge(t, into, x, y)
		sameDump(t, want, contents(t, into))
	}
}

// What was told of a post last counts, and nothing is lost of an archive that
// holds something already.
func TestMergeIntoWhatIsThere(t *testing.T) {
	into, from := open(t), open(t)
	first, second, third := post(1), post(1), post(1)
	second.Capture.Fetched = first.Capture.Fetched.Add(time.Hour)
	second.Post.Title = "更正"
	third.Capture.Fetched = first.Capture.Fetched.Add(2 * time.Hour)
	commit(t, into, news.Batch{Posts: []news.Captured{first}})
	commit(t, into, news.Batch{Posts: []news.Captured{third}})
	commit(t, from, news.Batch{Posts: []news.Captured{second}})
	r := merge(t, into, from)[0]
	if r != (archive.Merged{Source: from.Path(), Revisions: 1, Revised: 1}) {
		t.Errorf("%+v", r)
	}
	revs, err := into.Revisions(t.Context(), first.Post.ID)
	if err != nil || len(revs) != 2 || revs[1].Title != "更正" || !revs[0].LastSeen.Equal(third.Capture.Fetched) {
		t.Errorf("%+v, %v", revs, err)
	}
}

func TestMergeRefuses(t *testing.T) {
	a := full(t, 3)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(a.Path(), link); err != nil {
		t.Skip(err)
	}
	linked, err := archive.Open(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	before := dump(t, a.Path())
	for _, source := range []*archive.Archive{a, linked} {
		if _, err := a.Merge(t.Context(), source); !errors.Is(err, archive.ErrSame) {
			t.Errorf("from %s: %v", source.Path(), err)
		}
	}
	sameDump(t, before, dump(t, a.Path()))
}

// A source that others use for longer than a look takes is merged whole.
func TestMergeWaitsForSource(t *testing.T) {
	a := full(t, 30)
	revisions, loaded, err := archive.LoadForMerge(t.Context(), a, func() {
		release := hold(t, a.Path())
		time.AfterFunc(150*time.Millisecond, release) // longer than a look
	})
	if err != nil || revisions != 32 || loaded != revisions {
		t.Errorf("%d of %d revisions come next, %v", loaded, revisions, err)
	}
}

// Of a source that is crawled meanwhile, each link of a list page is known as
// soon as the page's validator is, and no alias leads nowhere.
func TestMergeFromACrawl(t *testing.T) {
	from := open(t)
	link := func(i int) news.Wanted {
		w := wantedPost(i)
		w.ID = news.ID(fmt.Sprintf("20211222-%016x", i))
		return w
	}
	// Each page that is read has one more link, and the post of the one before
	// is got.
	crawl := func(i int) {
		b := news.Batch{
			Found: []news.Wanted{link(i + 1)},
			Lists: []news.ListPage{{URL: "https://mirror.example/", Mirror: "m", Kind: news.KindHome, ETag: fmt.Sprint(i + 1), Checked: noon.Add(time.Duration(i) * time.Second)}},
		}
		p := post(i)
		p.Wanted = link(i)
		b.Posts = append(b.Posts, p)
		if _, err := from.Commit(t.Context(), &b); err != nil {
			t.Error(err)
		}
	}
	crawled := 0
	for ; crawled < 200; crawled++ {
		crawl(crawled)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ; crawled < 600 && t.Context().Err() == nil; crawled++ {
			crawl(crawled)
		}
	}()
	for meanwhile := true; meanwhile; {
		select {
		case <-ended:
			meanwhile = false
		default:
		}
		into := open(t)
		merge(t, into, from)
		lists, err := into.Lists(t.Context(), "m")
		if err != nil || len(lists) != 1 {
			t.Fatalf("list pages %+v, %v", lists, err)
		}
		var read int
		if _, err := fmt.Sscan(lists[0].ETag, &read); err != nil {
			t.Fatal(err)
		}
		wanted, err := into.Wanted(t.Context(), "", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for i := range read + 1 {
			id := link(i).ID
			if slices.ContainsFunc(wanted, func(w news.Wanted) bool { return w.ID == id }) {
				continue
			}
			if _, err := into.Post(t.Context(), id); err != nil {
				t.Errorf("link %d of the %d that are read: %v", i, read, err)
			}
		}
		clean(t, into)
	}
}

// damagedBackup returns an archive whose first block of pages is lost, and a
// backup of when it was whole.
func damagedBackup(t *testing.T, n int) (a, backup *archive.Archive) {
	t.Helper()
	a = everything(t, n)
	path := filepath.Join(t.TempDir(), "backup.db")
	if _, err := a.Backup(t.Context(), path, false); err != nil {
		t.Fatal(err)
	}
	backup, err := archive.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("captures")).Delete(seqKey(1)) })
	if r, err := a.Repair(t.Context(), nil, nil); err != nil || r.Lost != 32 {
		t.Fatalf("%v: %+v", err, r)
	}
	return a, backup
}

// Revisions whose pages are lost do not keep the others from being merged.
func TestMergeFromWhatLostPages(t *testing.T) {
	a, _ := damagedBackup(t, 80)
	into := open(t)
	r := merge(t, into, a)[0]
	if r.Lost != 32 || r.New+r.Revised != r.Revisions-32 {
		t.Errorf("%+v", r)
	}
	clean(t, into)
	lists, err := into.Lists(t.Context(), "m")
	if err != nil || len(lists) == 0 {
		t.Fatalf("list pages %+v, %v", lists, err)
	}
	for _, l := range lists {
		if l.ETag != "" || l.LastModified != "" {
			t.Errorf("%+v would not be read again, though its posts are not here", l)
		}
	}
}

// A merge of a backup brings lost pages back.
func TestMergeRestoresLostPages(t *testing.T) {
	a, backup := damagedBackup(t, 80)
	r := merge(t, a, backup)[0]
	if r.Restored != 32 || r.Held != r.Revisions-32 {
		t.Errorf("%+v", r)
	}
	sameDump(t, contents(t, backup), contents(t, a))
	if r := clean(t, a); r.Lost != 0 {
		t.Errorf("%d pages are still lost", r.Lost)
	}
	if r := merge(t, a, backup)[0]; r.Held != r.Revisions {
		t.Errorf("again: %+v", r)
	}
}

// quarrel returns an archive of a few posts that mirrors have in different
// states, now and then at one moment, as a crawl of some of them saw it.
func quarrel(t testing.TB, seed uint64) *archive.Archive {
	t.Helper()
	a := open(t)
	r := rand.New(rand.NewPCG(seed, 3))
	clock := noon.Add(24 * time.Hour)
	for range 12 {
		var b news.Batch
		for range 25 {
			// The steps of both crawls fall together often.
			clock = clock.Add(time.Duration(r.IntN(5)) * 15 * time.Second)
			p := post(r.IntN(4))
			p.Post.Title = fmt.Sprint("第", r.IntN(3), "版")
			p.Capture.Mirror = []string{"a", "b", "c"}[r.IntN(3)]
			p.Capture.Fetched = clock
			p.Capture.Body = append(p.Capture.Body, p.Post.Title+p.Capture.Mirror...)
			b.Posts = append(b.Posts, p)
			b.Seen = append(b.Seen, news.Seen{ID: p.Post.ID, Mirror: "a", Answer: news.Revisit{
				URL: p.Capture.URL, Status: http.StatusNotModified, Time: clock.Add(time.Second),
			}})
		}
		commit(t, a, b)
	}
	return a
}

// Of the answers by which a page was found to be as it was the last is taken, in
// whatever order the archives come; none of a page with other bytes.
func TestMergeTakesTheLastAnswer(t *testing.T) {
	p := post(1)
	met := func(advert string, after time.Duration) *archive.Archive {
		a := open(t)
		p := p
		p.Capture.Body = append(slices.Clone(p.Capture.Body), advert...)
		p.Capture.Fetched = p.Capture.Fetched.Add(time.Duration(len(advert)) * time.Second)
		commit(t, a, news.Batch{Posts: []news.Captured{p}})
		commit(t, a, news.Batch{Seen: []news.Seen{{ID: p.Post.ID, Mirror: p.Capture.Mirror, Answer: news.Revisit{
			URL: p.Capture.URL, Status: http.StatusNotModified, Time: p.Capture.Fetched.Add(after),
		}}}})
		return a
	}
	early, late, other := met("", time.Hour), met("", 2*time.Hour), met("<!-- another advert -->", 3*time.Hour)
	for _, sources := range [][]*archive.Archive{{early, late, other}, {other, late, early}} {
		into := open(t)
		merge(t, into, sources...)
		revs := selected(t, into, archive.Selection{All: true, Captures: true})
		if len(revs) != 1 || revs[0].Revisit == nil || !revs[0].Revisit.Time.Equal(p.Capture.Fetched.Add(2*time.Hour)) || !revs[0].LastSeen.After(revs[0].Revisit.Time) {
			t.Errorf("%+v", revs)
		}
	}
}

// Mirrors that disagree are merged to the same in whatever order their archives
// come, and once more to nothing.
func TestMergeOfMirrorsThatDisagree(t *testing.T) {
	for seed := range uint64(6) {
		x, y := quarrel(t, 2*seed), quarrel(t, 2*seed+1)
		one, other := open(t), open(t)
		merge(t, one, x, y)
		merge(t, other, y, x)
		want := contents(t, one)
		sameDump(t, want, contents(t, other))
		raw := dump(t, one.Path())
		for _, r := range merge(t, one, x, y) {
			if r.New+r.Revised > 0 {
				t.Errorf("seed %d: again: %+v", seed, r)
			}
		}
		sameDump(t, raw, dump(t, one.Path()))
		merge(t, x, y) // into what is there
		raw = dump(t, x.Path())
		merge(t, x, y)
		sameDump(t, raw, dump(t, x.Path()))
		clean(t, one)
		clean(t, x)
	}
}

// A run that had not ended when it was taken in gets its end by the next merge.
func TestMergeOfARunUnderWay(t *testing.T) {
	source, into := open(t), open(t)
	run := news.Run{Command: "crawl m", Mirrors: []string{"m"}, Started: noon}
	if err := source.StartRun(t.Context(), &run); err != nil {
		t.Fatal(err)
	}
	merge(t, into, source)
	run.Ended, run.New = noon.Add(time.Hour), 7
	commit(t, source, news.Batch{Run: &run})
	for range 2 {
		merge(t, into, source)
		runs, err := into.Runs(t.Context(), 0)
		if err != nil || len(runs) != 1 || !runs[0].Ended.Equal(run.Ended) || runs[0].New != 7 {
			t.Errorf("%+v, %v", runs, err)
		}
	}
	other := open(t) // it is not forgotten again
	old := news.Run{Command: run.Command, Mirrors: run.Mirrors, Started: run.Started}
	if err := other.StartRun(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	merge(t, into, other)
	if runs, err := into.Runs(t.Context(), 0); err != nil || len(runs) != 1 || runs[0].Ended.IsZero() {
		t.Errorf("%+v, %v", runs, err)
	}
}

// Pages that come back while an archive is verified are no damage.
func TestMergeWhileVerified(t *testing.T) {
	a, backup := damagedBackup(t, 80)
	r, err := archive.VerifyAround(t.Context(), a, func() error {
		_, err := a.Merge(t.Context(), backup)
		return err
	})
	if err != nil || !r.Clean() || !r.Complete {
		t.Errorf("%+v, %v", r, err)
	}
}
