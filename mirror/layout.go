package mirror

import "strings"

// siteTitle is the site's name, which ends every page's title.
const siteTitle = "金融消息"

const siteAbout = "财经新闻聚合：汇集各家媒体的公司、市场与政策消息，每五分钟更新一次，仅保留最近三天。"

// escaper escapes text for HTML, also between double quotes.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(s string) string { return escaper.Replace(s) }

// appendEscaped appends text escaped for HTML.
func appendEscaped(dst, text []byte) []byte {
	for _, c := range text {
		switch c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// beginPage appends the site's layout up to the content of a page. The title is
// given escaped, empty for home; the address as base and path.
func beginPage(dst, title []byte, base, path string) []byte {
	dst = append(dst, layoutHead...)
	if len(title) > 0 {
		dst = append(append(dst, title...), " | "...)
	}
	dst = append(dst, siteTitle+layoutNamed...)
	dst = append(append(dst, base...), path...)
	return append(dst, layoutOpen...)
}

// endPage appends the layout after the content.
func endPage(dst []byte) []byte { return append(dst, layoutFoot...) }

// missingPage appends the page that stands where there is none.
func missingPage(dst []byte, base string) []byte {
	dst = beginPage(dst, []byte("404"), base, "/404.html")
	dst = append(dst, "<div class=\"container\">\n<h1>404</h1>\n<p><strong>找不到页面</strong></p>\n<p>您要查看的新闻可能已经过期。</p>\n</div>\n"...)
	return endPage(dst)
}

// The layout, cut where pages put title, address and content.
const layoutHead = `<!DOCTYPE html>
<html lang="zh-CN">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="X-UA-Compatible" content="IE=edge">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="generator" content="Jekyll v4.2.1">
    <meta name="format-detection" content="telephone=no">
    <meta name="description" content="` + siteAbout + `">
    <title>`

const layoutNamed = `</title>
    <link rel="icon" type="image/png" sizes="32x32" href="/assets/favicon-32x32.png">
    <link rel="stylesheet" href="/assets/main.css">
    <link type="application/atom+xml" rel="alternate" href="/feed.xml" title="` + siteTitle + `">
    <link rel="canonical" href="`

const layoutOpen = `">
    <style>
      .site-header { border-top: 5px solid #424242; border-bottom: 1px solid #e8e8e8; min-height: 55px; }
      .page-content { padding: 30px 0; flex: 1 0 auto; line-height: 1.9; word-break: break-all; }
      .page-content img { max-width: 100%; height: auto; }
      .page-content small { color: #828282; }
      .em_media { text-align: right; color: #828282; font-size: 14px; }
      .emh3 { margin: 24px 0 12px; font-size: 18px; }
      @media screen and (max-width: 600px) { .wrapper { padding: 0 15px; } .footer-col { width: 100%; } }
    </style>
  </head>
  <body>
    <header class="site-header" role="banner">
      <div class="wrapper">
        <a class="site-title" rel="author" href="/">` + siteTitle + `</a>
        <nav class="site-nav">
          <input type="checkbox" id="nav-trigger" class="nav-trigger">
          <label for="nav-trigger"><span class="menu-icon"></span></label>
          <div class="trigger">
            <a class="page-link" href="/">首页</a>
            <a class="page-link" href="/feed.xml">订阅</a>
          </div>
        </nav>
      </div>
    </header>
    <main class="page-content" aria-label="Content">
      <div class="wrapper">
`

const layoutFoot = `
      </div>
    </main>
    <footer class="site-footer h-card">
      <data class="u-url" href="/"></data>
      <div class="wrapper">
        <h2 class="footer-heading">` + siteTitle + `</h2>
        <div class="footer-col-wrapper">
          <div class="footer-col footer-col-1">
            <ul class="contact-list"><li class="p-name">` + siteTitle + `</li><li>页面由程序生成，内容版权归原媒体所有</li></ul>
          </div>
          <div class="footer-col footer-col-2">
            <ul class="social-media-list"><li><a href="/feed.xml"><span class="username">Atom 订阅</span></a></li></ul>
          </div>
          <div class="footer-col footer-col-3"><p>` + siteAbout + `</p></div>
        </div>
        <p class="copyright">本站不提供投资建议。据此操作，风险自担。</p>
      </div>
    </footer>
    <script>
      document.querySelectorAll(".page-content img").forEach(function (img) {
        img.loading = "lazy";
        img.referrerPolicy = "no-referrer";
      });
    </script>
  </body>
</html>
`
