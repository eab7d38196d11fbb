//go:build unix

package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/search"
)

// asking draws queries from what stands in a mirror's posts.
type asking struct {
	*rand.Rand
	posts  []news.Post
	texts  []string        // plain, of each of the posts
	common []string        // words of two characters, those first that stand there most often
	after  map[rune][]rune // what follows a character, as often as it does
}

// newAsking looks at some of the first posts of a mirror.
func newAsking(m *mirror.Mirror, posts int) *asking {
	const sample = 400
	a := &asking{Rand: rand.New(rand.NewPCG(3, 4)), after: make(map[rune][]rune)}
	pairs := make(map[string]int)
	for range sample {
		p := m.Post(a.IntN(posts))
		text := page.Text(p.Body)
		a.posts, a.texts = append(a.posts, p), append(a.texts, text)
		for words := range strings.FieldsFuncSeq(text, func(r rune) bool { return !han(r) }) {
			runes := []rune(words)
			for i := range len(runes) - 1 {
				pairs[string(runes[i:i+2])]++
				a.after[runes[i]] = append(a.after[runes[i]], runes[i+1])
			}
		}
	}
	a.common = slices.SortedFunc(maps.Keys(pairs), func(x, y string) int {
		if n := pairs[y] - pairs[x]; n != 0 {
			return n
		}
		return strings.Compare(x, y)
	})
	return a
}

func han(r rune) bool    { return unicode.Is(unicode.Han, r) }
func latin(r rune) bool  { return r < 0x80 && unicode.IsLetter(r) }
func digit(r rune) bool  { return '0' <= r && r <= '9' }
func mark(r rune) bool   { return unicode.IsPunct(r) && r != '-' && inLine(r) }
func inLine(r rune) bool { return r != '\n' && !strings.ContainsRune("\"“”＂", r) }

func (a *asking) post() *news.Post { return &a.posts[a.IntN(len(a.posts))] }

// piece cuts so many characters, all of a kind, out of one of the texts.
func (a *asking) piece(n int, of func(rune) bool) string {
	for {
		text := []rune(a.texts[a.IntN(len(a.texts))])
		from := a.IntN(max(1, len(text)-n))
		cut := text[from:min(len(text), from+n)]
		if len(cut) == n && !slices.ContainsFunc(cut, func(r rune) bool { return !of(r) }) {
			return string(cut)
		}
	}
}

// often returns a word that very many posts have.
func (a *asking) often() string { return a.common[a.IntN(40)] }

// apart returns a phrase of which each two characters stand in many posts, and all
// of them one after the other in few or none.
func (a *asking) apart(n int) string {
	w := []rune(a.often())
	for len(w) < n {
		follows := a.after[w[len(w)-1]]
		if len(follows) == 0 {
			return a.apart(n)
		}
		w = append(w, follows[a.IntN(len(follows))])
	}
	return string(w)
}

func (a *asking) security() string {
	for {
		if p := a.post(); len(p.Securities) > 0 {
			return p.Securities[a.IntN(len(p.Securities))].Code
		}
	}
}

// queryKind is a kind of queries, and how one of them is drawn.
type queryKind struct {
	name string
	draw func(a *asking) string
}

// queryKinds are those that people ask, and those for which the index names many
// posts that are no hits.
func queryKinds() []queryKind {
	traditional := strings.NewReplacer("发", "發", "机", "機", "场", "場", "证", "證", "银", "銀", "业", "業", "国", "國", "际", "際",
		"经", "經", "济", "濟", "报", "報", "价", "價", "涨", "漲", "资", "資", "产", "產", "亿", "億", "电", "電", "财", "財")
	return []queryKind{
		{"one", func(a *asking) string { return a.piece(1, han) }},
		{"two", func(a *asking) string { return a.piece(2, han) }},
		{"traditional", func(a *asking) string { return traditional.Replace(a.piece(2, han)) }},
		{"latin", func(a *asking) string { return a.piece(1+a.IntN(4), latin) }},
		{"digits", func(a *asking) string { return a.piece(1+a.IntN(3), digit) }},
		{"number", func(a *asking) string { return fmt.Sprintf("%d.%02d%%", a.IntN(100), a.IntN(100)) }},
		{"mark", func(a *asking) string { return a.piece(1, mark) }},
		{"across-mark", func(a *asking) string { return a.piece(1, han) + a.piece(1, mark) + a.piece(1, han) }},
		{"phrase", func(a *asking) string { return `"` + a.piece(3+a.IntN(6), han) + `"` }},
		{"phrase-mixed", func(a *asking) string { return `"` + a.piece(3+a.IntN(4), inLine) + `"` }},
		{"apart-3", func(a *asking) string { return a.apart(3) }},
		{"apart-5", func(a *asking) string { return a.apart(5) }},
		{"many", func(a *asking) string { return a.often() + " " + a.often() + " " + a.piece(2, han) }},
		{"rare", func(a *asking) string { return a.often() + " " + a.piece(4, han) }},
		{"without", func(a *asking) string { return a.piece(2, han) + " -" + a.often() }},
		{"without-phrase", func(a *asking) string { return a.often() + " -" + a.piece(2, han) + " -" + a.piece(3, han) }},
		{"without-mark", func(a *asking) string { return a.often() + " -。" }}, // nothing, which no term tells
		{"title", func(a *asking) string { return "title:" + a.piece(2, han) }},
		{"title-apart", func(a *asking) string { return "title:" + a.apart(4) }},
		{"category", func(a *asking) string { return "category:" + a.post().Categories()[0] + " " + a.piece(2, han) }},
		{"security", func(a *asking) string { return "security:" + a.security() + " " + a.piece(2, han) }},
		{"security-apart", func(a *asking) string { return "security:" + a.security() + " " + a.apart(3) }},
		{"day", func(a *asking) string {
			day := a.post().Day().String()
			return a.piece(2, han) + " from:" + day + " to:" + day
		}},
	}
}

