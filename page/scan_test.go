package page

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestScannerKnowsWhereTokensStand(t *testing.T) {
	src := []byte(`<!doctype html><P Class="a&amp;b" HREF=x>一&lt;二<br/><!-- - --><title>三 <b></title></p>`)
	s := newScanner(src)
	var got []token
	for kind := s.next(); kind != tokenEnd; kind = s.next() {
		tok := current(s, kind)
		tok.attrs = "" // have a test of their own
		got = append(got, tok)
	}
	want := []token{
		{kind: tokenSkipped, raw: "<!doctype html>"},
		{kind: tokenStartTag, raw: `<P Class="a&amp;b" HREF=x>`, name: "p"},
		{kind: tokenText, raw: "一&lt;二", text: "一<二"},
		{kind: tokenStartTag, raw: "<br/>", name: "br"},
		{kind: tokenSkipped, raw: "<!-- - -->"},
		{kind: tokenStartTag, raw: "<title>", name: "title"},
		{kind: tokenText, raw: "三 <b>", text: "三 <b>", code: true},
		{kind: tokenEndTag, raw: "</title>", name: "title"},
		{kind: tokenEndTag, raw: "</p>", name: "p"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
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
	`<p class="a" hidden id='b'/>`, `<p class="a"id="b">`, `<p class id=x>`, `<p class =x>`, `<p class="&#x41;&copy=1" id="a\rb">`,
	"<p id='x' ID='y' id>", "a\r\nb&amp;\rc", "<title>\x00&lt;\r</title>", "<plaintext><p>", "<!DocType\n'>'>", "<!-- a --!> -->",
	"<script><!-- <script> </script> --></script>x", "<style>a</stylex></style\n>", "<p\x00 id='\x00'>", "<p/ id='a'>", "<xmp>&amp;</xmp>",
	"<!--", "<script>x", "<title></title>", "<p a='", "\x00<\xff>", "<![CDATA[x]]>",
}

// token is what a scanner tells of a token.
type token struct {
	kind            tokenKind
	raw, name, text string
	code            bool
	attrs           string
}

// current returns the token that a scanner stands at.
func current(s *scanner, kind tokenKind) token {
	tok := token{kind: kind, raw: string(s.raw())}
	switch kind {
	case tokenText:
		tok.text, tok.code = string(s.text()), s.inCode()
	case tokenStartTag:
		tok.name = string(s.tag.name)
		a := s.tag.attributes()
		for _, val := range [][]byte{a.id, a.class, a.style, a.href, a.dataCode, a.name, a.content, a.hidden} {
			tok.attrs += fmt.Sprintf("%v %q ", val != nil, val)
		}
		tok.attrs += fmt.Sprint(a.given, s.selfClose)
	case tokenEndTag:
		tok.name = string(s.tag.name)
	}
	return tok
}

// FuzzScanner: the tokens of a page tile it, whatever it holds; a text is the same as
// often as it is asked for; and all is as the tokenizer alone has it.
func FuzzScanner(f *testing.F) {
	for _, src := range scanSeeds {
		f.Add([]byte(src))
	}
	f.Add([]byte(whole(testBody)))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, s := range []*scanner{newScanner(src), newXMLScanner(src)} {
			judge := &scanner{src: src, xml: s.xml, odd: maxOdd}
			judge.resume()
			var tiles []byte
			for kind := s.next(); kind != tokenEnd; kind = s.next() {
				tiles = append(tiles, s.raw()...)
				got, want := current(s, kind), current(judge, judge.next())
				if got != want {
					t.Fatalf("got  %+v\nwant %+v", got, want)
				}
				if kind == tokenText && got.text != string(s.text()) {
					t.Error("a text changes when it is asked for again")
				}
			}
			if kind := judge.next(); kind != tokenEnd {
				t.Errorf("more is there: %+v", current(judge, kind))
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
