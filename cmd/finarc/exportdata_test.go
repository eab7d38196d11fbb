//go:build unix

package main

import (
	"archive/zip"
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
)

var dataFormatNames = []string{"jsonl", "csv", "parquet"}

// folderFormats are the exports that make a folder, or a file, that is whole or not
// there: flags that make it larger, how its name ends, and what it says it is of.
var folderFormats = []struct{ format, flags, suffix, unit string }{
	{"jsonl", "--html", "", "rows"}, {"csv", "--html", "", "rows"}, {"parquet", "--html", "", "rows"},
	{"warc", "--text", "", "captures of 3,000 posts"}, {"wacz", "--text", ".wacz", "captures of 3,000 posts"},
}

// filled makes a folder with an archive of so many posts, of some 2 KB each.
func filled(t *testing.T, posts int) string {
	t.Helper()
	dir := t.TempDir()
	arc, err := archive.OpenOrCreate(t.Context(), filepath.Join(dir, "finarc.db"))
	if err != nil {
		t.Fatal(err)
	}
	list := storetest.Samples(posts)
	for i := range list {
		list[i].Post.Body = fmt.Sprintf("<p>%d%s</p>", i, strings.Repeat("公司公布订单，", 100))
		list[i].Capture.Body = []byte(list[i].Post.Body)
	}
	if _, err := arc.Commit(t.Context(), &news.Batch{Posts: list}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// leftovers returns what a folder holds beside the archive.
func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "finarc.db") {
			left = append(left, e.Name())
		}
	}
	return left
}

// Whoever has read enough closes the pipe, and that is no failure: the program ends
// without a word, as others do of that signal.
func TestExportIntoAPipeThatCloses(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3000)
	for _, format := range append([]string{"atom"}, dataFormatNames...) {
		p := finarc(t, dir, "export", format)
		p.Stdout = nil
		out, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReaderSize(out, 16).ReadByte(); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		err = p.Wait()
		status, _ := p.ProcessState.Sys().(syscall.WaitStatus)
		if err != nil && (!status.Signaled() || status.Signal() != syscall.SIGPIPE) {
			t.Errorf("%s ends with %v", format, err)
		}
		if says := p.stderr.String(); says != "" {
			t.Errorf("%s says: %s", format, says)
		}
	}
}

// An export whose report nobody reads is whole all the same, and leaves nothing else.
func TestExportWithoutAReader(t *testing.T) {
	t.Parallel()
	dir := filled(t, 100)
	for _, f := range folderFormats {
		p := finarc(t, dir, "export", f.format, "--out", f.format+f.suffix, "--json")
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		p.Stdout = writer
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		err = p.Wait()
		status, _ := p.ProcessState.Sys().(syscall.WaitStatus)
		if err != nil && (!status.Signaled() || status.Signal() != syscall.SIGPIPE) || p.stderr.String() != "" {
			t.Errorf("%s ends with %v: %s", f.format, err, &p.stderr)
		}
		if !whole(filepath.Join(dir, f.format+f.suffix)) {
			t.Errorf("%s is not whole", f.format)
		}
	}
	if left := leftovers(t, dir); len(left) != len(folderFormats) {
		t.Errorf("left over: %q", left)
	}
}

// A full disk ends an export in order, and leaves nothing; the bookmark stays.
func TestExportOnFullDisk(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3000)
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, f := range folderFormats {
		p := finarc(t, dir)
		p.Path, p.Args = sh, []string{"sh", "-c", "ulimit -f 20 && exec finarc export " + f.format + " --out new" + f.suffix + " --since-last daily " + f.flags}
		p.ends(t, 1)
		wantError(t, p, "export to new"+f.suffix, "file too large")
		if left := leftovers(t, dir); len(left) > 0 {
			t.Errorf("%s: left over: %q", f.format, left)
		}
	}
	p := finarc(t, dir, "export", "jsonl", "--out", "new", "--since-last", "daily")
	p.ends(t, 0)
	if !strings.HasPrefix(p.stdout.String(), "3,000 rows") {
		t.Errorf("the next one: %s", &p.stdout)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	p = finarc(t, dir)
	p.Path, p.Args = sh, []string{"sh", "-c", "exec finarc export jsonl > /dev/full"}
	p.ends(t, 1)
	wantError(t, p, "no space left on device")
}

