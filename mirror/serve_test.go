package mirror_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

func TestConditionalRequests(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 30})
	base := serve(t, m)
	for _, path := range []string{"/", "/feed.xml", "/sitemap.xml", "/category/emnews.html", m.Standing(3).Path} {
		resp, body := get(t, base+path)
		etag, modified := resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
		for _, c := range []struct {
			name, key, value string
			status           int
		}{
			{"its tag", "If-None-Match", etag, 304},
			{"weak and among others", "If-None-Match", `"other", W/` + etag, 304},
			{"any", "If-None-Match", "*", 304},
			{"another tag", "If-None-Match", `"other"`, 200},
			{"its date", "If-Modified-Since", modified, 304},
			{"an older date", "If-Modified-Since", "Mon, 01 Jan 2018 00:00:00 GMT", 200},
			{"no date", "If-Modified-Since", "yesterday", 200},
		} {
			resp, again := get(t, base+path, c.key, c.value)
			if resp.StatusCode != c.status || c.status == 304 && again != "" || c.status == 200 && again != body {
				t.Errorf("%s with %s: %s", path, c.name, resp.Status)
			}
		}
		if resp, _ := get(t, base+path, "If-None-Match", `"other"`, "If-Modified-Since", modified); resp.StatusCode != 200 {
			t.Errorf("%s: the date counts beside a tag", path)
		}
	}
}

func TestListsChangeOnlyWithTheirPosts(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 60, Categories: 6})
	base := serve(t, m)
	tags := map[string]string{}
	for _, p := range m.Posts() {
		path := "/category/" + strings.ReplaceAll(p.Category, " ", "%20") + ".html"
		resp, _ := get(t, base+path)
		tags[path] = resp.Header.Get("ETag")
	}
	from, err := m.Publish(1)
	if err != nil {
		t.Fatal(err)
	}
	touched := "/category/" + strings.ReplaceAll(m.Post(from).Category, " ", "%20") + ".html"
	for path, tag := range tags {
		resp, _ := get(t, base+path, "If-None-Match", tag)
		if changed := resp.StatusCode == http.StatusOK; changed != (path == touched) {
			t.Errorf("%s: %s after a post of %s", path, resp.Status, touched)
		}
	}
}

func TestMethods(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 5})
	base := serve(t, m)
	path := m.Standing(0).Path
	full, page := get(t, base+path)
	head, body, err := ask(t, http.MethodHead, base+path)
	if err != nil || body != "" || head.ContentLength != int64(len(page)) || head.Header.Get("ETag") != full.Header.Get("ETag") {
		t.Errorf("HEAD: %d bytes of %d, %v", len(body), head.ContentLength, err)
	}
	if resp, _, _ := ask(t, http.MethodPost, base+path); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", resp.Status)
	}
}

func TestGzip(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 5, Gzip: true})
	base := serve(t, m)
	_, plain := get(t, base+"/", "Accept-Encoding", "gzip;q=0, br")
	resp, packed := get(t, base+"/", "Accept-Encoding", "br, gzip;q=0.5")
	if resp.Header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(resp.Header.Get("ETag"), `W/"`) {
		t.Fatalf("headers: %v", resp.Header)
	}
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || string(text) != plain {
		t.Errorf("unpacked page differs: %v", err)
	}
	again, _ := get(t, base+"/", "Accept-Encoding", "gzip", "If-None-Match", resp.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("with the packed page's tag: %s", again.Status)
	}
}

func TestBase(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 5, Base: "https://site.example/", ShareBase: "http://share.example"})
	page := fetch(m, m.Standing(0).Path)
	for _, want := range []string{`"//site.example/category/`, `"//site.example/"`, `"http://share.example/html_News/NewsShare.html?infoCode=NW`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
}

// TestRequestsUnderLoad counts what many clients ask for at once while the site
// changes.
func TestRequestsUnderLoad(t *testing.T) {
	const clients, rounds = 8, 40
	m := newMirror(t, mirror.Options{Posts: 100})
	base := serve(t, m)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range rounds {
				get(t, base+m.Standing((c+i)%100).Path)
			}
		})
	}
	wg.Go(func() { changeOften(t, m) })
	wg.Wait()
	s := m.Requests()
	total := 0
	for _, n := range s.Paths {
		total += n
	}
	if s.Total != clients*rounds || total != s.Total || s.Kinds[news.KindPost] != s.Total || s.Statuses[200]+s.Statuses[404] != s.Total {
		t.Errorf("stats: %+v", s)
	}
	if s.MaxInFlight < 1 || s.MaxInFlight > clients || s.MaxPerSecond < clients || s.Bytes == 0 {
		t.Errorf("in flight %d, a second %d, bytes %d", s.MaxInFlight, s.MaxPerSecond, s.Bytes)
	}
}

// TestListsWhileTheSiteChanges renders every list beside a publisher.
func TestListsWhileTheSiteChanges(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 30, Categories: 3})
	var wg sync.WaitGroup
	for _, path := range []string{"/", "/feed.xml", "/sitemap.xml", "/category/emnews.html"} {
		wg.Go(func() {
			for range 100 {
				if fetch(m, path) == "" {
					t.Errorf("%s is empty", path)
				}
			}
		})
	}
	for range 20 {
		changeOften(t, m)
	}
	wg.Wait()
}

func changeOften(t *testing.T, m *mirror.Mirror) {
	oldest := m.Post(0)
	for range 20 {
		if _, err := m.Publish(1); err != nil {
			t.Error(err)
		}
		if err := m.Revise(oldest.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := m.Forget(oldest.Published.Add(time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestRequestsEndpoint(t *testing.T) {
	now := time.Unix(0, 0)
	m := newMirror(t, mirror.Options{Posts: 5, Now: func() time.Time { return now }})
	base := serve(t, m)
	path := m.Standing(0).Path
	for _, step := range []time.Duration{0, 400, 500, 100, 100, 900} { // begins at 0, 400, 900, 1000, 1100, 2000 ms
		now = now.Add(step * time.Millisecond)
		get(t, base+path, "If-None-Match", "*")
	}
	_, text := get(t, base+"/_mirror/requests")
	var s mirror.Stats
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if s.Total != 6 || s.NotModified != 6 || s.MaxPerSecond != 4 || s.MaxInFlight != 1 || s.Paths[path] != 6 {
		t.Errorf("stats: %+v", s)
	}
	if !maps.Equal(s.Kinds, map[news.PageKind]int{news.KindPost: 6}) {
		t.Errorf("kinds: %v", s.Kinds)
	}
	if resp, _, _ := ask(t, http.MethodPost, base+"/_mirror/reset"); resp.StatusCode != http.StatusNoContent || m.Requests().Total != 0 {
		t.Errorf("reset: %s, %+v", resp.Status, m.Requests())
	}
}
