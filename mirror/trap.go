package mirror

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// trap is a page without end, or so large that it has none in practice.
type trap struct {
	name  string
	count int64 // how far it goes; 0: for ever
}

// traps tell how pages that are traps are written.
var traps = map[string]struct {
	counted bool // it needs a count
	answer  func(q *request, n int64) answer
}{
	"calendar": {false, calendar},
	"deeper":   {false, deeper},
	"links":    {true, manyLinks},
}

// answer returns the trap at an address.
func (t trap) answer(q *request) answer { return traps[t.name].answer(q, t.count) }

// linking returns a page of the site's layout that links the given addresses.
func linking(q *request, links []string) answer {
	return answer{status: 200, media: mediaHTML, body: func(dst []byte) ([]byte, error) {
		dst = append(beginPage(dst, nil, q.base, q.path), "<ul>\n"...)
		for _, l := range links {
			dst = appendLink(dst, l)
		}
		return endPage(append(dst, "</ul>\n"...)), nil
	}}
}

func appendLink(dst []byte, address string) []byte {
	return fmt.Appendf(dst, "<li><a href=\"%s\">%[1]s</a></li>\n", escape(address))
}

var month = regexp.MustCompile(`\d{4}-\d{2}`)

// calendar links the months before and after the one that its own address
// names. It ends n months from where it begins, December of 2021.
func calendar(q *request, n int64) answer {
	const begins = 2021*12 + 11
	at := time.Date(2021, 12, 1, 0, 0, 0, 0, time.UTC)
	place := month.FindStringIndex(q.path)
	if place != nil {
		if named, err := time.Parse("2006-01", q.path[place[0]:place[1]]); err == nil {
			at = named
		}
	}
	var links []string
	for _, step := range []int{-1, 1} {
		to := at.AddDate(0, step, 0)
		away := int64(to.Year()*12 + int(to.Month()) - 1 - begins)
		if place == nil || n > 0 && max(away, -away) > n {
			continue
		}
		links = append(links, q.path[:place[0]]+to.Format("2006-01")+q.path[place[1]:])
	}
	return linking(q, links)
}

// deeper links pages whose addresses are longer than its own, up to n words
// longer than the first.
func deeper(q *request, n int64) answer {
	const word = "deeper"
	if n > 0 && int64(strings.Count(q.path, word)) >= n {
		return linking(q, nil)
	}
	dot := strings.LastIndexByte(q.path, '.')
	if dot < 0 {
		dot = len(q.path)
	}
	stem, end := q.path[:dot], q.path[dot:]
	return linking(q, []string{stem + "-" + word + end, stem + "/" + word + end})
}

// manyLinks links n posts that there are not.
func manyLinks(q *request, n int64) answer {
	a := linking(q, nil)
	a.more = func(w io.Writer) error {
		buf := append([]byte{}, "<ul>\n"...)
		for i := range n {
			buf = appendLink(buf, fmt.Sprintf("/trap/2021/12/22/NW20211222%010d.html", 9_000_000_000+i))
			if len(buf) > 32<<10 || i == n-1 {
				if _, err := w.Write(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
		}
		_, err := io.WriteString(w, "</ul>\n")
		return err
	}
	return a
}

// spoilers are what can be done to a page's bytes. Those that are counted take
// a number.
var spoilers = map[string]struct {
	counted bool
	make    func(n int64) spoiler
}{
	"empty": {false, func(int64) spoiler { return empty }},
	"huge":  {false, func(int64) spoiler { return inflate }},
	"nul":   {false, func(int64) spoiler { return within("\x00<b>\x00</b>\x00") }},
	"utf8":  {false, func(int64) spoiler { return within("<p>\xff\xfe \xc3\x28 \xe4\xb8 \xed\xa0\x80</p>") }},
	"nest": {true, func(n int64) spoiler {
		return func(body []byte) []byte {
			return insert(body, strings.Repeat("<div>", int(n))+strings.Repeat("</div>", int(n)))
		}
	}},
	"attribute": {true, func(n int64) spoiler {
		return func(body []byte) []byte {
			return insert(body, `<p data-note="`+strings.Repeat("x", int(n))+`">x</p>`)
		}
	}},
}

// within returns a spoiler that inserts a piece.
func within(piece string) spoiler {
	return func(body []byte) []byte { return insert(body, piece) }
}

// insert puts a piece behind a page's heading, so that it stands in the body of
// a post.
func insert(body []byte, piece string) []byte {
	const heading = "</h1>\n"
	at := bytes.Index(body, []byte(heading))
	if at < 0 {
		return append(body, piece...)
	}
	at += len(heading)
	return bytes.Join([][]byte{body[:at], body[at:]}, []byte(piece))
}

// linkTo returns a spoiler that lets a page link an address.
func linkTo(address string) spoiler {
	return within("<ul>" + string(appendLink(nil, address)) + "</ul>\n")
}
