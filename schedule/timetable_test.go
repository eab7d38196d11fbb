package schedule_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/schedule"
)

// keeper keeps a timetable in the time of a synctest bubble, by a wall clock that
// can be moved against it.
type keeper struct {
	*testing.T
	log   bytes.Buffer
	shift atomic.Int64 // of the wall clock, in nanoseconds
}

func (k *keeper) now() time.Time {
	return time.Now().Add(time.Duration(k.shift.Load())).In(news.Shanghai)
}

// move moves the wall clock on.
func (k *keeper) move(d time.Duration) { k.shift.Add(int64(d)) }

// set sets the wall clock.
func (k *keeper) set(text string) { k.move(at(k, text).Sub(k.now())) }

// runs keeps the timetable from the start for so many runs, each of which does
// what run says, and returns when each began and when it was due.
func (k *keeper) runs(start, last string, n int, run func(i int), exprs ...string) []string {
	k.Helper()
	var began []string
	k.set(start)
	t := schedule.Timetable{Schedule: parse(k, exprs...), Now: k.now, Log: slog.New(slog.NewTextHandler(&k.log, nil))}
	if last != "" {
		t.Last = at(k, last)
	}
	for due := range t.Runs(k.Context()) {
		began = append(began, k.now().Format(time.DateTime)+" for "+due.In(news.Shanghai).Format(time.TimeOnly))
		if len(began) == n {
			break
		}
		run(len(began))
	}
	return began
}

