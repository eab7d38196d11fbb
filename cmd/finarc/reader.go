package main

import (
	"fmt"
	"net/url"
	"sync"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/jekyll"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// forgotten is the host of mirrors that are not configured any more, of which only
// files tell (RFC 2606, 2): their links to their own posts are not known as such.
const forgotten = "mirror.invalid"

// reader returns what reads captures again: by the configured mirror of their
// name, or, where there is none by now, by the site that their address is on.
// It is safe for concurrent use.
func (a *app) reader() (archive.Reader, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	sites := make(map[string]*page.Site)
	for _, m := range c.Mirrors {
		if sites[m.Name], err = page.NewSite(m.Name, m.Site, m.Share, m.Text); err != nil {
			return nil, usagef("mirror %s: %w", m.Name, err)
		}
	}
	files := make(map[*page.Site]*jekyll.Reader)
	var lock sync.Mutex
	siteOf := func(c *news.Capture) (*page.Site, error) {
		lock.Lock()
		defer lock.Unlock()
		if s := sites[c.Mirror]; s != nil {
			return s, nil
		}
		u, err := url.Parse(c.URL)
		if err != nil {
			return nil, err
		}
		home := u.Scheme + "://" + u.Host + "/"
		if c.Kind == news.KindJekyll {
			home = "https://" + forgotten + "/"
		}
		if sites[home] == nil {
			s, err := page.NewSite(home, home, "", "")
			if err != nil {
				return nil, fmt.Errorf("address of the capture: %w", err)
			}
			sites[home] = s
		}
		return sites[home], nil
	}
	fileReader := func(s *page.Site) *jekyll.Reader {
		lock.Lock()
		defer lock.Unlock()
		if files[s] == nil {
			files[s] = jekyll.NewReader(s)
		}
		return files[s]
	}
	return func(c *news.Capture) (*news.Post, error) {
		s, err := siteOf(c)
		if err != nil {
			return nil, err
		}
		read := s.Read
		if c.Kind == news.KindJekyll {
			read = fileReader(s).Read
		}
		p, err := read(c)
		if err != nil {
			return nil, err
		}
		return p.Post, nil
	}, nil
}
