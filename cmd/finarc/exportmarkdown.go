package main

import (
	"fmt"
	"strings"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/markdown"
	"github.com/spf13/cobra"
)

func (a *app) exportMarkdownCommand() *cobra.Command {
	var s selection
	var dir string
	cmd := reports(&cobra.Command{
		Use:   "markdown",
		Short: "Write posts as Markdown files",
		Long: `Write every selected post into DIR, a file each, named as Jekyll's are and with the
same front matter. Bodies, which are HTML, become clean Markdown (CommonMark, with
GitHub's tables), with a link to where the post is from. Pictures stay where they
are.

Files are whole or not there, and those that say the same already are not touched.`,
		Example: `  finarc export markdown --out notes
  finarc export markdown --out 600160 --security 1.600160 --from -30d
  finarc export markdown --out then --as-of 2021-12-22`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usagef("--out DIR is needed")
			}
			arc, c, sel, err := a.source(cmd.Context(), &s)
			if err != nil {
				return err
			}
			sel.Body = true
			report, err := markdown.Export(cmd.Context(), dir, arc.Select(cmd.Context(), sel), shareOf(c))
			if err != nil {
				return fmt.Errorf("export to %s: %w (%s written before)", dir, err, plural(report.Written, "post"))
			}
			if a.json {
				return a.writeJSON(report)
			}
			_, err = fmt.Fprintln(a.out, markdownSummary(report, dir))
			return err
		},
	})
	s.register(cmd)
	cmd.Flags().StringVarP(&dir, "out", "o", "", "write into `DIR`")
	completeFolder(cmd, "out")
	return cmd
}

// shareOf returns the address of shared pages of the first mirror, "" where it has none.
func shareOf(c config.Config) string {
	if len(c.Mirrors) == 0 {
		return ""
	}
	return c.Mirrors[0].Share
}

// markdownSummary tells what an export did, a line for each post refused.
func markdownSummary(r markdown.Report, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s written to %s, %s there already", plural(r.Written, "post"), dir, grouped(r.Unchanged))
	for _, refused := range r.Refused {
		fmt.Fprintf(&b, "\nnot written: %s: %s", refused.ID, refused.Reason)
	}
	return b.String()
}
