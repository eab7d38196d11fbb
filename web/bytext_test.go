package web_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/search"
	"github.com/finarc/finarc/web"
)

// indexed searches a real index, as finarc serve does, but for the passages.
type indexed struct {
	*search.Index
	archive *archive.Archive
}

func (x indexed) Search(ctx context.Context, q web.Query) (web.Hits, error) {
	sort := search.ByRelevance
	if q.ByTime {
		sort = search.ByTime
	}
	found, err := x.Index.Search(ctx, x.archive, search.Query{Text: q.Words, Sort: sort, After: q.After, Limit: q.Limit})
	var wrong *search.QueryError
	if errors.As(err, &wrong) || errors.Is(err, search.ErrCursor) {
		return web.Hits{}, fmt.Errorf("%w: %w", web.ErrQuery, err)
	}
	hits := web.Hits{Next: found.Next}
	for _, h := range found.Hits {
		hits.Hits = append(hits.Hits, web.Hit{Post: h.Post, Title: []web.Passage{{Text: h.Title.Text}}, Passage: []web.Passage{{Text: h.Passage.Text}}})
	}
	return hits, err
}

// newIndexedSite serves with a real index, of what the mirror has and some posts more.
func newIndexedSite(t testing.TB, more ...news.Captured) *site {
	t.Helper()
	s := newSite(t, nil)
	if _, err := s.archive.Commit(t.Context(), &news.Batch{Posts: more}); err != nil {
		t.Fatal(err)
	}
	x := search.Open(filepath.Join(t.TempDir(), "index"), page.Text)
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := x.Update(t.Context(), s.archive, search.Options{}); err != nil {
		t.Fatal(err)
	}
	s.Server = serve(t, s.archive, func(o *web.Options) { o.Search = indexed{x, s.archive} })
	return s
}

// juhua is a security that no post of the mirror names.
var juhua = news.Security{Market: 1, Code: "600789"}

// about returns the number-th of some posts, which come after those of the mirror.
func about(number int, title, body string, marks ...news.Mention) news.Captured {
	code := news.InfoCode(fmt.Sprintf("NW20211222222239%04d", number))
	p := news.Post{
		ID: code.ID(), InfoCode: code, Title: title, Published: newest.Add(time.Duration(number) * time.Second),
		Category: "21caijing", Tag: "21财经新闻", Outlet: "21财经", Body: body, Securities: marks,
	}
	return news.Captured{Post: p, Capture: news.Capture{
		URL: "http://mirror.example/" + string(code) + ".html", Status: http.StatusOK, Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {"text/html"}},
		Fetched: newest.Add(time.Minute), Mode: news.ModeLive, Mirror: "m", Kind: news.KindPost, Body: []byte(body),
	}}
}

// named returns posts that mark a security, that name it without a mark, and that
// only have its name.
func named() (marked, byText, not []news.Captured) {
	mark := news.Mention{Security: juhua, Name: "衢州巨化", Count: 1}
	for i := range 3 {
		marked = append(marked, about(i, "制冷剂涨价", `<p><a class="keytip" data-code="1,600789" href="http://quote.eastmoney.com/unify/r/1.600789">衢州巨化</a>涨停。</p>`, mark))
	}
	byText = []news.Captured{
		about(10, "衢州巨化发布公告", "<p>公司昨日公告。</p>"),
		about(11, "公告一则", "<p>该公司（600789.SH）昨日公告。</p>"),
		about(12, "又一则", "<p>衢州巨化（600789）股价上涨，衢州巨化称不知原因。</p>"),
	}
	not = []news.Captured{
		about(20, "另一则", `<p>今日无事。</p><h3 class="emh3">相关报道</h3><p>衢州巨化涨停</p>`),
		about(21, "第三则", "<p>共有 600789 人参加。</p>"),
	}
	return marked, byText, not
}

// TestByText: the page of a security, and the API, tell of posts that name it and do
// not mark it, and of none that only have its name.
func TestByText(t *testing.T) {
	marked, byText, not := named()
	s := newIndexedSite(t, slices.Concat(marked, byText, not)...)
	answer := ask(t, s.Server, "/api/securities/"+juhua.String())
	newAPIJudge(t).judge(t, answer)
	got := decoded[struct {
		Posts  int `json:"posts"`
		ByText struct {
			Posts []struct {
				ID     news.ID `json:"id"`
				Places []news.Place
			}
			Searched, All bool
		} `json:"by_text"`
	}](t, answer)
	if got.Posts != len(marked) || !got.ByText.Searched || !got.ByText.All || len(got.ByText.Posts) != len(byText) {
		t.Fatalf("got %+v", got)
	}
	body := ask(t, s.Server, "/security/"+juhua.String(), "Accept-Language", "zh").body
	_, section, ok := strings.Cut(body, `id="by-text"`)
	section, _, _ = strings.Cut(section, "</section>")
	if !ok || strings.Count(section, "正文识别 ") != len(byText) {
		t.Errorf("the page tells %s", section)
	}
	for i, p := range slices.Backward(byText) {
		if id := got.ByText.Posts[len(byText)-1-i].ID; id != p.Post.ID {
			t.Errorf("post %d is %s, want %s", len(byText)-1-i, id, p.Post.ID)
		}
		if !strings.Contains(section, `href="/post/`+string(p.Post.ID)+`"`) {
			t.Errorf("the page lacks %s", p.Post.Title)
		}
	}
	for _, p := range not {
		if strings.Contains(body, string(p.Post.ID)) {
			t.Errorf("the page has %s", p.Post.Title)
		}
	}
	if got := ask(t, s.Server, "/security/"+juhua.Code, "Accept-Language", "en"); !strings.Contains(got.body, "found by text") {
		t.Error("by the code alone, nothing is found by text")
	}
}

