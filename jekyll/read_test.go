package jekyll

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

func newReader(t testing.TB) *Reader {
	t.Helper()
	site, err := page.NewSite("m", mirror().Site, mirror().Share, "")
	if err != nil {
		t.Fatal(err)
	}
	return NewReader(site)
}

// fileCapture is a file as an import captures it.
func fileCapture(name, text string) *news.Capture {
	return &news.Capture{URL: FileURL(name), Mode: news.ModeImport, Mirror: "m", Kind: news.KindJekyll, Body: []byte(text)}
}

// imported returns a file as the revision that an archive would have of it.
func imported(t testing.TB, name, text string) news.Revision {
	t.Helper()
	c := fileCapture(name, text)
	p, err := newReader(t).Read(c)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return news.Revision{Post: *p.Post, URL: c.URL, Mode: c.Mode, Mirror: c.Mirror, File: c.Body}
}

const oldest = `---
layout: post
title: "打击非正常专利申请"
date: 2021-12-08 10:39:01
categories: emnews
tags: 东财滚动新闻
---

记者今天了解到，有**81.5万件**。(央视新闻)

<http://f.example/news/1355,202112082206735975.html>

[返回东财滚动新闻](../emnews/)
[返回首页](../)`

// TestReadOldest reads a post in the oldest form, in Markdown.
func TestReadOldest(t *testing.T) {
	rev := imported(t, "2021-12-08-202112082206735975.md", oldest)
	want := news.Post{
		ID: "202112082206735975", InfoCode: "202112082206735975", Title: "打击非正常专利申请",
		Published: time.Date(2021, 12, 8, 10, 39, 1, 0, news.Shanghai),
		Category:  "emnews", Tag: "东财滚动新闻", Outlet: "东财滚动", Source: "央视新闻",
		Body: "<p>记者今天了解到，有<strong>81.5万件</strong>。(央视新闻)</p>",
		Foot: `<p><a href="http://f.example/news/1355,202112082206735975.html">http://f.example/news/1355,202112082206735975.html</a></p>` + "\n\n" +
			`<p><a href="../emnews/">返回东财滚动新闻</a>` + "\n" + `<a href="../">返回首页</a></p>`,
	}
	if diff := cmp.Diff(want, rev.Post); diff != "" {
		t.Error(diff)
	}
}

// TestReadBroken reads what the mirror's generator broke, and mends it.
func TestReadBroken(t *testing.T) {
	const foot = "\n\n<http://s.example/NewsShare.html?infoCode=NW202205262391921712>\n\n[返回测报新闻](//m.example/category/cebao.html)｜[返回首页](//m.example/)"
	file := func(title, date, body, foot string) string {
		return "---\nlayout: post\ntitle: " + title + "\ndate: " + date + "\ncategories: cebao\ntags: 测报新闻\n---\n" + body + foot
	}
	const name, date = "2022-05-26-NW202205262391921712.md", "2022-05-26 10:37:15 +0800"
	for what, test := range map[string]struct {
		name, text string
		title      string
		derived    bool
		dayOnly    bool
		faults     []string
	}{
		"nothing wrong":       {name, file(`"题"`, date, "<p>文</p>", foot), "题", false, false, nil},
		"bare quotes":         {name, file(`"关于"双减"的通知"`, date, "<p>文</p>", foot), `关于"双减"的通知`, false, false, []string{FaultYAML}},
		"bare quote at once":  {name, file(`"双减`, date, "<p>文</p>", foot), `双减`, false, false, []string{FaultYAML}},
		"title on two lines":  {name, file("\"一\n\t二\": \"三\"", date, "<p>文</p>", foot), `一 二": "三`, false, false, []string{FaultYAML}},
		"title is a number":   {name, file("000001", date, "<p>文</p>", foot), "000001", false, false, []string{FaultTitleIs}},
		"no title":            {name, file(`""`, date, "<p>第一句。第二句。</p>", foot), "第一句", true, false, []string{FaultTitle}},
		"no title, a digest":  {name, file(`""`, date, "<blockquote><p>提要在此</p></blockquote><p>第一句。</p>", foot), "提要在此", true, false, []string{FaultTitle}},
		"no date":             {"-202205262391921712.md", file(`"题"`, " +0800", "<p>文</p>", foot), "题", false, true, []string{FaultName, FaultDate}},
		"a date that is none": {name, file(`"题"`, "2022-13-26 10:37:15 +0800", "<p>文</p>", foot), "题", false, true, []string{FaultDateIs}},
		"no line for a date":  {name, strings.Replace(file(`"题"`, date, "<p>文</p>", foot), "date: "+date+"\n", "", 1), "题", false, true, nil},
		"empty link":          {name, file(`"题"`, date, "<p>文</p>", strings.Replace(foot, "http://s.example/NewsShare.html?infoCode=NW202205262391921712", "", 1)), "题", false, false, []string{FaultLink}},
		"Liquid":              {name, file(`"题"`, date, "<p>{{ x }}{% raw</p>", foot), "题", false, false, []string{FaultLiquid}},
		"no UTF-8":            {name, file(`"题"`, date, "<p>\xff</p>", foot), "题", false, false, []string{FaultBytes}},
		"another's name":      {"2022-05-26-NW202205262391921799.md", file(`"题"`, date, "<p>文</p>", foot), "题", false, false, []string{FaultName}},
		"no end":              {name, strings.Replace(file(`"题"`, date, "<p>文</p>", foot), "\n---\n", "\n\n", 1), "题", false, false, []string{FaultUnclosed}},
		"a key twice":         {name, strings.Replace(file(`"题"`, date, "<p>文</p>", foot), "tags:", "date: "+date+"\ntags:", 1), "题", false, false, []string{FaultTwice}},
		"a tag of YAML":       {name, file(`!ruby/object:X "题"`, date, "<p>文</p>", foot), `!ruby/object:X "题"`, false, false, []string{FaultYAML}},
		"odd category":        {name, strings.Replace(file(`"题"`, date, "<p>文</p>", foot), ": cebao", ": ../cebao", 1), "题", false, false, []string{FaultAddress}},
		"Windows lines":       {name, strings.ReplaceAll(file(`"题"`, date, "<p>文</p>", foot), "\n", "\r\n"), "题", false, false, nil},
	} {
		t.Run(what, func(t *testing.T) {
			rev := imported(t, test.name, test.text)
			if rev.ID != "202205262391921712" || rev.Title != test.title || (rev.Derived != nil) != test.derived || rev.Published.IsZero() != test.dayOnly || rev.Day() != 20220526 {
				t.Errorf("got %+v", rev.Post)
			}
			_, faults, err := marshal(&rev, mirror())
			if err != nil || !slices.Equal(faults, test.faults) {
				t.Errorf("%v, got faults %q, want %q", err, faults, test.faults)
			}
			checkMended(t, rev)
		})
	}
}

