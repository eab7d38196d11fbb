package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// prefix begins the names of the environment variables that are ours.
const prefix = "FINARC_"

// variable returns the environment variable that overrides the key at path.
func variable(path string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// environment lets environ override c.
func (d *decoder) environment(c *Config, environ []string) {
	values := ours(environ)
	known := map[string]bool{}
	for _, k := range settings() {
		known[variable(k.path)] = true
		override(d, k, c, variable(k.path), k.path, values)
	}
	d.mirrorEnvironment(c, values, known)
	d.strangers(environ, known)
}

// ours returns the variables of environ that are ours and say something.
func ours(environ []string) map[string]string {
	values := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, prefix) && value != "" {
			values[name] = value
		}
	}
	return values
}

// mirrorEnvironment lets the variables of a mirror override the only one, or
// make it.
func (d *decoder) mirrorEnvironment(c *Config, values map[string]string, known map[string]bool) {
	m := newMirror()
	if len(c.Mirrors) == 1 {
		m = c.Mirrors[0]
	}
	set := false
	for _, k := range mirrorSettings() {
		name := variable("mirror." + k.path)
		known[name] = true
		if values[name] == "" {
			continue
		}
		if len(c.Mirrors) > 1 {
			d.variableFault(name, fmt.Errorf("which of the %d mirrors? It can only override a single one", len(c.Mirrors)))
			continue
		}
		override(d, k, &m, name, mirrorPath(0)+"."+k.path, values)
		set = true
	}
	if set {
		m.Name = orHost(m.Name, m.Site)
		c.Mirrors = []Mirror{m}
	}
}

// orHost returns name, or the site's host where there is none.
func orHost(name, site string) string {
	if u, err := url.Parse(site); err == nil && name == "" {
		return u.Hostname()
	}
	return name
}

// override reads the variable called name, if it is set, into t.
func override[T any](d *decoder, k key[T], t *T, name, path string, values map[string]string) {
	value, ok := values[name]
	if !ok {
		return
	}
	d.variables[path] = name
	list := []string{value}
	if k.list {
		list = splitList(value, k.between)
	}
	if !k.set(t, list) {
		d.faulty[path] = true
		if k.why == nil {
			list = []string{value} // as it is written
		}
		_, err := k.refusal(list)
		d.variableFault(name, err)
	}
}

func splitList(s, between string) []string {
	parts := strings.Split(s, between)
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func (d *decoder) variableFault(name string, what error) {
	d.problems = append(d.problems, Problem{Key: name, What: what})
}

// strangers refuses variables that are ours by their name, but no key's, and
// look like one: else a slip of the pen would go unseen. What does not look
// like a key may belong to something else.
func (d *decoder) strangers(environ []string, known map[string]bool) {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if known[name] || value == "" || !strings.HasPrefix(name, prefix) {
			continue
		}
		if near := nearest(name, known); near != "" {
			d.variableFault(name, fmt.Errorf("unknown variable: did you mean %s?", near))
		} else if strings.HasPrefix(name, variable("limits.")) || strings.HasPrefix(name, variable("mirror.")) {
			d.variableFault(name, errors.New("unknown variable"))
		}
	}
}
