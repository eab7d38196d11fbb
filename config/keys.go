package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/schedule"
)

// A key is one key of a T, which is the whole configuration or one mirror. The
// tables below are all that is told of the keys: decoding, environment,
// validation, show and init are driven by them.
type key[T any] struct {
	path     string // as a person writes it: limits.rate
	doc      string // one line, for the comment above it
	want     string // what its value must be
	list     bool   // a list of texts; else one scalar
	single   bool   // a list of one may be written as a scalar
	between  string // what stands between the texts of a list in its variable
	fallback []string
	// set puts values in place, and reports whether they are what is wanted. A
	// key that is no list has exactly one value.
	set func(t *T, values []string) bool
	get func(t *T) []string // the inverse of set
	// why says which of the values is not what is wanted, by its index, and why;
	// nil: what is wanted says all.
	why func(values []string) (int, error)
}

// refusal returns the error of values that set refuses, and the index of the
// value that is to blame.
func (k key[T]) refusal(values []string) (int, error) {
	if k.why == nil {
		return 0, unwanted(k.want, values)
	}
	at, err := k.why(values)
	return at, fmt.Errorf("want %s: %w", k.want, err)
}

// A kind is a way of writing values of type V.
type kind[V any] struct {
	want   string
	parse  func(string) (V, bool)
	format func(V) string
}

// scalar returns the key of a single value, which lies in T where at points.
func scalar[T, V any](path, fallback, doc string, of kind[V], at func(*T) *V) key[T] {
	return key[T]{
		path: path, doc: doc, want: of.want, fallback: []string{fallback},
		set: func(t *T, values []string) bool {
			v, ok := of.parse(values[0])
			if ok {
				*at(t) = v
			}
			return ok
		},
		get: func(t *T) []string { return []string{of.format(*at(t))} },
	}
}

// settings returns the keys of a configuration, but for its mirrors, in the
// order in which they are written.
func settings() []key[Config] {
	return []key[Config]{
		scalar("archive", "finarc.db", "The archive: one file, made where there is none.",
			text("the name of a file", isFileName), func(c *Config) *string { return &c.Archive }),
		scalar("contact", "", "Your mail or web address. It goes into the User-Agent, so that a mirror's keeper knows whom to ask.",
			text("a mail or web address in ASCII, without brackets", isContact), func(c *Config) *string { return &c.Contact }),
		scalar("proxy", "", "A proxy for all requests: http, https or socks5. None named: what the environment says (HTTPS_PROXY).",
			text("an http, https or socks5 address, or nothing", isProxy), func(c *Config) *string { return &c.Proxy }),
		scalar("calendar", "", "A file of years in which the exchanges are closed on other days than those that finarc knows. None named: as it knows them.",
			text("the name of a file, or nothing", isLine), func(c *Config) *string { return &c.Calendar }),
		schedules(),
		scalar("limits.rate", "2", "Requests a second; 0: no limit (for one's own servers).",
			rate(), func(c *Config) *float64 { return &c.Limits.Rate }),
		scalar("limits.burst", "2", "Requests that may follow one another at once after a pause.",
			whole(0), func(c *Config) *int { return &c.Limits.Burst }),
		scalar("limits.parallel", "4", "Requests in flight.",
			whole(1), func(c *Config) *int { return &c.Limits.Parallel }),
		scalar("limits.timeout", "30s", "The longest time for one request, its body included.",
			duration(), func(c *Config) *time.Duration { return &c.Limits.Timeout }),
		scalar("limits.max_body", "8MiB", "The largest body that is taken, after decoding.",
			size(), func(c *Config) *int64 { return &c.Limits.MaxBody }),
		scalar("limits.retries", "4", "Further attempts after a failure that may pass.",
			whole(0), func(c *Config) *int { return &c.Limits.Retries }),
		scalar("limits.attempts", "8", "Runs in which a post that cannot be had is tried, ever further apart, before it is given up.",
			whole(1), func(c *Config) *int { return &c.Limits.Attempts }),
		scalar("limits.put_off", "5m0s", "How long such a post is left alone after the first of them; twice as long after each further one.",
			duration(), func(c *Config) *time.Duration { return &c.Limits.PutOff }),
		scalar("limits.lists", "150", "Category pages of a mirror that a run asks for, where it has more: those on which a new post is likeliest; 0: all.",
			whole(0), func(c *Config) *int { return &c.Limits.Lists }),
		scalar("limits.robots", "true", "Whether robots.txt is obeyed (RFC 9309).",
			truth(), func(c *Config) *bool { return &c.Limits.Robots }),
		scalar("notify.url", "", "Where a run's report is posted to, as JSON; none named: nowhere.",
			text("an absolute http or https address, or nothing", isHook), func(c *Config) *string { return &c.Notify.URL }),
		scalar("notify.when", NotifyFailure, "When: failure (some pages failed for good, or all of it did) or always.",
			text("failure or always", isNotifyTime), func(c *Config) *string { return &c.Notify.When }),
		scalar("serve.addr", "127.0.0.1:8080", "Where finarc serve listens. Other addresses than this machine's own want a token or a password.",
			text("host:port", isListenAddress), func(c *Config) *string { return &c.Serve.Addr }),
		secret("serve.token", "What readers must send as a bearer token; better in FINARC_SERVE_TOKEN than here. None named: nothing.",
			"16 characters or more: letters, digits and -._~+/=", isToken, func(c *Config) *string { return &c.Serve.Token }),
		secret("serve.basic", "The user and password that readers must give, as user:password; better in FINARC_SERVE_BASIC than here. None named: none.",
			"user:password, with a password of 8 characters or more", isBasic, func(c *Config) *string { return &c.Serve.Basic }),
		hosts(),
	}
}

