//go:build unix

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// mostHostile is how much memory a crawl of a hostile mirror may have resident.
const mostHostile = 150 << 20

// TestHostileMirror crawls, with the program itself and the limits that it has
// by default but for the pace, a mirror half of whose posts have something wrong
// with them, every fault that a post can have included: the run ends by itself
// with exit code 3, stays within its memory, and archives every post that can
// be had.
func TestHostileMirror(t *testing.T) {
	const posts, share = 600, 0.04
	o := mirror.DefaultOptions()
	o.Posts, o.Categories, o.Seed = posts, 20, 11
	o.Newest = time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai)
	var faults []string
	for _, f := range mirror.Faults() {
		if f.SiteWide || f.Name == "ailing" {
			continue
		}
		o.Faults = append(o.Faults, mirror.Fault{Name: f.Name, Share: share})
		faults = append(faults, fmt.Sprintf("%s:%v", f.Name, share))
	}
	o.Base = serve(t, "--posts", fmt.Sprint(posts), "--categories", "20", "--seed", "11",
		"--newest", o.Newest.Format(time.RFC3339), "--faults", strings.Join(faults, ","))
	truth, err := mirror.New(o)
	if err != nil {
		t.Fatal(err)
	}
	site := fmt.Sprintf(configuration, "%s", o.Base, 8) + "  retries: 1\n"
	t.Run("with share pages", func(t *testing.T) {
		testHostile(t, truth, site, func(s mirror.Standing) bool { return s.Best != "" })
	})
	t.Run("alone", func(t *testing.T) {
		alone := regexp.MustCompile(`(?m)^    (share|text): .*\n`).ReplaceAllString(site, "")
		testHostile(t, truth, alone, func(s mirror.Standing) bool { return s.Best == news.KindPost })
	})
}

// testHostile crawls with a configuration that lacks the archive's name. can
// tells which posts can be had.
func testHostile(t *testing.T, truth *mirror.Mirror, configuration string, can func(mirror.Standing) bool) {
	dir := t.TempDir()
	config, db := filepath.Join(dir, "crawler.yaml"), filepath.Join(dir, "a.db")
	writeFile(t, config, strings.Replace(configuration, "%s", db, 1))
	report, peak := crawlHostile(t, config)
	t.Logf("%d posts in %v: %d archived, %v failed, %d pending; peak memory %.1f MiB",
		report.Discovered, report.Ended.Sub(report.Started), report.New, report.Failed, report.Pending, peak/(1<<20))
	if peak > mostHostile {
		t.Errorf("the crawl took %.1f MiB", peak/(1<<20))
	}
	if report.Ending != news.EndingDone || !report.AddsUp() || report.Failed["gone"] == 0 {
		t.Errorf("the report is %+v", report)
	}
	output(t, finarc, "verify", "--archive", db)
	if archived := checkHostile(t, truth, db, can); archived != report.New {
		t.Errorf("%d posts reported as new, %d held", report.New, archived)
	}
}

// crawlHostile crawls and expects that some pages fail. It returns the report
// and the most memory that was resident.
func crawlHostile(t *testing.T, config string) (report news.Run, peak float64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // for a run that does not end
	defer cancel()
	cmd := exec.CommandContext(ctx, finarc, "crawl", "-c", config, "--json")
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	most := watchPeak(ctx, cmd.Process.Pid)
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 3 {
		t.Fatalf("%v\n%s%s", err, &out, &said)
	}
	if err := json.Unmarshal([]byte(out.String()), &report); err != nil {
		t.Fatal(err)
	}
	return report, <-most
}

// checkHostile checks that every post that can be had is archived, and no other,
// and returns how many are.
func checkHostile(t *testing.T, truth *mirror.Mirror, db string, can func(mirror.Standing) bool) int {
	t.Helper()
	a, err := archive.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	held := make(map[news.ID]string)
	for rev, err := range a.Select(t.Context(), archive.Selection{}) {
		if err != nil {
			t.Fatal(err)
		}
		held[rev.ID] = rev.Title
	}
	healthy, hit := 0, make(map[string]bool)
	for i, p := range truth.Posts() {
		fault := truth.FaultOf(i)
		hit[fault] = true
		title, ok := held[p.ID]
		if ok != can(truth.Standing(i)) || ok && title != p.Title {
			t.Errorf("%s %q with fault %q: archived %t as %q", p.ID, p.Title, fault, ok, title)
		}
		if fault == "" {
			healthy++
		}
	}
	if len(hit) < 14 || healthy < truth.Len()/3 {
		t.Errorf("%d posts are healthy, the faults are %v", healthy, hit)
	}
	return len(held)
}
