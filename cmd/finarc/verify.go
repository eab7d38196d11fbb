package main

import (
	"context"
	"fmt"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/spf13/cobra"
)

func (a *app) verifyCommand() *cobra.Command {
	repair := false
	cmd := reports(&cobra.Command{
		Use:   "verify",
		Short: "Check that everything in the archive is whole",
		Long: `Check every page of the file, every checksum and digest, and that everything
which is told twice is told alike: posts, revisions, indexes and totals. Others
may read and write meanwhile; what they write is not looked at.

With --repair, what is broken is set aside within the archive, never thrown away,
and what can be made again is made again. A page that is broken costs its post
the article and leaves the front matter; front matter that is broken is read
again from the page. A repair works in short steps, between which others may read
and write; one that was interrupted is gone on with by the next. Where the file's
pages are damaged nothing is repaired: see finarc salvage.

Exit codes: 0 all is whole, or was repaired; 1 something is damaged; 2 wrong
usage; 4 the archive is busy, or another repair is under way.`,
		Example: `  finarc verify
  finarc verify --json | jq .findings
  finarc verify --repair`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := a.archivePath()
			if err != nil {
				return err
			}
			r, err := a.verify(cmd.Context(), path, repair)
			if err == nil || !r.Clean() { // of a check that an error ended there is no verdict
				if tellErr := a.tellVerified(&r); tellErr != nil {
					return tellErr
				}
			}
			if err != nil || r.Clean() {
				return err
			}
			pages := r.Counts[archive.FoundPage] > 0
			return &damaged{path, plural(r.Damaged(), "finding") + counts(r.Counts), pages}
		},
	})
	cmd.Flags().BoolVar(&repair, "repair", false, "set aside what is broken, and make again what can be made")
	return cmd
}

// verify checks the archive, and repairs it if that is wanted.
func (a *app) verify(ctx context.Context, path string, repair bool) (archive.VerifyReport, error) {
	progress, end := a.verifyProgress()
	defer end()
	if !repair {
		return archive.Verify(ctx, path, progress, archive.Wait(a.wait))
	}
	read, err := a.reader()
	if err != nil {
		return archive.VerifyReport{}, err
	}
	return archive.Repair(ctx, path, read, progress, archive.Wait(a.wait))
}

// verifyProgress tells on a terminal how far the check has come, in a line that
// is taken away at the end, however the check ends.
func (a *app) verifyProgress() (_ archive.Progress, end func()) {
	if _, live := terminal(a.err); !live {
		return nil, func() {}
	}
	var last time.Time
	tell := func(done, total uint64) {
		if now := a.now(); now.Sub(last) >= progressLive {
			last = now
			fmt.Fprintf(a.err, clearLine+"%s of %s revisions checked", grouped(int64(done)), grouped(int64(total)))
		}
	}
	return tell, func() { fmt.Fprint(a.err, clearLine) }
}

// tellVerified writes what was done, what is wrong, or that all is whole.
func (a *app) tellVerified(r *archive.VerifyReport) error {
	if a.json {
		return a.writeJSON(r)
	}
	for _, line := range r.Repaired {
		if _, err := fmt.Fprintln(a.out, printable(line)); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(a.out, "%s  %s: %s\n", f.What, printable(f.Where), printable(f.Why)); err != nil {
			return err
		}
	}
	if more := r.Damaged() - len(r.Findings); more > 0 {
		_, err := fmt.Fprintf(a.out, "… and %s more\n", grouped(more))
		return err
	}
	if !r.Clean() || !r.Complete {
		return nil
	}
	_, err := fmt.Fprintf(a.out, "%s is whole: %s, %s, %s, %s of indexes and %s checked%s\n", r.Archive, plural(r.Posts, "post"),
		plural(r.Revisions, "revision"), plural(r.Pages, "page"), entries(r.Entries), plural(r.Values, "other value"), losses(r))
	return err
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return grouped(n) + " entries"
}

// losses tells what earlier repairs could not save.
func losses(r *archive.VerifyReport) string {
	if r.Lost+r.SetAside == 0 {
		return ""
	}
	return fmt.Sprintf("; the pages of %s are lost, and %s set aside", plural(r.Lost, "revision"), plural(r.SetAside, "broken value"))
}
