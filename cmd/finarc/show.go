package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/spf13/cobra"
)

func (a *app) showCommand() *cobra.Command {
	var s showing
	cmd := reports(&cobra.Command{
		Use:   "show INFOCODE [--diff [A B]]",
		Short: "Show one archived post, its revisions, or what differs between them",
		Long: `Show one post: its front matter and its text. INFOCODE may be in any spelling,
with or without its letters, or an address that holds one; a post without
infoCode is named by the ID that finarc list shows.

The archive keeps every text that a post has had as a revision of its own. The
newest is shown unless --revision or --as-of names another. Of the times, the
page tells published; first_seen is when the archive first had the post, fetched
when it had this revision, last_seen when it last met the post so. mode says
whether that was a crawl of what is shown now (live). With --json, tradable_at is
the first moment at which a reader could have traded on the post in Shanghai and
Shenzhen.

--revisions lists them. sha256 is of the page's bytes, text_sha256 of title, line
feed and plain text: where only an advert changed, it stays.

--story lists the posts that run the same story: the origin, which was published
first, and how much later each reprint came. finarc stories finds them.

--securities lists the places in title and text that name a security or a board: those
that the mirror marks (mark), and those that are found by a name or a code. start and
end are in characters, from 0, of the title or of the text that --text writes.

--diff shows what differs between the last two revisions, or between those whose
numbers A and B follow: [-deleted-]{+added+}, in colours on a terminal unless
NO_COLOR is set. Long stretches without changes are cut down to ….`,
		Example: `  finarc show NW202112222222306968
  finarc show 202112222222306968 --text
  finarc show http://finance.eastmoney.com/a/202112222222306968.html --json
  finarc show NW202112222222306968 --raw > page.html
  finarc show NW202112222222306968 --revisions
  finarc show NW202112222222306968 --diff        what the last change was
  finarc show NW202112222222306968 --diff 1 3    from revision 1 to revision 3
  finarc show NW202112222222306968 --story
  finarc show NW202112222222306968 --securities
  finarc show NW202112222222306968 --revision 1 --text
  finarc show NW202112222222306968 --as-of 2021-12-22T10:00`,
		Args: s.args, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := news.ParseID(args[0])
			if err != nil {
				return usageError{err}
			}
			f, err := s.form(cmd, a.today())
			if err != nil {
				return err
			}
			numbers, err := revisionNumbers(args[1:])
			if err != nil {
				return err
			}
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			switch {
			case s.securities:
				return a.showSecurities(cmd.Context(), arc, id, f)
			case s.revisions:
				return a.showRevisions(cmd.Context(), arc, id)
			case s.story:
				return a.showStory(cmd.Context(), arc, id)
			case s.diff:
				return a.showDifference(cmd.Context(), arc, id, numbers)
			}
			return a.show(cmd.Context(), arc, id, f)
		},
	})
	s.register(cmd)
	return cmd
}

// showing is the flags of show.
type showing struct {
	raw, text, revisions, diff, story, securities bool

	revision int
	asOf     asOf
}

func (s *showing) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.raw, "raw", false, "write the page's bytes as they were served")
	f.BoolVar(&s.text, "text", false, "write the text alone")
	f.BoolVar(&s.revisions, "revisions", false, "list the post's revisions")
	f.BoolVar(&s.diff, "diff", false, "show what differs between the last two revisions, or between A and B")
	f.BoolVar(&s.story, "story", false, "list the posts that run the same story")
	f.BoolVar(&s.securities, "securities", false, "list the places that name a security or board, marked or not")
	f.IntVar(&s.revision, "revision", 0, "show revision `N`, 1 for the first")
	completeFlag(cmd, "revision", noValues)
	s.asOf.register(cmd, "show the post as it was known")
}

// args wants a post, and with --diff perhaps two revisions of it.
func (s *showing) args(cmd *cobra.Command, args []string) error {
	if s.diff && len(args) == 3 {
		return nil
	}
	if s.diff && len(args) == 2 {
		return usagef("--diff takes two revisions, as in --diff 1 3, or none: got %q alone", args[1])
	}
	return oneArg("infoCode")(cmd, args)
}

// form returns in which form which revision is to be shown, or a usage error
// where the flags contradict each other.
func (s *showing) form(cmd *cobra.Command, today news.Day) (form, error) {
	f := form{raw: s.raw, text: s.text, revision: s.revision}
	for _, flags := range [][]string{
		{"raw", "text", "revisions", "diff", "story", "securities"}, {"raw", "text", "json"}, {"revision", "as-of", "revisions", "diff", "story"},
	} {
		if err := exclusive(cmd, flags...); err != nil {
			return f, err
		}
	}
	if cmd.Flags().Changed("revision") && s.revision < 1 {
		return f, usagef("--revision %d: want 1 (the first) or more", s.revision)
	}
	var err error
	f.asOf, err = s.asOf.moment(today)
	return f, err
}

// form says in which form a post is shown, and which revision of it.
type form struct {
	raw, text bool
	revision  int       // its number; 0: the newest
	asOf      time.Time // the newest that was captured by then; zero: now
}

func (a *app) show(ctx context.Context, arc *archive.Archive, id news.ID, f form) error {
	rev, err := revision(ctx, arc, id, f)
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
		return a.writePost(rev)
	}
	return a.showPost(&rev)
}

func (a *app) writePost(rev news.Revision) error {
	m, err := a.market()
	if err != nil {
		return err
	}
	j := m.revision(rev)
	j.Lacks = rev.Lacks()
	if err := a.writeJSON(j); err != nil {
		return err
	}
	a.noteUnknown(m)
	return nil
}

// revision returns the revision of a post that is to be shown.
func revision(ctx context.Context, arc *archive.Archive, id news.ID, f form) (news.Revision, error) {
	if f.revision == 0 && f.asOf.IsZero() {
		return arc.Post(ctx, id)
	}
	list, err := arc.Revisions(ctx, id)
	switch {
	case err != nil:
		return news.Revision{}, err
	case f.revision != 0:
		return numbered(list, f.revision)
	}
	return knownAt(list, f.asOf)
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
	if f.revision != 0 || !f.asOf.IsZero() && apart.Capture.Fetched.After(f.asOf) {
		return missing
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
		{"first_seen", clock(rev.FirstSeen)},
		{"fetched", clock(rev.Fetched)},
		{"last_seen", clock(rev.LastSeen)},
		{"mode", string(rev.Mode)},
		{"category", rev.Category},
		{"tag", rev.Tag},
		{"outlet", rev.Outlet},
		{"source", rev.Source},
		{"digest", rev.Digest},
		{"securities", mentions(rev.Securities)},
		{"boards", mentions(rev.Boards)},
		{"related", related(rev.Related)},
		{"story_id", rev.Story},
		{"lacks", strings.Join(rev.Lacks(), ", ")},
		{"derived", strings.Join(rev.Derived, ", ")},
		{"url", rev.URL},
		{"revision", fmt.Sprintf("%d (change %d)", rev.Number, rev.Seq)},
		{"sha256", rev.SHA256},
		{"lost", lost(rev)},
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

// lost says that the text is missing, where it is.
func lost(rev *news.Revision) string {
	if !rev.Lost {
		return ""
	}
	return "its page was damaged and could not be saved: the text is missing"
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
