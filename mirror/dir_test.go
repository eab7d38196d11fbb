package mirror_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// A site as Jekyll builds it, in a layout that is not the generator's.
var builtSite = map[string]string{
	"index.html":        `<h1>首页</h1><ul><li><a href="/57caijing/2021/12/22/NW202112222222000001.html">甲</a></li></ul>`,
	"404.html":          `<p>nothing here</p>`,
	"robots.txt":        "User-agent: *\n",
	"emnews/index.html": "old category page",
	"57caijing/2021/12/22/NW202112222222000001.html": `<html><body><article><small>(GMT+8, Asia/Shanghai, CST) 2021-12-22 10:37:15</small>
<h1 class="post-title">甲 &amp; <em>乙</em></h1>
<p>正文。</p><h3 class="emh3">相关报道</h3><p><a href="http://finance.eastmoney.com/a/202112212220000009.html">前文</a><br /></p>

<p><a href="http://share.example/html_News/NewsShare.html?infoCode=NW202112222222000001">http://share.example/html_News/NewsShare.html?infoCode=NW202112222222000001</a></p>

<p><a href="//site.example/category/pinyin%20in%2057caijing.html">返回拼音 in 57财经新闻</a>｜<a href="//site.example/">返回首页</a></p>
<small>tags: <em>拼音</em></small></article></body></html>`,
	"emnews/2021/12/08/202112082206735975.html": `<small>(GMT+8, Asia/Shanghai, CST) 2021-12-08 10:39:01</small><h1>旧闻</h1>
<p>旧文。</p>

<p><a href="http://finance.eastmoney.com/news/1355,202112082206735975.html">http://finance.eastmoney.com/news/1355,202112082206735975.html</a></p>

<p><a href="../emnews/">返回东财滚动新闻</a>
<a href="../">返回首页</a></p>`,
	"site/2021/12/23/开站大吉.html": `<h1>开站大吉</h1><p>欢迎。</p>`,
}

func buildSite(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range builtSite {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBuiltSitePosts(t *testing.T) {
	m, err := mirror.FromDir(buildSite(t), mirror.Options{Base: "http://site.example"})
	if err != nil {
		t.Fatal(err)
	}
	want := []news.Post{{
		ID: "202112082206735975", InfoCode: "202112082206735975", Title: "旧闻",
		Published: time.Date(2021, 12, 8, 10, 39, 1, 0, news.Shanghai),
		Category:  "emnews", Tag: "东财滚动新闻", Outlet: "东财滚动", Body: "<p>旧文。</p>",
	}, {
		ID: "202112222222000001", InfoCode: "NW202112222222000001", Title: "甲 & 乙",
		Published: time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai),
		Category:  "pinyin in 57caijing", Tag: "拼音 in 57财经新闻", Outlet: "拼音 in 57财经",
		Body: `<p>正文。</p><h3 class="emh3">相关报道</h3><p><a href="http://finance.eastmoney.com/a/202112212220000009.html">前文</a><br /></p>`,
	}}
	if m.Len() != 3 {
		t.Fatalf("%d posts", m.Len())
	}
	note := m.Post(0) // without a date it comes first
	if note.Title != "开站大吉" || note.Body != "<p>欢迎。</p>" || note.InfoCode != "" || note.ID == "" {
		t.Errorf("note: %+v", note)
	}
	for i, p := range want {
		if got := m.Post(i + 1); got.Title != p.Title || got.ID != p.ID || got.InfoCode != p.InfoCode || !got.Published.Equal(p.Published) ||
			got.Category != p.Category || got.Tag != p.Tag || got.Outlet != p.Outlet || got.Body != p.Body {
			t.Errorf("post %d:\n%+v, want\n%+v", i+1, got, p)
		}
	}
}

func TestBuiltSiteFiles(t *testing.T) {
	m, err := mirror.FromDir(buildSite(t), mirror.Options{})
	if err != nil {
		t.Fatal(err)
	}
	base := serve(t, m)
	for path, want := range map[string]struct {
		status int
		file   string
	}{
		"/":            {200, "index.html"},
		"/emnews/":     {200, "emnews/index.html"},
		"/emnews":      {301, ""},
		"/robots.txt":  {200, "robots.txt"},
		"/nowhere":     {404, "404.html"},
		"/../dir.go":   {404, "404.html"},
		"/category/":   {404, "404.html"},
		"/sitemap.xml": {404, "404.html"},
		"/site/2021/12/23/%E5%BC%80%E7%AB%99%E5%A4%A7%E5%90%89.html": {200, "site/2021/12/23/开站大吉.html"},
	} {
		resp, body := get(t, base+path)
		if resp.StatusCode != want.status || body != builtSite[want.file] {
			t.Errorf("%s: %s %q", path, resp.Status, body)
		}
		if resp.StatusCode != http.StatusOK {
			continue
		}
		if again, _ := get(t, base+path, "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its tag: %s", path, again.Status)
		}
		if again, _ := get(t, base+path, "If-Modified-Since", resp.Header.Get("Last-Modified")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its date: %s", path, again.Status)
		}
	}
	if s := m.Requests(); s.Kinds[news.KindHome] != 3 || s.Kinds[news.KindPost] != 3 || s.Kinds[news.KindRobots] != 3 {
		t.Errorf("kinds: %v", s.Kinds)
	}
}

