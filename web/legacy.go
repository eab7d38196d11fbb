package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// The addresses of a mirror, under which the archive answers as one: old links work,
// and another finarc can crawl it. Posts are told in a mirror's form, made of what
// the archive read, and not as the page that was captured: that leads back to the
// mirror that it is from.
const (
	sharePath    = "/html_News/NewsShare.html"
	textPath     = "/NewsData/GetNewsText.do"
	sitemapParts = "/sitemaps/"
	htmlExt      = ".html"
)

// mirrorRoutes are a mirror's addresses, but for its home, which is that of the
// pages, its category pages, which stand between theirs, and its posts, which are
// whatever else is asked for.
func (s *Server) mirrorRoutes() []route {
	return []route{
		{pattern: sharePath, answer: s.sandboxed(s.kept(mediaHTML, s.sharedPage))},
		{pattern: textPath, answer: s.sandboxed(s.kept(mediaJSON, s.sharedText))},
		{pattern: "/feed.xml", answer: s.kept("application/atom+xml; charset=utf-8", s.mirrorFeed)},
		{pattern: "/sitemap.xml", answer: s.kept(mediaXML, s.sitemapIndex)},
		{pattern: sitemapParts + "{part}", answer: s.kept(mediaXML, s.sitemap)},
		{pattern: "/robots.txt", answer: s.kept(mediaPlain, robotsText)},
	}
}

// sandboxed returns what answers as pages of others are: they run nothing and have
// no origin.
func (s *Server) sandboxed(a answer) answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Content-Security-Policy", rawPolicy)
		h.Set("X-Robots-Tag", "noindex")
		err := a(w, r)
		if err != nil { // what tells it is a page of the server's own
			h.Set("Content-Security-Policy", policy)
			h.Del("X-Robots-Tag")
		}
		return err
	}
}

// sharedPost returns the post that a shared address names.
func (s *Server) sharedPost(r *http.Request, keys ...string) (*news.Revision, error) {
	for key, values := range r.URL.Query() {
		if !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
			continue
		}
		code, err := news.ParseInfoCode(values[0])
		if err != nil {
			return nil, bad(err)
		}
		all, err := s.Store.Revisions(r.Context(), code.ID())
		if err != nil {
			return nil, err
		}
		return whole(&all[len(all)-1])
	}
	return nil, bad(fmt.Errorf("want an infoCode, as ?%s=NW202112222222306968", keys[0]))
}

// whole returns a revision unless its text was lost.
func whole(rev *news.Revision) (*news.Revision, error) {
	if rev.Lost {
		return nil, fmt.Errorf("text of %s: %w", rev.ID, archive.ErrLost)
	}
	return rev, nil
}

// told is a post as its mirror told of it.
type told struct {
	*news.Revision
	title string // escaped; empty where the page had none
	time  string // likewise
}

func tell(rev *news.Revision) told {
	t := told{Revision: rev, time: rev.Published.In(news.Shanghai).Format(time.DateTime)}
	if rev.Published.IsZero() {
		t.time = ""
	}
	if !slices.Contains(rev.Derived, news.LacksTitle) {
		t.title = html.EscapeString(rev.Title)
	}
	return t
}

const pageHead = `<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>%s</title>
</head>
<body>
`

const pageEnd = "\n</body>\n</html>\n"

// sharedPage answers as the shared page of a post.
func (s *Server) sharedPage(r *http.Request) ([]byte, error) {
	rev, err := s.sharedPost(r, "infoCode")
	if err != nil {
		return nil, err
	}
	t := tell(rev)
	var out bytes.Buffer
	fmt.Fprintf(&out, pageHead, t.title)
	fmt.Fprintf(&out, `<div class="news"><h1 class="title">%s</h1><div class="info"><span class="time">%s</span> <span class="media">%s</span></div>`,
		t.title, t.time, html.EscapeString(t.Outlet))
	fmt.Fprintf(&out, `<div id="newsContent" class="content">%s</div></div>`, t.Body)
	out.WriteString(pageEnd)
	return out.Bytes(), nil
}

// sharedText answers as the JSON behind a shared page.
func (s *Server) sharedText(r *http.Request) ([]byte, error) {
	rev, err := s.sharedPost(r, "id", "infoCode")
	if err != nil {
		return nil, err
	}
	t := tell(rev)
	return encodeJSON(struct {
		InfoCode  news.InfoCode `json:"infoCode"`
		Title     string        `json:"title"`
		ShowTime  string        `json:"showtime"`
		MediaName string        `json:"medianame"`
		Digest    string        `json:"digest"`
		Text      string        `json:"text"`
	}{rev.InfoCode, t.title, t.time, rev.Outlet, rev.Digest, rev.Body})
}

// mirrored answers with the post of a mirror's path, where there is no page.
func (s *Server) mirrored(w http.ResponseWriter, r *http.Request) error {
	if !strings.HasSuffix(r.URL.Path, htmlExt) {
		return s.nothing(w, r)
	}
	return s.sandboxed(s.kept(mediaHTML, s.mirroredPost))(w, r)
}

