package web_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/web"
	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
)

// apiJudge holds requests and answers against the description of the API.
type apiJudge struct{ validator.Validator }

func newAPIJudge(t testing.TB) apiJudge {
	t.Helper()
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(document, config.WithFormatAssertions())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		t.Fatalf("the description is none: %v", errs)
	}
	return apiJudge{v}
}

// judge holds an answer against the description, and unless it is a refusal the
// request too.
func (j apiJudge) judge(t testing.TB, got answered) {
	t.Helper()
	answer := *got.Response
	answer.Body = io.NopCloser(strings.NewReader(got.body))
	ok, errs := j.ValidateHttpResponse(got.Request, &answer)
	for _, err := range errs {
		t.Errorf("%s: answer: %s: %s %v", got.Request.URL, err.Message, err.Reason, err.SchemaValidationErrors)
	}
	if !ok || got.StatusCode >= 400 {
		return
	}
	_, errs = j.ValidateHttpRequest(got.Request)
	for _, err := range errs {
		t.Errorf("%s: request: %s: %s", got.Request.URL, err.Message, err.Reason)
	}
}

// decoded returns an answer's JSON as a value.
func decoded[T any](t testing.TB, got answered) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(got.body), &v); err != nil {
		t.Fatalf("%s: %v", got.Request.URL, err)
	}
	return v
}

// heldSearch finds what plainSearch does, as the archive holds it.
type heldSearch struct {
	plainSearch
	archive *archive.Archive
}

func (h heldSearch) Search(ctx context.Context, q web.Query) (web.Hits, error) {
	found, err := h.plainSearch.Search(ctx, q)
	for i := range found.Hits {
		held, err := h.archive.Briefly(ctx, []news.ID{found.Hits[i].Post.ID})
		if err != nil {
			return found, err
		}
		found.Hits[i].Post = held[0]
	}
	return found, err
}

// withSearch lets the server find the posts of the built-in mirror.
func withSearch(s **site) func(*web.Options) {
	return func(o *web.Options) {
		o.Search = heldSearch{plainSearch{(*s).posts}, (*s).archive}
		o.Mirrors = []web.Mirror{{Name: "m", Share: "http://share.example/?infoCode={infoCode}", Text: "http://share.example/text?id={infoCode}"}}
	}
}

// newAPISite serves with a search.
func newAPISite(t testing.TB) *site {
	s := newSite(t, nil)
	s.Server = serve(t, s.archive, withSearch(&s))
	return s
}

