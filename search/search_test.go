package search_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/search"
)

// memory is an archive in memory: each change is a revision.
type memory struct {
	mark    string
	changes []news.Revision
	held    map[news.ID]news.Revision // the newest of each post
	stories map[string][]news.ID
}

func (m *memory) commit(posts ...news.Post) {
	for _, p := range posts {
		rev := news.Revision{Post: p, Seq: uint64(len(m.changes) + 1), Mirror: "local"}
		for story, ids := range m.stories {
			if slices.Contains(ids, p.ID) {
				rev.Story = story
			}
		}
		m.changes = append(m.changes, rev)
		if m.held == nil {
			m.held = make(map[news.ID]news.Revision)
		}
		m.held[p.ID] = rev
	}
}

func (m *memory) Mark(_ context.Context, seq uint64) (string, uint64, error) {
	last := uint64(len(m.changes))
	if seq > last {
		return "", last, nil
	}
	if seq == 0 {
		return m.mark, last, nil
	}
	return m.mark + string(m.changes[seq-1].ID) + m.changes[seq-1].Title, last, nil
}

// newest returns the newest revisions up to a change, in order.
func (m *memory) newest(after, upTo uint64) []news.Revision {
	at := make(map[news.ID]uint64)
	for _, rev := range m.changes[:upTo] {
		at[rev.ID] = rev.Seq
	}
	var revs []news.Revision
	for _, rev := range m.changes[after:upTo] {
		if at[rev.ID] == rev.Seq {
			revs = append(revs, rev)
		}
	}
	return revs
}

func (m *memory) Changes(_ context.Context, after, upTo uint64) iter.Seq2[news.Revision, error] {
	return each(m.newest(after, upTo))
}

func (m *memory) All(_ context.Context, upTo uint64) iter.Seq2[news.Revision, error] {
	revs := m.newest(0, upTo)
	slices.SortStableFunc(revs, func(a, b news.Revision) int { return a.Place().Compare(b.Place()) })
	return each(revs)
}

func each(revs []news.Revision) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		for _, rev := range revs {
			if !yield(rev, nil) {
				return
			}
		}
	}
}

func (m *memory) Posts(_ context.Context, ids []news.ID) ([]news.Revision, error) {
	var revs []news.Revision
	for _, id := range ids {
		if rev, held := m.held[id]; held {
			revs = append(revs, rev)
		}
	}
	return revs, nil
}

func (m *memory) Story(ctx context.Context, id news.ID) ([]news.Revision, error) {
	for _, ids := range m.stories {
		if slices.Contains(ids, id) {
			return m.Posts(ctx, ids)
		}
	}
	return m.Posts(ctx, []news.ID{id})
}

// indexOf makes an index of an archive.
func indexOf(t testing.TB, m *memory) *search.Index {
	t.Helper()
	x := search.Open(filepath.Join(t.TempDir(), "news.db.search"), page.Text)
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	update(t, x, m)
	return x
}

