package markdown_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"golang.org/x/net/html"

	"github.com/finarc/finarc/article"
	"github.com/finarc/finarc/markdown"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

const base = "https://m.example/21caijing/2021/12/22/NW202112222222306968.html"

func convert(t *testing.T, body string) string {
	t.Helper()
	text, err := markdown.NewWriter("").Convert(body, base)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestConvert(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"nothing", "", ""},
		{"paragraphs", "<p>　　甲<br>乙</p><p>丙</p>", "甲  \n乙\n\n丙\n"},
		{"security", `<p><span id="stock_1.600160"><a href="http://quote.eastmoney.com/unify/r/1.600160" class="keytip" data-code="1,600160">巨化股份</a></span><span id="quote_1.600160"></span>公布</p>`,
			"[巨化股份](http://quote.eastmoney.com/unify/r/1.600160)公布\n"},
		{"picture", `<p><a href="http://q.example/(1)" class="EmImageRemark"><img src="//p.example/k?a=1&b=2" alt="K图 [09988_0]"></a></p>`,
			"[![K图 \\[09988\\_0\\]](https://p.example/k?a=1&b=2)](http://q.example/%281%29)\n"},
		{"related", `<h3 class="emh3">相关报道</h3><p><a href="/a/202112222222541258.html">未在2日内</a><br /></p>`,
			"### 相关报道\n\n[未在2日内](https://m.example/a/202112222222541258.html)\n"},
		{"emphasis beside punctuation", "<p>前<strong>“中文”</strong>后<em>（乙）</em></p>", "前“**中文**”后（*乙*）\n"},
		{"marks that touch", "<p><b>甲</b><i>乙</i><code>丙</code></p>", "**甲**乙`丙`\n"},
		{"marks that nest", "<p><b>甲<i>乙</i>丙</b></p>", "**甲*乙*丙**\n"},
		{"special characters", "<p>*ST甲 &lt;b&gt; [x](y) a_b `c` ~~d~~ | \\ &amp;lt; AT&amp;T A&amp;1 #e</p>", "\\*ST甲 &lt;b&gt; \\[x\\](y) a\\_b \\`c\\` \\~\\~d\\~\\~ \\| \\\\ \\&lt; AT\\&T A&1 \\#e\n"},
		{"beginnings of lines", "<p>1. 甲<br>- 乙<br># 丙<br>+3%<br>===</p><p>&gt; 丁</p><p>2021)</p>", "1\\. 甲  \n\\- 乙  \n\\# 丙  \n\\+3%  \n\\===\n\n&gt; 丁\n\n2021\\)\n"},
		{"list", "<ul><li>甲<ol><li>乙</li><li>丙</li></ol></li></ul>", "- 甲\n  \n  1. 乙\n  2. 丙\n"},
		{"table", "<table><tr><td>名称</td><td>涨|跌</td></tr><tr><td>甲<br>乙</td><td>+3%</td></tr></table>", "| 名称 | 涨\\|跌 |\n|---|---|\n| 甲  <br />乙 | \\+3% |\n"},
		{"preformatted", "<pre>*甲*\n  ```</pre>", "````\n*甲*\n  ```\n````\n"},
	} {
		if got := convert(t, c.body); got != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q", c.name, got, c.want)
		}
	}
}

func revision() news.Revision {
	return news.Revision{Post: news.Post{
		ID: "202112222222306968", InfoCode: "NW202112222222306968", Title: `他说"好": {% x %} # - 'y'`, Body: "<p>甲</p>",
		Published: time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai), Category: "21caijing", Tag: "21财经新闻",
	}, URL: base}
}

func TestMarshal(t *testing.T) {
	rev := revision()
	got, err := markdown.NewWriter("").Marshal(&rev)
	const want = `---
layout: post
title: "他说\"好\": {% x %} # - 'y'"
date: 2021-12-22 10:37:15 +0800
categories: 21caijing
tags: 21财经新闻
---
甲

[原文](https://m.example/21caijing/2021/12/22/NW202112222222306968.html)
`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}

// render returns what goldmark makes of Markdown.
func render(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough)).Convert([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// letters returns the text of an HTML fragment without white space.
func letters(t *testing.T, fragment string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(fragment))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return strings.Map(func(r rune) rune {
		if page.IsSpace(r) {
			return -1
		}
		return r
	}, b.String())
}

// targets returns the addresses in an HTML fragment.
func targets(t *testing.T, fragment string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(fragment))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "href" || a.Key == "src" {
				list = append(list, strings.NewReplacer("(", "%28", ")", "%29", "*", "%2A").Replace(a.Val))
			}
		}
	}
	return list
}

