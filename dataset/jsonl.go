package dataset

import (
	"bytes"
	"encoding/json"
	"io"
)

// jsonLines writes a JSON object a line (https://jsonlines.org/), each with all
// fields in their order.
type jsonLines struct {
	to     io.Writer
	fields []field
	line   bytes.Buffer
	enc    *json.Encoder
}

func newJSONLines(to io.Writer, o *Options) *jsonLines {
	w := &jsonLines{to: to, fields: o.chosen()}
	w.enc = json.NewEncoder(&w.line)
	w.enc.SetEscapeHTML(false)
	return w
}

func (w *jsonLines) write(r *Row) error {
	w.line.Reset()
	w.line.WriteByte('{')
	for i, f := range w.fields {
		if i > 0 {
			w.line.WriteByte(',')
		}
		w.line.WriteString(`"` + f.Name + `":`)
		if err := w.enc.Encode(f.value(r)); err != nil {
			return err
		}
		w.line.Truncate(w.line.Len() - 1) // the line feed
	}
	w.line.WriteString("}\n")
	_, err := w.to.Write(w.line.Bytes())
	return err
}

func (w *jsonLines) close() error { return nil }
