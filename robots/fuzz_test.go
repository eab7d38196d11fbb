package robots_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/finarc/finarc/robots"
)

// FuzzParse: whatever the file, it is read without a panic, the same each time and
// with any line ends, robots.txt stays allowed, and verdicts are those of reading
// it in the plainest way.
func FuzzParse(f *testing.F) {
	for _, c := range verdicts {
		for _, a := range addresses(c.allowed + " " + c.disallowed) {
			f.Add([]byte(c.file), c.agent, a)
		}
	}
	f.Add([]byte("User-agent: *\nCrawl-delay: 1.5\nSitemap: https://foo.example/\n"), "foobot", "/")
	f.Fuzz(func(t *testing.T, body []byte, agent, address string) {
		rules := robots.Parse(body)
		g := rules.Group(agent)
		if !g.Allowed("/robots.txt") {
			t.Error("robots.txt is not allowed")
		}
		if d, ok := g.CrawlDelay(); d < 0 || !ok && d != 0 {
			t.Errorf("a delay of %v, %v", d, ok)
		}
		if len(body) > robots.MaxBytes/2 {
			return // with other line ends another part would count
		}
		lf := bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
		for _, end := range []string{"\n", "\r", "\r\n", "\n\n", " # \n"} {
			again := robots.Parse(bytes.ReplaceAll(lf, []byte("\n"), []byte(end)))
			if got, want := say(again, agent, address), say(rules, agent, address); got != want {
				t.Errorf("%s, but with lines that end in %q %s", want, end, got)
			}
		}
		if len(body)+len(address) < 1<<10 {
			if got, want := g.Allowed(address), naive(string(body), agent, address); got != want {
				t.Errorf("%q is allowed: %v, want %v", address, got, want)
			}
		}
	})
}

// FuzzMatch: of two rules made of few octets, the one that the plainest reading
// finds decides.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][3]string{
		{"/*a*a*b", "/*a$", "/aaab"}, {"/?b=%3a", "/?b=:", "/?b=%3A"}, {"*?*%2f", "/**%", "/a?%2F"},
		{"/%2a$", "/%2A$$", "/*$"}, {"/%41%", "/A%2", "/A%252"}, {"/ツ", "/%E3*", "/%e3%83%84"}, {"*", "**b*:", "?b%%33A"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, disallow, allow, address string) {
		body := "User-agent: *\nDisallow: " + disallow + "\nAllow: " + allow + "\n"
		if len(body)+len(address) > 1<<10 {
			return
		}
		if got, want := robots.Parse([]byte(body)).Group("foobot").Allowed(address), naive(body, "foobot", address); got != want {
			t.Errorf("%q is allowed: %v, want %v", address, got, want)
		}
	})
}

// say returns all that a file says to an agent about an address.
func say(r *robots.Rules, agent, address string) string {
	g := r.Group(agent)
	delay, ok := g.CrawlDelay()
	return fmt.Sprintf("allowed %v, delay %v %v, sitemaps %q", g.Allowed(address), delay, ok, r.Sitemaps())
}

// naive is the verdict again, found in the plainest way: with regular expressions,
// no order of rules and no care for time.
func naive(body, agent, address string) bool {
	address, _, _ = strings.Cut(address, "#")
	address = "/" + strings.TrimPrefix(address, "/")
	if naiveNormal(address) == "/robots.txt" {
		return true
	}
	agent = naiveToken.FindString(agent)
	allowed, longest := true, 0
	for _, r := range naiveRules(body, agent) {
		switch n := naiveMatch(r.pattern, address); {
		case n > longest:
			allowed, longest = r.allow, n
		case n == longest && n > 0:
			allowed = allowed || r.allow
		}
	}
	return allowed
}

type naiveRule struct {
	allow   bool
	pattern string
}

const blank = `[ \t\v\f\x00]`

