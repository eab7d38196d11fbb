package page

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
)

// refused are pages that come in the place of others, and what they are.
var refused = []struct {
	name, page string
	want       error
}{
	{"challenge", `<!DOCTYPE html><html><head><title>Just a moment...</title><meta http-equiv="refresh" content="360"></head><body><div id="challenge-body-text">Enable JavaScript and cookies to continue</div><script>window._cf_chl_opt={}</script></body></html>`, ErrBlocked},
	{"challenge in Chinese", `<title>请稍候…</title><h1>mirror.example</h1><p>正在验证您是否是真人。这可能需要几秒钟时间。</p><script src="/cdn-cgi/challenge-platform/h/b"></script>`, ErrBlocked},
	{"attention", `<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1><h2>You are unable to access mirror.example</h2><p>This website is using a security service to protect itself from online attacks. The action you just performed triggered the security solution. There are several actions that could trigger this block including submitting a certain word or phrase, a SQL command or malformed data.</p><p>You can email the site owner to let them know you were blocked.</p>`, ErrBlocked},
	{"access denied", `<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>You don't have permission to access "/a.html" on this server.<P>Reference #18.1f</P></BODY></HTML>`, ErrBlocked},
	{"forbidden", `<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></body></html>`, ErrBlocked},
	{"too many requests", `<title>429 Too Many Requests</title><h1>Too Many Requests</h1>`, ErrBlocked},
	{"maintenance", `<title>系统维护中</title><h1>系统维护中，请稍后访问</h1><p>维护预计两小时后结束。</p>`, ErrBlocked},
	{"bad gateway", `<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>`, ErrBlocked},
	{"rate limit in Chinese", `<title>访问过于频繁</title><h1>抱歉，您的访问过于频繁，请稍后再试</h1>`, ErrBlocked},
	{"rate limit under a plain heading", `<title>系统提示</title><h1>提示</h1><p>您的请求过于频繁，请稍后重试。</p>`, ErrBlocked},
	{"captcha in Chinese", `<title>安全验证</title><h2>请完成安全验证</h2><p>请输入图中的字符后继续访问</p><form><img src="/captcha.php"><input name="code"></form>`, ErrBlocked},
	{"slider", `<title>滑块验证</title><div class="slide-verify"></div><p>请拖动滑块完成拼图</p><script>go()</script>`, ErrBlocked},
	{"slider without words", `<html><body><div id="nc_1_wrapper"></div><script src="/nc.js"></script></body></html>`, ErrBlocked},
	{"firewall", `<title>网站防火墙</title><h1>网站防火墙</h1><p>您的请求带有不合法参数，已被网站管理员设置拦截！</p>`, ErrBlocked},
	{"ban", `<h1>403</h1><p>您的IP地址已被封禁，如有疑问请联系管理员。</p>`, ErrBlocked},
	{"cookie challenge", `<html><head><script>document.cookie="acw_sc__v2="+f();location.reload()</script></head><body></body></html>`, ErrBlocked},
	{"robot check", `<title>Robot Check</title><form action="/c"><p>Type the characters you see in this image</p><input></form>`, ErrBlocked},
	{"login", `<title>用户登录</title><form action="/login"><input name="user"><input type="password" name="pass"><button>登录</button></form>`, ErrLogin},
	{"login in English", `<title>Sign in | Example</title><h1>Sign in</h1><form><input type=email><button>Next</button></form>`, ErrLogin},
	{"login without a heading", `<html><body><form action="/j"><input type='text'><input type='PASSWORD'></form></body></html>`, ErrLogin},
	{"login by script", `<title>登录 - 某某网</title><div id="app"></div><script src="/app.js"></script>`, ErrLogin},
	{"login, please", `<h1>请先登录</h1><p>登录后可继续阅读</p><form action="/in"><input name="phone"></form>`, ErrLogin},
}

// everywhere are the kinds of pages.
var everywhere = hostileKinds

func TestReadRefused(t *testing.T) {
	for _, test := range refused {
		for _, k := range everywhere {
			_, err := newSite(t).Read(capture(k.kind, k.address, test.page))
			if !errors.Is(err, test.want) || !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), k.address) {
				t.Errorf("%s as %s: err = %v, want %v", test.name, k.kind, err, test.want)
			}
		}
	}
}

