package mirror

import (
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/finarc/finarc/news"
)

// rule tells what a scenario answers to some requests.
type rule struct {
	line     int
	name     string // by which checks count the posts that it hits
	match    match
	share    float64 // of the matching addresses, chosen by a hash
	together bool    // all matching requests go through the steps as one
	steps    []step
}

// step is a turn of a rule: one answer, given so many times or for so long.
type step struct {
	line  int
	times int           // 0: no end, unless there is a time
	lasts time.Duration // from its first answer on
	// healthy: the mirror answers as if there were no rule.
	healthy bool
	// Otherwise this is said: with a status other than 0 that one, else the
	// page's own.
	status int
	source source
	how    manner
}

// ends reports whether the step has an end.
func (s *step) ends() bool { return s.times > 0 || s.lasts > 0 }

// match tells requests by kind or by address.
type match struct {
	text string // as it is written
	kind news.PageKind
	glob string // of the path, or of path and query where it has a ?
}

// Kinds in a rule beside those of pages.
const (
	kindAny  = "any"
	kindList = "list"
)

// kinds are what a rule can name.
var kinds = []string{
	kindAny, kindList, string(news.KindHome), string(news.KindCategory), string(news.KindFeed), string(news.KindSitemap),
	string(news.KindPost), string(news.KindShare), string(news.KindText), string(news.KindRobots), string(news.KindOther),
}

// target is what rules know of a request.
type target struct {
	kind  news.PageKind
	path  string // decoded
	query string
}

// address returns path and query.
func (t *target) address() string {
	if t.query == "" {
		return t.path
	}
	return t.path + "?" + t.query
}

// matches reports whether a request is meant.
func (m *match) matches(t *target) bool {
	switch {
	case m.text == kindAny:
		return true
	case m.text == kindList:
		return t.kind.List()
	case m.glob == "":
		return t.kind == m.kind
	case strings.Contains(m.glob, "?"):
		return glob(m.glob, t.address())
	}
	return glob(m.glob, t.path)
}

// glob matches text with a pattern in which * stands for anything, / included.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	first, rest := parts[0], parts[1:]
	text, ok := strings.CutPrefix(text, first)
	if !ok || len(rest) == 0 {
		return ok && text == ""
	}
	last := rest[len(rest)-1]
	for _, part := range rest[:len(rest)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, last)
}

// hits reports whether the rule is the one for a request.
func (r *rule) hits(t *target) bool {
	return r.match.matches(t) && (r.share >= 1 || chosen(r.name, t.address(), r.share))
}

// chosen reports whether an address is of the share that what is called name
// hits. Another name hits others.
func chosen(name, address string, share float64) bool {
	return float64(hashOf(name+address)>>11)/(1<<53) < share
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return scatter(h.Sum64())
}

// scatter spreads a hash over all bits: FNV's upper ones hardly differ where
// only the last bytes do.
func scatter(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// ruleOf returns the first rule that hits, and its place; nil for none.
func ruleOf(rules []rule, t *target) (*rule, int) {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.hits(t) })
	if i < 0 {
		return nil, i
	}
	return &rules[i], i
}

// play is a scenario under way: where each rule stands.
type play struct {
	scenario *Scenario
	now      func() time.Time

	mu    sync.Mutex
	turns map[turnKey]*turn
}

// turnKey names what goes through a rule's steps: an address, or all.
type turnKey struct {
	rule    int
	address string
}

// turn is how far a rule has come.
type turn struct {
	step, used int
	since      time.Time // the first answer of a step that lasts for a time
}

// next returns the step for a request, nil where the mirror is to answer.
func (p *play) next(q *request) *step {
	if p == nil {
		return nil
	}
	t := target{q.kind, q.path, q.query}
	r, i := ruleOf(p.scenario.rules, &t)
	if r == nil {
		return nil
	}
	key := turnKey{rule: i}
	if !r.together {
		key.address = t.address()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.turns[key]
	if at == nil {
		at = new(turn)
		p.turns[key] = at
	}
	return at.next(r.steps, p.now())
}

// next takes the turn of a request. Behind the last step all is well.
func (t *turn) next(steps []step, now time.Time) *step {
	for ; t.step < len(steps); *t = (turn{step: t.step + 1}) {
		s := &steps[t.step]
		if t.since.IsZero() {
			t.since = now
		}
		if s.times > 0 && t.used >= s.times || s.lasts > 0 && now.Sub(t.since) >= s.lasts {
			continue
		}
		t.used++
		if s.healthy {
			return nil
		}
		return s
	}
	return nil
}
