package jekyll

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/news"
)

// build runs Jekyll over dir and returns the site's folder. It fails the test
// at anything that Jekyll complains of.
func build(t *testing.T, dir string) string {
	t.Helper()
	site := filepath.Join(t.TempDir(), "site")
	cmd := exec.Command(realtest.Program(t, "jekyll"), "build", "--strict_front_matter", "--disable-disk-cache", "-s", dir, "-d", site)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("jekyll build: %v\n%s", err, out)
	}
	for _, word := range []string{"warning", "error", "conflict", "invalid", "skipping", "could not"} {
		if strings.Contains(strings.ToLower(string(out)), word) {
			t.Errorf("jekyll build complains:\n%s", out)
			break
		}
	}
	return site
}

// export writes posts and the pages around them into a new folder.
func export(t *testing.T, revs []news.Revision) string {
	t.Helper()
	dir := t.TempDir()
	report, err := Export(context.Background(), dir, each(revs), ExportOptions{Options: mirror(), Categories: true})
	if err != nil || report.Written != len(revs) {
		t.Fatalf("got %+v, %v, want %d posts written", report, err, len(revs))
	}
	return dir
}

func mirror() Options {
	return Options{Site: "https://m.example/", Share: "http://s.example/NewsShare.html?infoCode={infoCode}"}
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

// numbered returns a post with a serial of its own.
func numbered(n int, title, body string) news.Revision {
	code := news.InfoCode(fmt.Sprintf("NW20211222%010d", n))
	return news.Revision{Post: news.Post{
		ID: code.ID(), InfoCode: code, Title: title, Body: body,
		Published: time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai),
		Category:  "cebao", Tag: "测报新闻", Outlet: "测报",
		Foot: foot(string(code), "cebao", "测报新闻"),
	}}
}

func foot(code, category, tag string) string {
	share := "http://s.example/NewsShare.html?infoCode=" + code
	return fmt.Sprintf(`<p><a href="%[1]s">%[1]s</a></p>`+"\n\n"+
		`<p><a href="//m.example/category/%[2]s.html">返回%[3]s</a>｜<a href="//m.example/">返回首页</a></p>`, share, category, tag)
}

// builtPage is a post's page as Jekyll built it.
type builtPage struct {
	title, small, tags string
	article            []*html.Node // what stands between title and tags
}

func readPage(t *testing.T, path string) builtPage {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var p builtPage
	var body *html.Node
	for n := range doc.Descendants() {
		if n.DataAtom == atom.Body {
			body = n
		}
	}
	var nodes []*html.Node
	for n := range body.ChildNodes() {
		nodes = append(nodes, n)
	}
	nodes = meaningful(nodes)
	if len(nodes) < 3 || nodes[0].DataAtom != atom.Small || nodes[1].DataAtom != atom.H1 || nodes[len(nodes)-1].DataAtom != atom.Small {
		t.Fatalf("%s is not laid out as a post:\n%s", path, data)
	}
	p.small, p.title, p.tags = textOf(nodes[0]), textOf(nodes[1]), textOf(nodes[len(nodes)-1])
	p.article = nodes[2 : len(nodes)-1]
	return p
}

func textOf(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

// meaningful drops the white space between blocks, which is all that Jekyll
// may change.
func meaningful(nodes []*html.Node) []*html.Node {
	var kept []*html.Node
	for _, n := range nodes {
		if n.Type == html.TextNode {
			if n.Data = strings.Trim(n.Data, " \t\r\n\f"); n.Data == "" {
				continue
			}
		}
		kept = append(kept, n)
	}
	return kept
}

// dump writes a tree so that equal trees have equal texts.
func dump(nodes []*html.Node) string {
	var b strings.Builder
	for _, n := range nodes {
		dumpNode(&b, n, 0)
	}
	return b.String()
}

func dumpNode(b *strings.Builder, n *html.Node, depth int) {
	fmt.Fprintf(b, "%*s%d %q %q\n", 2*depth, "", n.Type, strings.ReplaceAll(n.Data, "    {:/", "{:/"), n.Attr)
	for c := range n.ChildNodes() {
		dumpNode(b, c, depth+1)
	}
}

// fragments parses parts of a page one by one, as each is meant by itself.
func fragments(t *testing.T, parts ...string) []*html.Node {
	t.Helper()
	var nodes []*html.Node
	for _, part := range parts {
		parsed, err := parseFragment(strings.ToValidUTF8(part, "\uFFFD"))
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, parsed...)
	}
	return meaningful(nodes)
}