func TestReadBlank(t *testing.T) {
	for _, body := range []string{"", " \r\n\t", "\u3000\u00a0", "\xEF\xBB\xBF\n", "\xFF\xFE", "\x00\x00"} {
		for _, k := range everywhere {
			if _, err := newSite(t).Read(capture(k.kind, k.address, body)); !errors.Is(err, ErrBlank) && body != "\x00\x00" || !errors.Is(err, ErrUnreadable) {
				t.Errorf("%q as %s: err = %v", body, k.kind, err)
			}
		}
	}
}

// What comes in a post's place may have a date in small print and a heading,
// and stand under the post's address.
func TestReadPostRefused(t *testing.T) {
	const date = "<small>2021-12-22 10:37:15</small>"
	for _, test := range []struct {
		name, page string
		want       error
	}{
		{"dated block page", date + `<h1>访问过于频繁</h1><p>请稍后再试</p>`, ErrBlocked},
		{"dated, and back", date + `<h1>安全验证</h1><p>请完成安全验证</p><p><a href="/">返回首页</a></p>`, ErrBlocked},
		{"stamped", testStamp + `<h1>Access Denied</h1><p>Your IP has been blocked.</p>`, ErrBlocked},
		{"stamped, under a plain heading", testStamp + `<h1>提示</h1><p>您的访问过于频繁，请输入验证码。</p>`, ErrBlocked},
		{"dated, in the layout", articleParts{date, "拒绝访问", "<p>您没有权限访问此页面。</p>", "", ""}.page(), ErrBlocked},
		{"dated, with other words", date + `<h1>尊敬的读者</h1><p>系统检测到您的网络环境异常，完成验证后即可继续访问。</p>`, ErrBlocked},
		{"dated challenge", date + `<h1>mirror.example</h1><div class="g-captcha"></div>`, ErrBlocked},
		{"dated login", date + `<h1>欢迎</h1><form><input type="password"></form>`, ErrLogin},
		{"stamped login", testStamp + `<h1>用户登录</h1><form><input type="password"></form>`, ErrLogin},
		{"missing", date + `<h1>404</h1><h2>页面不存在</h2><p>您访问的页面已被删除</p>`, ErrUnreadable},
		{"missing, and back", `<h1>页面不存在</h1><p>您要查看的内容可能已经过期。</p><p><a href="/">返回首页</a></p>`, ErrUnreadable},
		{"dated, and back to where one came from", date + `<h1>访问受限</h1><p>请求过于频繁</p><p><a href="javascript:history.back()">返回上一页</a>｜<a href="/news/">返回列表</a></p>`, ErrBlocked},
		{"anything, and back", `<h1>欢迎光临</h1><p>甲</p><p><a href="/">返回首页</a></p>`, ErrUnreadable},
		{"home", homePage(""), ErrHome},
		{"dated home", homePage(date), ErrHome},
		{"stamped home", homePage(testStamp), ErrHome},
		{"categories", `<h1>分类</h1>` + fill(2000, func(i int) string { return fmt.Sprintf(`<a href="/category/c%d.html">甲</a>`, i) }), ErrHome},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newSite(t).Read(capture(news.KindPost, testURL, test.page))
			if !errors.Is(err, test.want) || !errors.Is(err, ErrUnreadable) {
				t.Errorf("err = %v, want %v", err, test.want)
			}
		})
	}
	home := capture(news.KindPost, "https://mirror.example/", "<h1>金融消息</h1><p>今日无消息</p>")
	if _, err := newSite(t).Read(home); !errors.Is(err, ErrHome) {
		t.Errorf("sent on to the home page: err = %v", err)
	}
	share := capture(news.KindShare, shareURL, strings.ReplaceAll(homePage(""), `href="/`, `href="https://mirror.example/`))
	if _, err := newSite(t).Read(share); !errors.Is(err, ErrHome) {
		t.Errorf("in place of a share page: err = %v", err)
	}
}

// homePage is a home page of the mirror with small print above its heading.
func homePage(small string) string {
	var b strings.Builder
	for i := range 25 {
		fmt.Fprintf(&b, `<li><a href="/emnews/2021/12/22/NW2021122222223%05d.html">第%d条：市场早间走势与要闻概览</a></li>`, i, i)
	}
	return strings.NewReplacer("{title}", "首页", "{article}", small+"<h1>首页</h1><ul>"+b.String()+"</ul>").Replace(layout)
}

