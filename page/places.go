package page

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// ReadArticle returns what an article's HTML is to a reader: the plain text that
// [Text] returns, where the article itself ends in it, and where securities and
// boards are marked.
func ReadArticle(html string) news.Article {
	r := articleReader{textWriter: textWriter{scanner: newScanner([]byte(html))}, own: -1}
	r.out.Grow(len(html) / 2)
	r.walk(&r)
	r.closePlace()
	r.flush()
	text := r.out.String()
	if r.own < 0 {
		r.own = len(text)
	}
	return news.Article{Text: text, Own: r.own, Marked: placesIn(text, r.places)}
}

// articleReader writes a text, and notes the marked places of the article itself.
type articleReader struct {
	textWriter
	open    openMark
	heading bool // an h3 is open
	own     int  // where related reports begin in the text; -1: not yet
}

// span is a marked place, by offsets in bytes.
type span struct {
	news.Security
	from, to int
}

// openMark is the marked place whose element is open.
type openMark struct {
	news.Security
	tag   string // "" if none is open
	depth int    // how many elements of that name are open
	from  int
}

func (r *articleReader) startTag(t *tag) {
	if isBlock(t.name) {
		r.closePlace()
		r.heading = string(t.name) == "h3"
	}
	r.textWriter.startTag(t)
	if name := string(t.name); r.skip == "" && r.own < 0 && (name == "a" || name == "span") {
		r.mark(t)
	}
	if r.open.tag == string(t.name) {
		r.open.depth++
	}
}

// mark opens the place that an element's data-code marks. One within another of
// the same security is that place.
func (r *articleReader) mark(t *tag) {
	named := t.attributes().dataCode
	if named == nil || len(named) > maxName || len(r.places) >= MaxLinks {
		return
	}
	s, picture, ok := parseDataCode(string(named))
	if !ok || picture || r.open.tag != "" && r.open.Security == s {
		return
	}
	r.closePlace()
	r.open = openMark{Security: s, tag: string(t.name), from: len(r.line)}
}

func (r *articleReader) endTag(name []byte) {
	if r.open.tag == string(name) {
		if r.open.depth--; r.open.depth == 0 {
			r.closePlace()
		}
	}
	if isBlock(name) {
		r.closePlace()
		r.heading = false
	}
	r.textWriter.endTag(name)
}

func (r *articleReader) textToken() {
	if r.heading && r.own < 0 && !r.inCode() && bytes.Contains(r.text(), []byte(relatedHeading)) {
		r.own = r.out.Len()
	}
	r.textWriter.textToken()
}

// closePlace ends the open place. One that is longer than any name is the rest of a
// page that does not close it, and none; nor is a part of a character.
func (r *articleReader) closePlace() {
	if r.open.tag == "" {
		return
	}
	r.open.tag = ""
	if text := r.line[r.open.from:]; len(text) <= maxName && !isBlank(text) && utf8.Valid(text) {
		r.places = append(r.places, span{r.open.Security, r.open.from, len(r.line)})
	}
}

// settle puts the places of the line that was written where its text went. It
// begins at offset start, with a line feed if that is not 0.
func (w *textWriter) settle(start int) {
	at, began := start, 0
	if start > 0 {
		at++
	}
	places := w.places[w.settled:]
	ends := 0
	for from, to := range pieces(w.line) {
		for began < len(places) && places[began].from < to {
			places[began].from = at + max(0, places[began].from-from)
			began++
		}
		for ends < began && places[ends].to <= to {
			places[ends].to = at + max(0, places[ends].to-from)
			ends++
		}
		at += to - from + len(" ")
	}
	for ; ends < began; ends++ {
		places[ends].to = w.out.Len()
	}
	w.places = w.places[:w.settled+began]
	w.settled = len(w.places)
}

// placesIn returns the places of a text, which are given by bytes, by characters.
func placesIn(text string, spans []span) []news.Place {
	var places []news.Place
	at, chars := 0, 0
	for _, s := range spans {
		marked := strings.TrimSpace(text[s.from:s.to])
		from := s.from + strings.Index(text[s.from:s.to], marked)
		chars += utf8.RuneCountInString(text[at:from])
		at = from
		places = append(places, news.Place{
			Security: s.Security, Text: marked, By: news.ByMark, In: news.InText,
			From: chars, To: chars + utf8.RuneCountInString(marked),
		})
	}
	return places
}
