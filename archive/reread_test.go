package archive_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
)

// asStored returns a reader that reads captures as the archive already has
// them, and then lets edit change what it read.
func asStored(t *testing.T, a *archive.Archive, edit func(*news.Post) error) archive.Reader {
	t.Helper()
	known := make(map[string]news.Post)
	for rev := range each(t, a.Select(t.Context(), archive.Selection{})) {
		all, err := a.Revisions(t.Context(), rev.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			known[r.URL+r.Fetched.String()] = r.Post
		}
	}
	return func(c *news.Capture) (*news.Post, error) {
		p, ok := known[c.URL+c.Fetched.String()]
		if !ok {
			return nil, errors.New("no post")
		}
		if edit != nil {
			if err := edit(&p); err != nil {
				return nil, err
			}
		}
		return &p, nil
	}
}

func reread(t *testing.T, a *archive.Archive, read archive.Reader, o archive.RereadOptions) archive.Reread {
	t.Helper()
	r, err := a.Reread(t.Context(), read, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Revisions != r.Unchanged+r.Changed+r.Unreadable+r.Lost {
		t.Errorf("the numbers do not add up: %+v", r)
	}
	return r
}

// better reads titles and securities otherwise than they were read, and one
// post not at all.
func better(p *news.Post) error {
	switch {
	case strings.HasPrefix(p.Title, "第7号"):
		return errors.New("a block page")
	case strings.HasPrefix(p.Title, "第1"):
		p.Title = "更好的" + p.Title
	case strings.HasPrefix(p.Title, "第2"):
		p.Category, p.Tag = "yicai", "第一财经新闻"
		p.Securities = []news.Mention{{Security: news.Security{Market: 1, Code: "688001"}, Name: "新", Count: 1}}
		p.Published = p.Published.Add(-24 * time.Hour)
	case strings.HasPrefix(p.Title, "第3"):
		p.Category, p.InfoCode, p.ID = "", p.InfoCode[2:], p.InfoCode.ID() // what the page does not tell stays
	}
	return nil
}

func TestReread(t *testing.T) {
	const n = 400
	a := full(t, n)
	before := dump(t, a.Path())
	if r := reread(t, a, asStored(t, a, nil), archive.RereadOptions{}); r.Unchanged != n+2 || r.Apart != 1 || r.Recovered != 0 {
		t.Errorf("%+v", r)
	}
	sameDump(t, before, dump(t, a.Path()))

	read := asStored(t, a, better)
	want := archive.Reread{
		Revisions: n + 2, Unchanged: n + 2 - 1 - 2*111 - 1, Changed: 2*111 + 1, Unreadable: 1,
		Fields:  map[string]int{"title": 111, "category": 112, "tag": 112, "securities": 112, "published": 112},
		Reasons: map[string]int{"a block page": 1}, Apart: 1,
	}
	tried := reread(t, a, read, archive.RereadOptions{DryRun: true})
	sameDump(t, before, dump(t, a.Path()))
	posts := make(map[news.ID]news.Post)
	for rev := range each(t, a.Select(t.Context(), archive.Selection{Body: true})) {
		posts[rev.ID] = rev.Post
	}
	done := reread(t, a, read, archive.RereadOptions{})
	for _, r := range []archive.Reread{tried, done} {
		r.Began = time.Time{}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	after := selected(t, a, archive.Selection{Body: true})
	if len(after) != len(posts) {
		t.Errorf("%d posts, want %d", len(after), len(posts))
	}
	for _, rev := range after {
		p := posts[rev.ID]
		_ = better(&p)
		p.InfoCode, p.Category = posts[rev.ID].InfoCode, rev.Category
		if diff := cmp.Diff(p, rev.Post); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rev.ID, diff)
		}
	}
	// The indexes say what the records do.
	if got := len(selected(t, a, archive.Selection{Security: "688001"})); got != 111 && got != 112 {
		t.Errorf("%d posts mention the security, want 111 or 112", got)
	}
	for rev := range each(t, a.Select(t.Context(), archive.Selection{Category: "21caijing"})) {
		if rev.Category != "21caijing" {
			t.Errorf("%s is of %s", rev.ID, rev.Category)
		}
	}
	if _, err := a.Backup(t.Context(), a.Path()+".copy", false); err != nil {
		t.Errorf("it is not whole: %v", err)
	}
}

// A reread that is interrupted goes on where it was, and ends as one that was
// not, its counts included.
func TestRereadResumes(t *testing.T) {
	t.Parallel()
	const n = 1500
	whole, a := full(t, n), full(t, n)
	want := reread(t, whole, asStored(t, whole, better), archive.RereadOptions{})
	read := asStored(t, a, better)
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	r, err := a.Reread(ctx, func(c *news.Capture) (*news.Post, error) {
		if calls++; calls == n/2 {
			cancel()
		}
		return read(c)
	}, archive.RereadOptions{})
	if !errors.Is(err, context.Canceled) || r.Revisions == 0 || r.Revisions >= n {
		t.Fatalf("%+v, %v", r, err)
	}
	got := reread(t, a, read, archive.RereadOptions{})
	if got.Resumed != uint64(r.Revisions)+1 || !got.Began.Equal(r.Began.Truncate(time.Second)) && !got.Began.Equal(r.Began) {
		t.Errorf("it was begun on %v and went on at %d: %+v", r.Began, got.Resumed, r)
	}
	got.Resumed, got.Began = 0, want.Began
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sameDump(t, contents(t, whole), contents(t, a))
	again := reread(t, a, read, archive.RereadOptions{})
	if again.Resumed != 0 || again.Revisions != n+2 {
		t.Errorf("after the end it begins anew: %+v", again)
	}
}

