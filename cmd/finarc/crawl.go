package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

// crawlFlags are what the command line says of a crawl.
type crawlFlags struct {
	only        []string // mirrors
	quiet       bool
	maxDuration time.Duration
	maxRequests int
	refresh     int // days
	budget      int
	budgeted    bool // budget is given
	metricsFile string

	job      []string          // the command and its own arguments; none: crawl
	backfill *crawler.Backfill // what days to go through; nil in a crawl
}

// command returns the words by which a run is known.
func (fl *crawlFlags) command() []string {
	if len(fl.job) == 0 {
		return []string{"crawl"}
	}
	return fl.job
}

func (a *app) crawlCommand() *cobra.Command {
	var fl crawlFlags
	cmd := reports(&cobra.Command{
		Use:   "crawl",
		Short: "Archive what the mirrors show now",
		Long: `One run: ask the configured mirrors for their list pages, then for every post
that the archive lacks. Interrupt it at any time: what was archived is kept, and
the next run goes on where it stopped. A second interrupt ends it at once.

--max-duration and --max-requests end a run in the same orderly way. It then says
what is left and how to go on, and ends with 0, as what is left is no failure.

A mirror is crawled into an archive by one run at a time. Another one says who is
at it and ends with 4; with --wait TIME it waits that long for its turn.

Of a mirror with more than limits.lists category pages (--budget), a run asks for
those on which a new post is likeliest, for new ones, and for those that it must
not leave alone any longer; home page, feed and sitemap tell what moved.

--metrics-file writes the report as Prometheus metrics too, for the textfile
collector of node_exporter; notify: in the configuration posts it to a webhook.

Where finarc stories was ever run in the archive, the stories of what came are
found at the end, for at most 10 seconds; and where there is a search index, it is
brought up to date, for as long. Neither changes how the crawl ends.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but some
pages failed for good, or pages lack more than they used to, or a mirror was left
alone for longer than it shows a post, or far fewer posts came than usual; 4 the
archive is busy; 130 interrupted.`,
		Example: `  finarc crawl
  finarc crawl -c crawler.yaml --archive news.db --json
  finarc crawl --mirror finews --max-duration 4m
  finarc crawl --refresh 3         look again at the posts of three days
  */5 * * * *  cd /srv/finarc && finarc crawl --quiet        (in a crontab)`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fl.check(cmd); err != nil {
				return err
			}
			c, err := a.crawlConfig(&fl)
			if err != nil {
				return err
			}
			return a.crawlAndTell(cmd.Context(), c, &fl)
		},
	})
	fl.add(cmd)
	a.completeMirrors(cmd)
	return cmd
}

// completeMirrors completes --mirror with the configured ones.
func (a *app) completeMirrors(cmd *cobra.Command) {
	completeFlag(cmd, "mirror", func() []string {
		c, err := a.config()
		if err != nil {
			return nil
		}
		return mirrorNames(c)
	})
}

func (fl *crawlFlags) add(cmd *cobra.Command) {
	fl.addCommon(cmd)
	cmd.Flags().IntVar(&fl.refresh, "refresh", 0, "look again for revisions of the posts of the last `DAYS` (0: of none)")
	cmd.Flags().IntVar(&fl.budget, "budget", 0, "ask for at most `N` category pages of each mirror, as limits.lists (0: for all)")
	for _, name := range []string{"refresh", "budget"} {
		completeFlag(cmd, name, noValues)
	}
}

// addCommon adds the flags of everything that asks mirrors.
func (fl *crawlFlags) addCommon(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&fl.quiet, "quiet", "q", false, "print a report only when something is wrong")
	f.StringArrayVar(&fl.only, "mirror", nil, "crawl only the configured mirror called `NAME` (may be repeated)")
	f.DurationVar(&fl.maxDuration, "max-duration", 0, "end in order after `TIME` (0: no limit)")
	f.IntVar(&fl.maxRequests, "max-requests", 0, "end in order after `N` requests (0: no limit)")
	f.StringVar(&fl.metricsFile, "metrics-file", "", "write Prometheus metrics of the run to `FILE`, whole or not at all")
	for _, name := range []string{"max-duration", "max-requests"} {
		completeFlag(cmd, name, noValues)
	}
	must(cmd.MarkFlagFilename("metrics-file", "prom"))
}

