package web

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/finarc/finarc/metrics"
	"github.com/finarc/finarc/news"
)

// metricsPath is where Prometheus reads how the server, the archive and the last
// run are.
const metricsPath = "/metrics"

// noRoute is the route of what a guard answered.
const noRoute = "none"

// meters count what is asked and answered. Their labels are the routes of the
// server and the statuses that it answers with, so that nobody can make more.
type meters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	registry *prometheus.Registry
}

// newMeters returns meters, and beside them what Prometheus has of any process in Go,
// and how much of the heap was in use after the last collection of garbage.
func newMeters() *meters {
	liveHeap := regexp.MustCompile(`^/gc/heap/live:bytes$`)
	m := &meters{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "finarc_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "finarc_http_request_duration_seconds", Help: "How long answers took, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector(
		collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{Matcher: liveHeap}),
	))
	return m
}

// scrapeTime is for how long a look into the archive may take that Prometheus waits
// for.
const scrapeTime = 5 * time.Second

// metrics answers Prometheus.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	ctx, done := context.WithTimeout(r.Context(), scrapeTime)
	defer done()
	h, err := s.health(ctx)
	if err != nil {
		s.Log.Warn("metrics without the archive's", "err", err)
	}
	figures := prometheus.NewRegistry()
	if err := figures.Register(&figuresCollector{s, h}); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	run := metrics.Gather(func() (*news.Run, error) {
		if h == nil {
			return nil, nil
		}
		return h.Run, nil
	})
	w.Header().Set("Cache-Control", "no-store")
	promhttp.HandlerFor(prometheus.Gatherers{s.meters.registry, figures, run}, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	return nil
}

// measured counts what is asked and answered.
func (s *Server) measured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, route := s.Now(), noRoute
		answer := &measuredWriter{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), routeKey{}, &route)))
		s.meters.requests.WithLabelValues(route, strconv.Itoa(answer.status)).Inc()
		s.meters.seconds.WithLabelValues(route).Observe(s.Now().Sub(began).Seconds())
	})
}

// routeKey is the context's key of the name of the route that answers.
type routeKey struct{}

// nameRoute tells who measures a request which route answers it.
func nameRoute(r *http.Request, pattern string) {
	if route, ok := r.Context().Value(routeKey{}).(*string); ok {
		*route = pattern
	}
}

// measuredWriter remembers the status of an answer.
type measuredWriter struct {
	http.ResponseWriter
	status int
}

func (w *measuredWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w *measuredWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// figuresCollector tells of the archive, and of what is kept of it.
type figuresCollector struct {
	*Server
	health *health // nil: the archive cannot be read
}

// Describe tells of no metric beforehand: which there are depends on the archive.
func (*figuresCollector) Describe(chan<- *prometheus.Desc) {}

// Collect tells of each metric.
func (c *figuresCollector) Collect(to chan<- prometheus.Metric) {
	for _, f := range c.figures() {
		to <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}

// figure is a metric without labels.
type figure struct {
	kind       prometheus.ValueType
	name, help string
	value      float64
}

func (c *figuresCollector) figures() []figure {
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	list := []figure{
		{counter, "finarc_cache_hits_total", "Pages and parts of them that were given as they were kept.", float64(c.pages.hits.Load() + c.parts.hits.Load())},
		{counter, "finarc_cache_misses_total", "Pages and parts of them that were made.", float64(c.pages.misses.Load() + c.parts.misses.Load())},
		{gauge, "finarc_cache_bytes", "What the pages and parts of them take that are kept.", float64(c.pages.size() + c.parts.size())},
	}
	if c.health == nil {
		return append(list, figure{gauge, "finarc_archive_up", "1 if the archive can be read.", 0})
	}
	a := &c.health.Stats
	return append(list, []figure{
		{gauge, "finarc_archive_up", "1 if the archive can be read.", 1},
		{gauge, "finarc_archive_posts", "Posts held.", float64(a.Posts)},
		{gauge, "finarc_archive_revisions", "Revisions held.", float64(a.Revisions)},
		{gauge, "finarc_archive_frontier_posts", "Posts still to be fetched.", float64(a.Frontier)},
		{gauge, "finarc_archive_failed_posts", "Posts that could not be had.", float64(a.Failed)},
		{gauge, "finarc_archive_unread_pages", "Pages that could not be read, and are kept apart.", float64(a.Unread)},
		{gauge, "finarc_archive_leads", "Related posts that are not held.", float64(a.Leads)},
		{gauge, "finarc_archive_page_bytes", "The pages of all revisions, as served.", float64(a.RawBytes)},
		{gauge, "finarc_archive_file_bytes", "The archive's file.", float64(a.FileBytes)},
	}...)
}
