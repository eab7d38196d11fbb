package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
)

// Errors that only say how the program ends: what they stand for was told
// already.
var (
	errPagesFailed = errors.New("some pages failed for good")
	errInterrupted = errors.New("interrupted; what was done is kept")
)

// usageError is a command line that cannot be meant so.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exits is the one table of exit codes; the first line that matches counts.
var exits = []struct {
	is   func(error) bool
	code int
	hint string
}{
	{isNil, 0, ""},
	{is(errInterrupted), 130, ""},
	{is(context.Canceled), 130, ""},
	{is(syscall.EPIPE), 0, ""}, // whoever read the output has had enough
	{is(errPagesFailed), 3, ""},
	{as[usageError], 2, "see finarc --help"},
	{as[config.Problems], 2, "finarc config init prints a working configuration"},
	{is(archive.ErrBusy), 4, ""},
	{is(archive.ErrMissing), 1, "finarc crawl makes an archive; --archive FILE names another"},
	{is(archive.ErrNotArchive), 1, "--archive FILE names another; the file was left as it is"},
	{func(error) bool { return true }, 1, ""},
}

func isNil(err error) bool { return err == nil }

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// exit tells an error to the person and returns the program's exit code.
func exit(err error, stderr io.Writer) int {
	for _, e := range exits {
		if !e.is(err) {
			continue
		}
		if e.code != 0 {
			tell(stderr, err, e.hint)
		}
		return e.code
	}
	return 1
}

func tell(stderr io.Writer, err error, hint string) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "finarc: %s\n", strings.TrimSuffix(line, "\n"))
	}
	if hint != "" {
		fmt.Fprintf(stderr, "        %s\n", hint)
	}
}

// exists reports whether there is a file at path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
