package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is what every command shares: where to write, and the global flags.
type app struct {
	out, err io.Writer
	environ  []string
	now      func() time.Time

	configFile  string
	archiveFile string
	json        bool
	verbose     bool
}

const defaultConfig = "crawler.yaml"

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, environ []string) int {
	a := &app{out: stdout, err: stderr, environ: environ, now: time.Now}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return exit(root.ExecuteContext(ctx), stderr)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "finarc",
		Short: "Archive Chinese finance news that its mirrors throw away",
		Long: `finarc crawls mirrors of Chinese finance news and keeps every post, raw and
read, in one archive file; lists and shows what it keeps; and writes it out as
Jekyll files.`,
		Example: `  finarc demo                      see it work, with a mirror of its own
  finarc config init > crawler.yaml
  finarc crawl                     archive what the mirrors show now
  finarc list --from 2021-12-22 --limit 20
  finarc show NW202112222222306968
  finarc export jekyll --out dump`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.configFile, "config", "c", "", "configuration `FILE` (default "+defaultConfig+" if there is one)")
	flags.StringVar(&a.archiveFile, "archive", "", "archive `FILE` (default: the configuration's)")
	flags.BoolVar(&a.json, "json", false, "write JSON to standard output")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log more to standard error")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%s: %w", cmd.CommandPath(), err)
	})
	root.AddCommand(
		a.demoCommand(), a.mirrorCommand(), a.crawlCommand(), a.exportCommand(),
		a.listCommand(), a.showCommand(), a.statsCommand(), a.runsCommand(),
		a.configCommand(), a.versionCommand(),
	)
	return root
}

// noArgs refuses arguments; on the root that is an unknown command.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return usagef("%s: unknown command %q%s", cmd.CommandPath(), args[0], suggest(cmd, args[0]))
	}
	return usagef("%s: takes no arguments, got %q", cmd.CommandPath(), args[0])
}

func suggest(cmd *cobra.Command, arg string) string {
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(arg); len(near) > 0 {
		return "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return ""
}

// oneArg wants exactly one argument, called what.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%s: want one %s, got %d arguments", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}

// config reads the configuration: the named file, or the default one if there
// is one, or else the defaults.
func (a *app) config() (config.Config, error) {
	path := a.configFile
	if path == "" && exists(defaultConfig) {
		path = defaultConfig
	}
	c, err := config.Load(path, a.environ)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return c, usageError{err}
		}
		return c, err
	}
	if a.archiveFile != "" {
		c.Archive = a.archiveFile
	}
	return c, nil
}

// openArchive opens the archive for reading. With --archive no configuration
// is needed, nor looked at.
func (a *app) openArchive(ctx context.Context) (*archive.Archive, error) {
	if a.archiveFile != "" {
		return archive.Open(ctx, a.archiveFile)
	}
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	return archive.Open(ctx, c.Archive)
}

// logger writes to standard error: warnings, and with --verbose everything.
func (a *app) logger(level slog.Level) *slog.Logger {
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// terminal reports whether w is a person's terminal, and how wide it is.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which finarc this is",
		Example: "  finarc version --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if a.json {
				return a.writeJSON(v)
			}
			_, err := fmt.Fprintf(a.out, "finarc %s (archive format %d, %s %s/%s)\n", v.Version, v.Format, v.Go, v.OS, v.Arch)
			return err
		},
	}
}
