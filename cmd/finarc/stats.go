package main

import (
	"context"
	"fmt"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) statsCommand() *cobra.Command {
	var f statsFlags
	cmd := reports(&cobra.Command{
		Use:   "stats",
		Short: "Say how much the archive holds and what it takes",
		Long: `Say how much the archive holds and what it takes, and how long after their
publication posts came in. With --as-of, say how many posts and revisions it held
at that time, and of which days.

The latency is from the time that the page tells to the end of the answer that
brought the post: what half, 90 and 99 in a hundred of the posts did not exceed. It
is of posts that were crawled live and tell their time, and of these the newest
(10,000 posts are looked at), or those of the days that --from and --to name.`,
		Example: `  finarc stats
  finarc stats --json | jq .file_bytes
  finarc stats --from -7d --json | jq .latency
  finarc stats --as-of 2021-12-22`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sel, err := f.selection(a.today())
			if err != nil {
				return err
			}
			return a.stats(cmd.Context(), sel)
		},
	})
	f.register(cmd)
	return cmd
}

// statsFlags is the flags of stats.
type statsFlags struct {
	days dayRange
	asOf asOf
}

func (f *statsFlags) register(cmd *cobra.Command) {
	f.days.register(cmd, "of the posts whose latency is told")
	f.asOf.register(cmd, "what was held")
}

// selection returns the posts whose latency is told, as of the moment of which
// all is, or a usage error.
func (f *statsFlags) selection(today news.Day) (sel archive.Selection, err error) {
	if sel.From, sel.To, err = f.days.days(today); err != nil {
		return sel, err
	}
	if sel.From == 0 && sel.To == 0 {
		sel.Limit = jsonform.LatencyPosts
	}
	sel.AsOf, err = f.asOf.moment(today)
	return sel, err
}

func (a *app) stats(ctx context.Context, sel archive.Selection) error {
	arc, err := a.openArchive(ctx)
	if err != nil {
		return err
	}
	s, err := arc.Stats(ctx, sel.AsOf)
	if err != nil {
		return err
	}
	l, err := arc.Latency(ctx, sel)
	switch {
	case err != nil:
		return err
	case a.json:
		return a.writeJSON(jsonform.Stats{Stats: s, Latency: l})
	}
	return table(a.out, append(statsRows(arc.Path(), &s, sel.AsOf), latencyRows(&l)...))
}

// latencyRows returns what is told of a latency: nothing where there are no
// posts.
func latencyRows(l *archive.Latency) [][2]string {
	if l.Posts+l.NotLive+l.NoTime == 0 {
		return nil
	}
	told := "–"
	if p := l.Seconds; p != nil {
		told = fmt.Sprintf("half within %s, 90 %% within %s, 99 %% within %s", latency(p.P50), latency(p.P90), latency(p.P99))
	}
	return [][2]string{
		{"latency", told},
		{"", fmt.Sprintf("of %s crawled live, %s to %s", plural(l.Posts, "post"), dash(l.From.String()), dash(l.To.String()))},
		{"", fmt.Sprintf("besides: %s of other modes, %s without time of day", grouped(l.NotLive), grouped(l.NoTime))},
	}
}

// latency writes a number of seconds for people.
func latency(seconds int) string {
	d := time.Duration(seconds) * time.Second
	if d >= archive.MaxLatency {
		return "a week or more"
	}
	return d.String()
}

// statsRows returns what is told of an archive; of the past, what depends on
// the time.
func statsRows(path string, s *archive.Stats, at time.Time) [][2]string {
	rows := [][2]string{{"archive", path}}
	if !at.IsZero() {
		rows = append(rows, [2]string{"as of", clock(at)})
	}
	rows = append(rows, [][2]string{
		{"posts", fmt.Sprintf("%s, in %s", grouped(s.Posts), plural(s.Revisions, "revision"))},
		{"days", fmt.Sprintf("%s to %s", dash(s.First.String()), dash(s.Last.String()))},
	}...)
	if !at.IsZero() {
		return rows
	}
	perPost := "–"
	if s.Posts > 0 {
		perPost = size(s.FileBytes / s.Posts)
	}
	return append(rows, [][2]string{
		{"to fetch", grouped(s.Frontier)},
		{"leads", plural(s.Leads, "related post") + " not held"},
		{"failed", plural(s.Failed, "post") + " to be had from no source"},
		{"kept apart", plural(s.Unread, "page") + " that could not be read"},
		{"list pages", grouped(s.Lists)},
		{"runs", grouped(s.Runs)},
		{"pages", fmt.Sprintf("%s as served, %s as kept", size(s.RawBytes), size(s.PackedSize))},
		{"file", fmt.Sprintf("%s, %s a post", size(s.FileBytes), perPost)},
	}...)
}
