package config

import (
	"errors"
	"fmt"
	"strings"
)

// Validate reports all faults of c together, as [Problems]: what no key may
// hold, and what cannot be combined. A configuration from [Parse] has none;
// one from [Load] without a file may have [ErrNoMirror].
func (c Config) Validate() error { return c.problems().err() }

func (c Config) problems() Problems {
	ps := faults(settings(), &c, "")
	if c.Limits.Rate > 0 && c.Limits.Burst == 0 {
		ps = append(ps, Problem{Key: "limits.burst", What: errors.New("want 1 or more while limits.rate is above 0, not 0")})
	}
	return append(ps, c.mirrorProblems()...)
}

func (c Config) mirrorProblems() (ps Problems) {
	if len(c.Mirrors) == 0 {
		return Problems{{Key: mirrorsKey, What: ErrNoMirror}}
	}
	named := map[string]int{}
	for i := range c.Mirrors {
		m, path := &c.Mirrors[i], mirrorPath(i)
		ps = append(ps, faults(mirrorSettings(), m, path+".")...)
		if first, taken := named[m.Name]; taken && m.Name != "" {
			ps = append(ps, Problem{Key: path + ".name", What: fmt.Errorf("%q is %s already", m.Name, mirrorPath(first))})
		} else {
			named[m.Name] = i
		}
	}
	return ps
}

// faults holds the values of t against the keys' own readers: what they would
// not read, t may not hold.
func faults[T any](keys []key[T], t *T, prefix string) (ps Problems) {
	for _, k := range keys {
		scratch := *t
		if values := k.get(t); !k.set(&scratch, values) {
			_, err := k.refusal(values)
			ps = append(ps, Problem{Key: prefix + k.path, What: err})
		}
	}
	return ps
}

// unwanted returns the error of values that are not what is wanted.
func unwanted(want string, values []string) error {
	if len(values) == 1 {
		return fmt.Errorf("want %s, not %q", want, withoutUser(values[0]))
	}
	return fmt.Errorf("want %s, not %q", want, values)
}

// withoutUser returns what is meant as an address without the user and password in
// it: up to the last @, since it may lack its scheme, or have a slash in the
// password that is written as such.
func withoutUser(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || !strings.Contains(address[:at], ":") {
		return address
	}
	scheme, _, ok := strings.Cut(address, "://")
	if !ok {
		return "…" + address[at:]
	}
	return scheme + "://…" + address[at:]
}
