package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) demoCommand() *cobra.Command {
	o := mirror.DefaultOptions()
	var dir string
	serve := false
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See finarc work, with a mirror of its own",
		Long: `Start the built-in mirror, crawl it into an archive, export the archive to Jekyll
files, and print what was found and how to look at it. Needs nothing but this
program, and asks nobody but itself.`,
		Example: `  finarc demo
  finarc demo --dir /tmp/finarc-demo --posts 2000 --categories 60 --serve`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.archiveFile != "" {
				return usagef("--archive has no place here; --dir DIR says where the archive is put")
			}
			o.Newest = a.now().Truncate(time.Second)
			m, err := mirror.New(o)
			if err != nil {
				return usageError{err}
			}
			s, err := listen("127.0.0.1:0", m)
			if err != nil {
				return err
			}
			return s.during(cmd.Context(), func(ctx context.Context) error {
				if err := a.demo(ctx, s.url, dir); err != nil || !serve {
					return err
				}
				fmt.Fprintf(a.out, "\nThe mirror goes on at %s/ until you press Ctrl-C.\n", s.url)
				<-ctx.Done()
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "demo", "put archive and Jekyll files into `DIR`")
	f.IntVar(&o.Posts, "posts", o.Posts, "`N` posts")
	f.IntVar(&o.Categories, "categories", o.Categories, "`N` categories")
	f.BoolVar(&serve, "serve", false, "go on serving the mirror afterwards")
	completeFolder(cmd, "dir")
	return cmd
}

// demo crawls the mirror at base into dir and shows what came of it.
func (a *app) demo(ctx context.Context, base, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make demo folder: %w", err)
	}
	c := config.Default()
	c.Archive = filepath.Join(dir, "finarc.db")
	c.Mirrors = []config.Mirror{mirrorConfig("demo", base)}
	c.Limits.Rate = 0 // it is one's own server
	arc, err := archive.OpenOrCreate(ctx, c.Archive, a.archiveOptions()...)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "$ finarc crawl     # the built-in mirror at %s/, into %s\n", base, c.Archive)
	report, err := a.crawl(ctx, c, arc, new(crawlFlags))
	if report != nil {
		err = errors.Join(err, writeReport(a.out, report))
	}
	if err != nil {
		return err
	}
	return a.demoShow(ctx, arc, c, dir)
}

// telling returns one of the newest posts, if possible one that names a company.
func telling(ctx context.Context, arc *archive.Archive) (news.Revision, error) {
	var best news.Revision
	for rev, err := range arc.Select(ctx, archive.Selection{Limit: 50}) {
		if err != nil {
			return best, err
		}
		if best.ID == "" || len(rev.Securities) > 0 {
			best = rev
		}
		if len(rev.Securities) > 0 {
			break
		}
	}
	return best, nil
}

// demoShow shows a post, and exports all.
func (a *app) demoShow(ctx context.Context, arc *archive.Archive, c config.Config, dir string) error {
	shown, err := telling(ctx, arc)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\n$ finarc show %s --archive %s\n", shown.Name(), c.Archive)
	if err := a.show(ctx, arc, shown.ID, form{}); err != nil {
		return err
	}
	site := filepath.Join(dir, "jekyll")
	fmt.Fprintf(a.out, "\n$ finarc export jekyll --categories --out %s --archive %s\n", site, c.Archive)
	report, err := a.exportJekyll(ctx, arc, c, archive.Selection{}, site, true)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, `%[1]s

Look further:
  finarc list  --archive %[2]s --limit 20
  finarc stats --archive %[2]s
  finarc serve --archive %[2]s     # read it in a browser
  jekyll serve --source %[3]s     # a site like the mirror, where Jekyll is installed
`, jekyllSummary(report, site), c.Archive, site)
	return err
}
