package jekyll

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/intake"
	"github.com/finarc/finarc/news"
)

// memory is a store that keeps the last text of each post.
type memory struct {
	posts map[news.ID]string
	all   []news.Captured
	dry   bool
	fail  error
}

func (m *memory) Commit(_ context.Context, b *news.Batch) (done news.Committed, err error) {
	if m.fail != nil {
		return done, m.fail
	}
	posts := maps.Clone(m.posts)
	for _, p := range b.Posts {
		text := p.Post.Title + p.Post.Body
		was, held := posts[p.Post.ID]
		switch {
		case !held:
			done.Posts = append(done.Posts, news.ChangeNew)
		case was == text:
			done.Posts = append(done.Posts, news.ChangeUnchanged)
		default:
			done.Posts = append(done.Posts, news.ChangeRevised)
		}
		posts[p.Post.ID] = text
	}
	if !m.dry {
		m.posts, m.all = posts, append(m.all, b.Posts...)
	}
	done.Leads = len(b.Leads)
	return done, nil
}

func importAt() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678901, time.UTC) }

func (m *memory) imports(t *testing.T, paths ...string) (Imported, error) {
	t.Helper()
	if m.posts == nil {
		m.posts = make(map[news.ID]string)
	}
	r, err := Import(t.Context(), Files(paths), ImportOptions{Site: newReader(t).site, Store: m, Dry: m.dry, Now: importAt})
	if !r.AddsUp() {
		t.Errorf("%+v does not add up", r)
	}
	return r, err
}

// files writes files into a new folder.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func post(n int, title, body string) string {
	return fmt.Sprintf("---\nlayout: post\ntitle: \"%s\"\ndate: 2021-12-22 10:37:15 +0800\ncategories: cebao\n---\n%s\n\n<http://s.example/NewsShare.html?infoCode=NW20211222%010d>", title, body, n)
}

// TestImport imports a folder with everything in it that a folder may hold.
func TestImport(t *testing.T) {
	dir := files(t, map[string]string{
		"_posts/2021-12-22-NW202112220000000001.md":        post(1, "一", "<p>甲</p>"),
		"_posts/2021-12-22-NW202112220000000002.markdown":  post(2, "", "<p>乙。</p>"),
		"_posts/deep/2021-12-22-NW202112220000000003.md":   post(3, "三", "<p>丙</p>"),
		"_posts/deep/2021-12-22-NW202112220000000001.md":   post(1, "一", "<p>甲</p>"),
		"_posts/deep/2021-12-22-NW202112220000000003-b.md": post(3, "三", "<p>丙，改</p>"),
		"_posts/about.md":       "关于",
		"_posts/large.md":       strings.Repeat("x", maxFile+1),
		"_posts/picture.png":    "",
		"_posts/.hidden.md":     post(4, "四", ""),
		"_posts/_drafts/a.md":   post(4, "四", ""),
		"index.md":              "---\n---\n",
		"_site/2021-12-22-a.md": post(4, "四", ""),
	})
	if err := os.Symlink("nowhere", filepath.Join(dir, "_posts", "gone.md")); err != nil {
		t.Skip(err)
	}
	dry := &memory{dry: true}
	store := &memory{}
	for _, m := range []*memory{dry, store} {
		r, err := m.imports(t, dir)
		want := map[string]int{ErrNoFrontMatter.Error(): 1, ErrLarge.Error(): 1, "no such file or directory": 1}
		if err != nil || r.Files != 8 || r.New != 3 || r.Same != 1 || r.Revised != 1 || !maps.Equal(r.Refused, want) {
			t.Fatalf("%v, got %+v", err, r)
		}
		if !maps.Equal(r.Faults, map[string]int{FaultTitle: 1}) || r.Derived != 1 || r.Daily != 0 {
			t.Errorf("got %+v", r)
		}
	}
	if len(dry.all) != 0 {
		t.Error("the dry run brought something")
	}
	c := store.all[0].Capture
	if c.URL != "file:///2021-12-22-NW202112220000000001.md" || c.Mode != news.ModeImport || c.Kind != news.KindJekyll ||
		c.Mirror != "m" || string(c.Body) != post(1, "一", "<p>甲</p>") || !c.Fetched.Equal(importAt().Truncate(time.Millisecond)) {
		t.Errorf("got %+v", c)
	}
	if r, err := (&memory{}).imports(t, filepath.Join(dir, "_posts", "deep"), filepath.Join(dir, "_posts", "about.md")); err != nil || r.New != 2 || r.Files != 4 {
		t.Errorf("%v, got %+v", err, r)
	}
}

// TestDryRunOverPortions: a dry run tells of posts that two portions hold what
// an import makes of them.
func TestDryRunOverPortions(t *testing.T) {
	texts := make(map[string]string)
	for n := range intake.PortionPosts {
		texts[fmt.Sprintf("_posts/a/2021-12-22-NW20211222%010d.md", n)] = post(n, "题", "<p>甲</p>")
		texts[fmt.Sprintf("_posts/b/2021-12-22-NW20211222%010d.md", n)] = post(n, "题", []string{"<p>甲</p>", "<p>乙</p>"}[n%2])
	}
	dir := files(t, texts)
	want, err := (&memory{}).imports(t, dir)
	if err != nil || want.New != intake.PortionPosts || want.Same != intake.PortionPosts/2 || want.Revised != intake.PortionPosts/2 {
		t.Fatalf("%v, got %+v", err, want)
	}
	got, err := (&memory{dry: true}).imports(t, dir)
	if err != nil || got.New != want.New || got.Same != want.Same || got.Revised != want.Revised {
		t.Errorf("%v, got %+v, want %+v", err, got, want)
	}
}

// TestImportStops: an import ends with the store's error, or a path that is not
// there, and tells what was done before.
func TestImportStops(t *testing.T) {
	dir := files(t, map[string]string{"2021-12-22-NW202112220000000001.md": post(1, "一", "<p>甲</p>")})
	full := errors.New("disk full")
	if r, err := (&memory{fail: full}).imports(t, dir); !errors.Is(err, full) || r.Files != 0 {
		t.Errorf("%v, got %+v", err, r)
	}
	if r, err := (&memory{}).imports(t, filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) || r.Files != 0 {
		t.Errorf("%v, got %+v", err, r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Import(ctx, Files([]string{dir}), ImportOptions{Site: newReader(t).site, Store: &memory{}, Now: importAt})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestFilesEndEarly: no more is walked than is asked for.
func TestFilesEndEarly(t *testing.T) {
	dir := files(t, map[string]string{"a.md": "", "b.md": "", "c/d.md": ""})
	var got []string
	for f, err := range Files([]string{dir, dir}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, filepath.Base(f.Path)); len(got) == 2 {
			break
		}
	}
	if !slices.Equal(got, []string{"a.md", "b.md"}) {
		t.Errorf("got %q", got)
	}
}
