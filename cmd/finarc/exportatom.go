package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/durable"
	"github.com/finarc/finarc/feed"
	"github.com/spf13/cobra"
)

// feedLength is how many posts a feed has unless told otherwise.
const feedLength = 100

// atomExport is the command that writes posts as a feed: its flags.
type atomExport struct {
	*app
	selection selection
	out       string
	title     string
	self      string
	summaries bool
}

// atomReport is what it tells of a feed.
type atomReport struct {
	Out     string    `json:"out"`
	Entries int       `json:"entries"`
	Bytes   int64     `json:"bytes"`
	Updated time.Time `json:"updated,omitzero"` // when its newest revision was captured
}

func (a *app) exportAtomCommand() *cobra.Command {
	e := &atomExport{app: a}
	cmd := reports(&cobra.Command{
		Use:   "atom",
		Short: "Write posts as an Atom feed",
		Long: `Write the newest of the selected posts, 100 unless --limit says otherwise, as an
Atom feed (RFC 4287): of all posts, or of a category, a tag or a security.

With --out FILE, into a file, in place of one that is there: whoever reads it finds
the old feed or the new one, whole. Without, to standard output.

An entry has the same identity whatever feed it is in, a tag URI (RFC 4151) in the
name of the first mirror in the configuration; it is updated when another revision of
the post came in. Its securities are categories.`,
		Example: `  finarc export atom --out feed.xml --self https://example.org/feed.xml
  finarc export atom --category 21caijing --limit 20 > 21caijing.xml
  finarc export atom --security 1.600160 --title 巨化股份 --out 600160.xml --summary`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context()) },
	})
	e.selection.registerLimited(cmd, feedLength)
	f := cmd.Flags()
	f.StringVarP(&e.out, "out", "o", "", "write `FILE` (- or nothing: to standard output)")
	f.StringVar(&e.title, "title", "", "the feed's `TITLE`")
	f.StringVar(&e.self, "self", "", "the `ADDRESS` at which the feed will be")
	f.BoolVar(&e.summaries, "summary", false, "digests in place of articles")
	completeFlag(cmd, "title", noValues)
	completeFlag(cmd, "self", noValues)
	return cmd
}

func (e *atomExport) run(ctx context.Context) error {
	streams := e.out == "" || e.out == "-"
	if streams && e.json {
		return usagef("--json tells of a file: --out FILE is needed")
	}
	if u, err := url.Parse(e.self); err != nil || e.self != "" && (u.Scheme == "" || u.Host == "") {
		return usagef("--self %q: want an address, as https://example.org/feed.xml", e.self)
	}
	arc, c, sel, err := e.source(ctx, &e.selection)
	if err != nil {
		return err
	}
	// Both looks through the posts are of the archive as it is now.
	if _, sel.UpTo, err = arc.Exported(ctx, ""); err != nil {
		return err
	}
	f := e.feed(c, sel)
	if f.Updated, err = feed.Updated(arc.Select(ctx, sel)); err != nil {
		return err
	}
	sel.Body = !e.summaries
	report := atomReport{Out: e.out, Updated: f.Updated}
	write := func(w io.Writer) (err error) {
		report.Entries, err = feed.Write(w, f, arc.Select(ctx, sel))
		return err
	}
	if streams {
		if err := write(e.app.out); err != nil {
			return fmt.Errorf("export atom: %w", err)
		}
		return nil
	}
	if report.Bytes, err = durable.WriteFile(e.out, write); err != nil {
		return fmt.Errorf("export to %s: %w", e.out, err)
	}
	return e.tell(report)
}

// feed returns what the feed of a selection tells beside its entries.
func (e *atomExport) feed(c config.Config, sel archive.Selection) feed.Feed {
	// What the feed is of, not which part of it is in the file.
	sel = archive.Selection{Category: sel.Category, Tag: sel.Tag, Security: sel.Security, Mirror: sel.Mirror}
	f := feed.Feed{Name: selected(sel), Title: e.title, Authority: forgotten, Version: buildVersion().Version, Summaries: e.summaries}
	if f.Title == "" {
		f.Title = strings.Join(strings.Fields("金融消息 "+strings.Join([]string{sel.Category, sel.Tag, sel.Security, sel.Mirror}, " ")), " ")
	}
	if e.self != "" {
		f.Links = append(f.Links, feed.Link{Rel: "self", Type: feed.MediaType, Href: e.self})
	}
	if len(c.Mirrors) > 0 {
		m := c.Mirrors[0]
		f.Share = m.Share
		f.Links = append(f.Links, feed.Link{Rel: "alternate", Type: "text/html", Href: m.Site})
		if u, err := url.Parse(m.Site); err == nil {
			f.Authority = u.Hostname()
		}
	}
	return f
}

func (e *atomExport) tell(r atomReport) error {
	if e.json {
		return e.writeJSON(r)
	}
	_, err := fmt.Fprintf(e.app.out, "%s written to %s, %s\n", plural(r.Entries, "post"), r.Out, size(r.Bytes))
	return err
}
