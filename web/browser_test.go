package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/web"
)

// browser is a page of a real Chromium, and what it complained of.
type browser struct {
	context.Context
	base string

	mu       sync.Mutex
	troubles []string
	expected func(trouble string) bool
}

// browserTime bounds a test in the browser.
const browserTime = 5 * time.Minute

// newBrowser starts Chromium. What goes wrong in a page, and requests to other hosts
// than the server's, are the test's failure.
func newBrowser(t *testing.T, base string, with ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(realtest.Program(t, "chromium")), chromedp.NoSandbox, chromedp.Flag("accept-lang", "zh-CN"))
	options = append(options, with...)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	tab, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	b := &browser{Context: tab, base: base}
	if err := chromedp.Listen(tab, b.note); err != nil {
		t.Fatal(err)
	}
	b.Context, stop = context.WithTimeout(tab, browserTime)
	t.Cleanup(stop)
	call(t, b, log.Enable, cdp.Empty{})
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: attack})
	b.size(t, 1280, 900)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, trouble := range b.troubles {
			t.Error(trouble)
		}
	})
	return b
}

// call sends a command to the browser.
func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(b, command, params); err != nil {
		t.Fatal(err)
	}
}

// note takes down what a page should not cause.
func (b *browser) note(event any) {
	trouble := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		trouble = "exception: " + e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		trouble = fmt.Sprintf("console.%s", e.Type)
	case *log.EventEntryAdded:
		trouble = fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL)
	case *cdppage.EventJavascriptDialogOpening:
		trouble = "dialog: " + e.Message
	case *network.EventRequestWillBeSent:
		if to := e.Request.URL; !strings.HasPrefix(to, b.base+"/") && !strings.HasPrefix(to, "about:") && !strings.HasPrefix(to, "data:") {
			trouble = "request to " + to
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if trouble != "" && (b.expected == nil || !b.expected(trouble)) {
		b.troubles = append(b.troubles, trouble)
	}
}

// expect lets the browser complain of what a test is about.
func (b *browser) expect(expected func(trouble string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = expected
}

// forget drops what the browser has complained of.
func (b *browser) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = nil
}

// attack is what an attack calls, in whichever page it gets to run.
const attack = "window.attack = () => { window.attacked = true; console.log('attacked'); }"

func (b *browser) run(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

// get returns what an action comes to.
func get[T any](t *testing.T, b *browser, action chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(b, action)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// open goes to a page.
func (b *browser) open(t *testing.T, path string) {
	t.Helper()
	b.run(t, chromedp.Navigate(b.base+path))
}

// eval returns what an expression comes to in the page.
func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	return get(t, b, chromedp.Evaluate[T](expression))
}

// path returns where the browser is.
func (b *browser) path(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(get(t, b, chromedp.Location()))
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

// follow follows the first link, or sends the form, that a selector finds, and waits
// for the page that it leads to.
func (b *browser) follow(t *testing.T, selector string) {
	t.Helper()
	_, err := chromedp.RunResponse(b, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	if err != nil {
		t.Fatalf("%s: %v", selector, err)
	}
}

// press presses keys one after another.
func (b *browser) press(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		b.run(t, chromedp.KeyEvent(key))
	}
}

// size gives the page the size of a screen.
func (b *browser) size(t *testing.T, width, height int64) {
	t.Helper()
	call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
	})
}

