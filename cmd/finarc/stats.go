package main

import (
	"fmt"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/spf13/cobra"
)

func (a *app) statsCommand() *cobra.Command {
	var at asOf
	cmd := reports(&cobra.Command{
		Use:   "stats",
		Short: "Say how much the archive holds and what it takes",
		Long: `Say how much the archive holds and what it takes. With --as-of, say how many
posts and revisions it held at that time, and of which days.`,
		Example: `  finarc stats
  finarc stats --json | jq .file_bytes
  finarc stats --as-of 2021-12-22`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			moment, err := at.moment()
			if err != nil {
				return err
			}
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			s, err := arc.Stats(cmd.Context(), moment)
			switch {
			case err != nil:
				return err
			case a.json:
				return a.writeJSON(s)
			}
			return table(a.out, statsRows(arc.Path(), &s, moment))
		},
	})
	at.register(cmd, "what was held")
	return cmd
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
