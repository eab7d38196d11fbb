package search_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/search"
)

func TestUpdateFollowsChanges(t *testing.T) {
	m := &memory{mark: "one"}
	m.commit(post(0, "第一", "原油"), post(1, "第二", "黄金"))
	x := indexOf(t, m)
	if u := update(t, x, m); u.Posts != 0 || u.Behind != 0 || u.Rebuilt != "" {
		t.Errorf("nothing has come, and %+v", u)
	}
	m.commit(post(2, "第三", "原油与白银"), post(0, "第一改", "白银"))
	if behind, err := x.Behind(t.Context(), m); behind != 2 || err != nil {
		t.Errorf("behind %d, %v, want 2", behind, err)
	}
	if u := update(t, x, m); u.Posts != 2 || u.Rebuilt != "" {
		t.Errorf("two have come, and %+v", u)
	}
	for query, want := range map[string]string{"原油": "c", "白银": "ca", "黄金": "b", "第一改": "a"} {
		if got := found(t, x, m, search.Query{Text: query, Sort: search.ByTime}); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	m.commit(post(1, "第二改", "铜"))
	if got := found(t, x, m, search.Query{Text: "黄金"}); got != "" {
		t.Errorf("%q is found by a text that it has no more", got)
	}
}

// TestStaleIndexIsMadeAnew: another archive, or an older copy of it that went on
// otherwise, in the place of the one that was indexed.
func TestStaleIndexIsMadeAnew(t *testing.T) {
	m := &memory{mark: "one"}
	m.commit(post(0, "第一", "原油"), post(1, "第二", "原油"))
	x := indexOf(t, m)
	for name, other := range map[string]func(o *memory){
		"another": func(o *memory) { o.mark = "two"; o.commit(m.changes[0].Post, m.changes[1].Post) },
		"shorter": func(o *memory) { o.mark = "one"; o.commit(m.changes[0].Post) },
		"otherwise": func(o *memory) {
			o.mark = "one"
			o.commit(m.changes[0].Post, post(2, "第三", "铜"), post(3, "第四", ""))
		},
	} {
		o := &memory{}
		other(o)
		if _, err := x.Behind(t.Context(), o); !errors.Is(err, search.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := x.Update(t.Context(), o, search.Options{NoRebuild: true}); !errors.Is(err, search.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
		if u := update(t, x, o); u.Rebuilt == "" || u.Posts != len(o.changes) || u.Behind != 0 {
			t.Errorf("%s: %+v", name, u)
		}
		if u := update(t, x, m); u.Posts == 0 || found(t, x, m, search.Query{Text: "原油", Sort: search.ByTime}) != "ba" {
			t.Errorf("%s, and back: %+v", name, u)
		}
	}
}

func TestDamagedIndexIsMadeAnew(t *testing.T) {
	m := &memory{mark: "one"}
	m.commit(post(0, "第一", "原油"))
	for name, damage := range map[string]func(file string) error{
		"empty":   func(file string) error { return os.Truncate(file, 0) },
		"cut":     func(file string) error { return os.Truncate(file, 5000) },
		"text":    func(file string) error { return os.WriteFile(file, []byte("no database, but some text"), 0o644) },
		"missing": os.Remove,
	} {
		dir := filepath.Join(t.TempDir(), "index")
		x := search.Open(dir, page.Text)
		update(t, x, m)
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*", "index.sqlite"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if err := damage(files[0]); err != nil {
			t.Fatal(err)
		}
		_, err = x.Search(t.Context(), m, search.Query{Text: "原油"})
		if !errors.Is(err, search.ErrDamaged) {
			t.Errorf("%s: a search says %v", name, err)
		}
		if u := update(t, x, m); u.Rebuilt == "" {
			t.Errorf("%s: %+v", name, u)
		}
		if got := found(t, x, m, search.Query{Text: "原油"}); got != "a" {
			t.Errorf("%s: found %q", name, got)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoIndex(t *testing.T) {
	x := search.Open(filepath.Join(t.TempDir(), "index"), page.Text)
	if _, err := x.Search(t.Context(), &memory{}, search.Query{Text: "原油"}); !errors.Is(err, search.ErrNoIndex) {
		t.Error(err)
	}
	if _, err := x.Update(t.Context(), &memory{}, search.Options{NoRebuild: true}); !errors.Is(err, search.ErrNoIndex) {
		t.Error(err)
	}
}

// TestInterruptedRebuildLeavesTheOldIndex, and nothing else.
func TestInterruptedRebuildLeavesTheOldIndex(t *testing.T) {
	m := &memory{mark: "one"}
	m.commit(post(0, "第一", "原油"))
	dir := filepath.Join(t.TempDir(), "index")
	x := search.Open(dir, page.Text)
	defer x.Close()
	update(t, x, m)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Update(ctx, m, search.Options{Rebuild: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted, it says %v", err)
	}
	if got := found(t, x, m, search.Query{Text: "原油"}); got != "a" {
		t.Errorf("found %q", got)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 1 || err != nil {
		t.Errorf("%v %v", entries, err)
	}
}

// TestSeveralAtOnce: updates, rebuilds and searches of several handles, as of
// several processes, while changes come.
func TestSeveralAtOnce(t *testing.T) {
	const posts = 120
	world, err := mirror.New(mirror.Options{Posts: posts, Categories: 5, Seed: 3, Base: "http://mirror.example"})
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{mark: "one"}
	for i := range posts {
		m.commit(world.Post(i))
	}
	part := *m // the archive before the second half came
	part.changes = m.changes[:posts/2]
	dir := filepath.Join(t.TempDir(), "index")
	g, ctx := errgroup.WithContext(t.Context())
	first := search.Open(dir, page.Text)
	update(t, first, &part)
	for n := range 4 {
		g.Go(func() (err error) {
			x := search.Open(dir, page.Text)
			defer func() { err = errors.Join(err, x.Close()) }()
			for range 3 {
				if _, err := x.Update(ctx, m, search.Options{Rebuild: n < 2}); err != nil {
					return err
				}
				if _, err := x.Search(ctx, m, search.Query{Text: "的"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := len(find(t, first, m, search.Query{Mirror: "local"})), posts; got != want {
		t.Errorf("%d posts are found, want %d", got, want)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFoldedStories(t *testing.T) {
	a, b, c, d := post(0, "起源", "原油"), post(1, "转载", "原油"), post(2, "又转", "原油与铜"), post(3, "别的", "原油")
	m := &memory{stories: map[string][]news.ID{"story": {a.ID, b.ID, c.ID}}}
	m.commit(a, b, c, d)
	x := indexOf(t, m)
	for _, c := range []struct{ query, want string }{
		{"原油", "da"}, {"原油 -起源", "db"}, {"铜", "c"}, {"原油 from:2021-12-21", "d"}, {"原油 to:2021-12-20", "a"},
	} {
		if got := found(t, x, m, search.Query{Text: c.query, Sort: search.ByTime, Fold: true, Limit: 1}); got != c.want {
			t.Errorf("%s: %q, want %q", c.query, got, c.want)
		}
	}
	if hits := find(t, x, m, search.Query{Text: "铜", Fold: true}); len(hits) != 1 || hits[0].Others != 2 {
		t.Errorf("%+v, want one with two others", hits)
	}
}
