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
into a new archive. The damaged file is only read. It is copied first, beside the
new archive, so there must be room for both, and others may go on with it; what
they write later is not in the new one. The new one's revisions are numbered anew,
in their old order.

Exit codes: 0 every revision was saved whole; 1 nothing was written; 2 wrong
usage; 3 the new archive is there, and something is lost, or may be; 4 the archive
is busy.`,
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
			return errors.Join(unsavedOf(&r), a.tellSalvaged(&r))
		},
	})
	cmd.Flags().StringVarP(&to, "out", "o", "", "write the new archive to `NEW`, where nothing is")
	must(cmd.MarkFlagFilename("out", "db"))
	return cmd
}

// unsaved is that an archive could not be saved, or not all of it, as far as can
// be told. All that was saved is there.
type unsaved string

func (e unsaved) Error() string { return string(e) }

// unsavedOf returns the error where not everything could be saved.
func unsavedOf(r *archive.SalvageReport) error {
	switch lost := r.Missing + r.NoPage + r.Bare; {
	case r.Revisions == 0 && (lost > 0 || !r.Complete):
		return unsaved("no post could be saved")
	case lost > 0:
		return unsaved(plural(lost, "revision") + " could not be saved whole")
	case !r.Complete:
		return unsaved("perhaps there were more revisions: of the pages that lead to them some are damaged")
	}
	return nil
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
