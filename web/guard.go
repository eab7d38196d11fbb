package web

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// guarded returns a handler behind all that guards the server, the first of the
// list outermost.
func (s *Server) guarded(h http.Handler) http.Handler {
	for _, guard := range slices.Backward([]func(http.Handler) http.Handler{
		s.measured, withHeaders, s.survive, s.onlyReading, s.onlyKnownHosts, s.onlyAllowed, s.shortQueries, s.notTooMany, s.inTime,
	}) {
		h = guard(h)
	}
	return h
}

// policy is the Content-Security-Policy of all pages of the server's own: nothing
// but what comes from it, and no script or style within a page.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; " +
	"frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// withHeaders sets what browsers are to hold to.
func withHeaders(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, header := range [][2]string{
			{"Content-Security-Policy", policy},
			{"X-Content-Type-Options", "nosniff"},
			{"X-Frame-Options", "DENY"},
			{"Referrer-Policy", "no-referrer"},
			{"Cross-Origin-Opener-Policy", "same-origin"},
			{"Cross-Origin-Resource-Policy", "same-origin"},
			{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
			{"X-DNS-Prefetch-Control", "off"},
			{"X-Robots-Tag", "noindex"}, // what the archive holds stands elsewhere
		} {
			w.Header().Set(header[0], header[1])
		}
		h.ServeHTTP(w, r)
	})
}

// survive answers a request that a fault of the program ends, and records where it
// stands.
func (s *Server) survive(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if fault := recover(); fault != nil {
				s.Log.Error("a request ended in a panic", "path", r.URL.Path, "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
				s.tellPlainly(w, r, &failure{status: http.StatusInternalServerError, about: msgFault})
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// onlyReading lets through what only reads.
func (s *Server) onlyReading(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			s.tellPage(w, r, &failure{status: http.StatusMethodNotAllowed, about: msgMethod})
			return
		}
		h.ServeHTTP(w, r)
	})
}

// shortQueries lets through queries that people and programs may mean.
func (s *Server) shortQueries(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.RawQuery) > s.Limits.Query {
			s.tellPage(w, r, &failure{status: http.StatusRequestURITooLong, about: msgLongQuery})
			return
		}
		if strings.ContainsRune(r.URL.Path, 0) {
			s.tellPage(w, r, &failure{status: http.StatusBadRequest, about: msgBadRequest})
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Who finds all places taken stands in a line, of so many for each place, for at most
// so long: where a slow disk holds up a commit, readers of a second come together.
const (
	inLine   = 8
	lineTime = 2 * time.Second
)

// notTooMany bounds how many answers are made at a time.
func (s *Server) notTooMany(h http.Handler) http.Handler {
	places := make(chan struct{}, s.Limits.AtOnce)
	line := make(chan struct{}, inLine*s.Limits.AtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !standIn(r.Context(), line, places) {
			s.tellPlainly(w, r, &failure{status: http.StatusServiceUnavailable, about: msgMany, retry: 1})
			return
		}
		defer func() { <-places }()
		h.ServeHTTP(w, r)
	})
}

// standIn takes a place, after standing in line for one if it must, and reports
// whether it has got it.
func standIn(ctx context.Context, line, places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	default:
	}
	select {
	case line <- struct{}{}:
		defer func() { <-line }()
	default:
		return false
	}
	ctx, done := context.WithTimeout(ctx, lineTime)
	defer done()
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// inTime bounds how long an answer may take.
func (s *Server) inTime(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, done := context.WithTimeout(r.Context(), s.Limits.Time)
		defer done()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}
