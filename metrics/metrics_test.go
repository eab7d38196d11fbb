package metrics

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

var update = flag.Bool("update", false, "write the golden files anew")

// full is a run of which there is something to tell everywhere.
func full() *news.Run {
	began := time.Date(2021, 12, 22, 10, 0, 0, 0, news.Shanghai)
	return &news.Run{
		ID: 7, Command: "crawl finews other", Mirrors: []string{"finews", "other"},
		Started: began, Ended: began.Add(90*time.Second + 250*time.Millisecond), Ending: news.EndingDuration,
		Discovered: 60, New: 40, Revised: 5, Unchanged: 3,
		Skipped: map[string]int{news.SkippedArchived: 4, news.SkippedDuplicate: 1},
		Failed:  map[string]int{"gone": 2, "unreadable": 1}, Pending: 4,
		Differing: 2, Incomplete: map[string]int{"date": 1}, Leads: 9,
		Lists:    news.Lists{Read: 3, NotModified: 12, Failed: 1, Pending: 2, NotDue: 1850},
		Gaps:     []news.Gap{{Mirror: "finews", From: began.Add(-96 * time.Hour), To: began.Add(-72 * time.Hour), Lists: 12}, {Mirror: "other", From: began.Add(-80 * time.Hour), To: began.Add(-72 * time.Hour), Lists: 3}},
		Requests: map[news.PageKind]int{news.KindHome: 1, news.KindPost: 58}, Statuses: map[int]int{200: 50, 304: 12, 404: 2},
		Transport: map[string]int{"timeout": 3}, Retries: 5, Bytes: 1 << 20,
		Hosts: map[string]news.HostUse{
			"finews.withounder.com": {Requests: 60, Retries: 3, Statuses: map[int]int{200: 45, 304: 12}, Bytes: 1 << 19, WaitedMS: 61_500, Rate: 0.5, Paused: began.Add(time.Hour)},
			"127.0.0.1:8080":        {Requests: 8, Retries: 2, Statuses: map[int]int{200: 5, 404: 2}, Bytes: 1 << 19, DelayMS: 600_000, Down: true},
		},
		Days:       map[string]int{"2021-12-21": 5, "2021-12-22": 40},
		Categories: map[string]int{"21caijing": 30, `quo"te\back` + "\nline": 10, "broken\xff": 5},
		Pages:      map[news.PageKind]news.PageCount{news.KindPost: {Read: 45, Unreadable: 1, NoTitle: 20}},
		Drift:      []news.Drift{{Kind: news.KindPost, Field: "title", Share: 0.4444, Usual: 0.01}},
		Problems:   []news.Problem{{URL: "http://127.0.0.1:8080/x.html", What: news.KindPost, Why: "gone", For: "failed", Attempts: 3}},
	}
}

// huge is a run of a mirror that makes up names without end.
func huge() *news.Run {
	r := full()
	for i := range 5000 {
		r.Days[fmt.Sprint("day ", i)] = 1
		r.Categories[fmt.Sprintf("类别%04d", i)] = i
		r.Hosts[fmt.Sprintf("h%04d.example", i)] = news.HostUse{Requests: i, Bytes: 1, Rate: 2}
		r.Failed[fmt.Sprint("status ", i)] = 1
		r.Statuses[i] = 1
		r.Requests[news.PageKind(fmt.Sprint("kind", i))] = 1
		r.Pages[news.PageKind(fmt.Sprint("kind", i))] = news.PageCount{Read: 1}
		r.Drift = append(r.Drift, news.Drift{Kind: news.PageKind(fmt.Sprint("kind", i)), Field: "title"})
	}
	r.Categories[rest] = 1_000_000
	r.Categories[strings.Repeat("长", 1000)] = 1_000_000
	r.Categories[strings.Repeat("长", 1001)] = 1_000_000
	return r
}

func runs() map[string]*news.Run {
	return map[string]*news.Run{"full": full(), "empty": {}, "huge": huge()}
}

func written(t *testing.T, r *news.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"full", "empty"} {
		file, got := filepath.Join("testdata", name+".prom"), written(t, runs()[name])
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got); -update writes it anew:\n%s", file, diff)
		}
	}
}

