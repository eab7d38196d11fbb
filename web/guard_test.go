package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/web"
)

// sick is a store whose posts fail in a way of its own.
type sick struct {
	web.Store
	revisions func(context.Context) error
}

func (s sick) Revisions(ctx context.Context, _ news.ID) ([]news.Revision, error) {
	return nil, s.revisions(ctx)
}

func (s sick) Select(ctx context.Context, _ archive.Selection) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) { yield(news.Revision{}, s.revisions(ctx)) }
}

const somePost = "/post/NW202112222222306968"

// TestFailures: what goes wrong is told as what it is, in the pages' layout, and not
// in the words of the program.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		retry  string
		says   string
	}{
		{archive.ErrNoPost, 404, "", "does not hold"},
		{fmt.Errorf("look: %w", archive.ErrBusy), 503, "1", "busy"},
		{archive.ErrMissing, 503, "60", "no archive"},
		{archive.ErrLost, 410, "", "lost to damage"},
		{context.DeadlineExceeded, 503, "5", "too long"},
		{errors.New("secret of the disk"), 500, "", "went wrong"},
	} {
		s := serve(t, sick{revisions: func(context.Context) error { return c.err }}, silent)
		got := ask(t, s, somePost, "Accept-Language", "en")
		if got.StatusCode != c.status || got.Header.Get("Retry-After") != c.retry || !strings.Contains(got.body, c.says) || !strings.Contains(got.body, "<main") {
			t.Errorf("%v: got %d, retry after %q\n%s", c.err, got.StatusCode, got.Header.Get("Retry-After"), got.body)
		}
		if strings.Contains(got.body, "secret") || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %v\n%s", c.err, got.Header, got.body)
		}
	}
}

// TestBadRequests: what cannot be meant is refused, and what is not there is not.
func TestBadRequests(t *testing.T) {
	s := newSite(t, func(o *web.Options) { o.Search = plainSearch{} })
	for path, want := range map[string]int{
		"/nowhere": 404, "/post/": 404, "/post/x": 400, "/post/202112220000000000": 404, "/post/" + string(s.posts[0].ID) + "?revision=9": 404,
		"/post/" + string(s.posts[0].ID) + "?revision=one": 400, "/post/" + string(s.posts[0].ID) + "/diff?a=0": 404,
		"/day/2021-13-01": 400, "/day/1889-01-01": 400, "/day/yesterday": 400, "/day": 400, "/day?day=2021-12-22": 303,
		"/?after=x": 400, "/?after=1-": 400, "/?after=9999999999999999999-1": 400, "/?after=-5--5": 400, "/?after=9223372036854775807-0": 200,
		"/category/none": 404, "/category/%00": 400, "/category/..%2f..": 404, "/security/9.999999": 404, "/security/%3Cscript%3E": 404,
		"/runs/9": 404, "/runs/x": 400, "/runs?after=0": 400, "/coverage?by=x": 400, "/coverage?to=x": 400, "/assets/style.css": 404,
		"/search?q=%22": 400, "/search?q=" + strings.Repeat("x", 201): 400, "/?a=" + strings.Repeat("x", 3000): 414, "/../../etc/passwd": 404,
	} {
		if got := ask(t, s.Server, path); got.StatusCode != want && !(got.StatusCode/100 == 3 && want == 404) {
			t.Errorf("%s: status %d, want %d", path, got.StatusCode, want)
		}
	}
}

// TestHeaders: each answer tells browsers what to hold to.
func TestHeaders(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"/", "/nowhere", "/favicon.ico", "/day/x"} {
		h := ask(t, s.Server, path).Header
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy": "camera=()",
		} {
			if !strings.HasPrefix(h.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if policy := h.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
	}
	raw := ask(t, s.Server, "/post/"+string(s.posts[0].ID)+"/raw")
	if policy := raw.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox; default-src 'none'") || strings.Contains(policy, "allow-") {
		t.Errorf("the policy of a page as it was is %q", policy)
	}
}

func TestOnlyReading(t *testing.T) {
	s := newSite(t, nil)
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE"} {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, allowed %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	resp, err := http.Head(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != 200 || len(body) > 0 || err != nil {
		t.Errorf("HEAD: %d, %d bytes, %v", resp.StatusCode, len(body), err)
	}
}

func TestAccess(t *testing.T) {
	const token, basic = "0123456789abcdef", "who:knows it"
	s := newSite(t, func(o *web.Options) { o.Access = web.Access{Token: token, Basic: basic} })
	for _, c := range []struct {
		send string
		want int
	}{
		{"", 401}, {"Bearer " + token, 200}, {"bearer " + token, 200}, {"Bearer ", 401}, {"Bearer " + token + "0", 401}, {token, 401},
		{"Basic d2hvOmtub3dzIGl0", 200}, {"Basic d2hvOmtub3dz", 401}, {"Basic Og==", 401}, {"Basic", 401}, {"Bearer " + basic, 401},
	} {
		got := ask(t, s.Server, "/", "Authorization", c.send)
		if got.StatusCode != c.want {
			t.Errorf("%q: status %d, want %d", c.send, got.StatusCode, c.want)
		}
		if asks := got.Header.Values("WWW-Authenticate"); c.want == 401 && len(asks) != 2 {
			t.Errorf("%q is asked for %q", c.send, asks)
		}
	}
}