func update(t testing.TB, x *search.Index, m *memory) search.Updated {
	t.Helper()
	u, err := x.Update(t.Context(), m, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// find returns all that a query finds, page by page.
func find(t testing.TB, x *search.Index, m *memory, q search.Query) []search.Hit {
	t.Helper()
	var hits []search.Hit
	for pages := 0; ; pages++ {
		p, err := x.Search(t.Context(), m, q)
		if err != nil {
			t.Fatalf("%q: %v", q.Text, err)
		}
		hits = append(hits, p.Hits...)
		if q.After = p.Next; p.Next == "" {
			return hits
		}
		if pages > 10_000 {
			t.Fatalf("%q: no end of pages", q.Text)
		}
	}
}

// found names the posts that a query finds, as letters are given to them.
func found(t testing.TB, x *search.Index, m *memory, q search.Query) string {
	t.Helper()
	var names strings.Builder
	for _, h := range find(t, x, m, q) {
		names.WriteString(h.Post.Title[:1])
	}
	return names.String()
}

// published is when the post with a number was published in small archives.
func published(n int) time.Time {
	return time.Date(2021, 12, 20, 9, 0, 0, 0, news.Shanghai).Add(time.Duration(n) * 5 * time.Hour)
}

// post makes a small post. Its title begins with the letter by which tests know it.
func post(n int, title, body string) news.Post {
	code := news.InfoCode(fmt.Sprintf("NW20211220%010d", n))
	return news.Post{
		ID: code.ID(), InfoCode: code, Published: published(n), Title: string(rune('a'+n)) + " " + title,
		Body: "<p>" + strings.ReplaceAll(body, "\n", "</p><p>") + "</p>",
	}
}

func TestQueries(t *testing.T) {
	m := &memory{}
	withNames := post(4, "白酒板块走强", "贵州茅台领涨。")
	withNames.Category, withNames.Tag = "21shijijingjibaodao 21caijingAPP", "21财经新闻"
	withNames.Securities = []news.Mention{{Security: news.Security{Market: 1, Code: "600519"}}}
	m.commit(
		post(0, "阿里云被暂停合作", "Apache Log4j2组件存在漏洞，阿里云未及时报告。\n5G与ETF（510300）"),
		post(1, "上海机场公告", "上海机场(600009)与巨化股份（600160）；跌幅5.12%"),
		post(2, "臺灣股市", "臺積電發展迅速，頭髮"),
		post(3, "全角测试", "ＥＴＦ基金６００１６０涨，Wall Street 收高"),
		withNames,
		post(5, "三次", "原油。原油！原油"),
		post(6, "一次", "原油"),
		post(7, "原油在题", "别的"),
	)
	x := indexOf(t, m)
	for _, c := range []struct{ query, time string }{
		{"阿里", "a"}, {"薇", ""}, {"云", "a"}, {"阿里云", "a"}, {"阿云", ""},
		{"og4", "a"}, {"LOG4J2", "a"}, {"log4j", "a"}, {"etf", "da"}, {"ＥＴＦ", "da"}, {"5g", "a"},
		{"600160", "db"}, {"0160", "db"}, {"60", "db"}, {"6", "db"}, {"016", "db"}, {"6001600", ""}, {"160涨", "d"},
		{"台湾", "c"}, {"臺灣", "c"}, {"台积电发展", "c"}, {"头发", "c"}, {"頭發", "c"},
		{"5.12%", "b"}, {"512", ""}, {"机场(600009)", "b"}, {"机场（６０", "b"}, {"机场600009", ""},
		{"wallstreet", "d"}, {`"wall street"`, "d"}, {"“Wall　Street”", "d"},
		{"未及时报告5G", ""}, {"原油", "hgf"}, {"原油 -一次", "hf"}, {"原油 -“在题”", "gf"}, {"原油 －title:原油", "gf"},
		{"title:原油", "h"}, {"title：“上海机场”", "b"}, {"阿里云 漏洞", "a"}, {"阿里云 茅台", ""},
		{"category:21caijingapp", "e"}, {`category:"21shijijingjibaodao 21caijingAPP"`, "e"}, {"category:caijing", ""},
		{"tag:21財經新聞", "e"}, {"security:600519", "e"}, {"security:1.600519 茅台", "e"}, {"security:0.600519", ""},
		{"mirror:local 原油 -一次", "hf"}, {"mirror:local -category:21caijingAPP", "hgfdcba"}, {"mirror:other", ""},
		{"原油 from:2021-12-21", "hgf"}, {"mirror:local to:2021-12-20", "cba"}, {"mirror:local from:20211221 to:2021-12-21", "hgfed"},
		{"、", ""}, {"。", "fea"}, {"：", ""}, {"；跌", "b"}, {"http://x", ""}, {"-原油 mirror:local", "edcba"},
	} {
		if got := found(t, x, m, search.Query{Text: c.query, Sort: search.ByTime}); got != c.time {
			t.Errorf("%s: found %q, want %q", c.query, got, c.time)
		}
		if got := found(t, x, m, search.Query{Text: c.query, Limit: 1}); sorted(got) != sorted(c.time) {
			t.Errorf("%s: by relevance found %q, want %q", c.query, got, c.time)
		}
	}
	if got := found(t, x, m, search.Query{Text: "原油"}); got != "hfg" {
		t.Errorf("by relevance: %q, want hfg: in the title, often, once", got)
	}
	given := search.Query{Text: "茅台", Category: "21caijingAPP", Tag: "21财经新闻", Security: "600519", Mirror: "local", From: 20211221, To: 20211221}
	if got := found(t, x, m, given); got != "e" {
		t.Errorf("conditions beside the text: %q, want e", got)
	}
}

func sorted(s string) string {
	letters := strings.Split(s, "")
	slices.Sort(letters)
	return strings.Join(letters, "")
}

func TestQueriesThatMeanNothing(t *testing.T) {
	x := indexOf(t, &memory{})
	for _, c := range []struct{ query, says string }{
		{"", "character 1: there is no word to look for"},
		{"-原油", "character 1: there is no word to look for"},
		{"from:2021-12-22", "character 1: there is no word to look for"},
		{`原油 "上涨`, "character 4: the quotation mark is not closed"},
		{`原油 ""`, "character 4: there is no word"},
		{"原油 -", "character 5: there is no word"},
		{"title:", "character 7: there is no word"},
		{"原油 from:yesterday", `character 4: "yesterday" is not a day: want 2021-12-22 or 20211222`},
		{"原油 -to:2021-12-22", "character 4: a day has no minus: want from:DAY or to:DAY"},
		{"原油 from:2021-12-22 to:2021-12-21", "character 1: from 2021-12-22 is after to 2021-12-21"},
		{strings.Repeat("油 ", 33), "character 65: more than 32 words"},
		{strings.Repeat("油", 667), "character 1: the query has 2001 bytes, want at most 2000"},
	} {
		_, err := x.Search(t.Context(), &memory{}, search.Query{Text: c.query})
		if wrong := new(search.QueryError); !errors.As(err, &wrong) || err.Error() != c.says {
			t.Errorf("%.20q: %v, want %s", c.query, err, c.says)
		}
	}
	for _, cursor := range []string{"?", "AAAA", "OTkuMS54"} {
		if _, err := x.Search(t.Context(), &memory{}, search.Query{Text: "油", After: cursor}); !errors.Is(err, search.ErrCursor) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

// TestSubstrings holds what is found against a look through all texts, for what
// stands in generated posts, in parts of that, and in neither.
func TestSubstrings(t *testing.T) {
	const posts, queries = 200, 250
	m := &memory{}
	world, err := mirror.New(mirror.Options{Posts: posts, Categories: 20, Seed: 7, Base: "http://mirror.example"})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, i := range rng.Perm(posts) {
		p := world.Post(i)
		switch i % 3 {
		case 0:
			p.Title, p.Body = inOtherScript(p.Title), inOtherScript(p.Body)
		case 1:
			p.Title = wide(p.Title)
		}
		m.commit(p)
	}
	x := indexOf(t, m)
	found := 0
	for range queries {
		q := randomQuery(rng, m)
		if strings.TrimFunc(q, func(r rune) bool { return r <= ' ' || r == '\u3000' }) == "" {
			continue
		}
		want := scan(m, q)
		var got []string
		for _, h := range find(t, x, m, search.Query{Text: `"` + q + `"`, Sort: search.ByTime, Limit: 100}) {
			got = append(got, string(h.Post.ID))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%q: found %d, want %d:\n%v\n%v", q, len(got), len(want), got, want)
		}
		found += len(got)
	}
	if found < queries {
		t.Errorf("%d hits of %d queries: they are of no use", found, queries)
	}
}

// randomQuery cuts a piece out of a post, and changes it perhaps.
func randomQuery(rng *rand.Rand, m *memory) string {
	rev := &m.changes[rng.IntN(len(m.changes))]
	text := []rune(rev.Title)
	if rng.IntN(4) > 0 {
		lines := strings.Split(page.Text(rev.Body), "\n")
		text = []rune(lines[rng.IntN(len(lines))])
	}
	if len(text) == 0 {
		return ""
	}
	from := rng.IntN(len(text))
	piece := text[from:min(len(text), from+1+rng.IntN(1+rng.IntN(12)))]
	q := strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"＂“”", r) {
			return -1
		}
		return r
	}, string(piece))
	switch rng.IntN(6) {
	case 0:
		return inOtherScript(q)
	case 1:
		return wide(q)
	case 2:
		return strings.ToUpper(q)
	case 3:
		if r := []rune(q); len(r) > 1 { // most likely nowhere
			slices.Reverse(r)
			return string(r)
		}
	}
	return q
}

// scripts are some characters in simplified and traditional form. The test has
// its own, so that it does not ask the table that it tests.
const scripts = "发發机機场場股股证證券券银銀行行业業国國际際经經济濟报報价價涨漲资資产產万萬亿億电電车車华華财財"

func inOtherScript(s string) string {
	pairs := []rune(scripts)
	return strings.Map(func(r rune) rune {
		if i := slices.Index(pairs, r); i >= 0 {
			return pairs[i^1]
		}
		return r
	}, s)
}

func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xFEE0
		}
		return r
	}, s)
}

// plain brings a text into one form: the test's own.
func plain(s string) string {
	pairs := []rune(scripts)
	return strings.Map(func(r rune) rune {
		if i := slices.Index(pairs, r); i >= 0 {
			r = pairs[i&^1]
		}
		switch {
		case r >= '！' && r <= '～':
			r -= 0xFEE0
		case r == ' ' || r == '\u3000' || r == '\u00a0' || r == '\t':
			return -1
		}
		return []rune(strings.ToLower(string(r)))[0]
	}, s)
}

// scan looks through all texts.
func scan(m *memory, q string) []string {
	var ids []string
	for _, rev := range m.newest(0, uint64(len(m.changes))) {
		if strings.Contains(plain(rev.Title), plain(q)) || strings.Contains(plain(page.Text(rev.Body)), plain(q)) {
			ids = append(ids, string(rev.ID))
		}
	}
	slices.Sort(ids)
	return ids
}
