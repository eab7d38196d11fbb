package web

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// params reads the parameters of a request, of which it remembers which there are
// and the first that is wrong.
type params struct {
	values url.Values
	known  []string
	err    error
}

func paramsOf(u *url.URL) (*params, error) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, bad(err)
	}
	return &params{values: values}, nil
}

// end returns what is wrong, which may also be a parameter that nobody asked for.
func (p *params) end() error {
	if p.err != nil {
		return bad(p.err)
	}
	for key, values := range p.values {
		if !slices.Contains(p.known, key) {
			return bad(fmt.Errorf("%q is no parameter here: there are %s", key, strings.Join(p.known, ", ")))
		}
		if len(values) > 1 {
			return bad(fmt.Errorf("%q is given twice", key))
		}
	}
	return nil
}

// text returns a parameter; "" where it is not given.
func (p *params) text(key string) string {
	p.known = append(p.known, key)
	return p.values.Get(key)
}

// wrong notes that a parameter is wrong.
func (p *params) wrong(key, value, want string) {
	if p.err == nil {
		p.err = fmt.Errorf("%s=%q: want %s", key, value, want)
	}
}

func (p *params) day(key string) news.Day {
	text := p.text(key)
	if text == "" {
		return 0
	}
	d, err := news.ParseDay(text)
	if err != nil || !d.Valid() {
		p.wrong(key, text, "a day, as 2021-12-22")
		return 0
	}
	return d
}

// moment reads a time up to which things count: the whole of its second, or of its
// day.
func (p *params) moment(key string) time.Time {
	text := p.text(key)
	if text == "" {
		return time.Time{}
	}
	if d, err := news.ParseDay(text); err == nil && d.Valid() {
		return d.Add(1).Time().Add(-time.Nanosecond)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p.wrong(key, text, "a day, as 2021-12-22, or a time with its zone, as 2021-12-22T02:00:05Z or 2021-12-22T10:00:05%2B08:00")
		return time.Time{}
	}
	if t.Nanosecond() == 0 {
		t = t.Add(time.Second - time.Nanosecond)
	}
	return t
}

// number reads a number from 1 to most.
func (p *params) number(key string, unless, most int) int {
	text := p.text(key)
	if text == "" {
		return unless
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		p.wrong(key, text, fmt.Sprintf("a number from 1 to %d", most))
		return unless
	}
	return n
}

// oneOf reads a word, the first of them where none is given.
func (p *params) oneOf(key string, words ...string) string {
	text := p.text(key)
	switch {
	case text == "":
		return words[0]
	case !slices.Contains(words, text):
		p.wrong(key, text, strings.Join(words, " or "))
		return words[0]
	}
	return text
}

// some reads words with commas between them.
func (p *params) some(key string, words ...string) []string {
	text := p.text(key)
	if text == "" {
		return nil
	}
	given := strings.Split(text, ",")
	for _, word := range given {
		if !slices.Contains(words, word) {
			p.wrong(key, text, strings.Join(words, ", ")+", with commas between")
		}
	}
	return given
}

// selection reads the parameters that say which posts are meant, as the flags of
// the commands do.
func (p *params) selection() archive.Selection {
	sel := archive.Selection{
		From: p.day("from"), To: p.day("to"), Category: p.text("category"), Tag: p.text("tag"),
		Security: p.text("security"), Mirror: p.text("mirror"), AsOf: p.moment("as_of"),
	}
	p.inOrder(sel.From, sel.To)
	return sel
}

// inOrder wants days in order, where both are given.
func (p *params) inOrder(from, to news.Day) {
	if p.err == nil && from != 0 && to != 0 && from > to {
		p.err = errors.New("from is after to")
	}
}
