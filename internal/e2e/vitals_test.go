//go:build unix

package e2e_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// vital is something that a server under a steady load has no more of at the end than
// at the beginning.
type vital struct {
	name, unit string
	metric     string // in /metrics; empty: of /proc alone
	proc       string // in /proc/PID/status
	scale      float64
	// more is what the last quarter's median may have beyond vitalGrowth times the
	// first's: what comes and goes with connections, however busy the machine is, and
	// what pages that are kept may still come to.
	more float64
}

// vitalGrowth is the factor that chance may make.
const vitalGrowth = 1.25

// vitalsOf returns what is looked at, of a server whose files are mapped so far.
func vitalsOf(mapped float64) []vital {
	const mib = 1 << 20
	return []vital{
		{name: "heap in use after a collection", unit: "MiB", metric: "go_gc_heap_live_bytes", scale: mib, more: 16},
		{name: "memory of its own", unit: "MiB", proc: "RssAnon:", scale: mib / 1024, more: 24},
		// All of the archive is in memory once all of it has been read.
		{name: "memory, the mapped archive included", unit: "MiB", metric: "process_resident_memory_bytes", scale: mib, more: 24 + mapped/mib},
		{name: "open files", metric: "process_open_fds", scale: 1, more: loadConns + 16},
		{name: "goroutines", metric: "go_goroutines", scale: 1, more: 2*loadConns + 16}, // each has one that reads, and one that answers
	}
}

// vitals are samples of them, by name, in the order of time.
type vitals struct {
	list    []vital
	samples [][]float64 // NaN where the system does not tell
}

// watchVitals samples a server's vitals at a pace until ctx ends.
func watchVitals(ctx context.Context, list []vital, pid int, base string, every time.Duration) <-chan vitals {
	watched := make(chan vitals, 1)
	go func() {
		v := vitals{list: list, samples: make([][]float64, len(list))}
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				watched <- v
				return
			case <-tick.C:
				v.sample(ctx, pid, base)
			}
		}
	}()
	return watched
}

// sample looks once. A look that fails, as at the end of the time, is left out.
func (v *vitals) sample(ctx context.Context, pid int, base string) {
	metrics, err := body(ctx, base+"/metrics")
	if err != nil {
		return
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		status = nil // no Linux
	}
	for i, of := range v.list {
		text, name := metrics, of.metric+" "
		if of.proc != "" {
			text, name = string(status), of.proc
		}
		value := math.NaN()
		if _, rest, ok := strings.Cut("\n"+text, "\n"+name); ok {
			if _, err := fmt.Sscan(rest, &value); err != nil {
				value = math.NaN()
			}
		}
		v.samples[i] = append(v.samples[i], value/of.scale)
	}
}

func body(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// report tells the medians of the first and the last quarter, and, where that was
// long enough to tell, holds the one against the other.
func (v *vitals) report(t *testing.T, long bool) {
	t.Helper()
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\tfirst quarter\tlast quarter\tallowed\t\n")
	for i, of := range v.list {
		first, last, ok := quarters(v.samples[i])
		if !ok {
			fmt.Fprintf(w, "%s\t–\t–\t–\t\n", of.name)
			continue
		}
		most := vitalGrowth*first + of.more
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%s\n", of.name, first, last, most, of.unit)
		if long && last > most {
			t.Errorf("%s grew from %.0f to %.0f %s", of.name, first, last, of.unit)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("medians of %d looks:\n%s", len(v.samples[0]), table.String())
}

// quarters returns the medians of the first and the last quarter of samples, if there
// are enough.
func quarters(samples []float64) (first, last float64, ok bool) {
	n := len(samples) / 4
	if n == 0 || slices.ContainsFunc(samples, math.IsNaN) {
		return 0, 0, false
	}
	return medianOf(samples[:n]), medianOf(samples[len(samples)-n:]), true
}

func medianOf(samples []float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[len(sorted)/2]
}

// TestQuarters: growth is told from what comes and goes.
func TestQuarters(t *testing.T) {
	for _, c := range []struct {
		samples     []float64
		first, last float64
		ok          bool
	}{
		{nil, 0, 0, false}, {[]float64{1, 2, 3}, 0, 0, false}, {[]float64{1, 2, 3, 9}, 1, 9, true},
		{[]float64{5, 1, 90, 7, 7, 7, 7, 7, 7, 2, 80, 6}, 5, 6, true}, {[]float64{1, math.NaN(), 3, 9}, 0, 0, false},
	} {
		first, last, ok := quarters(c.samples)
		if first != c.first || last != c.last || ok != c.ok {
			t.Errorf("%v: got %v, %v, %v", c.samples, first, last, ok)
		}
	}
}
