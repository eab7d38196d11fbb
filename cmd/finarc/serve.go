package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/schedule"
	"github.com/finarc/finarc/search"
	"github.com/finarc/finarc/web"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// serveFlags are what the command line says of serving.
type serveFlags struct {
	addr     string
	insecure bool
	noCrawl  bool
}

func (a *app) serveCommand() *cobra.Command {
	var fl serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the archive as web pages, and crawl by the schedule",
		Long: `Serve the archive as web pages, in Chinese and English: the newest posts, days,
categories, securities, posts with their revisions, search, coverage and runs. They
need no script, and ask no other host for anything. Programs have feeds, a JSON API
(/api/openapi.json), Memento, a mirror's own addresses, /metrics and /healthz.

With schedule: in the configuration it crawls as it serves, as finarc watch does;
--no-crawl leaves that out. Crawls by others, as from cron, may go on too.

It listens on 127.0.0.1:8080, or where serve.addr or --addr says. Another address
than this machine's own is refused unless readers must prove who they are, by a
token (FINARC_SERVE_TOKEN, sent as Authorization: Bearer) or a user and password
(FINARC_SERVE_BASIC=user:password); or with --insecure. Pages are plain HTTP: put a
server that speaks TLS in front of it for the open web, and name the hosts that it
passes on in serve.hosts.

Interrupt it to stop: answers under way, and a run that goes on, end in order.

Exit codes: 0 stopped; 1 failed; 2 wrong usage or configuration; 4 the archive is
busy at the start.`,
		Example: `  finarc serve
  finarc serve --addr 127.0.0.1:9000 --archive news.db
  FINARC_SERVE_BASIC=reader:a-long-password finarc serve --addr :8080`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), &fl)
		},
	}
	f := cmd.Flags()
	f.StringVar(&fl.addr, "addr", "", "listen on `HOST:PORT` (port 0: any free one; default: the configuration's)")
	f.BoolVar(&fl.insecure, "insecure", false, "let everybody read who can reach the address")
	f.BoolVar(&fl.noCrawl, "no-crawl", false, "do not crawl, whatever the configuration's schedule")
	completeFlag(cmd, "addr", noValues)
	return cmd
}

// serve serves the archive, and crawls by the configuration's schedule, until ctx
// ends.
func (a *app) serve(ctx context.Context, fl *serveFlags) (err error) {
	c, when, err := a.serveConfig(fl)
	if err != nil {
		return err
	}
	open := archive.Open
	if when != nil {
		open = archive.OpenOrCreate
	}
	arc, err := open(ctx, c.Archive, a.archiveOptions()...)
	if err != nil {
		return err
	}
	index := searchIndex(arc)
	defer func() { err = errors.Join(err, index.Close()) }()
	server, err := a.webServer(c, arc, index, when)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Serve.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	aimAt(servingGoal, memoryGoal)
	if _, err := fmt.Fprintf(a.out, "serving %s at http://%s/ until you press Ctrl-C\n", c.Archive, l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Serve(ctx, l) })
	if when != nil {
		g.Go(func() error { return a.watch(ctx, c, *when, new(crawlFlags)) })
	}
	return g.Wait()
}

// serveConfig returns the configuration to serve with, and when to crawl meanwhile;
// nil: not at all.
func (a *app) serveConfig(fl *serveFlags) (config.Config, *schedule.Schedule, error) {
	c, err := a.config()
	if err != nil {
		return c, nil, err
	}
	if fl.addr != "" {
		c.Serve.Addr = fl.addr
	}
	if err := allowed(&c.Serve, fl.insecure); err != nil {
		return c, nil, err
	}
	if len(c.Schedule) == 0 || fl.noCrawl {
		return c, nil, nil
	}
	if err := c.Validate(); err != nil {
		return c, nil, err
	}
	when, err := schedule.Parse(c.Schedule...)
	return c, &when, err
}

// allowed refuses to serve everybody without having been told so.
func allowed(s *config.Serve, insecure bool) error {
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return usagef("--addr %s: want host:port, as 127.0.0.1:8080", s.Addr)
	}
	if access := accessOf(s); ownHost(host) || access.Restricted() || insecure {
		return nil
	}
	return usagef("others than this machine could read at %s: set FINARC_SERVE_TOKEN or FINARC_SERVE_BASIC, or say --insecure", s.Addr)
}

// ownHost reports whether only this machine reaches a server that listens there.
func ownHost(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// accessOf returns who may read. Who listens for this machine alone, or has named
// hosts, is asked under no other names.
func accessOf(s *config.Serve) web.Access {
	access := web.Access{Token: s.Token, Basic: s.Basic, Hosts: s.Hosts}
	if host, _, err := net.SplitHostPort(s.Addr); err == nil && ownHost(host) {
		access.Hosts = append([]string{"localhost"}, s.Hosts...)
	}
	return access
}

// webServer returns the server of an archive and its index. when is the schedule by
// which it crawls; nil: it does not.
func (a *app) webServer(c config.Config, arc *archive.Archive, index *search.Index, when *schedule.Schedule) (*web.Server, error) {
	calendar, err := loadCalendar(c)
	if err != nil {
		return nil, err
	}
	o := web.Options{
		Store: arc, Search: searcher{index, arc}, Calendar: calendar, Now: a.now, Log: a.logger(slog.LevelInfo), Access: accessOf(&c.Serve),
	}
	if when != nil {
		o.Due = when.Next
	}
	for _, m := range c.Mirrors {
		o.Mirrors = append(o.Mirrors, web.Mirror{Name: m.Name, Site: m.Site, Share: m.Share, Text: m.Text})
	}
	return web.New(o)
}
