package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/intake"
	"github.com/finarc/finarc/jekyll"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/warc"
	"github.com/spf13/cobra"
)

func (a *app) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "import",
		Short:   "Take posts into the archive that were kept in another form",
		Example: "  finarc import jekyll site\n  finarc import warc crawl.warc.gz",
		Args:    noArgs,
		RunE:    help,
	}
	cmd.AddCommand(a.importJekyllCommand(), a.importWARCCommand())
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
		Args: someFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.validConfig()
			if err != nil {
				return err
			}
			sites, err := sitesToImport(c, mirror)
			if err != nil {
				return err
			}
			report, err := a.importJekyll(cmd.Context(), c.Archive, sites[0], args, dry)
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

// someFiles refuses a command line that names no file.
func someFiles(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("want one folder or file or more, got 0")
	}
	return nil
}

// sitesToImport returns the mirror of that name, or all of them.
func sitesToImport(c config.Config, name string) ([]*page.Site, error) {
	var only []string
	if name != "" {
		only = []string{name}
	}
	mirrors, err := chosen(c.Mirrors, only)
	if err != nil {
		return nil, err
	}
	var sites []*page.Site
	for _, m := range mirrors {
		site, err := page.NewSite(m.Name, m.Site, m.Share, m.Text)
		if err != nil {
			return nil, usagef("mirror %s: %w", m.Name, err)
		}
		sites = append(sites, site)
	}
	return sites, nil
}

// importJekyll imports files into the archive at path.
func (a *app) importJekyll(ctx context.Context, path string, site *page.Site, files []string, dry bool) (jekyll.Imported, error) {
	store, err := a.importStore(ctx, path, dry)
	if err != nil {
		return jekyll.Imported{}, err
	}
	show, end := a.progressLine()
	defer end()
	return jekyll.Import(ctx, jekyll.Files(files), jekyll.ImportOptions{
		Site: site, Store: store, Dry: dry, Now: a.now,
		Progress: func(r jekyll.Imported) { show(importSummary(plural(r.Files, "file"), &r.Tally)) },
	})
}

// progressLine returns what shows how far a command is, in a line that is written
// over, and what takes the line away: on a terminal.
func (a *app) progressLine() (show func(string), end func()) {
	width, live := terminal(a.err)
	if !live {
		return func(string) {}, func() {}
	}
	return func(line string) { fmt.Fprint(a.err, clearLine+cut(printable(line), width-1)) },
		func() { fmt.Fprint(a.err, clearLine) }
}

// importStore returns what takes the posts: the archive, which is made where
// there is none, or, in a dry run, what only tells what that would do.
func (a *app) importStore(ctx context.Context, path string, dry bool) (warc.Store, error) {
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

func (noArchive) CaptureAt(context.Context, news.ID, string, time.Time) (*news.Capture, time.Time, error) {
	return nil, time.Time{}, nil
}

// importSummary tells what became of so many files or records, in a line.
func importSummary(all string, t *intake.Tally) string {
	return fmt.Sprintf("%s = %s new + %s same + %s revised + %s refused", all,
		grouped(t.New), grouped(t.Same), grouped(t.Revised), grouped(news.Total(t.Refused)))
}

// shownRefusals is how many refused files are named to people: JSON has all.
const shownRefusals = 20

// importTitle says whether anything was written.
func importTitle(dry bool) string {
	if dry {
		return "dry run"
	}
	return "imported"
}

// showImported tells what an import did.
func (a *app) showImported(r *jekyll.Imported) error {
	if a.json {
		return a.writeJSON(r)
	}
	rows := [][2]string{{importTitle(r.Dry), importSummary(plural(r.Files, "file"), &r.Tally)}}
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
