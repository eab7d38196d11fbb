package mirror_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/finarc/finarc/mirror"
)

// newMirror makes a mirror, or fails the test.
func newMirror(t testing.TB, o mirror.Options) *mirror.Mirror {
	t.Helper()
	m, err := mirror.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// serve serves a mirror over HTTP for the length of the test.
func serve(t testing.TB, m *mirror.Mirror) string {
	t.Helper()
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	return s.URL
}

// get asks for a page, with headers as key and value by turns.
func get(t testing.TB, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("read %s: %v", url, err)
	}
	return resp, string(body)
}

func TestPostsAreServed(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 50, Seed: 1})
	base := serve(t, m)
	for i := range m.Posts() {
		resp, _ := get(t, base+m.Standing(i).Path)
		if resp.StatusCode != http.StatusOK {
			t.Errorf("post %d: %s", i, resp.Status)
		}
	}
}
