package story

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The mirror's own posts, which are not part of this project (see jekyll): each
// is one story with itself as another outlet would run it, and with no other.
func TestSamples(t *testing.T) {
	dir := cmp.Or(os.Getenv("FINARC_SAMPLES"), filepath.Join("..", "..", "shared", "samples"))
	paths, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(paths) == 0 {
		t.Skipf("no posts of the mirror in %s: %v", dir, err)
	}
	tags := strings.NewReplacer("</p>", "\n")
	var texts []*Text
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(strings.TrimPrefix(string(data), "---"), "\n---")
		body = tags.Replace(body)
		text := New(body)
		if again := New("新华社北京12月22日电 " + body); !Compare(text, again).Same() {
			t.Errorf("%s, with an agency's line: %+v", filepath.Base(path), Compare(text, again))
		}
		for _, other := range texts {
			if l := Compare(text, other); l.Same() {
				t.Errorf("%s is one story with another: %+v", filepath.Base(path), l)
			}
		}
		texts = append(texts, text)
	}
}
