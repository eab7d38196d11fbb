package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// Outcome is what came of a crawl.
type Outcome struct {
	Run *news.Run
	Err error
	// Archived are the posts that the archive holds now, by earlier crawls too.
	Archived map[news.ID]news.Post
}

// Judge returns what a crawl did otherwise than the scenario lets it, each with
// its line. The mirror tells what it was asked for since its requests were
// reset, which is to be done before each crawl.
//
// Beside what the file says, a report must add up, and a post of the mirror
// that is archived must have its own title.
func (s *Scenario) Judge(c *Crawl, m *Mirror, o Outcome) []error {
	e := &evidence{Outcome: o, scenario: s, crawl: c, mirror: m, stats: m.Requests(), visits: m.traffic.log()}
	var wrong []error
	for i := range c.checks {
		if err := c.checks[i].judge(e); err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: %w", s.Name, c.checks[i].line, err))
		}
	}
	if !o.Run.AddsUp() {
		wrong = append(wrong, fmt.Errorf("%s:%d: the report does not add up", s.Name, c.Line))
	}
	for _, p := range m.Posts() {
		if got, ok := o.Archived[p.ID]; ok && got.Title != p.Title {
			wrong = append(wrong, fmt.Errorf("%s:%d: post %s is archived as %q, and is %q", s.Name, c.Line, p.ID, got.Title, p.Title))
		}
	}
	return wrong
}

// evidence is what a crawl is judged by.
type evidence struct {
	Outcome
	scenario *Scenario
	crawl    *Crawl
	mirror   *Mirror
	stats    Stats
	visits   []visit
}

// check is one thing that must hold after a crawl.
type check struct {
	line  int
	text  string
	what  quantity
	arg   string
	match match // of what is about requests
	op    string
	value value
}

// value is what a quantity is compared with.
type value struct {
	terms []term        // of a count: their sum
	time  time.Duration // of a time
	text  string        // of a text
}

// term is a part of a sum.
type term struct {
	minus  bool
	number int64
	all    bool
	hit    string // the posts that the rule of this name hits
	at     string // the posts whose pages stand at a path that matches
}

// unit is what a quantity is measured in.
type unit int

const (
	unitCount unit = iota
	unitTime
	unitText
)

// argument is what a quantity can be told.
type argument int

const (
	argNone argument = iota
	argMay
	argMust
	argMatch // a kind or path; without one, any
)

// quantity is something that is measured of a crawl.
type quantity struct {
	argument argument
	unit     unit
	count    func(*evidence, *check) int64
	time     func(*evidence, *check) (time.Duration, error)
	texts    func(*evidence) []string
}

// quantities are what checks can be about.
var quantities = map[string]quantity{
	"discovered": ofRun(func(r *news.Run) int { return r.Discovered }),
	"new":        ofRun(func(r *news.Run) int { return r.New }),
	"revised":    ofRun(func(r *news.Run) int { return r.Revised }),
	"unchanged":  ofRun(func(r *news.Run) int { return r.Unchanged }),
	"pending":    ofRun(func(r *news.Run) int { return r.Pending }),
	"retries":    ofRun(func(r *news.Run) int { return r.Retries }),
	"bytes":      ofRun(func(r *news.Run) int { return int(r.Bytes) }),
	"failed":     byReason(func(r *news.Run) map[string]int { return r.Failed }),
	"skipped":    byReason(func(r *news.Run) map[string]int { return r.Skipped }),
	"incomplete": byReason(func(r *news.Run) map[string]int { return r.Incomplete }),
	"transport":  byReason(func(r *news.Run) map[string]int { return r.Transport }),
	"status": {argument: argMust, count: func(e *evidence, c *check) int64 {
		status, _ := strconv.Atoi(c.arg)
		return int64(e.stats.Statuses[status])
	}},
	"lists": {argument: argMust, count: func(e *evidence, c *check) int64 {
		l := &e.Run.Lists
		return int64(map[string]int{
			"read": l.Read, "unmodified": l.NotModified, "gone": l.Gone, "disallowed": l.Disallowed, "failed": l.Failed, "pending": l.Pending,
		}[c.arg])
	}},
	"problems": {argument: argMay, count: func(e *evidence, c *check) int64 {
		n := 0
		for _, p := range e.Run.Problems {
			if c.arg == "" || c.arg == p.For {
				n++
			}
		}
		return int64(n)
	}},
	"archived": {count: func(e *evidence, _ *check) int64 { return int64(len(e.Archived)) }},
	"foreign":  {count: foreign},

	"requests": {argument: argMatch, count: func(e *evidence, c *check) int64 {
		return int64(len(e.matching(&c.match)))
	}},
	"each": {argument: argMatch, count: func(e *evidence, c *check) int64 {
		_, most := e.busiest(&c.match)
		return int64(most)
	}},
	"elsewhere":  {count: func(e *evidence, _ *check) int64 { return e.elsewhere(func(*visit) bool { return true }) }},
	"leaks":      {count: func(e *evidence, _ *check) int64 { return e.elsewhere(func(v *visit) bool { return v.secret }) }},
	"in-flight":  {count: func(e *evidence, _ *check) int64 { return int64(e.stats.MaxInFlight) }},
	"per-second": {count: func(e *evidence, _ *check) int64 { return int64(e.stats.MaxPerSecond) }},
	"pause":      {argument: argMust, unit: unitTime, time: pause},
	"took": {unit: unitTime, time: func(e *evidence, _ *check) (time.Duration, error) {
		return e.Run.Ended.Sub(e.Run.Started), nil
	}},

	"ending": {unit: unitText, texts: func(e *evidence) []string { return []string{e.Run.Ending} }},
	"error": {unit: unitText, texts: func(e *evidence) []string {
		if e.Err == nil {
			return []string{"none"}
		}
		return []string{e.Err.Error()}
	}},
	"problem": {unit: unitText, texts: func(e *evidence) []string {
		var texts []string
		for _, p := range e.Run.Problems {
			texts = append(texts, p.For+" "+p.URL+" "+p.Why)
		}
		return texts
	}},
}

