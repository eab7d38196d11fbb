package mirror

import (
	"net/http"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// source is what is said in a page's place: at most one of these. The zero
// source is nothing but the status.
type source struct {
	file string // of the scenario
	page string // of the mirror: a path, or one of the words below
	trap trap
}

// Pages that a source can name beside those at a path.
const (
	pageSelf    = "self"    // the one that is asked for
	pageAnother = "another" // of the post after the one that is asked for
)

// perform does with a request what a scenario's step says.
func (m *Mirror) perform(w http.ResponseWriter, r *http.Request, q *request, s *step) {
	marks := marksOf(r, q)
	a := m.staged(q, s, marks)
	m.deliver(w, r, &a, &s.how, marks)
}

// staged returns the answer that a step gives, before anything goes wrong with
// it.
func (m *Mirror) staged(q *request, s *step, marks *strings.Replacer) answer {
	a := bare(s.status)
	switch {
	case s.source.file != "":
		text := m.play.scenario.files[s.source.file]
		a.media = mediaOf(s.source.file)
		a.body = func(dst []byte) ([]byte, error) { return append(dst, marks.Replace(text)...), nil }
	case s.source.page != "":
		a = m.site.find(m.other(q, s.source.page))
		if s.source.page != pageSelf || s.status != 0 {
			a.etag, a.modified = "", time.Time{} // validators of another answer
		}
	case s.source.trap.name != "":
		a = s.source.trap.answer(q)
	case s.status < http.StatusMultipleChoices:
		a.media, a.body = mediaHTML, nil
	}
	if s.status != 0 {
		a.status = s.status
	}
	return a
}

// other returns a request for the page that a source names.
func (m *Mirror) other(q *request, page string) request {
	o := *q
	switch page {
	case pageSelf:
	case pageAnother:
		m.another(&o)
	default:
		o.path, o.query, _ = strings.Cut(page, "?")
		o.kind = kindOf(o.path)
	}
	return o
}

// another makes of a request for a post, or for its share or text page, one for
// that of the next post that has such a page.
func (m *Mirror) another(q *request) {
	g, err := m.generated()
	if err != nil {
		return
	}
	i, ok := g.atPath(q.path)
	if q.kind != news.KindPost {
		i, ok = g.sharedPost(q.code("infoCode", "id"))
	}
	for n := 1; ok && n < g.len(); n++ {
		j := (i + n) % g.len()
		e := &g.all()[j]
		switch {
		case q.kind != news.KindPost:
			q.query = "infoCode=" + string(e.code())
			return
		case !e.is(shareOnly):
			q.path = g.decodedPath(j)
			return
		}
	}
}

// marksOf fills in what texts and headers of a scenario can leave open:
//
//	{base}       the server's address, as http://127.0.0.1:8080
//	{elsewhere}  the same server under another name
//	{path}       the path that was asked for
//	{code}       the infoCode that was asked for, in path or query
func marksOf(r *http.Request, q *request) *strings.Replacer {
	return strings.NewReplacer(
		"{base}", q.base, "{elsewhere}", Elsewhere(q.base),
		"{path}", r.URL.EscapedPath(), "{code}", string(codeOf(q)),
	)
}

// Elsewhere returns the address of a server on the loopback under another name:
// to a crawler, that of another host.
func Elsewhere(base string) string {
	if strings.Contains(base, "//localhost") {
		return strings.Replace(base, "//localhost", "//127.0.0.1", 1)
	}
	return strings.Replace(base, "//127.0.0.1", "//localhost", 1)
}

// codeOf returns the infoCode that a request names.
func codeOf(q *request) news.InfoCode {
	if code := q.code("infoCode", "id"); code != "" {
		return code
	}
	code, _ := news.FindInfoCode(q.path)
	return code
}
