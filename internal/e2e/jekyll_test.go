package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/jekyll"
	"github.com/finarc/finarc/news"
	"golang.org/x/net/html"
)

// TestJekyllRoundTrip goes the whole way: posts are built by Jekyll into a
// site, finarc serves it as a mirror, crawls it, and dumps the archive, and
// Jekyll builds the dump. The dump must be the posts again.
func TestJekyllRoundTrip(t *testing.T) {
	t.Run("fixtures", func(t *testing.T) {
		roundTrip(t, filepath.Join("testdata", "posts"))
	})
	t.Run("posts of the mirror", func(t *testing.T) {
		dir := cmp.Or(os.Getenv("FINARC_SAMPLES"), filepath.Join("..", "..", "..", "shared", "samples"))
		if _, err := os.Stat(dir); err != nil {
			t.Skipf("no posts of the mirror: %v", err)
		}
		roundTrip(t, dir)
	})
}

func roundTrip(t *testing.T, posts string) {
	jekyllPath := realtest.Program(t, "jekyll")
	files := readPosts(t, posts)
	source, work := t.TempDir(), t.TempDir()
	writeSite(t, source, files)
	site := build(t, jekyllPath, source)

	mirror := serve(t, "--dir", site)
	config := filepath.Join(work, "crawler.yaml")
	archive := filepath.Join(work, "a.db")
	writeFile(t, config, fmt.Sprintf(configuration, archive, mirror, 4))
	if out := output(t, finarc, "crawl", "-c", config); !strings.Contains(out, fmt.Sprintf("%d new", len(files))) {
		t.Fatalf("crawl did not archive %d posts:\n%s", len(files), out)
	}
	dump := filepath.Join(work, "dump")
	output(t, finarc, "export", "jekyll", "-c", config, "--out", dump, "--categories")
	dumped := readPosts(t, filepath.Join(dump, "_posts"))
	if want, got := slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(dumped)); !slices.Equal(want, got) {
		t.Fatalf("dumped files %q, want %q", got, want)
	}
	again := build(t, jekyllPath, dump)
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			if todaysForm(file) {
				if want, got := frontMatter(t, file), frontMatter(t, dumped[name]); got != want {
					t.Errorf("front matter:\n%s\nwant:\n%s", got, want)
				}
			}
			page := pageOf(t, site, name)
			if want, got := tree(t, filepath.Join(site, page)), tree(t, filepath.Join(again, page)); got != want {
				t.Errorf("%s is another page than it was:\n%s\nwant:\n%s", page, got, want)
			}
		})
	}
}

// todaysForm reports whether a post has the front matter that the mirror
// writes today: the oldest left the zone out.
func todaysForm(file []byte) bool {
	return regexp.MustCompile(`(?m)^date: \S+ \S+ \+0800$`).Match(file)
}

func readPosts(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no posts in %s: %v", dir, err)
	}
	files := make(map[string][]byte)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = data
	}
	return files
}

// writeSite makes a Jekyll source of posts: with finarc's layouts, and a page
// for each category.
func writeSite(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	none := func(func(news.Revision, error) bool) {}
	o := jekyll.ExportOptions{Categories: true, Options: jekyll.Options{Site: "https://finews.withounder.com/"}}
	if _, err := jekyll.Export(context.Background(), dir, none, o); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^(categories|tags): (.*)$`)
	for name, data := range files {
		writeFile(t, filepath.Join(dir, "_posts", name), string(data))
		found := line.FindAllSubmatch(data, 2)
		category, tag := string(found[0][2]), string(found[1][2])
		writeFile(t, filepath.Join(dir, "category", category+".html"),
			fmt.Sprintf("---\nlayout: category\ntitle: %q\ncategory: %q\n---\n", tag, category))
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// build runs Jekyll and returns the built site. A warning fails the test.
func build(t *testing.T, jekyllPath, source string) string {
	t.Helper()
	site := filepath.Join(t.TempDir(), "site")
	out := output(t, jekyllPath, "build", "--strict_front_matter", "--disable-disk-cache", "--source", source, "--destination", site)
	if regexp.MustCompile(`(?i)warning|error|conflict`).MatchString(out) {
		t.Errorf("jekyll build:\n%s", out)
	}
	return site
}

// pageOf returns where in a built site the page of a post's file is.
func pageOf(t *testing.T, site, name string) string {
	t.Helper()
	slug := strings.TrimSuffix(name[len("2021-12-22-"):], ".md") + ".html"
	found := ""
	err := filepath.WalkDir(site, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == slug {
			found, _ = filepath.Rel(site, path)
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("no page of %s in %s: %v", name, site, err)
	}
	return found
}

// tree returns a page's DOM as text: white space between words counts as one
// space, and none beside a tag.
func tree(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		switch n.Type {
		case html.TextNode:
			if text := strings.Join(strings.Fields(n.Data), " "); text != "" {
				fmt.Fprintf(&b, "%s%q\n", indent(n), text)
			}
		case html.CommentNode:
			fmt.Fprintf(&b, "%s<!--%s-->\n", indent(n), n.Data)
		case html.ElementNode:
			fmt.Fprintf(&b, "%s<%s %v>\n", indent(n), n.Data, n.Attr)
		}
	}
	return b.String()
}

func indent(n *html.Node) string {
	depth := 0
	for range n.Ancestors() {
		depth++
	}
	return strings.Repeat(" ", depth)
}
