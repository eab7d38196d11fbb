package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/finarc/finarc/web"
)

// BenchmarkPages makes pages anew each time, and, as kept, out of the cache.
func BenchmarkPages(b *testing.B) {
	s := newSite(b, nil)
	for name, path := range map[string]string{
		"post": "/post/" + string(s.posts[len(s.posts)-1].ID), "day": "/day/2021-12-22", "today": "/", "coverage": "/coverage",
	} {
		for kept, limit := range map[string]int64{"anew": 1, "kept": 8 << 20} {
			b.Run(name+"/"+kept, func(b *testing.B) {
				handler, err := web.New(options(b, s.archive, func(o *web.Options) { o.Limits.Cache = limit }))
				if err != nil {
					b.Fatal(err)
				}
				req := httptest.NewRequest(http.MethodGet, path, nil)
				req.Header.Set("Accept-Encoding", "gzip")
				b.ReportAllocs()
				for b.Loop() {
					w := httptest.NewRecorder()
					if handler.ServeHTTP(w, req); w.Code != http.StatusOK {
						b.Fatalf("%s: status %d", path, w.Code)
					}
				}
			})
		}
	}
}
