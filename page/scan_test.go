package page

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// scanned is a token as both tokenizers tell it.
type scanned struct {
	kind tokenKind
	raw  string
	name string
	text string
	href string
}

// scanAll returns the scanner's tokens, and whether it had to recover.
func scanAll(src []byte) (tokens []scanned, recovered bool) {
	s := newScanner(src)
	for kind := s.next(); kind != tokenEnd; kind = s.next() {
		t := scanned{kind: kind, raw: string(s.raw())}
		switch kind {
		case tokenText:
			t.text = string(s.text())
		case tokenStartTag:
			t.name, t.href = string(s.tag.name), string(s.tag.href)
		case tokenEndTag:
			t.name = string(s.tag.name)
		}
		tokens = append(tokens, t)
	}
	return tokens, s.recoveries > 0
}

// tokenizeAll returns the tokens of golang.org/x/net/html.
func tokenizeAll(src []byte) (tokens []scanned) {
	z := html.NewTokenizer(bytes.NewReader(src))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		t := scanned{kind: tokenSkipped, raw: string(z.Raw())}
		switch kind {
		case html.TextToken:
			t.kind, t.text = tokenText, string(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			t.kind = tokenStartTag
			name, more := z.TagName()
			t.name = string(name)
			for more {
				var key, val []byte
				key, val, more = z.TagAttr()
				if string(key) == "href" {
					t.href = string(val)
				}
			}
		case html.EndTagToken:
			t.kind = tokenEndTag
			name, _ := z.TagName()
			t.name = string(name)
		}
		tokens = append(tokens, t)
	}
	return tokens
}

// isComparable reports whether both tokenizers are to see the same in src: what
// the scanner leaves out on purpose is not.
func isComparable(src []byte) bool {
	if bytes.ContainsAny(src, "\x00\r") { // converted by the other
		return false
	}
	lower := bytes.ToLower(src)
	return !bytes.Contains(lower, []byte("<plaintext")) &&
		!(bytes.Contains(lower, []byte("<script")) && bytes.Contains(lower, []byte("<!--")))
}

func checkTokens(t *testing.T, src []byte) {
	t.Helper()
	got, recovered := scanAll(src)
	var tiled strings.Builder
	for _, token := range got {
		if token.raw == "" {
			t.Fatalf("%q: an empty token", src)
		}
		tiled.WriteString(token.raw)
	}
	if tiled.String() != string(src) {
		t.Fatalf("%q: tokens tile %q", src, tiled.String())
	}
	if recovered || !isComparable(src) {
		return
	}
	want := tokenizeAll(src)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !sameToken(got[i], want[i]) {
			t.Fatalf("%q: token %d:\n got %+v\nwant %+v", src, i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
}

// sameToken compares two tokens. Text in scripts is not decoded by the other,
// and names too long for an element keep their letter case here.
func sameToken(a, b scanned) bool {
	if a.kind == tokenText && a.raw == b.raw && b.text == b.raw {
		return b.kind == tokenText
	}
	a.name, b.name = strings.ToLower(a.name), strings.ToLower(b.name)
	return a == b
}

var scanSeeds = []string{
	"", "a", "<", "<a", "</", "</>", "a<b>c</b>", "a < b <3 c", "<!DOCTYPE html><p>x", "<?xml version='1.0'?>x",
	"<!-- a --><!--><!---><!----><!-- a --!>b<!--!>-->", "<!x>y</ x>z", "<A HREF=x hRef=y>z</A >",
	`<a href="a>b" x='"' y=z/ / href=2 =q =>t`, "<a href = 'x'y>z", "<a/href=x>y", "<a href=>b", "<br/><br / >",
	`<a href="?a=1&amp;b=2&copy=3&copy;&notit;&#44;&#x4e2d;&lt&gt x&alpha">x`,
	"<script>a<b</b></scr</script >c", "<style><p></style><TITLE>a&amp;b</b></tItLe>c", "<textarea></textarea>x",
	"<script></script>", "<iframe>x</iframex></iframe/>y", "&amp;&nosuch;&#0;&lt;p>", "<p <b>c",
}

func TestScanner(t *testing.T) {
	for _, seed := range scanSeeds {
		checkTokens(t, []byte(seed))
	}
	checkTokens(t, []byte(whole(testBody)))
}

func FuzzScanner(f *testing.F) {
	for _, seed := range scanSeeds {
		f.Add([]byte(seed))
	}
	f.Add([]byte(whole(testBody)))
	f.Fuzz(checkTokens)
}

// What the page never closes is skipped, and the rest is read.
func TestScannerRecovers(t *testing.T) {
	for _, src := range []string{"<!-- a<b>c</b>", "<script>a<b>c</b>", `<i x="a><b>c</b>`, "<i <b>c</b", "</i <b", "<!x <b", "<title>a<b>c</b>"} {
		tokens, recovered := scanAll([]byte(src))
		if !recovered {
			t.Errorf("%q: not recovered: %+v", src, tokens)
		}
		checkTokens(t, []byte(src))
	}
}

// A page full of unclosed constructs takes no more than a few passes.
func TestScannerBounded(t *testing.T) {
	for _, unit := range []string{"<!--", `<a b="`, "<a b='\" ", "<script>", "</a ", "<!x", "<title>", "<a <"} {
		src := []byte(strings.Repeat(unit, 200_000))
		if tokens, _ := scanAll(src); len(tokens) > 200_000*2 {
			t.Errorf("%q: %d tokens", unit, len(tokens))
		}
	}
}