func TestRuns(t *testing.T) {
	for name, c := range map[string]struct {
		start, last string
		exprs       []string
		run         func(k *keeper, i int)
		want        []string
		logged      []string
	}{
		"never run before: at once": {
			start: "2021-12-22 10:37:15", exprs: []string{"*/5 * * * *"},
			want: []string{"2021-12-22 10:37:15 for 10:37:15", "2021-12-22 10:40:00 for 10:40:00", "2021-12-22 10:45:00 for 10:45:00"},
		},
		"nothing was missed": {
			start: "2021-12-22 10:37:15", last: "2021-12-22 10:35:00", exprs: []string{"*/5 * * * *"},
			want: []string{"2021-12-22 10:40:00 for 10:40:00"},
		},
		"some were missed: one run": {
			start: "2021-12-22 10:37:15", last: "2021-12-21 18:00:02", exprs: []string{"0 9,18 * * *"},
			want:   []string{"2021-12-22 10:37:15 for 09:00:00", "2021-12-22 18:00:00 for 18:00:00"},
			logged: []string{`level=INFO msg="first run" due=2021-12-22T09:00:00.000+08:00 missed=true`},
		},
		"the last run is yet to come": {
			start: "2021-12-22 10:37:15", last: "2031-12-22 10:35:00", exprs: []string{"*/5 * * * *"},
			want: []string{"2021-12-22 10:40:00 for 10:40:00"},
		},
		"the interval goes on from the last run": {
			start: "2021-12-22 10:37:15", last: "2021-12-22 10:33:00", exprs: []string{"@every 5m"},
			want: []string{"2021-12-22 10:38:00 for 10:38:00", "2021-12-22 10:43:00 for 10:43:00"},
		},
		"what is due while a run goes on is left out": {
			start: "2021-12-22 10:37:15", last: "2021-12-22 10:35:00", exprs: []string{"*/5 * * * *"},
			run:    func(_ *keeper, i int) { time.Sleep(time.Duration(i-1) * 11 * time.Minute) },
			want:   []string{"2021-12-22 10:40:00 for 10:40:00", "2021-12-22 10:45:00 for 10:45:00", "2021-12-22 11:00:00 for 11:00:00"},
			logged: []string{`msg="runs left out: they were due before the last one ended" runs=2 next=2021-12-22T11:00:00.000+08:00`},
		},
		"due the moment the run ends": {
			start: "2021-12-22 10:37:15", last: "2021-12-22 10:35:00", exprs: []string{"*/5 * * * *"},
			run:    func(*keeper, int) { time.Sleep(5 * time.Minute) },
			want:   []string{"2021-12-22 10:40:00 for 10:40:00", "2021-12-22 10:50:00 for 10:50:00"},
			logged: []string{"runs=1 next="},
		},
		"the machine slept": {
			start: "2021-12-22 10:37:15", last: "2021-12-22 10:35:00", exprs: []string{"0 * * * *"},
			run: func(k *keeper, i int) {
				if i == 1 { // at 11:00; from 11:10:30 until 14:25, of which timers know nothing
					time.AfterFunc(10*time.Minute+30*time.Second, func() { k.set("2021-12-22 14:25:00") })
				}
			},
			want:   []string{"2021-12-22 11:00:00 for 11:00:00", "2021-12-22 14:25:30 for 12:00:00", "2021-12-22 15:00:00 for 15:00:00"},
			logged: []string{"runs=2 next=2021-12-22T15:00:00.000+08:00"},
		},
		"the clock is set back while it waits": {
			start: "2021-12-22 10:37:15", last: "2021-12-22 10:35:00", exprs: []string{"0 * * * *"},
			run: func(k *keeper, i int) {
				if i == 1 {
					time.AfterFunc(10*time.Minute+30*time.Second, func() { k.set("2021-12-20 08:30:00") })
				}
			},
			want:   []string{"2021-12-22 11:00:00 for 11:00:00", "2021-12-20 09:00:00 for 09:00:00", "2021-12-20 10:00:00 for 10:00:00"},
			logged: []string{`level=WARN msg="the clock was set back" now=2021-12-20T08:30:30`, "next=2021-12-20T09:00:00.000+08:00"},
		},
		"the clock is set back during a run": {
			start: "2021-12-22 10:37:15", last: "2021-12-22 10:35:00", exprs: []string{"0 * * * *"},
			run: func(k *keeper, i int) {
				if i == 1 {
					k.set("2021-12-20 08:30:00")
				}
			},
			want:   []string{"2021-12-22 11:00:00 for 11:00:00", "2021-12-20 09:00:00 for 09:00:00"},
			logged: []string{"level=WARN"},
		},
		"a clock that is a second behind is none that was set": {
			start: "2021-12-22 10:37:15", last: "2021-12-22 10:35:00", exprs: []string{"*/5 * * * *"},
			run:  func(k *keeper, i int) { k.move(-time.Second) },
			want: []string{"2021-12-22 10:40:00 for 10:40:00", "2021-12-22 10:45:00 for 10:45:00"},
		},
		"a clock that was years behind": {
			start: "1970-01-01 08:00:15", exprs: []string{"* * * * *"},
			run:    func(k *keeper, i int) { k.set("2021-12-22 10:37:15") },
			want:   []string{"1970-01-01 08:00:15 for 08:00:15", "2021-12-22 10:38:00 for 10:38:00"},
			logged: []string{"runs=10000 next=2021-12-22T10:38:00.000+08:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &keeper{T: t}
				run := func(i int) {
					if c.run != nil {
						c.run(k, i)
					}
				}
				if got := k.runs(c.start, c.last, len(c.want), run, c.exprs...); !slices.Equal(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
				for _, line := range c.logged {
					if !strings.Contains(k.log.String(), line) {
						t.Errorf("logged %s\nwant   %s", &k.log, line)
					}
				}
				if len(c.logged) == 0 && (strings.Count(k.log.String(), "\n") != 1 || !strings.Contains(k.log.String(), `msg="first run"`)) {
					t.Errorf("logged %s", &k.log)
				}
			})
		})
	}
}

// A timetable ends with its context: at once while it waits, and after the run
// that goes on.
func TestRunsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		table := schedule.Timetable{Schedule: parse(t, "@every 1h"), Last: time.Now(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		began := time.Now()
		time.AfterFunc(90*time.Second, cancel)
		for due := range table.Runs(ctx) {
			t.Errorf("a run for %s", due)
		}
		if took := time.Since(began); took != 90*time.Second {
			t.Errorf("the wait ended after %v", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		table := schedule.Timetable{Schedule: parse(t, "@every 1h"), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		runs := 0
		for range table.Runs(ctx) {
			runs++
			cancel()
		}
		if runs != 1 {
			t.Errorf("%d runs, want the one during which it ended", runs)
		}
	})
}
