package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html/charset"
	"golang.org/x/tools/txtar"

	"github.com/finarc/finarc/news"
)

// Bounds of what a scenario can ask for.
const (
	maxCount = 10_000_000 // of links, elements and answers
	maxSize  = 16 << 30   // of a bomb, in bytes
	maxPiece = 64 << 20   // of an attribute, in bytes
	maxTime  = 48 * time.Hour
)

// ParseScenario reads a scenario, the text of the file called name. Errors tell
// file and line.
func ParseScenario(name string, text []byte) (*Scenario, error) {
	a := txtar.Parse([]byte(strings.ReplaceAll(string(text), "\r\n", "\n")))
	p := &parser{
		s:     &Scenario{Name: name, Site: Options{Posts: 30, Categories: 4, Seed: 1}, files: map[string]string{}},
		lines: map[string]int{}, used: map[string]bool{},
	}
	if err := p.files(a); err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	for line := range strings.SplitSeq(string(a.Comment), "\n") {
		p.line++
		if err := p.read(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
		}
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	return p.s, nil
}

// parser reads a scenario line by line.
type parser struct {
	s    *Scenario
	line int
	// take reads the indented lines below a head; nil where it has none.
	take  func(words []word) error
	lines map[string]int // of the files' names
	used  map[string]bool
}

// files takes the files in.
func (p *parser) files(a *txtar.Archive) error {
	line := 1 + strings.Count(string(a.Comment), "\n")
	for _, f := range a.Files {
		if first := p.lines[f.Name]; first > 0 {
			return fmt.Errorf("%d: the file %q is there already, from line %d on", line, f.Name, first)
		}
		p.s.files[f.Name], p.lines[f.Name] = string(f.Data), line
		line += 1 + strings.Count(string(f.Data), "\n")
	}
	return nil
}

// read reads a line.
func (p *parser) read(line string) error {
	words, err := split(line)
	if err != nil || len(words) == 0 {
		return err
	}
	if line[0] == ' ' || line[0] == '\t' {
		if p.take == nil {
			return errors.New("the line is indented, but belongs to no rule and no crawl")
		}
		return p.take(words)
	}
	p.take = nil
	head, rest := words[0].text, words[1:]
	switch {
	case head == "mirror:":
		return set(mirrorKeys, &p.s.Site, rest)
	case head == "awaits:":
		_, p.s.Awaits, _ = strings.Cut(line, ":")
		if p.s.Awaits = strings.TrimSpace(p.s.Awaits); p.s.Awaits == "" {
			return errors.New("awaits: want what it awaits")
		}
		return nil
	case head == "crawl:":
		return p.crawl(rest)
	case head == "on" && strings.HasSuffix(words[len(words)-1].text, ":"):
		last := &words[len(words)-1]
		last.text = strings.TrimSuffix(last.text, ":")
		return p.on(rest)
	case head == "on":
		return errors.New("on: want a colon at the line's end")
	}
	return fmt.Errorf("want mirror:, awaits:, on …: or crawl:, not %q", head)
}

// finish checks the whole. Its errors begin with a line.
func (p *parser) finish() error {
	names := map[string]bool{}
	for _, r := range p.s.rules {
		if len(r.steps) == 0 {
			return fmt.Errorf("%d: on %s: has no answer", r.line, r.match.text)
		}
		names[r.name] = true
	}
	for _, c := range p.s.Crawls {
		for _, ch := range c.checks {
			for _, t := range ch.value.terms {
				if t.hit != "" && !names[t.hit] {
					return fmt.Errorf("%d: no rule is called %q", ch.line, t.hit)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.s.files)) {
		if !p.used[name] {
			return fmt.Errorf("%d: no answer uses the file %q", p.lines[name], name)
		}
	}
	if err := p.s.Site.withDefaults().check(); err != nil {
		return fmt.Errorf("1: mirror: %w", err)
	}
	return nil
}

// word is a word of a line: key=value, or text alone.
type word struct {
	text       string // without quotes
	key, value string // key is empty where there is no =
}

// split splits a line at spaces. Between double quotes, which can begin
// anywhere in a word, stands a string as in Go; behind # a remark.
func split(line string) ([]word, error) {
	var words []word
	for line = strings.TrimSpace(line); line != "" && line[0] != '#'; line = strings.TrimLeft(line, " \t") {
		var w word
		text := ""
		for line != "" && line[0] != ' ' && line[0] != '\t' {
			switch {
			case line[0] == '"':
				quoted, err := strconv.QuotedPrefix(line)
				if err != nil {
					return nil, errors.New("a quote has no end")
				}
				plain, err := strconv.Unquote(quoted)
				if err != nil {
					return nil, fmt.Errorf("%s is no string: %w", quoted, err)
				}
				text, line = text+plain, line[len(quoted):]
				continue
			case line[0] == '=' && w.key == "" && text != "":
				w.key = text
			}
			text, line = text+line[:1], line[1:]
		}
		if w.text = text; w.key != "" {
			w.value = text[len(w.key)+1:]
		}
		words = append(words, w)
	}
	return words, nil
}

// on reads the head of a rule: on MATCH [SHARE%] [together] [as NAME]:
func (p *parser) on(words []word) error {
	r := rule{line: p.line, share: 1}
	var err error
	for len(words) > 0 && err == nil {
		w := words[0].text
		words = words[1:]
		switch {
		case w == "together":
			r.together = true
		case w == "as" && len(words) > 0:
			r.name = words[0].text
			words = words[1:]
		case strings.HasSuffix(w, "%"):
			r.share, err = parseShare(w)
		case r.match.text == "":
			r.match, err = parseMatch(w)
		default:
			err = fmt.Errorf("on: %q is no share, together or as NAME", w)
		}
	}
	switch {
	case err != nil:
		return err
	case r.match.text == "":
		return errors.New("on: want a kind of page, or a path")
	case r.name == "":
		r.name = fmt.Sprint(r.match.text, " ", len(p.s.rules))
	case slices.ContainsFunc(p.s.rules, func(o rule) bool { return o.name == r.name }):
		return fmt.Errorf("on: another rule is called %q", r.name)
	}
	p.s.rules = append(p.s.rules, r)
	p.take = p.step
	return nil
}

func parseShare(s string) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(x > 0 && x <= 100) {
		return 0, fmt.Errorf("share %q is not above 0%% and up to 100%%", s)
	}
	return x / 100, nil
}

// parseMatch reads what a rule or check is about.
func parseMatch(s string) (match, error) {
	switch {
	case strings.HasPrefix(s, "/"):
		return match{text: s, glob: s}, nil
	case slices.Contains(kinds, s):
		return match{text: s, kind: news.PageKind(s)}, nil
	}
	return match{}, fmt.Errorf("%q is no path, and none of %s", s, strings.Join(kinds, ", "))
}

// step reads an answer: [Nx | for TIME] WHAT [KEY=VALUE…].
func (p *parser) step(words []word) error {
	r := &p.s.rules[len(p.s.rules)-1]
	if n := len(r.steps); n > 0 && !r.steps[n-1].ends() {
		return fmt.Errorf("no answer can follow that of line %d, which lasts: say there how often (2x) or how long (for 1s)", r.steps[n-1].line)
	}
	s := step{line: p.line}
	words, err := s.length(words)
	if err != nil {
		return err
	}
	if len(words) == 0 || words[0].key != "" {
		return errors.New("want a status, healthy, reset, close or silence")
	}
	if err := s.say(words[0].text); err != nil {
		return err
	}
	if err := p.attributes(&s, words[1:]); err != nil {
		return err
	}
	r.steps = append(r.steps, s)
	return nil
}

// length reads how often or how long an answer is given.
func (s *step) length(words []word) ([]word, error) {
	first := words[0].text
	switch {
	case first == "for":
		if len(words) < 2 {
			return nil, errors.New("for: want a time, as 500ms")
		}
		d, err := parseTime(words[1].text)
		s.lasts = d
		return words[2:], err
	case len(first) > 1 && strings.HasSuffix(first, "x") && strings.Trim(first[:len(first)-1], "0123456789") == "":
		n, err := strconv.Atoi(first[:len(first)-1])
		if err != nil || n < 1 || n > maxCount {
			return nil, fmt.Errorf("%q is not between 1x and %dx", first, maxCount)
		}
		s.times = n
		return words[1:], nil
	}
	return words, nil
}

// healthy is the word for what the mirror has.
const healthy = "healthy"

// mutes are the words for requests that get no answer.
var mutes = map[string]ending{"reset": endingReset, "close": endingCut, "silence": endingStall}

// say reads what an answer is.
func (s *step) say(what string) error {
	if what == healthy {
		s.healthy = true
		return nil
	}
	if how, ok := mutes[what]; ok {
		s.how.mute = how
		return nil
	}
	n, err := strconv.Atoi(what)
	if err != nil || n < 200 || n > 599 {
		return fmt.Errorf("%q is none of healthy, reset, close, silence and the statuses 200 to 599", what)
	}
	s.status = n
	return nil
}

// attributes reads what follows an answer's first word.
func (p *parser) attributes(s *step, words []word) error {
	for _, w := range words {
		var err error
		switch read, known := attributes[cmp.Or(w.key, w.text)]; {
		case known:
			err = read(s, w.value)
		case w.key != "" && w.key[0] >= 'A' && w.key[0] <= 'Z':
			err = s.field(w)
		default:
			err = fmt.Errorf("want one of %s, or a header's field as Retry-After=1", strings.Join(slices.Sorted(maps.Keys(attributes)), ", "))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.text, err)
		}
	}
	return p.complete(s, len(words) > 0)
}

// field reads a field of the header.
func (s *step) field(w word) error {
	if strings.ContainsFunc(w.key, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) || strings.ContainsFunc(w.value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("is no field of a header")
	}
	s.how.header = append(s.how.header, field{w.key, w.value})
	return nil
}

// complete checks an answer whose words are each well.
func (p *parser) complete(s *step, attributes bool) error {
	sources := 0
	for _, given := range []string{s.source.file, s.source.page, s.source.trap.name} {
		if given != "" {
			sources++
		}
	}
	streams := s.how.streams() || s.source.trap.name == "links"
	switch {
	case sources > 1:
		return errors.New("body, page and trap exclude each other")
	case s.healthy && attributes:
		s.healthy = false
		if sources == 0 {
			s.source.page = pageSelf
		}
	case s.how.mute != endingNone && attributes:
		return errors.New("reset, close and silence take nothing more: nothing is answered")
	case s.how.broken.percent && streams:
		return fmt.Errorf("%s: want bytes: the body's length is not known before its end", s.how.broken.how)
	case s.how.bomb.size > 0 && (s.how.endless || s.source.trap.name == "links"):
		return errors.New("bomb: a body that is packed cannot go on")
	}
	if f := s.source.file; f != "" {
		if _, ok := p.s.files[f]; !ok {
			return fmt.Errorf("body: there is no file %q below", f)
		}
		p.used[f] = true
	}
	return nil
}

// attributes are what can be said of an answer beside a header's fields.
var attributes = map[string]func(s *step, value string) error{
	"body": func(s *step, v string) error { s.source.file = v; return need(v) },
	"page": func(s *step, v string) error {
		s.source.page = v
		if v != pageSelf && v != pageAnother && !strings.HasPrefix(v, "/") {
			return errors.New("want self, another or a path")
		}
		return nil
	},
	"trap": func(s *step, v string) error {
		name, count, given := strings.Cut(v, ":")
		t, ok := traps[name]
		if !ok {
			return fmt.Errorf("is none of %s", strings.Join(slices.Sorted(maps.Keys(traps)), ", "))
		}
		n, err := counted(count, given, t.counted, given, maxCount)
		s.source.trap = trap{name, n}
		return err
	},
	"spoil": func(s *step, v string) error {
		name, count, given := strings.Cut(v, ":")
		k, ok := spoilers[name]
		if !ok {
			return fmt.Errorf("is none of %s", strings.Join(slices.Sorted(maps.Keys(spoilers)), ", "))
		}
		n, err := counted(count, given, k.counted, k.counted, maxPiece)
		s.how.spoil = append(s.how.spoil, k.make(n))
		return err
	},
	"link": func(s *step, v string) error { s.how.spoil = append(s.how.spoil, linkTo(v)); return need(v) },
	"charset": func(s *step, v string) error {
		s.how.charset = v
		if set, _ := charset.Lookup(v); set == nil {
			return errors.New("is no charset")
		}
		return nil
	},
	"says":    func(s *step, v string) error { s.how.says = v; return need(v) },
	"wait":    func(s *step, v string) (err error) { s.how.wait, err = parseTime(v); return err },
	"head":    func(s *step, v string) (err error) { s.how.head, err = parseSize(v, maxPiece); return err },
	"endless": func(s *step, v string) error { s.how.endless = true; return none(v) },
	"chunked": func(s *step, v string) error { s.how.chunked = true; return none(v) },
	"bomb": func(s *step, v string) (err error) {
		coding, size, _ := strings.Cut(v, ":")
		if !slices.Contains(codings, coding) {
			return fmt.Errorf("want one of %s, as gzip:64MiB", strings.Join(codings, ", "))
		}
		s.how.bomb.coding = coding
		s.how.bomb.size, err = parseSize(size, maxSize)
		return err
	},
	"trickle": func(s *step, v string) error {
		size, every, _ := strings.Cut(v, "/")
		n, err := parseSize(size, maxPiece)
		if err != nil {
			return err
		}
		s.how.trickle.bytes = int(n)
		s.how.trickle.every, err = parseTime(every)
		return err
	},
	"cut":   func(s *step, v string) error { return s.breaks(endingCut, v) },
	"reset": func(s *step, v string) error { return s.breaks(endingReset, v) },
	"stall": func(s *step, v string) error { return s.breaks(endingStall, v) },
}

// breaks reads where a body breaks off.
func (s *step) breaks(how ending, at string) (err error) {
	if s.how.broken.how != endingNone {
		return errors.New("the answer breaks off already")
	}
	number, percent := strings.CutSuffix(at, "%")
	b := broken{how: how, percent: percent}
	if percent {
		if b.at, err = strconv.ParseInt(number, 10, 64); err != nil || b.at < 0 || b.at > 99 {
			return errors.New("want bytes, or 0% to 99%")
		}
	} else if b.at, err = parseSize(at, maxSize); err != nil {
		return err
	}
	s.how.broken = b
	return nil
}

func need(v string) error {
	if v == "" {
		return errors.New("want a value")
	}
	return nil
}

func none(v string) error {
	if v != "" {
		return errors.New("takes no value")
	}
	return nil
}

// counted reads a count where there must or may be one.
func counted(s string, given, must, may bool, most int64) (int64, error) {
	switch {
	case given && !may:
		return 0, errors.New("takes no number")
	case !given && must:
		return 0, errors.New("want a number behind a colon")
	case !given:
		return 0, nil
	}
	return parseSize(s, most)
}

// sizes are the units of bytes.
var sizes = []struct {
	unit  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}, {"", 1}}

