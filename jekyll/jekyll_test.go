package jekyll

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/finarc/finarc/news"
)

const ordinary = `<!-- EM_StockImg_Start --><p>图</p><!-- EM_StockImg_End --><p>正文第一段，<strong>1 &amp; 2</strong>。</p><p class="em_media">（文章来源：测报）</p>`

// TestMarshalGolden holds the files to the mirror's own form, byte for byte.
func TestMarshalGolden(t *testing.T) {
	page := func(change func(*news.Revision)) news.Revision {
		rev := numbered(7, "某公司发布年报", ordinary)
		change(&rev)
		return rev
	}
	for name, test := range map[string]struct {
		rev  news.Revision
		want string
	}{
		"as the mirror writes today": {page(func(*news.Revision) {}), `---
layout: post
title: "某公司发布年报"
date: 2021-12-22 10:37:15 +0800
categories: cebao
tags: 测报新闻
---
` + ordinary + `

<http://s.example/NewsShare.html?infoCode=NW202112220000000007>

[返回测报新闻](//m.example/category/cebao.html)｜[返回首页](//m.example/)`},
		"from a text page, without foot": {page(func(r *news.Revision) { r.Foot = "" }), `---
layout: post
title: "某公司发布年报"
date: 2021-12-22 10:37:15 +0800
categories: cebao
tags: 测报新闻
---
` + ordinary + `

<http://s.example/NewsShare.html?infoCode=NW202112220000000007>

[返回测报新闻](//m.example/category/cebao.html)｜[返回首页](//m.example/)`},
		"with next to nothing known": {page(func(r *news.Revision) {
			r.Title, r.Category, r.Tag, r.Foot, r.Body, r.Published = "", "", "", "", "", time.Time{}
		}), `---
layout: post
title: ""
date: 2021-12-22 00:00:00 +0800
date_precision: day
---


<http://s.example/NewsShare.html?infoCode=NW202112220000000007>

[返回首页](//m.example/)`},
		"with the oldest foot": {page(func(r *news.Revision) {
			r.Category, r.Tag = "emnews", "东财滚动新闻"
			r.Foot = "<p><a href=\"http://f.example/news/1355,202112220000000007.html\">http://f.example/news/1355,202112220000000007.html</a></p>\n\n<p><a href=\"../emnews/\">返回东财滚动新闻</a>\n<a href=\"../\">返回首页</a></p>"
		}), `---
layout: post
title: "某公司发布年报"
date: 2021-12-22 10:37:15 +0800
categories: emnews
tags: 东财滚动新闻
---
` + ordinary + `

<http://f.example/news/1355,202112220000000007.html>

[返回东财滚动新闻](../emnews/)
[返回首页](../)`},
		"with a foot of another shape": {page(func(r *news.Revision) { r.Foot = "<p>&lt;&gt;</p>\n\n<p>[x](y)</p>" }), `---
layout: post
title: "某公司发布年报"
date: 2021-12-22 10:37:15 +0800
categories: cebao
tags: 测报新闻
---
` + ordinary + `

<p>&lt;&gt;</p>

<p>[x](y)</p>`},
		"with what Liquid would read": {page(func(r *news.Revision) { r.Title, r.Body = `说"{{ x }}"`, "<p>{% raw</p>" }), `---
layout: post
title: "说\"{{ x }}\""
date: 2021-12-22 10:37:15 +0800
categories: cebao
tags: 测报新闻
render_with_liquid: false
---
<p>{% raw</p>

<http://s.example/NewsShare.html?infoCode=NW202112220000000007>

[返回测报新闻](//m.example/category/cebao.html)｜[返回首页](//m.example/)`},
		"with what kramdown would read": {page(func(r *news.Revision) { r.Body, r.Foot = "* 星号 <b>粗</b>", "<p><i>脚</i></p>" }), `---
layout: post
title: "某公司发布年报"
date: 2021-12-22 10:37:15 +0800
categories: cebao
tags: 测报新闻
---
{::nomarkdown}
* 星号 <b>粗</b>
{:/nomarkdown}

<p><i>脚</i></p>`},
		"with tags that do not match": {page(func(r *news.Revision) { r.Body, r.Foot = "</div><p>一<p>二", "<p>脚</p>" }), `---
layout: post
title: "某公司发布年报"
date: 2021-12-22 10:37:15 +0800
categories: cebao
tags: 测报新闻
---
{::nomarkdown}
<p>一</p><p>二</p>
{:/nomarkdown}

<p>脚</p>`},
		"without infoCode, in an odd category": {page(func(r *news.Revision) {
			r.ID, r.InfoCode, r.Category, r.Tag, r.Foot = "20211222-0123456789abcdef", "", "../X: y", "true", "<p>脚</p>"
		}), `---
layout: post
title: "某公司发布年报"
date: 2021-12-22 10:37:15 +0800
categories: "../X: y"
tags: "true"
post_id: "20211222-0123456789abcdef"
permalink: "/x-y-89e0db75/:year/:month/:day/:title.html"
---
` + ordinary + `

<p>脚</p>`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Marshal(&test.rev, mirror())
			if err != nil || string(got) != test.want {
				t.Errorf("%v\ngot\n%s\nwant\n%s", err, got, test.want)
			}
		})
	}
}