func TestBuiltSiteShareAndText(t *testing.T) {
	m, err := mirror.FromDir(buildSite(t), mirror.Options{})
	if err != nil {
		t.Fatal(err)
	}
	base := serve(t, m)
	p := m.Post(2)
	if _, share := get(t, base+"/html_News/NewsShare.html?infoCode="+string(p.InfoCode)); !strings.Contains(share, p.Body) {
		t.Errorf("share page: %s", share)
	}
	_, text := get(t, base+"/NewsData/GetNewsText.do?ID="+string(p.InfoCode.Digits()))
	var fields map[string]string
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	if fields["infoCode"] != string(p.InfoCode) || fields["title"] != p.Title || fields["text"] != p.Body || fields["showtime"] != "2021-12-22 10:37:15" {
		t.Errorf("text: %v", fields)
	}
	if _, text := get(t, base+"/NewsData/GetNewsText.do?id=NW202112229999999999"); !strings.Contains(text, `"text":""`) {
		t.Errorf("text of an unknown post: %s", text)
	}
}

func TestBuiltSiteFaults(t *testing.T) {
	dir := buildSite(t)
	m, err := mirror.FromDir(dir, mirror.Options{Faults: []mirror.Fault{{Name: "404", Share: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	base := serve(t, m)
	if resp, _ := get(t, base+m.Standing(2).Path); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the post's page: %s", resp.Status)
	}
	if s := m.Standing(2); s.Fault != "404" || s.Best != news.KindShare {
		t.Errorf("standing: %+v", s)
	}
	for _, o := range []mirror.Options{{Faults: []mirror.Fault{{Name: "nodate"}}}, {Base: "nonsense"}} {
		if _, err := mirror.FromDir(dir, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if _, err := mirror.FromDir(filepath.Join(dir, "nowhere"), mirror.Options{}); err == nil {
		t.Error("a missing folder is no error")
	}
}

// TestGeneratedPagesReadBack builds a site from a generated one's pages.
func TestGeneratedPagesReadBack(t *testing.T) {
	made := newMirror(t, mirror.Options{Posts: 60, Categories: 20, Base: "http://site.example"})
	dir := t.TempDir()
	for i := range made.Len() {
		path := filepath.Join(dir, filepath.FromSlash(made.Standing(i).Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(fetch(made, made.Standing(i).Path)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	built, err := mirror.FromDir(dir, mirror.Options{})
	if err != nil || built.Len() != made.Len() {
		t.Fatalf("%d posts: %v", built.Len(), err)
	}
	for i, want := range made.Posts() {
		got := built.Post(i)
		if got.ID != want.ID || got.InfoCode != want.InfoCode || got.Title != want.Title || !got.Published.Equal(want.Published) ||
			got.Category != want.Category || got.Tag != want.Tag || got.Outlet != want.Outlet || got.Body != want.Body {
			t.Errorf("post %d:\n%+v, want\n%+v", i, got, want)
		}
		if built.Standing(i).Path != made.Standing(i).Path {
			t.Errorf("post %d stands at %s, want %s", i, built.Standing(i).Path, made.Standing(i).Path)
		}
	}
}
