//go:build unix

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// hook is a webhook.
type hook struct {
	site string
	told chan []byte
}

func newHook(t *testing.T) *hook {
	h := &hook{told: make(chan []byte, 16)}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s of %q: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		h.told <- body
	}))
	t.Cleanup(s.Close)
	h.site = s.URL
	return h
}

// TestToldAlike crawls a mirror with faults, twice: what the run prints, what the
// webhook is told, what the metrics say and what finarc runs shows are the same
// numbers.
func TestToldAlike(t *testing.T) {
	site := serve(t, "--posts", "300", "--seed", "5", "--newest", "2021-12-22T10:37:15+08:00",
		"--faults", "500:0.05,404:0.05,gone:0.03,nodate:0.05,notitle:0.02,cut:0.03,flaky:0.1,unsteady:0.02,empty:0.03")
	hook, dir := newHook(t), t.TempDir()
	config, db, metrics := filepath.Join(dir, "crawler.yaml"), filepath.Join(dir, "a.db"), filepath.Join(dir, "finarc.prom")
	writeFile(t, config, fmt.Sprintf(configuration, db, site, 8)+
		"  retries: 1\n  put_off: 1ms\nnotify:\n  url: "+hook.site+"/run?key=s3cret\n  when: always\n")
	for n, flags := range [][]string{nil, {"--refresh", "9999"}, {"--max-requests", "10"}} {
		printed, code := crawlTelling(t, append([]string{"-c", config, "--metrics-file", metrics}, flags...)...)
		t.Logf("exit code %d: %d posts, %d new, %d unchanged, %d pending, failed %v, skipped %v, requests %v",
			code, printed.Discovered, printed.New, printed.Unchanged, printed.Pending, printed.Failed, printed.Skipped, printed.Requests)
		if n == 0 && (printed.New == 0 || printed.FailedPosts() == 0 || len(printed.Incomplete) == 0 || code != 3) {
			t.Errorf("nothing to tell of: exit code %d, %+v", code, printed)
		}
		var kept, told news.Run
		decode(t, []byte(output(t, finarc, "runs", "--limit", "1", "--json", "--archive", db)), &kept)
		message := hook.message(t)
		decode(t, message["run"], &told)
		for who, r := range map[string]news.Run{"finarc runs": kept, "the webhook": told} {
			if diff := cmp.Diff(printed, r, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("run %d: %s tells otherwise (-printed +told):\n%s", printed.ID, who, diff)
			}
		}
		if string(message["exit_code"]) != strconv.Itoa(code) {
			t.Errorf("the webhook is told of exit code %s, it was %d", message["exit_code"], code)
		}
		checkMetrics(t, metrics, &printed)
	}
	if len(hook.told) > 0 {
		t.Errorf("the webhook was told %d times more", len(hook.told))
	}
}

