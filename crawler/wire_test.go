package crawler_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// onePost is a site whose one post is answered by h.
func onePost(t *testing.T, h http.HandlerFunc) *fixture {
	t.Helper()
	f := newFixture(t, map[string]string{"/": listPage(path1)})
	f.answer(path1, h)
	return f
}

// goodPage is the page of the fixtures' first post.
func goodPage() string {
	return strings.ReplaceAll(postPage("新泊位下月投用", sentence, code1, "yanlancaijing"), "{base}", "")
}

// captureOf returns the raw capture of the archive's post.
func captureOf(t *testing.T, a *archive.Archive, id news.ID) *news.Capture {
	t.Helper()
	rev, err := a.Post(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Capture(t.Context(), rev.Seq)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const id1 news.ID = "202112222222306968"

func TestRedirectWithinTheMirror(t *testing.T) {
	const moved = "/xinlu/2021/12/22/" + code1 + ".html"
	f := onePost(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, moved, http.StatusMovedPermanently) })
	f.put(moved, goodPage())
	a := newArchive(t)
	report := crawl(t, options(f.base, a))
	if c := captureOf(t, a, id1); report.New != 1 || c.URL != f.base+moved || string(c.Body) != goodPage() {
		t.Errorf("archived %s", c.URL)
	}
	if asked := f.requests(); asked[path1] != 1 || asked[moved] != 1 || report.Statuses[301] != 1 || report.Requests[news.KindPost] != 2 {
		t.Errorf("asked for %v; the report tells of %v, %v", asked, report.Requests, report.Statuses)
	}
}

// TestRedirectAway: another host gets no request, whatever leads there.
func TestRedirectAway(t *testing.T) {
	other := newFixture(t, map[string]string{"/": listPage(path1), path1: goodPage()})
	away := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.base+r.URL.Path, http.StatusFound)
	}
	f := onePost(t, away)
	f.answer("/feed.xml", away)
	a := newArchive(t)
	o := options(f.base, a)
	report := crawl(t, o)
	if report.Failed["redirect refused"] != 1 || report.Lists.Failed != 1 || f.requests()[path1] != 1 {
		t.Errorf("report %+v, lists %+v", countsOf(report), report.Lists)
	}
	if asked := other.requests(); len(asked) != 0 {
		t.Errorf("the other host was asked for %v", asked)
	}
	f.answer("/", away)
	if _, err := runFailing(t, options(f.base, newArchive(t))); err == nil || !strings.Contains(err.Error(), "redirect leads away from the mirror's hosts: to "+other.base) {
		t.Errorf("home page that leads away: %v", err)
	}
}

func TestRedirectLoop(t *testing.T) {
	f := onePost(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, path1, http.StatusFound) })
	report := crawl(t, options(f.base, newArchive(t)))
	if n := f.requests()[path1]; report.Failed["redirect refused"] != 1 || n != 11 {
		t.Errorf("report %+v after %d requests", countsOf(report), n)
	}
}

// TestRetries: what may pass is tried as often as the limits say; nothing else
// is tried twice.
func TestRetries(t *testing.T) {
	for _, c := range []struct {
		status, retries, asked, failed int
	}{
		{500, 0, 1, 0}, {500, 1, 2, 0}, {503, 3, 4, 0}, {502, 2, 3, 0}, {429, 2, 3, 0}, {408, 1, 2, 0},
		{404, 3, 1, 1}, {410, 3, 1, 1}, {403, 3, 1, 0}, {401, 3, 1, 0}, {400, 3, 1, 1}, {451, 3, 1, 0},
	} {
		t.Run(fmt.Sprint(c.status, " with ", c.retries), func(t *testing.T) {
			f := onePost(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) })
			o := options(f.base, newArchive(t))
			o.Limits.Retries = c.retries
			report := crawl(t, o)
			if n := f.requests()[path1]; n != c.asked || report.Retries != c.asked-1 || report.Statuses[c.status] != c.asked+extra(c.status) {
				t.Errorf("%d requests, want %d; %d retries, %v", n, c.asked, report.Retries, report.Statuses)
			}
			if report.FailedPosts() != c.failed || report.Pending != 1-c.failed {
				t.Errorf("report %+v", countsOf(report))
			}
			if p := report.Problems; len(p) != 1 || p[0].URL != f.base+path1 || p[0].What != news.KindPost || p[0].ID != id1 {
				t.Errorf("problems %+v", p)
			}
		})
	}
}

