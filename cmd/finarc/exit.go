package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/durable"
)

// Errors that say how the program ends after all was told.
var (
	errPagesFailed = errors.New("some pages failed for good")
	errDrift       = errors.New("the mirror's layout may have changed")
	errGap         = errors.New("posts may have come and gone unseen")
	errShortfall   = errors.New("far fewer posts than usual, and no cause is known")
	errRefused     = errors.New("some files were refused")
	errRecords     = errors.New("some records were refused, or damaged")
	errMetrics     = errors.New("metrics were not written")
	errInterrupted = errors.New("interrupted; what was done is kept")
)

// damaged is an archive in which something is wrong: all of it was told.
type damaged struct {
	path  string
	what  string // how much is wrong
	pages bool   // the file's pages are damaged, so that it cannot be repaired
}

func (e *damaged) Error() string { return fmt.Sprintf("%s is damaged: %s", e.path, e.what) }

// usageError is a command line that cannot be meant so.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// ending is how the program ends with an error.
type ending struct {
	is   func(error) bool
	code int
	hint string // where there is %s in it, that is the command
	says string // in place of the error's own words
}

// endings is the one table of exit codes; the first line that matches counts.
var endings = []ending{
	{is: isNil},
	// Before EPIPE, which a mirror can cause as well as a reader of the output.
	{is: is(crawler.ErrUnreachable), code: 1, hint: "what was archived before is untouched; the next crawl tries again"},
	{is: is(syscall.EPIPE)}, // whoever read the output has had enough
	{is: is(errInterrupted), code: 130},
	{is: is(context.Canceled), code: 130, says: "interrupted"},
	{is: is(errMetrics), code: 1},
	{is: is(errDrift), code: 3, hint: "the pages are kept as they were sent; finarc reread reads them again once finarc knows the new layout"},
	{is: is(errGap), code: 3, hint: "a mirror must be asked more often than it forgets; what its share pages still have can be had by infoCode"},
	{is: is(errShortfall), code: 3, hint: "look at the mirror; finarc coverage tells what is usual"},
	{is: is(errPagesFailed), code: 3},
	{is: is(errRefused), code: 3},
	{is: is(errRecords), code: 3},
	{is: as[unsaved], code: 3},
	{is: as[outputError], code: 1}, // whatever its cause, it is none of the archive's
	{is: as[usageError], code: 2, hint: "see %s --help"},
	{is: is(config.ErrNoMirror), code: 2, hint: "finarc config init > " + defaultConfig + " makes a working configuration; -c FILE names another"},
	{is: as[config.Problems], code: 2, hint: "finarc config init prints a working configuration"},
	{is: is(syscall.ENOSPC), code: 1, hint: "what was archived before is kept; make room and run it again"},
	{is: is(syscall.EFBIG), code: 1, hint: "what was archived before is kept; a limit on the size of files (ulimit -f), or the file system's, stopped it"},
	{is: as[*archive.LockedError], code: 4, hint: "--wait TIME waits that long for it"},
	{is: is(archive.ErrBusy), code: 4, hint: "--wait TIME waits longer"},
	{is: is(durable.ErrExists), code: 1, hint: "what is there is not replaced; name another folder or file, or move that one away"},
	{is: is(durable.ErrNotFile), code: 1, hint: "only a file is replaced; name another"},
	{is: is(archive.ErrMissing), code: 1, hint: "finarc crawl makes an archive; --archive FILE names another"},
	{is: is(archive.ErrNotArchive), code: 1, hint: "--archive FILE names another; this one was left as it is"},
	{is: unrepairable, code: 1, hint: "finarc salvage --out NEW saves what can be read into a new archive"},
	{is: as[*damaged], code: 1, hint: "finarc verify --repair sets aside what is broken and makes the rest whole; keep a copy of the file"},
	{is: is(archive.ErrCorrupt), code: 1, hint: "finarc verify tells what is damaged, and what can be done"},
	{is: is(archive.ErrNoPost), code: 1, hint: "finarc list shows what the archive holds"},
	{is: func(error) bool { return true }, code: 1},
}

// unrepairable reports whether an error is of an archive whose pages are
// damaged.
func unrepairable(err error) bool {
	d := new(damaged)
	return errors.Is(err, archive.ErrSalvage) || errors.As(err, &d) && d.pages
}

func isNil(err error) bool { return err == nil }

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// endingOf returns the ending of a program that an error ends.
func endingOf(err error) *ending {
	for i := range endings {
		if endings[i].is(err) {
			return &endings[i]
		}
	}
	return &ending{code: 1} // not reached: the last line matches everything
}

// exitCode returns the exit code of a program that an error ends.
func exitCode(err error) int { return endingOf(err).code }

// exit tells the error that a command ended with, and returns the program's
// exit code.
func exit(err error, command string, stderr io.Writer) int {
	e := endingOf(err)
	if e.code != 0 {
		e.tell(stderr, err, command)
	}
	return e.code
}

// tell writes the error, a line for each fault, and the hint below.
func (e *ending) tell(stderr io.Writer, err error, command string) {
	says := e.says
	if says == "" {
		says = err.Error()
	}
	who := "finarc"
	if as[usageError](err) {
		who = command
	}
	for line := range strings.Lines(says) {
		fmt.Fprintf(stderr, "%s: %s\n", who, printable(strings.TrimSuffix(line, "\n")))
	}
	if e.hint != "" {
		fmt.Fprintf(stderr, "        %s\n", strings.ReplaceAll(e.hint, "%s", command))
	}
}
