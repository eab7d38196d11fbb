package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/warc"
	"github.com/spf13/cobra"
)

func (a *app) importWARCCommand() *cobra.Command {
	mirror, dry := "", false
	cmd := reports(&cobra.Command{
		Use:   "warc DIR|FILE…",
		Short: "Take in the mirrors' posts that other crawlers wrote into WARC files",
		Long: `Read WARC files (ISO 28500), as wget, Heritrix, Browsertrix and Zeno write them:
plain, with gzip or with Zstandard, and those in a WACZ. Of a folder those are
read that are called *.warc, *.warc.gz, *.warc.zst or *.wacz; - is standard input.

Of all records those are read that hold a post's page of a configured mirror, its
NewsShare page, or the text behind that, as a crawl reads them: block pages, and
other posts than were asked for, are refused. Every record ends as new, same,
revised, refused or of no post. List pages are of no post. A revisit is the post
as it was held then, seen again.

Posts count as fetched when the record says, and their mode is import. What is held
already is the same again, so that an import which was interrupted is gone on with
by running it again.

Where a file is damaged the import goes on behind, and says where. A record is
refused that is cut short, or whose digest does not fit.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but some
records were refused, or damaged; 4 the archive is busy; 130 interrupted.`,
		Example: `  finarc import warc crawl-2021-12-22.warc.gz --dry-run
  finarc import warc warcs crawl.wacz
  xz -dc old.warc.xz | finarc import warc -`,
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
			report, err := a.importWARC(cmd.Context(), c, sites, args, dry)
			if errors.Is(err, context.Canceled) {
				err = errInterrupted
			}
			if err != nil && report.Records == 0 {
				return err
			}
			if err == nil && len(report.Refused)+report.Damaged > 0 {
				err = errRecords
			}
			return errors.Join(err, a.showImportedRecords(&report))
		},
	})
	cmd.Flags().StringVar(&mirror, "mirror", "", "take posts of the configured mirror called `NAME` only")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "tell what would become of each record, and write nothing")
	a.completeMirrors(cmd)
	return cmd
}

// importWARC imports the records of files into the archive.
func (a *app) importWARC(ctx context.Context, c config.Config, sites []*page.Site, files []string, dry bool) (warc.Imported, error) {
	store, err := a.importStore(ctx, c.Archive, dry)
	if err != nil {
		return warc.Imported{}, err
	}
	show, end := a.progressLine()
	defer end()
	return warc.Import(ctx, warc.Files(files, os.Stdin), warc.ImportOptions{
		Sites: sites, Store: store, Dry: dry, MaxBody: c.Limits.MaxBody, Now: a.now,
		Progress: func(r *warc.Imported) { show(recordSummary(r)) },
	})
}

// recordSummary tells what became of records, in a line.
func recordSummary(r *warc.Imported) string {
	return importSummary(plural(r.Records, "record"), &r.Tally) + fmt.Sprintf(" + %s of no post", grouped(news.Total(r.Passed)))
}

// showImportedRecords tells what an import of WARC files did.
func (a *app) showImportedRecords(r *warc.Imported) error {
	if a.json {
		return a.writeJSON(r)
	}
	rows := [][2]string{{importTitle(r.Dry), recordSummary(r)}}
	for _, part := range []struct {
		name   string
		counts map[string]int
	}{{"of no post", r.Passed}, {"refused", r.Refused}, {"faults", r.Faults}} {
		if len(part.counts) > 0 {
			rows = append(rows, [2]string{part.name, strings.Trim(counts(part.counts), " ()")})
		}
	}
	if r.Revisits > 0 {
		rows = append(rows, [2]string{"revisits", plural(r.Revisits, "record") + " of what was held"})
	}
	if r.Leads > 0 {
		rows = append(rows, [2]string{"leads", plural(r.Leads, "related post") + " not known before"})
	}
	for _, f := range r.Refusals[:min(len(r.Refusals), shownRefusals)] {
		rows = append(rows, [2]string{"refused", printable(fmt.Sprintf("%s at byte %d: %s: %s", f.File, f.Offset, f.URL, f.Reason))})
	}
	for _, d := range r.Damage[:min(len(r.Damage), shownRefusals)] {
		rows = append(rows, [2]string{"damaged", printable(fmt.Sprintf("%s at byte %d: %s", d.File, d.Offset, d.Why))})
	}
	if refused := news.Total(r.Refused); refused > shownRefusals || r.Damaged > shownRefusals {
		rows = append(rows, [2]string{"more", fmt.Sprintf("in all %s refused and %s of damage: --json names the first thousand of each",
			plural(refused, "record"), plural(r.Damaged, "place"))})
	}
	return table(a.out, rows)
}