// settled returns the body, or, where no HTML says what a parser makes of it
// (as of blocks that stray out of tables), the nearest that does.
func settled(t *testing.T, body string) string {
	t.Helper()
	body = strings.ToValidUTF8(body, "\uFFFD")
	nodes, err := parseFragment(body)
	if err != nil {
		t.Fatal(err)
	}
	if isContained(body, nodes) {
		return body
	}
	said, err := render(nodes)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// hostileBodies are what kramdown, Liquid or the page around could stumble
// over, each with why.
func hostileBodies() []string {
	return []string{
		``,
		`文字在前<p>段落</p>`,
		`只有文字，没有标签`,
		`<span>行内</span><p>段落</p>`,
		`*星号* _下划线_ **粗** ~~删~~`,
		`# 井号开头`,
		"> 引用开头\n> 第二行",
		"1. 一\n2. 二\n* 三\n- 四",
		`[链接](http://a.example/) ![图](b.png) [引用][1]`,
		"[1]: http://a.example/\n\n[文][1] <p>x</p>",
		"`代码` 和 ``双``\n\n```\n围栏\n```",
		"    缩进四格\n\n    还是代码",
		"\t制表符开头",
		`$$ E = mc^2 $$ 与 $x$`,
		"{:.class #id}\n文字",
		"<p>甲</p>\n{:.class}\n<p>乙</p>",
		`{::comment}藏起来{:/comment}`,
		"{::nomarkdown}\n甲\n{:/nomarkdown}\n*乙*\n",
		"甲\n{:/}\n*乙*\n   {:/nomarkdown}  \n*丙*",
		"<script>\n{:/}\nvar a = '<b>' && 1;\n</script>",
		"<!--\n{:/}\n--><p title=\"\n{:/}\n\">甲</p>",
		"*[HTML]: 缩写\n\nHTML 与 \\*反斜线\\* 与行尾两空格  \n新行",
		"表 | 头\n---|---\n甲 | 乙",
		"<p>第一行\n\n第二行 *星*</p>",
		"<pre>\n\n  空 行\n\n\t缩进 *星* {{ 括号 }}\n</pre>",
		"<pre><code>a\n\n    b</code></pre><p>后</p>",
		`<p>换<br>行<br/>与<br />行</p>`,
		`<p>未闭合 <b>粗`,
		`<div><p>一<p>二<ul><li>三<li>四`,
		`</div></p></body></html>多余的结束标签`,
		`<b><p>交错</b></p>`,
		`<a href="/x">外<a href="/y">内</a></a>`,
		`<table><tr><td>单元格</table><p>后</p>`,
		`<table><p>寄养</p><tr><td>甲</td></tr></table>`,
		`<table border="1" width="100%"><tbody><tr><td nowrap>甲</td><td>乙 | 丙</td></tr></tbody></table>`,
		`<script>if (a < b && c > d) { document.write("<p>*x*</p>"); }</script><p>后</p>`,
		`<style>p > a { color: red }</style><p>后</p>`,
		`<script>未闭合`,
		`<!-- 未闭合`,
		`<!-- 双 -- 横 --><p>甲</p>`,
		`<!--><p>短注释</p>-->`,
		`<![CDATA[ 甲 ]]><?php echo 1 ?><!DOCTYPE html><p>乙</p>`,
		`<p>1 < 2 && 3 > 2，a<b，<中文></p>`,
		`<p>&nbsp;&copy;&#8212;&#x4e2d;&nbsp &copy &amp;nbsp; &unknown; &;&#;&#39 R&D a&b=c &regx</p>`,
		`<p><a href="?a=1&copy=2&amp;b=3&lt=4&reg" title='引"号'>链接</a></p>`,
		`<p align=center class="">属性</p>`,
		`<p width=100% data-x="a>b">属性</p>`,
		`<p class="a" class="b" markdown="1">*重复*</p>`,
		`<P CLASS="A">大写</P>`,
		`<p/>自闭合<div/>后`,
		`<p>"引号" 'x' -- --- ... << >> (c)</p>`,
		`"引号" 'x' -- --- ... << >> 排印`,
		"---\ntitle: 假\n---\n<p>文</p>",
		"---",
		"{% raw %}<p>甲</p>",
		"<p>{% include x %} {{ site.title }} {%</p>",
		"{{",
		" {% endraw %}\n\n{% if %}",
		`<p>{#{}#} { % }</p>`,
		"\n\n<p>空行在前</p>\n\n\n<p>后</p>\n",
		"<p>甲</p> <p>乙</p>  \n   <p>丙</p>\n    <p>丁</p>",
		"\u3000\u3000<p>\u3000\u3000全角空格</p>\u3000",
		"\uFEFF<p>BOM</p>",
		"<p>回车\r\n换行\r</p>\r\n<p>乙</p>",
		"<p>坏的\xff\xfe字节\x01\x02</p>",
		"<p>零\x00字节</p>",
		"<p>行分\u2028隔\u2029符\u0085</p>",
		`<iframe src="x"></iframe><video controls><source src="a"></video><svg><path d="M0"/></svg><math><mi>x</mi></math>`,
		`<form><input name=a><select><option>甲<option>乙</select><textarea>` + "\n*x*</textarea></form>",
		`<textarea>未闭合 <p>`,
		`<title>题</title><p>文</p>`,
		`<plaintext>一切 <p>都是 *文字*`,
		`<center>居中</center><font color="red">红</font>`,
		`<font color="red">红</font><p>段</p>`,
		`<hr><p>甲</p><hr /><p>乙</p>`,
		`<!-- EM_StockImg_Start --><p style="text-align:center;"><a href="http://q.example/unify/r/116.00001" data-code="00001|116|5"><img src="https://p.example/GetPic.aspx?nid=116.00001&imageType=k&token=0&at=1" border="0" alt="K图 00001_0" /></a></p><!-- EM_StockImg_End --><p>文<span id="stock_1.600000"><a href="http://q.example/unify/r/1.600000" class="keytip" data-code="1,600000">某股</a></span><span id="quote_1.600000"></span></p><p class="em_media">（文章来源：测报）</p>`,
		strings.Repeat(`<div>`, 300) + "深" + strings.Repeat(`</div>`, 300),
		`<blockquote><p>引</p></blockquote><ol><li>甲</li><li><p>乙</p></li></ol><dl><dt>丙</dt><dd>丁</dd></dl>`,
		`<p><div>块在段中</div></p>`,
		`[^1] 脚注` + "\n\n[^1]: 注",
		"标题\n====\n\n小题\n----",
		`<http://a.example/> <a@b.example>`,
		"<p>甲</p>乙",
		`<noscript><p>x</p></noscript>`,
		`<template><p>x</p></template>`,
		`<select><p>x</select>`,
		`<frameset><frame></frameset><p>x</p>`,
		`<head><meta charset="gbk"></head><body class="x"><p>x</p></body>`,
		`<p>` + "{:toc}\n* TOC\n{:toc}" + `</p>`,
		`<p id="{:">{::options auto_ids="true" /}</p>`,
		"<p>甲\n{:/nomarkdown}\n乙</p>",
	}
}

// randomBody strings together pieces that may or may not belong together.
func randomBody(r *rand.Rand) string {
	pieces := []string{
		"<p>", "</p>", "<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<a href=\"/a?b=1&c=2\">", "</a>", "<br>", "<br />", "<hr>",
		"<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<ul>", "<li>", "</li>", "</ul>", "<h3 class=\"emh3\">", "</h3>",
		"<pre>", "</pre>", "<!-- 注 -->", "<!--", "-->", "<span>", "</span>", "<img src=\"x\">", "<script>", "</script>",
		"文", "字 ", " ", "  ", "    ", "\n", "\n\n", "\t", "*", "**", "_", "`", "$$", "#", "> ", "- ", "1. ", "|", "[x](y)", "![", "]",
		"{:.a}", "{:/}", "{::nomarkdown}", "{:/nomarkdown}", "{{", "}}", "{% raw %}", "&", "&amp;", "&nbsp", "&#60;", "<", ">", "\"", "'",
		"\\", "--", "...", "---\n", "===\n", "~~~\n", "\u3000", ":", "^", "=", "{", "}", "*[a]: b\n", "[a]: /b\n",
	}
	var b strings.Builder
	for range 1 + r.IntN(14) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// randomBlocks makes blocks with matching tags, and nothing or little between
// them: what kramdown is trusted with.
func randomBlocks(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(4) {
		writeBlock(&b, r, 0)
		b.WriteString([]string{"", "", "", "\n", "\n\n", " ", "\n  "}[r.IntN(7)])
	}
	return b.String()
}

func writeBlock(b *strings.Builder, r *rand.Rand, depth int) {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	if depth == 0 && r.IntN(4) == 0 {
		b.WriteString(pick("<!-- 注 -->", "<!--\n\n# 注\n-->", "<hr>", "<hr />"))
	}
	name := pick("p", "p", "div", "h3", "ul", "li", "table", "tr", "td", "blockquote", "section", "dl", "dd", "center", "figure")
	if depth > 0 {
		name = pick("p", "div", "span", "a", "b", "font", "li", "td", "strong", "small", "sub", "label")
	}
	b.WriteString("<" + name + pick("", ` class="a"`, ` style="text-align:center;" id='x'`, ` href="?a=1&b=2&amp;c"`, ` nowrap`, ` width=3`, ` title="a > b *c* {:.d}"`) + ">")
	for range r.IntN(5) {
		b.WriteString(pick("文", "字*粗*", "_x_", "\n\n    码", "\n# 题\n", "[x](y)", "`c`", "$$m$$", "{:.a}", "\n{:.a}\n", "{:/}", "{::nomarkdown}",
			"&nbsp;", "&amp;", "&#60;", "&x", " & ", "\\*", "--", "\"q\"", "\n---\n", "\n> q\n", "\n- l\n", "\n1. l\n", "|a|b|", "> ", "<br>", "<br />",
			"<img src=\"x\" alt=\"K图\">", "<!-- c -->", "*[文]: x\n", "[^1]", "\t", "\u3000", "a\nb", "{#id}", "^", "~~s~~", "http://a.example", "<a@b.example>", "3 < 4"))
		if depth < 4 && r.IntN(3) == 0 {
			writeBlock(b, r, depth+1)
		}
	}
	b.WriteString("</" + name + ">")
}

// TestBodiesThroughJekyll builds a site of ordinary, hostile and random bodies
// and asks that each comes out with the DOM that it has by itself.
func TestBodiesThroughJekyll(t *testing.T) {
	bodies := hostileBodies()
	r := rand.New(rand.NewPCG(2021, 12))
	for range 300 {
		bodies = append(bodies, randomBody(r), randomBlocks(r))
	}
	var revs []news.Revision
	for i, body := range bodies {
		revs = append(revs, numbered(i+1, fmt.Sprint("题 ", i), body))
	}
	site := build(t, export(t, revs))
	for i, rev := range revs {
		got := readPage(t, filepath.Join(site, "cebao/2021/12/22", string(rev.InfoCode)+".html"))
		want := fragments(t, settled(t, rev.Body), rev.Foot)
		if dump(got.article) != dump(want) {
			text, _ := protect(rev.Body)
			t.Errorf("body %d: %q\nwritten %q\ngot\n%swant\n%s", i, rev.Body, text, dump(got.article), dump(want))
		}
	}
}
