package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run() *news.Run {
	began := time.Date(2021, 12, 22, 10, 0, 0, 0, news.Shanghai)
	return &news.Run{
		ID: 7, Command: "crawl finews", Mirrors: []string{"finews"}, Started: began, Ended: began.Add(90 * time.Second),
		Ending: news.EndingDone, Discovered: 43, New: 40, Failed: map[string]int{"gone": 3},
	}
}

// hook is a server that answers with one status after the other, the last of
// them for ever, and keeps what it was sent.
type hook struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   [][]byte
}

func newHook(t *testing.T, statuses ...int) *hook {
	t.Helper()
	h := new(hook)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.requests, h.bodies = append(h.requests, r), append(h.bodies, body)
		w.WriteHeader(statuses[min(len(h.requests), len(statuses))-1])
	}))
	t.Cleanup(h.Close)
	return h
}

// at returns a Hook for an address, which is quick.
func at(address string) *Hook {
	return &Hook{URL: address, Agent: "finarc/test", Backoff: time.Millisecond, Transport: new(http.Transport)}
}

func TestSend(t *testing.T) {
	h := newHook(t, 204)
	m := New("finarc.db", run(), 3, errors.New("run 7: some pages failed for good:\n3 posts"))
	if err := (&Hook{URL: h.URL + "/hook?key=secret", Agent: "finarc/test"}).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if len(h.requests) != 1 {
		t.Fatalf("%d requests", len(h.requests))
	}
	r := h.requests[0]
	if r.Method != "POST" || r.RequestURI != "/hook?key=secret" || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("User-Agent") != "finarc/test" || r.ContentLength != int64(len(h.bodies[0])) {
		t.Errorf("%s %s %v", r.Method, r.RequestURI, r.Header)
	}
	var got map[string]any
	if err := json.Unmarshal(h.bodies[0], &got); err != nil {
		t.Fatal(err)
	}
	report, ok := got["run"].(map[string]any)
	if !ok || report["run"] != 7.0 || report["new"] != 40.0 || report["hosts"] == nil {
		t.Errorf("run: %v", got["run"])
	}
	delete(got, "run")
	want := map[string]any{
		"event": "failure", "archive": "finarc.db", "exit_code": 3.0,
		"summary": "run 7 of finews: done after 1m30s, 43 posts met = 40 new + 0 revised + 0 unchanged + 0 skipped + 3 failed + 0 pending; " +
			"run 7: some pages failed for good: 3 posts",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		url, when string
		code      int
		want      bool
	}{
		{"http://h/", config.NotifyFailure, 0, false},
		{"http://h/", config.NotifyFailure, 1, true},
		{"http://h/", config.NotifyFailure, 3, true},
		{"http://h/", config.NotifyFailure, 130, true},
		{"http://h/", config.NotifyAlways, 0, true},
		{"http://h/", config.NotifyAlways, 3, true},
		{"", config.NotifyAlways, 1, false},
	} {
		if got := Wanted(config.Notify{URL: c.url, When: c.when}, New("", run(), c.code, nil)); got != c.want {
			t.Errorf("Wanted(%q, %s, exit code %d) = %v", c.url, c.when, c.code, got)
		}
	}
}

func TestSummary(t *testing.T) {
	unended := run()
	unended.Ended, unended.Ending = time.Time{}, news.EndingRunning
	for _, c := range []struct {
		r    *news.Run
		err  error
		want string
	}{
		{nil, errors.New("finarc.db: no\x00 archive\xff\r\nthere"), "finarc.db: no\x00 archive� there"},
		{unended, nil, "run 7 of finews: not ended, 43 posts met = "},
		{nil, errors.New(strings.Repeat("长", 1000)), strings.Repeat("长", 333) + "…"},
	} {
		if got := New("", c.r, 1, c.err).Summary; !strings.HasPrefix(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("summary = %q, want %q", got, c.want)
		}
	}
	if m := New("", nil, 1, errors.New("x")); m.Run != nil {
		t.Errorf("a report of no run: %+v", m.Run)
	}
}

// What may pass is tried three times; what will not, once.
func TestAttempts(t *testing.T) {
	for _, c := range []struct {
		statuses []int
		asked    int
		err      string
	}{
		{[]int{200}, 1, ""},
		{[]int{503, 200}, 2, ""},
		{[]int{429, 408, 202}, 3, ""},
		{[]int{500}, 3, "it answers 500"},
		{[]int{503, 404}, 2, "it answers 404"},
		{[]int{400}, 1, "it answers 400"},
		{[]int{304}, 1, "it answers 304"},
	} {
		h := newHook(t, c.statuses...)
		err := at(h.URL+"/services/T0/SECRET?key=secret").Send(t.Context(), New("", run(), 0, nil))
		if len(h.requests) != c.asked {
			t.Errorf("%v: asked %d times, want %d", c.statuses, len(h.requests), c.asked)
		}
		for _, b := range h.bodies {
			if string(b) != string(h.bodies[0]) || len(b) == 0 {
				t.Errorf("%v: an attempt has another body: %q", c.statuses, b)
			}
		}
		want := ""
		if c.err != "" {
			want = "notify " + h.URL + ": " + c.err
		}
		if got := fmt.Sprint(err); got != want && (err != nil || want != "") {
			t.Errorf("%v: %s, want %s", c.statuses, got, want)
		}
	}
}

