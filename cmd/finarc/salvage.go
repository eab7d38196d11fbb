package main

import (
	"errors"
	"fmt"

	"github.com/finarc/finarc/archive"
	"github.com/spf13/cobra"
)

func (a *app) salvageCommand() *cobra.Command {
	to := ""
	cmd := reports(&cobra.Command{
		Use:   "salvage",
		Short: "Save what can be read of a damaged archive into a new one",
		Long: `Look at every page of the archive's file, whether or not anything leads to it, and
write all posts that can be read, the frontier, list pages and reports of runs
into a new archive. The damaged file is only read; whoever wants to write it waits
meanwhile. The new one's revisions are numbered anew, in their old order.`,
		Example: "  finarc salvage --archive broken.db --out new.db",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return usagef("--out NEW is needed")
			}
			if err := noStream("--out", to); err != nil {
				return err
			}
			from, err := a.archivePath()
			if err != nil {
				return err
			}
			read, err := a.reader()
			if err != nil {
				return err
			}
			r, err := archive.Salvage(cmd.Context(), from, to, read, archive.Wait(a.wait))
			switch {
			case errors.Is(err, archive.ErrExists):
				return usagef("--out %s: there is a file already", to)
			case err != nil:
				return err
			}
			return errors.Join(unsaved(&r), a.tellSalvaged(&r))
		},
	})
	cmd.Flags().StringVarP(&to, "out", "o", "", "write the new archive to `NEW`, where nothing is")
	must(cmd.MarkFlagFilename("out", "db"))
	return cmd
}

// unsaved is the error where not everything could be saved.
func unsaved(r *archive.SalvageReport) error {
	if r.Revisions == 0 {
		return fmt.Errorf("%w: no post could be saved", errPagesFailed)
	}
	if r.Missing+r.NoPage == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s could not be saved whole", errPagesFailed, plural(r.Missing+r.NoPage, "revision"))
}

func (a *app) tellSalvaged(r *archive.SalvageReport) error {
	if a.json {
		return a.writeJSON(r)
	}
	rows := [][2]string{
		{"saved", fmt.Sprintf("%s, in %s, to %s", plural(r.Posts, "post"), plural(r.Revisions, "revision"), r.To)},
		{"kept besides", dash(trimmed(counts(r.Kept)))},
	}
	if len(r.Dropped) > 0 {
		rows = append(rows, [2]string{"dropped", trimmed(counts(r.Dropped)) + ", which make no sense in the new archive"})
	}
	for _, row := range []struct {
		n    int64
		name string
		what string
	}{
		{r.NoPage, "without page", "of which the front matter alone was found"},
		{r.Remade, "read again", "of which the page alone was found"},
		{r.Bare, "of these", "whose page could not be read, without front matter"},
		{r.Missing, "lost", "of which nothing was found"},
		{int64(r.Damaged), "damaged", ""},
	} {
		if row.n == 0 {
			continue
		}
		if row.name == "damaged" {
			rows = append(rows, [2]string{row.name, plural(row.n, "page") + " of the file"})
			continue
		}
		rows = append(rows, [2]string{row.name, plural(row.n, "revision") + " " + row.what})
	}
	return table(a.out, rows)
}

// trimmed takes off the brackets that counts writes.
func trimmed(s string) string {
	if len(s) < 3 {
		return ""
	}
	return s[2 : len(s)-1]
}
