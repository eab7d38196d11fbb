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
	if err := fields.doubt(src); err != nil {
		return err
	}
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
	Text, Content      string // long, and read faster so; left empty by anything else
	InfoCode           loose
	Title              loose
	ShowTime, DateTime loose
	MediaName, From    loose
	Digest             loose

	// What an answer without text may say.
	Code, Status               loose
	Message, Msg, ErrMsg, Info loose
	Error                      loose

	Data, Result json.RawMessage
}

// body returns the article's HTML.
func (f *textFields) body() []byte {
	for _, field := range []string{f.Text, f.Content} {
		if text := []byte(field); !isBlank(text) {
			return text
		}
	}
	return nil
}

// doubt looks closely at a short text that comes without infoCode and title.
func (f *textFields) doubt(src []byte) error {
	if f.InfoCode != "" || f.Title != "" && (f.ShowTime != "" || f.DateTime != "") || len(src) > maxDoubt {
		return nil
	}
	heading := []byte("<title>" + html.EscapeString(string(f.Title)) + "</title>")
	return refusal(append(heading, src...), proofLoose)
}

// lacking tells why there is no text: [ErrEmpty], unless the answer says that
// it turns the crawler away.
func (f *textFields) lacking() error {
	for _, code := range []loose{f.Code, f.Status} {
		switch code {
		case "401":
			return fmt.Errorf("%w: code %s", ErrLogin, code)
		case "403", "429", "503":
			return fmt.Errorf("%w: code %s", ErrBlocked, code)
		}
	}
	for _, note := range []loose{f.Message, f.Msg, f.ErrMsg, f.Error, f.Info} {
		note := strings.ToLower(strings.ToValidUTF8(string(note[:min(len(note), maxHeading)]), ""))
		if says(note, logins) || strings.Contains(note, "登录") || strings.Contains(note, "log in") {
			return fmt.Errorf("%w: it says %q", ErrLogin, note)
		}
		if says(note, refusals) || len(phrasesIn(note)) > 0 {
			return fmt.Errorf("%w: it says %q", ErrBlocked, note)
		}
	}
	return ErrEmpty
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
	value := unwrapCall(bytes.TrimSpace(body))
	f, err := findFields(value, maxWraps)
	if errors.Is(err, ErrUnreadable) && value[0] != '{' && value[0] != '[' { // a page, or a note
		if refused := refusal(body, proofNone); refused != nil {
			err = refused
		}
	}
	return f, err
}

// findFields looks for the fields in a JSON value.
func findFields(value json.RawMessage, depth int) (*textFields, error) {
	if depth == 0 || len(value) == 0 {
		return nil, ErrEmpty
	}
	switch value[0] {
	case '[':
		var items [2]json.RawMessage // what is beyond is not kept
		if err := json.Unmarshal(value, &items); err != nil {
			return nil, brokenJSON(err)
		}
		if items[1] != nil {
			return nil, ErrEmpty
		}
		return findFields(items[0], depth-1)
	case '{':
		var f textFields
		var other *json.UnmarshalTypeError // a text that is none
		if err := json.Unmarshal(value, &f); err != nil && !errors.As(err, &other) {
			return nil, brokenJSON(err)
		}
		if f.body() != nil {
			return &f, nil
		}
		if err := f.lacking(); err != ErrEmpty {
			return nil, err
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
