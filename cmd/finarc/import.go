package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/intake"
	"github.com/finarc/finarc/jekyll"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/spf13/cobra"
)

func (a *app) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "import",
		Short:   "Take posts into the archive that were kept in another form",
		Example: "  finarc import jekyll site",
		Args:    noArgs,
		RunE:    help,
	}
	cmd.AddCommand(a.importJekyllCommand())
	return cmd
}

func (a *app) importJekyllCommand() *cobra.Command {
	mirror, dry := "", false
	cmd := reports(&cobra.Command{
		Use:   "jekyll DIR|FILE…",
		Short: "Take in the Jekyll files that a mirror is, or was, built from",
		Long: `Read posts' files, in all the forms that mirrors have written them, and archive
each with its bytes. Of a folder those in _posts are read, or, where it has none,
those in the folder itself, and below; of these the ones called *.md or *.markdown.

Every file ends as new, same, revised or refused. One whose front matter is broken
is read all the same. What is missing comes from elsewhere, and is marked: the day
from the infoCode or the file's name, the title from the digest or the first
sentence. export jekyll mends such files, and gives back all others as they were.

Posts count as known since the import, not since they were published, and their
mode is import. What is held already is the same again, so that an import which
was interrupted is gone on with by running it again.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but some
files were refused; 4 the archive is busy; 130 interrupted.`,
		Example: `  finarc import jekyll site --dry-run
  finarc import jekyll site
  finarc import jekyll _posts/2021-12-22-NW202112222222306968.md --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("want one folder or file or more, got 0")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.validConfig()
			if err != nil {
				return err
			}
			site, err := siteToImport(c, mirror)
			if err != nil {
				return err
			}
			report, err := a.importJekyll(cmd.Context(), c.Archive, site, args, dry)
			if errors.Is(err, context.Canceled) {
				err = errInterrupted
			}
			if err != nil && report.Files == 0 {
				return err
			}
			if err == nil && len(report.Refusals) > 0 {
				err = errRefused
			}
			return errors.Join(err, a.showImported(&report))
		},
	})
	cmd.Flags().StringVar(&mirror, "mirror", "", "the files are of the configured mirror called `NAME` (default: the first one)")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "tell what would become of each file, and write nothing")
	a.completeMirrors(cmd)
	return cmd
}

// siteToImport returns the mirror of that name, or the first one.
func siteToImport(c config.Config, name string) (*page.Site, error) {
	var only []string
	if name != "" {
		only = []string{name}
	}
	mirrors, err := chosen(c.Mirrors, only)
	if err != nil {
		return nil, err
	}
	m := mirrors[0]
	site, err := page.NewSite(m.Name, m.Site, m.Share, m.Text)
	if err != nil {
		return nil, usagef("mirror %s: %w", m.Name, err)
	}
	return site, nil
}

// importJekyll imports files into the archive at path.
func (a *app) importJekyll(ctx context.Context, path string, site *page.Site, files []string, dry bool) (jekyll.Imported, error) {
	store, err := a.importStore(ctx, path, dry)
	if err != nil {
		return jekyll.Imported{}, err
	}
	width, live := terminal(a.err)
	report, err := jekyll.Import(ctx, jekyll.Files(files), jekyll.ImportOptions{
		Site: site, Store: store, Dry: dry, Now: a.now,
		Progress: func(r jekyll.Imported) {
			if live {
				fmt.Fprint(a.err, clearLine+cut(printable(importSummary(&r)), width-1))
			}
		},
	})
	if live {
		fmt.Fprint(a.err, clearLine)
	}
	return report, err
}

// importStore returns what takes the posts: the archive, which is made where
// there is none, or, in a dry run, what only tells what that would do.
func (a *app) importStore(ctx context.Context, path string, dry bool) (intake.Store, error) {
	if !dry {
		return archive.OpenOrCreate(ctx, path, a.archiveOptions()...)
	}
	arc, err := archive.Open(ctx, path, a.archiveOptions()...)
	switch {
	case errors.Is(err, archive.ErrMissing):
		return noArchive{}, nil
	case err != nil:
		return nil, err
	}
	return trial{arc}, nil
}

// trial only tells what commits to an archive would do.
type trial struct{ *archive.Archive }

func (t trial) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	return t.Try(ctx, b)
}

// noArchive is the archive of a dry run that there is not yet: all is new to it.
type noArchive struct{}

func (noArchive) Commit(_ context.Context, b *news.Batch) (news.Committed, error) {
	var done news.Committed
	for range b.Posts {
		done.Posts = append(done.Posts, news.ChangeNew)
	}
	return done, nil
}

// importSummary tells what became of files, in a line.
func importSummary(r *jekyll.Imported) string {
	return fmt.Sprintf("%s = %s new + %s same + %s revised + %s refused", plural(r.Files, "file"),
		grouped(r.New), grouped(r.Same), grouped(r.Revised), grouped(len(r.Refusals)))
}

// shownRefusals is how many refused files are named to people: JSON has all.
const shownRefusals = 20

// showImported tells what an import did.
func (a *app) showImported(r *jekyll.Imported) error {
	if a.json {
		return a.writeJSON(r)
	}
	rows := [][2]string{{"imported", importSummary(r)}}
	if r.Dry {
		rows[0][0] = "dry run"
	}
	if len(r.Faults) > 0 {
		rows = append(rows, [2]string{"faults", strings.Trim(counts(r.Faults), " ()")})
	}
	if r.Daily+r.Derived > 0 {
		rows = append(rows, [2]string{"made up for", fmt.Sprintf("%s of which only the day is known, %s made of the text",
			plural(r.Daily, "post"), plural(r.Derived, "title"))})
	}
	if r.Leads > 0 {
		rows = append(rows, [2]string{"leads", plural(r.Leads, "related post") + " not known before"})
	}
	for i, f := range r.Refusals {
		if i == shownRefusals {
			rows = append(rows, [2]string{"refused", fmt.Sprintf("%s more, which --json names", plural(len(r.Refusals)-i, "file"))})
			break
		}
		rows = append(rows, [2]string{"refused", printable(f.File + ": " + f.Reason)})
	}
	return table(a.out, rows)
}
