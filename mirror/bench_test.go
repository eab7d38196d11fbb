package mirror_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/finarc/finarc/mirror"
)

// discard is a response that goes nowhere.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             { clear(d.header) }

func BenchmarkPostPage(b *testing.B) {
	for name, prerender := range map[string]bool{"written": false, "prerendered": true} {
		b.Run(name, func(b *testing.B) {
			m := newMirror(b, mirror.Options{Posts: 2000, Categories: 100, Prerender: prerender})
			requests := make([]*http.Request, m.Len())
			for i := range requests {
				requests[i] = httptest.NewRequest(http.MethodGet, m.Standing(i).Path, nil)
			}
			w := &discard{http.Header{}}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m.ServeHTTP(w, requests[i%len(requests)])
			}
		})
	}
}

func BenchmarkNotModified(b *testing.B) {
	m := newMirror(b, mirror.Options{Posts: 100})
	r := httptest.NewRequest(http.MethodGet, m.Standing(0).Path, nil)
	r.Header.Set("If-None-Match", "*")
	w := &discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		m.ServeHTTP(w, r)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newMirror(b, mirror.Options{Posts: 50_000, Categories: 2000})
	}
}