// checkMended asks that what is exported of a file has no fault, is the same
// post, and is itself given back as it is.
func checkMended(t *testing.T, rev news.Revision) {
	t.Helper()
	data, faults, err := marshal(&rev, mirror())
	if err != nil {
		t.Fatal(err)
	}
	name, err := FileName(&rev)
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) == 0 && (string(data) != string(rev.File) || FileURL(name) != rev.URL) {
		t.Fatalf("got %s\n%q, want %s\n%q", name, data, rev.URL, rev.File)
	}
	again := imported(t, name, string(data))
	twice, faults, err := marshal(&again, mirror())
	if err != nil || len(faults) > 0 || string(twice) != string(data) {
		t.Errorf("%v, mended once more because of %q:\n%q\nwas\n%q", err, faults, twice, data)
	}
	rev.Foot, again.Foot = "", "" // which may have got its link, and that the code's letters
	rev.InfoCode, again.InfoCode = "", ""
	if diff := cmp.Diff(rev.Post, again.Post); diff != "" {
		t.Errorf("%q was mended to another post:\n%s", rev.File, diff)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		name, text string
		want       error
	}{
		"a page":           {"index.md", "# 首页\n", ErrNoFrontMatter},
		"nothing":          {"2022-05-26-a.md", "", ErrNoFrontMatter},
		"neither":          {"2022-05-26-a.md", "---\nlayout: post\n---\n", ErrNothing},
		"no day":           {"about.md", "---\ntitle: 关于\n---\n文", ErrNameless},
		"too much to read": {"2022-05-26-a.md", "---\ntitle: 题\n---\n" + strings.Repeat("文", maxMarkdown), ErrMarkdown},
		"quotes in quotes": {"2022-05-26-a.md", "---\ntitle: 题\n---\n" + strings.Repeat("> ", maxNested+1) + "文", ErrMarkdown},
		"lists in lists":   {"2022-05-26-a.md", "---\ntitle: 题\n---\n文\n" + strings.Repeat("- > 1. ", maxNested/2) + "文", ErrMarkdown},
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := newReader(t).Read(fileCapture(test.name, test.text)); !errors.Is(err, test.want) {
				t.Errorf("got %+v, %v, want %v", p.Post, err, test.want)
			}
		})
	}
}

// TestReadOwnPage: a post without infoCode is the page that Jekyll makes of it.
func TestReadOwnPage(t *testing.T) {
	r := newReader(t)
	const text = "---\nlayout: post\ntitle: \"开站大吉\"\ndate: 2021-12-07 09:00:00 +0800\ncategories: A b\n---\n开站。"
	rev := imported(t, "2021-12-07-kaizhan.md", text)
	if want := r.site.PostID([]string{"A", "b"}, 20211207, "kaizhan"); rev.ID != want || rev.InfoCode != "" {
		t.Errorf("got %s, want %s", rev.ID, want)
	}
	checkMended(t, rev)
	named := imported(t, "2021-12-07-kaizhan.md", strings.Replace(text, "categories", "post_id: 20211207-0123456789abcdef\ncategories", 1))
	if named.ID != "20211207-0123456789abcdef" {
		t.Errorf("got %s", named.ID)
	}
}

