package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNoMirror is the fault of a configuration without any mirror.
var ErrNoMirror = errors.New("want at least one mirror")

// Problem is one fault of a configuration, told on one line.
type Problem struct {
	File string // the file's name; empty for an environment variable or a Config made in code
	Line int    // from 1; 0 where the fault is in no line
	Key  string // the key's path, as limits.rate; or the environment variable
	What error  // what is wrong with it
}

// Error returns the fault as crawler.yaml:7: limits.rate: want …
func (p Problem) Error() string {
	var b strings.Builder
	switch {
	case p.File != "" && p.Line > 0:
		fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
	case p.File != "":
		b.WriteString(p.File + ": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.What.Error())
	return b.String()
}

// Unwrap returns what is wrong.
func (p Problem) Unwrap() error { return p.What }

// Problems are all faults of a configuration, those of the file first, in the
// order of its lines.
type Problems []Problem

// Error returns the faults, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults one by one.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// err returns the problems in order, or nil where there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(b.File, a.File), cmp.Compare(a.Line, b.Line))
	})
	return ps
}