// TestAPI: each address answers as the description says, what it is asked wrongly
// too.
func TestAPI(t *testing.T) {
	s := newAPISite(t)
	if _, err := s.archive.FindStories(t.Context(), archive.FindOptions{}); err != nil {
		t.Fatal(err)
	}
	judge := newAPIJudge(t)
	last := s.posts[len(s.posts)-1]
	post := "/api/posts/" + string(last.InfoCode)
	security := ""
	for _, p := range s.posts {
		if len(p.Securities) > 0 {
			security = p.Securities[0].String()
		}
	}
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/api/posts", 200, string(last.ID)},
		{"/api/posts?from=2021-12-21&to=2021-12-22&limit=3&category=" + url.QueryEscape(last.Category), 200, `"next":`},
		{"/api/posts?security=" + security + "&mirror=m", 200, `"tradable_at":`},
		{"/api/posts?tag=nonesuch", 200, `{"posts":[]}`},
		{"/api/posts?as_of=2021-12-22T02:38:20Z", 200, `"revision":1`},
		{"/api/posts?as_of=2021-12-21", 200, `{"posts":[]}`},
		{"/api/posts?limit=0", 400, "want a number from 1 to 200"},
		{"/api/posts?limit=201", 400, "want a number from 1 to 200"},
		{"/api/posts?from=2021-12-22&to=2021-12-21", 400, "from is after to"},
		{"/api/posts?from=yesterday", 400, "want a day"},
		{"/api/posts?as_of=2021-12-22T10:00:00+08:00", 400, "%2B"},
		{"/api/posts?cursor=nonsense", 400, "is none that this list has given"},
		{"/api/posts?offset=50", 400, `\"offset\" is no parameter here`},
		{"/api/posts?tag=a&tag=b", 400, "given twice"},
		{"/api/posts?tag=%zz", 400, "invalid URL escape"},
		{post, 200, `"newest":true`},
		{post + "?revision=1&include=body,text,html", 200, `"newest":false`},
		{post + "?revision=3", 404, "no such revision"},
		{post + "?revision=x", 400, "no revision's number"},
		{post + "?include=everything", 400, "body, text, html"},
		{"/api/posts/NW202112222222999999", 404, "does not hold this post"},
		{"/api/posts/nonsense", 400, "names no post"},
		{post + "/revisions", 200, `"text_sha256":`},
		{post + "/diff", 200, `"kind":"added"`},
		{post + "/diff?a=2&b=1", 200, `"kind":"deleted"`},
		{post + "/diff?a=9", 404, "no such revision"},
		{"/api/posts/" + string(s.posts[50].ID) + "/diff", 200, `"revisions":1`},
		{post + "/story", 200, `"last_lag_seconds":0`},
		{"/api/posts/nonsense/story", 400, "names no post"},
		{"/api/days/2021-12-22", 200, `"trading":true`},
		{"/api/days/2021-10-01", 200, `"holiday":`},
		{"/api/days/someday", 400, "someday"},
		{"/api/categories?limit=2", 200, `"next":`},
		{"/api/categories?q=" + url.QueryEscape(last.Outlet), 200, last.Category},
		{"/api/categories?cursor=cA", 400, "is none"},
		{"/api/categories/" + url.PathEscape(last.Category), 200, `"days":[{"day":"2021-12-2`},
		{"/api/categories/nonesuch", 404, "no post of this outlet"},
		{"/api/securities?from=2021-12-20&to=2021-12-22", 200, `"posts":`},
		{"/api/securities", 200, `"from":"2021-12-22"`},
		{"/api/securities?from=2021-01-01&to=2021-12-22", 400, "at most 31 days"},
		{"/api/securities/" + security, 200, `"named_with":`},
		{"/api/securities/1.999999", 404, "names this security"},
		{"/api/search?q=" + url.QueryEscape(last.Title), 200, `"marked":true`},
		{"/api/search?q=%22", 400, "a quote is not closed"},
		{"/api/search?sort=time", 400, "1 to 200 characters"},
		{"/api/search?q=a&sort=worst", 400, "best or time"},
		{"/api/search?q=a&limit=51", 400, "from 1 to 50"},
		{"/api/coverage", 200, `"by":"category"`},
		{"/api/coverage?by=hour&from=2021-12-20", 200, `"judged":`},
		{"/api/coverage?by=week", 400, "category or outlet or hour"},
		{"/api/runs?limit=1", 200, `"next":`},
		{"/api/runs?cursor=cjA", 400, "has given"},
		{"/api/runs/1", 200, `"discovered":120`},
		{"/api/runs/9", 404, "no such run"},
		{"/api/stats", 200, `"posts":120`},
		{"/api/stats?as_of=2021-12-21&from=2021-12-20", 200, `"posts":0`},
		{"/api/openapi.json", 200, `"openapi"`},
		{"/api/nonesuch", 404, "no such page"},
	} {
		got := ask(t, s.Server, c.path)
		if got.StatusCode != c.status || !strings.Contains(got.body, c.want) {
			t.Errorf("%s: status %d, want %d and %q in\n%.400s", c.path, got.StatusCode, c.status, c.want, got.body)
		}
		if got.StatusCode >= 400 && got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: a problem of type %q", c.path, got.Header.Get("Content-Type"))
		}
		if !strings.HasSuffix(c.path, "nonesuch") || strings.Contains(c.path, "categories") {
			judge.judge(t, got)
		}
	}
}

// TestAPIDescribed: the description and the routes are of the same addresses.
func TestAPIDescribed(t *testing.T) {
	calendar, err := exchange.Mainland()
	if err != nil {
		t.Fatal(err)
	}
	server, err := web.New(web.Options{Calendar: calendar, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var served, described []string
	for _, pattern := range server.Patterns() {
		if strings.HasPrefix(pattern, "/api/") && pattern != "/api/" {
			served = append(served, pattern)
		}
	}
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Paths map[string]any }
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for path := range document.Paths {
		described = append(described, path)
	}
	slices.Sort(served)
	slices.Sort(described)
	if d := cmp.Diff(served, described); d != "" {
		t.Errorf("served and described addresses differ (-served +described):\n%s", d)
	}
}

// TestAPIFormats: an answer is what the command prints of the post.
func TestAPIFormats(t *testing.T) {
	s := newAPISite(t)
	calendar, err := exchange.Mainland()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.posts[100:] {
		rev, err := s.archive.Post(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		form, _ := jsonform.NewRevision(rev, calendar)
		form.Lacks = rev.Lacks()
		printed, err := json.Marshal(form)
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[string]any)
		if err := json.Unmarshal(printed, &want); err != nil {
			t.Fatal(err)
		}
		got := decoded[map[string]any](t, ask(t, s.Server, "/api/posts/"+string(p.ID)+"?include=body"))
		delete(got, "newest")
		delete(got, "places")
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-command +API):\n%s", p.ID, d)
		}
	}
}

// listedIDs goes through a list of posts by its cursors, calling between before each
// page but the first.
func listedIDs(t *testing.T, s *site, path string, between func(page int)) []news.ID {
	t.Helper()
	var ids []news.ID
	cursor := ""
	for page := 0; ; page++ {
		if page > 0 {
			between(page)
		}
		list := decoded[struct {
			Posts []struct{ ID news.ID }
			Next  string
		}](t, ask(t, s.Server, path+"&cursor="+url.QueryEscape(cursor)))
		for _, p := range list.Posts {
			ids = append(ids, p.ID)
		}
		if cursor = list.Next; cursor == "" {
			return ids
		}
	}
}

