// Package metrics writes the report of a run as Prometheus metrics, in the text
// exposition format 0.0.4, as the textfile collector of node_exporter reads it:
//
//	https://prometheus.io/docs/instrumenting/exposition_formats/
//
// Every metric is a gauge: it tells of one run, and the next run's takes its
// place. Names follow https://prometheus.io/docs/practices/naming/: base units,
// and _ratio for shares from 0 to 1. All have the label mirrors, the names of
// the run's mirrors with commas between them, so that the files of several crawls
// can lie in one folder.
//
// No label grows with the archive: what comes from pages or servers is cut to the
// 50 greatest values, and the rest is summed up under "other". Days are only
// counted, since each would be a new series for ever.
package metrics

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Write writes the metrics of a run to w.
func Write(w io.Writer, r *news.Run) error {
	text, err := encode(r)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

func encode(r *news.Run) ([]byte, error) {
	var b bytes.Buffer
	for _, f := range protos(r) {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			return nil, fmt.Errorf("metric %s: %w", f.GetName(), err)
		}
	}
	return b.Bytes(), nil
}

// Gather returns what gathers the same metrics for a server that is asked for them:
// those of the run that last returns, or none where it returns nil.
func Gather(last func() (*news.Run, error)) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		r, err := last()
		if r == nil || err != nil {
			return nil, err
		}
		return protos(r), nil
	})
}

// protos returns the metrics of a run as Prometheus has them.
func protos(r *news.Run) []*dto.MetricFamily {
	var list []*dto.MetricFamily
	for _, f := range families(r) {
		if len(f.samples) > 0 {
			list = append(list, f.proto(strings.Join(r.Mirrors, ",")))
		}
	}
	return list
}

// A family is a metric with its samples.
type family struct {
	name    string // after finarc_run_
	help    string
	samples []sample
}

// A sample is a value and the labels that tell it from the metric's others.
type sample struct {
	value  float64
	labels []label
}

type label struct{ name, value string }

// families returns the metrics of a run; one without samples is left out.
func families(r *news.Run) []family {
	fs := outcome(r)
	fs = append(fs, posts(r)...)
	fs = append(fs, requests(r)...)
	fs = append(fs, hosts(bounded(r.Hosts, hostSize, addHosts))...)
	return append(fs, pages(r)...)
}

// outcome tells when the run was and how it ended.
func outcome(r *news.Run) []family {
	var endings []sample
	for _, e := range []string{
		news.EndingDone, news.EndingDuration, news.EndingFailed, news.EndingInterrupted, news.EndingPaused, news.EndingRequests, news.EndingRunning,
	} {
		endings = append(endings, sample{truth(r.Ending == e), []label{{"ending", e}}})
	}
	fs := []family{
		{"number", "The number of the run in its archive, from 1.", one(r.ID)},
		{"ending", "1 for the reason for which the run ended, 0 for the others.", endings},
		{"start_timestamp_seconds", "When the run began, since 1970.", one(seconds(r.Started))},
	}
	if r.Ended.IsZero() {
		return fs
	}
	return append(fs,
		family{"end_timestamp_seconds", "When the run ended, since 1970.", one(seconds(r.Ended))},
		family{"duration_seconds", "How long the run took.", one(r.Ended.Sub(r.Started).Seconds())})
}

// posts tells what became of the posts and of the lists that name them.
func posts(r *news.Run) []family {
	l := &r.Lists
	return []family{
		{"discovered_posts", "Different posts that the run met: the sum of all outcomes.", one(r.Discovered)},
		{"posts", "Posts by what became of them.", fixed("outcome",
			count{"new", r.New}, count{"revised", r.Revised}, count{"unchanged", r.Unchanged},
			count{"skipped", r.SkippedPosts()}, count{"failed", r.FailedPosts()}, count{"pending", r.Pending})},
		{"skipped_posts", "Posts that were skipped, by reason.", counted("reason", r.Skipped)},
		{"failed_posts", "Posts that failed for good, by their final error.", counted("error", r.Failed)},
		{"failed_post_attempts", "Runs in which the posts that failed for good were tried, by their final error.", counted("error", r.Attempts)},
		{"differing_posts", "Revised posts that another mirror has otherwise.", one(r.Differing)},
		{"incomplete_posts", "Archived posts that lack something, by what they lack.", counted("lacks", r.Incomplete)},
		{"leads", "Related posts recorded that the archive lacks.", one(r.Leads)},
		{"lists", "List pages by what became of them.", fixed("outcome",
			count{"read", l.Read}, count{"not_modified", l.NotModified}, count{"gone", l.Gone},
			count{"disallowed", l.Disallowed}, count{"failed", l.Failed}, count{"pending", l.Pending}, count{"not_due", l.NotDue})},
		{"gap_lists", "List pages that were left alone for longer than their mirror shows a post.", one(r.GapLists())},
		{"publication_dates", "Different days of publication of the new and revised posts.", one(len(r.Days))},
		{"categories", "Different categories of the new and revised posts.", one(len(r.Categories))},
		{"category_posts", "New and revised posts by category, of the categories with most of them.", counted("category", r.Categories)},
		{"problems", "Problems that the report names, of which it holds the first.", one(len(r.Problems))},
	}
}

// requests tells what was asked and answered, all hosts together.
func requests(r *news.Run) []family {
	return []family{
		{"requests", "Requests sent, by kind of page, retries and robots.txt included.", counted("kind", r.Requests)},
		{"responses", "Answers by HTTP status.", counted("code", r.Statuses)},
		{"unanswered_requests", "Requests without an answer, by reason.", counted("reason", r.Transport)},
		{"retries", "Requests that were sent again.", one(r.Retries)},
		{"received_bytes", "Bodies received, after decoding.", one(r.Bytes)},
	}
}

