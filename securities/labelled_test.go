package securities

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

// labelled is a post of which it is known what a finder should find.
type labelled struct {
	rev     news.Revision
	article news.Article
	want    []news.Place // without names, and how each is found
}

var label = regexp.MustCompile(`[{<](\d+)\.(\w+)\|([^}>]*)[}>]`)

// add takes a labelled text as a part of the post.
func (l *labelled) add(in news.PlacePart, text string) (plain string) {
	var b strings.Builder
	rest := text
	for at := label.FindStringSubmatchIndex(rest); at != nil; at = label.FindStringSubmatchIndex(rest) {
		b.WriteString(rest[:at[0]])
		market, _ := strconv.Atoi(rest[at[2]:at[3]])
		p := news.Place{Security: news.Security{Market: market, Code: rest[at[4]:at[5]]}, Text: rest[at[6]:at[7]], In: in}
		p.From = len([]rune(b.String()))
		b.WriteString(p.Text)
		p.To = len([]rune(b.String()))
		if rest[at[0]] == '{' {
			l.want = append(l.want, p)
		} else {
			p.By = news.ByMark
			l.article.Marked = append(l.article.Marked, p)
			l.rev.Securities = append(l.rev.Securities, news.Mention{Security: p.Security, Name: p.Text, Count: 1})
		}
		rest = rest[at[1]:]
	}
	b.WriteString(rest)
	return b.String()
}

func newLabelled(day news.Day, title, text string) labelled {
	l := labelled{rev: news.Revision{Post: news.Post{Published: day.Time().Add(10 * time.Hour)}}}
	l.rev.Title = l.add(news.InTitle, title)
	l.article.Text = l.add(news.InText, text)
	l.article.Own = len(l.article.Text)
	return l
}

// readLabelled reads a file of labelled posts.
func readLabelled(t testing.TB, name string) []labelled {
	t.Helper()
	var posts []labelled
	for part := range strings.SplitSeq("\n"+withoutComments(t, name), "\n@") {
		day, rest, ok := strings.Cut(part, "\n")
		if !ok {
			continue
		}
		title, text, _ := strings.Cut(strings.TrimSpace(rest), "\n")
		posts = append(posts, newLabelled(dayOf(t, day), title, text))
	}
	return posts
}

func withoutComments(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(string(data), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
	return strings.Join(lines, "\n")
}

func dayOf(t testing.TB, s string) news.Day {
	t.Helper()
	at, err := time.ParseInLocation(time.DateOnly, s, news.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return news.DayOf(at)
}

// called is a line of names.txt.
type called struct {
	news.Security
	first, last news.Day
	posts       int
	name        string
}

func readNames(t testing.TB) []called {
	t.Helper()
	var list []called
	for line := range strings.SplitSeq(strings.TrimSpace(withoutComments(t, "names.txt")), "\n") {
		parts := strings.SplitN(line, " ", 5)
		s, err := news.ParseSecurity(parts[0])
		posts, err2 := strconv.Atoi(parts[3])
		if err != nil || err2 != nil {
			t.Fatalf("%q: %v, %v", line, err, err2)
		}
		list = append(list, called{s, dayOf(t, parts[1]), dayOf(t, parts[2]), posts, parts[4]})
	}
	return list
}

// gazetteerOf learns names as from so many posts, spread over the days.
func gazetteerOf(list []called) *Gazetteer {
	g := new(Gazetteer)
	for _, c := range list {
		days := int(c.last.Time().Sub(c.first.Time()) / (24 * time.Hour))
		for i := range c.posts {
			day := c.first.Add(days * i / max(1, c.posts-1))
			rev := news.Revision{Post: news.Post{Published: day.Time().Add(9 * time.Hour)}}
			rev.Securities = []news.Mention{{Security: c.Security, Name: c.name, Count: 1}}
			g.Learn(&rev)
		}
	}
	return g
}

// outcome counts places: those that are found and should be, those that should be,
// and those that are found.
type outcome struct{ right, want, found int }

func (o outcome) precision() float64 { return float64(o.right) / float64(max(1, o.found)) }
func (o outcome) recall() float64    { return float64(o.right) / float64(max(1, o.want)) }

func (o outcome) String() string {
	return fmt.Sprintf("precision %.4f, recall %.4f: %d places found, %d of %d that there are", o.precision(), o.recall(), o.found, o.right, o.want)
}

// judge holds what a finder finds against the labels, and calls tell with what is
// otherwise.
func judge(f *Finder, posts []labelled, tell func(post *labelled, what string, p news.Place)) outcome {
	var o outcome
	for i := range posts {
		post := &posts[i]
		got := f.Find(&post.rev, post.article)
		same := func(p news.Place) func(news.Place) bool {
			return func(q news.Place) bool {
				return p.Security == q.Security && p.In == q.In && p.From == q.From && p.To == q.To
			}
		}
		o.want, o.found = o.want+len(post.want), o.found+len(got)
		for _, p := range got {
			if slices.ContainsFunc(post.want, same(p)) {
				o.right++
			} else {
				tell(post, "wrong", p)
			}
		}
		for _, p := range post.want {
			if !slices.ContainsFunc(got, same(p)) {
				tell(post, "missed", p)
			}
		}
	}
	return o
}

// The bounds are a little below what is measured, see ARCHITECTURE.md.
func TestLabelledSet(t *testing.T) {
	f := gazetteerOf(readNames(t)).Finder()
	for _, test := range []struct {
		name              string
		posts             []labelled
		precision, recall float64
	}{
		{"hard cases, training", readLabelled(t, "train.txt"), 0.98, 0.98},
		{"hard cases, held out", readLabelled(t, "heldout.txt"), 0.93, 0.95},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := judge(f, test.posts, func(post *labelled, what string, p news.Place) {
				t.Logf("%s: %s %q %s %d-%d in %s of %q", what, p.Security, p.Text, p.By, p.From, p.To, p.In, cmp.Or(post.rev.Title, post.article.Text))
			})
			t.Log(o)
			if o.precision() < test.precision || o.recall() < test.recall {
				t.Errorf("%s: want %v and %v", o, test.precision, test.recall)
			}
		})
	}
}