// TestAccessGuesses: who guesses has to pause, and nobody else: not who has the right
// token at another address, nor who asks for the server's health.
func TestAccessGuesses(t *testing.T) {
	const token = "0123456789abcdef"
	s := newSite(t, nil)
	server, err := web.New(options(t, s.archive, func(o *web.Options) {
		silent(o)
		o.Access = web.Access{Token: token}
	}))
	if err != nil {
		t.Fatal(err)
	}
	try := func(from, path, send string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.RemoteAddr = from
		if send != "" {
			r.Header.Set("Authorization", send)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		return w.Result()
	}
	for i := 0; ; i++ {
		got := try("192.0.2.1:1234", "/", "Bearer wrong")
		if got.StatusCode == http.StatusTooManyRequests && i > 0 {
			break
		}
		if got.StatusCode != http.StatusUnauthorized || i > 50 {
			t.Fatalf("guess %d: status %d", i, got.StatusCode)
		}
	}
	for _, c := range []struct {
		from, path, send string
		want             int
		retry, media     string
	}{
		{"192.0.2.1:99", "/", "Bearer " + token, 429, "1", "text/plain; charset=utf-8"},
		{"192.0.2.1:99", "/api/posts", "Bearer " + token, 429, "1", "application/problem+json"},
		{"192.0.2.1:99", "/", "", 401, "", "text/plain; charset=utf-8"},
		{"192.0.2.1:99", "/healthz", "Bearer wrong", 200, "", "application/json"},
		{"192.0.2.2:99", "/", "Bearer " + token, 200, "", "text/html; charset=utf-8"},
		{"192.0.2.2:99", "/", "Bearer wrong", 401, "", "text/plain; charset=utf-8"},
	} {
		got := try(c.from, c.path, c.send)
		if got.StatusCode != c.want || got.Header.Get("Retry-After") != c.retry || got.Header.Get("Content-Type") != c.media {
			t.Errorf("%+v: status %d, %v", c, got.StatusCode, got.Header)
		}
		if asks := got.Header.Get("WWW-Authenticate"); (asks != "") != (c.want == 401) {
			t.Errorf("%+v is asked for %q", c, asks)
		}
	}
}

func TestHosts(t *testing.T) {
	s := newSite(t, func(o *web.Options) { o.Access.Hosts = []string{"localhost", "news.example"} })
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "127.0.0.1:99": 200, "[::1]:99": 200, "[::1]": 200, "news.example.": 200,
		"evil.example": 421, "127.0.0.1.evil.example": 421, "192.0.2.1": 421, "localhost.evil.example:8080": 421,
	} {
		if got := ask(t, s.Server, "/", "Host", host); got.StatusCode != want {
			t.Errorf("%s: status %d, want %d", host, got.StatusCode, want)
		}
	}
}

// TestTooMany: of those who come while an answer is made that has the only place, so
// many stand in line, and the others are told to come again.
func TestTooMany(t *testing.T) {
	begun, end := make(chan bool, 20), make(chan bool)
	s := serve(t, sick{revisions: func(context.Context) error {
		begun <- true
		<-end
		return archive.ErrNoPost
	}}, func(o *web.Options) { o.Limits.AtOnce = 1 })
	answers := make(chan answered, 20)
	asks := func(path string) { answers <- ask(t, s, path) }
	go asks(somePost)
	<-begun
	const others = 12
	for range others {
		go asks("/nowhere")
	}
	for range others - 8 { // the line is full, and who is in it has no answer yet
		if got := <-answers; got.StatusCode != 503 || got.Header.Get("Retry-After") != "1" {
			t.Errorf("got %d, retry after %q", got.StatusCode, got.Header.Get("Retry-After"))
		}
	}
	close(end)
	for range 9 {
		if got := <-answers; got.StatusCode != 404 {
			t.Errorf("in line, got %d", got.StatusCode)
		}
	}
}

// TestInTime: an answer that takes too long is given up.
func TestInTime(t *testing.T) {
	s := serve(t, sick{revisions: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}, func(o *web.Options) {
		silent(o)
		o.Limits.Time = time.Millisecond
	})
	if got := ask(t, s, somePost); got.StatusCode != 503 {
		t.Errorf("got %d", got.StatusCode)
	}
}

// TestPanic: a fault of the program ends the answer and not the server.
func TestPanic(t *testing.T) {
	s := serve(t, sick{revisions: func(context.Context) error {
		var list []int
		return fmt.Errorf("%d", list[len(list)])
	}}, silent)
	for range 2 {
		if got := ask(t, s, somePost); got.StatusCode != 500 || strings.Contains(got.body, "index out of range") {
			t.Errorf("got %d\n%s", got.StatusCode, got.body)
		}
	}
}

// TestServe: the server stops when its context ends, and lets an answer under way be
// finished.
func TestServe(t *testing.T) {
	begun, end := make(chan bool, 10), make(chan bool)
	server, err := web.New(options(t, sick{revisions: func(context.Context) error {
		begun <- true
		<-end
		return archive.ErrNoPost
	}, Store: noCounts{}}, nil))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended, answered := make(chan error), make(chan int)
	go func() { ended <- server.Serve(ctx, l) }()
	go func() {
		resp, err := http.Get("http://" + l.Addr().String() + somePost)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-begun // the reader's
	<-begun // that of the server making things ready
	stop()
	close(end)
	if status := <-answered; status != 404 {
		t.Errorf("the answer under way got %d", status)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if _, err := http.Get("http://" + l.Addr().String()); err == nil {
		t.Error("the server still answers")
	}
}

// noCounts is a store of which nothing can be counted.
type noCounts struct{ web.Store }

func (noCounts) Tally(context.Context, archive.Part, news.Day, news.Day) ([]news.Tally, error) {
	return nil, archive.ErrBusy
}
