package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

// dayForms tells how a day is written in a flag.
const dayForms = "2021-12-22, 20211222, 2021/12/22, 2021年12月22日, today, yesterday, or -7d or -2w for days or weeks ago"

var (
	errNoDay    = errors.New("not a day: want " + dayForms)
	errLongPast = errors.New("before 1990: there are no posts of that time")
)

// today returns the day in Shanghai.
func (a *app) today() news.Day { return news.DayOf(a.now()) }

// dayRange is the flags --from and --to.
type dayRange struct{ from, to string }

// register adds the flags; what says of which days they are.
func (r *dayRange) register(cmd *cobra.Command, what string) {
	f := cmd.Flags()
	f.StringVar(&r.from, "from", "", "first `DAY` "+what+", in Shanghai time: as 2021-12-22, yesterday, or -7d (a week ago)")
	f.StringVar(&r.to, "to", "", "last `DAY` "+what)
	completeFlag(cmd, "from", noValues)
	completeFlag(cmd, "to", noValues)
}

// days returns the days that the flags name, 0 where one is not set, or a usage
// error.
func (r *dayRange) days(today news.Day) (from, to news.Day, err error) {
	for _, flag := range []struct {
		name, text string
		day        *news.Day
	}{{"--from", r.from, &from}, {"--to", r.to, &to}} {
		if flag.text == "" {
			continue
		}
		if *flag.day, err = parseDay(flag.text, today); err != nil {
			return 0, 0, usagef("%s: %w", flag.name, err)
		}
	}
	if from != 0 && to != 0 && from > to {
		return 0, 0, usagef("--from %s is after --to %s", from, to)
	}
	return from, to, nil
}

// parseDay reads a day of the calendar, or one that is told from today.
func parseDay(text string, today news.Day) (news.Day, error) {
	switch text {
	case "today":
		return today, nil
	case "yesterday":
		return today.Add(-1), nil
	}
	if ago, ok := daysAgo(text); ok {
		d := today.Add(-ago)
		if !d.Valid() {
			return 0, fmt.Errorf("%q is %w", text, errLongPast)
		}
		return d, nil
	}
	for _, layout := range []string{"2006-1-2", "20060102", "2006/1/2", "2006年1月2日"} {
		if t, err := time.ParseInLocation(layout, text, news.Shanghai); err == nil {
			return news.DayOf(t), nil
		}
	}
	return 0, fmt.Errorf("%q is %w", text, errNoDay)
}

// daysAgo reads -7d or -2w as a number of days.
func daysAgo(text string) (int, bool) {
	number, ok := strings.CutPrefix(text, "-")
	if !ok {
		return 0, false
	}
	days := 1
	if number, ok = strings.CutSuffix(number, "d"); !ok {
		days = 7
		if number, ok = strings.CutSuffix(number, "w"); !ok {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(number, 10, 16)
	return int(n) * days, err == nil
}
