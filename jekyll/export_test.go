package jekyll

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

// snapshot returns what a folder holds, with the times at which its files were
// written.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = fmt.Sprint(info.ModTime().UnixNano(), string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func mustExport(t *testing.T, dir string, revs ...news.Revision) Report {
	t.Helper()
	report, err := Export(context.Background(), dir, each(revs), ExportOptions{Options: mirror(), Categories: true})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestExportTwiceChangesNothing(t *testing.T) {
	dir := t.TempDir()
	revs := hostilePosts()
	if r := mustExport(t, dir, revs...); r.Written != len(revs) || r.Unchanged != 0 || r.Pages < 10 || len(r.Refused) != 0 {
		t.Errorf("got %+v", r)
	}
	before := snapshot(t, dir)
	if r := mustExport(t, dir, revs...); r.Written != 0 || r.Unchanged != len(revs) || r.Pages != 0 {
		t.Errorf("got %+v", r)
	}
	if after := snapshot(t, dir); !reflect.DeepEqual(after, before) {
		t.Error("the second export changed files")
	}
}

func TestExportKeepsEdits(t *testing.T) {
	dir := t.TempDir()
	mustExport(t, dir, numbered(1, "题", "<p>文</p>"))
	edited := filepath.Join(dir, "_layouts", "post.html")
	if err := os.WriteFile(edited, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := mustExport(t, dir, numbered(1, "新题", "<p>文</p>")); r.Written != 1 || r.Pages != 0 {
		t.Errorf("got %+v", r)
	}
	if data, _ := os.ReadFile(edited); string(data) != "mine" {
		t.Errorf("the edited layout is now %q", data)
	}
}

func TestExportRefuses(t *testing.T) {
	dayless := news.Revision{Post: news.Post{ID: "00000000-0123456789abcdef", Title: "无日"}}
	report := mustExport(t, t.TempDir(), dayless, numbered(1, "题", ""))
	want := []Refusal{{ID: dayless.ID, Reason: "post 00000000-0123456789abcdef: no day is known"}}
	if report.Written != 1 || !reflect.DeepEqual(report.Refused, want) {
		t.Errorf("got %+v, want %+v refused", report, want)
	}
}

// A post whose page was lost has no text: the file of an earlier export stays.
func TestExportKeepsWhatTheArchiveLost(t *testing.T) {
	dir := t.TempDir()
	rev := numbered(1, "题", "<p>正文</p>")
	mustExport(t, dir, rev)
	before := snapshot(t, filepath.Join(dir, "_posts"))
	rev.Body, rev.Lost = "", true
	if r := mustExport(t, dir, rev); r.Written != 0 || len(r.Refused) != 1 {
		t.Errorf("got %+v", r)
	}
	if after := snapshot(t, filepath.Join(dir, "_posts")); !reflect.DeepEqual(after, before) {
		t.Errorf("got %v, want %v", after, before)
	}
}

// TestOwnPagesOfOneName exports pages of different sites that have one slug,
// in different runs and orders: each keeps a file of its own.
func TestOwnPagesOfOneName(t *testing.T) {
	own := func(n int, title string) news.Revision {
		rev := numbered(1, title, "<p>"+title+"</p>")
		rev.ID, rev.InfoCode = news.ID(fmt.Sprintf("20211222-%016x", n)), ""
		rev.URL = fmt.Sprintf("https://m%d.example/a/2021/12/22/kaizhan.html", n)
		return rev
	}
	dir := t.TempDir()
	mustExport(t, dir, own(1, "甲"), own(2, "乙"))
	mustExport(t, dir, own(2, "乙改"))
	mustExport(t, dir, own(3, "丙"), own(1, "甲改"))
	for name, title := range map[string]string{
		"2021-12-22-kaizhan.md":                           "甲改",
		"2021-12-22-kaizhan-20211222-0000000000000002.md": "乙改",
		"2021-12-22-kaizhan-20211222-0000000000000003.md": "丙",
	} {
		data, err := os.ReadFile(filepath.Join(dir, "_posts", name))
		if err != nil || !bytes.Contains(data, []byte(`title: "`+title+`"`)) {
			t.Errorf("%s: %v, got %s", name, err, data)
		}
	}
	if files := snapshot(t, filepath.Join(dir, "_posts")); len(files) != 3 {
		t.Errorf("got %d files, want 3", len(files))
	}
}

func TestExportStopsAtErrors(t *testing.T) {
	broken := errors.New("broken archive")
	posts := func(yield func(news.Revision, error) bool) {
		if yield(numbered(1, "题", ""), nil) {
			yield(news.Revision{}, broken)
		}
	}
	report, err := Export(context.Background(), t.TempDir(), posts, ExportOptions{})
	if !errors.Is(err, broken) || report.Written != 1 {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestExportStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	posts := func(yield func(news.Revision, error) bool) {
		for n := 1; ; n++ {
			if n == 3 {
				cancel()
			}
			if !yield(numbered(n, "题", ""), nil) {
				return
			}
		}
	}
	report, err := Export(ctx, t.TempDir(), posts, ExportOptions{})
	if !errors.Is(err, context.Canceled) || report.Written != 2 {
		t.Errorf("got %+v, %v", report, err)
	}
}

// TestExportNamesWhatItCannotWrite puts a folder where a post's file belongs.
func TestExportNamesWhatItCannotWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "_posts", "2021-12-22-NW202112220000000001.md")
	if err := os.MkdirAll(filepath.Join(path, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Export(context.Background(), dir, each([]news.Revision{numbered(1, "题", "")}), ExportOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "write "+path+": ") {
		t.Errorf("got %v", err)
	}
	noTemporaries(t, dir)
}

func noTemporaries(t *testing.T, dir string) {
	t.Helper()
	for name := range snapshot(t, dir) {
		if strings.Contains(name, ".finarc-") {
			t.Errorf("%s is left over", name)
		}
	}
}

// TestExportStaysInside puts links that lead out of the folder where the
// export writes.
func TestExportStaysInside(t *testing.T) {
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"_posts": outside,
		filepath.Join("_posts", "2021-12-22-NW202112220000000001.md"): victim,
		filepath.Join("category", "cebao.html"):                       victim,
		"category":                                                    outside,
		"_layouts":                                                    outside,
	} {
		dir := t.TempDir()
		at := filepath.Join(dir, link)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, at); err != nil {
			t.Skip(err)
		}
		_, _ = Export(context.Background(), dir, each([]news.Revision{numbered(1, "题", "")}), ExportOptions{Categories: true})
		if files := snapshot(t, outside); len(files) != 1 || !strings.HasSuffix(files["victim"], "untouched") {
			t.Errorf("%s -> %s: got %q outside", link, target, files)
		}
	}
}

