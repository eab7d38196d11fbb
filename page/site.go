package page

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// placeholder stands for the infoCode in a template of addresses.
const placeholder = "{infoCode}"

// Site knows the addresses of one mirror. It is immutable, but for what it
// remembers of links, and safe for concurrent use.
type Site struct {
	name   string
	scheme string
	host   string // in lower case, without a default port
	origin string // scheme and host, as addresses begin
	base   string // the path under which the site's pages stand; begins and ends with /
	share  template
	text   template
	menu   menu
}

// NewSite returns the mirror called name. site is the address of its home
// page, which may have a path; share and text are the addresses of its
// NewsShare pages and of the texts behind them, with {infoCode} in the code's
// place, or "" where the mirror has none. Errors name the one that is wrong.
func NewSite(name, site, share, text string) (*Site, error) {
	if name == "" {
		return nil, errors.New("name: empty")
	}
	u, err := parseBase(site)
	if err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	s := &Site{name: name, scheme: u.Scheme, host: HostOf(u), base: u.Path}
	s.origin = s.scheme + "://" + s.host
	if !strings.HasSuffix(s.base, "/") {
		s.base += "/"
	}
	if s.share, err = parseTemplate(share); err != nil {
		return nil, fmt.Errorf("share: %w", err)
	}
	if s.text, err = parseTemplate(text); err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	return s, nil
}

// parseBase reads the address of a site's home page.
func parseBase(site string) (*url.URL, error) {
	u, err := parseHTTP(site)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return nil, fmt.Errorf("%q: want an address without query and fragment", site)
	}
	return u, nil
}

// parseHTTP reads an absolute address of the web.
func parseHTTP(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("%q: want an absolute http or https address", address)
	}
	return u, nil
}

// HostOf returns an address's host[:port] as [Site.Hosts] spells it: in lower
// case, without the scheme's default port.
func HostOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return host
}

// Name returns the mirror's name in the configuration.
func (s *Site) Name() string { return s.name }

// Home returns the address of the home page.
func (s *Site) Home() string { return s.address(s.base) }

// Feed returns the address of the Atom feed.
func (s *Site) Feed() string { return s.address(s.base + "feed.xml") }

// Sitemap returns the address of the sitemap.
func (s *Site) Sitemap() string { return s.address(s.base + "sitemap.xml") }

// Category returns the address of the page that lists a category's posts.
// Spaces are %20 in it, and brackets stay.
func (s *Site) Category(name string) string {
	return s.address(s.base+categoryDir) + escapeSegment(name) + htmlExt
}

// Outlet returns the categories of a category page's or a post's address on the
// site in the form that both have in common: in lower case, each once. It is
// empty for any other address, and where a post's has no category.
func (s *Site) Outlet(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	l := s.look(u)
	if l.kind != news.KindCategory && l.kind != news.KindPost {
		return ""
	}
	var parts []string
	for _, part := range strings.Fields(strings.ToLower(l.name)) {
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

// Share returns the address of a post's NewsShare page, or "" if the mirror
// has none.
func (s *Site) Share(code news.InfoCode) string { return s.share.address(code) }

// PostAt returns the identity of the post to which an address leads, on the mirror
// or elsewhere; "" where it tells none.
func (s *Site) PostAt(u *url.URL) news.ID { return s.look(u).id }

// Text returns the address of the JSON behind a NewsShare page, or "" if the
// mirror has none.
func (s *Site) Text(code news.InfoCode) string { return s.text.address(code) }

// Hosts returns host[:port] of the site, of its share pages and of its texts,
// each once.
func (s *Site) Hosts() []string {
	hosts := []string{s.host}
	if h := s.share.host; h != "" && h != s.host {
		hosts = append(hosts, h)
	}
	if h := s.text.host; h != "" && h != s.host && h != s.share.host {
		hosts = append(hosts, h)
	}
	return hosts
}

// sharesHost reports whether share pages or texts stand on the site's host.
func (s *Site) sharesHost() bool { return s.share.host == s.host || s.text.host == s.host }

// address returns the address of a path on the site.
func (s *Site) address(path string) string {
	return s.origin + escapePath(path)
}

// template is the pattern of the addresses under which a mirror serves
// articles by infoCode. The zero template is of none.
type template struct {
	before, after string // the address around the code
	host          string
	// The code stands in the query's parameter key, or, where that is empty,
	// in the path between pathBefore and pathAfter.
	key                   string
	pathBefore, pathAfter string
}

func parseTemplate(pattern string) (template, error) {
	if pattern == "" {
		return template{}, nil
	}
	before, after, ok := strings.Cut(pattern, placeholder)
	if !ok || strings.Contains(after, placeholder) {
		return template{}, fmt.Errorf("%q: want %s once", pattern, placeholder)
	}
	u, err := parseHTTP(before + after)
	if err != nil {
		return template{}, err
	}
	t := template{before: before, after: after, host: HostOf(u)}
	if address, query, ok := strings.Cut(before, "?"); ok {
		return t.inQuery(address, query)
	}
	return t.inPath(u)
}

// inQuery completes a template whose code is the value of a query parameter.
func (t template) inQuery(address, query string) (template, error) {
	u, err := url.Parse(address)
	if err != nil {
		return template{}, err
	}
	pair := query[strings.LastIndexByte(query, '&')+1:]
	key, value, ok := strings.Cut(pair, "=")
	if !ok || key == "" || value != "" {
		return template{}, fmt.Errorf("%q: want %s as the value of a query parameter", t.before+placeholder+t.after, placeholder)
	}
	t.key, t.pathBefore = key, u.Path
	return t, nil
}

// inPath completes a template whose code stands in the path of u, the address
// without the code.
func (t template) inPath(u *url.URL) (template, error) {
	before, err := url.Parse(t.before)
	if err != nil {
		return template{}, err
	}
	rest, ok := strings.CutPrefix(u.Path, before.Path)
	if before.Path == "" || strings.Contains(t.before, "#") || HostOf(before) != t.host || !ok {
		return template{}, fmt.Errorf("%q: want %s in the path or the query", t.before+placeholder+t.after, placeholder)
	}
	t.pathBefore, t.pathAfter = before.Path, rest
	return t, nil
}

func (t *template) address(code news.InfoCode) string {
	if t.before == "" || code == "" {
		return ""
	}
	return t.before + string(code.News()) + t.after
}

// match returns the code in an address of the template's form.
func (t *template) match(u *url.URL, host string) (news.InfoCode, bool) {
	if t.host == "" || host != t.host {
		return "", false
	}
	if t.key != "" {
		return codeInQuery(u, t.key), u.Path == t.pathBefore
	}
	rest, ok := strings.CutPrefix(u.Path, t.pathBefore)
	rest, ok2 := strings.CutSuffix(rest, t.pathAfter)
	if !ok || !ok2 {
		return "", false
	}
	code, err := news.ParseInfoCode(rest)
	return code, err == nil
}

// codeInQuery returns the infoCode that a query parameter holds; the letter
// case of its key does not matter.
func codeInQuery(u *url.URL, key string) news.InfoCode {
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if !strings.EqualFold(k, key) {
			continue
		}
		if code, err := news.ParseInfoCode(v); err == nil {
			return code
		}
	}
	return ""
}