// extra is how many other answers of the fixture have a status.
func extra(status int) int {
	if status == http.StatusNotFound {
		return 5 // robots.txt, feed, sitemap, share page, text
	}
	return 0
}

// TestRetryAfter: a server that names a time, in seconds or as a date, is left
// alone until then.
func TestRetryAfter(t *testing.T) {
	const most = 10 * time.Second // however busy the machine is
	now := time.Date(2021, 12, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		value string
		least time.Duration
	}{
		{"1", time.Second},
		{now.Add(time.Second).Format(http.TimeFormat), time.Second},
		{now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"-5", 0}, {"soon", 0},
	} {
		t.Run(c.value, func(t *testing.T) {
			t.Parallel()
			var times []time.Time
			f := onePost(t, func(w http.ResponseWriter, _ *http.Request) {
				if times = append(times, time.Now()); len(times) == 1 {
					w.Header().Set("Retry-After", c.value)
					w.Header().Set("Date", now.Format(http.TimeFormat)) // it is the server's clock that counts
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				fmt.Fprint(w, goodPage())
			})
			o := options(f.base, newArchive(t))
			o.Now = func() time.Time { return now }
			report := crawl(t, o)
			if report.New != 1 || len(times) != 2 || times[1].Sub(times[0]) < c.least || times[1].Sub(times[0]) > most {
				t.Errorf("report %+v after requests at %v", countsOf(report), times)
			}
		})
	}
}

// TestAnotherPostsPage: a page that is another post than its address says is
// archived as neither; it is kept apart.
func TestAnotherPostsPage(t *testing.T) {
	wrong := strings.ReplaceAll(goodPage(), code1, code2)
	f := onePost(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, wrong) })
	a := newArchive(t)
	report := crawl(t, options(f.base, a))
	if report.Failed["another post"] != 1 || stats(t, a).Posts != 0 {
		t.Errorf("report %+v", countsOf(report))
	}
	apart, err := a.Unread(t.Context(), id1)
	if err != nil || string(apart.Capture.Body) != wrong || !strings.Contains(apart.Why, "asked for 202112222222306968, got 202112222222541258") {
		t.Errorf("kept apart because of %q, %v", apart.Why, err)
	}
}

// TestBlockPage: what a server sends in a post's place is kept apart, and named
// in the report.
func TestBlockPage(t *testing.T) {
	const block = "<!DOCTYPE html><html><body><h1>访问过于频繁，请稍后再试</h1></body></html>"
	f := onePost(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, block) })
	a := newArchive(t)
	report := crawl(t, options(f.base, a))
	apart, err := a.Unread(t.Context(), id1)
	if err != nil || string(apart.Capture.Body) != block || report.Pending != 1 {
		t.Errorf("report %+v, kept apart %+v, %v", countsOf(report), apart, err)
	}
}

// coders write a body in a content coding.
var coders = map[string]func(io.Writer) (io.WriteCloser, error){
	"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	"br":   func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil },
	"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
}

