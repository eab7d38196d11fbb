//go:build unix

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/warc"
)

// refreshed crawls a mirror of posts, looks at all of them again, and exports what is
// held then: the report, and the revisits. A mirror without validators sends its pages
// again as they were.
func refreshed(t *testing.T, posts int, validators bool) (warc.Report, []*warc.Record) {
	t.Helper()
	var m *mirror.Mirror
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !validators {
			r.Header.Del("If-None-Match")
			r.Header.Del("If-Modified-Since")
		}
		m.ServeHTTP(w, r)
	}))
	s.Start()
	t.Cleanup(s.Close)
	var err error
	m, err = mirror.New(mirror.Options{Posts: posts, Seed: 3, Base: s.URL, Newest: time.Date(2021, 12, 22, 10, 0, 0, 0, news.Shanghai)})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "crawler.yaml")
	writeFile(t, config, fmt.Sprintf(configuration, filepath.Join(dir, "a.db"), s.URL, 8))
	output(t, finarc, "crawl", "--quiet", "-c", config)
	output(t, finarc, "crawl", "--quiet", "-c", config, "--refresh", "10000")
	out := filepath.Join(dir, "warc")
	var report warc.Report
	if err := json.Unmarshal([]byte(output(t, finarc, "export", "warc", "--json", "-c", config, "--out", out)), &report); err != nil {
		t.Fatal(err)
	}
	output(t, finarc, "verify", "-c", config)
	return report, revisitsIn(t, filepath.Join(out, report.Files[0].Path))
}

// revisitsIn returns the revisits of a WARC file.
func revisitsIn(t *testing.T, path string) []*warc.Record {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // it is only read
	r, err := warc.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []*warc.Record
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Type() != "revisit" {
			continue
		}
		block, err := io.ReadAll(rec.Block)
		if err != nil {
			t.Fatal(err)
		}
		rec.Block = strings.NewReader(string(block))
		list = append(list, rec)
	}
}

// TestRefreshAsWARC: posts that a refresh finds as they were are exported as revisits: of
// a 304, or of the same bytes.
func TestRefreshAsWARC(t *testing.T) {
	const posts = 30
	for _, c := range []struct {
		validators               bool
		profile, truncated, line string
	}{
		{true, "server-not-modified", "", "HTTP/1.1 304 "},
		{false, "identical-payload-digest", "length", "HTTP/1.1 200 "},
	} {
		report, revisits := refreshed(t, posts, c.validators)
		if report.Responses != posts || report.Revisits != posts || report.Rechecks != posts || report.Metadata != 0 || len(revisits) != posts {
			t.Errorf("%s: %+v", c.profile, report)
		}
		for _, rec := range revisits {
			block, err := io.ReadAll(rec.Block)
			if err != nil {
				t.Fatal(err)
			}
			h := rec.Header
			if h.Get("WARC-Profile") != "http://netpreserve.org/warc/1.1/revisit/"+c.profile || h.Get("WARC-Truncated") != c.truncated ||
				!strings.HasPrefix(string(block), c.line+"\r\n") || !strings.HasSuffix(string(block), "\r\n\r\n") || !strings.Contains(string(block), "\r\nDate: ") {
				t.Errorf("%q\n%s", h, block)
			}
			if h.Get("WARC-Refers-To-Target-URI") != rec.TargetURI() || h.Get("WARC-Refers-To-Date") > h.Get("WARC-Date") || h.Get("WARC-Payload-Digest") == "" {
				t.Errorf("%q", h)
			}
		}
	}
}