// Whatever goes wrong, the address' user, path and query are told to nobody.
func TestSecretsAreKept(t *testing.T) {
	refused := newHook(t, 200)
	refused.Close()
	away := httptest.NewServer(http.RedirectHandler("http://elsewhere.invalid/SECRET", http.StatusTemporaryRedirect))
	t.Cleanup(away.Close)
	for _, base := range []string{refused.URL, away.URL, "http://a b", "http://[::1", "ftp://example.invalid", "http://%zz"} {
		address := strings.Replace(base, "://", "://user:SECRET@", 1) + "/SECRET?key=SECRET"
		err := at(address).Send(t.Context(), New("", run(), 0, nil))
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", address, err)
		}
	}
	h := at(refused.URL)
	h.Transport, h.Proxy = nil, "http://user:SECRET@pro xy/"
	if err := h.Send(t.Context(), New("", run(), 0, nil)); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("proxy: %v", err)
	}
}

func TestProxy(t *testing.T) {
	proxy := newHook(t, 200)
	h := &Hook{URL: "http://hook.invalid/x", Proxy: proxy.URL}
	if err := h.Send(t.Context(), New("", run(), 0, nil)); err != nil {
		t.Fatal(err)
	}
	if len(proxy.requests) != 1 || proxy.requests[0].RequestURI != h.URL {
		t.Errorf("the proxy got %v", proxy.requests)
	}
}

func TestRedirects(t *testing.T) {
	other := newHook(t, 200)
	for _, c := range []struct {
		status       int
		to           string
		asked, there int
		err          string
	}{
		{307, "/there", 1, 1, ""},
		{308, "/there", 1, 1, ""},
		{307, other.URL + "/there", 1, 0, "redirects to another host"},
		{302, "/there", 1, 0, "it answers 302"},
		{307, "/", 4, 0, "too often"},
	} {
		asked, there := 0, 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.Method != "POST" || len(body) == 0 {
				t.Errorf("%s %s with %d bytes: %v", r.Method, r.URL, len(body), err)
			}
			if r.URL.Path == "/there" {
				there++
				return
			}
			asked++
			http.Redirect(w, r, c.to, c.status)
		}))
		err := at(s.URL+"/").Send(t.Context(), New("", run(), 0, nil))
		s.Close()
		if asked != c.asked || there != c.there || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%d to %s: asked %d, there %d: %v", c.status, c.to, asked, there, err)
		}
	}
	if len(other.requests) > 0 {
		t.Error("another host was told")
	}
}

// A run that was interrupted is told of, though its context is cancelled; but a
// hook that is silent holds it up no longer than its patience.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := newHook(t, 503, 200)
	if err := at(h.URL).Send(ctx, New("", run(), 130, nil)); err != nil || len(h.requests) != 2 {
		t.Errorf("%d requests: %v", len(h.requests), err)
	}
	end := make(chan struct{})
	var asked atomic.Int64
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // the server sees only then that the other side left
		select {
		case <-r.Context().Done():
		case <-end:
		}
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(end) })
	hook := at(silent.URL)
	hook.Patience = 50 * time.Millisecond
	began := time.Now()
	if err := hook.Send(ctx, New("", run(), 130, nil)); err == nil {
		t.Error("no error of a hook that is silent")
	}
	if took := time.Since(began); took > 5*time.Second || asked.Load() > 2 {
		t.Errorf("%d attempts in %v", asked.Load(), took)
	}
}

func TestBodyIsBounded(t *testing.T) {
	long := run()
	long.Categories, long.Days, long.Hosts = map[string]int{}, map[string]int{}, map[string]news.HostUse{}
	for i := range 50_000 {
		long.Categories[fmt.Sprintf("类别%06d", i)] = i
		long.Days[fmt.Sprint(i)] = 1
		long.Hosts[fmt.Sprint(i)] = news.HostUse{Requests: i}
	}
	endless := run()
	for range 100 {
		endless.AddProblem(news.Problem{URL: strings.Repeat("x", 1<<20)})
	}
	for _, c := range []struct {
		r          *news.Run
		cut        string
		categories int
		problems   int
	}{
		{run(), "", 0, 0},
		{long, "only the 100 greatest", 100, 0},
		{endless, "is not here", -1, -1},
	} {
		text, err := New("", c.r, 0, nil).encode()
		if err != nil || len(text) > maxBody {
			t.Fatalf("%d bytes: %v", len(text), err)
		}
		var m Message
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(m.Cut, c.cut) || (m.Cut == "") != (c.cut == "") || (m.Run == nil) != (c.categories < 0) {
			t.Errorf("cut: %q, run: %v", m.Cut, m.Run != nil)
		}
		if m.Run != nil && (len(m.Run.Categories) != c.categories || len(m.Run.Problems) != c.problems) {
			t.Errorf("%d categories, %d problems", len(m.Run.Categories), len(m.Run.Problems))
		}
	}
	if got := slices.Max(slices.Collect(maps.Values(shortened(long, 100).Categories))); got != 49_999 {
		t.Errorf("the greatest category is %d", got)
	}
	if len(long.Categories) != 50_000 {
		t.Error("the report itself was cut")
	}
}