func coded(t *testing.T, coding, text string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := coders[coding](&buf)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestContentCodings(t *testing.T) {
	for coding := range coders {
		t.Run(coding, func(t *testing.T) {
			body := coded(t, coding, goodPage())
			f := onePost(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.Contains(r.Header.Get("Accept-Encoding"), coding) {
					t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
				}
				w.Header().Set("Content-Encoding", coding)
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.Header().Set("X-Kept", "yes")
				w.Write(body)
			})
			a := newArchive(t)
			crawl(t, options(f.base, a))
			c := captureOf(t, a, id1)
			if string(c.Body) != goodPage() || c.Status != 200 || c.Proto != "HTTP/1.1" || c.Kind != news.KindPost {
				t.Errorf("captured %d %s %s, %d bytes", c.Status, c.Proto, c.Kind, len(c.Body))
			}
			checkHeader(t, c.Header, "Content-Type: text/html; charset=utf-8", "X-Kept: yes", "Content-Encoding: ", "Content-Length: ", ":proto: ")
		})
	}
}

// checkHeader checks fields, each as it stands on the wire; without a value it
// must be absent.
func checkHeader(t *testing.T, h http.Header, fields ...string) {
	t.Helper()
	for _, field := range fields {
		i := strings.LastIndex(field, ": ")
		if got := strings.Join(h[field[:i]], ", "); got != field[i+2:] {
			t.Errorf("header %s: %q, want %q", field[:i], got, field[i+2:])
		}
	}
}

// TestBrokenCodings: a body that is not in the coding that its header tells.
func TestBrokenCodings(t *testing.T) {
	whole := coded(t, "gzip", goodPage())
	for name, c := range map[string]struct {
		coding string
		body   []byte
		why    string
		failed int // 0: pending
	}{
		"cut":          {"gzip", whole[:len(whole)/2], "cut body", 0},
		"no gzip":      {"gzip", []byte(goodPage()), "cut body", 0},
		"unknown":      {"x-secret", whole, "cut body", 0},
		"empty":        {"gzip", nil, "empty body", 1},
		"empty brotli": {"br", nil, "cut body", 0},
	} {
		f := onePost(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", c.coding)
			w.Write(c.body)
		})
		report := crawl(t, options(f.base, newArchive(t)))
		if report.FailedPosts() != c.failed || len(report.Problems) != 1 || !strings.HasPrefix(report.Problems[0].Why, c.why) {
			t.Errorf("%s: report %+v, problems %v", name, countsOf(report), report.Problems)
		}
	}
}

// TestRawBytes: a page is kept in the server's own charset, with its header.
func TestRawBytes(t *testing.T) {
	raw, err := simplifiedchinese.GBK.NewEncoder().String(goodPage())
	if err != nil {
		t.Fatal(err)
	}
	for _, mediaType := range []string{"text/html; charset=gbk", "text/html; charset=GB2312", "text/html; charset=utf-8", "text/html", ""} {
		f := onePost(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			if mediaType != "" {
				w.Header().Set("Content-Type", mediaType)
			}
			io.WriteString(w, raw)
		})
		a := newArchive(t)
		crawl(t, options(f.base, a))
		c := captureOf(t, a, id1)
		if string(c.Body) != raw {
			t.Errorf("%q: the bytes were changed", mediaType)
		}
		checkHeader(t, c.Header, "Content-Type: "+mediaType)
		if rev, err := a.Post(t.Context(), id1); err != nil || rev.Title != "新泊位下月投用" || !strings.Contains(rev.Body, "港口公司") {
			t.Errorf("%q: read as %q, %v", mediaType, rev.Title, err)
		}
	}
}

// TestMaxBody: a body of just the limit passes; one more byte, or one hidden
// in a coding, does not.
func TestMaxBody(t *testing.T) {
	const limit = 4096
	exact := goodPage() + strings.Repeat(" ", limit-len(goodPage()))
	for name, c := range map[string]struct {
		coding, body string
		failed       int
	}{
		"at the limit":        {"", exact, 0},
		"over it":             {"", exact + " ", 1},
		"coded, at the limit": {"gzip", exact, 0},
		"coded, over it":      {"gzip", exact + " ", 1},
		"coded, far over it":  {"zstd", exact + strings.Repeat(" ", 64<<20), 1},
	} {
		f := onePost(t, func(w http.ResponseWriter, _ *http.Request) {
			body := []byte(c.body)
			if c.coding != "" {
				body = coded(t, c.coding, c.body)
				w.Header().Set("Content-Encoding", c.coding)
			}
			w.Write(body)
		})
		a := newArchive(t)
		o := options(f.base, a)
		o.Limits.MaxBody = limit
		report := crawl(t, o)
		if report.Failed["body over limit"] != c.failed || report.New != 1-c.failed || f.requests()[path1] != 1 {
			t.Errorf("%s: report %+v", name, countsOf(report))
		}
		if c.failed == 0 && len(captureOf(t, a, id1).Body) != limit {
			t.Errorf("%s: archived %d bytes", name, len(captureOf(t, a, id1).Body))
		}
	}
}

