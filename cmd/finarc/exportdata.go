package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/dataset"
	"github.com/finarc/finarc/page"
	"github.com/spf13/cobra"
)

// dataExport is a command that writes posts as a data set: its flags.
type dataExport struct {
	*app
	format    dataset.Format
	selection selection
	out       string
	html      bool
	safe      bool
	partition string
	since     since
}

// dataFormat is what the help tells of a format.
type dataFormat struct {
	format dataset.Format
	short  string
	about  string
}

var dataFormats = []dataFormat{
	{dataset.JSONLines, "Write posts as JSON Lines", "one JSON object a line, each with all fields; what is not known is null."},
	{dataset.CSV, "Write posts as CSV", `CSV as RFC 4180 has it, in UTF-8, with a header; what is not known is an empty field,
and lists are JSON. With --safe-csv, an apostrophe stands before text that a
spreadsheet would take for a formula, and before an apostrophe.`},
	{dataset.Parquet, "Write posts as Parquet", `Apache Parquet, packed with Zstandard, with types, units and descriptions in the
metadata.`},
}

func (a *app) exportDataCommand(f dataFormat) *cobra.Command {
	e := &dataExport{app: a, format: f.format}
	cmd := reports(&cobra.Command{
		Use:   string(f.format),
		Short: f.short,
		Long: `Write a row for every selected post, the earliest published first, as
` + f.about + `

With --out DIR, into a folder that is made, with a datapackage.json that tells of
fields, types and hashes. It gets its name when all of it is on the disk: it is whole
or not there. Without, to standard output.

With --since-last NAME, only posts of which a revision came into the archive since
the last export of that name, the first time all; then the archive notes how far it
came, after DIR is on the disk. An export that fails or is killed notes nothing, so
the next one has the same posts again, and none is lost.`,
		Example: strings.ReplaceAll(`  finarc export FORMAT --out posts --from 2021-12-01 --to 2021-12-31
  finarc export FORMAT --security 1.600160 > posts.FORMAT
  finarc export FORMAT --out all --partition month --html
  finarc export FORMAT --out new-$(date +%F) --since-last daily`, "FORMAT", string(f.format)),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd) },
	})
	e.register(cmd)
	return cmd
}

func (e *dataExport) register(cmd *cobra.Command) {
	e.selection.register(cmd)
	e.since.register(cmd)
	f := cmd.Flags()
	f.StringVarP(&e.out, "out", "o", "", "write into `DIR`, which must not be there yet (- or nothing: to standard output)")
	f.BoolVar(&e.html, "html", false, "also the HTML of the articles")
	f.StringVar(&e.partition, "partition", "", "a file for each `PART` of the rows: month")
	if e.format == dataset.CSV {
		f.BoolVar(&e.safe, "safe-csv", false, "disarm what a spreadsheet would take for a formula")
	}
	completeFolder(cmd, "out")
	completeFlag(cmd, "partition", func() []string { return []string{"month"} })
}

// streams reports whether rows go to standard output.
func (e *dataExport) streams() bool { return e.out == "" || e.out == "-" }

// check refuses flags that cannot be meant together.
func (e *dataExport) check(cmd *cobra.Command) error {
	_, live := terminal(e.app.out)
	if err := e.since.check(cmd, &e.selection); err != nil {
		return err
	}
	switch {
	case e.partition != "" && e.partition != "month":
		return usagef("--partition %q: want month", e.partition)
	case !e.streams():
		return nil
	case e.json:
		return usagef("--json tells of the files in a folder: --out DIR is needed")
	case e.partition != "":
		return usagef("--partition makes several files: --out DIR is needed")
	case e.since.wanted(cmd):
		return usagef("--since-last needs --out DIR: whether a stream has arrived is not known here")
	case live && e.format == dataset.Parquet:
		return usagef("Parquet is nothing for a terminal: --out DIR is needed")
	}
	return nil
}

func (e *dataExport) run(cmd *cobra.Command) error {
	if err := e.check(cmd); err != nil {
		return err
	}
	ctx := cmd.Context()
	arc, c, sel, err := e.source(ctx, &e.selection)
	if err != nil {
		return err
	}
	calendar, err := loadCalendar(c)
	if err != nil {
		return err
	}
	m := &market{calendar: calendar}
	o := dataset.Options{
		Format: e.format, HTML: e.html, SafeCSV: e.safe, Months: e.partition != "", Text: page.Text, TradableAt: m.tradable,
		Created: e.now(), Version: buildVersion().Version,
	}
	sel.Body, sel.Oldest = true, true
	if e.streams() {
		err = e.stream(ctx, arc, sel, o)
	} else {
		err = e.folder(ctx, arc, sel, o)
	}
	e.noteUnknown(m)
	return err
}

func (e *dataExport) stream(ctx context.Context, arc *archive.Archive, sel archive.Selection, o dataset.Options) error {
	if _, err := e.since.begin(ctx, arc, &sel); err != nil {
		return err
	}
	rows, err := dataset.Stream(ctx, e.app.out, arc.Select(ctx, sel), o)
	if err != nil {
		return fmt.Errorf("export %s: %w (%s written before)", e.format, err, plural(rows, "row"))
	}
	return nil
}

// folder writes a folder, and then moves the bookmark, if there is one.
func (e *dataExport) folder(ctx context.Context, arc *archive.Archive, sel archive.Selection, o dataset.Options) error {
	b, err := e.since.begin(ctx, arc, &sel)
	if err != nil {
		return err
	}
	o.Selection, o.After, o.UpTo = b.selection, b.after, b.upTo
	report, err := dataset.Export(ctx, e.out, arc.Select(ctx, sel), o)
	if err != nil {
		return fmt.Errorf("export to %s: %w", e.out, err)
	}
	if err := b.move(ctx, e.out, e.now()); err != nil {
		return err
	}
	return e.tell(report, &b)
}

// tell says what was written.
func (e *dataExport) tell(r dataset.Report, b *bookmark) error {
	if e.json {
		return e.writeJSON(r)
	}
	text := fmt.Sprintf("%s written to %s, %s in %s", plural(r.Rows, "row"), r.Out, size(r.Bytes), plural(len(r.Files), "file"))
	_, err := fmt.Fprintln(e.app.out, text+b.told())
	return err
}
