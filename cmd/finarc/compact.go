package main

import "github.com/spf13/cobra"

func (a *app) compactCommand() *cobra.Command {
	return reports(&cobra.Command{
		Use:   "compact",
		Short: "Write the archive's file anew, without the room that nothing uses",
		Long: `Write the archive into a new file, check it, and put it in place of the old one.
Crawls go on meanwhile, and lose nothing. It takes as much room on the disk as
the archive does. Killed at any moment, the old file is there, or the new one.`,
		Example: `  finarc compact
  finarc compact --archive news.db --json | jq '.bytes_before - .bytes_after'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			c, err := arc.Compact(cmd.Context())
			if err != nil {
				return err
			}
			return a.showCopied(c, "compacted")
		},
	})
}
