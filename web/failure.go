package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/finarc/finarc/archive"
)

// failure is why a request is not answered, as people are told it.
type failure struct {
	status  int
	about   message
	details string // what was wrong, in the words of who found it; may be empty
	retry   int    // seconds after which to ask again; 0: not told
	cause   error
	verbose bool // the cause's words help who asked
}

func (f *failure) Error() string {
	switch {
	case f.cause != nil:
		return f.cause.Error()
	case f.details != "":
		return f.details
	}
	return http.StatusText(f.status)
}

func (f *failure) Unwrap() error { return f.cause }

// bad returns the failure of a request that cannot be meant so.
func bad(err error) error {
	return &failure{status: http.StatusBadRequest, about: msgBadRequest, details: err.Error(), cause: err}
}

// missing returns the failure of what the archive does not hold.
func missing(about message, err error) error {
	return &failure{status: http.StatusNotFound, about: about, cause: err}
}

// failures is the one table of what errors come to.
var failures = []struct {
	is error
	failure
}{
	{ErrQuery, failure{status: http.StatusBadRequest, about: msgBadQuery, verbose: true}},
	{ErrNoIndex, failure{status: http.StatusServiceUnavailable, about: msgNoIndex}},
	{archive.ErrNoPost, failure{status: http.StatusNotFound, about: msgNoPost}},
	{archive.ErrLost, failure{status: http.StatusGone, about: msgLost}},
	{archive.ErrBusy, failure{status: http.StatusServiceUnavailable, about: msgBusy, retry: 1}},
	{archive.ErrMissing, failure{status: http.StatusServiceUnavailable, about: msgNoArchive, retry: 60}},
	{context.DeadlineExceeded, failure{status: http.StatusServiceUnavailable, about: msgSlow, retry: 5}},
	{context.Canceled, failure{status: http.StatusServiceUnavailable, about: msgSlow, retry: 5}},
}

// failureOf returns what people are told of an error.
func failureOf(err error) *failure {
	if f := new(failure); errors.As(err, &f) {
		return f
	}
	for _, known := range failures {
		if errors.Is(err, known.is) {
			f := known.failure
			f.cause = err
			if f.verbose {
				f.details = err.Error()
			}
			return &f
		}
	}
	return &failure{status: http.StatusInternalServerError, about: msgFault, cause: err}
}

// logFailure records what went wrong here, and not what was asked wrongly.
func (s *Server) logFailure(r *http.Request, f *failure, err error) {
	level := slog.LevelDebug
	if f.status >= http.StatusInternalServerError && r.Context().Err() == nil {
		level = slog.LevelError
	}
	s.Log.Log(r.Context(), level, "request not answered", "path", r.URL.Path, "status", f.status, "err", err)
}

// head writes what all answers to failures begin with.
func (f *failure) head(w http.ResponseWriter) {
	if f.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.retry))
	}
	w.Header().Set("Cache-Control", "no-store")
}
