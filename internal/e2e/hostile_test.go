//go:build unix

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
	return crawlWatched(t, config, 3)
}

// crawlWatched crawls and expects an exit code. It returns the report and the
// most memory that was resident.
func crawlWatched(t *testing.T, config string, code int) (report news.Run, peak float64) {
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
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != code {
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
	held := archivedPosts(t, db)
	healthy, hit := 0, make(map[string]bool)
	for i, p := range truth.Posts() {
		fault := truth.FaultOf(i)
		hit[fault] = true
		got, ok := held[p.ID]
		if ok != can(truth.Standing(i)) || ok && got.Title != p.Title {
			t.Errorf("%s %q with fault %q: archived %t as %q", p.ID, p.Title, fault, ok, got.Title)
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

// TestHostileScenario crawls the host of testdata/hostile.txtar, which does all
// that scenarios know, with processes on both sides: the file judges the report
// and the archive, and every post that its rules leave healthy, or let be had at
// the second request, is there.
func TestHostileScenario(t *testing.T) {
	const file = "testdata/hostile.txtar"
	s, err := mirror.ReadScenario(file)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := s.Mirror() // is not asked for anything
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Crawls {
		c := &s.Crawls[i]
		t.Run(fmt.Sprint("line ", c.Line), func(t *testing.T) {
			t.Parallel() // they wait most of the time
			testHostileScenario(t, s, c, truth, serve(t, "--scenario", file))
		})
	}
}

func testHostileScenario(t *testing.T, s *mirror.Scenario, c *mirror.Crawl, truth *mirror.Mirror, site string) {
	dir := t.TempDir()
	config, db := filepath.Join(dir, "crawler.yaml"), filepath.Join(dir, "a.db")
	text := fmt.Sprintf(configuration, db, site, c.Parallel) +
		fmt.Sprintf("  retries: %d\n  timeout: %v\n  max_body: %d\n  robots: %t\n", c.Retries, c.Timeout, c.MaxBody, c.Robots)
	if !c.Shares {
		text = regexp.MustCompile(`(?m)^    (share|text): .*\n`).ReplaceAllString(text, "")
	}
	writeFile(t, config, text)
	report, peak := crawlHostile(t, config)
	t.Logf("%d posts in %v: %d archived, %v failed, %d pending; peak memory %.1f MiB",
		report.Discovered, report.Ended.Sub(report.Started), report.New, report.Failed, report.Pending, peak/(1<<20))
	if peak > mostHostile {
		t.Errorf("the crawl took %.1f MiB", peak/(1<<20))
	}
	output(t, finarc, "verify", "--archive", db)
	held := archivedPosts(t, db)
	wrong := s.Judge(c, truth, mirror.Outcome{Run: &report, Archived: held})
	for _, err := range wrong {
		t.Error(err)
	}
	if len(wrong) > 0 {
		t.Logf("lists %+v, statuses %v, transport %v, problems %+v", report.Lists, report.Statuses, report.Transport, report.Problems)
	}
	hit := make(map[string]bool)
	for n, p := range truth.Posts() {
		rule := s.Hit(truth, n)
		hit[rule] = true
		lost := !c.Shares && rule != "" && !strings.Contains(rule, " ") // as those are called that the file does not name
		if _, ok := held[p.ID]; ok == lost {
			t.Errorf("%s %q, hit by %q: archived %t", p.ID, p.Title, rule, ok)
		}
	}
	const rules = 43 // of posts; no rule hits some
	if len(hit) != rules+1 {
		t.Errorf("%d rules hit a post, want %d: %v", len(hit)-1, rules, hit)
	}
	checkHostileTraffic(t, site, c)
}

// checkHostileTraffic asks the mirror what it was asked for.
func checkHostileTraffic(t *testing.T, site string, c *mirror.Crawl) {
	t.Helper()
	res, err := http.Get(site + "/_mirror/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var saw mirror.Stats
	if err := json.NewDecoder(res.Body).Decode(&saw); err != nil {
		t.Fatal(err)
	}
	const redirects = 11 // of a circle, and of the share page that stands in
	for path, n := range saw.Paths {
		if n > (1+c.Retries)*redirects || strings.HasPrefix(path, "/emnews/") {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
	if saw.MaxInFlight > c.Parallel {
		t.Errorf("%d requests at a time", saw.MaxInFlight)
	}
}

// archivedPosts returns the posts of an archive.
func archivedPosts(t *testing.T, db string) map[news.ID]news.Post {
	t.Helper()
	a, err := archive.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	posts := make(map[news.ID]news.Post)
	for rev, err := range a.Select(t.Context(), archive.Selection{}) {
		if err != nil {
			t.Fatal(err)
		}
		posts[rev.ID] = rev.Post
	}
	return posts
}
