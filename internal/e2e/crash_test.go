//go:build unix

package e2e_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// The real program is killed at random moments of everything that writes. The
// moments are drawn from a seed, which is told; FINARC_CRASH_SEED sets it, and
// FINARC_KILLS how often each kind of work is killed (make crash: hundreds).

// defaultKills is how often where FINARC_KILLS does not say.
const defaultKills = 12

func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("FINARC_KILLS")
	if text == "" && testing.Short() {
		return defaultKills / 4
	}
	if text == "" {
		return defaultKills
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("FINARC_KILLS: %v", err)
	}
	return n
}

// chance returns the test's source of moments.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("FINARC_CRASH_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("FINARC_CRASH_SEED: %v", err)
		}
	}
	t.Logf("FINARC_CRASH_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// killed runs finarc and kills it after a while. It returns what the program
// said, and whether it had ended by itself, without an error, before.
func killed(t *testing.T, after time.Duration, args ...string) (said string, ended bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), finarc, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
	err := cmd.Wait()
	timer.Stop()
	if code := cmd.ProcessState.ExitCode(); err != nil && code > 0 {
		t.Fatalf("finarc %s: exit code %d\n%s", strings.Join(args, " "), code, &out)
	}
	return out.String(), err == nil
}

// content is what an archive holds: the digest of every revision of every post.
type content map[news.ID][]string