// The linter of Prometheus' own library has nothing to say of names, help and
// types.
func TestLint(t *testing.T) {
	for name, r := range runs() {
		problems, err := promlint.New(strings.NewReader(written(t, r))).Lint()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s: %s", name, p.Metric, p.Text)
		}
	}
}

// promtool, which Prometheus comes with, has nothing to say either.
func TestPromtool(t *testing.T) {
	promtool := realtest.Program(t, "promtool")
	for name, r := range runs() {
		cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(written(t, r))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: promtool check metrics: %v\n%s", name, err, out)
		}
	}
}

// What is written reads back with every sample told once, and with the sums that
// the report has, whatever names there are.
func TestReadBack(t *testing.T) {
	for name, r := range runs() {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(written(t, r)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sum := func(metric string) (sum float64) {
			seen := map[string]bool{}
			for _, m := range families["finarc_run_"+metric].GetMetric() {
				if labels := fmt.Sprint(m.GetLabel()); seen[labels] {
					t.Errorf("%s: %s is told twice of %s", name, metric, labels)
				} else {
					seen[labels] = true
				}
				sum += m.GetGauge().GetValue()
			}
			return sum
		}
		requests, received := 0, int64(0)
		for _, u := range r.Hosts {
			requests, received = requests+u.Requests, received+u.Bytes
		}
		for metric, want := range map[string]int{
			"posts":               r.New + r.Revised + r.Unchanged + r.SkippedPosts() + r.FailedPosts() + r.Pending,
			"skipped_posts":       r.SkippedPosts(),
			"failed_posts":        r.FailedPosts(),
			"category_posts":      news.Total(r.Categories),
			"publication_dates":   len(r.Days),
			"requests":            news.Total(r.Requests),
			"responses":           news.Total(r.Statuses),
			"host_requests":       requests,
			"host_received_bytes": int(received),
			"ending":              map[bool]int{true: 1}[r.Ending != ""],
		} {
			if got := sum(metric); got != float64(want) {
				t.Errorf("%s: the samples of %s add up to %v, want %d", name, metric, got, want)
			}
		}
		if name == "full" && sum("posts") != sum("discovered_posts") {
			t.Error("the outcomes do not add up to the posts met")
		}
	}
}

func TestLabelsAreBounded(t *testing.T) {
	text := written(t, huge())
	if n := strings.Count(text, "\n"); n > 1500 {
		t.Errorf("%d lines", n)
	}
	for metric, want := range map[string]int{
		"category_posts": most + 1, "host_requests": most + 1, "failed_posts": most + 1, "responses": most + 1,
		"drift_ratio": most, "publication_dates": 1,
	} {
		if got := strings.Count(text, "\nfinarc_run_"+metric+"{"); got != want {
			t.Errorf("%s has %d samples, want %d", metric, got, want)
		}
	}
	for _, label := range regexp.MustCompile(`"[^"]*"`).FindAllString(text, -1) {
		if len(label) > maxLabel+2 {
			t.Errorf("a label of %d bytes: %s", len(label), label)
		}
	}
	// The host that is down has its place, however little it was asked.
	if !strings.Contains(text, `finarc_run_host_down{mirrors="finews,other",host="127.0.0.1:8080"} 1`) {
		t.Error("the host that is down is not named")
	}
}

func TestHostsAreSummedUp(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	got := addHosts(
		news.HostUse{Requests: 1, Retries: 1, Statuses: map[int]int{200: 1, 404: 2}, Bytes: 2, WaitedMS: 3, Paused: late},
		news.HostUse{Requests: 10, Retries: 2, Statuses: map[int]int{200: 3}, Bytes: 20, WaitedMS: 30, Rate: 2, Paused: early, Down: true})
	got = addHosts(got, news.HostUse{Rate: 3})
	want := news.HostUse{Requests: 11, Retries: 3, Statuses: map[int]int{200: 4, 404: 2}, Bytes: 22, WaitedMS: 33, Rate: 2, Paused: late, Down: true}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("addHosts = %+v, want %+v", got, want)
	}
}

func TestWriteFails(t *testing.T) {
	if err := Write(brokenWriter{}, full()); err == nil {
		t.Error("no error of a writer that fails")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }
