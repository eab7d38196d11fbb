package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/spf13/cobra"
)

func (a *app) backupCommand() *cobra.Command {
	force := false
	cmd := reports(&cobra.Command{
		Use:   "backup FILE",
		Short: "Write the archive, as it stands at one moment, to another file",
		Long: `Write the archive, as it stands at one moment, to FILE, while crawls go on. FILE
is checked and forced to the disk before it gets its name: it is whole or not
there. It is an archive like any other, and as dense as finarc compact makes it.

With --force an archive that is there is replaced, whole or damaged, or an empty
file, once the new one is checked. Any other file is never replaced.`,
		Example: `  finarc backup /mnt/disk/news-2021-12-22.db
  finarc backup --force /mnt/disk/news.db
  finarc stats --archive /mnt/disk/news.db`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := noStream("backup", args[0]); err != nil {
				return err
			}
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			c, err := arc.Backup(cmd.Context(), args[0], force)
			if errors.Is(err, archive.ErrExists) && !force {
				return fmt.Errorf("%w; --force replaces it, once the new one is checked", err)
			}
			if err != nil {
				return err
			}
			return a.showCopied(c, "backup")
		},
	})
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE where it exists, once the new one is checked")
	return cmd
}

// copiedJSON is what backup --json and compact --json print. Times are how long
// the archive's lock was held at a time, at most, and in the last look.
type copiedJSON struct {
	File      string  `json:"file"`
	Posts     int64   `json:"posts"`
	Revisions int64   `json:"revisions"`
	Before    int64   `json:"bytes_before"`
	After     int64   `json:"bytes_after"`
	Held      float64 `json:"held_ms"`
	Last      float64 `json:"last_held_ms"`
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// showCopied tells what a backup or a compaction did.
func (a *app) showCopied(c archive.Copied, what string) error {
	if a.json {
		return a.writeJSON(copiedJSON{
			File: c.File, Posts: c.Posts, Revisions: c.Revisions, Before: c.Before, After: c.After,
			Held: milliseconds(c.Held), Last: milliseconds(c.Last),
		})
	}
	return table(a.out, [][2]string{
		{what, c.File},
		{"posts", fmt.Sprintf("%s, in %s", grouped(c.Posts), plural(c.Revisions, "revision"))},
		{"before", size(c.Before)},
		{"after", size(c.After)},
		{"held", fmt.Sprintf("the archive for %v at a time, at most", c.Held.Round(100*time.Microsecond))},
	})
}
