package warc

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/news"
)

// player serves ReplayWeb.page and a WACZ. The service worker lies below /replay/,
// where the application answers too.
func player(t *testing.T, app, wacz string) string {
	t.Helper()
	serve := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }
	}
	// Not index.html by name, from which http.ServeFile would redirect.
	page := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "app.html", time.Time{}, strings.NewReader(
			`<!doctype html><script src="/ui.js"></script><replay-app-main></replay-app-main>`))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", page)
	mux.HandleFunc("/replay/{$}", page)
	mux.HandleFunc("/ui.js", serve(filepath.Join(app, "ui.js")))
	mux.HandleFunc("/sw.js", serve(filepath.Join(app, "sw.js")))
	mux.HandleFunc("/replay/sw.js", serve(filepath.Join(app, "sw.js")))
	mux.HandleFunc("/posts.wacz", serve(wacz))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1) // service workers want that, or HTTPS
}

// browser starts Chromium, which can look up no host but this one, and returns what
// it asked others for so far.
func browser(t *testing.T) (context.Context, func() []string) {
	t.Helper()
	path := realtest.Program(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var strange []string
	err := chromedp.Listen(ctx, func(event any) {
		if sent, ok := event.(*network.EventRequestWillBeSent); ok && !local(sent.Request.URL) {
			mu.Lock()
			defer mu.Unlock()
			strange = append(strange, sent.Request.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return strange
	}
}

// local reports whether an address is of this host, or of none.
func local(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// inFrames is a JavaScript function: the text of all archived pages that are shown,
// which lie in frames and shadow roots of the player.
const inFrames = `(function text(node) {
	let all = ''
	for (const e of node.querySelectorAll('*')) {
		const inner = e.shadowRoot ?? (e.tagName === 'IFRAME' && e.contentDocument)
		if (!inner) continue
		if (inner.location?.pathname.includes('mp_/')) all += inner.body?.innerText
		all += text(inner)
	}
	return all
})(document)`

// inList is likewise: the text of what the player itself shows.
const inList = `(function text(node) {
	let all = ''
	for (const e of node.querySelectorAll('*')) {
		if (e.shadowRoot) all += text(e.shadowRoot)
		if (!e.firstElementChild) all += e.textContent
	}
	return all
})(document)`

// TestReplay lets ReplayWeb.page, which we did not write, show a WACZ in a real
// browser: the list of pages, a post, of another post the newest revision, which is a
// revisit, and an older one, and both posts when they were met again: with the same
// bytes, and with a 304. The texts that are looked for are in no address.
func TestReplay(t *testing.T) {
	dir, _ := realtest.Node(t, filepath.Join("testdata", "judge"))
	list := samples()
	for i := range list {
		if c := list[i].Capture; c != nil && c.Status == 200 {
			c.Body = []byte("<!doctype html><meta charset=utf-8><title>帖</title><h1>" + list[i].Title + "</h1>" + list[i].Body)
		}
	}
	name, _, _ := exportWACZ(t, list, options())
	site := player(t, filepath.Join(dir, "node_modules", "replaywebpage"), name)
	ctx, strange := browser(t)
	shows := func(what, fragment, script string, words ...string) {
		t.Helper()
		wanted, err := json.Marshal(words)
		if err != nil {
			t.Fatal(err)
		}
		err = chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(site+"/?source=/posts.wacz#"+fragment))
		if err == nil {
			_, err = chromedp.Run(ctx, chromedp.Poll[bool]("(text => "+string(wanted)+".every(word => text.includes(word)))("+script+")",
				chromedp.WithPollingInterval(100*time.Millisecond), chromedp.WithPollingTimeout(time.Minute)))
		}
		if err != nil {
			text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](script)) // for the message only
			t.Errorf("%s does not show %s: %v\n%.3000s", what, wanted, err, text)
		}
	}
	shows("the list of pages", "view=pages", inList, list[2].Title, list[3].Title)
	for _, show := range []struct {
		rev  news.Revision
		text string
		when time.Time
	}{
		{list[3], "丙", list[3].Fetched}, {list[2], "甲", list[2].Fetched}, {list[1], "乙", list[1].Fetched},
		{list[2], "甲", list[2].Revisit.Time}, {list[3], "丙", list[3].Revisit.Time},
	} {
		at := "view=resources&url=" + url.QueryEscape(show.rev.URL) + "&ts=" + show.when.UTC().Format("20060102150405")
		shows(show.rev.URL, at, inFrames, show.rev.Title, show.text)
	}
	if hosts := strange(); len(hosts) > 0 {
		t.Errorf("the browser asked for %q", hosts)
	}
}
