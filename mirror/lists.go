package mirror

import "sync"

// perTag is how many posts home shows of each tag.
const perTag = 5

// home appends the home page: the newest posts of every tag.
func (g *generated) home(dst []byte, r *request) []byte {
	dst = beginPage(dst, nil, r.base, "/")
	dst = append(dst, "<h1>"+siteTitle+"</h1>\n"...)
	if !g.faults.siteWide[faultNoCategories] {
		for _, t := range g.tags {
			dst = g.tagList(dst, t, r)
		}
	}
	return endPage(dst)
}

func (g *generated) tagList(dst []byte, t tagged, r *request) []byte {
	newest := g.newest(perTag, t.outlets...)
	if len(newest) == 0 {
		return dst
	}
	name := escape(t.name)
	dst = append(append(dst, `<h2 id="`...), name...)
	dst = append(append(dst, `">`...), name...)
	dst = append(dst, "</h2>\n"...)
	return g.links(dst, newest, r)
}

// category appends an outlet's category page: every post that is still shown.
func (g *generated) category(dst []byte, o int, r *request) []byte {
	heading := []byte(escape(g.world.outlets[o].heading))
	dst = beginPage(dst, heading, r.base, g.world.outlets[o].categoryURL())
	dst = append(append(append(dst, "<h1>"...), heading...), "</h1>\n"...)
	dst = g.links(dst, g.newest(-1, o), r)
	return endPage(dst)
}

// links appends a list of links to posts.
func (g *generated) links(dst []byte, indices []int32, r *request) []byte {
	a := g.authors.Get().(*author)
	defer g.authors.Put(a)
	posts := g.all()
	dst = append(dst, "<ul>\n"...)
	for _, i := range indices {
		dst = append(dst, "  <li>"...)
		dst = g.link(dst, &posts[i], a.headline(&posts[i]), r)
		dst = append(dst, "</li>\n"...)
	}
	return append(dst, "</ul>\n"...)
}

// link appends a link to a post's page, or to its NewsShare page where the site
// has none.
func (g *generated) link(dst []byte, e *entry, title []byte, r *request) []byte {
	title = appendEscaped(make([]byte, 0, 256), title)
	if e.is(shareOnly) {
		return e.appendShareLink(dst, r.share, title)
	}
	dst = append(dst, `<a href="`...)
	dst = e.appendPath(dst, &g.world.outlets[e.outlet])
	dst = append(append(dst, `">`...), title...)
	return append(dst, "</a>"...)
}

// listCache keeps rendered list pages by their entity tags, which name page
// and state. Full, it starts afresh: what is still asked for comes back soon.
type listCache struct {
	mu    sync.Mutex
	pages map[string][]byte
	size  int
	limit int
}

func newListCache(limit int) *listCache {
	return &listCache{pages: map[string][]byte{}, limit: limit}
}

// append appends the page with a tag, which render makes if it is not held.
func (c *listCache) append(dst []byte, tag string, render func() []byte) []byte {
	c.mu.Lock()
	page, ok := c.pages[tag]
	c.mu.Unlock()
	if !ok {
		page = render()
		c.keep(tag, page)
	}
	return append(dst, page...)
}

func (c *listCache) keep(tag string, page []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(page) > c.limit {
		return
	}
	if c.size+len(page) > c.limit {
		clear(c.pages)
		c.size = 0
	}
	if _, held := c.pages[tag]; !held {
		c.pages[tag] = page
		c.size += len(page)
	}
}
