package page

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

// fetched is when every capture of the tests was made.
var fetched = time.Date(2021, 12, 23, 9, 0, 0, 0, news.Shanghai)

func newSite(t testing.TB) *Site {
	t.Helper()
	s, err := NewSite("mirror", "https://mirror.example/",
		"http://share.example/html_News/NewsShare.html?infoCode={infoCode}",
		"http://share.example/NewsData/GetNewsText.do?id={infoCode}")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func capture(kind news.PageKind, address, body string) *news.Capture {
	return &news.Capture{
		URL: address, Kind: kind, Status: 200, Header: http.Header{},
		Fetched: fetched, Mirror: "mirror", Body: []byte(body),
	}
}

func mustRead(t testing.TB, c *news.Capture) Page {
	t.Helper()
	p, err := newSite(t).Read(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// layout is a page of the mirror around a post's article.
const layout = `<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>{title} | 金融消息</title>
<link rel="stylesheet" href="/assets/main.css">
<link type="application/atom+xml" rel="alternate" href="https://mirror.example/feed.xml" title="金融消息">
</head>
<body>
<header><h1><a href="/">金融消息</a></h1><small>三天内的财经消息</small>
<nav><a href="/category/emnews.html">滚动</a> <a href="/about/">关于</a></nav></header>
<main><article>
{article}
</article>
<nav><a href="/beijingribao/2021/12/22/NW202112222222400001.html">下一篇</a></nav>
</main>
<footer><p>联系：<a href="mailto:ops@mirror.example">站长</a></p></footer>
</body>
</html>
`

// article are the parts of a post's page; an empty one is left out.
type articleParts struct{ stamp, title, body, foot, tags string }

const (
	testStamp = `<small>(GMT+8, Asia/Shanghai, CST) 2021-12-22 10:37:15</small>`
	testFoot  = `<p><a href="http://share.example/html_News/NewsShare.html?infoCode=NW202112222222306968">http://share.example/html_News/NewsShare.html?infoCode=NW202112222222306968</a></p>

<p><a href="//mirror.example/category/beijingribao.html">返回北京日报新闻</a>｜<a href="//mirror.example/">返回首页</a></p>`
	testTags = `<small>tags: <em>北京日报新闻</em></small>`
	testURL  = "https://mirror.example/beijingribao/2021/12/22/NW202112222222306968.html"
)

func (a articleParts) page() string {
	heading := ""
	if a.title != "" {
		heading = "<h1>" + a.title + "</h1>"
	}
	article := strings.Join([]string{a.stamp, heading, a.body, a.foot, a.tags}, "\n")
	return strings.NewReplacer("{title}", a.title, "{article}", article).Replace(layout)
}

// whole is a post's page that lacks nothing.
func whole(body string) string {
	return articleParts{testStamp, "本市一季度用电量稳步增长", body, testFoot, testTags}.page()
}

func codes(wanted []news.Wanted) []string {
	var ids []string
	for _, w := range wanted {
		ids = append(ids, string(w.ID))
	}
	return ids
}

func listURLs(lists []news.ListPage) []string {
	var urls []string
	for _, l := range lists {
		urls = append(urls, string(l.Kind)+" "+l.URL)
	}
	return urls
}
