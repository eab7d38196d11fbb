package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) listCommand() *cobra.Command {
	var s selection
	oldest, stories := false, false
	cmd := reports(&cobra.Command{
		Use:   "list",
		Short: "List archived posts",
		Long: `List archived posts, newest first: when they were published, their infoCode,
category and title. On a terminal, lines are cut to its width. With --json, one
JSON object a line, without bodies; tradable_at in it is the first moment at which
a reader could have traded on the post in Shanghai and Shenzhen.

With --as-of, only what the archive held at that time: a post that was captured
later is left out, and one that was changed later is listed as it was.

With --stories, a line a story that more than one post runs, if its origin is
selected: the origin, the number of reprints and how much later the first and the
last of them came. finarc stories finds them.`,
		Example: `  finarc list --limit 20
  finarc list --from 2021-12-20 --to 2021-12-22 --category 21caijing
  finarc list --from -7d --to yesterday
  finarc list --security 1.600160 --json | jq -r .title
  finarc list --as-of 2021-12-22T10:00
  finarc list --stories --limit 20`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exclusive(cmd, "stories", "as-of"); err != nil {
				return err
			}
			sel, err := s.selection(a.today())
			if err != nil {
				return err
			}
			sel.Oldest, sel.Origins = oldest, stories
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			return a.list(cmd.Context(), arc, sel)
		},
	})
	s.register(cmd)
	cmd.Flags().BoolVar(&oldest, "oldest", false, "the oldest first")
	cmd.Flags().BoolVar(&stories, "stories", false, "list stories that more than one post runs")
	return cmd
}

// list writes the selected posts, and says of days to come that they are.
func (a *app) list(ctx context.Context, arc *archive.Archive, sel archive.Selection) error {
	m, err := a.market()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.out)
	write := a.lister(out, m)
	if sel.Origins {
		if err := a.tellBehind(ctx, arc); err != nil {
			return err
		}
		write = a.storyLister(ctx, arc, out)
	}
	found := false
	for rev, err := range arc.Select(ctx, sel) {
		if err != nil {
			return errors.Join(out.Flush(), err)
		}
		if err := write(&rev); err != nil {
			return err
		}
		found = true
	}
	if err := out.Flush(); err != nil {
		return err
	}
	a.noteUnknown(m)
	if !found && sel.From > a.today() {
		fmt.Fprintf(a.err, "finarc: nothing was published yet on or after %s: today is %s in Shanghai\n", sel.From, a.today())
	}
	return nil
}

// lister returns what writes a post to out: as a line for people, or as JSON.
// Only on a terminal is anything cut.
func (a *app) lister(out io.Writer, m *market) func(*news.Revision) error {
	if a.json {
		return func(rev *news.Revision) error { return encodeJSON(out, m.revision(*rev)) }
	}
	width, live := terminal(a.out)
	return func(rev *news.Revision) error {
		line := listLine(rev, live)
		if live {
			line = cut(line, width)
		}
		_, err := fmt.Fprintln(out, line)
		return err
	}
}

// Columns of a line of the list.
const (
	columnsWhen     = len("2021-12-22 10:37:15")
	columnsName     = len("20211222-0123456789abcdef")
	columnsCategory = 16
)

func listLine(rev *news.Revision, narrow bool) string {
	when := clock(rev.Published)
	if rev.Published.IsZero() {
		when = dash(rev.Day().String())
	}
	category := printable(rev.Category)
	if narrow {
		category = cut(category, columnsCategory)
	}
	return pad(when, columnsWhen) + "  " + pad(rev.Name(), columnsName) + "  " +
		pad(category, columnsCategory) + "  " + printable(rev.Title)
}
