package jekyll

import (
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
)

func TestFileName(t *testing.T) {
	const code = "NW202112220000000001"
	const id, own = "202112220000000001", "20211222-0123456789abcdef"
	for name, test := range map[string]struct {
		id            news.ID
		code          news.InfoCode
		url, category string
		want          string
	}{
		"by its address":              {id, code, "https://m.example/cebao/2021/12/22/" + code + ".html", "cebao", "2021-12-22-" + code + ".md"},
		"letters as in the address":   {id, code, "https://m.example/emnews/2021/12/22/" + id + ".html", "emnews", "2021-12-22-" + id + ".md"},
		"of two categories":           {id, code, "https://m.example/a/b/2021/12/22/" + code + ".html?x=1#y", "a b", "2021-12-22-" + code + ".md"},
		"another post's address":      {id, code, "https://m.example/a/2021/12/22/NW202112220000000002.html", "a", "2021-12-22-" + code + ".md"},
		"an address without code":     {id, code, "https://m.example/a/2021/12/22/biaoti.html", "a", "2021-12-22-" + code + ".md"},
		"a share page":                {id, code, "http://s.example/NewsShare.html?infoCode=" + code, "a", "2021-12-22-" + code + ".md"},
		"rolling news from elsewhere": {id, code, "http://s.example/text", "emnews", "2021-12-22-" + id + ".md"},
		"code without letters":        {id, id, "", "a", "2021-12-22-" + id + ".md"},
		"the site's own page":         {own, "", "https://m.example/a/2021/12/22/%E5%BC%80%E7%AB%99.html", "a", "2021-12-22-开站.md"},
		"own page of a hostile name":  {own, "", "https://m.example/a/2021/12/22/..%5C..%5Ca%20b%00%0A%3F.html", "a", "2021-12-22-a-b.md"},
		"own page of dots":            {own, "", "https://m.example/a/2021/12/22/a..b...html", "a", "2021-12-22-a.-b.md"},
		"own page of a slash":         {own, "", "https://m.example/a/2021/12/22/%2Fetc%2Fpasswd.html", "a", "2021-12-22-" + own + ".md"},
		"own page of no name":         {own, "", "https://m.example/a/2021/12/22/.html", "a", "2021-12-22-" + own + ".md"},
		"own page elsewhere":          {own, "", "https://m.example/about/", "a", "2021-12-22-" + own + ".md"},
		"no address":                  {own, "", "::", "a", "2021-12-22-" + own + ".md"},
		"a long name":                 {own, "", "https://m.example/2021/12/22/" + strings.Repeat("长", 90) + ".html", "a", "2021-12-22-" + strings.Repeat("长", 55) + ".md"},
		"a code that would be cut":    {id, code, "https://m.example/2021/12/22/" + strings.Repeat("a", 160) + "-" + code + ".html", "a", "2021-12-22-" + code + ".md"},
	} {
		t.Run(name, func(t *testing.T) {
			rev := news.Revision{Post: news.Post{ID: test.id, InfoCode: test.code, Category: test.category}, URL: test.url}
			if got, err := FileName(&rev); err != nil || got != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
			if len(test.want) > maxName {
				t.Errorf("%q has %d bytes", test.want, len(test.want))
			}
		})
	}
}

func TestPathName(t *testing.T) {
	for _, s := range []string{"21caijing", "21shijijingjibaodao 21caijingAPP", "Career  In touxingPEVC", "anxinguojizhengquan(xianggang)", "中文", "console", "com10"} {
		if got := pathName(s); got != s {
			t.Errorf("%q: got %q, want it as it is", s, got)
		}
	}
	seen := map[string]string{}
	for _, s := range append(hostileCategories()[6:23], "", "CON", "lpt¹", "aux.html", "nul .x", ".", "...", "a.", "a ", "\xff", "\u202E") {
		got := pathName(s)
		if !isPathName(got) || got == s {
			t.Errorf("%q: got %q", s, got)
		}
		if other, taken := seen[strings.ToLower(got)]; taken && other != s {
			t.Errorf("%q and %q are both %q", s, other, got)
		}
		seen[strings.ToLower(got)] = s
	}
}
