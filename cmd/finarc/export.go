package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/jekyll"
	"github.com/spf13/cobra"
)

func (a *app) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write archived posts in another form",
		Example: `  finarc export jekyll --out dump
  finarc export parquet --out posts
  finarc export jsonl --limit 10
  finarc export atom --out feed.xml
  finarc export epub --out yesterday.epub --from yesterday --to yesterday
  finarc export wacz --out posts.wacz`,
		Args: noArgs,
		RunE: help,
	}
	cmd.AddCommand(a.exportJekyllCommand())
	for _, f := range dataFormats {
		cmd.AddCommand(a.exportDataCommand(f))
	}
	cmd.AddCommand(a.exportAtomCommand(), a.exportMarkdownCommand(), a.exportEPUBCommand())
	cmd.AddCommand(a.exportWARCCommand(), a.exportWACZCommand())
	return cmd
}

func (a *app) exportJekyllCommand() *cobra.Command {
	var s selection
	var dir string
	categories := false
	cmd := reports(&cobra.Command{
		Use:   "jekyll",
		Short: "Write posts as Jekyll files, in the mirror's own form",
		Long: `Write every selected post to DIR/_posts. Files that are there already and say the
same are not touched. With --categories, also the layouts and list pages with
which DIR builds into a site like the mirror.

Posts that carry no links back to a mirror, because they were read from a shared
page, get those of the first mirror in the configuration.

Posts that were imported are their files again, byte for byte. Those that Jekyll
would not read as meant are mended, and the report names them and their faults.

With --as-of, the posts are written as the archive held them at that time.`,
		Example: `  finarc export jekyll --out dump
  finarc export jekyll --out dump --categories --from 2021-12-01 --to 2021-12-31
  finarc export jekyll --out then --as-of 2021-12-22
  jekyll build --source dump --destination dump/_site`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usagef("--out DIR is needed")
			}
			arc, c, sel, err := a.source(cmd.Context(), &s)
			if err != nil {
				return err
			}
			report, err := a.exportJekyll(cmd.Context(), arc, c, sel, dir, categories)
			if err != nil {
				return fmt.Errorf("export to %s: %w (%s written before)", dir, err, plural(report.Written, "post"))
			}
			if a.json {
				return a.writeJSON(report)
			}
			_, err = fmt.Fprintln(a.out, jekyllSummary(report, dir))
			return err
		},
	})
	s.register(cmd)
	cmd.Flags().StringVarP(&dir, "out", "o", "", "write into `DIR`")
	cmd.Flags().BoolVar(&categories, "categories", false, "also write layouts and list pages, so that DIR builds into a site")
	completeFolder(cmd, "out")
	return cmd
}

// source returns the archive that an export is from, the configuration, and which
// posts are meant.
func (a *app) source(ctx context.Context, s *selection) (arc *archive.Archive, c config.Config, sel archive.Selection, err error) {
	if sel, err = s.selection(a.today()); err != nil {
		return nil, c, sel, err
	}
	if c, err = a.config(); err != nil {
		return nil, c, sel, err
	}
	arc, err = archive.Open(ctx, c.Archive, a.archiveOptions()...)
	return arc, c, sel, err
}

func (a *app) exportJekyll(ctx context.Context, arc *archive.Archive, c config.Config, sel archive.Selection, dir string, categories bool) (jekyll.Report, error) {
	sel.Body = true
	o := jekyll.ExportOptions{Categories: categories}
	if len(c.Mirrors) > 0 {
		o.Site, o.Share = c.Mirrors[0].Site, c.Mirrors[0].Share
	}
	return jekyll.Export(ctx, dir, arc.Select(ctx, sel), o)
}

// jekyllSummary tells what an export did, a line for each post refused.
func jekyllSummary(r jekyll.Report, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s written to %s/_posts, %s there already", plural(r.Written, "post"), strings.TrimSuffix(dir, "/"), grouped(r.Unchanged))
	if r.Pages > 0 {
		fmt.Fprintf(&b, ", %s", plural(r.Pages, "other page"))
	}
	for _, m := range r.Mended {
		fmt.Fprintf(&b, "\nmended: %s: %s", printable(m.File), strings.Join(m.Faults, ", "))
	}
	for _, refused := range r.Refused {
		fmt.Fprintf(&b, "\nnot written: %s: %s", refused.ID, refused.Reason)
	}
	return b.String()
}