func ofRun(field func(*news.Run) int) quantity {
	return quantity{count: func(e *evidence, _ *check) int64 { return int64(field(e.Run)) }}
}

func byReason(field func(*news.Run) map[string]int) quantity {
	return quantity{argument: argMay, count: func(e *evidence, c *check) int64 {
		if c.arg == "" {
			return int64(news.Total(field(e.Run)))
		}
		return int64(field(e.Run)[c.arg])
	}}
}

// foreign counts the archived posts that the mirror does not have.
func foreign(e *evidence, _ *check) int64 {
	own := map[news.ID]bool{}
	for _, p := range e.mirror.Posts() {
		own[p.ID] = true
	}
	n := 0
	for id := range e.Archived {
		if !own[id] {
			n++
		}
	}
	return int64(n)
}

func (e *evidence) matching(m *match) []visit {
	var found []visit
	for _, v := range e.visits {
		if m.matches(&v.target) {
			found = append(found, v)
		}
	}
	return found
}

// elsewhere counts requests under another name than that of the first.
func (e *evidence) elsewhere(counts func(*visit) bool) int64 {
	n := int64(0)
	for i := range e.visits {
		if v := &e.visits[i]; v.host != e.visits[0].host && counts(v) {
			n++
		}
	}
	return n
}

// busiest returns the address that was asked for most often, and how often.
func (e *evidence) busiest(m *match) (address string, most int) {
	n := map[string]int{}
	for _, v := range e.matching(m) {
		at := v.address()
		if n[at]++; n[at] > most {
			address, most = at, n[at]
		}
	}
	return address, most
}

// underWay is for how long after an answer a request may come that was sent
// before the answer was read.
const underWay = 100 * time.Millisecond

// pause returns for how long the host was left alone after answers with a
// status: the shortest such time. Requests that come within a moment of an answer
// may have been sent before it was read: of those that the crawler has in flight
// beside it, and one more for each that was answered meanwhile.
func pause(e *evidence, c *check) (time.Duration, error) {
	status, _ := strconv.Atoi(c.arg)
	shortest, met := time.Duration(math.MaxInt64), false
	for _, v := range e.visits {
		if v.status != status {
			continue
		}
		met = true
		stragglers := 2 * (e.crawl.Parallel - 1)
		for _, next := range e.visits {
			d := next.begun.Sub(v.answered)
			switch {
			case d <= 0:
			case d < underWay && stragglers > 0:
				stragglers--
			default:
				shortest = min(shortest, d)
			}
		}
	}
	if !met {
		return 0, fmt.Errorf("nothing was answered with %s", c.arg)
	}
	return shortest, nil
}

// ops are the comparisons. Those of texts are among all that there are of a
// kind: one must be, one must hold, none may hold.
var ops = []string{"=", "!=", "<", "<=", ">", ">=", "~", "!~"}

