// Package config reads crawler.yaml: where the archive lies, which mirrors are
// crawled, and how gently. What it reads is checked key by key and then as a
// whole, before anything is touched, and every fault names its file, line and
// key, or its environment variable.
//
// # Environment
//
// Every key can be overridden by a variable: its path in upper case, with
// underscores for the dots, after FINARC_. So FINARC_LIMITS_RATE=0.5 overrides
// limits.rate, and FINARC_ARCHIVE overrides archive. FINARC_SCHEDULE has its
// expressions between semicolons.
//
// The variables of a mirror are FINARC_MIRROR_NAME, FINARC_MIRROR_SITE,
// FINARC_MIRROR_SHARE, FINARC_MIRROR_TEXT, FINARC_MIRROR_CATEGORIES (names
// between commas), FINARC_MIRROR_WINDOW and FINARC_MIRROR_PRIVATE. They override the one mirror of the file; where the file
// has none, they make one, named after its site's host unless told otherwise;
// where it has several, they are refused, as they could mean any of them.
//
// A variable that is empty counts as not set, so that a container may pass on
// what it does not have. One that looks like a misspelled key is refused.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Config is a whole configuration.
type Config struct {
	Archive string // the archive's file
	// Contact is a mail or web address that goes into the User-Agent, so that
	// a mirror's keeper knows whom to ask. It may be empty.
	Contact string
	// Proxy is the address of an HTTP, HTTPS or SOCKS5 proxy that all requests go
	// through; empty: the one that the environment names (HTTPS_PROXY and its
	// kin), if it does.
	Proxy string
	// Calendar is a file that adds years to the calendar of the exchanges, or
	// replaces some; empty: it is as it comes with the program.
	Calendar string
	// Schedule are the expressions of when crawls are due, as package schedule
	// reads them; none: the command's own choice.
	Schedule []string
	Mirrors  []Mirror // at least one where something is to be crawled
	Limits   Limits
	Notify   Notify
	Serve    Serve
}

// Serve says where the web pages are served, and to whom.
type Serve struct {
	Addr  string // host:port to listen on
	Token string // that a reader must send as a bearer token; empty: none
	Basic string // user:password that a reader must send; empty: none
	// Hosts are the names under which pages may be asked for, beside this
	// machine's own, where neither is set.
	Hosts []string
}

// Notify says whom to tell of a run.
type Notify struct {
	URL  string // that a run's report is posted to, as JSON; empty: nobody
	When string // NotifyFailure or NotifyAlways
}

// When to tell of a run.
const (
	NotifyFailure = "failure" // it failed, or some of its pages did for good
	NotifyAlways  = "always"
)

// Mirror is one mirror and where its pages are.
type Mirror struct {
	Name string // names it in the archive; no two mirrors share one
	Site string // the address of its home page
	// Share and Text are the addresses of a post's NewsShare page and of the
	// JSON behind it, with {infoCode} in the infoCode's place. Either may be
	// empty: the mirror has none.
	Share, Text string
	// Categories are the names of the category pages to read; none named means
	// every category that the site links.
	Categories []string
	// Window is for how long the site shows a post, above 0.
	Window time.Duration
	// Private allows its hosts to stand on loopback, private and link-local
	// addresses. Hosts that are written as such an address may without.
	Private bool
}

// Limits bound what a mirror's host is asked to bear. They hold for each host
// apart.
type Limits struct {
	Rate     float64       // requests a second; 0: no limit
	Burst    int           // requests that may follow one another at once; at least 1 under a rate
	Parallel int           // requests in flight, at least 1
	Timeout  time.Duration // for one request as a whole, above 0
	MaxBody  int64         // bytes of one body after decoding, at least 1 KiB
	Retries  int           // further attempts after a passing failure
	Attempts int           // runs in which a post is tried before it is given up, at least 1
	PutOff   time.Duration // how long a post is left alone after the first of them, above 0; it doubles
	Robots   bool          // whether robots.txt is obeyed (RFC 9309)
	// Lists is how many category pages of a mirror a run asks for; 0: all. New
	// ones, and those that were left alone for too long, are asked for beyond it.
	Lists int
}

// DefaultWindow is for how long the real mirror shows a post.
const DefaultWindow = 72 * time.Hour

// InfoCodeMark is what stands for the infoCode in [Mirror.Share] and
// [Mirror.Text].
const InfoCodeMark = "{infoCode}"

// maxFile bounds a configuration file, in bytes: beyond it the path is surely
// not a configuration's.
const maxFile = 1 << 20

// newMirror returns a mirror of which nothing is told.
func newMirror() Mirror { return Mirror{Window: DefaultWindow} }

// Default returns the configuration of one who says nothing. It has no mirror,
// so it does not validate as it stands.
func Default() Config {
	var c Config
	for _, k := range settings() {
		k.set(&c, k.fallback)
	}
	return c
}

// Load reads the configuration file at path and lets environ, in the form of
// [os.Environ], override it. Without a path there are only the defaults and
// the environment, and having no mirror is then no fault: reading an archive
// needs none.
func Load(path string, environ []string) (Config, error) {
	if path == "" {
		return withoutFile(environ)
	}
	data, err := readFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, data, environ)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %s: not a configuration", path, formatSize(maxFile))
	}
	return data, nil
}

// Parse reads data, the text of the configuration file called name, and lets
// environ override it. All faults are reported together, as [Problems].
func Parse(name string, data []byte, environ []string) (Config, error) {
	d := newDecoder(name)
	c := Default()
	d.document(&c, data)
	return d.finish(c, environ, nil)
}

func withoutFile(environ []string) (Config, error) {
	return newDecoder("").finish(Default(), environ, ErrNoMirror)
}

// finish applies the environment to c and checks the whole, but for the one
// fault that is allowed.
func (d *decoder) finish(c Config, environ []string, allowed error) (Config, error) {
	d.environment(&c, environ)
	if !d.unreadable {
		for _, p := range c.problems() {
			if allowed == nil || !errors.Is(p, allowed) {
				d.whole(p)
			}
		}
	}
	if err := d.problems.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}
