package main

import (
	"fmt"

	"github.com/finarc/finarc/config"
	"github.com/spf13/cobra"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check, show or begin a configuration",
		Example: "  finarc config init > crawler.yaml",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:     "check",
			Short:   "Say what is wrong with the configuration",
			Example: "  finarc config check -c crawler.yaml",
			Args:    noArgs,
			RunE: func(*cobra.Command, []string) error {
				c, err := a.config()
				if err != nil {
					return err
				}
				if err := c.Validate(); err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.out, "the configuration is good: %d mirrors, archive %s\n", len(c.Mirrors), c.Archive)
				return err
			},
		},
		&cobra.Command{
			Use:     "show",
			Short:   "Print the configuration in effect, with environment and flags",
			Example: "  FINARC_LIMITS_RATE=1 finarc config show",
			Args:    noArgs,
			RunE: func(*cobra.Command, []string) error {
				c, err := a.config()
				if err != nil {
					return err
				}
				_, err = c.WriteTo(a.out)
				return err
			},
		},
		&cobra.Command{
			Use:     "init",
			Short:   "Print a commented configuration to begin with",
			Example: "  finarc config init > crawler.yaml",
			Args:    noArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := a.out.Write(config.Template())
				return err
			},
		},
	)
	return cmd
}