// parseCheck reads QUANTITY [ARGUMENT] OP VALUE.
func parseCheck(line int, words []word) (check, error) {
	i := slices.IndexFunc(words, func(w word) bool { return slices.Contains(ops, w.text) })
	if i < 1 || i > 2 || len(words) != i+2 {
		return check{}, errors.New("want what is measured, a comparison and a value, as: new = all")
	}
	c := check{line: line, op: words[i].text}
	what, known := quantities[words[0].text]
	if !known {
		return check{}, fmt.Errorf("%q is none of %s", words[0].text, strings.Join(slices.Sorted(maps.Keys(quantities)), ", "))
	}
	c.what = what
	if i == 2 {
		c.arg = words[1].text
	}
	c.text = strings.TrimSpace(words[0].text + " " + c.arg)
	var err error
	switch {
	case c.arg != "" && what.argument == argNone:
		err = fmt.Errorf("takes no %q", c.arg)
	case c.arg == "" && what.argument == argMust:
		err = errors.New("of what?")
	case what.argument == argMatch:
		c.match, err = parseMatch(cmp.Or(c.arg, kindAny))
	}
	if err == nil {
		err = c.against(words[i+1].text)
	}
	if err != nil {
		return check{}, fmt.Errorf("%s: %w", c.text, err)
	}
	return c, nil
}

// against reads the value.
func (c *check) against(s string) (err error) {
	text := c.op == "~" || c.op == "!~"
	switch {
	case text != (c.what.unit == unitText) && c.op != "=":
		return fmt.Errorf("cannot be compared by %s", c.op)
	case c.what.unit == unitText:
		c.value.text = s
	case c.what.unit == unitTime:
		c.value.time, err = parseTime(s)
	default:
		c.value.terms, err = parseTerms(s)
	}
	return err
}

// parseTerms reads a sum: all-hit:cut+2.
func parseTerms(s string) ([]term, error) {
	var terms []term
	for i, plus := range strings.Split(s, "+") {
		for j, part := range strings.Split(plus, "-") {
			t, err := parseTerm(part)
			if err != nil {
				return nil, err
			}
			t.minus = j > 0
			if t.number < 0 || i+j > 100 {
				return nil, fmt.Errorf("%q is too much", s)
			}
			terms = append(terms, t)
		}
	}
	return terms, nil
}

func parseTerm(s string) (term, error) {
	kind, arg, given := strings.Cut(s, ":")
	switch {
	case s == "all":
		return term{all: true}, nil
	case kind == "hit" && given && arg != "":
		return term{hit: arg}, nil
	case kind == "at" && strings.HasPrefix(arg, "/"):
		return term{at: arg}, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return term{}, fmt.Errorf("%q is no number, all, hit:RULE or at:PATH", s)
	}
	return term{number: n}, nil
}

// sum returns what the terms are of a scenario's mirror.
func (e *evidence) sum(terms []term) int64 {
	sum := int64(0)
	for _, t := range terms {
		n := t.number
		switch {
		case t.all:
			n = int64(e.mirror.Len())
		case t.hit != "":
			n = e.posts(func(i int) bool { return e.scenario.Hit(e.mirror, i) == t.hit })
		case t.at != "":
			n = e.posts(func(i int) bool {
				path, err := url.PathUnescape(e.mirror.Standing(i).Path)
				return err == nil && glob(t.at, path)
			})
		}
		if t.minus {
			n = -n
		}
		sum += n
	}
	return sum
}

// posts counts the mirror's posts that are meant.
func (e *evidence) posts(meant func(i int) bool) int64 {
	n := int64(0)
	for i := range e.mirror.Len() {
		if meant(i) {
			n++
		}
	}
	return n
}

// judge returns what does not hold.
func (c *check) judge(e *evidence) error {
	switch c.what.unit {
	case unitText:
		return c.judgeTexts(c.what.texts(e))
	case unitTime:
		got, err := c.what.time(e, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.text, err)
		}
		if !holds(cmp.Compare(got, c.value.time), c.op) {
			return fmt.Errorf("%s is %v, want %s %v", c.text, got, c.op, c.value.time)
		}
		return nil
	}
	got, want := c.what.count(e, c), e.sum(c.value.terms)
	if holds(cmp.Compare(got, want), c.op) {
		return nil
	}
	where := ""
	if address, _ := e.busiest(&c.match); c.what.argument == argMatch && address != "" {
		where = ", most of " + address
	}
	return fmt.Errorf("%s is %d, want %s %d%s", c.text, got, c.op, want, where)
}

// holds reports whether a comparison with this result holds.
func holds(result int, op string) bool {
	switch op {
	case "=":
		return result == 0
	case "!=":
		return result != 0
	case "<":
		return result < 0
	case "<=":
		return result <= 0
	case ">":
		return result > 0
	}
	return result >= 0
}

func (c *check) judgeTexts(texts []string) error {
	found := slices.ContainsFunc(texts, func(s string) bool {
		return s == c.value.text || c.op != "=" && strings.Contains(s, c.value.text)
	})
	if found == (c.op == "!~") {
		return fmt.Errorf("%s is %q, want %s %q", c.text, texts, c.op, c.value.text)
	}
	return nil
}