// Articles about what turns readers away are articles.
func TestReadPostAboutRefusals(t *testing.T) {
	long := "<p>" + strings.Repeat("业内人士介绍，黑产团伙批量注册账号，再以接码平台收取短信，", 30) + "</p>"
	login := `<div class="login"><form action="/login"><input type="password"></form></div>`
	for _, test := range []struct {
		name  string
		parts articleParts
	}{
		{"whole, on captchas", articleParts{testStamp, "验证码", "<p>访问过于频繁，请输入验证码。</p>", testFoot, testTags}},
		{"whole, on logins", articleParts{testStamp, "登录", "<p>请先登录。</p>" + login, testFoot, testTags}},
		{"foot alone", articleParts{"", "访问受限", "<p>多家平台访问受限。</p>", testFoot, ""}},
		{"tags alone", articleParts{"", "Access Denied", "<p>制裁名单扩大。</p>", "", testTags}},
		{"stamp, long", articleParts{testStamp, "验证码背后的灰色产业链", long + "<p>系统提示“访问过于频繁，请稍后再试”。</p>", "", ""}},
		{"stamp, long, under a short title", articleParts{testStamp, "验证码", long, "", ""}},
		{"stamp, short", articleParts{testStamp, "多家银行升级登录验证码", "<p>12月22日，多家银行公告称，将升级登录环节的短信验证码。</p>", "", ""}},
		{"stamp, flash", articleParts{testStamp, "某交易所App提示访问过于频繁", "<p>多名投资者反映，打开App时提示“访问过于频繁，请稍后再试”。公司回应称正在抢修。</p>", "", ""}},
		{"stamp, on a fine", articleParts{testStamp, "网信部门约谈平台：不得以安全验证为由拒绝访问", "<p>要求不得要求用户拖动滑块。</p>", "", ""}},
		{"stamp, with a login box", articleParts{testStamp, "券商登录系统上线新版本", "<p>新版本今日上线。</p>" + login, "", ""}},
		{"date, long", articleParts{"<small>2021-12-22 10:37</small>", "登录信息泄露调查", long, "", ""}},
		{"date, short", articleParts{"<small>2021-12-22 10:37</small>", "央行开展逆回购操作", "<p>央行今日开展100亿元逆回购操作。</p>", "", ""}},
		{"date, short, on a login", articleParts{"<small>2021-12-22 10:37</small>", "个税App登录人数创新高", "<p>今日登录人数创新高。</p>", "", ""}},
		{"stamp, blocked road", articleParts{testStamp, "大雪：高速禁止通行", "<p>多条高速封闭，请司机稍后再出行。</p>", "", ""}},
		{"stamp, very short", articleParts{testStamp, "快讯", "<p>沪指涨1%。</p>", "", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := mustRead(t, capture(news.KindPost, testURL, test.parts.page())).Post
			if p.Title != test.parts.title || p.Body != test.parts.body {
				t.Errorf("title %q, body %q", p.Title, p.Body)
			}
		})
	}
}

