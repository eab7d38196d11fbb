package page

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/finarc/finarc/news"
)

// Article completes a post that was read from another form than a page of the
// mirror, and whose ID and body are known, by what its body tells: source,
// digest, securities, boards and related posts. It returns the related posts as
// leads. c is the capture that the post was read from.
func (s *Site) Article(c *news.Capture, p *news.Post) []news.Wanted {
	g := newGather(s, c, &url.URL{Scheme: s.scheme, Host: s.host, Path: s.base}, nil)
	readBody(g, p, []byte(p.Body))
	return g.page.Leads
}

// PostID returns the identity of the site's page of a post without infoCode,
// which Jekyll makes of its categories, its day and its file's name without day
// and suffix: that of /:categories/:year/:month/:day/:title.html.
func (s *Site) PostID(categories []string, day news.Day, slug string) news.ID {
	folder := strings.ToLower(strings.Join(categories, "/"))
	if folder != "" {
		folder += "/"
	}
	path := fmt.Sprintf("%s%s%s/%s%s", s.base, folder, strings.ReplaceAll(day.String(), "-", "/"), slug, htmlExt)
	return news.PageID(day, &url.URL{Host: s.host, Path: path, RawPath: escapePath(path)})
}
