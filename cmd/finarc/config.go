package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/jsonform"
	"github.com/spf13/cobra"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check, show or begin a configuration",
		Example: "  finarc config init > crawler.yaml",
		Args:    noArgs,
		RunE:    help,
	}
	cmd.AddCommand(a.configCheckCommand(), a.configShowCommand(), a.configInitCommand())
	return cmd
}

func (a *app) configCheckCommand() *cobra.Command {
	return reports(&cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with the configuration",
		Long: `Say everything that is wrong with the configuration, a line each with file, line
and key, and end with exit code 2; or say that it is good. No server is asked.`,
		Example: `  finarc config check
  finarc config check -c crawler.yaml --json | jq .problems`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.validConfig()
			if a.json && (err == nil || as[config.Problems](err)) {
				return errors.Join(err, a.writeJSON(newConfigCheckJSON(err)))
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s is good: %s (%s), archive %s\n", cmp.Or(a.configPath(), "the environment"),
				plural(len(c.Mirrors), "mirror"), strings.Join(mirrorNames(c), ", "), c.Archive)
			return err
		},
	})
}

func (a *app) configShowCommand() *cobra.Command {
	return reports(&cobra.Command{
		Use:   "show",
		Short: "Print the configuration in effect, with environment and flags",
		Example: `  FINARC_LIMITS_RATE=1 finarc config show
  finarc config show --json | jq .limits`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.config()
			if err != nil {
				return err
			}
			c = withoutSecrets(c)
			if a.json {
				return a.writeJSON(newConfigJSON(c))
			}
			_, err = c.WriteTo(a.out)
			return err
		},
	})
}

func (a *app) configInitCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "init",
		Short:   "Print a commented configuration to begin with",
		Example: "  finarc config init > crawler.yaml",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(config.Template())
			return err
		},
	}
}

// validConfig reads a configuration that can be crawled with, and of which all
// else can be used.
func (a *app) validConfig() (config.Config, error) {
	c, err := a.config()
	if err != nil {
		return c, err
	}
	if err := c.Validate(); err != nil {
		return c, err
	}
	_, err = loadCalendar(c)
	return c, err
}

// configJSON is a configuration as config show --json prints it: the keys of
// the file, durations as 30s, sizes in bytes.
type configJSON struct {
	Archive  string       `json:"archive"`
	Contact  string       `json:"contact"`
	Proxy    string       `json:"proxy"`
	Calendar string       `json:"calendar"`
	Schedule []string     `json:"schedule"`
	Mirrors  []mirrorJSON `json:"mirrors"`
	Limits   limitsJSON   `json:"limits"`
	Notify   notifyJSON   `json:"notify"`
	Serve    serveJSON    `json:"serve"`
}

type mirrorJSON struct {
	Name       string   `json:"name"`
	Site       string   `json:"site"`
	Share      string   `json:"share"`
	Text       string   `json:"text"`
	Categories []string `json:"categories"`
	Window     string   `json:"window"`
	Private    bool     `json:"private"`
}

type limitsJSON struct {
	Rate     float64 `json:"rate"`
	Burst    int     `json:"burst"`
	Parallel int     `json:"parallel"`
	Timeout  string  `json:"timeout"`
	MaxBody  int64   `json:"max_body"`
	Retries  int     `json:"retries"`
	Attempts int     `json:"attempts"`
	PutOff   string  `json:"put_off"`
	Lists    int     `json:"lists"`
	Robots   bool    `json:"robots"`
}

type serveJSON struct {
	Addr  string   `json:"addr"`
	Token string   `json:"token"`
	Basic string   `json:"basic"`
	Hosts []string `json:"hosts"`
}

// hidden is shown in place of a secret.
const hidden = "…"

// withoutSecrets returns a configuration as it may be shown.
func withoutSecrets(c config.Config) config.Config {
	for _, secret := range []*string{&c.Serve.Token, &c.Serve.Basic} {
		if *secret != "" {
			*secret = hidden
		}
	}
	return c
}

type notifyJSON struct {
	URL  string `json:"url"`
	When string `json:"when"`
}

func newConfigJSON(c config.Config) configJSON {
	l := c.Limits
	j := configJSON{
		Archive: c.Archive, Contact: c.Contact, Proxy: c.Proxy, Calendar: c.Calendar, Schedule: jsonform.List(c.Schedule), Mirrors: []mirrorJSON{},
		Limits: limitsJSON{
			Rate: l.Rate, Burst: l.Burst, Parallel: l.Parallel, Timeout: l.Timeout.String(),
			MaxBody: l.MaxBody, Retries: l.Retries, Attempts: l.Attempts, PutOff: l.PutOff.String(), Lists: l.Lists, Robots: l.Robots,
		},
		Notify: notifyJSON{URL: c.Notify.URL, When: c.Notify.When},
		Serve:  serveJSON{Addr: c.Serve.Addr, Token: c.Serve.Token, Basic: c.Serve.Basic, Hosts: jsonform.List(c.Serve.Hosts)},
	}
	for _, m := range c.Mirrors {
		j.Mirrors = append(j.Mirrors, mirrorJSON{
			Name: m.Name, Site: m.Site, Share: m.Share, Text: m.Text,
			Categories: jsonform.List(m.Categories), Window: m.Window.String(), Private: m.Private,
		})
	}
	return j
}

// configCheckJSON is what config check --json prints.
type configCheckJSON struct {
	Good     bool          `json:"good"`
	Problems []problemJSON `json:"problems"`
}

// problemJSON is one fault of a configuration: File and Line are lacking where
// it is that of an environment variable, which Key then names.
type problemJSON struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	Key  string `json:"key,omitempty"`
	What string `json:"what"`
}

func newConfigCheckJSON(err error) configCheckJSON {
	j := configCheckJSON{Good: err == nil, Problems: []problemJSON{}}
	var problems config.Problems
	errors.As(err, &problems)
	for _, p := range problems {
		j.Problems = append(j.Problems, problemJSON{File: p.File, Line: p.Line, Key: p.Key, What: p.What.Error()})
	}
	return j
}