// check refuses what cannot be meant.
func (fl *crawlFlags) check(cmd *cobra.Command) error {
	fl.budgeted = cmd.Flags().Changed("budget")
	switch {
	case fl.maxDuration < 0:
		return usagef("--max-duration %v: want 0 (no limit) or more", fl.maxDuration)
	case fl.maxRequests < 0:
		return usagef("--max-requests %d: want 0 (no limit) or more", fl.maxRequests)
	case fl.refresh < 0:
		return usagef("--refresh %d: want 0 (no day) or more", fl.refresh)
	case fl.budget < 0:
		return usagef("--budget %d: want 0 (every category page) or more", fl.budget)
	case fl.metricsFile == "" && cmd.Flags().Changed("metrics-file"):
		return usagef("--metrics-file: want the name of a file")
	}
	return nil
}

// crawlInto crawls into the configured archive.
func (a *app) crawlInto(ctx context.Context, c config.Config, fl *crawlFlags) (*news.Run, error) {
	arc, err := archive.OpenOrCreate(ctx, c.Archive, a.archiveOptions()...)
	if err != nil {
		return nil, err
	}
	return a.crawl(ctx, c, arc, fl)
}

// crawlConfig reads a configuration to crawl with, of the named mirrors; all if
// none is.
func (a *app) crawlConfig(fl *crawlFlags) (config.Config, error) {
	c, err := a.validConfig()
	if err != nil {
		return c, err
	}
	if fl.budgeted {
		c.Limits.Lists = fl.budget
	}
	c.Mirrors, err = chosen(c.Mirrors, fl.only)
	return c, err
}

// chosen returns the mirrors that are named; all if none is.
func chosen(mirrors []config.Mirror, names []string) ([]config.Mirror, error) {
	if len(names) == 0 {
		return mirrors, nil
	}
	var those []config.Mirror
	for _, m := range mirrors {
		if slices.Contains(names, m.Name) {
			those = append(those, m)
		}
	}
	configured := mirrorNames(config.Config{Mirrors: mirrors})
	for _, name := range names {
		if !slices.Contains(configured, name) {
			return nil, usagef("--mirror %s: no such mirror in the configuration, which has %s", name, strings.Join(configured, ", "))
		}
	}
	return those, nil
}

// crawl runs one crawl with progress on standard error. Its error is what the
// program ends with; the report may be there all the same.
func (a *app) crawl(ctx context.Context, c config.Config, arc *archive.Archive, fl *crawlFlags) (_ *news.Run, err error) {
	command := strings.Join(slices.Concat(fl.command(), mirrorNames(c)), " ")
	calendar, err := loadCalendar(c)
	if err != nil {
		return nil, err
	}
	release, err := a.lockMirrors(ctx, arc, mirrorNames(c), command, fl.quiet)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	progress := a.startProgress(ctx, fl.quiet)
	report, err := crawler.Run(ctx, crawler.Options{
		Mirrors: c.Mirrors, Limits: c.Limits, Agent: userAgent(c.Contact), Proxy: c.Proxy, Command: command, GoOn: a.again(fl),
		MaxDuration: fl.maxDuration, MaxRequests: fl.maxRequests, Refresh: fl.refresh, Backfill: fl.backfill,
		TradingDay: func(d news.Day) bool { trading, _ := calendar.Trading(d); return trading }, // where it is not known: Monday to Friday
		Store:      arc, Log: a.logger(progress.level()), Progress: progress.set,
	})
	progress.stop()
	switch {
	case err != nil:
		return report, err
	case report.Ending == news.EndingInterrupted:
		return report, errInterrupted
	}
	err = verdict(report)
	if left := a.leftOver(report, fl, err != nil); left != "" {
		fmt.Fprintf(a.err, "finarc: %s\n", printable(left))
	}
	return report, err
}

// lockMirrors takes the mirrors' locks in the archive for a run of the command.
// Without --wait it does not wait: the next run by a timer comes anyway.
func (a *app) lockMirrors(ctx context.Context, arc *archive.Archive, names []string, command string, quiet bool) (release func() error, err error) {
	command = "finarc " + command
	release, err = arc.LockMirrors(ctx, names, command, 0)
	locked := new(archive.LockedError)
	if !errors.As(err, &locked) || a.waitForRun <= 0 {
		return release, err
	}
	if _, live := terminal(a.err); a.verbose || live && !quiet {
		fmt.Fprintf(a.err, "finarc: mirror %s is being crawled by %s; waiting up to %v for it\n",
			locked.Mirror, printable(locked.Holder.String()), a.waitForRun)
	}
	return arc.LockMirrors(ctx, names, command, a.waitForRun)
}

func mirrorNames(c config.Config) []string {
	var names []string
	for _, m := range c.Mirrors {
		names = append(names, m.Name)
	}
	return names
}
