package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/html"

	"github.com/finarc/finarc/news"
)

// readText reads the JSON behind a NewsShare page.
func readText(g *gather, body []byte) error {
	fields, err := parseText(body)
	if err != nil {
		return err
	}
	src := fields.body()
	p := &news.Post{
		Title:  squeeze([]byte(html.UnescapeString(string(fields.Title)))),
		Outlet: strings.TrimSpace(string(first(fields.MediaName, fields.From))),
		Digest: Text(string(fields.Digest)),
	}
	p.Published, _ = findTime(string(first(fields.ShowTime, fields.DateTime)))
	code, _ := news.FindInfoCode(string(fields.InfoCode))
	g.identify(p, code)
	readBody(g, p, src)
	g.page.Post = p
	return nil
}

// readBody completes p from a body that is all of src.
func readBody(g *gather, p *news.Post, src []byte) {
	a := article{scanner: newScanner(src), g: g}
	a.walk(&a)
	start, end := trimRange(src, 0, len(src))
	a.fill(p, start, end)
}

// textFields are the fields of a text page, and what it may be wrapped in.
// Keys are read in any letter case.
type textFields struct {
	Text, Content      any // long, and read faster so
	InfoCode           loose
	Title              loose
	ShowTime, DateTime loose
	MediaName, From    loose
	Digest             loose

	Data, Result json.RawMessage
}

// body returns the article's HTML.
func (f *textFields) body() []byte {
	for _, field := range []any{f.Text, f.Content} {
		if s, ok := field.(string); ok && !isBlank([]byte(s)) {
			return []byte(s)
		}
	}
	return nil
}

// first returns the first of two values that is not empty.
func first(a, b loose) loose {
	if a != "" {
		return a
	}
	return b
}

// loose is a value that is a string or a number. Anything else is left out;
// so is an empty one where a key stands twice.
type loose string

// UnmarshalJSON reads a string or a number.
func (l *loose) UnmarshalJSON(data []byte) error {
	switch c := data[0]; {
	case c == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*l = first(loose(s), *l)
	case c == '-' || isASCIIDigit(c):
		*l = loose(data)
	}
	return nil
}

// maxWraps bounds how deep the fields are looked for.
const maxWraps = 4

// parseText finds the fields in a text page: an object, maybe in
// {"data": …}, {"result": …}, an array, or a call such as callback(…).
func parseText(body []byte) (*textFields, error) {
	return findFields(unwrapCall(bytes.TrimSpace(body)), maxWraps)
}

// findFields looks for the fields in a JSON value.
func findFields(value json.RawMessage, depth int) (*textFields, error) {
	if depth == 0 || len(value) == 0 {
		return nil, ErrEmpty
	}
	switch value[0] {
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(value, &items); err != nil {
			return nil, brokenJSON(err)
		}
		if len(items) != 1 {
			return nil, ErrEmpty
		}
		return findFields(items[0], depth-1)
	case '{':
		var f textFields
		if err := json.Unmarshal(value, &f); err != nil {
			return nil, brokenJSON(err)
		}
		if f.body() != nil {
			return &f, nil
		}
		return findFields(f.wrapped(), depth-1)
	}
	if !json.Valid(value) {
		return nil, brokenJSON(errors.New("no JSON value"))
	}
	return nil, ErrEmpty
}

// wrapped returns the value in which the fields may stand instead.
func (f *textFields) wrapped() json.RawMessage {
	if len(f.Data) > 0 && (f.Data[0] == '{' || f.Data[0] == '[') {
		return f.Data
	}
	return f.Result
}

func brokenJSON(err error) error {
	return fmt.Errorf("%w: broken JSON: %w", ErrUnreadable, err)
}

// unwrapCall takes off what makes a script of JSON: callback(…); or
// var name = …;
func unwrapCall(body []byte) []byte {
	if len(body) == 0 || body[0] == '{' || body[0] == '[' {
		return body
	}
	script := bytes.TrimRight(body, "; \t\r\n")
	if open := bytes.IndexByte(script, '('); open > 0 && script[len(script)-1] == ')' && isScriptName(script[:open]) {
		return bytes.TrimSpace(script[open+1 : len(script)-1])
	}
	if name, value, ok := bytes.Cut(script, []byte("=")); ok && isScriptName(name) {
		return bytes.TrimSpace(value)
	}
	return body
}

// isScriptName reports whether s is the name of a function, or the declaration
// of a variable.
func isScriptName(s []byte) bool {
	for _, c := range bytes.TrimPrefix(bytes.TrimSpace(s), []byte("var ")) {
		if !isASCIIDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '$' && c != '.' {
			return false
		}
	}
	return true
}
