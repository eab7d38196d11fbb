// Package mirror is a whole mirror inside the binary: a generated site of
// finance news, or one that Jekyll built, served over real HTTP, well-behaved,
// hostile on request, or as a [Scenario] tells. Demonstrations and end-to-end
// tests crawl it.
//
// Site, share pages and text JSON answer on every host that the handler is
// given. A generated mirror's articles are invented: outlets, companies,
// persons and numbers are drawn from a seed, and two mirrors with the same
// [Options] are the same to the byte. [Mirror.Post] tells what a perfect reader
// should make of each page.
package mirror

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/finarc/finarc/news"
)

// ErrStatic is why a mirror that serves a built site cannot publish, revise or
// forget: its posts are files.
var ErrStatic = errors.New("the mirror serves a built site and cannot change it")

// Mirror is a mirror of finance news, an [net/http.Handler]. It is safe for
// concurrent use.
type Mirror struct {
	site      site
	base      string
	shareBase string
	gzip      bool
	traffic   *traffic
	flaky     visited
	play      *play // nil unless the mirror is a scenario's
	buffers   buffers
}

// site is what stands at a mirror's addresses.
type site interface {
	// find returns the answer to a request.
	find(request) answer
	// len returns the number of posts ever published.
	len() int
	// post returns what a perfect reader makes of the i-th.
	post(i int) news.Post
	// about returns where the i-th stands and what is wrong with it.
	about(i int) Standing
}

// Standing tells where a post of the mirror stands.
type Standing struct {
	Path      string        // of its page, as links write it; empty if the site has none for it
	Fault     string        // the fault that its page has, or ""
	Best      news.PageKind // the plainest page with its text: post, share or text; "" if there is none
	Forgotten bool          // the site showed it, and does no longer
}

// New makes a mirror of invented news.
func New(o Options) (*Mirror, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("make mirror: %w", err)
	}
	site, err := newSite(o)
	if err != nil {
		return nil, fmt.Errorf("make mirror: %w", err)
	}
	return newMirror(site, o), nil
}

func newSite(o Options) (site, error) {
	if o.Living != nil {
		return newLiving(o)
	}
	return newGenerated(o)
}

func newMirror(s site, o Options) *Mirror {
	return &Mirror{
		site:      s,
		base:      o.Base,
		shareBase: o.ShareBase,
		gzip:      o.Gzip,
		traffic:   newTraffic(o.Now),
	}
}

// Len returns the number of posts that were ever published, forgotten ones
// included.
func (m *Mirror) Len() int { return m.site.len() }

// Post returns what a perfect reader should make of the i-th post, counted from
// 0, the oldest. It is the article's truth, wherever it is read:
//
//   - Share and text pages tell no Category and Tag, and share pages no Digest.
//   - Foot is left empty, since it depends on the host that is asked.
//   - A post without infoCode (fault nocode) has an ID only where the mirror
//     was given a Base, since its identity is its address.
//   - Of a built site's posts, Source, Digest, Related, Securities and Boards
//     are not told.
func (m *Mirror) Post(i int) news.Post { return m.site.post(i) }

// Posts returns all posts and their indices, oldest first, as [Mirror.Post]
// returns them.
func (m *Mirror) Posts() iter.Seq2[int, news.Post] {
	return func(yield func(int, news.Post) bool) {
		for i := range m.Len() {
			if !yield(i, m.Post(i)) {
				return
			}
		}
	}
}

// Standing tells where the i-th post stands now.
func (m *Mirror) Standing(i int) Standing { return m.site.about(i) }

// FaultOf returns the name of the fault that the i-th post's page has, or "".
func (m *Mirror) FaultOf(i int) string { return m.site.about(i).Fault }

// Publish adds n posts, each some time after the one before it, and returns
// the index of the first: the new ones are those from there to [Mirror.Len].
func (m *Mirror) Publish(n int) (from int, err error) {
	g, err := m.generated()
	if err != nil {
		return 0, fmt.Errorf("publish: %w", err)
	}
	return g.publish(n), nil
}

// Revise adds to the text of a post. Its page changes, and so does its share
// page; lists stay as they are.
func (m *Mirror) Revise(id news.ID) error {
	g, err := m.generated()
	if err != nil {
		return fmt.Errorf("revise %s: %w", id, err)
	}
	return g.revise(id)
}

// Forget takes the posts published before a moment off the site, as the real
// one does after three days, and returns how many: lists no longer show them
// and their pages answer 404. Share and text pages still have them.
func (m *Mirror) Forget(before time.Time) (int, error) {
	g, err := m.generated()
	if err != nil {
		return 0, fmt.Errorf("forget: %w", err)
	}
	return g.forget(before), nil
}

func (m *Mirror) generated() (*generated, error) {
	switch s := m.site.(type) {
	case *generated:
		return s, nil
	case *living:
		return nil, ErrLiving
	}
	return nil, ErrStatic
}
