package jekyll

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/finarc/finarc/news"
)

// samples returns the mirror's own posts, which are not part of this project:
// their folder is told by FINARC_SAMPLES, or lies beside the checkout.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	dir := cmp.Or(os.Getenv("FINARC_SAMPLES"), filepath.Join("..", "..", "shared", "samples"))
	paths, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(paths) == 0 {
		t.Skipf("no posts of the mirror in %s: %v", dir, err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = withZone(data)
	}
	return files
}

// withZone writes out the zone that the oldest posts leave unsaid, and that
// Jekyll would take for UTC.
func withZone(data []byte) []byte {
	return regexp.MustCompile(`(?m)^date: \S+ [0-9:]+$`).ReplaceAll(data, []byte("$0 +0800"))
}

// TestSamples builds the mirror's own posts, reads them from the pages as they
// are served, exports them, and builds the export: it must be the same site.
func TestSamples(t *testing.T) {
	files := samples(t)
	original := export(t, nil)
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(original, "_posts", name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	served := build(t, original)
	var revs []news.Revision
	for name, data := range files {
		revs = append(revs, servedPost(t, served, name, data))
	}
	dir := export(t, revs)
	again := build(t, dir)
	before, after := postPages(t, served), postPages(t, again)
	for i := range revs {
		id := revs[i].ID
		rel, _ := filepath.Rel(served, before[id])
		if got, _ := filepath.Rel(again, after[id]); got != rel {
			t.Errorf("post %s is at %s, want %s", id, got, rel)
		}
		want, got := readPage(t, before[id]), readPage(t, after[id])
		if want.title != got.title || want.small != got.small || want.tags != got.tags || dump(want.article) != dump(got.article) {
			t.Errorf("post %s: got\n%+v\n%swant\n%+v\n%s", id, got, dump(got.article), want, dump(want.article))
		}
	}
	compareFiles(t, filepath.Join(dir, "_posts"), files)
}

// servedPost reads a post from its page, and its front matter from its file.
func servedPost(t *testing.T, site, name string, data []byte) news.Revision {
	t.Helper()
	var front struct{ Title, Date, Categories, Tags string }
	if err := yaml.Unmarshal(bytes.Split(data, []byte("---\n"))[1], &front); err != nil {
		t.Fatal(err)
	}
	published, err := time.Parse(dateLayout, front.Date)
	if err != nil {
		t.Fatal(err)
	}
	code, ok := news.FindInfoCode(name[len("2021-12-22-"):])
	if !ok {
		t.Fatalf("%s has no infoCode", name)
	}
	served, err := os.ReadFile(postPages(t, site)[code.ID()])
	if err != nil {
		t.Fatal(err)
	}
	_, content, _ := strings.Cut(string(served), "</h1>\n")
	content, _, _ = strings.Cut(content, "\n<small>tags")
	parts := strings.Split(strings.TrimSpace(content), "\n\n")
	n := len(parts) - 2
	return news.Revision{Post: news.Post{
		ID: code.ID(), InfoCode: code, Title: front.Title, Published: published,
		Category: front.Categories, Tag: front.Tags,
		Body: strings.Join(parts[:n], "\n\n"), Foot: parts[n] + "\n\n" + parts[n+1],
	}}
}

// compareFiles asks that the files have their names, front matters and feet
// back byte for byte, as far as the oldest had the form of today.
func compareFiles(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if front, _, _ := bytes.Cut(want, []byte("\n---\n")); !bytes.HasPrefix(got, append(front, "\n---\n<"...)) {
			t.Errorf("%s: got front matter\n%s\nwant\n%s", name, got, front)
		}
		if foot := want[bytes.LastIndex(want, []byte("\n\n<http")):]; !bytes.HasSuffix(got, foot) {
			t.Errorf("%s: got foot\n%s\nwant\n%s", name, got[bytes.LastIndex(got, []byte("\n\n")):], foot)
		}
	}
}
