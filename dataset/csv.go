package dataset

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// commaSeparated writes CSV as RFC 4180 has it: a header, records that end with CR
// LF, quotes where they are needed. Text stands as it is, also its line feeds,
// which encoding/csv would write as CR LF. Null is an empty field, and lists are
// JSON.
type commaSeparated struct {
	to     io.Writer
	fields []field
	safe   bool
	begun  bool
	line   bytes.Buffer
	json   bytes.Buffer
	enc    *json.Encoder
}

func newCommaSeparated(to io.Writer, o *Options) *commaSeparated {
	w := &commaSeparated{to: to, fields: o.chosen(), safe: o.SafeCSV}
	w.enc = json.NewEncoder(&w.json)
	w.enc.SetEscapeHTML(false)
	return w
}

func (w *commaSeparated) write(r *Row) error {
	if err := w.begin(); err != nil {
		return err
	}
	return w.record(func(f *field) (string, error) {
		switch v := f.value(r).(type) {
		case nil:
			return "", nil
		case string:
			if w.safe {
				return disarm(v), nil
			}
			return v, nil
		case int32:
			return strconv.Itoa(int(v)), nil
		default:
			w.json.Reset()
			err := w.enc.Encode(v)
			return strings.TrimSuffix(w.json.String(), "\n"), err
		}
	})
}

// begin writes the header, once.
func (w *commaSeparated) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.record(func(f *field) (string, error) { return f.Name, nil })
}

func (w *commaSeparated) close() error { return w.begin() }

func (w *commaSeparated) record(value func(*field) (string, error)) error {
	w.line.Reset()
	for i := range w.fields {
		if i > 0 {
			w.line.WriteByte(',')
		}
		text, err := value(&w.fields[i])
		if err != nil {
			return err
		}
		w.quote(text)
	}
	w.line.WriteString("\r\n")
	_, err := w.to.Write(w.line.Bytes())
	return err
}

// quote writes a field, in quotes where it holds what separates (RFC 4180, 2.6),
// or begins or ends with a space, which some readers trim.
func (w *commaSeparated) quote(text string) {
	if !strings.ContainsAny(text, "\",\r\n") && strings.TrimSpace(text) == text {
		w.line.WriteString(text)
		return
	}
	w.line.WriteByte('"')
	w.line.WriteString(strings.ReplaceAll(text, `"`, `""`))
	w.line.WriteByte('"')
}

// formula holds the characters with which a spreadsheet takes a field for a
// formula, those of full width included
// (https://owasp.org/www-community/attacks/CSV_Injection), and the apostrophe
// itself.
const formula = "=+-@\t\r\n'＝＋－＠"

// disarm puts an apostrophe before text that a spreadsheet could take for a
// formula, and before an apostrophe. So whoever drops one apostrophe from the
// beginning of every field that has one gets the text back.
func disarm(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && strings.ContainsRune(formula, first) {
		return "'" + text
	}
	return text
}
