package mirror_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
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

// ask sends a request, with headers as key and value by turns.
func ask(t testing.TB, method, address string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
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
	return resp, string(body), err
}

// get asks for a page that must arrive whole.
func get(t testing.TB, address string, headers ...string) (*http.Response, string) {
	t.Helper()
	resp, body, err := ask(t, http.MethodGet, address, headers...)
	if err != nil {
		t.Fatalf("read %s: %v", address, err)
	}
	return resp, body
}

func TestSameOptionsSameMirror(t *testing.T) {
	o := mirror.Options{Posts: 200, Categories: 40, Seed: 7, ShareOnly: 0.1, Base: "http://127.0.0.1:80"}
	a, b := newMirror(t, o), newMirror(t, o)
	o.Prerender = true
	c := newMirror(t, o)
	for i, p := range a.Posts() {
		if !reflect.DeepEqual(p, b.Post(i)) {
			t.Fatalf("post %d differs", i)
		}
		path := a.Standing(i).Path
		if path == "" {
			continue
		}
		page := fetch(a, path)
		if page != fetch(b, path) || page != fetch(c, path) {
			t.Fatalf("page %s differs", path)
		}
	}
	o.Seed++
	if d := newMirror(t, o); d.Post(0).Title == a.Post(0).Title {
		t.Error("another seed makes the same mirror")
	}
}

// fetch asks a mirror without a network.
func fetch(m *mirror.Mirror, path string) string {
	rec := httptest.NewRecorder()
	m.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec.Body.String()
}

func TestCodesRiseWithTime(t *testing.T) {
	for _, year := range []int{2020, 2021, 2035} {
		newest := time.Date(year, 12, 22, 10, 0, 0, 0, news.Shanghai)
		m := newMirror(t, mirror.Options{Posts: 1000, Newest: newest})
		var before news.Post
		for i, p := range m.Posts() {
			if code, err := news.ParseInfoCode(string(p.InfoCode)); err != nil || code != p.InfoCode {
				t.Fatalf("post %d: code %q: %v", i, p.InfoCode, err)
			}
			if p.InfoCode.Day() != p.Day() || p.Published.Before(before.Published) || p.ID <= before.ID {
				t.Fatalf("post %d: %s at %v follows %s at %v", i, p.ID, p.Published, before.ID, before.Published)
			}
			before = p
		}
		if !before.Published.Equal(newest) {
			t.Errorf("the newest is of %v, want %v", before.Published, newest)
		}
		if oldest := m.Post(0).Published; newest.Sub(oldest) > 72*time.Hour {
			t.Errorf("the oldest is of %v", oldest)
		}
	}
}

func TestEveryPostIsComplete(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 500, Categories: 60, Seed: 3})
	categories := map[string]bool{}
	for i, p := range m.Posts() {
		if lacks := p.Lacks(); lacks != nil {
			t.Errorf("post %d lacks %v", i, lacks)
		}
		if p.Category == "" || p.Tag == "" || p.Outlet == "" || p.Source == "" {
			t.Errorf("post %d: %+v", i, p)
		}
		for _, related := range p.Related {
			if related.Kind() != "" || related.ID() >= p.ID {
				t.Errorf("post %d relates to %s", i, related)
			}
		}
		categories[p.Category] = true
	}
	if len(categories) != 60 {
		t.Errorf("%d categories have posts, want 60", len(categories))
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]mirror.Options{
		"posts":      {Posts: -1},
		"categories": {Categories: mirror.MaxCategories + 1},
		"share":      {ShareOnly: 1.5},
		"window":     {Window: time.Second},
		"too early":  {Newest: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)},
		"base":       {Base: "127.0.0.1:8080"},
		"base path":  {Base: "http://127.0.0.1/site"},
		"fault":      {Faults: []mirror.Fault{{Name: "fire"}}},
		"fault's":    {Faults: []mirror.Fault{{Name: "cut", Share: 2}}},
	} {
		if _, err := mirror.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestManyPostsTakeLittleMemory(t *testing.T) {
	before := heap()
	m := newMirror(t, mirror.Options{Posts: 50_000, Categories: 2000, Seed: 2})
	used := int64(heap()) - int64(before)
	t.Logf("50,000 posts of 2,000 outlets: %d KiB", used>>10)
	if used > 16<<20 {
		t.Errorf("a mirror of 50,000 posts takes %d bytes", used)
	}
	runtime.KeepAlive(m)
}

func heap() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func TestPublish(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 60})
	base := serve(t, m)
	last := m.Post(m.Len() - 1)
	from, err := m.Publish(5)
	if err != nil || from != 60 || m.Len() != 65 {
		t.Fatalf("publish: from %d, length %d, %v", from, m.Len(), err)
	}
	_, sitemap := get(t, base+"/sitemap.xml")
	for i := from; i < m.Len(); i++ {
		p := m.Post(i)
		if !p.Published.After(last.Published) || p.ID <= last.ID {
			t.Errorf("%s does not follow %s", p.ID, last.ID)
		}
		if path := m.Standing(i).Path; !strings.Contains(sitemap, path) {
			t.Errorf("%s is not listed", path)
		}
		last = p
	}
}

func TestRevise(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 20})
	base := serve(t, m)
	for i, before := range m.Posts() {
		address := base + m.Standing(i).Path
		resp, _ := get(t, address)
		if err := m.Revise(before.ID); err != nil {
			t.Fatal(err)
		}
		after := m.Post(i)
		if before.Body == after.Body || before.Title != after.Title || before.Source != after.Source {
			t.Errorf("post %d was revised from %q to %q", i, before.Body, after.Body)
		}
		again, page := get(t, address, "If-None-Match", resp.Header.Get("ETag"))
		if again.StatusCode != http.StatusOK || !strings.Contains(page, after.Body) {
			t.Errorf("post %d: the page was not revised: %s", i, again.Status)
		}
	}
	if err := m.Revise("202112229999999999"); err == nil {
		t.Error("a post that is not there was revised")
	}
}

func TestForget(t *testing.T) {
	m := newMirror(t, mirror.Options{Posts: 90, Categories: 3})
	base := serve(t, m)
	middle := m.Post(45)
	category := base + "/category/" + url.PathEscape(m.Post(0).Category) + ".html"
	etag, _ := get(t, category)
	if n, err := m.Forget(middle.Published); n != 45 || err != nil {
		t.Fatalf("forgot %d: %v", n, err)
	}
	resp, list := get(t, category, "If-None-Match", etag.Header.Get("ETag"))
	if resp.StatusCode != http.StatusOK || strings.Contains(list, string(m.Post(0).ID)) {
		t.Errorf("the category still lists a forgotten post: %s", resp.Status)
	}
	for i := range m.Posts() {
		s := m.Standing(i)
		resp, _ := get(t, base+s.Path)
		if gone := resp.StatusCode == http.StatusNotFound; gone != (i < 45) || gone != s.Forgotten {
			t.Errorf("post %d: %s, %+v", i, resp.Status, s)
		}
	}
	if _, text := get(t, base+"/NewsData/GetNewsText.do?id="+string(m.Post(0).InfoCode)); !strings.Contains(text, m.Post(0).Title) {
		t.Error("the text of a forgotten post is gone")
	}
}

func TestBuiltSitesDoNotChange(t *testing.T) {
	m, err := mirror.FromDir(t.TempDir(), mirror.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, publish := m.Publish(1)
	_, forget := m.Forget(time.Time{})
	for _, err := range []error{publish, forget, m.Revise("202112222222306968")} {
		if !errors.Is(err, mirror.ErrStatic) {
			t.Errorf("got %v, want ErrStatic", err)
		}
	}
}
