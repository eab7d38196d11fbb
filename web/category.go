package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/mozillazg/go-pinyin"
	"golang.org/x/text/unicode/norm"
)

// outlet is a category, and how people may call it.
type outlet struct {
	Category string
	Name     string // the outlet's, in Chinese; empty where no post tells it
	Posts    int
	Last     news.Day // of its newest post
	days     map[news.Day]int
	// Find is all that it can be found by, in lower case, with spaces between: the
	// category, the name, its pinyin, and the initials of that.
	Find string
}

// directory is all categories, those with most posts first.
type directory struct {
	All    []*outlet
	byName map[string]*outlet
}

// directoryFresh is for how long the directory is as good as new: it takes a walk
// through an index.
const directoryFresh = 5 * time.Minute

// directory returns all categories.
func (s *Server) directory(ctx context.Context) (*directory, error) {
	return part(s, "categories", directoryFresh, func() (*directory, int64, error) {
		tallies, err := s.Store.Tally(ctx, archive.ByCategory, 0, 0)
		if err != nil {
			return nil, 0, err
		}
		d := newDirectory(tallies)
		bytes := int64(0)
		for _, o := range d.All {
			if o.Name, err = s.outlets.name(ctx, s.Store, o.Category); err != nil {
				return nil, 0, err
			}
			o.Find = findable(o.Category, o.Name)
			bytes += int64(256 + len(o.Find) + 16*len(o.days))
		}
		return d, bytes, nil
	})
}

func newDirectory(tallies []news.Tally) *directory {
	d := &directory{byName: make(map[string]*outlet)}
	for _, t := range tallies {
		if t.Name == "" {
			continue
		}
		o := d.byName[t.Name]
		if o == nil {
			o = &outlet{Category: t.Name, days: make(map[news.Day]int)}
			d.byName[t.Name] = o
			d.All = append(d.All, o)
		}
		o.Posts += t.Posts
		o.Last = max(o.Last, t.Day)
		o.days[t.Day] = t.Posts
	}
	slices.SortFunc(d.All, func(a, b *outlet) int {
		return cmp.Or(cmp.Compare(b.Posts, a.Posts), cmp.Compare(a.Category, b.Category))
	})
	return d
}

// find returns the categories that may be meant, all of them for no words.
func (d *directory) find(words string) []*outlet {
	wanted := strings.Fields(folded(words))
	var found []*outlet
	for _, o := range d.All {
		if !slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(o.Find, w) }) {
			found = append(found, o)
		}
	}
	return found
}

// folded returns a text without the differences that do not count when something
// is looked for: case, and width.
func folded(text string) string { return strings.ToLower(norm.NFKC.String(text)) }

// findable returns all that a category can be found by.
func findable(category, name string) string {
	var whole, initials strings.Builder
	args := pinyin.NewArgs()
	for _, r := range name {
		syllables := pinyin.SinglePinyin(r, args)
		if len(syllables) == 0 {
			whole.WriteRune(r)
			initials.WriteRune(r)
			continue
		}
		whole.WriteString(syllables[0])
		initials.WriteByte(syllables[0][0])
	}
	return folded(strings.Join([]string{category, name, whole.String(), initials.String()}, " "))
}

// outletNames remembers how outlets are called in Chinese: a category's stays, and
// to look it up takes a walk to a post of it.
type outletNames struct {
	mu    sync.Mutex
	names map[string]string
}

// name returns what the newest post of a category calls its outlet.
func (o *outletNames) name(ctx context.Context, posts Posts, category string) (string, error) {
	o.mu.Lock()
	name, known := o.names[category]
	o.mu.Unlock()
	if known {
		return name, nil
	}
	for rev, err := range posts.Select(ctx, archive.Selection{Category: category, Limit: 1}) {
		if err != nil {
			return "", err
		}
		name = rev.Outlet
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil {
		o.names = make(map[string]string)
	}
	o.names[category] = name
	return name, nil
}

// categoriesPage is the categories that are looked for.
type categoriesPage struct {
	Found []*outlet
	All   int
	Words string
}

func (s *Server) categories(r *request) (*document, error) {
	d, err := s.directory(r.Context())
	if err != nil {
		return nil, err
	}
	words := r.URL.Query().Get("q")
	return &document{template: "categories", title: r.say(msgCategories), data: &categoriesPage{d.find(words), len(d.All), words}}, nil
}

// categoryPage is the posts of a category.
type categoryPage struct {
	*outlet
	List  *postList
	Chart *chart
}

func (s *Server) category(r *request) (*document, error) {
	name := r.PathValue("name")
	d, err := s.directory(r.Context())
	if err != nil {
		return nil, err
	}
	p := &categoryPage{outlet: d.byName[name]}
	if p.List, err = s.list(r, archive.Selection{Category: name}); err != nil {
		return nil, err
	}
	if p.outlet == nil { // a part of a category's name, or one that is newer than the directory
		if len(p.List.Posts) == 0 && p.List.First == "" {
			return nil, &failure{status: http.StatusNotFound, about: msgNoCategory}
		}
		p.outlet = &outlet{Category: name}
	}
	if len(p.days) > 0 {
		p.Chart = newChart(r.say(msgPostsByDay), dayBars(p.days, p.Last))
	}
	title := cmp.Or(p.Name, p.Category)
	return &document{template: "category", title: title, data: p}, nil
}

// How many days a chart shows: from the first that has anything, at least and at
// most so many.
const (
	chartLeast = 14
	chartDays  = 60
)

// dayBars draws the days up to the last one; each leads to that day.
func dayBars(days map[news.Day]int, last news.Day) []bar {
	first := last.Add(1 - chartLeast)
	for d := range days {
		first = min(first, d)
	}
	var bars []bar
	for d := max(first, last.Add(1-chartDays)); d <= last; d = d.Add(1) {
		b := bar{Label: d.String(), Posts: days[d]}
		if b.Posts > 0 {
			b.Href = "/day/" + d.String()
		}
		bars = append(bars, b)
	}
	return bars
}