func TestCategoryPagesOfOneSpelling(t *testing.T) {
	dir := t.TempDir()
	lower, upper := numbered(1, "题", ""), numbered(2, "题", "")
	lower.Category, upper.Category = "caijing", "Caijing"
	mustExport(t, dir, lower)
	mustExport(t, dir, upper)
	mustExport(t, dir, upper, lower)
	entries, err := os.ReadDir(filepath.Join(dir, "category"))
	if err != nil || len(entries) != 2 || strings.EqualFold(entries[0].Name(), entries[1].Name()) {
		t.Errorf("got %v, %v, want two pages whose names differ in more than case", entries, err)
	}
}

// BenchmarkExport exports a new folder of ordinary posts per round, and then
// the same again.
func BenchmarkExport(b *testing.B) {
	body := strings.Repeat(ordinary, 20)
	for _, again := range []bool{false, true} {
		b.Run(map[bool]string{false: "new", true: "unchanged"}[again], func(b *testing.B) {
			dir := b.TempDir()
			if again {
				exportNumbered(b, dir, body, b.N)
				b.ResetTimer()
			}
			start := time.Now()
			exportNumbered(b, dir, body, b.N)
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "posts/s")
		})
	}
}

func exportNumbered(b *testing.B, dir, body string, n int) {
	b.Helper()
	var posts iter.Seq2[news.Revision, error] = func(yield func(news.Revision, error) bool) {
		for i := range n {
			if !yield(numbered(i+1, "某公司发布年报", body), nil) {
				return
			}
		}
	}
	if _, err := Export(context.Background(), dir, posts, ExportOptions{Options: mirror()}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkMarshal(b *testing.B) {
	rev := numbered(1, "某公司发布年报", strings.Repeat(ordinary, 20))
	b.SetBytes(int64(len(rev.Body)))
	for b.Loop() {
		if _, err := Marshal(&rev, mirror()); err != nil {
			b.Fatal(err)
		}
	}
}
