package robots_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/finarc/finarc/robots"
)

// many returns a file of 200 rules, every tenth with wildcards.
func many() []byte {
	var b strings.Builder
	b.WriteString("User-agent: *\nCrawl-delay: 1\n")
	for i := range 200 {
		if i%10 == 0 {
			fmt.Fprintf(&b, "Disallow: /*/print-%d/*.pdf$\n", i)
		} else {
			fmt.Fprintf(&b, "Disallow: /category-%d/\n", i)
		}
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	body := many()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		robots.Parse(body).Group("finarc")
	}
}

// BenchmarkAllowed asks for addresses that no rule matches, so that all are tried.
func BenchmarkAllowed(b *testing.B) {
	g := robots.Parse(many()).Group("finarc")
	for name, address := range map[string]string{
		"post":    "/yanlancaijing/2021/12/22/NW202112222222541259.html",
		"encoded": "/%E8%A8%80%E5%B2%9A/%e8%b4%a2%e7%bb%8f/?from=https%3A%2F%2Fmirror.example%2F",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !g.Allowed(address) {
					b.Fatal("disallowed")
				}
			}
		})
	}
}