// TestCursorsAreStable: while posts come in, those that were there are each listed
// once.
func TestCursorsAreStable(t *testing.T) {
	s := newAPISite(t)
	var want []news.ID
	for rev, err := range s.archive.Select(t.Context(), archive.Selection{}) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, rev.ID)
	}
	got := listedIDs(t, s, "/api/posts?limit=7", func(page int) { commitPost(t, s.archive, page) })
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the list (-at first +as gone through):\n%s", d)
	}
}

// commitPost archives a post that is newer than all others.
func commitPost(t *testing.T, a *archive.Archive, n int) {
	t.Helper()
	at := newest.Add(time.Duration(n) * time.Minute)
	code := news.InfoCode("NW20211222" + "9" + strings.Repeat("0", 7) + string(rune('0'+n/10)) + string(rune('0'+n%10)))
	_, err := a.Commit(t.Context(), &news.Batch{Posts: []news.Captured{{
		Capture: news.Capture{
			URL: "http://m.example/a/2021/12/22/" + string(code) + ".html", Status: 200, Fetched: at, Mode: news.ModeLive, Mirror: "m",
			Kind: news.KindPost, Body: []byte("<p>新文章</p>"),
		},
		Post: news.Post{ID: code.ID(), InfoCode: code, Title: "新文章", Published: at, Category: "a", Body: "<p>新文章</p>"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOtherCursors: categories and runs are gone through whole.
func TestOtherCursors(t *testing.T) {
	s := newAPISite(t)
	names := make(map[string]bool)
	for cursor := ""; ; {
		list := decoded[struct {
			Categories []struct{ Category string }
			Next       string
		}](t, ask(t, s.Server, "/api/categories?limit=2&cursor="+cursor))
		for _, c := range list.Categories {
			if names[c.Category] {
				t.Errorf("%s is listed twice", c.Category)
			}
			names[c.Category] = true
		}
		if cursor = list.Next; cursor == "" {
			break
		}
	}
	if len(names) != 6 {
		t.Errorf("%d categories, want 6", len(names))
	}
	first := decoded[struct {
		Runs []news.Run
		Next string
	}](t, ask(t, s.Server, "/api/runs?limit=1"))
	second := decoded[struct{ Runs []news.Run }](t, ask(t, s.Server, "/api/runs?limit=1&cursor="+first.Next))
	if len(first.Runs) != 1 || len(second.Runs) != 1 || first.Runs[0].ID != 2 || second.Runs[0].ID != 1 {
		t.Errorf("runs %+v and %+v, want 2 and 1", first.Runs, second.Runs)
	}
}

// TestAPIConditional: who has an answer is told so, packed or not, until it
// changes.
func TestAPIConditional(t *testing.T) {
	now := newest.Add(5 * time.Minute)
	s := newSite(t, func(o *web.Options) { o.Now = func() time.Time { return now } })
	for _, path := range []string{"/api/posts", "/api/runs", "/api/openapi.json"} {
		first := ask(t, s.Server, path)
		tag := first.Header.Get("ETag")
		again := ask(t, s.Server, path, "If-None-Match", tag)
		if tag == "" || again.StatusCode != http.StatusNotModified || again.body != "" {
			t.Errorf("%s: tag %q, then status %d with %q", path, tag, again.StatusCode, again.body)
		}
		if first.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: other sites may read it", path)
		}
	}
	tag := ask(t, s.Server, "/api/posts").Header.Get("ETag")
	commitPost(t, s.archive, 1)
	now = now.Add(time.Minute)
	if got := ask(t, s.Server, "/api/posts", "If-None-Match", tag); got.StatusCode != 200 {
		t.Errorf("a new post came, status %d", got.StatusCode)
	}
}

// TestProblems: what guards the server tells programs of it as they read it.
func TestProblems(t *testing.T) {
	s := newSite(t, func(o *web.Options) { o.Access.Token = "secret"; o.Limits.Query = 100 })
	judge := newAPIJudge(t)
	for _, c := range []struct {
		path, token string
		status      int
	}{
		{"/api/posts", "wrong", http.StatusUnauthorized},
		{"/api/posts?tag=" + strings.Repeat("a", 200), "secret", http.StatusRequestURITooLong},
		{"/api/search?q=a", "secret", http.StatusServiceUnavailable},
	} {
		got := ask(t, s.Server, c.path, "Authorization", "Bearer "+c.token)
		if got.StatusCode != c.status || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: status %d of type %q, want %d", c.path, got.StatusCode, got.Header.Get("Content-Type"), c.status)
		}
		judge.judge(t, got)
	}
}