// late has no index yet when it is asked first, and then finds nothing.
type late struct{ asked int }

func (l *late) Search(context.Context, web.Query) (web.Hits, error) {
	if l.asked++; l.asked == 1 {
		return web.Hits{}, web.ErrNoIndex
	}
	return web.Hits{Behind: 1}, nil
}

// TestByTextOnceThereIsAnIndex: that there is no index is not kept, and with one that
// lags nobody says that these are all.
func TestByTextOnceThereIsAnIndex(t *testing.T) {
	marked, _, _ := named()
	s := newSite(t, nil)
	if _, err := s.archive.Commit(t.Context(), &news.Batch{Posts: marked}); err != nil {
		t.Fatal(err)
	}
	s.Server = serve(t, s.archive, func(o *web.Options) { o.Search = new(late) })
	if page := ask(t, s.Server, "/security/"+juhua.String()); !strings.Contains(page.body, "finarc search --rebuild") {
		t.Errorf("the page does not tell how to get an index: %s", page.body)
	}
	got := decoded[struct {
		ByText struct{ Searched, All bool } `json:"by_text"`
	}](t, ask(t, s.Server, "/api/securities/"+juhua.String()))
	if !got.ByText.Searched || got.ByText.All {
		t.Errorf("with one: %+v", got)
	}
}

// TestByTextHostile: whatever pages call a security, its page is there.
func TestByTextHostile(t *testing.T) {
	for i, name := range []string{``, `"`, `x" -title:"y`, `“”`, strings.Repeat("长", 100), "-", " "} {
		of := news.Security{Market: 1, Code: fmt.Sprintf("60078%d", i)}
		s := newIndexedSite(t, about(i, "x", "<p>x</p>", news.Mention{Security: of, Name: name, Count: 1}))
		if got := ask(t, s.Server, "/security/"+of.String()); got.StatusCode != http.StatusOK {
			t.Errorf("%q: status %d", name, got.StatusCode)
		}
	}
}

// TestByTextBounded: of many posts the newest five are read, and the page says that
// there may be more.
func TestByTextBounded(t *testing.T) {
	marked, _, _ := named()
	for i := range 15 {
		marked = append(marked, about(30+i, "衢州巨化发布公告", fmt.Sprintf("<p>公司公告第 %d 号。</p>", i)))
	}
	s := newIndexedSite(t, marked...)
	body := ask(t, s.Server, "/security/"+juhua.String(), "Accept-Language", "en").body
	if n := strings.Count(body, `>found by text <`); n != 5 || !strings.Contains(body, "search for older ones") {
		t.Errorf("%d posts are told", n)
	}
}

// TestSearchAPI: the API finds by the index what stands in the archive's posts, page
// by page, each once.
func TestSearchAPI(t *testing.T) {
	s := newIndexedSite(t)
	judge := newAPIJudge(t)
	for _, words := range []string{string([]rune(s.posts[0].Title)[:2]), "公司", "没有这样的词", s.posts[7].Title} {
		var want, got []news.ID
		for rev, err := range s.archive.Select(t.Context(), archive.Selection{Body: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(rev.Title+"\n"+page.Text(rev.Body), words) {
				want = append(want, rev.ID)
			}
		}
		for path := "/api/search?sort=time&limit=7&q=" + url.QueryEscape(words); path != ""; {
			answer := ask(t, s.Server, path)
			judge.judge(t, answer)
			list := decoded[struct {
				Hits []jsonform.Revision
				Next string
			}](t, answer)
			for _, h := range list.Hits {
				got = append(got, h.ID)
			}
			if path = ""; list.Next != "" {
				path = "/api/search?sort=time&limit=7&q=" + url.QueryEscape(words) + "&cursor=" + url.QueryEscape(list.Next)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", words, got, want)
		}
	}
	for _, query := range []string{url.QueryEscape(`"open`), "x&cursor=nonesuch"} {
		answer := ask(t, s.Server, "/api/search?q="+query)
		if judge.judge(t, answer); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d", html.EscapeString(query), answer.StatusCode)
		}
	}
}