// A post may list others, in its body or beside it.
func TestReadPostWithLinks(t *testing.T) {
	links := fill(1500, func(i int) string {
		return fmt.Sprintf(`<li><a href="/emnews/2021/12/22/NW20211222222230%04d.html">甲</a></li>`, i)
	})
	for name, page := range map[string]string{
		"beside":     strings.Replace(articleParts{testStamp, "题", "<p>短讯。</p>", "", ""}.page(), "</main>", "</main><ul>"+links+"</ul>", 1),
		"in a whole": whole("<ul>" + links + "</ul>"),
		"in a text":  articleParts{testStamp, "题", "<p>" + strings.Repeat("盘面上，两市成交活跃。", 40) + "</p><ul>" + links + "</ul>", "", ""}.page(),
	} {
		if _, err := newSite(t).Read(capture(news.KindPost, testURL, page)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadShareRefused(t *testing.T) {
	for _, test := range []struct {
		name, page string
		want       error
	}{
		{"a note in the text's place", `<h1>提示</h1><p class="time">2021-12-22 10:37</p><div id="newsContent">访问过于频繁，请稍后再试</div>`, ErrBlocked},
		{"a challenge with scripts", `<title>安全验证</title><script src="/v.js"></script><div id="captcha"></div>`, ErrBlocked},
		{"a login with scripts", `<title>登录</title><script src="/v.js"></script><form><input type="password"></form>`, ErrLogin},
		{"an article", `<h1>验证码</h1><p class="time">2021-12-22 10:37</p><div id="newsContent">` + strings.Repeat("正文说，验证码是一门生意。", 60) + `</div>`, nil},
		{"a short article", `<h1>某平台访问受限 公司回应</h1><p class="time">2021-12-22 10:37</p><div id="newsContent">公司称，系服务器故障，访问受限，已恢复。</div>`, nil},
	} {
		if _, err := newSite(t).Read(capture(news.KindShare, shareURL, test.page)); !errors.Is(err, test.want) {
			t.Errorf("%s: err = %v, want %v", test.name, err, test.want)
		}
	}
}

func TestReadTextRefused(t *testing.T) {
	for body, want := range map[string]error{
		`{"code":429,"message":"slow down"}`:                                ErrBlocked,
		`{"code":-1,"msg":"访问过于频繁"}`:                                        ErrBlocked,
		`{"data":{"error":"Too many requests, try again later"}}`:           ErrBlocked,
		`{"status":"401"}`:                                                  ErrLogin,
		`{"code":1,"message":"请先登录"}`:                                       ErrLogin,
		`cb({"message":"login required"})`:                                  ErrLogin,
		`{"text":"<p>访问过于频繁，请稍后再试</p>"}`:                                    ErrBlocked,
		`{"title":"提示","text":"请输入验证码"}`:                                    ErrBlocked,
		`rate limit exceeded`:                                               ErrBlocked,
		`{"code":0,"message":"文章不存在"}`:                                      ErrEmpty,
		`{"infoCode":"NW202112222222306968","title":"验证码","text":"请输入验证码"}`: nil,
		`{"title":"平台提示访问过于频繁","showtime":"2021-12-22 10:37:15","text":"公司回应称访问过于频繁系误报"}`:    nil,
		`{"title":"短讯","text":"<p>沪指涨1%。</p>","code":403}`:                                   nil,
		`{"msg":"ok","data":{"text":"<p>沪指涨1%。</p>","infoCode":"NW202112222222306968"}}`:     nil,
		`{"code":200,"message":"success","text":"` + strings.Repeat("访问过于频繁说的是", 200) + `"}`: nil,
	} {
		if _, err := newSite(t).Read(capture(news.KindText, textURL, body)); !errors.Is(err, want) {
			t.Errorf("%.60s: err = %v, want %v", body, err, want)
		}
	}
}

// A list page without posts is one all the same, unless it turns the crawler
// away.
func TestReadListRefused(t *testing.T) {
	in := func(article string) string {
		return strings.NewReplacer("{title}", "甲", "{article}", article, `<a href="/beijingribao/2021/12/22/NW202112222222400001.html">下一篇</a>`, "").Replace(layout)
	}
	login := `<form action="/login"><input type="password"></form>`
	for _, test := range []struct {
		name, page string
		want       error
	}{
		{"no posts", in("<h1>甲</h1><ul></ul>"), nil},
		{"no posts, a note", in("<h1>甲</h1><p>暂无消息，请稍后再来。</p>"), nil},
		{"no posts, a login box", in("<h1>甲</h1><ul></ul>" + login), nil},
		{"nothing but a list", "<ul></ul>", nil},
		{"posts, one about it", in(`<ul><li><a href="/emnews/2021/12/22/NW202112222222306968.html">访问过于频繁</a></li></ul>`), nil},
		{"headings that link", in(`<h3><a href="/emnews/2021/12/22/NW202112222222306968.html">Access Denied</a></h3>`), nil},
		{"block page in the layout", in("<h1>访问过于频繁</h1><p>请稍后再试</p>"), ErrBlocked},
		{"login in the layout", in("<h1>用户登录</h1>" + login), ErrLogin},
		{"block page with hints", "<title>提示</title><h1>访问受限</h1><ul><li>请求过于频繁</li><li>使用了代理</li></ul>", ErrBlocked},
		{"login with hints", "<h1>欢迎</h1>" + login + "<ul><li>忘记密码</li></ul>", ErrLogin},
	} {
		for _, kind := range []news.PageKind{news.KindHome, news.KindCategory} {
			if _, err := newSite(t).Read(capture(kind, "https://mirror.example/category/a.html", test.page)); !errors.Is(err, test.want) || err != nil && test.want == nil {
				t.Errorf("%s as %s: err = %v, want %v", test.name, kind, err, test.want)
			}
		}
	}
	for name, page := range map[string]string{
		"feed":    `<feed xmlns="http://www.w3.org/2005/Atom"><title>访问受限</title></feed>`,
		"rss":     `<rss><channel><title>登录</title></channel></rss>`,
		"sitemap": `<urlset></urlset>`,
	} {
		if _, err := newSite(t).Read(capture(news.KindFeed, "https://mirror.example/feed.xml", page)); err != nil {
			t.Errorf("%s without entries: %v", name, err)
		}
	}
}
