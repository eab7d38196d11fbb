package page

import (
	"bytes"
	"slices"
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
	if got := string(s.tag.href); got != "x?a=1&b=2" {
		t.Errorf("href %q", got)
	}
	if got := string(s.tag.dataCode); got != "1,600160" {
		t.Errorf("data-code %q", got)
	}
}

// The tokens of a page tile it, whatever it holds, and a text is the same as
// often as it is asked for.
func FuzzScanner(f *testing.F) {
	for _, src := range []string{"", "<", "<p", "<!--", "a<b", "<script>x", "<title></title>", "<p a='", "\x00<\xff>", "<![CDATA[x]]>"} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, s := range []*scanner{newScanner(src), newXMLScanner(src)} {
			var tiles []byte
			for kind := s.next(); kind != tokenEnd; kind = s.next() {
				tiles = append(tiles, s.raw()...)
				if kind == tokenText && !bytes.Equal(bytes.Clone(s.text()), s.text()) {
					t.Error("a text changes when it is asked for again")
				}
			}
			if rest := src[s.start:]; !bytes.Equal(append(tiles, rest...), src) {
				t.Errorf("tokens %q and rest %q do not make the page", tiles, rest)
			}
		}
	})
}
