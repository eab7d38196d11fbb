package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/finarc/finarc/archive"
	"github.com/spf13/cobra"
)

func (a *app) mergeCommand() *cobra.Command {
	into := ""
	cmd := reports(&cobra.Command{
		Use:   "merge FILE… --into FILE",
		Short: "Take all that other archives hold into one",
		Long: `Take all that the archives hold into another, which is made if there is none:
revisions by the time at which they were captured, whichever archive they are
in, and frontier, leads, failures, list pages and reports of runs. The archives
are only read. Merging again changes nothing; a merge that was interrupted is
resumed by running it again. A page that damage took from the one is brought
back from another that has it.`,
		Example: `  finarc merge office.db home.db --into all.db
  finarc merge backup.db --into finarc.db`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("want one archive or more to merge, got 0")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if into == "" {
				return usagef("--into FILE is needed")
			}
			if err := noStream("--into", into); err != nil {
				return err
			}
			if a.archiveFile != "" {
				return usagef("--archive %s: the archives to merge are arguments, and --into names the one to merge into", a.archiveFile)
			}
			reports, err := a.merge(cmd.Context(), args, into)
			if errors.Is(err, context.Canceled) {
				err = errInterrupted
			}
			return errors.Join(err, a.showMerged(reports, into))
		},
	})
	cmd.Flags().StringVar(&into, "into", "", "merge into the archive `FILE`")
	must(cmd.MarkFlagFilename("into", "db"))
	return cmd
}

// merge opens all archives before it makes one.
func (a *app) merge(ctx context.Context, from []string, into string) ([]archive.Merged, error) {
	target, _ := os.Stat(into)
	var sources []*archive.Archive
	for _, path := range from {
		if info, err := os.Stat(path); err == nil && target != nil && os.SameFile(info, target) {
			return nil, usagef("merge %s into %s: %w", path, into, archive.ErrSame)
		}
		s, err := archive.Open(ctx, path, a.archiveOptions()...)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	arc, err := archive.OpenOrCreate(ctx, into, a.archiveOptions()...)
	if err != nil {
		return nil, err
	}
	return arc.Merge(ctx, sources...)
}

// showMerged tells what became of each source, a line or an object each.
func (a *app) showMerged(reports []archive.Merged, into string) error {
	for _, r := range reports {
		if a.json {
			if err := a.writeJSON(r); err != nil {
				return err
			}
			continue
		}
		left := r.Revisions - r.New - r.Revised - r.Unchanged - r.Held - r.Restored - r.Lost
		more := ""
		for _, n := range []struct {
			count int
			what  string
		}{{r.Restored, "whose lost page is back"}, {r.Lost, "lost to damage"}, {left, "not reached"}} {
			if n.count > 0 {
				more += fmt.Sprintf(" + %s %s", grouped(n.count), n.what)
			}
		}
		_, err := fmt.Fprintf(a.out, "%s into %s: %s = %s new + %s revised + %s unchanged + %s there already%s\n", r.Source, into,
			plural(r.Revisions, "revision"), grouped(r.New), grouped(r.Revised), grouped(r.Unchanged), grouped(r.Held), more)
		if err != nil {
			return err
		}
	}
	return nil
}
