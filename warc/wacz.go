package warc

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"path"
	"path/filepath"
	"time"

	"github.com/finarc/finarc/news"
)

// ExportWACZ is as [Export], into a WACZ: one file with the WARC files, a CDXJ of all
// of them, and a page for each post, its newest response. It should be called .wacz.
func ExportWACZ(ctx context.Context, name string, revs iter.Seq2[news.Revision, error], o Options) (report Report, err error) {
	draft, err := newDraft(name)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, draft.Discard()) }()
	made := filepath.Join(draft.Path, "wacz")
	to, err := newWACZ(draft.Path, made, &o)
	if err != nil {
		return report, err
	}
	e := newExporter(&o, to)
	e.page = to.addPage
	if err := e.export(ctx, revs); err != nil {
		return report, errors.Join(err, to.abandon())
	}
	e.report.Out = name
	if e.report.Bytes, err = to.finish(); err != nil {
		return report, err
	}
	return e.report, draft.PlaceFile(made, name)
}

// waczWriter writes one.
type waczWriter struct {
	o         *Options
	file      *file
	zip       *zip.Writer
	lines     sorter // of the index
	pages     *file
	resources []resource
}

// resource is a file of the WACZ as its descriptor tells of it.
type resource struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Hash  string `json:"hash"`
	Bytes int64  `json:"bytes"`
}

func newWACZ(dir, name string, o *Options) (*waczWriter, error) {
	w := &waczWriter{o: o, lines: sorter{dir: dir, room: sortRoom}}
	var err error
	if w.file, err = newFile(name); err != nil {
		return nil, err
	}
	if w.pages, err = newFile(filepath.Join(dir, "pages")); err != nil {
		return nil, errors.Join(err, w.file.on.Close())
	}
	w.zip = zip.NewWriter(w.file)
	if err := w.beginPages(); err != nil {
		return nil, errors.Join(err, w.abandon())
	}
	return w, nil
}

// begin stores WARC files as they are: players read within them.
func (w *waczWriter) begin(name string) (io.Writer, error) {
	return w.create(path.Join("archive", name), zip.Store)
}

func (w *waczWriter) create(name string, method uint16) (io.Writer, error) {
	return w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: w.o.Created.UTC()})
}

func (w *waczWriter) index(line string) error { return w.lines.add(line) }

func (w *waczWriter) end(f FileReport) error {
	w.list(path.Join("archive", f.Path), f.SHA256, f.Bytes)
	return nil
}

// list adds a file to the descriptor.
func (w *waczWriter) list(name, sum string, size int64) {
	w.resources = append(w.resources, resource{path.Base(name), name, "sha256:" + sum, size})
}

// add adds a file, and returns its SHA-256 in hexadecimal.
func (w *waczWriter) add(name string, write func(io.Writer) error) (string, error) {
	to, err := w.create(name, zip.Deflate)
	if err != nil {
		return "", err
	}
	digest, size := sha256.New(), new(counter)
	if err := write(io.MultiWriter(to, digest, size)); err != nil {
		return "", err
	}
	sum := hex.EncodeToString(digest.Sum(nil))
	w.list(name, sum, int64(*size))
	return sum, nil
}

// addData is add for a file of these bytes.
func (w *waczWriter) addData(name string, data []byte) (string, error) {
	return w.add(name, func(to io.Writer) error {
		_, err := to.Write(data)
		return err
	})
}

// counter counts the bytes that are written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// finish writes what follows the WARC files, and returns the file's size. Whatever
// comes of it, nothing is left open.
func (w *waczWriter) finish() (int64, error) {
	if err := w.complete(); err != nil {
		return 0, errors.Join(err, w.abandon())
	}
	info, err := w.file.on.Stat()
	if err != nil {
		return 0, errors.Join(err, w.abandon())
	}
	return info.Size(), errors.Join(w.file.close(), w.pages.on.Close())
}

func (w *waczWriter) complete() error {
	if _, err := w.add("indexes/index.cdxj", w.lines.writeTo); err != nil {
		return err
	}
	if _, err := w.add("pages/pages.jsonl", w.writePages); err != nil {
		return err
	}
	descriptor, err := w.descriptor()
	if err != nil {
		return err
	}
	const name = "datapackage.json"
	sum, err := w.addData(name, descriptor)
	if err != nil {
		return err
	}
	digest, err := encodeJSON(map[string]string{"path": name, "hash": "sha256:" + sum})
	if err != nil {
		return err
	}
	if _, err := w.addData("datapackage-digest.json", []byte(digest)); err != nil {
		return err
	}
	return errors.Join(w.zip.Close(), w.file.Flush())
}

// descriptor returns datapackage.json. What stands under finarc is not of the
// standard, which leaves room for more.
func (w *waczWriter) descriptor() ([]byte, error) {
	o := w.o
	data, err := json.MarshalIndent(struct {
		Profile     string     `json:"profile"`
		Version     string     `json:"wacz_version"`
		Title       string     `json:"title"`
		Description string     `json:"description"`
		Created     string     `json:"created"`
		Software    string     `json:"software"`
		Finarc      origins    `json:"finarc"`
		Resources   []resource `json:"resources"`
	}{
		"data-package", "1.1.1", "Captures of a finarc archive", o.description(), o.Created.UTC().Format(time.RFC3339), o.software(),
		origins{o.Selection, o.After, o.UpTo}, w.resources,
	}, "", "  ")
	return append(data, '\n'), err
}

// origins tells where the captures come from.
type origins struct {
	Selection string `json:"selection"`
	After     uint64 `json:"after_change"`
	UpTo      uint64 `json:"up_to_change,omitempty"`
}

// abandon closes what is open, as it is.
func (w *waczWriter) abandon() error {
	return errors.Join(w.lines.close(), w.file.on.Close(), w.pages.on.Close())
}
