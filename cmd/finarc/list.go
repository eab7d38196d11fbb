package main

import (
	"fmt"

	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) listCommand() *cobra.Command {
	var s selection
	oldest := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List archived posts",
		Long: `List archived posts, newest first: when they were published, their infoCode,
category and title. With --json, one JSON object a line, without bodies.`,
		Example: `  finarc list --limit 20
  finarc list --from 2021-12-20 --to 2021-12-22 --category 21caijing
  finarc list --security 1.600160 --json | jq -r .title`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sel, err := s.selection()
			if err != nil {
				return err
			}
			sel.Oldest = oldest
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			for rev, err := range arc.Select(cmd.Context(), sel) {
				if err != nil {
					return err
				}
				if err := a.listPost(&rev); err != nil {
					return err
				}
			}
			return nil
		},
	}
	s.register(cmd)
	cmd.Flags().BoolVar(&oldest, "oldest", false, "the oldest first")
	return cmd
}

func (a *app) listPost(rev *news.Revision) error {
	if a.json {
		return a.writeJSON(newRevisionJSON(*rev))
	}
	when := clock(rev.Published)
	if rev.Published.IsZero() {
		when = rev.Day().String()
	}
	line := fmt.Sprintf("%s  %s  %s  %s", fit(when, 19), fit(name(&rev.Post), 25), fit(printable(rev.Category), 16), printable(rev.Title))
	if w, ok := terminal(a.out); ok {
		line = fit(line, w)
	}
	_, err := fmt.Fprintln(a.out, line)
	return err
}