// secret returns the key of a text that nobody is shown, also where it is wrong.
func secret(path, doc, want string, ok func(string) bool, at func(*Config) *string) key[Config] {
	k := scalar(path, "", doc, text(want, func(s string) bool { return s == "" || ok(s) }), at)
	k.why = func([]string) (int, error) { return 0, errors.New("what is set is not") }
	return k
}

// hosts returns the key of the server's names.
func hosts() key[Config] {
	return key[Config]{
		path: "serve.hosts", list: true, single: true, between: ",",
		doc:  "Names under which pages may be asked for without token and password, as those that a proxy on this machine passes on.",
		want: "names of hosts, without ports",
		set: func(c *Config, values []string) bool {
			if !areHosts(values) {
				return false
			}
			c.Serve.Hosts = append([]string(nil), values...)
			return true
		},
		get: func(c *Config) []string { return c.Serve.Hosts },
	}
}

// mirrorSettings returns the keys of one mirror.
func mirrorSettings() []key[Mirror] {
	address := text("an address with "+InfoCodeMark+" in it", isShareAddress)
	return []key[Mirror]{
		scalar("name", "", "Names the mirror in the archive: keep it once posts are archived under it.",
			text("a short name without spaces or commas", isName), func(m *Mirror) *string { return &m.Name }),
		scalar("site", "", "The address of its home page.",
			text("an absolute http or https address without query", isSite), func(m *Mirror) *string { return &m.Site }),
		scalar("share", "", "A post's shared page: what the site no longer shows may still be there.",
			address, func(m *Mirror) *string { return &m.Share }),
		scalar("text", "", "The JSON from which the shared page gets its text.",
			address, func(m *Mirror) *string { return &m.Text }),
		categories(),
		scalar("window", DefaultWindow.String(), "For how long the site shows a post: each category page is asked for at least six times meanwhile.",
			duration(), func(m *Mirror) *time.Duration { return &m.Window }),
		scalar("private", "false", "Whether its hosts may stand on loopback, private or link-local addresses.",
			truth(), func(m *Mirror) *bool { return &m.Private }),
	}
}

// schedules returns the key of the schedule.
func schedules() key[Config] {
	return key[Config]{
		path: "schedule", list: true, single: true, between: ";",
		doc:  "When finarc watch crawls: cron expressions in Shanghai time, or @every 10m. None named: every five minutes.",
		want: "cron expressions, or nothing",
		set: func(c *Config, values []string) bool {
			if _, err := schedule.Parse(values...); err != nil {
				return false
			}
			c.Schedule = append([]string(nil), values...)
			return true
		},
		get: func(c *Config) []string { return c.Schedule },
		why: func(values []string) (int, error) {
			_, err := schedule.Parse(values...)
			at := 0
			if wrong := new(schedule.Error); errors.As(err, &wrong) {
				at = wrong.Index
			}
			return at, err
		},
	}
}

// categories returns the key of a mirror's categories.
func categories() key[Mirror] {
	return key[Mirror]{
		path: "categories", list: true, between: ",",
		doc:  "Category pages to read; none named: every category that the site links.",
		want: "a list of different category names, without commas or slashes",
		set: func(m *Mirror, values []string) bool {
			if !areCategories(values) {
				return false
			}
			m.Categories = append([]string(nil), values...)
			return true
		},
		get: func(m *Mirror) []string { return m.Categories },
	}
}

// Sections of the file, with the comments above them.
const (
	mirrorsKey = "mirrors"
	mirrorsDoc = "The mirrors that are crawled."
	limitsKey  = "limits"
	limitsDoc  = "What one host is asked to bear. Each host has its own share of all of it."
	notifyKey  = "notify"
	notifyDoc  = "Whom to tell of a run."
	serveKey   = "serve"
	serveDoc   = "The web pages."
)

// section returns the section of a path and the key in it: "limits", "rate".
func section(path string) (name, rest string) {
	if name, rest, ok := strings.Cut(path, "."); ok {
		return name, rest
	}
	return "", path
}

// mirrorPath returns the path of the mirror with the given index, from 0.
func mirrorPath(i int) string { return mirrorsKey + "[" + strconv.Itoa(i) + "]" }
