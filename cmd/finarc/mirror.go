package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/mirror"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func (a *app) mirrorCommand() *cobra.Command {
	o := mirror.DefaultOptions()
	var addr, dir, faults, newest, scenario string
	var life living
	cmd := &cobra.Command{
		Use:   "mirror",
		Short: "Serve the built-in mirror",
		Long: `Serve a mirror of invented news over HTTP: home, category pages, posts, feed,
sitemap, NewsShare and text pages. With --dir, serve a site that Jekyll built
instead, with NewsShare and text pages answered from its posts. With --scenario,
serve the host that a scenario file describes: what it answers to which
requests, and when, and the mirror behind it. The requests that it got are
counted at /_mirror/requests.

With --living, posts appear at their time and disappear after --window, --posts
of them at a time; a tenth are revised meanwhile. --speed 60 makes a minute of
each second.

Faults, as a name or name:share (the share of post pages that have it):
` + faultHelp(),
		Example: `  finarc mirror --addr 127.0.0.1:8080 --posts 2000 --categories 60
  finarc mirror --faults flaky:0.2,gone:0.01
  finarc mirror --living --speed 60 --faults ailing:0.05,outages
  finarc mirror --dir dump/_site
  finarc mirror --scenario crawler/testdata/scenario/503.txtar`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := cmp.Or(exclusive(cmd, "dir", "posts"), exclusive(cmd, "dir", "categories"), exclusive(cmd, "dir", "living"))
			for _, flag := range []string{"dir", "posts", "categories", "seed", "window", "newest", "faults", "gzip", "living"} {
				err = cmp.Or(err, exclusive(cmd, "scenario", flag))
			}
			if err != nil {
				return err
			}
			if o.Faults, err = mirror.ParseFaults(faults); err != nil {
				return usagef("--faults: %w", err)
			}
			if o.Newest = a.now().Truncate(time.Second); newest != "" {
				if o.Newest, err = time.Parse(time.RFC3339, newest); err != nil {
					return usagef("--newest: want a time as 2021-12-22T10:37:15+08:00, not %q", newest)
				}
			}
			if o.Living, err = life.options(a.now, o.Newest); err != nil {
				return err
			}
			m, err := newMirror(scenario, dir, o)
			if err != nil {
				return usageError{err}
			}
			s, err := listen(addr, m)
			if err != nil {
				return err
			}
			return s.during(cmd.Context(), func(ctx context.Context) error {
				_, err := fmt.Fprintf(a.out, "serving %s at %s/ until you press Ctrl-C\n", plural(m.Len(), "post"), s.url)
				if err == nil {
					<-ctx.Done()
				}
				return err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&addr, "addr", "127.0.0.1:8080", "listen on `HOST:PORT` (port 0: any free one)")
	f.IntVar(&o.Posts, "posts", o.Posts, "`N` posts")
	f.IntVar(&o.Categories, "categories", o.Categories, "`N` categories")
	f.Uint64Var(&o.Seed, "seed", 1, "`SEED`: the same one gives the same mirror")
	f.DurationVar(&o.Window, "window", o.Window, "`TIME` over which the posts are spread")
	f.StringVar(&newest, "newest", "", "`TIME` of the newest post, as 2021-12-22T10:37:15+08:00 (default now)")
	f.StringVar(&faults, "faults", "", "`FAULTS` between commas")
	f.BoolVar(&o.Gzip, "gzip", o.Gzip, "compress answers")
	f.StringVar(&dir, "dir", "", "serve the built site in `DIR`")
	f.StringVar(&scenario, "scenario", "", "serve the host that `FILE` describes")
	f.BoolVar(&life.on, "living", false, "let posts appear, change and disappear by the clock")
	f.Float64Var(&life.speed, "speed", 1, "let the clock of --living run `N` times as fast")
	completeFolder(cmd, "dir")
	completeFlag(cmd, "faults", faultNames)
	return cmd
}

// living is what the flags say of a mirror that lives.
type living struct {
	on    bool
	speed float64
}

// options returns how the mirror lives, nil if it does not. Its clock begins at
// the time of the newest post.
func (l *living) options(now func() time.Time, newest time.Time) (*mirror.Living, error) {
	switch {
	case !(l.speed > 0 && l.speed <= 100_000):
		return nil, usagef("--speed: want a number above 0 and up to 100000, not %v", l.speed)
	case !l.on && l.speed != 1:
		return nil, usagef("--speed: only a mirror with --living has a clock")
	case !l.on:
		return nil, nil
	}
	began := now()
	life := mirror.DefaultLiving()
	life.Now = func() time.Time {
		return newest.Add(time.Duration(float64(now().Sub(began)) * l.speed))
	}
	return life, nil
}

func faultHelp() string {
	var b strings.Builder
	for _, f := range mirror.Faults() {
		fmt.Fprintf(&b, "  %-14s %s\n", f.Name, f.About)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func faultNames() []string {
	var names []string
	for _, f := range mirror.Faults() {
		names = append(names, f.Name+"\t"+f.About)
	}
	return names
}

// newMirror makes the mirror of a scenario, of a built site or of options,
// whichever is named first.
func newMirror(scenario, dir string, o mirror.Options) (*mirror.Mirror, error) {
	switch {
	case scenario != "":
		s, err := mirror.ReadScenario(scenario)
		if err != nil {
			return nil, err
		}
		return s.Mirror()
	case dir != "":
		return mirror.FromDir(dir, o)
	}
	return mirror.New(o)
}

// server is an HTTP server on an address of its own.
type server struct {
	http     *http.Server
	listener net.Listener
	url      string // without a slash at its end
}

func listen(addr string, h http.Handler) (*server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &server{
		http:     &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second},
		listener: l, url: "http://" + l.Addr().String(),
	}, nil
}

// stopGrace is how long answers under way may take when the server stops.
const stopGrace = time.Second

// during serves while fn runs, which is told by its context when there is
// something that it should end for: the caller's context, or a server that
// cannot go on.
func (s *server) during(ctx context.Context, fn func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error { return errors.Join(fn(ctx), s.stop(ctx)) })
	return g.Wait()
}

// stop lets the answers under way be finished, for a moment, and closes all
// connections, also those on which nothing was ever asked.
func (s *server) stop(ctx context.Context) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	if err := s.http.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		return s.http.Close()
	} else if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

// mirrorConfig returns the configuration's entry for a mirror at base.
func mirrorConfig(name, base string) config.Mirror {
	return config.Mirror{
		Name: name, Site: base + "/",
		Share: base + "/html_News/NewsShare.html?infoCode=" + config.InfoCodeMark,
		Text:  base + "/NewsData/GetNewsText.do?id=" + config.InfoCodeMark,

		Window: config.DefaultWindow,
	}
}
