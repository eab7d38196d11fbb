package mirror_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/klauspost/compress/zstd"
)

// staged serves a scenario's mirror.
func staged(t *testing.T, text string) (*mirror.Scenario, *mirror.Mirror, string) {
	t.Helper()
	s, err := mirror.ParseScenario("s", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Mirror()
	if err != nil {
		t.Fatal(err)
	}
	return s, m, serve(t, m)
}

// TestScenarioErrors: what is wrong with a file is told with its line.
func TestScenarioErrors(t *testing.T) {
	for text, want := range map[string]string{
		"what":                                   `s:1: want mirror:, awaits:, on …: or crawl:, not "what"`,
		"\n\n\t503":                              `s:3: the line is indented, but belongs to no rule and no crawl`,
		"mirror: post=3":                         `s:1: post=3: want one of categories, faults, gzip, posts, seed, share-only, window`,
		"mirror: posts=0":                        `s:1: posts=0: want 1 to 5000000`,
		"mirror: faults=fire":                    `s:1: faults=fire: fault "fire" is none of `,
		"mirror: window=1s":                      `s:1: mirror: window: 1s is shorter than a minute`,
		"awaits:":                                `s:1: awaits: want what it awaits`,
		"on home":                                `s:1: on: want a colon at the line's end`,
		"on :":                                   `s:1: "" is no path, and none of any, list, home, `,
		"on house:\n\t503":                       `s:1: "house" is no path, and none of any, list, home, `,
		"on home 0%:\n\t503":                     `s:1: share "0%" is not above 0% and up to 100%`,
		"on home feed:\n\t503":                   `s:1: on: "feed" is no share, together or as NAME`,
		"# a\non home:\n":                        `s:2: on home: has no answer`,
		"on home as a:\n\t1x 503\non feed as a:": `s:3: on: another rule is called "a"`,
		"on home:\n\t503\n\thealthy":             `s:3: no answer can follow that of line 2, which lasts: `,
		"on home:\n\t0x 503":                     `s:2: "0x" is not between 1x and 10000000x`,
		"on home:\n\tfor 503":                    `s:2: "503" is no time above 0 and up to 48h0m0s, as 500ms`,
		"on home:\n\t2x":                         `s:2: want a status, healthy, reset, close or silence`,
		"on home:\n\t100":                        `s:2: "100" is none of healthy, reset, close, silence and the statuses 200 to 599`,
		"on home:\n\tbroken":                     `s:2: "broken" is none of healthy, `,
		"on home:\n\t200 body=a.html":            `s:2: body: there is no file "a.html" below`,
		"on home:\n\t200\n-- a.html --\n":        `s:3: no answer uses the file "a.html"`,
		"on home:\n\t200 body=a\n-- a --\n1\n2\n-- a --\n": `s:6: the file "a" is there already, from line 3 on`,
		"on home:\n\t200 page=/ trap=links:5":              `s:2: body, page and trap exclude each other`,
		"on home:\n\t200 page=next":                        `s:2: page=next: want self, another or a path`,
		"on home:\n\t200 trap=links":                       `s:2: trap=links: want a number behind a colon`,
		"on home:\n\t200 trap=hole":                        `s:2: trap=hole: is none of calendar, deeper, links`,
		"on home:\n\t200 spoil=nul:3":                      `s:2: spoil=nul:3: takes no number`,
		"on home:\n\t200 charset=klingon":                  `s:2: charset=klingon: is no charset`,
		"on home:\n\t200 cut=100%":                         `s:2: cut=100%: want bytes, or 0% to 99%`,
		"on home:\n\t200 cut=5 stall=9":                    `s:2: stall=9: the answer breaks off already`,
		"on home:\n\t200 cut=50% endless":                  `s:2: cut: want bytes: the body's length is not known before its end`,
		"on home:\n\t200 bomb=lzma:1MiB":                   `s:2: bomb=lzma:1MiB: want one of gzip, br, zstd, as gzip:64MiB`,
		"on home:\n\t200 bomb=gzip:1000GiB":                `s:2: bomb=gzip:1000GiB: "1000GiB" is no number or size`,
		"on home:\n\t200 bomb=br:1MiB endless":             `s:2: bomb: a body that is packed cannot go on`,
		"on home:\n\treset wait=1s":                        `s:2: reset, close and silence take nothing more: nothing is answered`,
		"on home:\n\t200 speed=3":                          `s:2: speed=3: want one of body, bomb, `,
		"on home:\n\t200 A:b=3":                            `s:2: A:b=3: is no field of a header`,
		"on home:\n\t200 Location=\"x":                     `s:2: a quote has no end`,
		"crawl: speed=3":                                   `s:1: speed=3: want one of after, apart, backoff, `,
		"crawl: rate=NaN":                                  `s:1: rate=NaN: want 0 (no limit) to `,
		"crawl:\n\tnew all":                                `s:2: want what is measured, a comparison and a value, as: new = all`,
		"crawl:\n\tolder = 3":                              `s:2: "older" is none of archived, bytes, `,
		"crawl:\n\tnew = many":                             `s:2: new: "many" is no number, all, hit:RULE or at:PATH`,
		"crawl:\n\tnew = hit:a":                            `s:2: no rule is called "a"`,
		"crawl:\n\tnew x = 3":                              `s:2: new x: takes no "x"`,
		"crawl:\n\tnew ~ 3":                                `s:2: new: cannot be compared by ~`,
		"crawl:\n\tending < done":                          `s:2: ending: cannot be compared by <`,
		"crawl:\n\ttook < 3":                               `s:2: took: "3" is no time`,
		"crawl:\n\tlists = 3":                              `s:2: lists: of what?`,
		"crawl:\n\trequests house = 3":                     `s:2: requests house: "house" is no path`,
	} {
		if _, err := mirror.ParseScenario("s", []byte(text)); err == nil || !strings.Contains(err.Error()+"\n", want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

// TestScenarioDocument: the examples of the description can be read.
func TestScenarioDocument(t *testing.T) {
	text, err := os.ReadFile("SCENARIO.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```txtar\n(.*?)```").FindAllSubmatch(text, -1)
	for _, example := range examples {
		if _, err := mirror.ParseScenario("SCENARIO.md", example[1]); err != nil {
			t.Errorf("%v in\n%s", err, example[1])
		}
	}
	if len(examples) == 0 {
		t.Error("there is no example")
	}
}

// TestScenarioTurns: answers come in their order, for each address or for all
// together, and behind the last the mirror answers.
func TestScenarioTurns(t *testing.T) {
	_, m, base := staged(t, `
on /feed.xml:
	2x 503 Retry-After=3
	1x healthy
	404
on list together as rest:
	1x 500
	1x 429
on post 50% as some:
	410
`)
	for _, want := range []int{503, 503, 200, 404, 404} {
		if resp, _ := get(t, base+"/feed.xml"); resp.StatusCode != want || want == 503 && resp.Header.Get("Retry-After") != "3" {
			t.Errorf("feed: %s with %v, want %d", resp.Status, resp.Header, want)
		}
	}
	for _, c := range []struct {
		path string
		want int
	}{{"/", 500}, {"/sitemap.xml", 429}, {"/", 200}, {"/sitemap.xml", 200}} {
		if resp, _ := get(t, base+c.path); resp.StatusCode != c.want {
			t.Errorf("%s: %s, want %d", c.path, resp.Status, c.want)
		}
	}
	missing := 0
	for i := range m.Len() {
		first, _ := get(t, base+m.Standing(i).Path)
		if again, _ := get(t, base+m.Standing(i).Path); again.StatusCode != first.StatusCode {
			t.Errorf("post %d: %s, then %s", i, first.Status, again.Status)
		}
		if first.StatusCode == http.StatusGone {
			missing++
		}
	}
	if missing < 5 || missing > 25 {
		t.Errorf("%d of %d posts are hit", missing, m.Len())
	}
}

// TestScenarioTimes: an answer can last for a time.
func TestScenarioTimes(t *testing.T) {
	now := time.Date(2021, 12, 22, 12, 0, 0, 0, time.UTC)
	s, err := mirror.ParseScenario("s", []byte("on any together:\n\t1x healthy\n\tfor 2s 503\n"))
	if err != nil {
		t.Fatal(err)
	}
	s.Site.Now = func() time.Time { return now }
	m, err := s.Mirror()
	if err != nil {
		t.Fatal(err)
	}
	base := serve(t, m)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 200}, {time.Hour, 503}, {1999 * time.Millisecond, 503}, {time.Millisecond, 200}, {0, 200}} {
		now = now.Add(c.after)
		if resp, _ := get(t, base+"/"); resp.StatusCode != c.want {
			t.Errorf("after %v: %s, want %d", c.after, resp.Status, c.want)
		}
	}
}

// TestScenarioBodies: what stands in a page's place.
func TestScenarioBodies(t *testing.T) {
	_, m, base := staged(t, `
on /a.html*:
	200 body=a.html X-Base={base}/b X-Base=second ETag="\"1\""
on /b.html:
	302 Location={elsewhere}{path}
on /c.html:
	418
on /d.html:
	200
on /e.html:
	404 page=/
on /f.html:
	200 trap=links:3
on /g-2021-12.html:
	200 trap=calendar
on /h.html:
	200 trap=deeper
on /category/*:
	healthy link=/h.html Content-Type=
on post:
	200 page=another
on text:
	healthy page=another
-- a.html --
<p>{path} {code} at {base}</p>
`)
	resp, body := get(t, base+"/a.html?infoCode=NW202112222222306968")
	if want := "<p>/a.html NW202112222222306968 at " + base + "</p>\n"; body != want || resp.Header.Get("ETag") != `"1"` ||
		strings.Join(resp.Header["X-Base"], " ") != base+"/b second" || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("a file: %q with %v", body, resp.Header)
	}
	_, home := get(t, base+"/")
	for path, c := range map[string]struct {
		status int
		body   string
	}{
		"/b.html": {302, "found\n"}, "/c.html": {418, "i'm a teapot\n"}, "/d.html": {200, ""}, "/e.html": {404, home},
	} {
		if resp, body := get(t, base+path); resp.StatusCode != c.status || body != c.body {
			t.Errorf("%s: %s with %d bytes", path, resp.Status, len(body))
		}
	}
	if resp, _ := get(t, base+"/b.html"); resp.Header.Get("Location") != strings.Replace(base, "127.0.0.1", "localhost", 1)+"/b.html" {
		t.Errorf("redirect to %s", resp.Header.Get("Location"))
	}
	for path, links := range map[string][]string{
		"/f.html":               {`"/trap/2021/12/22/NW202112229000000000.html"`, `"/trap/2021/12/22/NW202112229000000002.html"`},
		"/g-2021-12.html":       {`"/g-2021-11.html"`, `"/g-2022-01.html"`},
		"/h.html":               {`"/h-deeper.html"`, `"/h/deeper.html"`},
		"/category/emnews.html": {`"/h.html"`, `/2021/12/`},
	} {
		_, body := get(t, base+path)
		for _, l := range links {
			if !strings.Contains(body, l) {
				t.Errorf("%s does not link %s", path, l)
			}
		}
	}
	if resp, _ := get(t, base+"/category/emnews.html"); len(resp.Header["Content-Type"]) > 0 {
		t.Errorf("Content-Type %q", resp.Header["Content-Type"])
	}
	for i, p := range m.Posts() {
		next := m.Post((i + 1) % m.Len())
		if _, body := get(t, base+m.Standing(i).Path); !strings.Contains(body, next.Title) || strings.Contains(body, "<h1>"+p.Title) {
			t.Errorf("post %d: the page is not that of the next", i)
		}
		if _, body := get(t, base+"/NewsData/GetNewsText.do?id="+string(p.InfoCode)); !strings.Contains(body, next.Title) {
			t.Errorf("post %d: the text is not that of the next", i)
		}
	}
}

// TestScenarioSpoils: what is done to a page's bytes.
func TestScenarioSpoils(t *testing.T) {
	for spoil, want := range map[string]string{
		"nest:3":      "</h1>\n<div><div><div></div></div></div>",
		"attribute:4": "</h1>\n<p data-note=\"xxxx\">",
		"nul":         "</h1>\n\x00<b>",
		"utf8":        "</h1>\n<p>\xff\xfe",
	} {
		_, m, base := staged(t, "on post:\n\thealthy spoil="+spoil)
		if _, body := get(t, base+m.Standing(0).Path); !strings.Contains(body, want) {
			t.Errorf("%s: no %q", spoil, want)
		}
	}
}

// TestScenarioBreaks: how connections end.
func TestScenarioBreaks(t *testing.T) {
	for answer, c := range map[string]struct {
		err  error
		body int // bytes
	}{
		"reset":                          {syscall.ECONNRESET, 0},
		"close":                          {io.EOF, 0},
		"silence":                        {context.DeadlineExceeded, 0},
		"healthy stall=100":              {context.DeadlineExceeded, 100},
		"healthy cut=100":                {io.ErrUnexpectedEOF, 100},
		"healthy cut=0%":                 {io.ErrUnexpectedEOF, 0},
		"healthy cut=100 chunked":        {io.ErrUnexpectedEOF, 100},
		"healthy wait=1h":                {context.DeadlineExceeded, 0},
		"200 page=self trickle=40B/99ms": {context.DeadlineExceeded, 40},
	} {
		_, m, base := staged(t, "on post:\n\t"+answer)
		n, err := try(t, base+m.Standing(0).Path)
		if !errors.Is(err, c.err) || n < c.body || n > c.body+120 {
			t.Errorf("%s: %d bytes, %v", answer, n, err)
		}
	}
	_, m, base := staged(t, "on post:\n\thealthy reset=100")
	if n, err := try(t, base+m.Standing(0).Path); err == nil || n > 100 {
		t.Errorf("reset in the middle: %d bytes, %v", n, err)
	}
}

// try asks for a page on a connection of its own and returns how many bytes of
// its body come in a moment.
func try(t *testing.T, address string) (int, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return len(body), err
}

// TestScenarioBombs: little on the wire is as much in memory as is said.
func TestScenarioBombs(t *testing.T) {
	for coding, unpack := range map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"br":   func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
	} {
		_, m, base := staged(t, "on post:\n\thealthy bomb="+coding+":9MiB")
		resp, body := get(t, base+m.Standing(0).Path, "Accept-Encoding", coding)
		if resp.Header.Get("Content-Encoding") != coding || len(body) > 100<<10 {
			t.Errorf("%s: %d bytes, %v", coding, len(body), resp.Header)
		}
		r, err := unpack(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if err != nil || n < 9<<20 || n > 10<<20 {
			t.Errorf("%s: %d bytes unpacked, %v", coding, n, err)
		}
	}
}

func TestScenarioEndless(t *testing.T) {
	_, m, base := staged(t, "on post:\n\thealthy endless")
	resp, err := http.Get(base + m.Standing(0).Path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.CopyN(io.Discard, resp.Body, 20<<20); err != nil || n != 20<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestJudge: every quantity is measured, and what does not hold is told.
func TestJudge(t *testing.T) {
	s, m, base := staged(t, `
mirror: posts=8
on /feed.xml as a:
	1x 429
on post 50% as b:
	404
crawl:
	discovered = 8
	new = all-hit:b
	failed = hit:b
	failed gone = all-all+hit:b-1+1
	skipped != 0
	pending < 2
	lists read >= 3
	status 429 = 1
	requests <= 3
	requests list = 3
	each / = 2
	each >= 2
	elsewhere = 1
	pause 429 <= 1h
	took = 1s
	archived = 1
	foreign = 0
	problems failed = 1
	problem ~ "gone: 404"
	problem !~ timeout
	ending = done
	error = none
crawl:
	new > all+at:/nowhere
	requests / < 2
	pause 503 >= 1s
	took < 1s
	foreign > 1
	problem ~ timeout
	error ~ unreachable
`)
	get(t, base+"/feed.xml")
	begun := time.Date(2021, 12, 22, 12, 0, 0, 0, time.UTC)
	hit := 0
	for i := range m.Len() {
		if resp, _ := get(t, base+m.Standing(i).Path); resp.StatusCode == 404 {
			hit++
		}
	}
	m.ResetRequests()
	get(t, base+"/")
	get(t, base+"/")
	get(t, strings.Replace(base, "127.0.0.1", "localhost", 1)+"/sitemap.xml")
	p := m.Post(0)
	run := &news.Run{
		Discovered: 8, New: 8 - hit, Failed: map[string]int{"gone": hit}, Started: begun, Ended: begun.Add(time.Second),
		Ending: news.EndingDone, Problems: []news.Problem{{URL: "/x", Why: "gone: 404", For: "failed"}},
	}
	run.Lists.Read = 3
	o := mirror.Outcome{Run: run, Archived: map[news.ID]news.Post{p.ID: p}}
	checkWrong(t, s.Judge(&s.Crawls[0], m, o), []string{
		"s:12: skipped is 0, want != 0",
		"s:15: status 429 is 0, want = 1",
		"s:21: pause 429: nothing was answered with 429",
	})

	run.Pending, run.New = 1, 8-hit
	p.Title = "另一篇"
	o.Archived[p.ID] = p
	checkWrong(t, s.Judge(&s.Crawls[1], m, o), []string{
		"s:31: new is", "s:32: requests / is 2, want < 2, most of /", "s:33: pause 503: nothing was answered with 503",
		"s:34: took is 1s, want < 1s", "s:35: foreign is 0, want > 1", `s:36: problem is ["failed /x gone: 404"], want ~ "timeout"`,
		`s:37: error is ["none"], want ~ "unreachable"`, "s:30: the report does not add up", "s:30: post " + string(p.ID) + ` is archived as "另一篇"`,
	})
}

func checkWrong(t *testing.T, got []error, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("not told: %s", want[i])
		case i >= len(want):
			t.Errorf("told: %v", got[i])
		case !strings.HasPrefix(got[i].Error(), want[i]):
			t.Errorf("told: %v, want %q", got[i], want[i])
		}
	}
}

// TestPause: a host is left alone after an answer, but for what was under way.
func TestPause(t *testing.T) {
	now := time.Date(2021, 12, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after []time.Duration // of the requests that follow the 429
		holds bool
	}{
		{nil, true},
		{[]time.Duration{time.Second}, true},
		{[]time.Duration{50 * time.Millisecond, time.Second}, true},
		{[]time.Duration{50 * time.Millisecond, 60 * time.Millisecond, time.Second}, true}, // one in flight, and one that follows it
		{[]time.Duration{50 * time.Millisecond, 60 * time.Millisecond, 70 * time.Millisecond}, false},
		{[]time.Duration{500 * time.Millisecond}, false},
	} {
		s, err := mirror.ParseScenario("s", []byte("on any together:\n\t1x 429\ncrawl: parallel=2\n\tpause 429 >= 1s\n"))
		if err != nil {
			t.Fatal(err)
		}
		s.Site.Now = func() time.Time { return now }
		m, err := s.Mirror()
		if err != nil {
			t.Fatal(err)
		}
		base, begun := serve(t, m), now
		get(t, base+"/")
		for _, d := range c.after {
			now = begun.Add(d)
			get(t, base+"/")
		}
		wrong := s.Judge(&s.Crawls[0], m, mirror.Outcome{Run: new(news.Run)})
		if (len(wrong) == 0) != c.holds {
			t.Errorf("requests after %v: %v", c.after, wrong)
		}
	}
}
