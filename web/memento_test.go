package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
)

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// TestMemento: a TimeGate leads to the capture of the time that is asked for, which
// says so itself, and a TimeMap lists both (RFC 7089).
func TestMemento(t *testing.T) {
	s := newSite(t, nil)
	last := s.posts[len(s.posts)-1]
	all, err := s.archive.Revisions(t.Context(), last.ID)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d revisions, %v", len(all), err)
	}
	original := all[0].URL
	raw := "/post/" + string(last.ID) + "/raw?revision="
	for _, c := range []struct {
		name, original string
		datetime       time.Time // zero: none
		want           string
	}{
		{"without a time", original, time.Time{}, raw + "2"},
		{"before all", original, newest.Add(-time.Hour), raw + "1"},
		{"when it was captured", original, all[0].Fetched, raw + "1"},
		{"in the future", original, newest.Add(1000 * time.Hour), raw + "2"},
		{"in another spelling", strings.Replace(original, "http://", "HTTP:/", 1), time.Time{}, raw + "2"},
		{"without its scheme", strings.TrimPrefix(original, "http://"), time.Time{}, raw + "2"},
	} {
		headers := []string{}
		if !c.datetime.IsZero() {
			headers = []string{"Accept-Datetime", httpTime(c.datetime)}
		}
		got := ask(t, s.Server, "/timegate/"+c.original, headers...)
		if got.StatusCode != http.StatusFound || got.Header.Get("Location") != s.URL+c.want || got.Header.Get("Vary") != "accept-datetime" {
			t.Errorf("%s: status %d to %q, Vary %q", c.name, got.StatusCode, got.Header.Get("Location"), got.Header.Get("Vary"))
		}
		for _, rel := range []string{`rel="original"`, `rel="timegate"`, `rel="timemap"`, `rel="first `, `rel="last `} {
			if !strings.Contains(got.Header.Get("Link"), rel) {
				t.Errorf("%s: Link lacks %s: %s", c.name, rel, got.Header.Get("Link"))
			}
		}
	}
	memento := ask(t, s.Server, raw+"1")
	if memento.Header.Get("Memento-Datetime") != httpTime(all[0].Fetched) || !strings.Contains(memento.Header.Get("Link"), "<"+original+`>; rel="original"`) {
		t.Errorf("a memento: %v", memento.Header)
	}
	again := ask(t, s.Server, raw+"1", "If-None-Match", memento.Header.Get("ETag"))
	if again.StatusCode != 304 || again.Header.Get("Memento-Datetime") == "" {
		t.Errorf("the same again: %d %v", again.StatusCode, again.Header)
	}
	if got := ask(t, s.Server, "/post/"+string(last.ID)+"/raw"); got.Header.Get("Memento-Datetime") != "" {
		t.Error("the newest page, whichever that is, claims to be a memento")
	}
}

