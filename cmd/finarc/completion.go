package main

import (
	"io"

	"github.com/spf13/cobra"
)

func (a *app) completionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion",
		Short: "Print completion for a shell",
		Long: `Print the script with which a shell completes finarc's commands, flags and files.

  bash        source <(finarc completion bash)             in ~/.bashrc
  zsh         source <(finarc completion zsh)              in ~/.zshrc, after compinit
  fish        finarc completion fish | source              in ~/.config/fish/config.fish
  powershell  finarc completion powershell | Out-String | Invoke-Expression   in $PROFILE`,
		Example: "  source <(finarc completion bash)",
		Args:    noArgs,
		RunE:    help,
	}
	for _, s := range []struct {
		shell string
		write func(*cobra.Command, io.Writer) error
	}{
		{"bash", func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"zsh", (*cobra.Command).GenZshCompletion},
		{"fish", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }},
		{"powershell", (*cobra.Command).GenPowerShellCompletionWithDesc},
	} {
		cmd.AddCommand(&cobra.Command{
			Use:     s.shell,
			Short:   "Print completion for " + s.shell,
			Example: "  finarc completion " + s.shell,
			Args:    noArgs,
			RunE:    func(cmd *cobra.Command, _ []string) error { return s.write(cmd.Root(), a.out) },
		})
	}
	return cmd
}
