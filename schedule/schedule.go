// Package schedule knows when runs are due: cron expressions in Shanghai time,
// and the walk from one due time to the next.
//
// An expression has the five fields of crontab(5): minute, hour, day of month,
// month and day of week, with lists, ranges, steps and the English names of
// months and weekdays. Where both kinds of day are restricted (neither is *),
// either will do. In place of the fields there may be @hourly, @daily (or
// @midnight), @weekly, @monthly, @yearly (or @annually), or @every and a time of
// whole seconds: @every 5m is five minutes after the time that was due before.
package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/netresearch/go-cron"
)

// Schedule is a union of expressions: due when any of them is. The zero value is
// never due; what [Parse] returns always will be again.
type Schedule struct {
	parts []cron.Schedule
	text  string
}

// Error says what is wrong with an expression.
type Error struct {
	Index int // of the expression, from 0
	Expr  string
	Why   error
}

func (e *Error) Error() string { return fmt.Sprintf("%q: %v", e.Expr, e.Why) }

// Unwrap returns why.
func (e *Error) Unwrap() error { return e.Why }

// Parse reads expressions. The error is an [*Error], of the first that cannot be
// read or is never due.
func Parse(exprs ...string) (Schedule, error) {
	s := Schedule{text: strings.Join(exprs, "; ")}
	for i, expr := range exprs {
		part, err := parse(expr)
		if err != nil {
			return Schedule{}, &Error{i, expr, err}
		}
		s.parts = append(s.parts, part)
	}
	return s, nil
}

// String returns the expressions as they were written.
func (s Schedule) String() string { return s.text }

// Next returns the first due time after t, in Shanghai time; the zero time if the
// schedule is empty.
func (s Schedule) Next(t time.Time) (first time.Time) {
	for _, p := range s.parts {
		if next := p.Next(t.In(news.Shanghai)); first.IsZero() || next.Before(first) {
			first = next
		}
	}
	return first
}

// fields are how many an expression has.
const fields = 5

// searchYears is how far ahead a due time is looked for: 29 February is eight
// years off around a year such as 2100.
const searchYears = 8

func parse(expr string) (cron.Schedule, error) {
	words := strings.Fields(strings.ToLower(expr)) // the library knows names in lower case alone
	if err := check(words); err != nil {
		return nil, err
	}
	p, err := cron.TryNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom)
	if err != nil {
		return nil, err
	}
	s, err := p.WithMaxSearchYears(searchYears).Parse(strings.Join(words, " "))
	if err != nil {
		return nil, err
	}
	// Years repeat, and a leap year has every day, so one look tells for good.
	if s.Next(time.Date(1999, time.December, 31, 0, 0, 0, 0, news.Shanghai)).IsZero() {
		return nil, errors.New("it is never due")
	}
	return s, nil
}

// check refuses what the library would take in another sense than it looks, or
// has no good words for.
func check(words []string) error {
	switch {
	case len(words) == 0:
		return errors.New("it is empty")
	case strings.Contains(words[0], "="):
		return errors.New("schedules are in Shanghai time: no time zone can be set")
	case words[0] == "@every":
		return checkEvery(strings.Join(words[1:], " "))
	case strings.HasPrefix(words[0], "@"):
		return nil
	case len(words) != fields:
		return fmt.Errorf("want %d fields (minute, hour, day of month, month, day of week), not %d", fields, len(words))
	}
	const item = `(\*|[0-9a-z]+(-[0-9a-z]+)?)(/[0-9]+)?`
	list := regexp.MustCompile(`^` + item + `(,` + item + `)*$`)
	for i, word := range words {
		if !list.MatchString(word) {
			return fmt.Errorf("%s: want numbers or names, ranges (1-5), steps (*/5) and lists of them (0,30), not %q", fieldName(i), word)
		}
	}
	// The library counts Sunday twice, as 7 and 0, where a range leads over it.
	if regexp.MustCompile(`[0-9a-z]/`).MatchString(words[fields-1]) {
		return fmt.Errorf("day of week: name the days instead of a step over some of them, not %q", words[fields-1])
	}
	return nil
}

func checkEvery(text string) error {
	switch every, err := time.ParseDuration(text); {
	case err != nil:
		return fmt.Errorf("@every: want a time such as 90s or 5m, not %q", text)
	case every < time.Second || every%time.Second != 0:
		return fmt.Errorf("@every: want whole seconds, at least one, not %q", text)
	}
	return nil
}

func fieldName(i int) string {
	return [fields]string{"minute", "hour", "day of month", "month", "day of week"}[i]
}
