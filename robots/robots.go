// Package robots reads robots.txt as RFC 9309 has it and says what it allows.
// Pure functions over bytes: no network, no clock.
//
// Where the RFC leaves a choice, the file is read as Google's parser reads it,
// since that is what its author will have tried it with:
//
//   - A line counts by the beginning of its name, in any case, and usual
//     misspellings are understood: "disalow", "dissallow", "useragent", and
//     others in fieldNames. The colon may be missing between a name and one word.
//   - Of a user-agent line, the letters, hyphens and underscores at its beginning
//     are the product token. It must be the crawler's own, in any case: "fin" does
//     not name finarc. A group of "*" is obeyed where no group names the crawler.
//   - A match is as specific as its pattern is long, with "*" and "$" counted.
//     "$" means the end only where it ends the pattern.
//   - A pattern that begins with neither "/" nor "*" matches nothing.
//
// It is left where it allows what the file does not say or the RFC forbids:
// "Allow: /index.html" does not stand for "/" too, "%7A" and "z" are the same
// octet, an address may hold octets that are not encoded yet, and a line is not
// cut before its end.
//
// Crawl-delay, which is in no standard, belongs to the agents that its group
// names above it, in seconds. As the RFC wants of lines that it does not define,
// it neither ends a group nor the list of its agents.
//
// It is code of our own because no library that was found does this.
// github.com/temoto/robotstxt rejects a whole file for one line, takes a group for
// an agent whose name merely begins like it, lets the first of two equal rules win
// and does not normalise percent-encoding. github.com/benjaminestes/robots panics
// on an empty file, does not merge groups and knows no Crawl-delay.
// github.com/jimsmart/grobotstxt, a port of Google's parser, spoils lower-case
// escapes that hold a digit ("%e3"), does not decode "%7A", reads the whole file
// again for each address, and has had no release since 2022.
package robots

import (
	"slices"
	"time"
)

// MaxBytes is how much of a file is heeded: as much as a crawler must (RFC 9309,
// 2.5). A line that goes on beyond it is not.
const MaxBytes = 500 << 10

// Rules is what a robots.txt says, to all agents.
type Rules struct {
	groups   []group
	sitemaps []string
}

// group is a list of agents and what is said to them.
type group struct {
	agents []string // product tokens in lower case, or anyone
	lines  []line
	delays []delay
}

// line is an Allow or Disallow line that is not empty.
type line struct {
	allow   bool
	pattern string
}

// delay is a Crawl-delay for so many of the group's agents, from the first.
type delay struct {
	agents  int
	seconds time.Duration
}

// anyone is the agent of a group for all that are named nowhere.
const anyone = "*"

// Group is what a robots.txt says to one agent. It does not change, so it may be
// asked from several goroutines at once.
type Group struct {
	rules   []rule // the more specific first, of equals an Allow
	delay   time.Duration
	delayed bool
}

// Group returns the rules for an agent: those of all groups that name it, or else
// of all groups for "*" (RFC 9309, 2.2.1). The agent is a product token such as
// finarc; what follows it in a User-Agent header may stand behind.
func (r *Rules) Group(agent string) *Group {
	token := productToken(agent)
	if token == "" || !r.name(token) {
		token = anyone
	}
	g := new(Group)
	for i := range r.groups {
		if from := &r.groups[i]; slices.Contains(from.agents, token) {
			g.add(from, token)
		}
	}
	slices.SortStableFunc(g.rules, moreSpecific)
	return g
}

// name reports whether a group names the agent.
func (r *Rules) name(token string) bool {
	return slices.ContainsFunc(r.groups, func(g group) bool { return slices.Contains(g.agents, token) })
}

// add takes over what a group says to an agent that it names. Of several
// Crawl-delays the longest holds.
func (g *Group) add(from *group, token string) {
	for _, l := range from.lines {
		g.rules = append(g.rules, newRule(l))
	}
	first := slices.Index(from.agents, token)
	for _, d := range from.delays {
		if first < d.agents {
			g.delay, g.delayed = max(g.delay, d.seconds), true
		}
	}
}

// Allowed reports whether the agent may ask for an address of the host, given as
// its path and query, such as url.URL.RequestURI returns them. The address of
// robots.txt itself is always allowed (RFC 9309, 2.2.2).
func (g *Group) Allowed(pathAndQuery string) bool {
	a := newAddress(pathAndQuery)
	if a.strict == "/robots.txt" {
		return true
	}
	for i := range g.rules {
		if g.rules[i].match(a) {
			return g.rules[i].allow
		}
	}
	return true
}

// CrawlDelay returns the time that the agent is asked to leave between two
// requests, and whether it is asked to. It is not negative, but may be of any
// length.
func (g *Group) CrawlDelay() (time.Duration, bool) {
	return g.delay, g.delayed
}

// Sitemaps returns the addresses of the file's sitemap lines, in their order, as
// they are written there.
func (r *Rules) Sitemaps() []string {
	return slices.Clone(r.sitemaps)
}
