package main

import (
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) runsCommand() *cobra.Command {
	limit := 0
	cmd := reports(&cobra.Command{
		Use:   "runs",
		Short: "Show the reports of past runs",
		Long: `Show the reports of past runs, newest first. With --json, one report a line.

The posts add up: those met are the new, revised and unchanged ones, those skipped
(by reason), those that failed for good (by their final error), and those pending.
What there is nothing to tell of is left out.`,
		Example: `  finarc runs
  finarc runs --limit 1 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usagef("--limit %d: want 0 (all) or more", limit)
			}
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			runs, err := arc.Runs(cmd.Context(), limit)
			if err != nil {
				return err
			}
			for i := range runs {
				if err := a.showRun(&runs[i]); err != nil {
					return err
				}
			}
			return nil
		},
	})
	cmd.Flags().IntVar(&limit, "limit", 10, "at most `N` runs (0: all)")
	return cmd
}

func (a *app) showRun(r *news.Run) error {
	if a.json {
		return a.writeJSON(r.Clone()) // older reports lack some lists
	}
	return writeReport(a.out, r)
}
