package page

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestScannerKnowsWhereTokensStand(t *testing.T) {
	src := []byte(`<!doctype html><P Class="a&amp;b" HREF=x>一&lt;二<br/><!-- - --><title>三 <b></title></p>`)
	s := newScanner(src)
	type token struct {
		kind            tokenKind
		raw, name, text string
	}
	var got []token
	for kind := s.next(); kind != tokenEnd; kind = s.next() {
		tok := token{kind: kind, raw: string(s.raw())}
		switch kind {
		case tokenText:
			tok.text = string(s.text())
		case tokenStartTag, tokenEndTag:
			tok.name = string(s.tag.name)
		}
		got = append(got, tok)
	}
	want := []token{
		{tokenSkipped, "<!doctype html>", "", ""},
		{tokenStartTag, `<P Class="a&amp;b" HREF=x>`, "p", ""},
		{tokenText, "一&lt;二", "", "一<二"},
		{tokenStartTag, "<br/>", "br", ""},
		{tokenSkipped, "<!-- - -->", "", ""},
		{tokenStartTag, "<title>", "title", ""},
		{tokenText, "三 <b>", "", "三 <b>"},
		{tokenEndTag, "</title>", "title", ""},
		{tokenEndTag, "</p>", "p", ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestScannerReadsAttributesOnce(t *testing.T) {
	s := newScanner([]byte(`<a HREF="x?a=1&amp;b=2" href="second" data-code='1,600160' id>`))
	s.next()
	if got := string(s.tag.attributes().href); got != "x?a=1&b=2" {
		t.Errorf("href %q", got)
	}
	if got := string(s.tag.attributes().dataCode); got != "1,600160" {
		t.Errorf("data-code %q", got)
	}
}

var scanSeeds = []string{
	"", "a", "<", "<a", "</", "</>", "a<b>c</b>", "a < b <3 c", "<!DOCTYPE html><p>x", "<?xml version='1.0'?>x",
	"<!-- a --><!--><!---><!----><!-- a --!>b<!--!>-->", "<!x>y</ x>z", "<A HREF=x hRef=y>z</A >",
	`<a href="a>b" x='"' y=z/ / href=2 =q =>t`, "<a href = 'x'y>z", "<a/href=x>y", "<a href=>b", "<br/><br / >",
	"<script>a<b</b></scr</script >c", "<style><p></style><TITLE>a&amp;b</b></tItLe>c", "<textarea></textarea>x",
	"<script></script>", "<iframe>x</iframex></iframe/>y", "&amp;&nosuch;&#0;&lt;p>", "<p <b>c",
	"<!--", "<script>x", "<title></title>", "<p a='", "\x00<\xff>", "<![CDATA[x]]>",
}

// FuzzScanner: the tokens of a page tile it, whatever it holds, and a text is
// the same as often as it is asked for.
func FuzzScanner(f *testing.F) {
	for _, src := range scanSeeds {
		f.Add([]byte(src))
	}
	f.Add([]byte(whole(testBody)))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, s := range []*scanner{newScanner(src), newXMLScanner(src)} {
			var tiles []byte
			for kind := s.next(); kind != tokenEnd; kind = s.next() {
				tiles = append(tiles, s.raw()...)
				if kind == tokenText && !bytes.Equal(bytes.Clone(s.text()), s.text()) {
					t.Error("a text changes when it is asked for again")
				}
			}
			rest := src[s.start:]
			if len(rest) > 0 && s.mayRecover() || !bytes.Equal(append(tiles, rest...), src) {
				t.Errorf("tokens %q and rest %q do not make the page", tiles, rest)
			}
		}
	})
}

// What the page never closes is skipped, and the rest is read.
func TestScannerRecovers(t *testing.T) {
	for _, src := range []string{
		"<!-- a<b>c</b>", "<script>a<b>c</b>", `<i x="a><b>c</b>`, "</i x='<b>c</b>", "<title>a<b>c</b>",
	} {
		s := newScanner([]byte(src))
		var names []string
		for kind := s.next(); kind != tokenEnd; kind = s.next() {
			if kind == tokenStartTag {
				names = append(names, string(s.tag.name))
			}
		}
		if s.recoveries == 0 || !slices.Contains(names, "b") {
			t.Errorf("%q: %d recoveries, tags %q", src, s.recoveries, names)
		}
	}
}

// A page full of unclosed constructs takes no more than a few passes.
func TestScannerBounded(t *testing.T) {
	const units = 200_000
	for _, unit := range []string{"<!--", `<a b="`, "<a b='\" ", "<script>", "</a ", "<!x", "<title>", "<a <"} {
		s := newScanner([]byte(strings.Repeat(unit, units)))
		tokens := 0
		for kind := s.next(); kind != tokenEnd; kind = s.next() {
			tokens++
		}
		if s.recoveries > maxRecoveries || tokens > 2*units {
			t.Errorf("%q: %d recoveries, %d tokens", unit, s.recoveries, tokens)
		}
	}
}