// hosts tells what each host was asked.
func hosts(uses []entry[news.HostUse]) []family {
	of := func(name, help string, value func(news.HostUse) (float64, bool)) family {
		f := family{name: "host_" + name, help: help}
		for _, u := range uses {
			if v, ok := value(u.value); ok {
				f.samples = append(f.samples, sample{v, []label{{"host", u.key}}})
			}
		}
		return f
	}
	responses := family{name: "host_responses", help: "Answers of the host by HTTP status."}
	for _, u := range uses {
		responses.samples = append(responses.samples, with(label{"host", u.key}, counted("code", u.value.Statuses))...)
	}
	return []family{
		responses,
		of("requests", "Requests sent to the host, retries and robots.txt included.",
			func(u news.HostUse) (float64, bool) { return float64(u.Requests), true }),
		of("retries", "Requests that were sent to the host again.",
			func(u news.HostUse) (float64, bool) { return float64(u.Retries), true }),
		of("received_bytes", "Bodies received from the host, after decoding.",
			func(u news.HostUse) (float64, bool) { return float64(u.Bytes), true }),
		of("wait_seconds", "How long requests waited for the host's turn, all together.",
			func(u news.HostUse) (float64, bool) { return float64(u.WaitedMS) / 1000, true }),
		of("lowest_requests_per_second", "The lowest pace that the host was asked at; absent without a limit.",
			func(u news.HostUse) (float64, bool) { return u.Rate, u.Rate > 0 }),
		of("crawl_delay_seconds", "What the host's robots.txt asks to leave between two requests; absent where it does not.",
			func(u news.HostUse) (float64, bool) { return float64(u.DelayMS) / 1000, u.DelayMS > 0 }),
		of("pause_end_timestamp_seconds", "Until when the host wants to be left alone, since 1970; absent where it does not.",
			func(u news.HostUse) (float64, bool) { return seconds(u.Paused), !u.Paused.IsZero() }),
		of("down", "1 where the host did not answer and was given up for the run.",
			func(u news.HostUse) (float64, bool) { return truth(u.Down), true }),
	}
}

// pages tells how pages of posts could be read, and what drifts.
func pages(r *news.Run) []family {
	read := family{name: "pages", help: "Pages of posts that were answered with 200, by kind and whether they could be read."}
	lacking := family{name: "lacking_pages", help: "Pages of posts that were read, by kind and what the posts lacked."}
	for _, e := range bounded(r.Pages, func(c news.PageCount) int { return c.Read + c.Unreadable }, news.PageCount.Add) {
		kind, c := label{"kind", e.key}, e.value
		read.samples = append(read.samples, with(kind, fixed("result", count{"read", c.Read}, count{"unreadable", c.Unreadable}))...)
		lacking.samples = append(lacking.samples, with(kind,
			fixed("field", count{"title", c.NoTitle}, count{"date", c.NoDate}, count{"body", c.NoBody}))...)
	}
	share := family{name: "drift_ratio", help: "Share of the run's pages that lack a field more often than they used to."}
	usual := family{name: "drift_usual_ratio", help: "Share of the earlier runs' pages that lack a field which pages now lack more often."}
	seen := map[[2]string]bool{}
	for _, d := range r.Drift {
		kind, field := clean(d.Kind), clean(d.Field)
		if key := [2]string{kind, field}; seen[key] || len(seen) == most {
			continue
		} else {
			seen[key] = true
		}
		labels := []label{{"kind", kind}, {"field", field}}
		share.samples = append(share.samples, sample{d.Share, labels})
		usual.samples = append(usual.samples, sample{d.Usual, labels})
	}
	return []family{read, lacking, share, usual}
}

// one returns the only sample of a metric.
func one[N int | int64 | uint64 | float64](n N) []sample { return []sample{{value: float64(n)}} }

// A count is a number by its name.
type count struct {
	name string
	n    int
}

// fixed returns a sample for each of the counts, which are always the same.
func fixed(name string, counts ...count) (s []sample) {
	for _, c := range counts {
		s = append(s, sample{float64(c.n), []label{{name, c.name}}})
	}
	return s
}

// counted returns a sample for each count of a map, within bounds.
func counted[K comparable](name string, m map[K]int) (s []sample) {
	for _, e := range bounded(m, func(n int) int { return n }, func(a, b int) int { return a + b }) {
		s = append(s, sample{float64(e.value), []label{{name, e.key}}})
	}
	return s
}

// with puts a label before those of the samples.
func with(l label, samples []sample) []sample {
	for i := range samples {
		samples[i].labels = append([]label{l}, samples[i].labels...)
	}
	return samples
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds returns a moment in seconds since 1970, with its milliseconds.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// proto returns the family as the library wants it.
func (f *family) proto(mirrors string) *dto.MetricFamily {
	name, gauge := "finarc_run_"+f.name, dto.MetricType_GAUGE
	p := &dto.MetricFamily{Name: &name, Help: &f.help, Type: &gauge}
	for i := range f.samples {
		s := &f.samples[i]
		m := &dto.Metric{Gauge: &dto.Gauge{Value: &s.value}}
		for _, l := range append([]label{{"mirrors", clean(mirrors)}}, s.labels...) {
			m.Label = append(m.Label, &dto.LabelPair{Name: &l.name, Value: &l.value})
		}
		p.Metric = append(p.Metric, m)
	}
	return p
}
