package mirror

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/finarc/finarc/news"
)

// Paths that mirrors have in common.
const (
	sharePath    = "/html_News/NewsShare.html"
	textPath     = "/NewsData/GetNewsText.do"
	categoryPath = "/category/"
	controlPath  = "/_mirror/"
)

// request is what a site needs to know of an HTTP request.
type request struct {
	kind  news.PageKind
	path  string // decoded
	query string
	base  string // of the site's links, as http://127.0.0.1:8080
	share string // of NewsShare links
}

// host returns the base as links without scheme write it: //127.0.0.1:8080.
func (r *request) host() string { return r.base[strings.Index(r.base, "//"):] }

// code returns the infoCode that the query asks for, "" if it is none.
func (r *request) code(names ...string) news.InfoCode {
	values, err := url.ParseQuery(r.query)
	if err != nil {
		return ""
	}
	for key, value := range values {
		for _, name := range names {
			if !strings.EqualFold(key, name) {
				continue
			}
			if code, err := news.ParseInfoCode(value[0]); err == nil {
				return code
			}
		}
	}
	return ""
}

// asked reads an HTTP request.
func (m *Mirror) asked(r *http.Request) request {
	base := m.base
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil {
			base = "https://" + r.Host
		}
	}
	share := m.shareBase
	if share == "" {
		share = base
	}
	return request{kind: kindOf(r.URL.Path), path: r.URL.Path, query: r.URL.RawQuery, base: base, share: share}
}

var postPath = regexp.MustCompile(`/\d{4}/\d{2}/\d{2}/[^/]+\.html$`)

// kindOf tells what stands, or would stand, at a path.
func kindOf(path string) news.PageKind {
	switch path {
	case "/", "/index.html":
		return news.KindHome
	case "/feed.xml":
		return news.KindFeed
	case "/sitemap.xml":
		return news.KindSitemap
	case "/robots.txt":
		return news.KindRobots
	case sharePath:
		return news.KindShare
	case textPath:
		return news.KindText
	}
	switch {
	case strings.HasPrefix(path, categoryPath) && strings.HasSuffix(path, ".html"):
		return news.KindCategory
	case postPath.MatchString(path):
		return news.KindPost
	}
	return news.KindOther
}
