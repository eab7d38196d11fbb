package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) crawlCommand() *cobra.Command {
	quiet := false
	cmd := &cobra.Command{
		Use:   "crawl",
		Short: "Archive what the mirrors show now",
		Long: `One run: ask the configured mirrors for their list pages, then for every post
that the archive lacks. Interrupt it at any time: what was archived is kept, and
the next run goes on where it stopped.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but some
pages failed for good; 4 the archive is busy; 130 interrupted.`,
		Example: `  finarc crawl
  finarc crawl -c crawler.yaml --archive news.db --json
  */5 * * * *  cd /srv/finarc && finarc crawl --quiet        (in a crontab)`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.config()
			if err != nil {
				return err
			}
			if err := c.Validate(); err != nil {
				return err
			}
			arc, err := archive.OpenOrCreate(cmd.Context(), c.Archive)
			if err != nil {
				return err
			}
			report, err := a.crawl(cmd.Context(), c, arc, quiet)
			if report != nil && (!quiet || err != nil) {
				if reportErr := a.showRun(report); reportErr != nil {
					return errors.Join(err, reportErr)
				}
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print a report only when something is wrong")
	return cmd
}

// crawl runs one crawl with progress on standard error. Its error is what the
// program ends with; the report may be there all the same.
func (a *app) crawl(ctx context.Context, c config.Config, arc *archive.Archive, quiet bool) (*news.Run, error) {
	progress := a.startProgress(quiet)
	report, err := crawler.Run(ctx, crawler.Options{
		Mirrors: c.Mirrors, Limits: c.Limits, Agent: userAgent(c.Contact), Command: "crawl " + strings.Join(mirrorNames(c), " "),
		Store: arc, Log: a.logger(progress.level()), Progress: progress.set,
	})
	progress.stop()
	switch {
	case err != nil:
		return report, err
	case report.Ending == news.EndingInterrupted:
		return report, errInterrupted
	case report.FailedPosts() > 0 || report.Lists.Failed > 0:
		return report, fmt.Errorf("run %d: %w", report.ID, errPagesFailed)
	}
	return report, nil
}

func mirrorNames(c config.Config) []string {
	var names []string
	for _, m := range c.Mirrors {
		names = append(names, m.Name)
	}
	return names
}

// level returns what is logged beside the progress: on a terminal, where the
// report follows, nothing but errors.
func (p *progress) level() slog.Level {
	if p.live {
		return slog.LevelError
	}
	return slog.LevelWarn
}
