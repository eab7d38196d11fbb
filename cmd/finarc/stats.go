package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) statsCommand() *cobra.Command {
	return reports(&cobra.Command{
		Use:   "stats",
		Short: "Say how much the archive holds and what it takes",
		Example: `  finarc stats
  finarc stats --json | jq .file_bytes`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			s, err := arc.Stats(cmd.Context(), time.Time{})
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(s)
			}
			perPost := "–"
			if s.Posts > 0 {
				perPost = size(s.FileBytes / s.Posts)
			}
			return table(a.out, [][2]string{
				{"archive", arc.Path()},
				{"posts", fmt.Sprintf("%s, in %s", grouped(s.Posts), plural(s.Revisions, "revision"))},
				{"days", fmt.Sprintf("%s to %s", dash(s.First.String()), dash(s.Last.String()))},
				{"to fetch", grouped(s.Frontier)},
				{"leads", plural(s.Leads, "related post") + " not held"},
				{"failed", plural(s.Failed, "post") + " to be had from no source"},
				{"kept apart", plural(s.Unread, "page") + " that could not be read"},
				{"list pages", grouped(s.Lists)},
				{"runs", grouped(s.Runs)},
				{"pages", fmt.Sprintf("%s as served, %s as kept", size(s.RawBytes), size(s.PackedSize))},
				{"file", fmt.Sprintf("%s, %s a post", size(s.FileBytes), perPost)},
			})
		},
	})
}