// TestMementoSeries: of several captures of one address each is found, and names
// those beside it.
func TestMementoSeries(t *testing.T) {
	s := newSite(t, nil)
	for n := range 3 {
		commitRevision(t, s.archive, n)
	}
	const original = "http://m.example/a/2021/12/22/NW202112229999999999.html"
	base := s.URL + "/post/202112229999999999/raw?revision="
	at := func(n int) string { return httpTime(newest.Add(time.Duration(n) * time.Hour)) }
	got := ask(t, s.Server, "/timegate/"+original, "Accept-Datetime", httpTime(newest.Add(90*time.Minute)))
	if got.Header.Get("Location") != base+"2" {
		t.Errorf("it leads to %s", got.Header.Get("Location"))
	}
	for _, want := range []string{
		"<" + base + `1>; rel="first prev memento"; datetime="` + at(0) + `"`,
		"<" + base + `2>; rel="memento"; datetime="` + at(1) + `"`,
		"<" + base + `3>; rel="last next memento"; datetime="` + at(2) + `"`,
	} {
		if !strings.Contains(got.Header.Get("Link"), want) {
			t.Errorf("Link lacks %s: %s", want, got.Header.Get("Link"))
		}
	}
	list := ask(t, s.Server, "/timemap/link/"+original)
	want := []string{
		"<" + original + `>; rel="original"`,
		"<" + s.URL + "/timemap/link/" + original + `>; rel="self"; type="application/link-format"; from="` + at(0) + `"; until="` + at(2) + `"`,
		"<" + s.URL + "/timegate/" + original + `>; rel="timegate"`,
		"<" + base + `1>; rel="first memento"; datetime="` + at(0) + `"`,
		"<" + base + `2>; rel="memento"; datetime="` + at(1) + `"`,
		"<" + base + `3>; rel="last memento"; datetime="` + at(2) + `"`,
	}
	if d := cmp.Diff(want, strings.Split(strings.TrimSuffix(list.body, "\n"), ",\n")); d != "" || list.Header.Get("Content-Type") != "application/link-format" {
		t.Errorf("TimeMap of type %q (-want +got):\n%s", list.Header.Get("Content-Type"), d)
	}
	for _, address := range regexp.MustCompile(`<([^>]*raw[^>]*)>`).FindAllStringSubmatch(list.body, -1) {
		if m := ask(t, s.Server, strings.TrimPrefix(address[1], s.URL)); m.StatusCode != 200 || m.Header.Get("Memento-Datetime") == "" {
			t.Errorf("%s: status %d", address[1], m.StatusCode)
		}
	}
}

// TestMementoErrors: what cannot be meant, and what is not held (RFC 7089, 4.5).
func TestMementoErrors(t *testing.T) {
	s := newSite(t, nil)
	commitRevision(t, s.archive, 0)
	const original = "http://m.example/a/2021/12/22/NW202112229999999999.html"
	for _, c := range []struct {
		path, datetime string
		status         int
	}{
		{"/timegate/" + original, "yesterday", 400},
		{"/timegate/" + original, "2021-12-22T10:00:00Z", 400},
		{"/timegate/" + original, "Wed, 22 Dec 2021 10:00:00 +0800", 400},
		{"/timegate/ftp://m.example/", "", 400},
		{"/timegate/http://user@m.example/", "", 400},
		{"/timegate/", "", 400},
		{"/timegate/http://m.example/" + strings.Repeat("a", 2000), "", 400},
		{"/timegate/http://m.example/other.html", "", 404},
		{"/timegate/http://m.example/b/2021/12/22/NW202112229999999999.html", "", 404}, // held, but not from there
		{"/timegate/http://other.example/a/2021/12/22/NW202112229999999999.html", "", 404},
		{"/timemap/link/http://m.example/other.html", "", 404},
		{"/timemap/link/nonsense", "", 404},
		{"/timemap/json/" + original, "", 404},
	} {
		got := ask(t, s.Server, c.path, "Accept-Datetime", c.datetime)
		if got.StatusCode != c.status {
			t.Errorf("%s at %q: status %d, want %d", c.path, c.datetime, got.StatusCode, c.status)
		}
		if got.Header.Get("Memento-Datetime") != "" {
			t.Errorf("%s: claims to be a memento", c.path)
		}
	}
}

// commitRevision archives the n-th revision of a post of its own.
func commitRevision(t testing.TB, a *archive.Archive, n int) {
	t.Helper()
	const code = news.InfoCode("NW202112229999999999")
	body := fmt.Sprintf("<p>第%d版</p>", n+1)
	_, err := a.Commit(t.Context(), &news.Batch{Posts: []news.Captured{{
		Capture: news.Capture{
			URL: "http://m.example/a/2021/12/22/" + string(code) + ".html", Status: 200, Fetched: newest.Add(time.Duration(n) * time.Hour),
			Mode: news.ModeLive, Mirror: "m", Kind: news.KindPost, Body: []byte(body),
		},
		Post: news.Post{ID: code.ID(), InfoCode: code, Title: "题", Published: newest, Category: "a", Body: body},
	}}})
	if err != nil {
		t.Fatal(err)
	}
}
