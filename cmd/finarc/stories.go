package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) storiesCommand() *cobra.Command {
	var o archive.FindOptions
	cmd := reports(&cobra.Command{
		Use:   "stories",
		Short: "Find which posts run the same story",
		Long: `Find which posts run the same story: those whose texts are the same but for what
outlets do to them (another headline, paragraphs cut at the beginning or the end,
an agency's line, other punctuation), and in whose common text all figures are.
The post that was published first is the origin, the others are reprints. A
reprint comes within three days of another post of its story.

Only what came since the last time is looked at. Crawls go on meanwhile; it may be
interrupted, and goes on from there. Once it has been run in an archive, every
crawl and backfill ends with it, for at most 10 seconds. finarc list --stories and
finarc show --story show what was found.`,
		Example: `  finarc stories
  finarc list --stories --from 2021-12-22
  finarc show NW202112222222306968 --story`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			found, err := arc.FindStories(cmd.Context(), o)
			if errors.Is(err, context.Canceled) {
				return errInterrupted
			}
			if err != nil {
				return err
			}
			return a.tellFound(&found)
		},
	})
	cmd.Flags().BoolVar(&o.FromStart, "from-start", false, "look at all posts anew")
	return cmd
}

// tellFound tells what was done to find stories.
func (a *app) tellFound(f *archive.StoriesFound) error {
	if a.json {
		return a.writeJSON(f)
	}
	return table(a.out, [][2]string{
		{"revisions", fmt.Sprintf("%s, of which %s are compared with others", grouped(f.Revisions), grouped(f.Posts))},
		{"compared", fmt.Sprintf("%s of texts that look alike; of one story: %s", plural(f.Compared, "pair"), grouped(f.Same))},
		{"stories", fmt.Sprintf("%s, run by %s", grouped(f.Known.Stories), plural(f.Known.Posts, "post"))},
	})
}

// storiesTime is for how long a crawl goes on at its end to find stories. What is
// left then is left to the next.
const storiesTime = 10 * time.Second

// keepStories finds the stories of what a crawl archived, in an archive in which
// they were looked for before. That they cannot be found is no failure of the
// crawl.
func (a *app) keepStories(ctx context.Context, path string) {
	within, done := context.WithTimeout(ctx, storiesTime)
	defer done()
	arc, err := archive.Open(within, path, a.archiveOptions()...)
	if err == nil {
		_, err = arc.FindStories(within, archive.FindOptions{IfKept: true})
	}
	if err != nil && within.Err() == nil {
		fmt.Fprintf(a.err, "finarc: warning: stories were not found: %s\n", printable(err.Error()))
	}
}

// lag returns how long after the origin a post of a story was published.
func lag(posts []news.Revision, i int) time.Duration { return posts[i].Place().Sub(posts[0].Place()) }

// showStory shows the story that a post is in, a line a post.
func (a *app) showStory(ctx context.Context, arc *archive.Archive, id news.ID) error {
	posts, err := arc.Story(ctx, id)
	if err != nil {
		return err
	}
	if err := a.tellBehind(ctx, arc); err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(jsonform.NewStory(posts))
	}
	if len(posts) == 1 {
		_, err := fmt.Fprintf(a.out, "%s: no other post is known to run its story\n", posts[0].Name())
		return err
	}
	rows := [][]string{{"lag", "published", "post", "outlet", "title"}}
	for i := range posts {
		p := &posts[i]
		rows = append(rows, []string{lagText(posts, i), clock(p.Published), p.Name(), dash(printable(p.Outlet)), printable(p.Title)})
	}
	return a.grid(rows)
}

// lagText writes how long after the origin a post was published: +1h30m.
func lagText(posts []news.Revision, i int) string {
	if i == 0 {
		return "origin"
	}
	text := lag(posts, i).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return "+" + text
}

// storyLister returns what writes a story to out, given its origin: as a line for
// people, or as JSON.
func (a *app) storyLister(ctx context.Context, arc *archive.Archive, out io.Writer) func(*news.Revision) error {
	width, live := terminal(a.out)
	return func(origin *news.Revision) error {
		posts, err := arc.Story(ctx, origin.ID)
		if err != nil || len(posts) < 2 { // its text has changed since it was selected
			return err
		}
		if a.json {
			return encodeJSON(out, jsonform.NewStory(posts))
		}
		line := storyLine(posts)
		if live {
			line = cut(line, width)
		}
		_, err = fmt.Fprintln(out, line)
		return err
	}
}

const (
	columnsReprints = len("1,000 reprints")
	columnsLags     = len("+10h15m30s to +2h15m30s")
)

func storyLine(posts []news.Revision) string {
	origin, last := &posts[0], len(posts)-1
	lags := lagText(posts, 1)
	if text := lagText(posts, last); text != lags {
		lags += " to " + text
	}
	return pad(clock(origin.Published), columnsWhen) + "  " + pad(origin.Name(), columnsName) + "  " +
		pad(plural(last, "reprint"), columnsReprints) + "  " + pad(lags, columnsLags) + "  " + printable(origin.Title)
}

// tellBehind says, on standard error, where stories are not known of all posts.
func (a *app) tellBehind(ctx context.Context, arc *archive.Archive) error {
	known, err := arc.StoriesKnown(ctx)
	switch {
	case err != nil:
		return err
	case !known.Looked:
		fmt.Fprintln(a.err, "finarc: stories were never looked for in this archive; finarc stories finds them")
	case known.Behind > 0:
		fmt.Fprintf(a.err, "finarc: stories are not known yet of the last %s; finarc stories finds them\n", plural(known.Behind, "revision"))
	}
	return nil
}
