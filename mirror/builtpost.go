package mirror

import (
	"cmp"
	"html"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// What the site's generator writes around a body, in whatever layout.
var (
	builtTime  = regexp.MustCompile(`\(GMT\+8[^)]*\)\s*(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})`)
	builtTitle = regexp.MustCompile(`(?s)<h1[^>]*>(.*?)</h1>`)
	builtTag   = regexp.MustCompile(`<[^>]*>`)
	builtCode  = regexp.MustCompile(`<p>\s*<a href="([^"]*)">\s*https?://[^<]*</a>\s*</p>`)
	builtBack  = regexp.MustCompile(`<a href="([^"]*)">返回([^<]*)</a>`)
)

// readBuilt reads the page of a post that stands at a path, as far as share and
// text pages need it. What is not there stays empty.
func readBuilt(page, where string) news.Post {
	var p news.Post
	if m := builtTime.FindStringSubmatch(page); m != nil {
		// What has the shape but is no time is as good as none.
		p.Published, _ = time.ParseInLocation(time.DateTime, m[1], news.Shanghai)
	}
	if m := builtTitle.FindStringSubmatchIndex(page); m != nil {
		p.Title = strings.TrimSpace(html.UnescapeString(builtTag.ReplaceAllString(page[m[2]:m[3]], "")))
		page = page[m[1]:]
	}
	body, foot := cutFoot(page)
	p.Body = strings.TrimSpace(body)
	p.InfoCode = builtInfoCode(foot, where)
	p.ID = p.InfoCode.ID()
	p.Category, p.Tag = backLink(foot)
	p.Outlet = news.OutletOfTag(p.Tag)
	return p
}

// cutFoot cuts a page where the body ends: at the last paragraph that is the
// article's own address, or else at the one with the back links.
func cutFoot(page string) (body, foot string) {
	end := len(page)
	if at := builtBack.FindStringIndex(page); at != nil {
		if start := strings.LastIndex(page[:at[0]], "<p"); start >= 0 {
			end = start
		}
	}
	if codes := builtCode.FindAllStringIndex(page[:end], -1); len(codes) > 0 {
		end = codes[len(codes)-1][0]
	}
	return page[:end], page[end:]
}

// builtInfoCode returns the infoCode that the foot links, or the path tells.
func builtInfoCode(foot, where string) news.InfoCode {
	if m := builtCode.FindStringSubmatch(foot); m != nil {
		if code, ok := news.FindInfoCode(m[1]); ok {
			return code
		}
	}
	code, _ := news.FindInfoCode(path.Base(where))
	return code
}

// backLink returns the category that the foot leads back to, and its tag.
func backLink(foot string) (category, tag string) {
	m := builtBack.FindStringSubmatch(foot)
	if m == nil || m[2] == "首页" {
		return "", ""
	}
	u, err := url.Parse(html.UnescapeString(m[1]))
	if err != nil {
		return "", html.UnescapeString(m[2])
	}
	return strings.TrimSuffix(path.Base(u.Path), ".html"), html.UnescapeString(m[2])
}

// sort puts the posts in order of time and makes them findable.
func (b *built) sort() {
	slices.SortFunc(b.posts, func(x, y builtPost) int {
		return cmp.Or(x.When().Compare(y.When()), cmp.Compare(x.ID, y.ID), cmp.Compare(x.path, y.path))
	})
	for i, p := range b.posts {
		if p.InfoCode != "" {
			b.byID[p.ID] = i
		}
	}
}

var leaveBrackets = strings.NewReplacer("%28", "(", "%29", ")")

// escapePath writes a decoded path as the site's links do.
func escapePath(decoded string) string {
	return leaveBrackets.Replace((&url.URL{Path: decoded}).EscapedPath())
}
