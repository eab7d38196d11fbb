package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "finarc.prom")
	for _, r := range []*news.Run{{ID: 1}, full()} {
		if err := WriteFile(path, r); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != written(t, r) {
			t.Errorf("run %d: %v: %s", r.ID, err, got)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v: want mode 0644", err, info.Mode())
	}
	holds(t, dir, "finarc.prom")
}

// Where it cannot be written, what was there stays, and nothing else is left.
func TestWriteFileWholeOrNot(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{taken, filepath.Join(dir, "none", "finarc.prom")} {
		if err := WriteFile(path, full()); err == nil || !strings.Contains(err.Error(), "write "+path+": ") {
			t.Errorf("%s: %v", path, err)
		}
	}
	holds(t, dir, "taken")
}

func holds(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %q, want %q", names, want)
	}
}