func TestMarshalWithoutDay(t *testing.T) {
	for _, rev := range []news.Revision{
		{Post: news.Post{ID: "00000000-0123456789abcdef", Title: "无日"}},
		{Post: news.Post{ID: "x", Published: time.Date(12021, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		if _, err := Marshal(&rev, Options{}); !errors.Is(err, ErrNoDay) || !strings.Contains(err.Error(), string(rev.ID)) {
			t.Errorf("got %v", err)
		}
		if _, err := FileName(&rev); !errors.Is(err, ErrNoDay) {
			t.Errorf("got %v", err)
		}
	}
}

func TestMarshalRefusesBody(t *testing.T) {
	rev := numbered(1, "题", strings.Repeat("<div>", 5000))
	if _, err := Marshal(&rev, Options{}); err == nil || !strings.Contains(err.Error(), "body: parse HTML") {
		t.Errorf("got %v", err)
	}
}

// TestScalars asks for bare writing where the mirror's front matter is bare,
// and for quotes where Psych would read something else.
func TestScalars(t *testing.T) {
	for _, s := range []string{
		"21caijing", "emnews", "东财滚动新闻", "21shijijingjibaodao 21caijingAPP", "anxinguojizhengquan(xianggang)",
		"Career  In touxingPEVC", "nvren[shishang]新闻", "（港）新闻", "a:b", "a#b", "36氪新闻", "R&D", "(a)",
	} {
		if got := scalar(s); got != s {
			t.Errorf("%s: got %s, want it bare", s, got)
		}
	}
	for _, s := range []string{
		"", " a", "a ", "a: b", "a:", "a #b", "- a", "-a", "[a]", "{a}", "*a", "&a", "!a", "|a", ">a", "@a", "`a", "%a", "'a", `"a"`, "?a", ",a", "#a", ":a", "=", "<<", "~", ".5", "+1",
		"true", "True", "no", "ON", "y", "null", "123", "1_000", "0x1F", "0o17", "1e5", "1.5", "12:30", "2021-12-22", "1,000", "2021-12-22T10:37:15Z", "2021-12-22 10:37:15 +0800",
		"a\nb", "a\tb", "a\u0085b", "\uFEFFa", "a\u3000b", "a\xff",
	} {
		got := scalar(s)
		var back string
		if err := yaml.Unmarshal([]byte(got), &back); err != nil || got[0] != '"' || back != strings.ToValidUTF8(s, "\uFFFD") {
			t.Errorf("%q: got %s, read back as %q, %v", s, got, back, err)
		}
	}
}

// FuzzMarshal asks that the front matter says what the post says, that the
// name is that of a file in _posts, and that Liquid never sees a tag.
func FuzzMarshal(f *testing.F) {
	f.Add("题", "21caijing", "21财经新闻", "<p>文</p>", "", "https://m.example/21caijing/2021/12/22/NW202112220000000001.html", "NW202112220000000001")
	f.Add("\"\\\n---\n", "../a: b", "true", "{{ * {:/}", "<p><a href=\"x\">x</a></p>", "https://m.example/a/2021/12/22/..%2f%00.html", "")
	for _, title := range hostileTitles() {
		f.Add(title, "a", "b", title, title, "http://m.example/2021/12/22/"+title+".html", title)
	}
	f.Fuzz(func(t *testing.T, title, category, tag, body, foot, address, code string) {
		rev := numbered(1, title, body)
		rev.Category, rev.Tag, rev.Foot, rev.URL, rev.InfoCode = category, tag, foot, address, news.InfoCode(code)
		checkName(t, &rev)
		data, err := Marshal(&rev, mirror())
		if err != nil {
			return // a body that no parser takes
		}
		front, text, ok := strings.Cut(strings.TrimPrefix(string(data), "---\n"), "\n---\n")
		if !ok {
			t.Fatalf("no front matter in %q", data)
		}
		read := struct {
			Title, Categories, Tags string
			Liquid                  *bool `yaml:"render_with_liquid"`
		}{}
		if err := yaml.Unmarshal([]byte(front), &read); err != nil {
			t.Fatalf("%v in\n%s", err, front)
		}
		if read.Title != asRunes(title) || read.Categories != asRunes(category) || read.Tags != asRunes(tag) {
			t.Errorf("wrote %q, %q, %q, read back %+v", title, category, tag, read)
		}
		if hasLiquid(text) != (read.Liquid != nil && !*read.Liquid) {
			t.Errorf("Liquid would see %q under %q", text, front)
		}
	})
}

// asRunes makes U+FFFD of each byte that is no UTF-8.
func asRunes(s string) string { return string([]rune(s)) }

func checkName(t *testing.T, rev *news.Revision) {
	t.Helper()
	name, err := FileName(rev)
	if err != nil {
		t.Fatal(err)
	}
	slug, md := strings.CutSuffix(strings.TrimPrefix(name, "2021-12-22-"), ".md")
	if !md || slug == "" || len(name) > maxName || slug != safeSlug(slug, maxSlug) {
		t.Errorf("got name %q", name)
	}
	if again := distinct(rev.Day(), rev); again == name || len(again) > maxName || strings.ContainsAny(again, `/\`) {
		t.Errorf("got %q to tell it from %q", again, name)
	}
	for _, s := range []string{rev.Category, rev.Title, rev.URL} {
		if safe := pathName(s); !isPathName(safe) {
			t.Errorf("%q: got %q as a path's name", s, safe)
		}
	}
}