// An export that is killed, whenever, leaves either all of it or nothing; what it
// was writing is removed by the next; and no change is lost to the name.
func TestKillExport(t *testing.T) {
	t.Parallel()
	for _, f := range folderFormats {
		t.Run(f.format, func(t *testing.T) {
			t.Parallel()
			dir := filled(t, 3000)
			out := killUntilWhole(t, dir, f.format, f.suffix)
			if !whole(filepath.Join(dir, out)) {
				t.Fatalf("%s is there, and not whole", out)
			}
			p := finarc(t, dir, "export", f.format, "--out", "last"+f.suffix, "--since-last", "daily")
			p.ends(t, 0)
			if says := p.stdout.String(); !strings.HasPrefix(says, "0 ") && !strings.HasPrefix(says, "3,000 "+f.unit) {
				t.Errorf("the last: %s", says)
			}
			for _, name := range leftovers(t, dir) {
				if strings.HasPrefix(name, ".") {
					t.Errorf("left over: %s", name)
				}
			}
		})
	}
}

// killUntilWhole exports again and again, and kills the export ever later, until what
// it makes is there; it returns its name.
func killUntilWhole(t *testing.T, dir, format, suffix string) string {
	t.Helper()
	after := time.Duration(0) // grows until one ends, however slow the machine is
	for i := 0; ; i++ {
		out := fmt.Sprintf("out%d%s", i, suffix)
		p := finarc(t, dir, "export", format, "--out", out, "--since-last", "daily")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(after, func() { _ = p.Process.Kill() }) // it may have ended
		err := p.Wait()
		timer.Stop()
		after += after/8 + 10*time.Millisecond
		if exists(filepath.Join(dir, out)) {
			return out
		}
		if err == nil {
			t.Fatalf("%s ended well and is not there", out)
		}
	}
}

// readingFormats are those for people to read: two of single files, and one of a
// folder of them.
var readingFormats = []string{"atom", "epub", "markdown"}

// What is exported for reading is whole or not there on a full disk.
func TestReadingOnFullDisk(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3000)
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, format := range readingFormats {
		args := "export " + format + " --limit 2000 --out " + format
		p := finarc(t, dir)
		p.Path, p.Args = sh, []string{"sh", "-c", "ulimit -f 1 && exec finarc " + args}
		p.ends(t, 1)
		wantError(t, p, "file too large")
		for _, name := range leftovers(t, dir) {
			if name != "markdown" || len(leftovers(t, filepath.Join(dir, name))) > 0 {
				t.Errorf("%s: left over: %s", format, name)
			}
		}
	}
}

// A book or feed that is killed while it is written, whenever, leaves the one that
// was there, or the new one, and the next removes what it was writing.
func TestKillReading(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3000)
	for _, format := range []string{"atom", "epub"} {
		name := filepath.Join(dir, "out."+format)
		export := func(limit string) *process {
			return finarc(t, dir, "export", format, "--out", name, "--limit", limit)
		}
		exported := func(limit string) string {
			t.Helper()
			export(limit).ends(t, 0)
			return contents(t, name)
		}
		all, few := exported("2000"), exported("1")
		after := time.Duration(0) // grows until one ends, however slow the machine is
		for ended := false; !ended; after += after/8 + 10*time.Millisecond {
			p := export("2000")
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(after, func() { _ = p.Process.Kill() }) // it may have ended
			ended = p.Wait() == nil
			timer.Stop()
			if text := contents(t, name); text != few && text != all || ended && text != all {
				t.Fatalf("%s: %d bytes are neither what was there nor the new", format, len(text))
			}
		}
		exported("1")
	}
	if left := leftovers(t, dir); len(left) != 2 {
		t.Errorf("there are %q", left)
	}
}

func contents(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// whole reports whether what an export made is all there: the descriptor of a folder
// or of a WACZ is written last, and so is the index beside a WARC file.
func whole(out string) bool {
	if strings.HasSuffix(out, ".wacz") {
		z, err := zip.OpenReader(out)
		return err == nil && z.Close() == nil && z.File[len(z.File)-1].Name == "datapackage-digest.json"
	}
	files, err := filepath.Glob(filepath.Join(out, "*.warc.gz"))
	indexes, ierr := filepath.Glob(filepath.Join(out, "*.cdxj"))
	return err == nil && ierr == nil && (exists(filepath.Join(out, "datapackage.json")) || len(files) == 1 && len(indexes) == 1)
}
