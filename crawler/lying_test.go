package crawler_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
)

// raw answers with bytes that no server of net/http would send, and holds the
// connection until the test ends.
func raw(t *testing.T, answer string) http.HandlerFunc {
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, answer)
		<-done
	}
}

// TestSwitchingProtocols: an answer of 101, whose body ends with no request, does
// not hold a run up.
func TestSwitchingProtocols(t *testing.T) {
	f := twoPosts(t)
	f.answer(path1, raw(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"))
	o := options(f.base, newArchive(t))
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	if r := crawl(t, o); r.New != 1 || r.Pending != 1 {
		t.Errorf("%+v", countsOf(r))
	}
}

// TestRobotsOfAnyLength: no room is made at the word of a robots.txt's length.
func TestRobotsOfAnyLength(t *testing.T) {
	f := twoPosts(t)
	rules := "User-agent: *\nDisallow: " + path1 + "\n" + strings.Repeat("# no rule\n", 60_000)
	f.answer("/robots.txt", raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"+rules))
	if r := crawl(t, options(f.base, newArchive(t))); r.New != 1 || r.Skipped[news.SkippedDisallowed] != 1 {
		t.Errorf("%+v", countsOf(r))
	}
}

// TestRobotsAnswers: any 2xx is an answer, and a 304 that nobody asked for is
// none: what was had before holds on.
func TestRobotsAnswers(t *testing.T) {
	f, a := robotsSite(t, http.StatusNoContent, ""), newArchive(t)
	if r := crawl(t, options(f.base, a)); r.New != 3 {
		t.Errorf("204: %+v", countsOf(r))
	}
	f, a = robotsSite(t, http.StatusOK, "User-agent: *\nDisallow: /haiwan/\n"), newArchive(t)
	crawl(t, options(f.base, a))
	f.answer("/robots.txt", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	o := options(f.base, a)
	o.Now = tomorrow
	if r := crawl(t, o); r.New != 0 {
		t.Errorf("304: %+v", countsOf(r))
	}
}

// TestLongErrors: what a server says is told, but not all of it.
func TestLongErrors(t *testing.T) {
	f := onePost(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://elsewhere.invalid/"+strings.Repeat("x", 50_000))
		w.WriteHeader(http.StatusFound)
	})
	a := newArchive(t)
	o := options(f.base, a)
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	r := crawl(t, o)
	_, failed := frontier(t, a)
	if len(r.Problems) != 1 || len(r.Problems[0].Why) > 1000 || len(failed) != 1 || len(failed[id1].Error) > 1000 {
		t.Errorf("%d problems, %d failed", len(r.Problems), len(failed))
	}
}

// TestHostsThatNeverEnd: hosts that cut every body, or want a pause after every
// answer, are given up.
func TestHostsThatNeverEnd(t *testing.T) {
	links := make([]string, 120)
	for i := range links {
		links[i] = fmt.Sprintf("/haiwan/2021/12/22/NW20211222222255%04d.html", i)
	}
	f := newFixture(t, map[string]string{"/": listPage(links...)})
	var asked atomic.Int64
	for _, at := range links {
		f.answer(at, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
	}
	o := options(f.base, newArchive(t))
	o.Mirrors[0].Share, o.Mirrors[0].Text, o.Limits.Parallel = "", "", 1
	if r := crawl(t, o); asked.Load() > 60 || r.Pending != len(links) {
		t.Errorf("asked %d times, %+v", asked.Load(), countsOf(r))
	}
}

// TestLinkToAnotherPage: a post that one mirror has lost is got from the other,
// though that tells of it later, and its list is not read again.
func TestLinkToAnotherPage(t *testing.T) {
	asked := make(chan struct{})
	one := newFixture(t, map[string]string{path2: postPage("乙", sentence, code2, "yanlancaijing")})
	other := newFixture(t, map[string]string{
		path1: postPage("甲", sentence, code1, "yanlancaijing"), path2: postPage("乙", sentence, code2, "yanlancaijing"),
	})
	lists := func(f *fixture, category string, link string, wait <-chan struct{}) {
		f.put("/", listPage(f.base+"/category/"+category+".html", path2))
		f.answer("/category/"+category+".html", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			if wait != nil {
				<-wait
				time.Sleep(time.Second) // until the failure is counted
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, listPage(link))
		})
	}
	lists(one, "yanlancaijing", path1, nil)
	lists(other, "haiwan", path1, asked)
	once := sync.OnceFunc(func() { close(asked) })
	one.answer(path1, func(w http.ResponseWriter, r *http.Request) {
		once()
		http.NotFound(w, r)
	})
	a := newArchive(t)
	o := options(one.base, a)
	o.Mirrors = []config.Mirror{o.Mirrors[0], mirrorAt(other.base)}
	o.Mirrors[1].Name = "other"
	for i := range o.Mirrors {
		o.Mirrors[i].Share, o.Mirrors[i].Text = "", ""
	}
	if r := crawl(t, o); r.New != 2 || r.FailedPosts() != 0 {
		t.Errorf("%+v", countsOf(r))
	}
}

// TestSharedHostHoldsNoMirror: a shared host that wants a pause does not keep the
// mirror's own pages waiting.
func TestSharedHostHoldsNoMirror(t *testing.T) {
	shared := newFixture(t, nil)
	f := twoPosts(t)
	var last atomic.Int64 // nanoseconds since the run began
	began := time.Now()
	f.answer(path2, func(w http.ResponseWriter, _ *http.Request) {
		last.Store(int64(time.Since(began)))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, postPage("乙", sentence, code2, "yanlancaijing"))
	})
	f.answer(path1, http.NotFound) // so that the shared host is asked
	f.answer("/category/yanlancaijing.html", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, listPage(path2))
	})
	f.put("/", listPage(path1, f.base+"/category/yanlancaijing.html"))
	shared.answer("/"+code1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	o := options(f.base, newArchive(t))
	o.Mirrors[0].Share, o.Mirrors[0].Text, o.Limits.Parallel = shared.base+"/{infoCode}", "", 1
	crawl(t, o)
	if at := time.Duration(last.Load()); at == 0 || at > 1500*time.Millisecond {
		t.Errorf("the mirror's other post was asked for after %v", at)
	}
}

// TestKeptConnectionBreaks: what a server leaves unanswered by closing a kept
// connection is asked for again by the crawl's own retries, which wait their turn
// and are counted, and not by net/http.
func TestKeptConnectionBreaks(t *testing.T) {
	f := onePost(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
			t.Errorf("asked with a body: %d bytes, %v", r.ContentLength, r.TransferEncoding)
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	})
	o := options(f.base, newArchive(t))
	o.Limits.Retries, o.Limits.Parallel = 1, 1 // on one connection, that had the home page before
	report := crawl(t, o)
	if n := f.requests()[path1]; n != 2 || report.Retries != 1 {
		t.Errorf("asked %d times, with %d retries", n, report.Retries)
	}
}
