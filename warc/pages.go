package warc

import (
	"io"

	"github.com/finarc/finarc/news"
)

// pagesHeader is the first line of pages.jsonl, which players take for its header
// whatever it is.
type pagesHeader struct {
	Format  string `json:"format"`
	ID      string `json:"id"`
	Title   string `json:"title"`
	HasText bool   `json:"hasText,omitempty"`
}

// pageLine is a line of pages.jsonl: where to begin to look at a WACZ.
type pageLine struct {
	ID    string `json:"id"`
	URL   string `json:"url"`
	Date  string `json:"ts"` // that of the record
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"`
}

// newPage returns the page of a revision, of which the record is the capture.
func newPage(rev *news.Revision, r *record, text string) *pageLine {
	return &pageLine{ID: rev.Name(), URL: r.uri, Date: formatDate(r.date), Title: rev.Title, Text: text}
}

func (w *waczWriter) beginPages() error {
	return w.addLine(pagesHeader{"json-pages-1.0", "pages", "All Pages", w.o.Text != nil})
}

func (w *waczWriter) addPage(p *pageLine) error { return w.addLine(p) }

func (w *waczWriter) addLine(v any) error {
	line, err := encodeJSON(v)
	if err != nil {
		return err
	}
	_, err = w.pages.WriteString(line)
	return err
}

// writePages writes the lines that were gathered.
func (w *waczWriter) writePages(to io.Writer) error {
	if err := w.pages.Flush(); err != nil {
		return err
	}
	if _, err := w.pages.on.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(to, w.pages.on)
	return err
}