// parseSize reads a number above 0, of bytes if it has a unit.
func parseSize(s string, most int64) (int64, error) {
	for _, unit := range sizes {
		number, ok := strings.CutSuffix(s, unit.unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || n > most/unit.bytes {
			break
		}
		return n * unit.bytes, nil
	}
	return 0, fmt.Errorf("%q is no number or size, as 200 or 64MiB, from 1 to %d", s, most)
}

func parseTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > maxTime {
		return 0, fmt.Errorf("%q is no time above 0 and up to %v, as 500ms", s, maxTime)
	}
	return d, nil
}

// crawl reads the head of a run: crawl: [KEY=VALUE…].
func (p *parser) crawl(words []word) error {
	c := defaultCrawl(p.line)
	if err := set(crawlKeys, &c, words); err != nil {
		return err
	}
	p.s.Crawls = append(p.s.Crawls, c)
	p.take = p.check
	return nil
}

func (p *parser) check(words []word) error {
	c, err := parseCheck(p.line, words)
	if err != nil {
		return err
	}
	last := &p.s.Crawls[len(p.s.Crawls)-1]
	last.checks = append(last.checks, c)
	return nil
}

// set reads settings of a kind into what they set.
func set[T any](keys map[string]func(*T, string) error, to *T, words []word) error {
	for _, w := range words {
		read, ok := keys[cmp.Or(w.key, w.text)]
		if !ok {
			return fmt.Errorf("%s: want one of %s", w.text, strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
		}
		if err := read(to, w.value); err != nil {
			return fmt.Errorf("%s: %w", w.text, err)
		}
	}
	return nil
}

// mirrorKeys are the settings of the mirror below.
var mirrorKeys = map[string]func(*Options, string) error{
	"posts":      func(o *Options, v string) (err error) { o.Posts, err = whole(v, MaxPosts); return err },
	"categories": func(o *Options, v string) (err error) { o.Categories, err = whole(v, MaxCategories); return err },
	"seed":       func(o *Options, v string) (err error) { o.Seed, err = strconv.ParseUint(v, 10, 64); return err },
	"share-only": func(o *Options, v string) (err error) { o.ShareOnly, err = parseShare(v); return err },
	"window":     func(o *Options, v string) (err error) { o.Window, err = time.ParseDuration(v); return err },
	"faults":     func(o *Options, v string) (err error) { o.Faults, err = ParseFaults(v); return err },
	"gzip":       func(o *Options, v string) error { o.Gzip = true; return none(v) },
}

// crawlKeys are how a crawler is set.
var crawlKeys = map[string]func(*Crawl, string) error{
	"rate": func(c *Crawl, v string) (err error) {
		if c.Rate, err = strconv.ParseFloat(v, 64); err == nil && !(c.Rate >= 0 && c.Rate <= 1e6) {
			err = errors.New("want 0 (no limit) to 1000000 a second")
		}
		return err
	},
	"burst":    func(c *Crawl, v string) (err error) { c.Burst, err = whole(v, 1000); return err },
	"parallel": func(c *Crawl, v string) (err error) { c.Parallel, err = whole(v, 100); return err },
	"retries": func(c *Crawl, v string) (err error) {
		if c.Retries, err = strconv.Atoi(v); err == nil && (c.Retries < 0 || c.Retries > 100) {
			err = errors.New("want 0 to 100")
		}
		return err
	},
	"timeout":  func(c *Crawl, v string) (err error) { c.Timeout, err = parseTime(v); return err },
	"after":    func(c *Crawl, v string) (err error) { c.After, err = parseTime(v); return err },
	"backoff":  func(c *Crawl, v string) (err error) { c.Backoff, err = parseTime(v); return err },
	"max-body": func(c *Crawl, v string) (err error) { c.MaxBody, err = parseSize(v, maxSize); return err },
	"robots":   func(c *Crawl, v string) (err error) { c.Robots, err = yes(v); return err },
	"shares":   func(c *Crawl, v string) (err error) { c.Shares, err = yes(v); return err },
	"apart":    func(c *Crawl, v string) (err error) { c.Apart, err = yes(v); return err },
}

// whole reads a number from 1.
func whole(v string, most int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("want 1 to %d", most)
	}
	return n, nil
}

func yes(v string) (bool, error) {
	switch v {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, errors.New("want yes or no")
}
