//go:build unix

package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/warc"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// recorded is a mirror that finarc has crawled itself, for other crawlers to do the
// same.
type recorded struct {
	dir, mirror, config string
	texts               []string // addresses that no page links: those of the texts behind the shells
}

func newRecorded(t *testing.T, flags ...string) recorded {
	t.Helper()
	r := recorded{dir: t.TempDir()}
	r.mirror = serve(t, append(flags, "--posts", "150", "--categories", "6", "--newest", "2021-12-22T10:37:15+08:00")...)
	r.config = filepath.Join(r.dir, "crawler.yaml")
	writeFile(t, r.config, fmt.Sprintf(configuration, "own.db", r.mirror, 8))
	output(t, finarc, "crawl", "--quiet", "-c", r.config, "--archive", filepath.Join(r.dir, "own.db"))
	for id, p := range postsOf(t, filepath.Join(r.dir, "own.db")) {
		r.texts = append(r.texts, r.mirror+"/NewsData/GetNewsText.do?id=NW"+string(id)) // of all: who crawls does not know which
		if !p.ID.HasCode() {
			t.Fatalf("%s has no infoCode", id)
		}
	}
	return r
}

// postsOf returns the posts that an archive holds, in their first revisions.
func postsOf(t *testing.T, path string) map[news.ID]news.Revision {
	t.Helper()
	a, err := archive.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	posts := make(map[news.ID]news.Revision)
	for rev, err := range a.Select(t.Context(), archive.Selection{Body: true}) {
		if err != nil {
			t.Fatal(err)
		}
		posts[rev.ID] = rev
	}
	return posts
}

// importInto imports WARC files into an archive, whole, and returns the report.
func (r *recorded) importInto(t *testing.T, db string, files ...string) warc.Imported {
	t.Helper()
	args := []string{"import", "warc", "--json", "-c", r.config, "--archive", filepath.Join(r.dir, db)}
	for _, file := range files {
		args = append(args, filepath.Join(r.dir, file))
	}
	out, err := exec.CommandContext(t.Context(), finarc, args...).Output()
	if err != nil {
		t.Errorf("import of %q: %v", files, err)
	}
	var report warc.Imported
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
	if !report.AddsUp() || report.Damaged+len(report.Refused) > 0 {
		t.Errorf("import of %q: %.2000s", files, out)
	}
	return report
}

// wantSame fails the test where an archive holds other posts than finarc's own crawl
// brought: other texts, other fields, or other bytes of a page. Only the category of
// those that the site has no page of is known by lists alone.
func (r *recorded) wantSame(t *testing.T, db string) {
	t.Helper()
	own, other := postsOf(t, filepath.Join(r.dir, "own.db")), postsOf(t, filepath.Join(r.dir, db))
	for id, rev := range own {
		if rev.Tag == "" {
			rev.Category = ""
			own[id] = rev
		}
	}
	times := cmpopts.IgnoreFields(news.Revision{}, "Seq", "FirstSeen", "LastSeen", "Fetched", "Mode")
	if diff := cmp.Diff(own, other, times); diff != "" {
		t.Errorf("%s (-own crawl +import):\n%.4000s", db, diff)
	}
	for id, rev := range other {
		if rev.Mode != news.ModeImport || rev.Fetched.IsZero() {
			t.Fatalf("%s: mode %s, fetched %s", id, rev.Mode, rev.Fetched)
		}
	}
	output(t, finarc, "verify", "--archive", filepath.Join(r.dir, db))
}

// wget runs wget in the folder. It ends with 8 where a server answered with an error,
// as for texts that are not there.
func (r *recorded) wget(t *testing.T, program, name string, flags ...string) {
	t.Helper()
	list := filepath.Join(r.dir, "texts.txt")
	writeFile(t, list, strings.Join(r.texts, "\n")+"\n")
	args := append(flags, "--quiet", "--recursive", "--level=inf", "--execute=robots=off", "--delete-after", "--no-config",
		"--warc-file="+name, "--warc-cdx", "--directory-prefix=got-"+name, r.mirror+"/", "--input-file="+list)
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 8 {
		t.Fatalf("wget: %v\n%s", err, out)
	}
}

// TestWget lets wget crawl the mirror: from its WARC, in each form that it writes,
// come the posts that finarc's own crawl archives, and what it saw again later is
// seen again.
func TestWget(t *testing.T) {
	wget := realtest.Program(t, "wget")
	r := newRecorded(t)
	r.wget(t, wget, "packed")
	r.wget(t, wget, "plain", "--no-warc-compression", "--no-warc-digests")
	r.wget(t, wget, "again", "--warc-dedup=packed.cdx")
	first := r.importInto(t, "packed.db", "packed.warc.gz")
	if len(first.Faults) > 0 || first.Revised > 0 {
		t.Errorf("got %+v", first)
	}
	r.wantSame(t, "packed.db")
	if plain := r.importInto(t, "plain.db", "plain.warc"); plain.New != first.New || plain.Faults["no digest"] != plain.New+plain.Same {
		t.Errorf("got %+v", plain)
	}
	r.wantSame(t, "plain.db")
	before := postsOf(t, filepath.Join(r.dir, "packed.db"))
	again := r.importInto(t, "packed.db", "again.warc.gz")
	if again.New+again.Revised > 0 || again.Revisits < first.New {
		t.Errorf("got %+v", again)
	}
	for id, rev := range postsOf(t, filepath.Join(r.dir, "packed.db")) {
		if rev.Seq != before[id].Seq || rev.LastSeen.Before(before[id].LastSeen) { // wget tells seconds
			t.Fatalf("%s was seen again: got %+v, had %+v", id, rev, before[id])
		}
	}
}

// TestWarcio lets a recorder on npm's warcio, the library below Webrecorder's
// crawlers, do the same, with answers that are compressed.
func TestWarcio(t *testing.T) {
	project, node := realtest.Node(t, filepath.Join("testdata", "recorder"))
	r := newRecorded(t, "--gzip")
	cmd := exec.CommandContext(t.Context(), node, append([]string{"recorder.mjs", filepath.Join(r.dir, "a.warc.gz"), r.mirror + "/"}, r.texts...)...)
	cmd.Dir, cmd.Stderr = project, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	report := r.importInto(t, "a.db", "a.warc.gz")
	if report.Revised > 0 || report.Revisits < report.New {
		t.Errorf("got %+v", report)
	}
	r.wantSame(t, "a.db")
}

// TestBrowserWARC lets Chromium do the same, as crawlers do that drive a browser, and
// npm's node-warc write what it got: bodies without their codings, and as the browser
// tells them.
func TestBrowserWARC(t *testing.T) {
	chromium := realtest.Program(t, "chromium")
	project, node := realtest.Node(t, filepath.Join("testdata", "recorder"))
	r := newRecorded(t, "--gzip")
	cmd := exec.CommandContext(t.Context(), node, append([]string{"browser.cjs", chromium, filepath.Join(r.dir, "a.warc.gz"), r.mirror + "/"}, r.texts...)...)
	cmd.Dir, cmd.Stderr = project, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if report := r.importInto(t, "a.db", "a.warc.gz"); report.Revised > 0 {
		t.Errorf("got %+v", report)
	}
	r.wantSame(t, "a.db")
}