// FuzzConvert: the Markdown of any body says the same as the body, and leads to the
// same places, when it is rendered by a program that knows nothing of how it was
// made.
func FuzzConvert(f *testing.F) {
	for _, body := range []string{
		"<p>1. 甲<br>- 乙</p>", "<b>甲</b><i>乙</i>", "a<b>“b”</b>c", "<table><tr><td>|<td><code>a|b</code>", "<h2>a #<br>b</h2>", "<ul><li><pre>x</pre>a<li>b</ul>",
		"<a href='/(x'>[a]</a>", "<code>`</code>", "<blockquote><p>&gt; x<ol start=7><li>y", "<img src=x alt='a]('>", "a<br>---<br>b|c<br>-|-", "&amp;amp; &lt;!-- x --&gt;",
		"<pre>```\n~~~</pre>", "<p>*<b>a</b>*", "<sub>1</sub>. a", "<p>a<b>b<code>c</code></b></p>", "<ol><li>- a<li># b</ol><hr>", "    a", "<p>http://x.example/_a_ \\</p>",
	} {
		f.Add(body)
	}
	f.Fuzz(wantSame)
}

// wantSame fails where the Markdown of a body says something else than the body.
func wantSame(t *testing.T, body string) {
	t.Helper()
	want, err := article.HTML(body, article.Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	text := convert(t, body)
	got := render(t, text)
	if letters(t, got) != letters(t, want) {
		t.Errorf("body %q\nMarkdown %q\nHTML %q", body, text, got)
	}
	if strings.Contains(want, "<pre>") {
		return // Markdown has no links in it
	}
	if g, w := strings.Join(targets(t, got), " "), strings.Join(targets(t, want), " "); g != w {
		t.Errorf("body %q\nMarkdown %q\nleads to  %s\nand not to %s", body, text, g, w)
	}
}

// drawn returns a body of drawn pieces: what Markdown might take for its own, in
// elements that nest as they come.
func drawn(r *rand.Rand) string {
	pieces := []string{
		"甲", "公司", "a", "1", "2.", "10)", " ", "  ", "\n", "　", "“", "”", "，", "（", "-", "+", "=", "#", "*", "_", "`", "~", "|", "\\", "[", "]", "(", ")", "!", ":",
		"&amp;", "&lt;", "&gt;", "&amp;#35;", "lt;", "copy;", "---", "***", "```", "http://x.example/", "\t", "\ufeff", "$", "😀", "é", "^1", "[x]", "<br>", "<hr>",
		"<p>", "</p>", "<b>", "</b>", "<i>", "</i>", "<s>", "</s>", "<code>", "</code>", "<sub>", "</sub>", "<a href='/x_(y)*z*&amp;lt;'>", "</a>", "<img src='/p' alt='a]*b'>",
		"<h2>", "</h2>", "<ul>", "<ol start=3>", "<li>", "</ul>", "</ol>", "<blockquote>", "</blockquote>", "<pre>", "</pre>", "<table><tr><td>", "<td>", "<tr><th>", "</table>", "<div>", "</div>",
	}
	var b strings.Builder
	for range 1 + r.IntN(25) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func TestConvertDrawnBodies(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 5_000 {
		wantSame(t, drawn(r))
		if t.Failed() {
			return
		}
	}
}

// Bodies that are made to take long are done with, and lose nothing.
func TestBodiesMadeToBeSlow(t *testing.T) {
	for _, body := range []string{
		"<table>" + strings.Repeat("<tr><td rowspan=100 colspan=100>甲<td>乙", 4000),
		"<table>" + strings.Repeat("<tr><td rowspan=7 colspan=7>甲<td>乙", 100),
		strings.Repeat("甲 ", 1<<18), strings.Repeat("<b>", 500) + strings.Repeat("<p>甲", 15_000), strings.Repeat("<ul><li>甲", 200) + strings.Repeat("<li>乙", 15_000),
	} {
		if got := strings.Count(convert(t, body), "甲"); got != strings.Count(body, "甲") {
			t.Errorf("%.40s: %d of %d", body, got, strings.Count(body, "甲"))
		}
	}
}

// Exported twice, nothing is touched the second time; what cannot be a file is told.
func TestExport(t *testing.T) {
	lost, undated := revision(), revision()
	lost.Lost = true
	undated.Published, undated.ID, undated.InfoCode = time.Time{}, "00000000-0123456789abcdef", ""
	list := func(yield func(news.Revision, error) bool) {
		_ = yield(revision(), nil) && yield(lost, nil) && yield(undated, nil)
	}
	dir := t.TempDir()
	for _, want := range []markdown.Report{{Written: 1}, {Unchanged: 1}} {
		got, err := markdown.Export(t.Context(), dir, list, "")
		if err != nil || got.Written != want.Written || got.Unchanged != want.Unchanged || len(got.Refused) != 2 {
			t.Errorf("%+v, %v, want %+v and two refused", got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "2021-12-22-NW202112222222306968.md")); err != nil {
		t.Error(err)
	}
}