// crawlTelling crawls, and returns the report that is printed and the exit code.
func crawlTelling(t *testing.T, args ...string) (r news.Run, code int) {
	t.Helper()
	var out, said strings.Builder
	cmd := exec.CommandContext(t.Context(), finarc, append([]string{"crawl", "--json"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if code = cmd.ProcessState.ExitCode(); code != 0 && code != 3 {
		t.Fatalf("%v\n%s%s", err, &out, &said)
	}
	decode(t, []byte(out.String()), &r)
	return r, code
}

// message returns what the hook was told, once.
func (h *hook) message(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	select {
	case body := <-h.told:
		m := make(map[string]json.RawMessage)
		decode(t, body, &m)
		return m
	default: // the program ends after it told
		t.Fatal("the webhook was told nothing")
		return nil
	}
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// checkMetrics compares a file of metrics, as Prometheus' own library reads it,
// with a report.
func checkMetrics(t *testing.T, path string, r *news.Run) {
	t.Helper()
	got, want := readMetrics(t, path), metricsOf(r)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[key]; !ok && want[key] != 0 || math.Abs(v-want[key]) > 0.0011 {
			t.Errorf("run %d: %s is %v, and in the report %v", r.ID, key, v, want[key])
		}
	}
	for key := range got { // those of a label are of no other value
		name, _, labelled := strings.Cut(key, " ")
		if _, ok := want[key]; labelled && !ok && slices.Contains(byLabel, name) {
			t.Errorf("run %d: %s is not of the report", r.ID, key)
		}
	}
}

// byLabel are the metrics that have a sample for each entry of a map.
var byLabel = []string{
	"skipped_posts", "failed_posts", "incomplete_posts", "requests", "responses", "unanswered_requests", "category_posts",
	"host_requests", "host_received_bytes", "host_wait_seconds",
}

// metricsOf returns a report's numbers by the metrics that are to tell them, which
// are called by their name and the value of their own label.
func metricsOf(r *news.Run) map[string]float64 {
	m := map[string]float64{
		"number": float64(r.ID), "discovered_posts": float64(r.Discovered), "leads": float64(r.Leads), "retries": float64(r.Retries),
		"received_bytes": float64(r.Bytes), "differing_posts": float64(r.Differing), "problems": float64(len(r.Problems)),
		"start_timestamp_seconds": float64(r.Started.UnixMilli()) / 1000, "end_timestamp_seconds": float64(r.Ended.UnixMilli()) / 1000,
		"duration_seconds": r.Ended.Sub(r.Started).Seconds(), "publication_dates": float64(len(r.Days)), "categories": float64(len(r.Categories)),
		"ending " + r.Ending: 1,
		"posts new":          float64(r.New), "posts revised": float64(r.Revised), "posts unchanged": float64(r.Unchanged),
		"posts skipped": float64(r.SkippedPosts()), "posts failed": float64(r.FailedPosts()), "posts pending": float64(r.Pending),
		"lists read": float64(r.Lists.Read), "lists not_modified": float64(r.Lists.NotModified), "lists gone": float64(r.Lists.Gone),
		"lists disallowed": float64(r.Lists.Disallowed), "lists failed": float64(r.Lists.Failed), "lists pending": float64(r.Lists.Pending),
		"lists not_due": float64(r.Lists.NotDue), "gap_lists": float64(r.GapLists()),
	}
	enter(m, "skipped_posts", r.Skipped)
	enter(m, "failed_posts", r.Failed)
	enter(m, "incomplete_posts", r.Incomplete)
	enter(m, "requests", r.Requests)
	enter(m, "responses", r.Statuses)
	enter(m, "unanswered_requests", r.Transport)
	enter(m, "category_posts", r.Categories)
	for host, u := range r.Hosts {
		m["host_requests "+host] = float64(u.Requests)
		for status, n := range u.Statuses {
			m[fmt.Sprintf("host_responses %s %d", host, status)] = float64(n)
		}
		m["host_retries "+host] = float64(u.Retries)
		m["host_received_bytes "+host] = float64(u.Bytes)
		m["host_wait_seconds "+host] = float64(u.WaitedMS) / 1000
	}
	for kind, c := range r.Pages {
		m[fmt.Sprintf("pages %s read", kind)] = float64(c.Read)
		m[fmt.Sprintf("pages %s unreadable", kind)] = float64(c.Unreadable)
		m[fmt.Sprintf("lacking_pages %s title", kind)] = float64(c.NoTitle)
		m[fmt.Sprintf("lacking_pages %s date", kind)] = float64(c.NoDate)
		m[fmt.Sprintf("lacking_pages %s body", kind)] = float64(c.NoBody)
	}
	return m
}

func enter[K comparable](m map[string]float64, name string, counts map[K]int) {
	for k, n := range counts {
		m[fmt.Sprint(name, " ", k)] = float64(n)
	}
}

// readMetrics reads a file of metrics. Each is called by its name and the values
// of its labels but for the mirrors.
func readMetrics(t *testing.T, path string) map[string]float64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for name, family := range families {
		for _, m := range family.Metric {
			key := strings.TrimPrefix(name, "finarc_run_")
			for _, l := range m.Label {
				if l.GetName() != "mirrors" {
					key += " " + l.GetValue()
				}
			}
			values[key] = m.GetGauge().GetValue()
		}
	}
	return values
}