// asked is what queries of a kind cost.
type asked struct {
	took, cpu []time.Duration
	vain      []int // texts that were read and are none of a hit
	short     int   // pages with fewer hits than wanted, though there may be more
}

func (k *asked) add(o *asked) {
	k.took, k.cpu, k.vain, k.short = append(k.took, o.took...), append(k.cpu, o.cpu...), append(k.vain, o.vain...), k.short+o.short
}

func (k *asked) report(b *testing.B) {
	at := func(d []time.Duration, percent int) float64 { return milliseconds(d[(len(d)-1)*percent/100]) }
	slices.Sort(k.took)
	slices.Sort(k.cpu)
	sum := 0
	for _, n := range k.vain {
		sum += n
	}
	b.ReportMetric(0, "ns/op") // there is nothing that is done b.N times
	b.ReportMetric(at(k.took, 50), "p50-ms")
	b.ReportMetric(at(k.took, 99), "p99-ms")
	b.ReportMetric(at(k.took, 100), "max-ms")
	b.ReportMetric(at(k.cpu, 50), "p50-cpu-ms")
	b.ReportMetric(at(k.cpu, 99), "p99-cpu-ms")
	b.ReportMetric(at(k.cpu, 100), "max-cpu-ms")
	b.ReportMetric(float64(sum)/float64(len(k.vain)), "vain")
	b.ReportMetric(float64(slices.Max(k.vain)), "max-vain")
	b.ReportMetric(100*float64(k.short)/float64(len(k.took)), "short-%")
}

// storied is an archive of which each five posts in a row are said to be one story,
// as a generated archive has none. It counts the texts that are read.
type storied struct {
	*archive.Archive
	mirror *mirror.Mirror
	seqs   map[news.ID]uint64 // of the posts that were read
	texts  int
}

const storyPosts = 5

func (s *storied) Posts(ctx context.Context, ids []news.ID) ([]news.Revision, error) {
	s.texts += len(ids)
	revs, err := s.Archive.Posts(ctx, ids)
	for i := range revs {
		revs[i].Story = fmt.Sprint((revs[i].Seq - 1) / storyPosts)
		s.seqs[revs[i].ID] = revs[i].Seq
	}
	return revs, err
}

func (s *storied) Story(ctx context.Context, id news.ID) ([]news.Revision, error) {
	first := int(s.seqs[id]-1) / storyPosts * storyPosts
	story := make([]news.Revision, 0, storyPosts)
	for i := range storyPosts {
		story = append(story, news.Revision{Post: s.mirror.Post(first + i)})
	}
	_, err := s.Archive.Story(ctx, id) // takes its time
	return story, err
}

// BenchmarkSearchQueries shows what a first page of ten hits costs, warm, in the
// archive of [BenchmarkSearch]: by kind of query, forty of each, in both orders, and
// of all kinds together; and likewise with stories folded, where every post is of one,
// the worst there is, as the posts of these stories seldom have the same words.
//
//	p50-ms, p99-ms, max-ms  by the clock, and
//	…-cpu-ms  of processor time of the whole process, which hears less of other load
//	vain      texts that were read and are none of a hit
//	short-%   pages that ended early, with fewer hits than wanted
func BenchmarkSearchQueries(b *testing.B) {
	posts := 100_000
	if testing.Short() {
		posts = 10_000
	}
	g := grow(b, posts)
	arc, err := archive.Open(b.Context(), g.path)
	if err != nil {
		b.Fatal(err)
	}
	x := search.Open(g.path+".search", page.Text)
	defer x.Close()
	if _, err := x.Update(b.Context(), arc, search.Options{}); err != nil {
		b.Fatal(err)
	}
	for _, fold := range []bool{false, true} {
		a, all := newAsking(g.mirror, posts), &asked{}
		for _, kind := range queryKinds() {
			k := &asked{}
			for range 40 {
				k.ask(b, x, arc, g.mirror, search.Query{Text: kind.draw(a), Limit: 10, Fold: fold})
			}
			all.add(k)
			if !fold {
				b.Run(kind.name, k.report)
			}
		}
		b.Run(fmt.Sprintf("all,fold=%t", fold), all.report)
	}
}

// ask asks one query in both orders.
func (k *asked) ask(b *testing.B, x *search.Index, arc *archive.Archive, m *mirror.Mirror, q search.Query) {
	b.Helper()
	for _, q.Sort = range []search.Sort{search.ByTime, search.ByRelevance} {
		s := &storied{Archive: arc, mirror: m, seqs: make(map[news.ID]uint64)}
		began, cpu := time.Now(), processorTime(b)
		p, err := x.Search(b.Context(), s, q)
		if err != nil {
			b.Fatalf("%s: %v", q.Text, err)
		}
		k.took, k.cpu = append(k.took, time.Since(began)), append(k.cpu, processorTime(b)-cpu)
		k.vain = append(k.vain, s.texts-len(p.Hits))
		if p.Next != "" && len(p.Hits) < q.Limit {
			k.short++
		}
	}
}
