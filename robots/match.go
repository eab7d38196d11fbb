package robots

import (
	"cmp"
	"slices"
	"strings"
)

// Patterns and addresses are compared octet by octet, in one spelling of each
// octet (RFC 9309, 2.2.2 and 2.2.3; RFC 3986, 6.2.2). The strict spelling has
// unreserved characters, "*" and "$" as they are, the other reserved ones as they
// were written, and all else in upper-case escapes. For "/" and "%2F" are two
// things in a path. Not so in a query, where the RFC's own example writes either:
// the loose spelling has them as they are there. What is equal in one of the
// spellings matches.

// rule is an Allow or Disallow line, made ready.
type rule struct {
	allow  bool
	octets int // how specific it is
	strict pattern
	loose  *pattern // nil where it can match no more than the strict one
}

func newRule(l line) rule {
	text, anchored := strings.CutSuffix(l.pattern, "$")
	parts := strings.Split(text, "*")
	loose, query := slices.Clone(parts), false
	for i, part := range parts {
		parts[i] = normal(part)
		loose[i], query = loosely(part, query)
	}
	r := rule{allow: l.allow, strict: newPattern(parts, anchored)}
	if query || r.strict.wild {
		p := newPattern(loose, anchored)
		r.loose = &p
	}
	r.octets = len(strings.Join(loose, "*"))
	if anchored {
		r.octets++
	}
	return r
}

// loosely returns a text in the loose spelling, given whether the query has begun
// before it, and whether it has by its end.
func loosely(text string, query bool) (spelt string, begun bool) {
	if query {
		return spell(text, inQuery), true
	}
	path, rest, begun := strings.Cut(text, "?")
	if !strings.Contains(rest, "%") {
		return normal(text), begun
	}
	return normal(path) + "?" + spell(rest, inQuery), begun
}

// moreSpecific orders rules as they are tried (RFC 9309, 2.2.2).
func moreSpecific(a, b rule) int {
	if a.octets != b.octets || a.allow == b.allow {
		return cmp.Compare(b.octets, a.octets)
	}
	if a.allow {
		return -1
	}
	return 1
}

func (r *rule) match(a address) bool {
	return r.strict.match(a.strict) || r.loose != nil && r.loose.match(a.loose)
}

// pattern is what stands between the wildcards of a rule.
type pattern struct {
	first    string
	others   []string // each somewhere behind the one before it
	last     string   // behind them all
	wild     bool     // there are others or a last; else first is all
	anchored bool     // nothing may follow
}

func newPattern(parts []string, anchored bool) pattern {
	p := pattern{first: parts[0], anchored: anchored}
	if n := len(parts) - 1; n > 0 {
		p.wild, p.last = true, parts[n]
		p.others = slices.DeleteFunc(slices.Clone(parts[1:n]), func(part string) bool { return part == "" })
	}
	return p
}

// match takes each part where it is found first. That leaves the most for those
// behind it, so no place need be tried twice, and the time is linear.
func (p *pattern) match(text string) bool {
	text, ok := strings.CutPrefix(text, p.first)
	if !ok || !p.wild {
		return ok && (!p.anchored || text == "")
	}
	for _, part := range p.others {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	if p.anchored {
		return strings.HasSuffix(text, p.last)
	}
	return strings.Contains(text, p.last)
}

// address is the path and query that are asked about, in both spellings.
type address struct{ strict, loose string }

func newAddress(pathAndQuery string) address {
	pathAndQuery, _, _ = strings.Cut(pathAndQuery, "#")
	if !strings.HasPrefix(pathAndQuery, "/") {
		pathAndQuery = "/" + pathAndQuery
	}
	loose, _ := loosely(pathAndQuery, false)
	return address{strict: normal(pathAndQuery), loose: loose}
}

// set is a set of octets.
type set [256]bool

func newSet(octets string) *set {
	s := new(set)
	for _, c := range []byte(octets) {
		s[c] = true
	}
	return s
}

const unreserved = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"

var (
	plain   = newSet(unreserved + "*$")                  // never escaped in the strict spelling
	inURI   = newSet(unreserved + "%:/?#[]@!$&'()*+,;=") // may stand in a URI (RFC 3986, 2)
	inQuery = newSet(unreserved + "*$" + ":/?[]@!'(),;") // means the same in a query, escaped or not
)

// normal returns a text in the strict spelling.
func normal(text string) string { return spell(text, plain) }

// spell returns a text in which those octets and no others are never escaped. A "%"
// that begins no escape stays; what follows it is not taken for one because it had
// been escaped.
func spell(text string, never *set) string {
	i := 0
	for i < len(text) && inURI[text[i]] && text[i] != '%' {
		i++
	}
	if i == len(text) {
		return text
	}
	b := make([]byte, i, len(text)+16)
	copy(b, text)
	for ; i < len(text); i++ {
		c, escaped := escape(text[i:])
		if escaped {
			i += 2
		}
		if escaped && never[c] || !escaped && inURI[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

const hex = "0123456789ABCDEF"

// escape returns the octet with which a text begins, and whether it is escaped.
func escape(text string) (c byte, escaped bool) {
	if text[0] != '%' || len(text) < 3 {
		return text[0], false
	}
	high, low := digit(text[1]), digit(text[2])
	if high < 0 || low < 0 {
		return text[0], false
	}
	return byte(high<<4 | low), true
}

// digit returns the value of a hexadecimal digit, or -1.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