// What was kept apart becomes a post once it can be read.
func TestRereadOfWhatIsKeptApart(t *testing.T) {
	a := open(t)
	p, linked := post(1), post(2)
	w := wantedPost(1)
	w.Category = "21caijing"
	link := news.ID("20211222-0123456789abcdef")
	commit(t, a, news.Batch{
		Failed: []news.Wanted{w},
		Unread: []news.Captured{
			{Post: news.Post{ID: p.Post.ID}, Capture: p.Capture, Wanted: news.Wanted{Error: "unreadable"}},
			{Post: news.Post{ID: link}, Capture: linked.Capture, Wanted: news.Wanted{Error: "unreadable"}},
			{Post: news.Post{ID: post(3).Post.ID}, Capture: post(4).Capture, Wanted: news.Wanted{Error: "another"}},
		},
	})
	read := func(c *news.Capture) (*news.Post, error) {
		for i := range 6 {
			if q := post(i); q.Capture.URL == c.URL {
				if i == 1 {
					q.Post.Category = ""
				}
				return &q.Post, nil
			}
		}
		return nil, errors.New("no post")
	}
	if r := reread(t, a, read, archive.RereadOptions{DryRun: true}); r.Apart != 3 || r.Recovered != 2 {
		t.Errorf("%+v", r)
	}
	if r := reread(t, a, read, archive.RereadOptions{}); r.Apart != 3 || r.Recovered != 2 {
		t.Errorf("%+v", r)
	}
	rev, err := a.Post(t.Context(), p.Post.ID)
	if err != nil || rev.Category != "21caijing" || !rev.Fetched.Equal(p.Capture.Fetched) {
		t.Errorf("%+v, %v", rev, err)
	}
	if rev, err := a.Post(t.Context(), link); err != nil || rev.ID != linked.Post.ID {
		t.Errorf("%+v, %v", rev, err)
	}
	if s, err := a.Stats(t.Context(), time.Time{}); err != nil || s.Unread != 1 || s.Failed != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if r := reread(t, a, read, archive.RereadOptions{}); r.Apart != 1 || r.Recovered != 0 || r.Unchanged != 2 {
		t.Errorf("again: %+v", r)
	}
}

// Backups, compactions and a crawl go on while posts are read again.
func TestRereadWhileOthersWrite(t *testing.T) {
	t.Parallel()
	const n = 1000
	a := open(t)
	commit(t, a, news.Batch{Posts: posts(n)})
	read := asStored(t, a, better)
	w := startWriter(t, a.Path(), n)
	t.Cleanup(w.end)
	var rereads sync.WaitGroup
	rereads.Go(func() {
		for range 3 {
			if _, err := a.Reread(t.Context(), read, archive.RereadOptions{}); err != nil {
				t.Error(err)
			}
		}
	})
	other, err := archive.Open(t.Context(), a.Path())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := other.Compact(t.Context()); err != nil {
			t.Error(err)
		}
	}
	rereads.Wait()
	w.end()
	if got := existed(t, a.Path()); got != n+w.batches*perBatch {
		t.Errorf("%d posts, want %d", got, n+w.batches*perBatch)
	}
	if got := len(selected(t, a, archive.Selection{Security: "688001"})); got != 111 {
		t.Errorf("%d posts mention the security, want 111", got)
	}
}

// Revisions whose pages are lost are passed over.
func TestRereadOfLostPages(t *testing.T) {
	a, _ := damagedBackup(t, 80)
	r := reread(t, a, asStored(t, a, nil), archive.RereadOptions{})
	if r.Lost != 32 || r.Unchanged != r.Revisions-32 {
		t.Errorf("%+v", r)
	}
}

// A reread that was interrupted is not gone on with by another reader.
func TestRereadOfAnotherVersion(t *testing.T) {
	const n = 600
	a := full(t, n)
	read := asStored(t, a, nil)
	interrupt := func(version string) archive.Reread {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls := 0
		r, err := a.Reread(ctx, func(c *news.Capture) (*news.Post, error) {
			if calls++; calls == n/2 {
				cancel()
			}
			return read(c)
		}, archive.RereadOptions{Version: version})
		if !errors.Is(err, context.Canceled) || r.Revisions == 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		return r
	}
	interrupt("1")
	if r := interrupt("2"); !r.Anew || r.Resumed != 0 {
		t.Errorf("the second reader's: %+v", r)
	}
	r := reread(t, a, read, archive.RereadOptions{Version: "2"})
	if r.Anew || r.Resumed == 0 || r.Revisions != n+2 {
		t.Errorf("gone on with: %+v", r)
	}
}

// One that is interrupted among what is kept apart tells in the end of all that
// became posts.
func TestInterruptedRereadOfWhatIsKeptApart(t *testing.T) {
	const n, portion = 600, 512
	a := open(t)
	var b news.Batch
	for i := range n {
		b.Unread = append(b.Unread, news.Captured{Post: news.Post{ID: post(i).Post.ID}, Capture: post(i).Capture, Wanted: news.Wanted{Error: "unreadable"}})
	}
	commit(t, a, b)
	byURL := make(map[string]news.Post)
	for i := range n {
		byURL[post(i).Capture.URL] = post(i).Post
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reads := 0
	_, err := a.Reread(ctx, func(c *news.Capture) (*news.Post, error) {
		if reads++; reads > portion {
			cancel()
		}
		p := byURL[c.URL]
		return &p, nil
	}, archive.RereadOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r := reread(t, a, func(c *news.Capture) (*news.Post, error) {
		p := byURL[c.URL]
		return &p, nil
	}, archive.RereadOptions{})
	if r.Apart != n || r.Recovered != n {
		t.Errorf("%d kept apart, and %d of them posts now, of %d", r.Apart, r.Recovered, n)
	}
}