// contentOf reads an archive, which must be whole.
func contentOf(t *testing.T, path string) content {
	t.Helper()
	output(t, finarc, "verify", "--archive", path)
	a, err := archive.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	held := make(content)
	for rev, err := range a.Select(t.Context(), archive.Selection{Body: true}) {
		if err != nil {
			t.Fatal(err)
		}
		all := []news.Revision{rev}
		if rev.Number > 1 {
			if all, err = a.Revisions(t.Context(), rev.ID); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range all {
			held[rev.ID] = append(held[rev.ID], fmt.Sprintf("%s %s %q", r.SHA256, r.URL, r.Title))
		}
	}
	return held
}

func (c content) equal(other content) bool {
	return maps.EqualFunc(c, other, func(a, b []string) bool { return slices.Equal(a, b) })
}

// revisions counts them.
func (c content) revisions() int {
	n := 0
	for _, revs := range c {
		n += len(revs)
	}
	return n
}

// committed is what a crawl says of each batch that is on disk.
var committed = regexp.MustCompile(`msg="batch committed" run=\d+ posts=(\d+)`)

func reported(said string) int {
	n := 0
	for _, m := range committed.FindAllStringSubmatch(said, -1) {
		posts, _ := strconv.Atoi(m[1])
		n += posts
	}
	return n
}

// TestCrashCrawl kills crawls and backfills: nothing that was reported as
// archived is missing, nothing that was committed is asked for again, and in the
// end the archive is that of a run that was left alone.
func TestCrashCrawl(t *testing.T) {
	for name, work := range map[string][]string{
		"crawl":    {"crawl"},
		"backfill": {"backfill", "--from", "2021-12-20", "--to", "2021-12-21", "--newest-first"},
	} {
		t.Run(name, func(t *testing.T) { crashRuns(t, work) })
	}
}

// crashRuns kills runs of finarc until they were killed often enough.
func crashRuns(t *testing.T, work []string) {
	const posts = 1500
	r := chance(t)
	m, err := mirror.New(mirror.Options{Posts: posts, Categories: 20, Seed: 7, ShareOnly: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	whole, took := uninterrupted(t, s.URL, work...)

	for done, round := 0, 0; done < kills(t); round++ {
		dir := t.TempDir()
		config, db := filepath.Join(dir, "crawler.yaml"), filepath.Join(dir, "a.db")
		writeFile(t, config, fmt.Sprintf(configuration, db, s.URL, 8))
		var before content
		for ended := false; !ended; {
			m.ResetRequests()
			var said string
			said, ended = killed(t, time.Duration(r.Int64N(int64(took))), slices.Concat(work, []string{"-v", "-c", config})...)
			if !ended {
				done++
			}
			if _, err := os.Stat(db); err != nil {
				continue // killed before there was an archive
			}
			after := contentOf(t, db)
			if gained := len(after) - len(before); gained < reported(said) {
				t.Fatalf("round %d, kill %d: %d posts reported as archived, %d are", round, done, reported(said), gained)
			}
			notAskedAgain(t, m, before)
			before = after
		}
		if !before.equal(whole) {
			t.Fatalf("round %d: %d posts, %d revisions; an uninterrupted run has %d and %d", round, len(before), before.revisions(), len(whole), whole.revisions())
		}
	}
}

// uninterrupted runs finarc on a mirror, into an archive of its own.
func uninterrupted(t *testing.T, site string, work ...string) (content, time.Duration) {
	t.Helper()
	dir := t.TempDir()
	config, db := filepath.Join(dir, "crawler.yaml"), filepath.Join(dir, "a.db")
	writeFile(t, config, fmt.Sprintf(configuration, db, site, 8))
	began := time.Now()
	output(t, finarc, slices.Concat(work, []string{"-v", "-c", config})...)
	took := time.Since(began)
	return contentOf(t, db), took
}

// notAskedAgain checks that no page of a post that was held has been asked for.
func notAskedAgain(t *testing.T, m *mirror.Mirror, held content) {
	t.Helper()
	asked := m.Requests().Paths
	for i, p := range m.Posts() {
		if held[p.ID] == nil {
			continue
		}
		if path := m.Standing(i).Path; asked[path] > 0 {
			t.Errorf("%s was archived before and asked for again: %s", p.ID, path)
		}
	}
}

// TestCrashCare kills what takes care of an archive: it is as before or as it
// is to be, and the work, done again, ends as if it had never been killed.
func TestCrashCare(t *testing.T) {
	for name, work := range map[string]struct {
		args    []string // of finarc, in a folder with a.db, b.db, crawler.yaml, and the posts of b.db as files in dump and as a WARC
		changes string   // the archive that the work changes or makes
		kept    bool     // it has the same content at all times
	}{
		"compact": {[]string{"compact", "--archive", "a.db"}, "a.db", true},
		"stories": {[]string{"stories", "--from-start", "--archive", "a.db"}, "a.db", true},
		"reread":  {[]string{"reread", "-c", "crawler.yaml"}, "a.db", false},
		"merge":   {[]string{"merge", "a.db", "b.db", "--into", "c.db"}, "c.db", false},
		"backup":  {[]string{"backup", "c.db", "--archive", "a.db"}, "c.db", false},
		"import":  {[]string{"import", "jekyll", "dump", "-c", "crawler.yaml", "--archive", "a.db"}, "a.db", false},
		"warc":    {[]string{"import", "warc", "crawl.warc.gz", "-c", "crawler.yaml", "--archive", "a.db"}, "a.db", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := chance(t)
			origin := careFolder(t)
			want, took := careOf(t, origin, work.args, work.changes)
			for n := range kills(t) {
				dir := copyFolder(t, origin)
				args := inFolder(dir, work.args)
				_, ended := killed(t, time.Duration(r.Int64N(int64(took))), args...)
				changed := filepath.Join(dir, work.changes)
				if _, err := os.Stat(changed); err == nil {
					got := contentOf(t, changed)
					if work.kept && !got.equal(want) {
						t.Fatalf("kill %d: %d posts after the kill, want %d", n, len(got), len(want))
					}
				}
				if ended && name == "backup" {
					continue // it is there, and a second one would be refused
				}
				if name == "backup" && exists(changed) {
					continue
				}
				output(t, finarc, args...)
				if got := contentOf(t, changed); !got.equal(want) {
					t.Fatalf("kill %d: %d posts and %d revisions in the end, want %d and %d", n, len(got), got.revisions(), len(want), want.revisions())
				}
				for _, source := range []string{"a.db", "b.db"} {
					output(t, finarc, "verify", "--archive", filepath.Join(dir, source))
				}
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// careFolder makes two archives that share some posts, and files and a WARC of those of
// one.
func careFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	m, err := mirror.New(mirror.Options{Posts: 1200, Categories: 20, Seed: 3, Base: "http://mirror.example"})
	if err != nil {
		t.Fatal(err)
	}
	fillArchive(t, m, filepath.Join(dir, "a.db"), 0, 800)
	fillArchive(t, m, filepath.Join(dir, "b.db"), 400, 1200)
	writeFile(t, filepath.Join(dir, "crawler.yaml"), fmt.Sprintf(configuration, "a.db", "http://mirror.example", 8))
	output(t, finarc, "export", "jekyll", "--archive", filepath.Join(dir, "b.db"), "--out", filepath.Join(dir, "dump"))
	writeWARC(t, filepath.Join(dir, "crawl.warc.gz"), m, 400, 1200)
	return dir
}

// fillArchive commits some of a mirror's posts, a hundred at a time, and a
// revision of every tenth.
func fillArchive(t *testing.T, m *mirror.Mirror, path string, from, to int) {
	t.Helper()
	a, err := archive.OpenOrCreate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for ; from < to; from += 100 {
		posts := captures(m, from, from+100)
		for i := 0; i < len(posts); i += 10 {
			again := posts[i]
			again.Post.Title += "（更正）"
			again.Capture.Fetched = again.Capture.Fetched.Add(time.Hour)
			posts = append(posts, again)
		}
		if _, err := a.Commit(t.Context(), &news.Batch{Posts: posts}); err != nil {
			t.Fatal(err)
		}
	}
}

// careOf does the work in a folder of its own, without a kill.
func careOf(t *testing.T, origin string, args []string, changes string) (content, time.Duration) {
	t.Helper()
	dir := copyFolder(t, origin)
	began := time.Now()
	output(t, finarc, inFolder(dir, args)...)
	took := time.Since(began)
	return contentOf(t, filepath.Join(dir, changes)), took
}

// inFolder makes the files among arguments those of a folder.
func inFolder(dir string, args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if strings.HasSuffix(arg, ".db") || strings.HasSuffix(arg, ".yaml") || arg == "dump" || arg == "crawl.warc.gz" {
			args[i] = filepath.Join(dir, arg)
		}
	}
	return args
}

func copyFolder(t *testing.T, from string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "w")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "crawler.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, config, strings.Replace(string(text), "archive: a.db", "archive: "+filepath.Join(dir, "a.db"), 1))
	return dir
}

// TestCrashRepair kills repairs of a damaged archive: the next one ends as if
// none had been killed, and nothing that was set aside is lost.
func TestCrashRepair(t *testing.T) {
	r := chance(t)
	origin := careFolder(t)
	spoilFrames(t, filepath.Join(origin, "a.db"), 4)
	repair := []string{"verify", "--repair", "--archive", "a.db"}
	want, took := careOf(t, origin, repair, "a.db")
	if report, err := archive.Verify(t.Context(), filepath.Join(origin, "a.db"), nil); err != nil || report.Clean() {
		t.Fatalf("nothing is damaged: %+v, %v", report, err)
	}
	aside := func(dir string) int64 {
		report, err := archive.Verify(t.Context(), filepath.Join(dir, "a.db"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return report.SetAside
	}
	for n := range kills(t) {
		dir := copyFolder(t, origin)
		args := inFolder(dir, repair)
		killed(t, time.Duration(r.Int64N(int64(took))), args...)
		before := aside(dir)
		output(t, finarc, args...)
		if got := contentOf(t, filepath.Join(dir, "a.db")); !got.equal(want) {
			t.Fatalf("kill %d: %d posts and %d revisions in the end, want %d and %d", n, len(got), got.revisions(), len(want), want.revisions())
		}
		if after := aside(dir); after < before {
			t.Fatalf("kill %d: %d values are set aside in the end, and %d were before", n, after, before)
		}
	}
}

// TestCrashExport kills exports: every file that has a name is whole, and the
// next one completes what is missing.
func TestCrashExport(t *testing.T) {
	r := chance(t)
	db := filepath.Join(careFolder(t), "a.db")
	export := func(out string) []string { return []string{"export", "jekyll", "--archive", db, "--out", out} }
	origin := filepath.Join(t.TempDir(), "dump")
	began := time.Now()
	output(t, finarc, export(origin)...)
	took := time.Since(began)
	want := filesOf(t, origin)
	for n := range kills(t) {
		out := filepath.Join(t.TempDir(), "dump")
		killed(t, time.Duration(r.Int64N(int64(took))), export(out)...)
		for name, text := range filesOf(t, out) {
			if !strings.HasPrefix(filepath.Base(name), ".") && text != want[name] {
				t.Fatalf("kill %d: %s is not whole", n, name)
			}
		}
		output(t, finarc, export(out)...)
		if got := filesOf(t, out); !maps.Equal(got, want) {
			t.Fatalf("kill %d: %d files in the end, want %d", n, len(got), len(want))
		}
	}
}

// TestCrashExportWhole kills exports that make a folder or a file whole: either it has
// its name and all that is in it, or nothing has.
func TestCrashExportWhole(t *testing.T) {
	r := chance(t)
	db := filepath.Join(careFolder(t), "a.db")
	for _, format := range []string{"warc", "wacz", "parquet"} {
		export := func(dir string) []string {
			return []string{"export", format, "--archive", db, "--out", filepath.Join(dir, "out."+format)}
		}
		origin := t.TempDir()
		began := time.Now()
		output(t, finarc, export(origin)...)
		took := time.Since(began)
		want := len(filesOf(t, origin))
		for n := range kills(t) {
			dir := t.TempDir()
			killed(t, time.Duration(r.Int64N(int64(took))), export(dir)...)
			if out := filepath.Join(dir, "out."+format); !exists(out) {
				output(t, finarc, export(dir)...)
			}
			files := filesOf(t, dir)
			maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, ".finarc-export-") })
			if len(files) != want {
				t.Fatalf("%s, kill %d: %d files in the end, want %d", format, n, len(files), want)
			}
		}
	}
}

// filesOf returns what stands in a folder, by name.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestSyncFails lets the disk refuse to make writes durable, from some moment on
// (strace puts the error in): the crawl ends with one clear line, and what the
// archive held before is whole, and complete after the next crawl.
func TestSyncFails(t *testing.T) {
	strace := realtest.Program(t, "strace")
	const posts = 400
	m, err := mirror.New(mirror.Options{Posts: posts, Categories: 5, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	whole, _ := uninterrupted(t, s.URL, "crawl")
	dir := t.TempDir()
	config, db := filepath.Join(dir, "crawler.yaml"), filepath.Join(dir, "a.db")
	writeFile(t, config, fmt.Sprintf(configuration, db, s.URL, 8))
	failed := 0
	for after := range 12 { // of each thread's calls, how many succeed
		inject := fmt.Sprintf("inject=fdatasync,fsync:error=EIO:when=%d+", after+1)
		cmd := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=fdatasync,fsync", "-e", inject, finarc, "crawl", "-q", "-c", config)
		out, err := cmd.CombinedOutput()
		if err != nil {
			failed++
			if said := string(out); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said, db) || !strings.Contains(said, "input/output error") {
				t.Fatalf("after %d calls: %v\n%s", after, err, out)
			}
		}
		if exists(db) {
			contentOf(t, db)
		}
	}
	if failed == 0 {
		t.Error("no crawl met the error")
	}
	output(t, finarc, "crawl", "-c", config)
	if got := contentOf(t, db); !got.equal(whole) {
		t.Errorf("%d posts in the end, want %d", len(got), len(whole))
	}
}
