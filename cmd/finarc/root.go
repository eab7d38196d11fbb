package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/page"
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
	wait        time.Duration
	waitForRun  time.Duration // for another run: 0 unless --wait is given
	json        bool
	verbose     bool
}

const (
	defaultConfig = "crawler.yaml"
)

// Groups of commands in the help.
const (
	groupGather = "gather"
	groupLook   = "look"
	groupCare   = "care"
	groupSetUp  = "set up"
)

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, environ []string) int {
	a := &app{out: &output{to: stdout}, err: stderr, environ: environ, now: time.Now}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return exit(err, cmd.CommandPath(), stderr)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "finarc",
		Short: "Archive Chinese finance news that its mirrors throw away",
		Long: `finarc crawls mirrors of Chinese finance news and keeps every post, raw and
read, in one archive file; lists, shows and searches what it keeps; and writes it out as
Jekyll files or as a data set.`,
		Example: `  finarc demo                      see it work, with a mirror of its own
  finarc config init > crawler.yaml
  finarc crawl                     archive what the mirrors show now
  finarc watch                     do so again and again
  finarc list --from 2021-12-22 --limit 20
  finarc show NW202112222222306968
  finarc serve                     read it all in a browser
  finarc search 阿里云
  finarc export jekyll --out dump
  finarc export parquet --out posts`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              noArgs,
		PersistentPreRunE: a.takeFlags,
		RunE:              help,
	}
	a.globalFlags(root)
	root.AddGroup(
		&cobra.Group{ID: groupGather, Title: "Gather:"},
		&cobra.Group{ID: groupLook, Title: "Look and write out:"},
		&cobra.Group{ID: groupCare, Title: "Care:"},
		&cobra.Group{ID: groupSetUp, Title: "Set up:"},
	)
	add(root, groupGather, a.crawlCommand(), a.watchCommand(), a.backfillCommand(), a.importCommand(), a.demoCommand(), a.mirrorCommand())
	add(root, groupLook, a.listCommand(), a.showCommand(), a.searchCommand(), a.storiesCommand(), a.securitiesCommand(), a.statsCommand(), a.coverageCommand(), a.runsCommand(), a.exportCommand(), a.serveCommand())
	add(root, groupCare, a.verifyCommand(), a.backupCommand(), a.compactCommand(), a.mergeCommand(), a.rereadCommand(), a.salvageCommand())
	add(root, groupSetUp, a.configCommand(), a.completionCommand(), a.versionCommand())
	root.SetHelpCommand(helpCommand())
	root.SetHelpCommandGroupID(groupSetUp)
	return root
}

func (a *app) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.configFile, "config", "c", "", "configuration `FILE` (default "+defaultConfig+" if there is one)")
	f.StringVar(&a.archiveFile, "archive", "", "archive `FILE` (default: the configuration's)")
	f.DurationVar(&a.wait, "wait", archive.DefaultWait, "wait at most `TIME` for an archive that another process holds")
	f.BoolVar(&a.json, "json", false, "write JSON to standard output")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "log more to standard error")
	root.SetFlagErrorFunc(flagError)
	must(root.MarkPersistentFlagFilename("config", "yaml", "yml"))
	must(root.MarkPersistentFlagFilename("archive", "db"))
	completeFlag(root, "wait", noValues)
}

func add(root *cobra.Command, group string, cmds ...*cobra.Command) {
	for _, c := range cmds {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// config reads the configuration: the named file, or the default one if there
// is one, or else the defaults.
func (a *app) config() (config.Config, error) {
	c, err := config.Load(a.configPath(), a.environ)
	switch {
	case as[config.Problems](err):
		return c, err
	case err != nil:
		return c, usageError{err}
	}
	if a.archiveFile != "" {
		c.Archive = a.archiveFile
	}
	return c, nil
}

// configPath returns the configuration's file, or "" if there is none.
func (a *app) configPath() string {
	if a.configFile == "" && exists(defaultConfig) {
		return defaultConfig
	}
	return a.configFile
}

// openArchive opens the archive for reading.
func (a *app) openArchive(ctx context.Context) (*archive.Archive, error) {
	path, err := a.archivePath()
	if err != nil {
		return nil, err
	}
	return archive.Open(ctx, path, a.archiveOptions()...)
}

// archiveOptions are those with which every command opens an archive.
func (a *app) archiveOptions() []archive.Option {
	return []archive.Option{archive.Wait(a.wait), archive.PlainText(page.Text), archive.Titles(page.IsTitleOf)}
}

// archivePath returns the archive's file. With --archive no configuration is
// needed, nor looked at.
func (a *app) archivePath() (string, error) {
	if a.archiveFile != "" {
		return a.archiveFile, nil
	}
	c, err := a.config()
	return c.Archive, err
}

// logger writes to standard error what is at least of the level, and with
// --verbose everything.
func (a *app) logger(level slog.Level) *slog.Logger {
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// exists reports whether there is a file at path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// terminal reports whether w is a person's terminal, and how wide it is.
func terminal(w io.Writer) (width int, ok bool) {
	if o, wrapped := w.(*output); wrapped {
		w = o.to
	}
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil && width > 0
}

// environment returns the value of a variable, empty where it is not set.
func environment(environ []string, name string) string {
	for _, e := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// help is what a command does that is nothing without a subcommand.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Tell about a command",
		Example: "  finarc help crawl",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return commandNames(cmd.Root(), args), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("no command %q%s", strings.Join(args, " "), suggest(about, last(args)))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

func last[T any](list []T) T { return list[len(list)-1] }

// commandNames returns the commands below the one that path names.
func commandNames(root *cobra.Command, path []string) []string {
	cmd, _, err := root.Find(path)
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, fmt.Sprintf("%s\t%s", c.Name(), c.Short))
		}
	}
	return names
}
