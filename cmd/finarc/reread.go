package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/spf13/cobra"
)

func (a *app) rereadCommand() *cobra.Command {
	var o archive.RereadOptions
	cmd := reports(&cobra.Command{
		Use:   "reread",
		Short: "Read every post again from its raw page, as this finarc reads pages",
		Long: `Read every revision again from its raw page, and count what changed. Where this
finarc reads more or better than the one that archived the page, the revision
gets what is read now; the raw page never changes. One that cannot be read stays
as it is. Pages kept apart because nothing could be read become posts where that
is possible now.

Crawls go on meanwhile. One that is interrupted goes on where it was,
unless that was another version of finarc: then it begins anew.`,
		Example: `  finarc reread --dry-run
  finarc reread
  finarc reread --json | jq .fields`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			read, err := a.reader()
			if err != nil {
				return err
			}
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			o.Version = buildVersion().Version
			r, err := arc.Reread(cmd.Context(), read, o)
			if errors.Is(err, context.Canceled) {
				err = errInterrupted
			}
			if err != nil && r.Revisions == 0 {
				return err
			}
			return errors.Join(err, a.showReread(r))
		},
	})
	cmd.Flags().BoolVar(&o.FromStart, "from-start", false, "begin anew where one was interrupted")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "count what would change, and write nothing")
	return cmd
}

// showReread tells what a reread did.
func (a *app) showReread(r archive.Reread) error {
	if a.json {
		return a.writeJSON(r)
	}
	lost := ""
	if r.Lost > 0 {
		lost = fmt.Sprintf(" + %s lost to damage", grouped(r.Lost))
	}
	rows := [][2]string{
		{"revisions", fmt.Sprintf("%s = %s unchanged + %s changed + %s unreadable%s", grouped(r.Revisions),
			grouped(r.Unchanged), grouped(r.Changed), grouped(r.Unreadable), lost)},
	}
	if len(r.Fields) > 0 {
		rows = append(rows, [2]string{"changed", strings.Trim(counts(r.Fields), " ()")})
	}
	if len(r.Reasons) > 0 {
		rows = append(rows, [2]string{"unreadable", printable(strings.Trim(counts(r.Reasons), " ()"))})
	}
	rows = append(rows, [2]string{"kept apart", fmt.Sprintf("%s, of which %s can be read now", plural(r.Apart, "page"), grouped(r.Recovered))})
	if r.Resumed > 0 {
		rows = append(rows, [2]string{"resumed", fmt.Sprintf("at revision %s, of the reread begun on %s", grouped(int64(r.Resumed)), clock(r.Began))})
	}
	if r.Anew {
		rows = append(rows, [2]string{"begun anew", "one that was interrupted was of another version of finarc"})
	}
	return table(a.out, rows)
}
