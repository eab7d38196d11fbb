package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/klauspost/compress/gzip"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are the pages' templates, by name, each with the layout around it.
type templates struct{ byName map[string]*template.Template }

// layout is the template around all pages.
const layout = "layout.html"

func loadTemplates(a *assets) (*templates, error) {
	base, err := template.New(layout).Funcs(template.FuncMap{"asset": a.address}).
		ParseFS(templateFiles, "templates/"+layout, "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	names, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	t := &templates{byName: make(map[string]*template.Template)}
	for _, file := range names {
		with, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
		if with, err = with.ParseFS(templateFiles, path.Join("templates", file.Name())); err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
		t.byName[strings.TrimSuffix(file.Name(), ".html")] = with
	}
	return t, nil
}

// document is a page before it is written: the template, and what it is made of.
type document struct {
	template string
	title    string // before that of the site; empty: that alone
	data     any
}

// request is a request for a page. Its context ends with the time for the answer,
// but not when who asked goes away: others may wait for the same page.
type request struct {
	*http.Request
	lang lang
}

func (r *request) say(m message, args ...any) string { return r.lang.say(m, args...) }

func (r *request) weekday(d news.Day) string { return r.lang.weekday(d) }

// rendered is an answer as it is sent.
type rendered struct {
	packed []byte // gzip
	size   int    // unpacked
	etag   string
	media  string
	vary   string // by what other answers to the same address differ
}

// pageFresh is for how long a page is as good as new: a crawl commits a few times
// a second.
const pageFresh = 2 * time.Second

// html returns what answers with a page.
func (s *Server) html(compose func(*request) (*document, error)) answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		if chooseLang(w, r) {
			return nil
		}
		l := s.langOf(r)
		key := l.short() + here(r.URL.Path, r.URL.Query())
		p, err := s.pages.get(key, pageFresh, func() (*rendered, int64, error) {
			ctx, done := context.WithTimeout(context.WithoutCancel(r.Context()), s.Limits.Time)
			defer done()
			req := &request{Request: r.WithContext(ctx), lang: l}
			p, err := compose(req)
			if err != nil {
				return nil, 0, err
			}
			made, err := s.render(req, p)
			if err != nil {
				return nil, 0, err
			}
			return made, int64(len(made.packed)), nil
		})
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "private, no-cache")
		return p.send(w, r, http.StatusOK)
	}
}

// render writes a page.
func (s *Server) render(r *request, p *document) (*rendered, error) {
	var html bytes.Buffer
	if err := s.write(&html, r, p); err != nil {
		return nil, err
	}
	return s.pack(html.Bytes(), "text/html; charset=utf-8", "Accept-Language, Cookie, Accept-Encoding")
}

// pack makes an answer ready to be sent.
func (s *Server) pack(body []byte, media, vary string) (*rendered, error) {
	sum := sha256.Sum256(body)
	packed, err := s.packers.pack(body)
	if err != nil {
		return nil, fmt.Errorf("pack answer: %w", err)
	}
	return &rendered{
		packed: packed, size: len(body), media: media, vary: vary,
		etag: `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
	}, nil
}

// packers pack with gzip. Each takes 800 KiB, so that they are used again.
type packers struct{ idle sync.Pool }

func (p *packers) pack(text []byte) ([]byte, error) {
	zip, ok := p.idle.Get().(*gzip.Writer)
	if !ok {
		var err error
		if zip, err = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed); err != nil {
			return nil, err
		}
	}
	defer p.idle.Put(zip)
	var packed bytes.Buffer
	zip.Reset(&packed)
	if _, err := zip.Write(text); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(packed.Bytes()), nil
}

func (s *Server) write(w io.Writer, r *request, p *document) error {
	t := s.templates.byName[p.template]
	if t == nil {
		return fmt.Errorf("no template %q", p.template)
	}
	v := &view{lang: r.lang, Title: p.title, Template: p.template, path: r.URL.Path, query: r.URL.Query(), Page: p.data}
	if err := t.ExecuteTemplate(w, layout, v); err != nil {
		return fmt.Errorf("write page %s: %w", p.template, err)
	}
	return nil
}

// send writes the answer, or only says that it is the one that the reader has.
func (p *rendered) send(w http.ResponseWriter, r *http.Request, status int) error {
	h := w.Header()
	h.Set("Vary", p.vary)
	h.Set("ETag", p.etag)
	if status == http.StatusOK && hasTag(r.Header.Get("If-None-Match"), p.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", p.media)
	if takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(p.packed)))
		w.WriteHeader(status)
		return ignoreGone(w.Write(p.packed))
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(p.packed))
	if err != nil {
		return fmt.Errorf("unpack answer: %w", err)
	}
	h.Set("Content-Length", strconv.Itoa(p.size))
	w.WriteHeader(status)
	return ignoreGone(io.Copy(w, unpacked))
}

// ignoreGone drops the error of an answer that nobody takes any more: the server
// drops who reads too slowly, and who has gone needs no answer.
func ignoreGone[N int | int64](N, error) error { return nil }

// takesGzip reports whether an answer may be packed.
func takesGzip(r *http.Request) bool {
	for encoding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(encoding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(quality, " ", "") != "q=0"
		}
	}
	return false
}

// hasTag reports whether an If-None-Match names an entity tag (RFC 9110, 13.1.2).
func hasTag(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// tellPage tells a failure as a page, or to a program as that reads it.
func (s *Server) tellPage(w http.ResponseWriter, r *http.Request, f *failure) {
	if ofAPI(r) {
		s.tellProblem(w, r, f)
		return
	}
	req := &request{Request: r, lang: s.langOf(r)}
	made, err := s.render(req, &document{template: "failure", title: req.say(f.about), data: &failurePage{f.status, f.about, f.details, s.elsewhere(r)}})
	if err != nil {
		s.Log.Error("a failure could not be told", "err", err)
		s.tellPlainly(w, r, f)
		return
	}
	f.head(w)
	_ = made.send(w, r, f.status)
}

// tellPlainly tells a failure where a page might fail too, or cost too much.
func (s *Server) tellPlainly(w http.ResponseWriter, r *http.Request, f *failure) {
	if ofAPI(r) {
		s.tellProblem(w, r, f)
		return
	}
	f.head(w)
	http.Error(w, s.langOf(r).say(f.about), f.status)
}

// failurePage is what the page about a failure tells.
type failurePage struct {
	Status    int
	About     message
	Details   string
	Elsewhere string // where the post that is missing may still be; empty: nowhere
}
