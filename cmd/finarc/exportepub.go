package main

import (
	"context"
	"fmt"
	"io"

	"github.com/finarc/finarc/durable"
	"github.com/finarc/finarc/epub"
	"github.com/spf13/cobra"
)

// epubExport is the command that writes posts as a book: its flags.
type epubExport struct {
	*app
	selection selection
	out       string
	title     string
}

// epubReport is what it tells of a book.
type epubReport struct {
	Out string `json:"out"`
	epub.Report
	Bytes int64 `json:"bytes"`
}

func (a *app) exportEPUBCommand() *cobra.Command {
	e := &epubExport{app: a}
	cmd := reports(&cobra.Command{
		Use:   "epub",
		Short: "Write posts as a book for reading offline",
		Long: `Write the selected posts, of a day say, as one EPUB 3: contents by outlet, those
with the most posts first, and a page for each post with its time, its source and a
link to where it is from. In place of pictures stand links to them, since they are not
in the archive.

FILE gets its name when all of it is on the disk, in place of a file that is there.
The same posts make the same bytes.`,
		Example: `  finarc export epub --out 2021-12-22.epub --from 2021-12-22 --to 2021-12-22
  finarc export epub --out yesterday.epub --from yesterday --to yesterday
  finarc export epub --out 600160.epub --security 1.600160 --title 巨化股份`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context()) },
	})
	e.selection.register(cmd)
	f := cmd.Flags()
	f.StringVarP(&e.out, "out", "o", "", "write `FILE`")
	f.StringVar(&e.title, "title", "", "the book's `TITLE`")
	completeFlag(cmd, "title", noValues)
	return cmd
}

func (e *epubExport) run(ctx context.Context) error {
	if e.out == "" || e.out == "-" {
		return usagef("--out FILE is needed")
	}
	arc, c, sel, err := e.source(ctx, &e.selection)
	if err != nil {
		return err
	}
	book := epub.Book{Title: e.title, Selection: selected(sel), Version: buildVersion().Version, Share: shareOf(c)}
	sel.Body, sel.Oldest = true, true
	report := epubReport{Out: e.out}
	report.Bytes, err = durable.WriteFile(e.out, func(w io.Writer) (err error) {
		report.Report, err = epub.Write(w, book, arc.Select(ctx, sel))
		return err
	})
	if err != nil {
		return fmt.Errorf("export to %s: %w", e.out, err)
	}
	if e.json {
		return e.writeJSON(report)
	}
	_, err = fmt.Fprintf(e.app.out, "%s of %s written to %s, %s\n", plural(report.Posts, "post"), plural(report.Outlets, "outlet"), report.Out, size(report.Bytes))
	return err
}
