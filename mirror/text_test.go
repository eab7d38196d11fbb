package mirror_test

import (
	"bytes"
	"compress/gzip"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/finarc/finarc/mirror"
)

var markup = regexp.MustCompile(`<[^>]*>`)

// packer measures how well texts compress.
type packer struct {
	out bytes.Buffer
	z   *gzip.Writer
}

func newPacker() *packer {
	p := &packer{}
	p.z = gzip.NewWriter(&p.out)
	return p
}

// size returns a text's size after gzip.
func (p *packer) size(text string) float64 {
	p.out.Reset()
	p.z.Reset(&p.out)
	_, _ = p.z.Write([]byte(text))
	_ = p.z.Close()
	return float64(p.out.Len())
}

// TestTextIsVaried holds the articles to about the entropy of news: measures of
// storage are taken on them. A real article of 3.5 KB packs to some 42 %, notes
// of 400 bytes to 80 %.
func TestTextIsVaried(t *testing.T) {
	const posts = 1500
	m := newMirror(t, mirror.Options{Posts: posts, Categories: 200, Seed: 1})
	gz := newPacker()
	var single, chars, n float64
	var all strings.Builder
	titles := map[string]bool{}
	for _, p := range m.Posts() {
		text := markup.ReplaceAllString(p.Body, "")
		titles[p.Title] = true
		chars += float64(utf8.RuneCountInString(text))
		all.WriteString(text)
		if len(text) > 2800 && len(text) < 3200 {
			single += gz.size(text) / float64(len(text))
			n++
		}
	}
	corpus := gz.size(all.String()) / float64(all.Len())
	t.Logf("mean of %.0f characters; %.0f texts of 3 KB pack to %.3f each, all together to %.3f", chars/posts, n, single/n, corpus)
	if r := single / n; r < 0.40 || r > 0.56 {
		t.Errorf("texts of 3 KB pack to %.3f", r)
	}
	if corpus < 0.25 {
		t.Errorf("all together pack to %.3f: they repeat each other", corpus)
	}
	if mean := chars / posts; mean < 500 || mean > 1500 {
		t.Errorf("the mean text has %.0f characters", mean)
	}
	if len(titles) < posts*98/100 {
		t.Errorf("only %d titles of %d differ", len(titles), posts)
	}
}

func TestNoPlaceIsLeftOpen(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 2000, Seed: 6})
	for i, p := range m.Posts() {
		if text := p.Title + p.Body; strings.ContainsAny(text, "{}\n") || !utf8.ValidString(text) {
			t.Fatalf("post %d: %s", i, text)
		}
	}
}

// TestSizesOfPages tells the sizes that measures of storage rest on.
func TestSizesOfPages(t *testing.T) {
	const posts = 300
	m := newMirror(t, mirror.Options{Posts: posts, Categories: 100})
	gz := newPacker()
	var raw, small float64
	for i := range m.Len() {
		page := fetch(m, m.Standing(i).Path)
		raw += float64(len(page))
		small += gz.size(page)
	}
	t.Logf("mean page: %.0f bytes, %.0f packed", raw/posts, small/posts)
	if mean := raw / posts; mean < 4000 || mean > 12000 {
		t.Errorf("the mean page has %.0f bytes", mean)
	}
}
