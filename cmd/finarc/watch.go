package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/schedule"
	"github.com/spf13/cobra"
)

// defaultSchedule is that of a watch which is told none: as often as a mirror
// changes, and not all archives at the same second.
const defaultSchedule = "@every 5m"

// watchFlags are what the command line says of a watch.
type watchFlags struct {
	crawlFlags
	every time.Duration
	exprs []string
}

func (a *app) watchCommand() *cobra.Command {
	var fl watchFlags
	cmd := reports(&cobra.Command{
		Use:   "watch",
		Short: "Crawl by a schedule until stopped",
		Long: `Crawl in the foreground, again and again, until stopped: each run is one of finarc
crawl, with its report, its metrics and its word to the webhook.

When, the flags say, or schedule: in the configuration; or else it is every five
minutes. A schedule is a cron expression (minute, hour, day of month, month, day of
week) in Shanghai time, or @hourly, @daily, @weekly, @monthly, @yearly, or @every
and a time. Several are united.

One run goes on at a time: what becomes due meanwhile is left out, and so is a run
while another process crawls the mirror. A run that was missed while nobody watched,
or that was interrupted, is made up for at the start; several make one. A run that
fails is told of, and the next one comes when it is due.

Interrupt it to stop: a run that goes on ends in order, and what it archived is
kept. A second interrupt ends it at once. With --quiet nothing is said while all is
well.

Exit codes: 0 stopped; 1 failed; 2 wrong usage or configuration; 4 the archive is
busy at the start.`,
		Example: `  finarc watch
  finarc watch --every 10m --max-duration 9m
  finarc watch --schedule '*/5 9-15 * * mon-fri' --schedule @hourly
  finarc watch --json --refresh 2 >> runs.jsonl`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(fl.check(cmd), exclusive(cmd, "every", "schedule")); err != nil {
				return err
			}
			c, err := a.crawlConfig(&fl.crawlFlags)
			if err != nil {
				return err
			}
			when, err := fl.schedule(cmd, c)
			if err != nil {
				return err
			}
			return a.watch(cmd.Context(), c, when, &fl.crawlFlags)
		},
	})
	fl.add(cmd)
	cmd.Flags().DurationVar(&fl.every, "every", 0, "crawl every `TIME`, in whole seconds")
	cmd.Flags().StringArrayVar(&fl.exprs, "schedule", nil, "crawl by the cron expression `EXPR`, in Shanghai time (may be repeated)")
	completeFlag(cmd, "every", noValues)
	completeFlag(cmd, "schedule", noValues)
	a.completeMirrors(cmd)
	return cmd
}

// schedule returns when to crawl: as the flags say, or else the configuration.
func (fl *watchFlags) schedule(cmd *cobra.Command, c config.Config) (schedule.Schedule, error) {
	switch {
	case cmd.Flags().Changed("every"):
		s, err := schedule.Parse("@every " + fl.every.String())
		if err != nil {
			return s, usagef("--every %v: want whole seconds, at least one", fl.every)
		}
		return s, nil
	case len(fl.exprs) > 0:
		s, err := schedule.Parse(fl.exprs...)
		if err != nil {
			return s, usagef("--schedule %w", err)
		}
		return s, nil
	case len(c.Schedule) > 0:
		return schedule.Parse(c.Schedule...)
	}
	return schedule.Parse(defaultSchedule)
}

// watch crawls by a schedule until ctx ends.
func (a *app) watch(ctx context.Context, c config.Config, when schedule.Schedule, fl *crawlFlags) error {
	last, err := a.lastCrawl(ctx, c)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	level := slog.LevelInfo
	if fl.quiet {
		level = slog.LevelWarn
	}
	table := schedule.Timetable{Schedule: when, Last: last, Now: a.now, Log: a.logger(level)}
	table.Log.Info("watching", "mirrors", mirrorNames(c), "schedule", when)
	for range table.Runs(ctx) {
		if err := a.watchedRun(ctx, c, fl, table.Log); err != nil {
			return err
		}
	}
	return nil
}

// watchedRun crawls once, and tells what went wrong. Its error is one after which
// there is nobody to tell any more.
func (a *app) watchedRun(ctx context.Context, c config.Config, fl *crawlFlags, log *slog.Logger) error {
	err := a.crawlAndTell(ctx, c, fl)
	locked := new(archive.LockedError)
	switch {
	case as[outputError](err):
		return err
	case errors.As(err, &locked):
		log.Info("run left out: another is at the mirror", "mirror", locked.Mirror, "holder", locked.Holder.String())
	default:
		exit(err, "finarc watch", a.err)
	}
	return nil
}

// historyRuns is how many runs a watch looks back for the last crawl.
const historyRuns = 1000

// lastCrawl returns when the last whole crawl of the mirrors began, see
// [lastWhole]; the zero time where there is no archive yet.
func (a *app) lastCrawl(ctx context.Context, c config.Config) (time.Time, error) {
	arc, err := archive.Open(ctx, c.Archive, a.archiveOptions()...)
	if errors.Is(err, archive.ErrMissing) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	runs, err := arc.Runs(ctx, historyRuns)
	return lastWhole(runs, mirrorNames(c)), err
}

// lastWhole returns when the last crawl began, of these runs, newest first, that
// was neither interrupted nor killed. Where mirrors were crawled apart, it is that
// of the one which lies back furthest; the zero time if one was never crawled.
func lastWhole(runs []news.Run, mirrors []string) (last time.Time) {
	for i, name := range mirrors {
		at := slices.IndexFunc(runs, func(r news.Run) bool {
			return r.Backfill == nil && !r.Ended.IsZero() && r.Ending != news.EndingInterrupted && slices.Contains(r.Mirrors, name)
		})
		if at < 0 {
			return time.Time{}
		}
		if began := runs[at].Started; i == 0 || began.Before(last) {
			last = began
		}
	}
	return last
}
