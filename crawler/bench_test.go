package crawler_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/mirror"
	"github.com/gocolly/colly/v2"
)

// The size of the mirror that both benchmarks crawl, and how many requests
// each has in flight.
const (
	benchPosts      = 5000
	benchCategories = 60
	benchParallel   = 8
)

// benchMirror returns a mirror that costs as little as possible to serve, since
// it runs on the same processors.
func benchMirror(b *testing.B) *mirror.Mirror {
	b.Helper()
	m, err := mirror.New(mirror.Options{Posts: benchPosts, Categories: benchCategories, Seed: 1, Prerender: true})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkCrawl crawls a whole mirror into a new archive: fetch, read,
// compress, archive and index.
func BenchmarkCrawl(b *testing.B) {
	m := benchMirror(b)
	pages := 0
	for b.Loop() {
		s := httptest.NewServer(m)
		a, err := archive.OpenOrCreate(b.Context(), filepath.Join(b.TempDir(), "a.db"))
		if err != nil {
			b.Fatal(err)
		}
		limits := config.Default().Limits
		limits.Rate, limits.Parallel = 0, benchParallel
		report, err := crawler.Run(b.Context(), crawler.Options{
			Mirrors: []config.Mirror{{
				Name: "m", Site: s.URL + "/",
				Share: s.URL + "/html_News/NewsShare.html?infoCode={infoCode}",
				Text:  s.URL + "/NewsData/GetNewsText.do?id={infoCode}",
			}},
			Limits: limits, Agent: "finarc", Store: a,
		})
		if err != nil {
			b.Fatal(err)
		}
		if report.New != benchPosts {
			b.Fatalf("%d posts archived, want %d", report.New, benchPosts)
		}
		s.Close()
		for _, n := range report.Requests {
			pages += n
		}
	}
	b.ReportMetric(float64(pages)/b.Elapsed().Seconds(), "pages/s")
}

// BenchmarkBareColly is the baseline: a bare Colly collector that follows the
// same links with OnHTML and writes each page to a file.
func BenchmarkBareColly(b *testing.B) {
	benchColly(b, nil)
}

// BenchmarkTunedColly is the same with a transport that keeps as many
// connections as it uses, which a bare collector does not.
func BenchmarkTunedColly(b *testing.B) {
	benchColly(b, &http.Transport{MaxIdleConnsPerHost: benchParallel, MaxConnsPerHost: benchParallel, DisableCompression: true})
}

func benchColly(b *testing.B, transport http.RoundTripper) {
	m := benchMirror(b)
	var pages atomic.Int64
	for b.Loop() {
		// A server, and so a port, of its own each time: the connections that a
		// bare collector leaves behind would use up the ports towards one.
		s := httptest.NewServer(m)
		var posts atomic.Int64
		dir := b.TempDir()
		c := colly.NewCollector(colly.Async(true))
		if transport != nil {
			c.WithTransport(transport)
		}
		if err := c.Limit(&colly.LimitRule{DomainGlob: "*", Parallelism: benchParallel}); err != nil {
			b.Fatal(err)
		}
		c.OnHTML("a[href]", func(e *colly.HTMLElement) {
			link := e.Request.AbsoluteURL(e.Attr("href"))
			if followed(link, s.URL) {
				_ = e.Request.Visit(link) // an error here says that it was visited before
			}
		})
		c.OnResponse(func(r *colly.Response) {
			n := pages.Add(1)
			if strings.Contains(r.Request.URL.Path, "/20") {
				posts.Add(1)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.html", n)), r.Body, 0o644); err != nil {
				b.Error(err)
			}
		})
		if err := c.Visit(s.URL + "/"); err != nil {
			b.Fatal(err)
		}
		c.Wait()
		s.Close()
		// Colly asks whether a page was visited and says that it is in two
		// steps, so now and then it fetches one twice.
		if posts.Load() < benchPosts {
			b.Fatalf("%d posts fetched, want %d", posts.Load(), benchPosts)
		}
	}
	b.ReportMetric(float64(pages.Load())/b.Elapsed().Seconds(), "pages/s")
}

// followed reports whether the baseline follows a link: to the site's own
// pages, as finarc does, and not to share pages that are not needed.
func followed(link, site string) bool {
	return strings.HasPrefix(link, site+"/") && strings.HasSuffix(link, ".html") && !strings.Contains(link, "NewsShare")
}