// TestRoundTripGenerated holds import and export to each other over posts of
// all forms: those without a fault come back byte for byte, the others mended.
func TestRoundTripGenerated(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	broken := 0
	for n := range 4000 {
		name, text, faults := draw(r, n)
		rev := imported(t, name, text)
		_, found, err := marshal(&rev, mirror())
		if err != nil {
			t.Fatal(err)
		}
		if (len(found) > 0) != (faults > 0) {
			t.Fatalf("%d faults put in, found %q in %s\n%s", faults, found, name, text)
		}
		broken += min(faults, 1)
		checkMended(t, rev)
		if t.Failed() {
			t.FailNow()
		}
	}
	if broken < 1000 || broken > 3000 {
		t.Errorf("%d of 4000 posts were broken", broken)
	}
}

// draw makes a post's file, with so many faults.
func draw(r *rand.Rand, n int) (name, text string, faults int) {
	code := fmt.Sprintf("NW20211222%010d", n)
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	slug, zone, date := code, " +0800", "2021-12-22 10:37:15"
	title := pick("“B乎”商标被驳回", "A股：涨停 -- 3%", "#题 [一]", "  前后有空  ", `反斜\\杠`, "*星*", "说{{ x }}", "{% raw")
	category, tag := pick("cebao", "Career  In touxing", "anxin(xianggang)", "21caijing"), "测报新闻"
	body := pick("<p>正文。</p>", ordinary, "　　纯文本，A & B。", "一段。\n\n* 列\n* 表\n\n二段<b>粗</b>", "\n> 提要\n\n<span>内</span>文", "<div><p>未闭", "```\n码\n```", "| 表 | 格 |\n|---|---|\n| 1 | 2 |")
	share := "<http://s.example/NewsShare.html?infoCode=" + code + ">"
	back := "[返回测报新闻](//m.example/category/" + strings.ReplaceAll(category, " ", "%20") + ".html)｜[返回首页](//m.example/)"
	if r.IntN(3) == 0 { // the oldest form
		slug, zone, category, tag = code[2:], pick("", " +0800"), "emnews", "东财滚动新闻"
		share = "<http://f.example/news/1355," + slug + ".html>"
		back = "[返回东财滚动新闻](../emnews/)\n[返回首页](../)"
	}
	name = "2021-12-22-" + slug + ".md"
	if r.IntN(8) == 0 {
		title, faults = title+pick(`"引"`, `"`, `\q`), faults+1
	}
	if r.IntN(8) == 0 {
		date, zone, faults = "", " +0800", faults+1
		name = pick(name, "-"+slug+".md")
	}
	if r.IntN(8) == 0 {
		title, faults = "", faults+1
	}
	if r.IntN(8) == 0 {
		share, faults = "<>", faults+1
	}
	if r.IntN(8) == 0 {
		body, faults = body+"{{ x }}{% y", faults+1
	}
	text = "---\nlayout: post\ntitle: \"" + title + "\"\ndate: " + date + zone + "\ncategories: " + category + "\ntags: " + tag + "\n---\n" +
		body + "\n\n" + share + "\n\n" + back + pick("", "\n")
	return name, text, faults
}

// FuzzRead asks that whatever is read can be exported without a fault, as the
// same post, and reads the same from that.
func FuzzRead(f *testing.F) {
	f.Add("2021-12-08-202112082206735975.md", oldest)
	f.Add("-202205262391921712.md", "---\ntitle: \"关于\"双减\"\"\ndate:  +0800\n---\n<p>{{</p>\n\n<>\n\n[返回首页](../)")
	f.Add("2021-12-07-kaizhan.md", "---\ntitle: 000001\ncategories: [a, b]\ntags: !x y\n...\n文")
	f.Add("a.markdown", "\uFEFF---\r\ntitle: |\r\n  a\r\ndate: 2021-12-22\r\npost_id: 20211207-0123456789abcdef")
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 50 {
		name, text, _ := draw(r, n)
		f.Add(name, text)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
			return // no file is called so
		}
		c := fileCapture(name, text)
		p, err := newReader(t).Read(c)
		if err != nil {
			return
		}
		if p.Post.ID == "" || p.Post.Title == "" || p.Post.InfoCode != "" && p.Post.InfoCode.ID() != p.Post.ID {
			t.Fatalf("got %+v", p.Post)
		}
		rev := news.Revision{Post: *p.Post, URL: c.URL, File: c.Body}
		data, faults, err := marshal(&rev, mirror())
		if err != nil {
			return // no day
		}
		if len(faults) == 0 && string(data) != text {
			t.Fatalf("got %q, want %q", data, text)
		}
		named, err := FileName(&rev)
		if err != nil {
			t.Fatal(err)
		}
		s, err := parse(named, data)
		if err != nil || len(s.faults) > 0 {
			t.Fatalf("%v, %q is wrong with %s\n%q", err, s.faults, named, data)
		}
		again, err := newReader(t).Read(fileCapture(named, string(data)))
		if err != nil || again.Post.Title != rev.Title || again.Post.Category != rev.Category {
			t.Errorf("%v, got %+v, want %+v", err, again.Post, rev.Post)
		}
	})
}
