package mirror

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
)

// generated is a site of invented news.
type generated struct {
	*catalogue
	world    *world
	planner  *planner // used under the catalogue's lock once the site stands
	faults   *faultBook
	seed     uint64
	base     string
	lists    *listCache
	authors  *sync.Pool // of *author
	rendered *rendered  // nil unless asked for

	byCategory map[string]int // outlets
	tags       []tagged
}

// tagged is a tag as Jekyll has it, after splitting at spaces, and who uses it.
type tagged struct {
	name    string
	outlets []int
}

func newGenerated(o Options) (*generated, error) {
	w, err := newWorld(o.Categories, o.Seed)
	if err != nil {
		return nil, err
	}
	faults, err := newFaultBook(o.Faults)
	if err != nil {
		return nil, err
	}
	p := newPlanner(o, faults, w.outlets)
	g := &generated{
		catalogue:  newCatalogue(len(w.outlets), p.first()),
		world:      w,
		planner:    p,
		faults:     faults,
		seed:       o.Seed,
		base:       o.Base,
		lists:      newListCache(o.CacheBytes),
		byCategory: map[string]int{},
		authors:    &sync.Pool{New: func() any { return newAuthor(w, o.Seed) }},
	}
	g.index()
	if o.Prerender {
		g.rendered = g.render()
	}
	return g, nil
}

// index makes the site's categories and tags findable.
func (g *generated) index() {
	at := map[string]int{}
	for i := range g.world.outlets {
		o := &g.world.outlets[i]
		g.byCategory[o.category] = i
		for _, tag := range o.tags {
			k, ok := at[tag]
			if !ok {
				k = len(g.tags)
				at[tag] = k
				g.tags = append(g.tags, tagged{name: tag})
			}
			if t := &g.tags[k]; !slices.Contains(t.outlets, i) {
				t.outlets = append(t.outlets, i)
			}
		}
	}
}

// find implements site.
func (g *generated) find(r request) answer {
	a := g.page(r)
	if r.kind != news.KindPost {
		a.fault = g.faults.everywhere(r.path + "?" + r.query)
	}
	return a
}

// page returns what stands at an address.
func (g *generated) page(r request) answer {
	switch r.kind {
	case news.KindHome:
		return g.findHome(r)
	case news.KindCategory:
		return g.findCategory(r)
	case news.KindFeed:
		return g.list(r, "application/atom+xml", g.siteChange(), g.feed)
	case news.KindSitemap:
		return g.list(r, "application/xml", g.siteChange(), g.sitemap)
	case news.KindPost:
		return g.findPost(r)
	case news.KindShare:
		return g.findShare(r)
	case news.KindText:
		return g.findText(r)
	case news.KindRobots:
		return answer{status: 200, media: mediaText, body: robots(r.base)}
	}
	return g.missing(r)
}

func robots(base string) renderer {
	return func(dst []byte) ([]byte, error) {
		return fmt.Appendf(dst, "User-agent: *\nAllow: /\n\nSitemap: %s/sitemap.xml\n", base), nil
	}
}

func (g *generated) findHome(r request) answer {
	if g.faults.siteWide[faultDownHome] {
		return g.missing(r)
	}
	return g.list(r, mediaHTML, g.siteChange(), g.home)
}

func (g *generated) findCategory(r request) answer {
	name := strings.TrimSuffix(strings.TrimPrefix(r.path, categoryPath), ".html")
	o, ok := g.byCategory[name]
	if !ok {
		return g.missing(r)
	}
	return g.list(r, mediaHTML, g.outletChange(o), func(dst []byte, r *request) []byte {
		return g.category(dst, o, r)
	})
}

// list answers with a page that lists posts, in the state that a change left.
func (g *generated) list(r request, media string, c change, render func([]byte, *request) []byte) answer {
	tag := etag(g.seed, r.base+r.share+r.path, int64(c.number), c.at)
	return answer{
		status: 200, media: media, etag: tag, modified: c.time(),
		body: func(dst []byte) ([]byte, error) {
			return g.lists.append(dst, tag, func() []byte { return render(nil, &r) }), nil
		},
	}
}

