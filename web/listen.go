package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Bounds on connections. Who sends or reads more slowly is dropped.
const (
	headerTime  = 5 * time.Second
	readTime    = 10 * time.Second
	idleTime    = time.Minute
	maxHeader   = 16 << 10 // bytes
	sendingTime = 30 * time.Second
	stopTime    = 5 * time.Second // that answers under way have when the server stops
)

// Serve answers at a listener, which it closes, until ctx ends; then answers under
// way have a moment to be finished.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: s.Limits.Time + sendingTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		s.warm(ctx)
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return stop(ctx, server)
	})
	return g.Wait()
}

// warmDays is how many days are summed up before anybody asks.
const warmDays = 2 * risingDays

// warm makes what the first readers would wait for. What cannot be made now they
// are told of themselves.
func (s *Server) warm(ctx context.Context) {
	_, err := s.directory(ctx)
	newest, dayErr := s.newestDay(ctx)
	err = errors.Join(err, dayErr)
	for d := newest; err == nil && d.Valid() && d > newest.Add(-warmDays); d = d.Add(-1) {
		_, err = s.summary(ctx, d)
	}
	if err != nil {
		s.Log.Debug("nothing was made ready", "err", err)
	}
}

// stop lets the answers under way be finished, and closes all connections.
func stop(ctx context.Context, server *http.Server) error {
	within, done := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer done()
	err := server.Shutdown(within)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}