// postAtPath returns the post that stands at a path on one of the mirrors, or that
// is named there.
func (s *Server) postAtPath(r *http.Request) (*news.Revision, error) {
	origins := []string{baseOf(r)}
	for _, site := range s.sites {
		origins = append(origins, site.Home())
	}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil {
			return nil, bad(err)
		}
		u.Path = r.URL.Path
		all, err := s.revisionsAt(r.Context(), u)
		if err == nil {
			return whole(&all[len(all)-1])
		}
		if !errors.Is(err, archive.ErrNoPost) {
			return nil, err
		}
	}
	id, err := news.ParseID(strings.TrimSuffix(path.Base(r.URL.Path), htmlExt))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.URL.Path, archive.ErrNoPost)
	}
	all, err := s.Store.Revisions(r.Context(), id)
	if err != nil {
		return nil, err
	}
	return whole(&all[len(all)-1])
}

// mirroredPost answers as the page of a post on a mirror.
func (s *Server) mirroredPost(r *http.Request) ([]byte, error) {
	rev, err := s.postAtPath(r)
	if err != nil {
		return nil, err
	}
	t := tell(rev)
	var out bytes.Buffer
	fmt.Fprintf(&out, pageHead, t.title)
	fmt.Fprintf(&out, "<small>(GMT+8, Asia/Shanghai, CST) %s</small>\n<h1>%s</h1>\n%s\n\n", t.time, t.title, t.Body)
	if t.InfoCode != "" {
		address := html.EscapeString(sharePath + "?infoCode=" + string(t.InfoCode.News()))
		fmt.Fprintf(&out, "<p><a href=\"%s\">%[1]s</a></p>\n\n", address)
	}
	writeFoot(&out, &t.Post)
	out.WriteString(pageEnd)
	return out.Bytes(), nil
}

// writeFoot writes what stands below a post on a mirror: the links back, and the
// tags.
func writeFoot(out *bytes.Buffer, p *news.Post) {
	out.WriteString("<p>")
	if p.Category != "" {
		tag := p.Tag
		if tag == "" && p.Outlet != "" {
			tag = p.Outlet + "新闻"
		}
		fmt.Fprintf(out, `<a href="%s">返回%s</a>｜`, html.EscapeString(listHref(p.Category)), html.EscapeString(tag))
	}
	out.WriteString(`<a href="/">返回首页</a></p>` + "\n<small>tags: ")
	for i, tag := range p.Tags() {
		if i > 0 {
			out.WriteString(" - ")
		}
		fmt.Fprintf(out, "<em>%s</em>", html.EscapeString(tag))
	}
	out.WriteString("</small>")
}

// listHref returns the address of a category's list on a mirror.
func listHref(category string) string { return categoryHref(category) + htmlExt }

// pathOnMirror returns the path at which a post stands on a mirror: that of the page
// which it was got from, or the one that a mirror would give it. "" where it can
// have none, as it has neither an infoCode nor a day.
func (s *Server) pathOnMirror(rev *news.Revision) string {
	u, err := url.Parse(rev.URL)
	if err == nil && s.isPost(rev, u) {
		return u.EscapedPath()
	}
	day := rev.Day()
	if !day.Valid() {
		return ""
	}
	folder := "/"
	for _, name := range rev.Categories() {
		if strings.Trim(name, ".") != "" {
			folder += url.PathEscape(strings.ToLower(name)) + "/"
		}
	}
	name := string(cmp.Or(rev.InfoCode.News(), news.InfoCode(rev.ID)))
	return folder + strings.ReplaceAll(day.String(), "-", "/") + "/" + name + htmlExt
}

// isPost reports whether an address is that of the post's page, from whose path
// alone this server finds it again.
func (s *Server) isPost(rev *news.Revision, u *url.URL) bool {
	for _, site := range s.sites {
		if site.Kind(u) == news.KindPost {
			return true
		}
	}
	there, err := page.NewSite("there", u.Scheme+"://"+u.Host+"/", "", "")
	return err == nil && rev.InfoCode != "" && there.Kind(u) == news.KindPost && there.PostAt(u) == rev.ID
}

// What a mirror's lists hold.
const (
	mirrorFeedPosts = 10
	mirrorListPosts = 1000
)

// mirrorFeed answers as the feed of a mirror, whose entries lead to its own pages.
func (s *Server) mirrorFeed(r *http.Request) ([]byte, error) {
	posts, err := s.newest(r, archive.Selection{}, mirrorFeedPosts)
	if err != nil {
		return nil, err
	}
	base := baseOf(r)
	return s.writeFeed(r, &followed{page: "/", posts: posts}, func(rev *news.Revision) string {
		if at := s.pathOnMirror(rev); at != "" {
			return base + at
		}
		return base + postHref(rev.ID)
	})
}