var (
	naiveToken = regexp.MustCompile(`^[A-Za-z_-]*`)
	naiveAll   = regexp.MustCompile(`^\*(` + blank + `|$)`)
	naiveMark  = regexp.MustCompile(`^(\x{EF}(\x{BB}\x{BF}?)?)?`)
	naiveEnd   = regexp.MustCompile(`\r|\n`)
	naiveName  = `(user-?agent|user agent|allow|dis?sallow|dissalow|disalow|diasllow|disallaw|crawl-?delay|crawl delay|site-?map)`
	naiveLine  = regexp.MustCompile(`(?is)^` + naiveName + `[^:]*:` + blank + `*(.*?)$`)
	naiveWords = regexp.MustCompile(`(?is)^` + naiveName + `[^: \t\v\f\x00]*` + blank + `+([^: \t\v\f\x00][^ \t\v\f\x00]*)$`)
)

// latin1 makes a character of each octet, so that regular expressions see octets.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

// naiveRules returns the rules for an agent, each octet as a character.
func naiveRules(body, agent string) []naiveRule {
	body = latin1(body)
	body = body[len(naiveMark.FindString(body)):]
	own, all := []naiveRule{}, []naiveRule{}
	var named, inOwn, inAll, ruled bool
	for _, text := range naiveEnd.Split(body, -1) {
		text, _, _ = strings.Cut(text, "#")
		text = strings.Trim(text, " \t\v\f\x00")
		m := naiveWords.FindStringSubmatch(text)
		if m == nil {
			m = naiveLine.FindStringSubmatch(text)
		}
		if m == nil {
			continue
		}
		value := m[2]
		switch name := strings.ToLower(m[1]); name[0] {
		case 'u':
			if ruled {
				inOwn, inAll, ruled = false, false, false
			}
			if agent != "" && strings.EqualFold(naiveToken.FindString(value), agent) {
				inOwn, named = true, true
			}
			inAll = inAll || naiveAll.MatchString(value)
		case 'a', 'd':
			ruled = true
			if inOwn {
				own = append(own, naiveRule{name[0] == 'a', value})
			}
			if inAll {
				all = append(all, naiveRule{name[0] == 'a', value})
			}
		}
	}
	if named {
		return own
	}
	return all
}

var (
	naiveOctet = regexp.MustCompile(`(?s)%[0-9A-Fa-f]{2}|.`) // as it is written
	naiveKept  = regexp.MustCompile(`^[0-9A-Za-z._~*$-]$`)
)

func naiveNormal(address string) string {
	return strings.Join(naiveOctets(latin1(address), false), "")
}

// naiveOctets returns the octets of a text, each in one spelling.
func naiveOctets(text string, loose bool) []string {
	octets, query := naiveOctet.FindAllString(text, -1), false
	for i, o := range octets {
		c := int([]rune(o)[0])
		if len(o) == 3 && o[0] == '%' {
			fmt.Sscanf(o[1:], "%X", &c)
			octets[i] = fmt.Sprintf("%%%02X", c)
			if s := string(rune(c)); naiveKept.MatchString(s) || query && loose && strings.Contains(":/?[]@!'(),;", s) {
				octets[i] = s
			}
		} else if c <= ' ' || c > '~' || strings.ContainsRune("\"<>\\^`{|}", rune(c)) {
			octets[i] = fmt.Sprintf("%%%02X", c)
		}
		query = query || o == "?"
	}
	return octets
}

// naiveMatch returns how specific a match is, or 0 for none.
func naiveMatch(pattern, address string) int {
	octets, matches := 0, false
	for _, loose := range []bool{false, true} {
		spelt, expression := naiveOctets(pattern, loose), "(?s)^"
		for i, o := range naiveOctet.FindAllString(pattern, -1) {
			switch {
			case o == "*":
				expression += ".*"
			case o == "$" && i == len(spelt)-1:
				expression += "$"
			default:
				expression += regexp.QuoteMeta(spelt[i])
			}
		}
		octets = len(strings.Join(spelt, ""))
		matches = matches || regexp.MustCompile(expression).MatchString(strings.Join(naiveOctets(latin1(address), loose), ""))
	}
	if !matches {
		return 0
	}
	return octets
}
