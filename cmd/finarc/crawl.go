package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) crawlCommand() *cobra.Command {
	var only []string
	quiet := false
	cmd := reports(&cobra.Command{
		Use:   "crawl",
		Short: "Archive what the mirrors show now",
		Long: `One run: ask the configured mirrors for their list pages, then for every post
that the archive lacks. Interrupt it at any time: what was archived is kept, and
the next run goes on where it stopped.

A mirror is crawled into an archive by one run at a time. Another one says who is
at it and ends with 4; with --wait TIME it waits that long for its turn.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but some
pages failed for good; 4 the archive is busy; 130 interrupted.`,
		Example: `  finarc crawl
  finarc crawl -c crawler.yaml --archive news.db --json
  finarc crawl --mirror finews
  */5 * * * *  cd /srv/finarc && finarc crawl --quiet        (in a crontab)`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.validConfig()
			if err != nil {
				return err
			}
			if c.Mirrors, err = chosen(c.Mirrors, only); err != nil {
				return err
			}
			arc, err := archive.OpenOrCreate(cmd.Context(), c.Archive, a.archiveOptions()...)
			if err != nil {
				return err
			}
			report, err := a.crawl(cmd.Context(), c, arc, quiet)
			if report != nil && (!quiet || err != nil) {
				return errors.Join(err, a.showRun(report))
			}
			return err
		},
	})
	f := cmd.Flags()
	f.BoolVarP(&quiet, "quiet", "q", false, "print a report only when something is wrong")
	f.StringArrayVar(&only, "mirror", nil, "crawl only the configured mirror called `NAME` (may be repeated)")
	completeFlag(cmd, "mirror", func() []string {
		c, err := a.config()
		if err != nil {
			return nil
		}
		return mirrorNames(c)
	})
	return cmd
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
func (a *app) crawl(ctx context.Context, c config.Config, arc *archive.Archive, quiet bool) (_ *news.Run, err error) {
	command := "crawl " + strings.Join(mirrorNames(c), " ")
	release, err := a.lockMirrors(ctx, arc, mirrorNames(c), command, quiet)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	progress := a.startProgress(ctx, quiet)
	report, err := crawler.Run(ctx, crawler.Options{
		Mirrors: c.Mirrors, Limits: c.Limits, Agent: userAgent(c.Contact), Command: command,
		Store: arc, Log: a.logger(progress.level()), Progress: progress.set,
	})
	progress.stop()
	switch {
	case err != nil:
		return report, err
	case report.Ending == news.EndingInterrupted:
		return report, errInterrupted
	case report.FailedPosts() > 0 || report.Lists.Failed > 0:
		return report, fmt.Errorf("run %d: %w: %s", report.ID, errPagesFailed, failures(report))
	case report.Pending > 0:
		// No failure, and yet nothing to be silent about: see --quiet.
		fmt.Fprintf(a.err, "finarc: run %d could not get %s now; the next crawl tries again (finarc runs --limit 1 tells why)\n",
			report.ID, plural(report.Pending, "post"))
	}
	return report, nil
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

// failures tells how many pages failed for good: 2 posts and 1 list page.
func failures(r *news.Run) string {
	var parts []string
	if n := r.FailedPosts(); n > 0 {
		parts = append(parts, plural(n, "post"))
	}
	if n := r.Lists.Failed; n > 0 {
		parts = append(parts, plural(n, "list page"))
	}
	return strings.Join(parts, " and ")
}

func mirrorNames(c config.Config) []string {
	var names []string
	for _, m := range c.Mirrors {
		names = append(names, m.Name)
	}
	return names
}
