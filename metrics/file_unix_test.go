//go:build unix

package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is no regular file is never replaced by one: a pipe stays, whether it is
// named or a link leads to it, as /dev/stdout does. A link to a file stays a link.
func TestWriteFileSpecial(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(unix.Mkfifo(in("pipe"), 0o600), os.Symlink("pipe", in("topipe")), os.Symlink(in("file"), in("tofile")), os.WriteFile(in("file"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := os.Symlink(fmt.Sprintf("/dev/fd/%d", w.Fd()), in("output")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe", "topipe", "output"} {
		if err := WriteFile(in(name), full()); err == nil || !strings.HasSuffix(err.Error(), name+": it is no regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	f, err := os.Create(in("opened"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := WriteFile(fmt.Sprintf("/dev/fd/%d", f.Fd()), full()); err == nil {
		t.Error("the file that output goes to is replaced")
	}
	if err := os.Symlink("none", in("tonone")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(in("tonone"), full()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link that leads nowhere: %v", err)
	}
	if err := WriteFile(in("tofile"), full()); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(in("file")); err != nil || string(got) != written(t, full()) {
		t.Errorf("behind a link: %v: %s", err, got)
	}
	for name, want := range map[string]fs.FileMode{"pipe": fs.ModeNamedPipe, "topipe": fs.ModeSymlink, "output": fs.ModeSymlink, "tofile": fs.ModeSymlink, "file": 0} {
		if info, err := os.Lstat(in(name)); err != nil || info.Mode().Type() != want {
			t.Errorf("%s: %v, %v, want %v", name, err, info.Mode(), want)
		}
	}
	holds(t, dir, "file", "opened", "output", "pipe", "tofile", "tonone", "topipe")
}