// categoryOrList answers with the page of a category, or with the list of it that a
// mirror has.
func (s *Server) categoryOrList(w http.ResponseWriter, r *http.Request) error {
	name, ok := strings.CutSuffix(r.PathValue("name"), htmlExt)
	if !ok {
		return s.html(s.category)(w, r)
	}
	return s.sandboxed(s.kept(mediaHTML, func(r *http.Request) ([]byte, error) { return s.mirrorList(r, name) }))(w, r)
}

// mirrorList answers as the category page of a mirror: with links to its newest
// posts.
func (s *Server) mirrorList(r *http.Request, category string) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, pageHead, html.EscapeString(category))
	fmt.Fprintf(&out, "<h1>%s</h1>\n<ul>\n", html.EscapeString(category))
	found := false
	for rev, err := range s.Store.Select(r.Context(), archive.Selection{Category: category, Limit: mirrorListPosts}) {
		if err != nil {
			return nil, err
		}
		found = true
		if at := s.pathOnMirror(&rev); at != "" {
			fmt.Fprintf(&out, "<li><a href=\"%s\">%s</a></li>\n", html.EscapeString(at), tell(&rev).title)
		}
	}
	if !found {
		return nil, &failure{status: http.StatusNotFound, about: msgNoCategory}
	}
	out.WriteString("</ul>\n<p><a href=\"/\">返回首页</a></p>" + pageEnd)
	return out.Bytes(), nil
}

// Sitemaps (https://www.sitemaps.org/protocol.html): an index, one of the category
// pages, and one of each day's posts.
const (
	sitemapSpace   = "http://www.sitemaps.org/schemas/sitemap/0.9"
	categoriesPart = "categories.xml"
	partExt        = ".xml"
)

// daysFresh is for how long the days that have posts are as good as new: to count
// them takes a walk through an index.
const daysFresh = time.Minute

// heldDays returns the days that have posts, in order.
func (s *Server) heldDays(ctx context.Context) ([]news.Day, error) {
	return part(s, "days", daysFresh, func() ([]news.Day, int64, error) {
		tallies, err := s.Store.Tally(ctx, archive.ByHour, 0, 0)
		if err != nil {
			return nil, 0, err
		}
		var days []news.Day
		for _, t := range tallies {
			days = append(days, t.Day)
		}
		days = slices.Compact(days)
		return days, int64(8 * len(days)), nil
	})
}

func (s *Server) sitemapIndex(r *http.Request) ([]byte, error) {
	days, err := s.heldDays(r.Context())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s<sitemapindex xmlns=\"%s\">\n", xml.Header, sitemapSpace)
	parts := []string{categoriesPart}
	for _, d := range slices.Backward(days) {
		parts = append(parts, d.String()+partExt)
	}
	for _, name := range parts {
		fmt.Fprintf(&out, "<sitemap><loc>%s</loc></sitemap>\n", html.EscapeString(baseOf(r)+sitemapParts+name))
	}
	out.WriteString("</sitemapindex>\n")
	return out.Bytes(), nil
}

func (s *Server) sitemap(r *http.Request) ([]byte, error) {
	name := r.PathValue("part")
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s<urlset xmlns=\"%s\">\n", xml.Header, sitemapSpace)
	write := s.sitemapOfDay
	if name == categoriesPart {
		write = s.sitemapOfCategories
	}
	if err := write(&out, r, strings.TrimSuffix(name, partExt)); err != nil {
		return nil, err
	}
	out.WriteString("</urlset>\n")
	return out.Bytes(), nil
}

func (s *Server) sitemapOfCategories(out *bytes.Buffer, r *http.Request, _ string) error {
	d, err := s.directory(r.Context())
	if err != nil {
		return err
	}
	for _, o := range d.All {
		fmt.Fprintf(out, "<url><loc>%s</loc></url>\n", html.EscapeString(baseOf(r)+listHref(o.Category)))
	}
	return nil
}

func (s *Server) sitemapOfDay(out *bytes.Buffer, r *http.Request, name string) error {
	d, err := parseDay(name)
	if err != nil {
		return &failure{status: http.StatusNotFound, about: msgNoPage, cause: err}
	}
	for rev, err := range s.Store.Select(r.Context(), archive.Selection{From: d, To: d, Oldest: true}) {
		if err != nil {
			return err
		}
		if at := s.pathOnMirror(&rev); at != "" {
			fmt.Fprintf(out, "<url><loc>%s</loc><lastmod>%s</lastmod></url>\n",
				html.EscapeString(baseOf(r)+at), rev.Fetched.In(news.Shanghai).Format(time.RFC3339))
		}
	}
	return nil
}

// robotsText tells robots (RFC 9309) to take what a mirror has, and to leave alone
// what has no end: pages that are made for each question.
func robotsText(r *http.Request) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("User-agent: *\n")
	for _, path := range []string{
		apiRoot, "/search", "/day", "/post/", "/security/", "/coverage", "/runs", "/categories", timeGate, "/timemap/", metricsPath, healthPath,
	} {
		fmt.Fprintf(&out, "Disallow: %s\n", path)
	}
	fmt.Fprintf(&out, "\nSitemap: %s/sitemap.xml\n", baseOf(r))
	return out.Bytes(), nil
}
