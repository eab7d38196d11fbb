package crawler_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/finarc/finarc/archive"
)

// TestBytesThatAreNoText: a server may send bytes that are no UTF-8 in a header
// (RFC 9110, 5.5, obs-text), and redirect to an address with such bytes. The
// archive holds what came of it, and the next run goes on.
func TestBytesThatAreNoText(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Server", "\xb9\xab")
			fmt.Fprint(w, postPage("甲", sentence, code1, "yanlancaijing"))
		},
		"address": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery == "" {
				w.Header().Set("Location", path1+"?q=\xb9\xab")
				w.WriteHeader(http.StatusFound)
				return
			}
			fmt.Fprint(w, postPage("甲", sentence, code1, "yanlancaijing"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := twoPosts(t)
			f.answer(path1, answer)
			f.answer(path1+"?q=\xb9\xab", answer)
			f.answer("/", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", "\"\xb9\xab\"")
				fmt.Fprint(w, listPage(path1))
			})
			a := newArchive(t)
			crawl(t, options(f.base, a))
			crawl(t, options(f.base, a))
			n := 0
			for rev, err := range a.Select(t.Context(), archive.Selection{Body: true}) {
				if n++; err != nil {
					t.Errorf("%s: %v", rev.ID, err)
				}
			}
			if n != 1 {
				t.Errorf("%d posts", n)
			}
		})
	}
}
