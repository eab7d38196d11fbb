package main

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/warc"
	"github.com/spf13/cobra"
)

// warcExport is a command that writes captures as WARC: its flags.
type warcExport struct {
	*app
	selection selection
	since     since
	write     func(context.Context, string, iter.Seq2[news.Revision, error], warc.Options) (warc.Report, error)
	kind      string // of what it writes: DIR or FILE
	suffix    string // of its name
	out       string
	maxSize   string
	text      bool
	newest    bool
}

// warcAbout is what the help tells of WARC files wherever they are.
const warcAbout = `
All revisions of the selected posts are written, each with the page as the mirror
sent it, after transfer and content decoding. Requests were not kept, so there are
no records of them. A page with the same bytes as an earlier one of its post becomes
a revisit, and so does the last answer that a page is as it was: a 304, or the same
bytes. Where that was not kept, a metadata record tells when a post was last met
again. A file that was imported becomes a resource. With --text, conversion records
have the plain text.

With --since-last NAME, only the revisions that came into the archive since the last
export of that name, the first time all.`

func (a *app) exportWARCCommand() *cobra.Command {
	e := &warcExport{app: a, write: warc.Export, kind: "DIR"}
	return e.command(&cobra.Command{
		Use:   "warc",
		Short: "Write what mirrors sent as WARC files",
		Long: `Write WARC 1.1 files, and a sorted CDXJ beside each, into a folder that is made. It
gets its name when all of it is on the disk: it is whole or not there.
` + warcAbout,
		Example: `  finarc export warc --out crawl --from 2021-12-01 --to 2021-12-31
  finarc export warc --out crawl --max-size 100MB --text
  finarc export warc --out new-$(date +%F) --since-last daily`,
	})
}

func (a *app) exportWACZCommand() *cobra.Command {
	e := &warcExport{app: a, write: warc.ExportWACZ, kind: "FILE", suffix: ".wacz"}
	return e.command(&cobra.Command{
		Use:   "wacz",
		Short: "Write what mirrors sent as a WACZ, for ReplayWeb.page and the like",
		Long: `Write a WACZ 1.1.1: one file with WARC files, their index, and a list of pages with
a page for each post. ReplayWeb.page shows it. It gets its name when all of it is on
the disk: it is whole or not there.
` + warcAbout,
		Example: `  finarc export wacz --out posts.wacz
  finarc export wacz --out 600160.wacz --security 1.600160 --text`,
	})
}

// command completes a command.
func (e *warcExport) command(cmd *cobra.Command) *cobra.Command {
	cmd.Args = noArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return e.run(cmd) }
	e.selection.register(cmd)
	e.since.register(cmd)
	f := cmd.Flags()
	f.StringVarP(&e.out, "out", "o", "", "write `"+e.kind+"`, which must not be there yet")
	f.StringVar(&e.maxSize, "max-size", "1GB", "begin another WARC file before one is larger than `SIZE`")
	f.BoolVar(&e.text, "text", false, "also the plain text of the articles")
	f.BoolVar(&e.newest, "newest", false, "of each post only the newest revision")
	completeFlag(cmd, "max-size", noValues)
	if e.suffix == "" {
		completeFolder(cmd, "out")
	}
	return reports(cmd)
}

// check refuses flags that cannot be meant, and returns the size that files may have.
func (e *warcExport) check(cmd *cobra.Command) (int64, error) {
	size, ok := config.ParseSize(e.maxSize)
	switch {
	case e.out == "" || e.out == "-":
		return 0, usagef("--out %s is needed", e.kind)
	case !strings.HasSuffix(e.out, e.suffix):
		return 0, usagef("--out %s: want a name that ends with %s", e.out, e.suffix)
	case !ok || size <= 0:
		return 0, usagef("--max-size %q: want a size, as 1GB or 500MiB", e.maxSize)
	case e.newest && e.since.wanted(cmd):
		return 0, usagef("--newest and --since-last exclude each other: revisions that are left out would be lost to the name")
	}
	return size, e.since.check(cmd, &e.selection)
}

func (e *warcExport) run(cmd *cobra.Command) error {
	size, err := e.check(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	arc, _, sel, err := e.source(ctx, &e.selection)
	if err != nil {
		return err
	}
	b, err := e.since.begin(ctx, arc, &sel)
	if err != nil {
		return err
	}
	o := warc.Options{
		MaxSize: size, Created: e.now(), Version: buildVersion().Version, Selection: b.selection, After: b.after, UpTo: b.upTo,
	}
	if e.text {
		o.Text = page.Text
	}
	if e.newest {
		o.Selection += ", of each post the newest revision"
	}
	sel.Oldest, sel.Captures, sel.All, sel.Body = true, true, !e.newest, e.text
	report, err := e.write(ctx, e.out, arc.Select(ctx, sel), o)
	if err != nil {
		return fmt.Errorf("export to %s: %w", e.out, err)
	}
	if err := b.move(ctx, e.out, e.now()); err != nil {
		return err
	}
	return e.tell(&report, &b)
}

// tell says what was written.
func (e *warcExport) tell(r *warc.Report, b *bookmark) error {
	if e.json {
		return e.writeJSON(r)
	}
	text := fmt.Sprintf("%s of %s written to %s, %s", plural(r.Captures(), "capture"), plural(r.Posts, "post"), r.Out, size(r.Bytes))
	if e.suffix == "" {
		text += " in " + plural(len(r.Files), "file")
	}
	if r.Lost > 0 {
		text += "; " + plural(r.Lost, "page") + " lost to damage of the archive"
	}
	_, err := fmt.Fprintln(e.app.out, text+b.told())
	return err
}
