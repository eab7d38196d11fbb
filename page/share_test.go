package page

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/finarc/finarc/news"
)

const shareURL = "http://share.example/html_News/NewsShare.html?infoCode=NW202112222222306968"

// sharePage is a share page around its news.
func sharePage(news string) string {
	return `<html><head><meta charset="utf-8"><title>资讯分享</title><script src="/js/share.js"></script></head><body>` +
		news + `<div class="footer">2021 版权所有</div></body></html>`
}

func TestReadShare(t *testing.T) {
	body := testBody + `<p><a href="http://finance.eastmoney.com/a/202112222222541258.html">相关</a></p>`
	got := mustRead(t, capture(news.KindShare, shareURL, sharePage(`<div class="news"><h1 class="title">本市用电量&amp;气温</h1>
<div class="info"><span class="time">2021-12-22 10:37:15</span> <span class="media">21财经</span></div>
<div id="newsContent" class="content">
`+body+`
</div></div>`)))
	want := &news.Post{
		ID: "202112222222306968", InfoCode: "NW202112222222306968", Title: "本市用电量&气温",
		Published: time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai),
		Outlet:    "21财经", Source: "北京日报", Body: body,
		Related:    []news.InfoCode{"202112222222541258"},
		Securities: []news.Mention{{Security: news.Security{Market: 1, Code: "600160"}, Name: "巨化股份", Count: 2}},
		Boards:     []news.Mention{{Security: news.Security{Market: 90, Code: "BK0493"}, Name: "新能源", Count: 1}},
	}
	if diff := cmp.Diff(want, got.Post); diff != "" {
		t.Errorf("post (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"202112222222541258"}, codes(got.Leads)); diff != "" || got.Found != nil {
		t.Errorf("leads (-want +got):\n%s\nfound %v", diff, got.Found)
	}
}

func TestReadShareForms(t *testing.T) {
	at := time.Date(2021, 12, 22, 10, 37, 0, 0, news.Shanghai)
	for _, test := range []struct {
		name, page string
		want       news.Post
	}{
		{"chinese date, nested container", `<title>标题 - 资讯</title><p>2021年12月22日 10:37</p><div id="ContentBody" class="Body"><div>甲</div><div>乙</div></div><div>丙</div>`,
			news.Post{Title: "标题", Published: at, Body: "<div>甲</div><div>乙</div>"}},
		{"surer container within a plain one", `<div class="content"><h1>标题</h1>2021/12/22 10:37<div class="txtinfos">甲</div>尾</div>`,
			news.Post{Title: "标题", Published: at, Body: "甲"}},
		{"surer container after a plain one", `<h1>标题</h1><p>2021-12-22 10:37</p><div class="content">导航</div><div class="Article-Body">甲</div>`,
			news.Post{Title: "标题", Published: at, Body: "甲"}},
		{"empty surer container", `<h1>标题</h1><p>2021-12-22 10:37</p><div class="content">甲</div><div class="newsText"></div>`,
			news.Post{Title: "标题", Published: at, Body: "甲"}},
		{"named time before a loose one", `<h1>标题</h1><p>2020-01-01 00:00</p><b id="publishDate">2021-12-22T10:37:00+08:00</b><div id="newsText">甲</div>`,
			news.Post{Title: "标题", Published: at, Body: "甲"}},
		{"no time in the text", `<h1>标题</h1><div id="newsText">甲 2021-12-22 10:37</div>`,
			news.Post{Title: "标题", Body: "甲 2021-12-22 10:37"}},
		{"no title", `<title>资讯</title><div id="newsText"><img src="a.png"></div>`,
			news.Post{Body: `<img src="a.png">`}},
		{"never closed", `<h1>标题</h1><div id="newsText"><p>甲<div>乙`,
			news.Post{Title: "标题", Body: "<p>甲<div>乙"}},
		{"description and label", `<meta name="Description" content="摘要"><h1>标题</h1><p class="source">来源：北京日报</p><div id="newsText">甲</div>`,
			news.Post{Title: "标题", Outlet: "北京日报", Digest: "摘要", Body: "甲"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.ID, test.want.InfoCode = "202112222222306968", "NW202112222222306968"
			got := mustRead(t, capture(news.KindShare, shareURL, test.page)).Post
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("post (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadShareErrors(t *testing.T) {
	shell := `<div class="news"><h1 class="title"></h1><div class="info"></div><div id="newsContent" class="content">%</div></div><script>fetch("/NewsData/GetNewsText.do?id=")</script>`
	for _, test := range []struct {
		name, page string
		want       error
	}{
		{"shell", sharePage(strings.Replace(shell, "%", "", 1)), ErrShell},
		{"shell with a note", sharePage(strings.Replace(shell, "%", "<p>加载中...</p>", 1)), ErrShell},
		{"shell with hidden text", sharePage(strings.Replace(shell, "%", `<p style="display:none">模板</p>`, 1)), ErrShell},
		{"shell without container", `<div id="app"></div><script src="app.js"></script>`, ErrShell},
		{"nothing", "<p>未找到</p>", ErrUnreadable},
		{"empty", "", ErrUnreadable},
		{"block page", `<h1>403</h1><div class="content">访问过于频繁</div>`, ErrUnreadable},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newSite(t).Read(capture(news.KindShare, shareURL, test.page))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), shareURL) {
				t.Errorf("err = %v, want %v", err, test.want)
			}
		})
	}
}
