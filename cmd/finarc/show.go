package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/spf13/cobra"
)

func (a *app) showCommand() *cobra.Command {
	var raw, text bool
	cmd := reports(&cobra.Command{
		Use:   "show INFOCODE",
		Short: "Show one archived post",
		Long: `Show one post: its front matter and its text. INFOCODE may be in any spelling,
with or without its letters, or an address that holds one; a post without
infoCode is named by the ID that finarc list shows.`,
		Example: `  finarc show NW202112222222306968
  finarc show 202112222222306968 --text
  finarc show http://finance.eastmoney.com/a/202112222222306968.html --json
  finarc show NW202112222222306968 --raw > page.html`,
		Args: oneArg("infoCode"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := news.ParseID(args[0])
			if err != nil {
				return usageError{err}
			}
			if err := exclusive(cmd, "raw", "text"); err != nil {
				return err
			}
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(cmd.Context(), arc, id, form{raw: raw, text: text})
		},
	})
	cmd.Flags().BoolVar(&raw, "raw", false, "write the page's bytes as they were served")
	cmd.Flags().BoolVar(&text, "text", false, "write the text alone")
	return cmd
}

// form says in which form a post is shown.
type form struct{ raw, text bool }

func (a *app) show(ctx context.Context, arc *archive.Archive, id news.ID, f form) error {
	rev, err := arc.Post(ctx, id)
	switch {
	case errors.Is(err, archive.ErrNoPost):
		return a.showApart(ctx, arc, id, f, err)
	case err != nil:
		return err
	case f.raw:
		c, err := arc.Capture(ctx, rev.Seq)
		if err != nil {
			return err
		}
		_, err = a.out.Write(c.Body)
		return err
	case f.text:
		_, err := fmt.Fprintln(a.out, printableText(page.Text(rev.Body)))
		return err
	case a.json:
		j := newRevisionJSON(rev)
		j.Lacks = rev.Lacks()
		return a.writeJSON(j)
	}
	return a.showPost(&rev)
}

// showApart shows what is kept of a page that could not be read as the post.
func (a *app) showApart(ctx context.Context, arc *archive.Archive, id news.ID, f form, missing error) error {
	apart, err := arc.Unread(ctx, id)
	if errors.Is(err, archive.ErrNoPost) {
		return missing
	}
	if err != nil {
		return err
	}
	if f.raw {
		_, err = a.out.Write(apart.Capture.Body)
		return err
	}
	return fmt.Errorf("%w, but a page that could not be read as it is kept: %s\n%s was served on %s; --raw writes its %d bytes",
		missing, apart.Why, apart.Capture.URL, clock(apart.Capture.Fetched), len(apart.Capture.Body))
}

func (a *app) showPost(rev *news.Revision) error {
	rows := [][2]string{
		{"title", rev.Title},
		{"info_code", string(rev.InfoCode)},
		{"published", clock(rev.Published)},
		{"category", rev.Category},
		{"tag", rev.Tag},
		{"outlet", rev.Outlet},
		{"source", rev.Source},
		{"digest", rev.Digest},
		{"securities", mentions(rev.Securities)},
		{"boards", mentions(rev.Boards)},
		{"related", related(rev.Related)},
		{"lacks", strings.Join(rev.Lacks(), ", ")},
		{"url", rev.URL},
		{"fetched", clock(rev.Fetched)},
		{"first_seen", clock(rev.FirstSeen)},
		{"last_seen", clock(rev.LastSeen)},
		{"revision", fmt.Sprintf("%d (change %d, %s)", rev.Number, rev.Seq, rev.Mode)},
		{"sha256", rev.SHA256},
	}
	told := rows[:0]
	for _, r := range rows {
		if r[1] != "" && r[1] != "–" {
			told = append(told, [2]string{r[0], printable(r[1])})
		}
	}
	if err := table(a.out, told); err != nil {
		return err
	}
	text := printableText(page.Text(rev.Body))
	if text == "" {
		return nil
	}
	_, err := fmt.Fprintf(a.out, "\n%s\n", text)
	return err
}

func mentions(list []news.Mention) string {
	var parts []string
	for _, m := range list {
		s := m.String()
		if m.Name != "" {
			s = m.Name + " " + s
		}
		parts = append(parts, fmt.Sprintf("%s ×%d", s, m.Count))
	}
	return strings.Join(parts, ", ")
}

func related(codes []news.InfoCode) string {
	var parts []string
	for _, c := range codes {
		parts = append(parts, string(c))
	}
	return strings.Join(parts, ", ")
}
