package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/finarc/finarc/durable"
)

const prefix = ".finarc-test-"

func newFolder(t *testing.T, dir string) *durable.Draft {
	t.Helper()
	d, err := durable.NewFolder(dir, prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Discard(); err != nil {
			t.Error(err)
		}
	})
	if err := os.MkdirAll(filepath.Join(d.Path, "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Path, "below", "file"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	return d
}

// names returns what stands in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestAFolderGetsItsNameWhole(t *testing.T) {
	dir := t.TempDir()
	d, to := newFolder(t, dir), filepath.Join(dir, "out")
	if err := d.Place(to); err != nil {
		t.Fatal(err)
	}
	if err := d.Discard(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 1 || got[0] != "out" {
		t.Errorf("left behind: %q", got)
	}
	if text, err := os.ReadFile(filepath.Join(to, "below", "file")); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestNothingIsReplaced(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"empty folder": func(to string) error { return os.Mkdir(to, 0o755) },
		"file":         func(to string) error { return os.WriteFile(to, nil, 0o644) },
		"link":         func(to string) error { return os.Symlink("nowhere", to) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			to := filepath.Join(dir, "out")
			if err := make(to); err != nil {
				t.Skip(err)
			}
			d := newFolder(t, dir)
			if err := d.Place(to); !errors.Is(err, durable.ErrExists) {
				t.Errorf("error %v, want %v", err, durable.ErrExists)
			}
		})
	}
}

// What a killed process left is removed by the next that makes one; what another
// is making is not.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"1", "2"} {
		if err := os.MkdirAll(filepath.Join(dir, prefix+name, "below"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, prefix+"2.guard"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	first := newFolder(t, dir)
	second := newFolder(t, dir)
	if got := names(t, dir); len(got) != 4 {
		t.Errorf("%q, want two folders and their guards", got)
	}
	for _, d := range []*durable.Draft{first, second} {
		if err := d.Place(filepath.Join(dir, "of"+filepath.Base(d.Path))); err != nil {
			t.Error(err)
		}
	}
}

func TestAFileGetsItsNameWhole(t *testing.T) {
	dir := t.TempDir()
	d, to := newFolder(t, dir), filepath.Join(dir, "out")
	file := filepath.Join(d.Path, "below", "file")
	if err := d.PlaceFile(file, to); err != nil {
		t.Fatal(err)
	}
	if err := d.PlaceFile(file, to); !errors.Is(err, durable.ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	if err := d.Discard(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 1 || got[0] != "out" {
		t.Errorf("left behind: %q", got)
	}
	if text, err := os.ReadFile(to); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
}
