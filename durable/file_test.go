package durable_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/finarc/finarc/durable"
)

// says returns a writer of a text.
func says(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestWriteFileReplacesWhole(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "deep", "feed.xml")
	for _, text := range []string{"first", "", "the third"} {
		size, err := durable.WriteFile(name, says(text))
		if err != nil || size != int64(len(text)) {
			t.Fatalf("%d bytes of %q, %v", size, text, err)
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("%q, %v, want %q", got, err, text)
		}
	}
	if got := names(t, filepath.Dir(name)); len(got) != 1 {
		t.Errorf("left behind: %q", got)
	}
}

// What fails half way leaves the file that was there, and nothing else.
func TestWriteFileLeavesNothingHalf(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "feed.xml")
	if _, err := durable.WriteFile(name, says("whole")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	_, err := durable.WriteFile(name, func(w io.Writer) error {
		return errors.Join(says("ha")(w), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "whole" {
		t.Errorf("%q, %v", got, err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %q", got)
	}
}

func TestWriteFileReplacesFilesOnly(t *testing.T) {
	for what, make := range map[string]func(string) error{
		"folder": func(name string) error { return os.Mkdir(name, 0o755) },
		"link":   func(name string) error { return os.Symlink("nowhere", name) },
	} {
		dir := t.TempDir()
		name := filepath.Join(dir, "feed.xml")
		if err := make(name); err != nil {
			t.Skip(err)
		}
		if _, err := durable.WriteFile(name, says("text")); !errors.Is(err, durable.ErrNotFile) {
			t.Errorf("%s: error %v, want %v", what, err, durable.ErrNotFile)
		}
		if got := names(t, dir); len(got) != 1 {
			t.Errorf("%s: left behind: %q", what, got)
		}
	}
}