// TestTimeout: an answer that takes too long, before or within the body, is
// given up, and the post waits for the next run.
func TestTimeout(t *testing.T) {
	for name, begin := range map[string]string{"no answer": "", "no end": "<html>"} {
		f := onePost(t, func(w http.ResponseWriter, r *http.Request) {
			if begin != "" {
				io.WriteString(w, begin)
				http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		})
		o := options(f.base, newArchive(t))
		o.Limits.Timeout = 200 * time.Millisecond
		report := crawl(t, o)
		if report.Pending != 1 || report.Transport["timeout"] != 3 || f.requests()[path1] != 3 {
			t.Errorf("%s: report %+v, %v", name, countsOf(report), report.Transport)
		}
	}
}

// TestWhatIsSent: the agent's own name, and the validators of what is asked for
// again. No cookie that a server sets comes back, not even to it, and no page,
// after a redirect neither, is told which one led to it.
func TestWhatIsSent(t *testing.T) {
	const moved = "/xinlu/2021/12/22/" + code1 + ".html"
	var mu sync.Mutex
	sent := map[string][]http.Header{}
	noted := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			sent[r.URL.Path] = append(sent[r.URL.Path], r.Header.Clone())
			mu.Unlock()
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "s3cret", Path: "/"})
			w.Header().Set("Last-Modified", "Wed, 22 Dec 2021 02:37:15 GMT")
			h(w, r)
		}
	}
	home := func(tag string, links ...string) http.HandlerFunc {
		return noted(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, listPage(links...))
		})
	}
	f := newFixture(t, nil)
	f.answer("/robots.txt", noted(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "User-agent: *\nAllow: /\n") }))
	f.answer("/", home(`"one"`, path1))
	f.answer(path1, noted(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, moved, http.StatusFound) }))
	f.answer(moved, noted(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, goodPage()) }))
	f.answer(path2, noted(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.ReplaceAll(postPage("乙", sentence, code2, "yanlancaijing"), "{base}", ""))
	}))
	o := options(f.base, newArchive(t))
	crawl(t, o)
	f.answer("/", home(`"two"`, path1, path2))
	crawl(t, o)
	if report := crawl(t, o); report.Lists.NotModified != 1 {
		t.Errorf("lists %+v", report.Lists)
	}
	const nothing, modified = "If-None-Match: ", "If-Modified-Since: "
	for path, validators := range map[string][][]string{
		"/robots.txt": {{nothing, modified}},
		"/": {
			{nothing, modified},
			{`If-None-Match: "one"`, modified + "Wed, 22 Dec 2021 02:37:15 GMT"},
			{`If-None-Match: "two"`, modified + "Wed, 22 Dec 2021 02:37:15 GMT"},
		},
		path1: {{nothing, modified}},
		moved: {{nothing, modified}},
		path2: {{nothing, modified}},
	} {
		if len(sent[path]) != len(validators) {
			t.Errorf("%s was asked for %d times, want %d", path, len(sent[path]), len(validators))
			continue
		}
		for i, h := range sent[path] {
			t.Run(fmt.Sprint(path, " ", i), func(t *testing.T) {
				checkHeader(t, h, append(validators[i], "User-Agent: finarc/test", "Cookie: ", "Referer: ")...)
			})
		}
	}
}