func (g *generated) findPost(r request) answer {
	i, ok := g.atPath(r.path)
	if !ok {
		return g.missing(r)
	}
	e, rev, shown := g.state(i)
	if !shown || e.is(shareOnly) || e.fault == fault404 || e.fault == faultGone {
		return g.missing(r)
	}
	return answer{
		status: 200, media: mediaHTML, fault: e.fault,
		etag:     etag(g.seed, r.base+r.share, e.serial, int64(rev.number), int64(e.flags)),
		modified: time.Unix(max(rev.at, rev.relaid), 0),
		body: func(dst []byte) ([]byte, error) {
			return g.postPage(dst, i, &e, rev.number, &r), nil
		},
	}
}

// atPath returns the post whose page stands at a path.
func (g *generated) atPath(path string) (int, bool) {
	name := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".html")
	i := -1
	if code, err := news.ParseInfoCode(name); err == nil {
		i = g.byID(code.ID())
	} else if serial, ok := noteSerial(name); ok {
		i = g.bySerial(serial)
	}
	if i < 0 {
		return 0, false
	}
	return i, g.decodedPath(i) == path
}

func (g *generated) decodedPath(i int) string {
	escaped := g.path(i)
	if path, err := url.PathUnescape(escaped); err == nil {
		return path
	}
	return escaped
}

// path returns the address path of a post's page, as links write it.
func (g *generated) path(i int) string {
	e := &g.all()[i]
	return string(e.appendPath(nil, &g.world.outlets[e.outlet]))
}

func (g *generated) missing(r request) answer {
	return answer{status: 404, media: mediaHTML, body: func(dst []byte) ([]byte, error) {
		return missingPage(dst, r.base), nil
	}}
}

// etag makes a strong entity tag from what a page depends on.
func etag(seed uint64, where string, state ...int64) string {
	h := fnv.New64a()
	h.Write([]byte(where))
	x := scatter(h.Sum64() ^ seed)
	for _, n := range state {
		x = scatter(x ^ uint64(n))
	}
	return `"` + strconv.FormatUint(x, 16) + `"`
}

// len implements site.
func (g *generated) len() int { return len(g.all()) }

// post implements site.
func (g *generated) post(i int) news.Post {
	e, rev, _ := g.state(i)
	o := &g.world.outlets[e.outlet]
	var p news.Post
	g.write(&e, rev.number, func(a *author) { p = a.post(g.all()) })
	p.Category, p.Tag, p.Outlet = o.category, o.tag, news.OutletOfTag(o.tag)
	if e.fault != faultNoDate {
		p.Published = e.time()
	}
	if e.fault == faultNoCode {
		p.ID = pageID(g.base, g.path(i), e.time())
	} else {
		p.InfoCode = e.code()
		p.ID = p.InfoCode.ID()
	}
	return p
}

// pageID returns the identity of a post that only its address identifies, or
// "" where the base of that is not known beforehand.
func pageID(base, path string, published time.Time) news.ID {
	u, err := url.Parse(base + path)
	if base == "" || err != nil {
		return ""
	}
	return news.PageID(news.DayOf(published), u)
}

// about implements site.
func (g *generated) about(i int) Standing {
	e, _, shown := g.state(i)
	s := Standing{Fault: e.fault.name(), Forgotten: !shown, Best: g.best(&e, shown)}
	if !e.is(shareOnly) {
		s.Path = g.path(i)
	}
	return s
}

// best returns the kind of page on which a post's text can best be had.
func (g *generated) best(e *entry, shown bool) news.PageKind {
	onSite := shown && !e.is(shareOnly)
	switch {
	case e.fault == faultGone:
		return ""
	case onSite && e.fault.readable():
		return news.KindPost
	case e.fault == faultNoCode:
		return ""
	case e.is(shareShell):
		return news.KindText
	}
	return news.KindShare
}

// write has an author write the article, and hands the author over.
func (g *generated) write(e *entry, revisions int, use func(*author)) {
	a := g.authors.Get().(*author)
	a.article(e, revisions, g.all())
	use(a)
	g.authors.Put(a)
}

// publish adds n posts and returns the index of the first.
func (g *generated) publish(n int) int {
	return g.extend(n, g.planner.later)
}

func (g *generated) revise(id news.ID) error {
	i := g.byID(id)
	if i < 0 {
		return fmt.Errorf("revise %s: no such post", id)
	}
	g.amend(i)
	return nil
}

func (g *generated) forget(before time.Time) int { return g.drop(before.Unix()) }