// prefer sets the colour scheme.
func (b *browser) prefer(t *testing.T, scheme string) {
	t.Helper()
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// choose sets the language.
func (b *browser) choose(t *testing.T, lang string) {
	t.Helper()
	call(t, b, network.SetCookie, network.SetCookieParams{Name: "lang", Value: lang, URL: b.base})
}

// shoot keeps a picture of the page.
func (b *browser) shoot(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(t.ArtifactDir(), name+".png")
	if err := os.WriteFile(path, get(t, b, chromedp.FullScreenshot(100)), 0o666); err != nil {
		t.Fatal(err)
	}
}

// readable is a site that can be searched, and some of its pages.
func readable(t *testing.T) (*site, map[string]string) {
	t.Helper()
	var search plainSearch
	s := newSite(t, func(o *web.Options) { o.Search = &search })
	search.posts = s.posts
	last := s.posts[len(s.posts)-1]
	post := "/post/" + string(last.ID)
	sec := ""
	for _, p := range s.posts {
		if len(p.Securities) > 0 {
			sec = p.Securities[0].Security.String()
		}
	}
	return s, map[string]string{
		"today": "/", "day": "/day/2021-12-22", "categories": "/categories", "category": "/category/" + url.PathEscape(last.Category),
		"security": "/security/" + sec, "post": post, "diff": post + "/diff", "original": post + "/original",
		"search": "/search?q=" + url.QueryEscape(string([]rune(last.Title)[:2])), "coverage": "/coverage", "coverage-hours": "/coverage?by=hour", "coverage-categories": "/coverage?by=category",
		"runs": "/runs", "run": "/runs/1", "failure": "/post/202112220000000000",
	}
}

func TestBrowserReads(t *testing.T) {
	s, pages := readable(t)
	b := newBrowser(t, s.URL)

	t.Run("today leads to a post", func(t *testing.T) {
		b.open(t, "/")
		title := eval[string](t, b, `document.querySelector(".posts .name").textContent`)
		b.follow(t, ".posts .name")
		if got := eval[string](t, b, `document.querySelector("h1").textContent`); got != title {
			t.Errorf("the post is headed %q, its link %q", got, title)
		}
		if text := eval[string](t, b, `document.querySelector(".text").innerText`); len([]rune(text)) < 50 {
			t.Errorf("the post reads %q", text)
		}
	})
	t.Run("a post leads to its changes", func(t *testing.T) {
		b.open(t, pages["post"])
		b.follow(t, `a[href$="/diff"]`)
		if added := eval[int](t, b, `document.querySelectorAll("ins").length`); added == 0 {
			t.Error("nothing is marked as added")
		}
		if line := eval[string](t, b, `getComputedStyle(document.querySelector("ins")).textDecorationLine`); line != "underline" {
			t.Errorf("what was added is marked by %q", line)
		}
	})
	t.Run("the page as it was, in its frame", func(t *testing.T) {
		b.open(t, pages["original"])
		b.run(t, chromedp.WaitReady(chromedp.CSS("iframe")))
		if eval[bool](t, b, `document.querySelector("iframe").contentDocument !== null`) {
			t.Error("the frame is of the page's own origin")
		}
	})
	t.Run("the heat map leads to the day", func(t *testing.T) {
		b.open(t, "/coverage")
		b.follow(t, `.map a[aria-label^="2021-12-22"]`)
		if at := b.path(t); at != "/day/2021-12-22" {
			t.Errorf("it leads to %s", at)
		}
	})
	t.Run("the heat map leads to the day by keys", func(t *testing.T) {
		b.open(t, "/coverage")
		eval[bool](t, b, `document.querySelector("main").focus() ?? true`)
		b.press(t, kb.Tab, kb.Tab)
		if label := eval[string](t, b, `document.activeElement.getAttribute("aria-label")`); !strings.HasPrefix(label, "2021-12-21 周二：") {
			t.Fatalf("the second stop is %q", label)
		}
		if !eval[bool](t, b, `getComputedStyle(document.activeElement.querySelector("rect")).stroke !== getComputedStyle(document.querySelector(".map a rect")).stroke`) {
			t.Error("where the focus is does not show")
		}
		if _, err := chromedp.RunResponse(b, chromedp.KeyEvent(kb.Enter)); err != nil {
			t.Fatal(err)
		}
		if at := b.path(t); at != "/day/2021-12-21" {
			t.Errorf("Enter leads to %s", at)
		}
	})
	t.Run("so does the table, when it is opened", func(t *testing.T) {
		b.open(t, "/coverage")
		b.run(t, chromedp.Click(chromedp.CSS("summary"), chromedp.NodeVisible))
		b.follow(t, ".heat tbody th a")
		if at := b.path(t); at != "/day/2021-12-22" {
			t.Errorf("it leads to %s", at)
		}
	})
	t.Run("the chart leads to the hour", func(t *testing.T) {
		b.open(t, pages["day"])
		b.follow(t, ".chart a")
		if at := b.path(t); !strings.HasPrefix(at, "/day/2021-12-22?after=") {
			t.Errorf("it leads to %s", at)
		}
	})
	t.Run("a category is found while typing", func(t *testing.T) {
		b.open(t, "/categories")
		all := eval[int](t, b, `document.querySelectorAll("#outlets li").length`)
		found := eval[string](t, b, `document.querySelector("#outlets li").dataset.find.split(" ").at(-1)`)
		b.run(t, chromedp.SendKeys(chromedp.CSS("#outlet"), strings.ToUpper(found)))
		shown := eval[int](t, b, `[...document.querySelectorAll("#outlets li")].filter(e => e.offsetParent).length`)
		if shown == 0 || shown >= all {
			t.Errorf("by %q, %d of %d are shown", found, shown, all)
		}
		if count := eval[string](t, b, `document.querySelector("#found").textContent`); !strings.Contains(count, fmt.Sprint(shown)) {
			t.Errorf("%d are shown, and it says %q", shown, count)
		}
		b.follow(t, "main form button")
		if at := b.path(t); !strings.HasPrefix(at, "/categories?q=") {
			t.Errorf("the form leads to %s", at)
		}
	})
	t.Run("search", func(t *testing.T) {
		words := string([]rune(s.posts[len(s.posts)-1].Title)[:2])
		b.open(t, "/")
		b.run(t, chromedp.SendKeys(chromedp.CSS("#top-q"), words))
		b.follow(t, ".top form button")
		if marked := eval[string](t, b, `document.querySelector("mark").textContent`); marked != words {
			t.Errorf("marked is %q, want %q", marked, words)
		}
		b.follow(t, ".hits .name")
		if at := b.path(t); !strings.HasPrefix(at, "/post/") {
			t.Errorf("a hit leads to %s", at)
		}
	})
	t.Run("the other language, and back", func(t *testing.T) {
		b.open(t, pages["day"])
		for _, want := range []string{"en", "zh-CN"} {
			b.follow(t, "a.lang")
			if got := eval[string](t, b, "document.documentElement.lang"); got != want {
				t.Errorf("the page is in %q, want %q", got, want)
			}
			if at := b.path(t); at != pages["day"] {
				t.Errorf("the switch leads to %s", at)
			}
		}
	})
	t.Run("keys alone", func(t *testing.T) {
		b.open(t, "/")
		b.press(t, kb.Tab)
		if at := eval[string](t, b, `document.activeElement.className + " " + (document.activeElement.getBoundingClientRect().left >= 0)`); at != "skip true" {
			t.Errorf("the first stop is %q, want the link to the content, in sight", at)
		}
		b.press(t, kb.Enter, kb.Tab)
		if !eval[bool](t, b, `document.querySelector("main").contains(document.activeElement) && document.activeElement.matches(".posts a")`) {
			t.Error("the next stop is not the first post")
		}
		if outline := eval[string](t, b, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
			t.Errorf("where the focus is shows by an outline that is %q", outline)
		}
		if _, err := chromedp.RunResponse(b, chromedp.KeyEvent(kb.Enter)); err != nil {
			t.Fatal(err)
		}
		if at := b.path(t); !strings.HasPrefix(at, "/post/") {
			t.Errorf("Enter leads to %s", at)
		}
	})
}

// TestBrowserWidths: nothing stands out of a phone's screen to the right, and each
// page is kept as a picture.
func TestBrowserWidths(t *testing.T) {
	s, pages := readable(t)
	b := newBrowser(t, s.URL)
	b.expect(func(trouble string) bool { return strings.Contains(trouble, "404") }) // one of the pages is not there
	for name, path := range pages {
		for _, screen := range []struct {
			name          string
			width, height int64
			scheme        string
		}{{"phone", 360, 740, "dark"}, {"desk", 1280, 900, "light"}} {
			b.size(t, screen.width, screen.height)
			b.prefer(t, screen.scheme)
			b.open(t, path)
			if over := eval[int](t, b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%s on a %s: %d pixels stand out", name, screen.name, over)
			}
			b.shoot(t, name+"-"+screen.name)
		}
	}
}

// TestBrowserAccessible: axe finds nothing, in both languages and colour schemes.
func TestBrowserAccessible(t *testing.T) {
	dir, _ := realtest.Node(t, filepath.Join("testdata", "axe"))
	axe, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	s, pages := readable(t)
	b := newBrowser(t, s.URL)
	b.expect(func(trouble string) bool { return strings.Contains(trouble, "404") }) // one of the pages is not there
	for _, lang := range []string{"zh", "en"} {
		b.choose(t, lang)
		for _, scheme := range []string{"light", "dark"} {
			b.prefer(t, scheme)
			for name, path := range pages {
				b.open(t, path)
				for _, violation := range b.violations(t, string(axe)) {
					t.Errorf("%s in %s, %s: %s", name, lang, scheme, violation)
				}
			}
		}
	}
}

// violations returns what axe finds fault with in the page.
func (b *browser) violations(t *testing.T, axe string) []string {
	t.Helper()
	b.run(t, chromedp.Evaluate[chromedp.Void](axe))
	report := get(t, b, chromedp.Evaluate[string](
		`axe.run({iframes: false}).then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.html).slice(0, 3).join(" | "))))`,
		chromedp.EvalAwaitPromise))
	var list []string
	if err := json.Unmarshal([]byte(report), &list); err != nil {
		t.Fatal(err)
	}
	return list
}
