package mirror

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

var lineOfError = regexp.MustCompile(`^s:(\d+): `)

// FuzzScenario: what cannot be read is told with a line that there is; what can
// be read means the same with other line ends, and with empty lines and remarks
// in between; and its rules go through their answers whatever is asked for.
func FuzzScenario(f *testing.F) {
	files, err := filepath.Glob("../crawler/testdata/scenario/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("mirror: posts=3 gzip\non /a*b?c=1 12.5% together as \"x y\":\n\tfor 2ms healthy wait=1ms\n\t3x 200 A=\"b c\" trickle=1B/1ms\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScenario("s", []byte(text))
		if err != nil {
			checkLine(t, err, strings.Count(text, "\n")+2)
			return
		}
		want := sketch(s)
		if strings.Contains(text, "\r") { // which may stand within a line
			return
		}
		if again, err := ParseScenario("s", []byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil || sketch(again) != want {
			t.Errorf("other line ends make it another scenario: %v", err)
		}
		if again, err := ParseScenario("s", []byte(spaced(text))); err != nil || sketch(again) != want {
			t.Errorf("empty lines and remarks make it another scenario: %v", err)
		}
		checkTurns(t, s)
	})
}

func checkLine(t *testing.T, err error, lines int) {
	t.Helper()
	found := lineOfError.FindStringSubmatch(err.Error())
	if found == nil {
		t.Fatalf("no line is told: %v", err)
	}
	if n, _ := strconv.Atoi(found[1]); n < 1 || n > lines {
		t.Errorf("there is no such line: %v", err)
	}
}

// spaced puts an empty line and a remark before each line up to the first file.
func spaced(text string) string {
	head, files, found := strings.Cut(text, "\n-- ")
	if strings.HasPrefix(text, "-- ") {
		return "\n # first\n" + text
	}
	head = "\n\t# and\n" + strings.ReplaceAll(head, "\n", "\n\n\t# and\n")
	if !found {
		return head
	}
	return head + "\n-- " + files
}

// sketch tells what a scenario says, but for its lines.
func sketch(s *Scenario) string {
	var b strings.Builder
	fmt.Fprintln(&b, s.Awaits, s.Site.Posts, s.Site.Seed, s.Site.Faults, len(s.files))
	for _, r := range s.rules {
		fmt.Fprintln(&b, r.name, r.match, r.share, r.together)
		for _, s := range r.steps {
			how := s.how
			fmt.Fprintln(&b, " ", s.times, s.lasts, s.healthy, s.status, s.source, how.mute, how.wait, how.header, how.head, len(how.spoil), how.charset, how.says,
				how.endless, how.bomb, how.trickle, how.broken, how.chunked)
		}
	}
	for _, c := range s.Crawls {
		fmt.Fprintln(&b, c.After, c.Rate, c.Burst, c.Parallel, c.Retries, c.Timeout, c.Backoff, c.MaxBody, c.Robots, c.Shares, c.Apart)
		for _, ch := range c.checks {
			fmt.Fprintln(&b, " ", ch.text, ch.arg, ch.op, ch.value)
		}
	}
	return b.String()
}

// checkTurns asks for some addresses over and over: each answer is one of the
// first rule that hits, in the order of the file, and a rule whose answers end
// comes to its end.
func checkTurns(t *testing.T, s *Scenario) {
	now := time.Date(2021, 12, 22, 12, 0, 0, 0, time.UTC)
	p := &play{scenario: s, now: func() time.Time { return now }, turns: map[turnKey]*turn{}}
	for _, q := range []request{
		{kind: news.KindHome, path: "/"}, {kind: news.KindPost, path: "/a/2021/12/22/b.html"},
		{kind: news.KindShare, path: sharePath, query: "infoCode=NW202112222222306968"},
	} {
		r, _ := ruleOf(s.rules, &target{q.kind, q.path, q.query})
		last := 0
		for range 8 {
			step := p.next(&q)
			if step == nil {
				continue
			}
			if r == nil || step.line < last || step.line < r.steps[0].line || step.line > r.steps[len(r.steps)-1].line {
				t.Fatalf("the answer of line %d to %s is of no rule for it", step.line, q.path)
			}
			last = step.line
			now = now.Add(maxTime)
		}
	}
}
