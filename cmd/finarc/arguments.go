package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// noArgs refuses arguments; of a command with subcommands that is an unknown
// one.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return usagef("unknown command %q%s", args[0], suggest(cmd, args[0]))
	}
	return usagef("takes no arguments, got %q", args[0])
}

// oneArg wants exactly one argument, called what.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("want one %s, got %d", what, len(args))
		}
		return nil
	}
}

// noStream refuses "-" for a file that is to be made: an archive is written here
// and there, and checked, before it gets its name, so none goes to standard
// output.
func noStream(what, path string) error {
	if path == "-" {
		return usagef("%s -: an archive is not written to standard output; name a file (one called - is ./-)", what)
	}
	return nil
}

// exclusive refuses two flags of which only one can be meant.
func exclusive(cmd *cobra.Command, flags ...string) error {
	var given []string
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			given = append(given, name)
		}
	}
	if len(given) > 1 {
		return usagef("--%s and --%s exclude each other", given[0], given[1])
	}
	return nil
}

// suggestDistance is how many letters a suggestion may be away from what was
// typed.
const suggestDistance = 2

// suggest returns what to add to the error of an unknown command: those that
// are nearest to what was typed.
func suggest(cmd *cobra.Command, arg string) string {
	for d := range suggestDistance {
		cmd.SuggestionsMinimumDistance = d + 1
		if near := cmd.SuggestionsFor(arg); len(near) > 0 {
			return "; did you mean " + strings.Join(near, " or ") + "?"
		}
	}
	return ""
}

// flagError tells what is wrong with a flag, and what would be right.
func flagError(cmd *cobra.Command, err error) error {
	if unknown := new(pflag.NotExistError); errors.As(err, &unknown) {
		return usagef("%w%s", err, suggestFlag(cmd, unknown.GetSpecifiedName()))
	}
	if bad := new(pflag.InvalidValueError); errors.As(err, &bad) {
		return usagef("--%s: want %s, not %q", bad.GetFlag().Name, wantedValue(bad.GetFlag()), bad.GetValue())
	}
	return usageError{err}
}

// suggestFlag is as suggest, for flags. Cobra tells what is near only among
// commands, so the flags are made some.
func suggestFlag(cmd *cobra.Command, name string) string {
	flags := new(cobra.Command)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: "--" + f.Name, Run: func(*cobra.Command, []string) {}})
	})
	return suggest(flags, "--"+name)
}

// wantedValue tells what a flag's value must be.
func wantedValue(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "uint64":
		return "a whole number"
	case "duration":
		return "a time such as 30s or 5m"
	case "bool":
		return "true or false"
	}
	return "a " + f.Value.Type()
}

// annotationJSON marks the commands that know --json.
const annotationJSON = "json"

// reports marks a command as one that knows --json.
func reports(cmd *cobra.Command) *cobra.Command {
	cmd.Annotations = map[string]string{annotationJSON: "true"}
	return cmd
}

// takeFlags looks at the global flags before a command runs. It refuses --json
// where it would change nothing.
func (a *app) takeFlags(cmd *cobra.Command, _ []string) error {
	if a.wait < 0 {
		return usagef("--wait %v: want 0 (not to wait) or more", a.wait)
	}
	if cmd.Flags().Changed("wait") {
		a.waitForRun = a.wait
	}
	if a.json && cmd.Annotations[annotationJSON] == "" {
		return usagef("has no JSON form")
	}
	return nil
}

// must stops a program that was put together wrong: the error is that of a
// flag which its command does not have.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// noValues is for flags whose values the shell cannot know.
func noValues() []string { return nil }

// completeFlag lets the shell complete a flag's value from a list, which may
// be empty, and not with the names of files.
func completeFlag(cmd *cobra.Command, flag string, values func() []string) {
	must(cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	}))
}

// completeFolder lets the shell complete a flag's value with folders.
func completeFolder(cmd *cobra.Command, flag string) { must(cmd.MarkFlagDirname(flag)) }
