package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/finarc/finarc/news"
)

// healthPath is where those who watch over the server ask whether it is well. It
// answers everybody, since these have no secrets, and so tells no more than what is
// wrong.
const healthPath = "/healthz"

func (s *Server) healthRoutes() []route {
	return []route{
		{pattern: healthPath, answer: s.healthz},
		{pattern: metricsPath, answer: s.metrics},
	}
}

// Bounds of what counts as well.
const (
	healthTime = 3 * time.Second  // for a look into the archive
	lateBy     = 10 * time.Minute // after which a crawl that was due is missed
	longestRun = 24 * time.Hour   // after which one that has not ended is taken for killed
)

// healthReport is whether the server is well.
type healthReport struct {
	Status   string   `json:"status"` // ok, or failing
	Problems []string `json:"problems"`
}

// healthz answers whether the server is well: with 200, or with 503 and what is
// wrong.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) error {
	report, status := healthReport{"ok", []string{}}, http.StatusOK
	if wrong := s.wrong(r.Context()); wrong != "" {
		report, status = healthReport{"failing", []string{wrong}}, http.StatusServiceUnavailable
	}
	body, err := encodeJSON(report)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaJSON)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	return ignoreGone(w.Write(body))
}

// wrong returns what is wrong; "" where all is well.
func (s *Server) wrong(ctx context.Context) string {
	ctx, done := context.WithTimeout(ctx, healthTime)
	defer done()
	runs, err := s.Store.RunsUpTo(ctx, math.MaxUint64, 1)
	if err != nil {
		f := failureOf(err)
		s.Log.Warn("the archive cannot be read", "err", err)
		return "the archive cannot be read: " + english.say(f.about)
	}
	if s.Due == nil {
		return ""
	}
	var last *news.Run
	if len(runs) > 0 {
		last = &runs[0]
	}
	if err := s.missed(last); err != nil {
		return err.Error()
	}
	return ""
}

// missed tells that the crawls which are scheduled do not come. One that is under
// way is none that is missed.
func (s *Server) missed(last *news.Run) error {
	now, since := s.Now(), s.began
	if last != nil {
		if last.Ended.IsZero() && now.Sub(last.Started) < longestRun {
			return nil
		}
		since = later(since, cmp.Or(last.Ended, last.Started))
	}
	due := s.Due(since)
	if due.IsZero() || now.Before(due.Add(lateBy)) {
		return nil
	}
	return fmt.Errorf("a crawl was due at %s, and none has come", due.In(news.Shanghai).Format(time.RFC3339))
}

// later returns the later of two moments.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
