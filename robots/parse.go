package robots

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// Parse reads a robots.txt. It understands what it can and passes over the rest
// (RFC 9309, 2.3.1.5), so that it never fails. It keeps no reference to the body.
func Parse(body []byte) *Rules {
	rest, p := string(withoutMark(Heeded(body))), parser{rules: new(Rules)}
	for rest != "" {
		var text string
		text, rest = cutLine(rest)
		p.line(text)
	}
	return p.rules
}

// Heeded returns the lines that end within the first MaxBytes. Of a longer
// one, the part that is there would be another rule than its author wrote.
func Heeded(body []byte) []byte {
	if len(body) <= MaxBytes {
		return body
	}
	end := bytes.LastIndexAny(body[:MaxBytes+1], "\r\n") // -1 for none
	return body[:max(end, 0)]
}

// withoutMark returns a text without its byte order mark, or what is left of one.
func withoutMark(text []byte) []byte {
	for _, b := range []byte("\ufeff") {
		if len(text) == 0 || text[0] != b {
			break
		}
		text = text[1:]
	}
	return text
}

// cutLine cuts a text after its first line. CR, LF, or both, end it; of both,
// the second seems to end an empty line, which says nothing.
func cutLine(text string) (first, rest string) {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return text[:i], text[i+1:]
	}
	return text, ""
}

// parser gathers what the lines say.
type parser struct {
	rules *Rules
	begun bool // the last group has rules: the next agent begins another
}

func (p *parser) line(text string) {
	text, _, _ = strings.Cut(text, "#")
	field, value := cutField(strings.Trim(text, space))
	switch field {
	case userAgent:
		p.agent(value)
	case allow, disallow:
		p.rule(line{allow: field == allow, pattern: value})
	case crawlDelay:
		p.delay(value)
	case sitemap:
		if value != "" {
			p.rules.sitemaps = append(p.rules.sitemaps, value)
		}
	}
}

// agent takes in a user-agent line. One that names nobody begins a group too, for
// its rules must not fall to others.
func (p *parser) agent(value string) {
	if len(p.rules.groups) == 0 || p.begun {
		p.rules.groups = append(p.rules.groups, group{})
		p.begun = false
	}
	token := productToken(value)
	if value == anyone || strings.HasPrefix(value, anyone) && strings.ContainsAny(value[1:2], space) {
		token = anyone
	}
	g := p.group()
	g.agents = append(g.agents, token)
}

// rule takes in an Allow or Disallow line. One before all groups is for nobody
// (RFC 9309, 2.2.2), and an empty one matches nothing.
func (p *parser) rule(l line) {
	g := p.group()
	if g == nil {
		return
	}
	p.begun = true
	if l.pattern != "" {
		g.lines = append(g.lines, l)
	}
}

func (p *parser) delay(value string) {
	g := p.group()
	if seconds, ok := parseSeconds(value); ok && g != nil {
		g.delays = append(g.delays, delay{agents: len(g.agents), seconds: seconds})
	}
}

// group returns the group that the lines belong to, or nil before the first.
func (p *parser) group() *group {
	if n := len(p.rules.groups); n > 0 {
		return &p.rules.groups[n-1]
	}
	return nil
}

// field is what a line is about.
type field int

const (
	unknown field = iota
	userAgent
	allow
	disallow
	crawlDelay
	sitemap
)

// fieldNames are the beginnings of the names of fields, in lower case: those of
// RFC 9309 and the misspellings that Google's parser understands; of Crawl-delay,
// which it does not know, the same as of user-agent.
var fieldNames = []struct {
	begin string
	field field
}{
	{"user-agent", userAgent}, {"useragent", userAgent}, {"user agent", userAgent},
	{"allow", allow},
	{"disallow", disallow}, {"dissallow", disallow}, {"dissalow", disallow}, {"disalow", disallow},
	{"diasllow", disallow}, {"disallaw", disallow},
	{"crawl-delay", crawlDelay}, {"crawldelay", crawlDelay}, {"crawl delay", crawlDelay},
	{"sitemap", sitemap}, {"site-map", sitemap},
}

// space is what may stand around a name and a value: RFC 9309's WS, and what else
// fills lines up in the wild.
const space = " \t\v\f\x00"

// cutField tells what a line is about and what it says.
func cutField(text string) (field, string) {
	if name, value, ok := cutSpace(text); ok {
		if f := fieldOf(name); f != unknown {
			return f, value
		}
	}
	name, value, found := strings.Cut(text, ":")
	if !found {
		return unknown, ""
	}
	return fieldOf(name), strings.Trim(value, space)
}

// cutSpace cuts a line that is two words, where the colon between them is missing.
func cutSpace(text string) (name, value string, ok bool) {
	i := strings.IndexAny(text, space)
	if i < 0 {
		return "", "", false
	}
	name, value = text[:i], strings.Trim(text[i:], space)
	ok = !strings.Contains(name, ":") && !strings.HasPrefix(value, ":") && !strings.ContainsAny(value, space)
	return name, value, ok
}

func fieldOf(name string) field {
	for _, n := range fieldNames {
		if len(name) >= len(n.begin) && strings.EqualFold(name[:len(n.begin)], n.begin) {
			return n.field
		}
	}
	return unknown
}

// productToken returns the product token with which a text begins, in lower case,
// or an empty one.
func productToken(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	})
	if end >= 0 {
		text = text[:end]
	}
	return strings.ToLower(text)
}

// parseSeconds reads a decimal number of seconds without sign or exponent. More
// than a time.Duration holds is the longest that it holds.
func parseSeconds(text string) (time.Duration, bool) {
	if strings.Trim(text, ".0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(seconds, 1) {
		return 0, false
	}
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64, true
	}
	return time.Duration(seconds * float64(time.Second)), true
}
